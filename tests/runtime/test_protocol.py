"""Real MCP clients of both protocol eras, over HTTP and over standard input and output."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types
import pytest
from fastmcp import Client
from fastmcp.client.messages import MessageHandler
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp.client.subscriptions import ToolsListChanged, listen
from mcp.shared.exceptions import MCPError

from runtime.catalog.listing import UNBOUNDED
from runtime.service import ServiceOptions, open_service
from tests.waiting import PATIENCE_S, ended_with_their_block

HANDSHAKE, STATELESS = "legacy", "2026-07-28"
ERAS = pytest.mark.parametrize("era", [HANDSHAKE, STATELESS])


class News(MessageHandler):
    """Hears that the list changed, on a handshake connection."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()

    async def on_tool_list_changed(self, message: mcp_types.ToolListChangedNotification) -> None:
        self.heard.set()


def client(url: str, era: str, token: str | None = None, news: News | None = None) -> Client[Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(StreamableHttpTransport(url, headers=headers), mode=era, message_handler=news)  # type: ignore[arg-type]


@asynccontextmanager
async def connected(url: str, era: str) -> AsyncIterator[tuple[Client[Any], asyncio.Event]]:
    """A client that wants to hear of changes, in the way of its era, and the event that it has."""
    news = News()
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(client(url, era, news=news))
        if era == STATELESS:
            stream = await stack.enter_async_context(listen(opened.session, tools_list_changed=True))

            async def follow() -> None:
                async for event in stream:
                    assert isinstance(event, ToolsListChanged)
                    news.heard.set()

            following = asyncio.create_task(follow())
            stack.callback(following.cancel)
        yield opened, news.heard


@ERAS
async def test_each_approved_workflow_is_a_tool_with_its_schemas_hints_and_digest(
    server: Any, lab: Any, era: str
) -> None:
    async with client(server.mcp, era) as opened:
        tools = {tool.name: tool for tool in await opened.list_tools()}
    assert sorted(tools) == ["cancel_run", "get_run", "toy_find_vm", "toy_stop_vm"]
    find, stop = tools["toy_find_vm"], tools["toy_stop_vm"]
    entry = lab.service.live.now.entries["toy_find_vm"]
    shown = {"select": {"type": "string"}, "where": {"type": "object"}}
    inputs = entry.tool["inputSchema"]
    assert find.input_schema == {**inputs, "properties": {**inputs["properties"], **shown}}
    assert find.output_schema["properties"] == entry.tool["outputSchema"]["properties"]
    assert (find.title, find.description) == ("Find a machine", "Finds one machine by its name or id.")
    assert find.annotations.read_only_hint is True
    assert (stop.annotations.read_only_hint, stop.annotations.destructive_hint) == (False, True)
    assert find.meta["switchgear"] == {"digest": entry.digest, "risk": "read"}


@ERAS
async def test_a_read_is_called_and_answers_what_its_schema_promises(
    server: Any, device: Any, lab: Any, era: str
) -> None:
    async with client(server.mcp, era) as opened:
        result = await opened.call_tool("toy_find_vm", {"vm": "web-01"})
    assert result.structured_content == {"uuid": "u-1", "state": "on"}
    await lab.service.engine.settle()
    run = await lab.service.runs.get(result.meta["switchgear"]["run"])
    assert (run.outcome, run.outputs, run.inputs) == ("succeeded", {"uuid": "u-1", "state": "on"}, {"vm": "web-01"})
    assert [(step.record.phase, step.record.status) for step in run.steps] == [("sending", None), ("answered", 200)]
    assert len(device.heard) == 1


@ERAS
async def test_an_action_with_its_job_is_waited_for_and_read_back(server: Any, device: Any, lab: Any, era: str) -> None:
    async with client(server.mcp, era) as opened:
        result = await opened.call_tool("toy_stop_vm", {"uuid": "u-1"})
    assert result.structured_content == {"state": "off"}
    lines = [heard.line.decode().rsplit(" ", 1)[0] for heard in device.heard]
    assert lines == ["POST /api/vms/u-1/stop", "GET /api/tasks/t-1", "GET /api/tasks/t-1", "GET /api/vms/u-1"]
    run = await lab.service.runs.get(result.meta["switchgear"]["run"])
    sent = [step.record for step in run.steps if step.record.phase == "sending"]
    assert [f"{record.method} /api{record.path}" for record in sent] == lines


@ERAS
async def test_an_unknown_vm_is_refused_with_what_to_do(server: Any, era: str) -> None:
    async with client(server.mcp, era) as opened:
        result = await opened.call_tool("toy_find_vm", {"vm": "nobody"}, raise_on_error=False)
    assert result.is_error
    text = result.content[0].text
    assert "There is no machine called nobody." in text
    assert "lookup" in text
    assert "not_found" in text
    assert "nothing was changed" in text
    assert result.meta["switchgear"]["failure"]["code"] == "not_found"


@ERAS
@pytest.mark.parametrize(
    ("arguments", "said"), [({}, "vm"), ({"vm": 7}, "string"), ({"vm": "x", "more": 1}, "more"), ({"vm": ""}, "vm")]
)
async def test_inputs_that_do_not_fit_are_refused_before_anything_is_sent(
    server: Any, device: Any, era: str, arguments: dict[str, Any], said: str
) -> None:
    async with client(server.mcp, era) as opened:
        result = await opened.call_tool("toy_find_vm", arguments, raise_on_error=False)
    assert result.is_error
    assert "nothing was sent" in result.content[0].text
    assert device.heard == []


@ERAS
async def test_a_tool_that_is_pending_or_nothing_at_all_is_unknown(
    server: Any, lab: Any, device: Any, era: str
) -> None:
    await lab.submit("list")
    async with client(server.mcp, era) as opened:
        told = []
        for name in ("toy_list_vms", "never_heard_of"):
            with pytest.raises(MCPError, match="Unknown tool") as refusal:
                await opened.call_tool(name, {})
            told.append(str(refusal.value).replace(name, "_"))
    assert told[0] == told[1]
    assert device.heard == []


@ERAS
async def test_a_client_is_told_of_one_more_approval_and_calls_it(server: Any, lab: Any, era: str) -> None:
    async with connected(server.mcp, era) as (opened, heard):
        assert len(await opened.list_tools()) == 4
        await lab.approve("list")
        await asyncio.wait_for(heard.wait(), PATIENCE_S)
        assert "toy_list_vms" in {tool.name for tool in await opened.list_tools()}
        result = await opened.call_tool("toy_list_vms", {})
        assert len(result.structured_content["vms"]) == 3


@ERAS
async def test_a_client_is_told_that_a_workflow_was_retired_and_can_no_longer_call_it(
    server: Any, lab: Any, device: Any, era: str
) -> None:
    entry = lab.service.live.now.entries["toy_find_vm"]
    async with connected(server.mcp, era) as (opened, heard):
        await opened.list_tools()
        await lab.service.revisions.decide(
            entry.revision_id, "retire", actor="t", role="admin", reason="old", digest=entry.digest
        )
        # Mostly not yet noticed by the catalog, and refused all the same: approval is looked up with the use.
        try:
            early = await opened.call_tool("toy_find_vm", {"vm": "web-01"}, raise_on_error=False)
        except MCPError as noticed:
            assert "Unknown tool" in str(noticed)
        else:
            assert early.is_error
        await asyncio.wait_for(heard.wait(), PATIENCE_S)
        assert [tool.name for tool in await opened.list_tools()] == ["get_run", "cancel_run", "toy_stop_vm"]
        with pytest.raises(MCPError, match="Unknown tool"):
            await opened.call_tool("toy_find_vm", {"vm": "web-01"})
    assert device.heard == []


@pytest.mark.slow
@ERAS
async def test_with_many_tools_a_call_builds_no_list_and_lists_are_built_once(
    house: Any, device: Any, tools: Any, era: str
) -> None:
    await house.target(device.url)
    for number in range(60):
        await house.approve("find", number)
    async with (
        open_service(house.url, options=ServiceOptions(budget=UNBOUNDED)) as service,
        tools.running(service) as run,
        client(run.mcp, era) as opened,
    ):
        await opened.list_tools()  # which clients do to learn the output schemas
        built = run.application.provider.lists_built
        for number in range(60):
            await opened.call_tool(f"toy_find_vm_{number}", {"vm": "web-01"})
        for _ in range(5):
            assert len(await opened.list_tools()) == 62
        assert run.application.provider.lists_built == built > 0


@ERAS
async def test_with_a_token_in_the_database_a_client_needs_one(server: Any, lab: Any, era: str) -> None:
    secret = await lab.token("operator")
    async with client(server.mcp, era, secret) as opened:
        assert len(await opened.list_tools()) == 4
    for wrong in (None, "swg_wrong"):
        with pytest.raises(Exception, match=r"401|error response"):
            async with client(server.mcp, era, wrong) as opened:
                await opened.list_tools()


@ERAS
async def test_the_run_of_a_client_says_whose_it_was(server: Any, lab: Any, era: str) -> None:
    secret = await lab.token("operator", "maria")
    async with client(server.mcp, era, secret) as opened:
        result = await opened.call_tool("toy_find_vm", {"vm": "web-01"})
    assert (await lab.service.runs.get(result.meta["switchgear"]["run"])).caller == "maria"


@pytest.mark.slow
@ERAS
async def test_calls_at_the_same_time_do_not_cross(server: Any, device: Any, era: str) -> None:
    device.script.machines = [{"uuid": f"u-{n}", "name": f"vm-{n}", "state": "on"} for n in range(30)]
    async with client(server.mcp, era) as opened:
        results = await asyncio.gather(*(opened.call_tool("toy_find_vm", {"vm": f"vm-{n}"}) for n in range(30)))
    assert [result.structured_content["uuid"] for result in results] == [f"u-{n}" for n in range(30)]


@pytest.mark.slow
@ERAS
async def test_over_standard_input_and_output_tools_are_listed_called_and_news_are_told(lab: Any, era: str) -> None:
    command = [sys.executable, "-m", "switchgear.main", "serve", "--transport", "stdio", "--db", lab.url]
    here = str(Path(__file__).parents[2])
    transport = StdioTransport(command[0], command[1:], {"PATH": os.environ["PATH"]}, here, keep_alive=False)
    news = News()
    wanted: Client[Any] = Client(transport, mode=era, message_handler=news)  # type: ignore[arg-type]
    async with ended_with_their_block(), wanted as opened:
        assert len(await opened.list_tools()) == 4
        result = await opened.call_tool("toy_find_vm", {"vm": "web-01"})
        assert result.structured_content == {"uuid": "u-1", "state": "on"}
        async with AsyncExitStack() as stack:
            if era == STATELESS:
                stream = await stack.enter_async_context(listen(opened.session, tools_list_changed=True))
            await lab.approve("list")
            if era == STATELESS:
                assert isinstance(await asyncio.wait_for(anext(stream), PATIENCE_S), ToolsListChanged)
            else:
                await asyncio.wait_for(news.heard.wait(), PATIENCE_S)
        assert len(await opened.list_tools()) == 5
    run = await lab.service.runs.get(result.meta["switchgear"]["run"])
    assert run.caller == "stdio"
