"""Search, describe and run over MCP, in both protocol eras: what is not listed is found and called all the same."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from runtime.catalog.snapshot import FINDING_NAMES, RUN_NAME
from workflow.budget import MOST_TOOLS

ERAS = pytest.mark.parametrize("era", ["legacy", "2026-07-28"])


def client(url: str, era: str, token: str | None = None) -> Client[Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(StreamableHttpTransport(url, headers=headers), mode=era)  # type: ignore[arg-type]


@pytest.fixture
async def crowded(lab: Any) -> Any:
    """Finding and stopping are core; listing and thirty copies are approved besides."""
    await lab.approve("list", is_core=False)
    for number in range(MOST_TOOLS):
        await lab.approve("find", number, is_core=False)
    await lab.service.live.reload()
    return lab


@pytest.fixture
async def served(crowded: Any, tools: Any) -> AsyncIterator[Any]:
    async with tools.running(crowded.service) as run:
        yield run


async def called(opened: Any, tool: str, **arguments: Any) -> Any:
    return await opened.call_tool(tool, arguments, raise_on_error=False)


@ERAS
async def test_the_core_and_three_tools_are_listed(served: Any, era: str) -> None:
    async with client(served.mcp, era) as opened:
        tools = {tool.name: tool for tool in await opened.list_tools()}
    assert set(tools) == {*FINDING_NAMES, RUN_NAME, "toy_find_vm", "toy_stop_vm"}
    assert tools["search_workflows"].annotations.read_only_hint
    assert tools["run_workflow"].annotations.destructive_hint


async def test_nothing_is_searched_where_everything_is_listed(server: Any) -> None:
    async with client(server.mcp, "2026-07-28") as opened:
        assert {tool.name for tool in await opened.list_tools()} == {
            "get_run",
            "cancel_run",
            "toy_find_vm",
            "toy_stop_vm",
        }


@ERAS
async def test_what_is_searched_for_is_described_and_run(served: Any, crowded: Any, era: str) -> None:
    async with client(served.mcp, era) as opened:
        found = await called(opened, "search_workflows", query="list machines", risk="read")
        first = found.structured_content["workflows"][0]
        told = (await called(opened, "describe_workflow", name=first["name"])).structured_content
        ran = await called(opened, "run_workflow", name=first["name"], arguments={})
    assert first == {"name": "toy_list_vms", "does": first["does"], "risk": "read", "api": "toy"}
    assert (told["inputs"]["properties"].keys(), told["risk"]) == ({"select", "where"}, "read")
    assert told["steps"] == ["GET /vms"]
    assert len(ran.structured_content["vms"]) == 3
    await crowded.service.engine.settle()
    run = await crowded.service.runs.get(ran.meta["switchgear"]["run"])
    assert (run.outcome, len(run.outputs["vms"])) == ("succeeded", 3)


async def test_a_search_tells_a_page_and_how_much_more_there_is(served: Any) -> None:
    async with client(served.mcp, "legacy") as opened:
        many = (await called(opened, "search_workflows", query="find a machine")).structured_content
        none = (await called(opened, "search_workflows", query="zzzz")).structured_content
    assert len(many["workflows"]) == 10
    assert many["more"] > 0
    assert none["workflows"] == []
    assert none["hint"]


@ERAS
@pytest.mark.parametrize(
    ("name", "inputs"),
    [("toy_find_vm", {"vm": "web-01"}), ("toy_find_vm", {"vm": "nobody"}), ("toy_find_vm", {"x": 1})],
)
async def test_run_answers_as_a_direct_call_does(served: Any, era: str, name: str, inputs: dict[str, Any]) -> None:
    async with client(served.mcp, era) as opened:
        direct = await called(opened, name, **inputs)
        through = await called(opened, "run_workflow", name=name, arguments=inputs)
    assert (through.is_error, through.structured_content) == (direct.is_error, direct.structured_content)
    ids = [result.meta["switchgear"].pop("run", "") for result in (direct, through)]
    assert through.meta == direct.meta
    texts = [result.content[0].text.replace(run or "-", "") for result, run in zip((direct, through), ids, strict=True)]
    assert texts[0] == texts[1]


@ERAS
async def test_what_is_hidden_can_be_called_by_its_own_name(served: Any, era: str) -> None:
    async with client(served.mcp, era) as opened:
        result = await called(opened, "toy_find_vm_7", vm="web-01")
    assert result.structured_content == {"uuid": "u-1", "state": "on"}


@ERAS
async def test_run_refuses_what_was_retired_a_moment_ago_and_sends_nothing(
    served: Any, crowded: Any, device: Any, era: str
) -> None:
    entry = crowded.service.live.now.entries["toy_list_vms"]
    async with client(served.mcp, era) as opened:
        await crowded.service.revisions.decide(
            entry.revision_id, "retire", actor="t", role="admin", reason="old", digest=entry.digest
        )
        early = await called(opened, "run_workflow", name="toy_list_vms")
        await crowded.service.live.reload()
        late = [await called(opened, tool, name="toy_list_vms") for tool in ("run_workflow", "describe_workflow")]
        found = await called(opened, "search_workflows", query="list machines")
    assert early.is_error
    assert all(result.is_error for result in late)
    assert "toy_list_vms" not in {each["name"] for each in found.structured_content["workflows"]}
    assert device.heard == []


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("search_workflows", {}),
        ("search_workflows", {"query": 7}),
        ("search_workflows", {"query": "x", "risk": "harmless"}),
        ("describe_workflow", {"name": "nothing"}),
        ("run_workflow", {"name": "nothing"}),
        ("run_workflow", {"name": "toy_find_vm", "arguments": "vm=web-01"}),
        ("run_workflow", {"name": "toy_find_vm", "more": 1}),
        ("run_workflow", {"name": "toy_find_vm", "arguments": {"vm": "web-01"}, "target": "nowhere"}),
    ],
)
async def test_what_does_not_fit_is_refused_with_what_to_do(
    served: Any, device: Any, tool: str, arguments: dict[str, Any]
) -> None:
    async with client(served.mcp, "legacy") as opened:
        result = await called(opened, tool, **arguments)
    assert result.is_error
    assert "What to do:" in result.content[0].text
    assert device.heard == []


@pytest.mark.slow
async def test_run_takes_the_target_beside_the_arguments_or_among_them(served: Any, crowded: Any) -> None:
    await crowded.target("http://127.0.0.1:1", "broken")
    await crowded.service.live.reload()
    async with client(served.mcp, "legacy") as opened:
        told = (await called(opened, "describe_workflow", name="toy_list_vms")).structured_content
        beside = await called(opened, "run_workflow", name="toy_list_vms", target="broken")
        among = await called(opened, "run_workflow", name="toy_list_vms", arguments={"target": "broken"})
        default = await called(opened, "run_workflow", name="toy_list_vms")
    assert told["target"]["enum"] == ["broken", "lab"]
    assert [beside.is_error, among.is_error, default.is_error] == [True, True, False]


async def test_the_run_says_whose_it_was(served: Any, crowded: Any) -> None:
    secret = await crowded.token("operator", "maria")
    async with client(served.mcp, "2026-07-28", secret) as opened:
        result = await called(opened, "run_workflow", name="toy_list_vms")
    await crowded.service.engine.settle()
    assert (await crowded.service.runs.get(result.meta["switchgear"]["run"])).caller == "maria"
