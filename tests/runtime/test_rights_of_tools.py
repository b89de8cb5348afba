"""The rights matrix behind the one route of MCP: its methods, the server's own tools, its prompts and its resources.

C5 to C7 of docs/THREATS.md. What there is is asked of the server itself: one that is not declared here fails. Over HTTP
nobody below an operator comes this far (`test_rights`); who starts a server over standard input may be anybody.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastmcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from governance.approval.policies import PolicyStore
from governance.approval.policy import Policy
from governance.people.scopes import AccessScope
from governance.registry.knowledge import KnowledgeStore
from governance.transitions import Role
from runtime.app import build
from runtime.auth.access import rule_for
from runtime.caller import Caller
from runtime.catalog.snapshot import FLEET_NAMES, PROPOSE
from runtime.proposing import Terms
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service

GET = "GET /vms"
CARD = {
    "operation": GET, "does": "Lists the machines", "thing": "machine", "risk": "read", "why": "it reads", "takes": [],
    "tells": [{"name": "uuid"}], "workflows": [], "left_out": "no need",
    "call": {"digest": f"sha256:{0:064d}", "base_path": "/api", "effect": "read", "idempotent": False, "safe": True,
             "parameters": {}},
}  # fmt: skip
SITES = {"workflow": "toy_find_vm"}


@dataclass(frozen=True)
class Declared:
    """`role`: the least that gets what it is for."""

    role: Role
    arguments: dict[str, Any]


# Every tool of the server's own. `RUN` stands for a run of somebody else's.
OWN = {
    "search_workflows": Declared("viewer", {"query": "find a machine"}),
    "describe_workflow": Declared("viewer", {"name": "toy_find_vm"}),
    "run_workflow": Declared("operator", {"name": "toy_find_vm", "arguments": {"vm": "web-01"}}),
    "get_run": Declared("viewer", {"run": "RUN"}),
    "cancel_run": Declared("operator", {"run": "RUN"}),
    "search_api": Declared("viewer", {"query": "list the machines"}),
    "describe_operation": Declared("viewer", {"operation": GET}),
    "call_api": Declared("operator", {"operation": GET}),
    "propose_workflow": Declared("operator", {"api": "toy", "sentence": "find a machine"}),
    "select_sites": Declared("viewer", SITES),
    "satisfy": Declared("operator", SITES),
    "dispatch": Declared("operator", SITES),
}
# What MCP asks of the server, and what holds its answer to the caller's rights: in every line a test that would fail.
METHODS = {
    "ping": "tells nothing",
    "server/discover": "tells nothing of what is approved",
    "tools/list": "test_scopes", "tools/call": "this file, test_scopes",
    "prompts/list": "this file", "prompts/get": "this file",
    "resources/list": "this file", "resources/templates/list": "this file", "resources/read": "this file",
    "resources/subscribe": "test_subscriptions", "resources/unsubscribe": "test_subscriptions",
    "completion/complete": "this file, test_resources", "subscriptions/listen": "test_subscriptions",
    "tasks/get": "test_tasks", "tasks/update": "test_tasks", "tasks/cancel": "test_tasks",
}  # fmt: skip
PROMPTS = {"toy_check_health", "toy_prepare_maintenance"}
RESOURCES = {
    "switchgear://apis",
    "switchgear://workflows/{name}/schema",
    "switchgear://runs/{run_id}",
    "switchgear://runs/{run_id}/outputs",
}
FAR = Caller("far", "operator", AccessScope(apis=("other",)))
COMPLETED = (
    (PromptReference(type="ref/prompt", name="toy_prepare_maintenance"), "thing"),
    (PromptReference(type="ref/prompt", name="toy_prepare_maintenance"), "name"),
    (ResourceTemplateReference(type="ref/resource", uri="switchgear://workflows/{name}/schema"), "name"),
    (ResourceTemplateReference(type="ref/resource", uri="switchgear://runs/{run_id}"), "run_id"),
)
# What somebody who may see nothing of the API could learn of it.
TELLING = ("toy", "web-01", "u-1", "/vms", "machine")


@pytest.fixture
async def known(lab: Any) -> AsyncIterator[Any]:
    """A house with knowledge of its API, where all may call single operations, and one run."""
    await KnowledgeStore(lab.service.database).put("toy", [CARD])
    policy = Policy(self_approval=True, call_api=("eve", "far", "ann"))
    await PolicyStore(lab.service.database).apply(policy, actor="test")
    async with open_service(lab.url, Vault({}), ServiceOptions(proposing=Terms(5, "none", ""))) as service:
        entry = service.live.now.find("toy_find_vm")
        ended = await service.calls.call(entry, {"vm": "web-01"}, None, Caller("ann", "operator"))
        await service.engine.settle()
        lab.service, lab.run_id = service, ended.run_id
        yield lab


def arguments_of(name: str, house: Any) -> dict[str, Any]:
    return {key: house.run_id if value == "RUN" else value for key, value in OWN[name].arguments.items()}


async def test_every_tool_method_prompt_and_resource_is_declared(known: Any) -> None:
    application = build(known.service, local=Caller("ann", "admin"))
    own = application.provider._own
    groups = (own.finding, own.running, own.ending, own.knowing, own.expert, own.always, own.fleet)
    assert {tool.name for group in groups for tool in group} == OWN.keys()
    assert set(application.mcp._mcp_server._request_handlers) == METHODS.keys()
    async with Client(application.mcp) as client:
        prompts = {prompt.name for prompt in await client.list_prompts()}
        found = {str(each.uri) for each in await client.list_resources()}
        templates = {each.uri_template for each in await client.list_resource_templates()}
    assert prompts == PROMPTS
    assert found | templates == RESOURCES


@pytest.mark.parametrize("name", OWN)
def test_a_tool_asks_for_the_role_that_its_route_asks_for(name: str) -> None:
    if name != PROPOSE:  # which has no route
        assert rule_for("POST", f"/tools/{name}").role == OWN[name].role


async def test_a_viewer_gets_of_each_tool_what_viewers_get_and_nothing_is_begun(known: Any, device: Any) -> None:
    before, heard = len(await known.service.runs.find()), len(device.heard)
    revisions = len(await known.service.revisions.find(limit=100))
    async with Client(build(known.service, local=Caller("eve", "viewer")).mcp) as client:
        for name, declared in OWN.items():
            told = await client.call_tool(name, arguments_of(name, known), raise_on_error=False)
            is_refused = name == "get_run" or (declared.role != "viewer" and name not in FLEET_NAMES)
            assert told.is_error == is_refused, (name, told)  # of no site nobody is told, nor of another's run
        await client.call_tool("toy_stop_vm", {"uuid": "u-1"}, raise_on_error=False)
    assert (len(await known.service.runs.find()), len(device.heard)) == (before, heard)
    assert len(await known.service.revisions.find(limit=100)) == revisions


async def test_who_is_out_of_reach_learns_nothing_of_an_api_by_whatever_is_asked(known: Any, device: Any) -> None:
    heard = len(device.heard)
    async with Client(build(known.service, local=FAR).mcp) as client:
        for name in OWN:
            arguments = arguments_of(name, known)
            told = await client.call_tool(name, arguments, raise_on_error=False)
            text = str([*(getattr(each, "text", "") for each in told.content), told.structured_content])
            for given in map(str, arguments.values()):  # what was asked may be repeated
                text = text.replace(given, "")
            assert not [word for word in TELLING if word in text.lower()], (name, text)
        assert not {tool.name for tool in await client.list_tools() if "toy" in tool.name}
        assert await client.list_prompts() == []
        with pytest.raises(Exception, match="toy_check_health"):
            await client.get_prompt("toy_check_health", {})
        for uri in ("switchgear://workflows/toy_find_vm/schema", f"switchgear://runs/{known.run_id}",
                    f"switchgear://runs/{known.run_id}/outputs"):  # fmt: skip
            with pytest.raises(Exception, match=r"no |not |Unknown"):
                await client.read_resource(uri)
        for reference, name in COMPLETED:
            values: list[str] = []
            with contextlib.suppress(MCPError):  # what is not there completes with nothing, or is an error
                values = (await client.complete(reference, {"name": name, "value": ""})).values
            assert values == [], reference
        (apis,) = await client.read_resource("switchgear://apis")
        assert "toy" not in apis.text
    assert len(device.heard) == heard
