"""What MCP has beside tools: prompts out of what is approved, completion with what is there, resources, refusals."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp_types import PromptReference, ResourceTemplateReference

from governance.people.scopes import AccessScope
from runtime.app import build
from runtime.errors import StartRefused
from runtime.mcp.own_prompts import read_prompts
from tests.waiting import PATIENCE_S

ERAS = pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
PREPARE, CHECK = "toy_prepare_maintenance", "toy_check_health"


def client(url: str, era: str = "legacy", token: str | None = None) -> Client[Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(StreamableHttpTransport(url, headers=headers), mode=era)  # type: ignore[arg-type]


@pytest.fixture
async def listing(lab: Any) -> Any:
    await lab.approve("list")
    await lab.service.live.reload()
    return lab


@ERAS
async def test_prompts_are_made_of_what_the_caller_may_call(listing: Any, server: Any, era: str) -> None:
    reader = (await listing.service.principals.create_token("reader", "operator", scope=AccessScope(risks=("read",))))[
        1
    ]
    stranger = (await listing.service.principals.create_token("other", "operator", scope=AccessScope(apis=("other",))))[
        1
    ]
    async with client(server.mcp, era, await listing.token("operator")) as opened:
        prompts = {prompt.name: prompt for prompt in await opened.list_prompts()}
        told = await opened.get_prompt(PREPARE, {"thing": "vms", "name": "web-01"})
        checked = await opened.get_prompt(CHECK)
    assert prompts.keys() == {CHECK, PREPARE}
    assert [argument.name for argument in prompts[PREPARE].arguments] == ["thing", "name"]
    text = told.messages[0].content.text
    assert "maintenance of vms web-01 on toy" in text
    assert "toy_stop_vm" in text and "plan: true" in text
    assert "toy_stop_vm" not in checked.messages[0].content.text
    async with client(server.mcp, era, reader) as opened:
        assert [prompt.name for prompt in await opened.list_prompts()] == [CHECK]
        with pytest.raises(Exception, match="Unknown prompt"):
            await opened.get_prompt(PREPARE)
    async with client(server.mcp, era, stranger) as opened:
        assert await opened.list_prompts() == []


@ERAS
async def test_names_complete_with_what_is_there_looked_up_once_in_the_callers_rights(
    listing: Any, server: Any, device: Any, era: str
) -> None:
    reference = PromptReference(type="ref/prompt", name=PREPARE)
    token = await listing.token("operator", "ann")
    async with client(server.mcp, era, token) as opened:
        kinds = await opened.complete(reference, {"name": "thing", "value": ""})
        about = {"thing": kinds.values[0]}
        names = await opened.complete(reference, {"name": "name", "value": "w"}, about)
        again = await opened.complete(reference, {"name": "name", "value": "WEB"}, about)
        nothing = await opened.complete(reference, {"name": "name", "value": "zzz"}, about)
    assert kinds.values == ["vms"]
    assert (names.values, again.values, nothing.values) == (["web-01", "twin"], ["web-01"], [])
    assert len(device.heard) == 1
    await listing.service.engine.settle()
    assert [run.caller for run in await listing.service.runs.find()] == ["ann"]


async def test_what_cannot_be_looked_up_completes_to_nothing(listing: Any, server: Any, device: Any) -> None:
    await listing.service.disabled.disable("toy-list-vms", actor="ann", reason="not now")
    reference = PromptReference(type="ref/prompt", name=PREPARE)
    async with client(server.mcp) as opened:
        names = await opened.complete(reference, {"name": "name", "value": ""}, {"thing": "vms"})
    assert names.values == []
    assert device.heard == []


async def test_addresses_complete_with_workflows_in_scope_and_runs_of_ones_own(listing: Any, server: Any) -> None:
    reader = (await listing.service.principals.create_token("reader", "operator", scope=AccessScope(risks=("read",))))[
        1
    ]
    schema = ResourceTemplateReference(type="ref/resource", uri="switchgear://workflows/{name}/schema")
    runs = ResourceTemplateReference(type="ref/resource", uri="switchgear://runs/{run_id}")
    async with client(server.mcp, token=reader) as opened:
        own = (await opened.call_tool("toy_find_vm", {"vm": "web-01"})).meta["switchgear"]["run"]
        await listing.service.engine.settle()
        names = await opened.complete(schema, {"name": "name", "value": "toy"})
        found = await opened.complete(runs, {"name": "run_id", "value": ""})
    assert names.values == ["toy_find_vm", "toy_list_vms"]
    assert found.values == [own]
    async with client(server.mcp, token=await listing.token("admin")) as opened:
        assert (await opened.complete(runs, {"name": "run_id", "value": ""})).values == []


@ERAS
async def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(listing: Any, server: Any, era: str) -> None:
    reader = (await listing.service.principals.create_token("reader", "operator", scope=AccessScope(risks=("read",))))[
        1
    ]
    async with client(server.mcp, era, reader) as opened:
        told = []
        for name in ("toy_stop_vm", "never_heard_of"):
            with pytest.raises(Exception, match="Unknown tool") as refusal:
                await opened.call_tool(name, {})
            told.append(str(refusal.value).replace(name, "_"))
            assert refusal.value.error.code == -32602
    assert told[0] == told[1]


async def test_no_capability_is_declared_that_is_empty(listing: Any, server: Any) -> None:
    async with client(server.mcp) as opened:
        declared = opened.server_capabilities.model_dump(exclude_none=True)
        counts = {
            "tools": len(await opened.list_tools()),
            "prompts": len(await opened.list_prompts()),
            "resources": len(await opened.list_resources()),
        }
        (apis,) = await opened.read_resource("switchgear://apis")
    assert declared.keys() - {"extensions", "experimental"} == {"tools", "prompts", "resources", "completions"}
    assert all(counts.values()), counts
    assert json.loads(apis.text) == [{"api": "toy", "workflows": 3, "things": ["vms"], "targets": ["lab"]}]


async def test_the_lists_are_plain_json_too(listing: Any, server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as asking:
        plain = {name: (await asking.get(f"/{name}/list")).json() for name in ("tools", "prompts", "resources")}
    async with client(server.mcp) as opened:
        prompts, resources = await opened.list_prompts(), await opened.list_resources()
        templates = await opened.list_resource_templates()
    assert [each["name"] for each in plain["prompts"]["prompts"]] == [each.name for each in prompts]
    assert [each["uri"] for each in plain["resources"]["resources"]] == [str(each.uri) for each in resources]
    assert {each["uriTemplate"] for each in plain["resources"]["resourceTemplates"]} == {
        each.uri_template for each in templates
    }
    assert "toy_find_vm" in {each["name"] for each in plain["tools"]["tools"]}


OWN = """
prompts:
  - name: round
    title: Morning round
    text: Look at {vm}, and say {what}.
    uses: [toy_find_vm, toy-list-vms]
    arguments:
      - {name: vm, required: true, lists: toy-list-vms}
      - {name: what}
  - name: stop_all
    title: Stop it
    text: Stop it.
    uses: [toy_stop_vm]
"""


async def test_prompts_of_ones_own_are_there_for_those_who_may_call_all_that_they_use(
    listing: Any, tools: Any, tmp_path: Path
) -> None:
    (tmp_path / "prompts.yaml").write_text(OWN)
    prompts = read_prompts(str(tmp_path / "prompts.yaml"))
    reader = (await listing.service.principals.create_token("reader", "operator", scope=AccessScope(risks=("read",))))[
        1
    ]
    application = build(listing.service, prompts=prompts)
    async with tools.serving(application) as run, client(run.mcp, token=reader) as opened:
        names = {prompt.name for prompt in await opened.list_prompts()}
        told = (await opened.get_prompt("round", {"vm": "{what}", "what": "why"})).messages[0].content.text
        completed = await opened.complete(
            PromptReference(type="ref/prompt", name="round"), {"name": "vm", "value": "w"}
        )
        with pytest.raises(Exception, match="Unknown prompt"):
            await opened.get_prompt("stop_all")
    assert names == {"round", CHECK}
    assert told.startswith("Look at {what}, and say why.")
    assert "- toy_find_vm: Find a machine" in told
    assert "web-01" in completed.values


BAD_FILES = ["[", "prompts: [{name: A}]", "more: 1", OWN.replace("stop_all", "round"), "prompts:\n" + " " * 300_000]


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_file_of_prompts_that_does_not_fit_keeps_the_server_from_starting(tmp_path: Path, text: str) -> None:
    (tmp_path / "prompts.yaml").write_text(text)
    with pytest.raises(StartRefused, match=r"prompts\.yaml"):
        read_prompts(str(tmp_path / "prompts.yaml"))
