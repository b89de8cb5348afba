"""Runs that last longer than a call: answered in time, taken up at every door, and begun once however often asked.

The toy's job ends when the test says so, and a call waits a moment only: that it goes on is certain, not a race.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from runtime.caller import Caller
from runtime.calls.under_way import MOST_LEFT, TOLD_S, UNTOLD_S, Running, UnderWay, Wanted
from runtime.engines.engine import Ended, Progress
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from tests.needs import NPM
from tests.waiting import PATIENCE_S, until

ERAS = pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
WAIT_S = 0.2
ME, YOU = Caller("me", "operator"), Caller("you", "operator")
STOP = {"uuid": "u-1"}


def client(url: str, era: str, token: str | None = None, **more: Any) -> Client[Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(StreamableHttpTransport(url, headers=headers), mode=era, **more)  # type: ignore[arg-type]


@pytest.fixture
async def slow(migrated_url: str, device: Any, tools: Any) -> AsyncIterator[Any]:
    """A house whose calls wait a moment, with a device whose job goes on until it is told to end."""
    device.script.job_state = "running"
    vault = Vault({"WORD": "s3cret-word"})
    async with open_service(
        migrated_url, vault, ServiceOptions(confirmation=tools.ASKS_NOBODY, call_wait_s=WAIT_S)
    ) as service:
        house = await tools.furnished(migrated_url, service)
        await house.target(device.url)
        await house.approve("find")
        await house.approve("stop")
        await service.live.reload()
        yield house


@pytest.fixture
async def served(slow: Any, tools: Any) -> AsyncIterator[Any]:
    async with tools.running(slow.service) as run:
        yield run


def changes(device: Any) -> list[Any]:
    return [heard for heard in device.heard if heard.method == "POST"]


def wanted(house: Any, caller: Caller = ME, inputs: Any = STOP, **more: Any) -> Wanted:
    return Wanted(house.service.live.now.entries["toy_stop_vm"], inputs, None, caller, **more)


async def left(house: Any, **more: Any) -> Running:
    answer = await house.service.under_way.call(wanted(house, **more))
    assert isinstance(answer, Running)
    return answer


async def ended(house: Any, run_id: str, caller: Caller = ME) -> Any:
    async def look() -> Any:
        answer = await house.service.under_way.look(run_id, caller, None)
        return answer if isinstance(answer, Ended) else None

    return await until(look, "its end")


@pytest.mark.slow
@ERAS
async def test_a_call_is_answered_in_time_and_its_run_is_taken_up_and_is_one(
    served: Any, device: Any, era: str
) -> None:
    async with client(served.mcp, era) as opened:
        first = await opened.call_tool("toy_stop_vm", STOP)
        again = await opened.call_tool("toy_stop_vm", STOP)
        run_id = first.structured_content["running"]["run_id"]
        waited = await opened.call_tool("get_run", {"run": run_id})
        device.script.job_state = "done"
        answers = [waited]
        while answers[-1].structured_content["outcome"] == "running":
            answers.append(await opened.call_tool("get_run", {"run": run_id}))
        told_again = await opened.call_tool("toy_stop_vm", STOP)
    assert first.structured_content["running"]["outcome"] == "running"
    assert "call get_run with this run's id" in first.content[0].text
    assert again.structured_content["running"]["run_id"] == run_id
    assert waited.structured_content["outcome"] == "running"
    assert waited.structured_content["progress"]["step"] == "wait"
    assert answers[-1].structured_content == {"run_id": run_id, "outcome": "succeeded", "outputs": {"state": "off"}}
    assert told_again.meta["switchgear"]["run"] == run_id
    assert told_again.structured_content == {"state": "off"}
    assert len(changes(device)) == 1


@pytest.mark.slow
@ERAS
async def test_a_client_that_gives_up_after_a_while_never_has_to(served: Any, device: Any, era: str) -> None:
    """Five waits long is the job; the client's limit is wide only for a busy machine, and no call comes near it."""
    seen: list[float] = []

    async def heard(progress: float, _total: float | None, _message: str | None) -> None:
        seen.append(progress)

    async with client(served.mcp, era, timeout=PATIENCE_S) as opened:
        answer = await opened.call_tool("toy_stop_vm", STOP)
        run_id = answer.structured_content["running"]["run_id"]
        for _ in range(4):
            answer = await opened.call_tool("get_run", {"run": run_id}, progress_handler=heard)
            assert answer.structured_content["outcome"] == "running"
        device.script.job_state = "done"
        while answer.structured_content["outcome"] == "running":
            answer = await opened.call_tool("get_run", {"run": run_id})
    assert answer.structured_content["outputs"] == {"state": "off"}
    assert seen
    assert len(changes(device)) == 1


@pytest.mark.slow
async def test_over_rest_a_run_that_goes_on_is_202_with_where_its_end_is_waited_for(served: Any, device: Any) -> None:
    async with httpx.AsyncClient(base_url=served.url, timeout=PATIENCE_S) as asking:
        answer = await asking.post("/workflows/toy_stop_vm/run", json={"inputs": STOP})
        run = answer.json()
        assert (answer.status_code, run["outcome"], run["done"]) == (202, "running", [])
        again = await asking.post("/workflows/toy_stop_vm/run", json={"inputs": STOP})
        assert again.json()["run_id"] == run["run_id"]
        waiting = (await asking.get(answer.headers["location"])).json()
        assert (waiting["outcome"], waiting["progress"]["step"]) == (None, "wait")
        device.script.job_state = "done"

        async def over() -> Any:
            told = (await asking.get(answer.headers["location"])).json()
            return told if told["outcome"] else None

        told = await until(over)
    assert (told["outcome"], told["outputs"], told["progress"]) == ("succeeded", {"state": "off"}, None)
    assert len(changes(device)) == 1


@pytest.mark.slow
@ERAS
async def test_a_run_is_a_resource_that_waits_and_is_whoever_ran_its(
    slow: Any, device: Any, tools: Any, era: str
) -> None:
    mine, yours = await slow.token("operator", "me"), await slow.token("operator", "you")
    async with tools.running(slow.service) as run:
        async with client(run.mcp, era, mine) as opened:
            answer = await opened.call_tool("toy_stop_vm", STOP)
            run_id = answer.structured_content["running"]["run_id"]
            (read,) = await opened.read_resource(f"switchgear://runs/{run_id}")
            assert json.loads(read.text)["outcome"] == "running"
        async with client(run.mcp, era, yours) as opened:
            with pytest.raises(Exception, match="there is no run"):
                await opened.read_resource(f"switchgear://runs/{run_id}")
            told = await opened.call_tool("get_run", {"run": run_id}, raise_on_error=False)
            nothing = await opened.call_tool("get_run", {"run": "no-such"}, raise_on_error=False)
        device.script.job_state = "done"
        await ended(slow, run_id)
    assert told.is_error
    assert told.content[0].text.replace(run_id, "_") == nothing.content[0].text.replace("no-such", "_")


@pytest.mark.parametrize("way", ["the tool", "run_workflow", "rest"])
async def test_a_run_that_goes_on_is_ended_by_whoever_ran_it_and_by_nobody_else(
    slow: Any, device: Any, tools: Any, way: str
) -> None:
    mine, yours = await slow.token("operator", "me"), await slow.token("operator", "you")
    async with tools.running(slow.service) as run, client(run.mcp, "legacy", mine) as opened:
        run_id = (await opened.call_tool("toy_stop_vm", STOP)).structured_content["running"]["run_id"]
        async with client(run.mcp, "legacy", yours) as other:
            told = await other.call_tool("cancel_run", {"run": run_id}, raise_on_error=False)
            assert told.is_error and "there is no run" in told.content[0].text
        if way == "rest":
            headers = {"Authorization": f"Bearer {mine}"}
            async with httpx.AsyncClient(base_url=run.url, timeout=PATIENCE_S, headers=headers) as asking:
                answer = await asking.post("/tools/cancel_run", json={"run": run_id})
            outcome, text = answer.json()["outcome"], answer.json()["note"]
        else:
            words = ("cancel_run", {"run": run_id})
            named = {"name": "cancel_run", "arguments": {"run": run_id}}
            answer = await opened.call_tool(*(words if way == "the tool" else ("run_workflow", named)))
            outcome, text = answer.structured_content["outcome"], answer.content[0].text
        again = await opened.call_tool("cancel_run", {"run": run_id}, raise_on_error=False)
    assert outcome in ("cancelled", "running"), text
    if outcome == "running":
        assert (await ended(slow, run_id)).outcome == "cancelled"
    else:
        assert again.is_error and "ended already" in again.content[0].text
    assert len(changes(device)) == 1


async def test_what_was_cancelled_is_no_answer_to_the_same_call_made_again(slow: Any, device: Any) -> None:
    first = await left(slow)
    await until(lambda: changes(device), "the change")
    await slow.service.open_runs.ask_cancel(first.run_id, actor="me")
    assert (await ended(slow, first.run_id)).outcome == "cancelled"
    device.script.job_state = "done"
    again = await slow.service.under_way.call(wanted(slow))
    while isinstance(again, Running):
        again = await slow.service.under_way.look(again.run_id, ME, None)
    assert (again.run_id != first.run_id, again.outcome) == (True, "succeeded")
    assert len(changes(device)) == 2


async def test_who_wants_something_else_wants_another_run(slow: Any, device: Any) -> None:
    """Another's wish and one under another key are other wishes, and here in the way of the same effect."""
    first = await left(slow)
    await until(lambda: changes(device), "the change")
    for other in (wanted(slow, YOU), wanted(slow, key="k")):
        with pytest.raises(Exception, match="under way"):
            answer = await slow.service.under_way.call(other)
            while isinstance(answer, Running):  # on a busy machine it is answered before it is refused
                answer = await slow.service.under_way.look(answer.run_id, other.caller, None)
    device.script.job_state = "done"
    assert (await ended(slow, first.run_id)).outcome == "succeeded"
    assert len(changes(device)) == 1


@pytest.mark.parametrize(("is_told", "lasts_s"), [(True, TOLD_S), (False, UNTOLD_S)])
async def test_the_same_is_the_same_run_until_its_end_was_told_and_a_little_longer(
    slow: Any, device: Any, clock: Any, is_told: bool, lasts_s: float
) -> None:
    first = await left(slow)
    device.script.job_state = "done"
    if is_told:
        await ended(slow, first.run_id)
    attended = slow.service.under_way._left[first.run_id]
    await until(lambda: attended.ended_at is not None)
    clock.jump(lasts_s - 10)
    again = await slow.service.under_way.call(wanted(slow))
    assert (again.run_id, again.outcome) == (first.run_id, "succeeded")
    clock.jump(TOLD_S + 1)
    anew = await slow.service.under_way.call(wanted(slow))
    assert anew.run_id != first.run_id
    await ended(slow, anew.run_id) if isinstance(anew, Running) else None
    assert len(changes(device)) == 2


async def test_a_run_that_failed_meanwhile_tells_so_whoever_takes_it_up(slow: Any, device: Any) -> None:
    first = await left(slow)
    device.script.job_state = "broken"
    end = await ended(slow, first.run_id)
    assert (end.outcome, end.failure.code) == ("failed", "job_failed")


async def test_who_goes_away_before_an_answer_ends_the_run_and_after_it_does_not(slow: Any, device: Any) -> None:
    patient = UnderWay(slow.service.calls, slow.service.engine, wait_s=PATIENCE_S)
    call = asyncio.create_task(patient.call(wanted(slow)))
    await device.has_heard(2)
    call.cancel()
    await asyncio.wait((call,))

    async def outcome() -> Any:
        (run,) = await slow.service.runs.find()
        return run.outcome

    assert await until(outcome) == "cancelled"
    first = await left(slow)
    taking_up = asyncio.create_task(slow.service.under_way.look(first.run_id, ME, None))
    await asyncio.sleep(0)
    taking_up.cancel()
    await asyncio.wait((taking_up,))
    device.script.job_state = "done"
    assert (await ended(slow, first.run_id)).outcome == "succeeded"


@pytest.mark.slow
async def test_a_run_of_another_process_is_waited_for_by_its_record(slow: Any, device: Any, tools: Any) -> None:
    first = await left(slow)
    async with open_service(slow.url, Vault({"WORD": "s3cret-word"}), ServiceOptions(call_wait_s=WAIT_S)) as other:
        look = other.under_way.look
        waiting = await look(first.run_id, ME, await other.runs.get(first.run_id))
        assert isinstance(waiting, Running)
        assert waiting.progress is not None and waiting.progress.step_id == "wait"
        device.script.job_state = "done"
        await ended(slow, first.run_id)
        end = await look(first.run_id, ME, await other.runs.get(first.run_id))
    assert isinstance(end, Ended)
    assert (end.outcome, dict(end.outputs)) == ("succeeded", {"state": "off"})


@pytest.mark.slow
async def test_one_caller_leaves_no_more_than_so_many_runs(slow: Any, device: Any) -> None:
    """One more is waited for to its end, as a call without a limit is."""
    narrow = UnderWay(slow.service.calls, slow.service.engine, WAIT_S, most_left=1)
    first = await narrow.call(wanted(slow))
    assert isinstance(first, Running)
    second = asyncio.create_task(narrow.call(wanted(slow, inputs={"uuid": "u-2"})))
    await asyncio.sleep(WAIT_S * 3)
    assert not second.done()
    device.script.job_state = "done"
    assert (await second).outcome == "succeeded"
    assert MOST_LEFT > 1


async def test_told_to_wait_to_the_end_a_call_does(slow: Any, device: Any) -> None:
    patient = UnderWay(slow.service.calls, slow.service.engine, wait_s=0)
    heard: list[Progress] = []
    call = asyncio.create_task(patient.call(wanted(slow), heard.append))
    await until(lambda: len(heard) > 5)
    assert not call.done()
    device.script.job_state = "done"
    assert (await call).outcome == "succeeded"


@pytest.mark.slow
async def test_a_server_that_stops_parks_what_goes_on_and_the_next_one_ends_it(
    migrated_url: str, device: Any, tools: Any
) -> None:
    device.script.job_state = "running"
    async with open_service(
        migrated_url, options=ServiceOptions(confirmation=tools.ASKS_NOBODY, call_wait_s=WAIT_S)
    ) as service:
        house = await tools.furnished(migrated_url, service)
        await house.target(device.url)
        await house.approve("stop")
        await service.live.reload()
        first = await left(house)
        await device.has_heard(2)
    device.script.job_state = "done"
    async with open_service(migrated_url, options=ServiceOptions(call_wait_s=WAIT_S)) as other:
        await other.engine.recover()

        async def look() -> Any:
            answer = await other.under_way.look(first.run_id, ME, await other.runs.get(first.run_id))
            return answer if isinstance(answer, Ended) else None

        assert (await until(look)).outcome == "succeeded"
    assert len(changes(device)) == 1


OTHERS_CLIENT = """
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
const client = new Client({name: "ts", version: "1"})
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])))
const limit = {timeout: 20000}
let told = await client.callTool({name: "toy_stop_vm", arguments: {uuid: "u-1"}}, undefined, limit)
const run = told.structuredContent.running.run_id, answers = ["running"]
while (answers.at(-1) === "running") {
  told = await client.callTool({name: "get_run", arguments: {run}}, undefined, limit)
  answers.push(told.structuredContent.outcome)
  console.log(JSON.stringify(told.structuredContent))
}
await client.close()
"""


@pytest.mark.long
@NPM.mark
async def test_the_official_typescript_client_ends_with_the_result_and_one_run(
    served: Any, device: Any, tmp_path: Path
) -> None:
    """Its limit is far from each answer; the job lasts several of them."""
    install = ("npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent", "@modelcontextprotocol/sdk@1.32.2")
    installing = await asyncio.create_subprocess_exec(*install, cwd=tmp_path)
    assert await installing.wait() == 0
    (tmp_path / "client.mjs").write_text(OTHERS_CLIENT)
    client_process = await asyncio.create_subprocess_exec(
        "node", "client.mjs", served.mcp, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    assert client_process.stdout is not None
    told = [json.loads(await client_process.stdout.readline()) for _ in range(3)]
    device.script.job_state = "done"
    told += [json.loads(line) for line in (await client_process.stdout.read()).splitlines()]
    assert await client_process.wait() == 0
    assert {each["outcome"] for each in told[:3]} == {"running"}
    assert (told[-1]["outcome"], told[-1]["outputs"]) == ("succeeded", {"state": "off"})
    assert len(changes(device)) == 1
