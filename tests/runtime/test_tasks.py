"""Runs as tasks of MCP (SEP-2663): for clients that say that they take them, and nobody else; with a run's rights."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp_types import CallToolResult, Request, RequestParams, Result

from runtime.mcp import asking
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from tests.waiting import PATIENCE_S, until

EXTENSION, MODERN = "io.modelcontextprotocol/tasks", "2026-07-28"
STOP = {"uuid": "u-1"}
UNKNOWN, LACKING, MISLED, NO_METHOD = -32602, -32021, -32020, -32601


@pytest.fixture
async def served(migrated_url: str, device: Any, tools: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A server with a job that goes on until it is told to end; who takes tasks hears of them after a moment."""
    monkeypatch.setattr(asking, "TASK_AFTER_S", 0.1)
    device.script.job_state = "running"
    async with open_service(migrated_url, Vault({}), ServiceOptions(confirmation=tools.ASKS_NOBODY)) as service:
        house = await tools.furnished(migrated_url, service)
        await house.target(device.url)
        for each in ("find", "stop"):
            await house.approve(each)
        await service.live.reload()
        async with tools.running(service) as run:
            run.house, run.secrets = house, {name: await house.token("operator", name) for name in ("me", "you")}
            yield run


async def asked(run: Any, method: str, who: str = "me", *, takes: bool = True, routed: str = "", **params: Any) -> Any:
    """The answer of the protocol to one request of 2026-07-28."""
    capabilities = {"extensions": {EXTENSION: {}}} if takes else {}
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    }
    named = routed or str(params.get("taskId") or params.get("name") or "")
    headers = {
        "authorization": f"Bearer {run.secrets[who]}", "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN, "mcp-method": method, **({"mcp-name": named} if named else {}),
    }  # fmt: skip
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    async with httpx.AsyncClient(base_url=run.url, trust_env=False, timeout=PATIENCE_S) as client:
        answer = await client.post("/mcp", json=body, headers=headers)
    text = answer.text
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        import json

        lines = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
        return next(each for each in map(json.loads, filter(None, lines)) if each.get("id") == 1)
    return answer.json()


async def begun(run: Any) -> str:
    told = (await asked(run, "tools/call", name="toy_stop_vm", arguments=STOP))["result"]
    assert (told["resultType"], told["status"]) == ("task", "working"), told
    return str(told["taskId"])


async def ended(run: Any, task: str) -> Any:
    async def is_over() -> Any:
        told = (await asked(run, "tasks/get", taskId=task))["result"]
        return told if told["status"] != "working" else None

    return await until(is_over, "the task to end")


@pytest.mark.slow
async def test_a_call_that_lasts_is_a_task_whose_result_is_that_of_the_call(served: Any, device: Any) -> None:
    capabilities = (await asked(served, "server/discover"))["result"]["capabilities"]
    task = await begun(served)
    first = (await asked(served, "tasks/get", taskId=task))["result"]
    again = await begun(served)
    device.script.job_state = "done"
    told = await ended(served, task)
    assert capabilities["extensions"][EXTENSION] == {}
    assert again == task, "who asks for the same again means that run"
    assert (first["status"], first["resultType"]) == ("working", "complete")
    assert "STILL RUNNING" in first["statusMessage"]
    assert {"createdAt", "lastUpdatedAt", "ttlMs", "pollIntervalMs"} <= first.keys()
    assert (told["status"], told["result"]["structuredContent"]) == ("completed", {"state": "off"})
    run = await served.house.service.runs.get(task)
    assert (run.caller, run.outcome) == ("me", "succeeded")
    assert len([each for each in device.heard if each.method == "POST"]) == 1


@pytest.mark.slow
async def test_a_task_is_seen_and_ended_by_whoever_may_see_and_end_its_run(served: Any, device: Any) -> None:
    task = await begun(served)
    for method in ("tasks/get", "tasks/cancel", "tasks/update"):
        answers = [(await asked(served, method, "you", taskId=each))["error"] for each in (task, "no-such")]
        assert {each["code"] for each in answers} == {UNKNOWN}
        assert answers[0]["message"].replace(task, "_") == answers[1]["message"].replace("no-such", "_")
        assert (await asked(served, method, takes=False, taskId=task))["error"]["code"] == LACKING
        assert (await asked(served, method, routed="another", taskId=task))["error"]["code"] == MISLED
    acknowledged = (await asked(served, "tasks/update", taskId=task, inputResponses={"x": {}}))["result"]
    assert acknowledged["resultType"] == "complete"
    assert (await asked(served, "tasks/cancel", taskId=task))["result"]["resultType"] == "complete"
    told = await ended(served, task)
    assert (told["status"], "result" in told) == ("cancelled", False)
    assert (await asked(served, "tasks/cancel", taskId=task))["result"]["resultType"] == "complete"


async def test_what_is_over_at_once_fails_or_waits_for_a_confirmation_is_no_task(served: Any) -> None:
    for arguments, is_error in (({"vm": "web-01"}, False), ({"vm": "no-such"}, True)):
        told = (await asked(served, "tools/call", name="toy_find_vm", arguments=arguments))["result"]
        assert (told["resultType"], told["isError"]) == ("complete", is_error)
    told = (await asked(served, "tools/call", name="toy_stop_vm", arguments={**STOP, "plan": True}))["result"]
    assert "plan" in told["structuredContent"]


@pytest.mark.slow
async def test_who_takes_no_tasks_gets_none_in_either_era(served: Any, device: Any) -> None:
    under_way = served.house.service.under_way
    under_way.wait_s = 0.2
    told = (await asked(served, "tools/call", takes=False, name="toy_stop_vm", arguments=STOP))["result"]
    assert (told["resultType"], told["structuredContent"]["running"]["outcome"]) == ("complete", "running")
    headers = {"Authorization": f"Bearer {served.secrets['me']}"}
    async with Client(StreamableHttpTransport(served.mcp, headers=headers), mode="legacy") as client:
        capabilities = client.initialize_result.capabilities.model_dump(exclude_none=True)
        again = await client.call_tool("toy_stop_vm", STOP)
        with pytest.raises(Exception, match=r"not available|not found"):
            await client.session.send_request(GetTask(params=TaskId(task_id="x")), Result)
    assert "tasks" not in capabilities
    assert again.structured_content["running"]["run_id"] == told["structuredContent"]["running"]["run_id"]
    device.script.job_state = "done"


class TaskId(RequestParams):
    task_id: str


class GetTask(Request[TaskId, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    name_param = "taskId"
    params: TaskId


class TheirTask(Result):
    result_type: Literal["task"] = "task"
    task_id: str
    poll_interval_ms: int


class TheirState(Result):
    status: str
    result: CallToolResult | None = None


class TakesTasks(ClientExtension):
    """What a client does with a task, by the official SDK's own means: asks again until it has ended."""

    identifier = EXTENSION

    def __init__(self) -> None:
        self.polls = 0

    def claims(self) -> Any:
        return (ResultClaim(result_type="task", model=TheirTask, resolve=self.resolve),)

    async def resolve(self, task: TheirTask, context: ClaimContext) -> CallToolResult:
        while True:
            told = await context.session.send_request(GetTask(params=TaskId(task_id=task.task_id)), TheirState)
            self.polls += 1
            if told.status != "working":
                assert told.result is not None
                return told.result
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_client_of_the_official_library_that_takes_tasks_just_gets_the_result(served: Any, device: Any) -> None:
    headers, takes = {"Authorization": f"Bearer {served.secrets['me']}"}, TakesTasks()
    transport = StreamableHttpTransport(served.mcp, headers=headers)
    async with Client(transport, mode=MODERN, extensions=[takes]) as client:
        calling = asyncio.create_task(client.call_tool("toy_stop_vm", STOP))
        await until(lambda: takes.polls > 1, "it to ask again")
        device.script.job_state = "done"
        answer = await calling
    assert answer.structured_content == {"state": "off"}
    assert len([each for each in device.heard if each.method == "POST"]) == 1
