"""What is out of a caller's scope is not there: over every route and tool, in the very words of what does not exist.

Three callers: one who may find, one who may stop, one whose scope holds nothing of this API. The routes are those of
the application itself; the lists are asked for in both protocol eras, one caller after the other, so that nothing of
one is kept for another.
"""

import itertools
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.shared.exceptions import MCPError

from governance.people.scopes import AccessScope
from runtime.auth.access import MCP_PATH, RULES
from runtime.catalog.snapshot import RESERVED_NAMES

ERAS = ("legacy", "2026-07-28")
REACH = {"finder": {"toy-find-vm"}, "stopper": {"toy-stop-vm"}, "foreigner": set[str]()}
SCOPES = {
    "finder": AccessScope(workflows=("toy-find*",)),
    "stopper": AccessScope(risks=("disrupt",), targets=("lab",)),
    "foreigner": AccessScope(apis=("other",)),
}
TOOLS = {"toy-find-vm": "toy_find_vm", "toy-stop-vm": "toy_stop_vm"}
NOBODYS = "toy-none-vm"


@dataclass
class Asked:
    url: str
    secrets: dict[str, str]
    shown: dict[str, dict[str, str]] = field(default_factory=dict)

    async def rest(self, who: str, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = self.shown.get(who) or {"authorization": f"Bearer {self.secrets[who]}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False) as client:
            return await client.request(method, path, json=body)

    def mcp(self, who: str, era: str) -> Client[Any]:
        headers = self.shown.get(who) or {"Authorization": f"Bearer {self.secrets[who]}"}
        return Client(StreamableHttpTransport(f"{self.url}/mcp", headers=headers), mode=era)  # type: ignore[arg-type]


@pytest.fixture
async def asked(lab: Any, server: Any) -> Asked:
    """Each caller as an admin, so that nothing but the scope stands in the way."""
    secrets = {"all": await lab.token("admin", "all")}
    for who, scope in SCOPES.items():
        _, secrets[who] = await lab.service.principals.create_token(who, "admin", scope=scope)
    _, secrets["caller"] = await lab.service.principals.create_token("caller", "operator")
    return Asked(server.url, secrets)


@pytest.fixture(params=["session", "jwt"])
async def asked_otherwise(request: Any, asked: Asked, credentials: Any) -> Asked:
    """The same three with another kind of credential, under the same names."""
    asked.shown = {who: await credentials.of(request.param, who, "admin", scope) for who, scope in SCOPES.items()}
    return asked


@pytest.mark.slow
async def test_with_sessions_and_jwts_the_lists_are_the_same(asked_otherwise: Asked) -> None:
    await the_lists_are_right(asked_otherwise)


@pytest.mark.slow
async def test_with_sessions_and_jwts_what_is_out_of_reach_is_answered_alike(asked_otherwise: Asked, lab: Any) -> None:
    await the_answers_are_alike(asked_otherwise, lab)


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_with_jwts_each_caller_lists_exactly_what_they_may_call(asked: Asked, credentials: Any, era: str) -> None:
    asked.shown = {who: await credentials.of("jwt", who, "admin", scope) for who, scope in SCOPES.items()}
    for who in (*REACH, "all", *reversed(REACH)):
        async with asked.mcp(who, era) as opened:
            listed = {tool.name for tool in await opened.list_tools()}
        assert listed - set(RESERVED_NAMES) == {TOOLS[each] for each in REACH.get(who, TOOLS)}, who


@pytest.mark.parametrize("era", ERAS)
async def test_each_caller_lists_exactly_what_they_may_call(asked: Asked, era: str) -> None:
    for who in (*REACH, "all", *reversed(REACH)):
        async with asked.mcp(who, era) as opened:
            listed = {tool.name for tool in await opened.list_tools()}
        assert listed - set(RESERVED_NAMES) == {TOOLS[each] for each in REACH.get(who, TOOLS)}, who


async def words(call: Any, name: str) -> str:
    """What was answered, without the name that was asked for."""
    try:
        answer = await call
        said = repr((answer.is_error, [each.text for each in answer.content if hasattr(each, "text")]))
    except (MCPError, Exception) as error:  # noqa: BLE001  the client's own errors differ by era
        said = f"{type(error).__name__} {error}"
    return said.replace(name, "NAME")


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_tool_out_of_reach_is_answered_like_one_that_is_not_there(asked: Asked, era: str) -> None:
    for who, reach in REACH.items():
        async with asked.mcp(who, era) as opened:
            for workflow in TOOLS.keys() - reach:
                tool, none = TOOLS[workflow], TOOLS[workflow].replace("vm", "xx")
                assert await words(opened.call_tool(tool, {}), tool) == await words(opened.call_tool(none, {}), none)
                for finder in ("describe_workflow", "run_workflow"):
                    hidden = await words(opened.call_tool(finder, {"name": tool}, raise_on_error=False), tool)
                    absent = await words(opened.call_tool(finder, {"name": none}, raise_on_error=False), none)
                    assert hidden == absent, (who, finder)
                    assert "True" in hidden
                uri = "switchgear://workflows/{}/schema"
                assert await words(opened.read_resource(uri.format(tool)), tool) == await words(
                    opened.read_resource(uri.format(none)), none
                )
            found = await opened.call_tool("search_workflows", {"query": "machine"})
            assert {line["name"] for line in found.structured_content["workflows"]} == {TOOLS[each] for each in reach}


@pytest.mark.slow
async def test_every_route_answers_for_what_is_out_of_reach_as_for_what_is_not_there(asked: Asked, lab: Any) -> None:
    await the_answers_are_alike(asked, lab)


async def the_answers_are_alike(asked: Asked, lab: Any) -> None:
    run_id = (await asked.rest("all", "POST", "/workflows/toy-find-vm/run", {"inputs": {"vm": "web-01"}})).json()[
        "run_id"
    ]
    wish = {"name": "nightly", "workflow": "toy-find-vm", "inputs": {"vm": "web-01"}, "cron": "0 2 * * *"}
    assert (await asked.rest("all", "POST", "/schedules", wish)).status_code == 201
    newest = {each: (await lab.service.revisions.get(each)).digest for each in TOOLS}
    routes = [(r.method, r.path) for r in RULES if "{" in r.path and r.role and not r.takes_whole]
    assert len(routes) >= 7
    for who, (method, path) in itertools.product(REACH, routes):
        hidden = {
            "{ref}": sorted(TOOLS.keys() - REACH[who])[0],
            "{run_id}": run_id,
            "{name}": TOOLS[sorted(TOOLS.keys() - REACH[who])[0]] if path == "/tools/{name}" else "lab",
            "{schedule}": "nightly",
        }
        if "{run_id}" in path and who == "finder":
            continue
        if "{name}" in path and who != "foreigner":  # others are told of names that are like it, and in reach
            continue
        if "{ask}" in path:  # whose they are, tests/runtime/test_asks.py holds
            continue
        place = path[path.index("{") : path.index("}") + 1]
        body: Any = {} if path.endswith("/run") else {"digest": newest[hidden["{ref}"]], "reason": "because"}
        if path.endswith("/disable"):
            body = {"reason": "because"}
        if path.endswith("/run-selection"):
            body = {"labels": {"stage": "test"}}
        if "{run_id}" in path or "{name}" in path or "{schedule}" in path:
            body = {"has_happened": True, "goes_on": False, "note": "n"} if path.endswith("resolve") else None
        there = await asked.rest(who, method, path.replace(place, hidden[place]), body if method == "POST" else None)
        none = await asked.rest(who, method, path.replace(place, NOBODYS), body if method == "POST" else None)
        assert there.status_code == none.status_code == 404, (who, method, path, there.text)
        assert there.text.replace(hidden[place], "NAME") == none.text.replace(NOBODYS, "NAME")


@pytest.mark.slow
async def test_every_list_holds_what_is_in_reach_and_nothing_else(asked: Asked) -> None:
    await the_lists_are_right(asked)


async def the_lists_are_right(asked: Asked) -> None:
    run = await asked.rest("all", "POST", "/workflows/toy-find-vm/run", {"inputs": {"vm": "web-01"}})
    assert run.status_code == 200
    for who, reach in REACH.items():
        listed = (await asked.rest(who, "GET", "/workflows")).json()
        found = (await asked.rest(who, "GET", "/workflows?q=machine")).json()
        paths = (await asked.rest(who, "GET", "/openapi.json")).json()["paths"]
        runs = (await asked.rest(who, "GET", "/runs")).json()
        targets = (await asked.rest(who, "GET", "/targets")).json()
        assert {each["workflow_id"] for each in listed} == {each["workflow_id"] for each in found} == reach
        assert {path for path in paths if path.startswith("/tools/toy")} == {f"/tools/{TOOLS[w]}" for w in reach}
        assert len(runs) == (1 if who == "finder" else 0)
        assert [each["name"] for each in targets] == ([] if who == "foreigner" else ["lab"])
        assert "toy_" not in (await asked.rest(who, "GET", "/docs")).text.replace(
            "".join(TOOLS[w] for w in reach) or "-", ""
        )
        for whole in (r for r in RULES if r.takes_whole):
            assert (await asked.rest(who, whole.method, whole.path)).status_code == 403, whole


async def test_an_operator_sees_their_own_runs_alone(asked: Asked, lab: Any) -> None:
    theirs = await asked.rest("all", "POST", "/workflows/toy-find-vm/run", {"inputs": {"vm": "web-01"}})
    own = await asked.rest("caller", "POST", "/workflows/toy-find-vm/run", {"inputs": {"vm": "web-01"}})
    listed = (await asked.rest("caller", "GET", "/runs")).json()
    assert [each["id"] for each in listed] == [own.json()["run_id"]]
    foreign = await asked.rest("caller", "GET", f"/runs/{theirs.json()['run_id']}")
    absent = await asked.rest("caller", "GET", "/runs/none")
    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert foreign.text.replace(theirs.json()["run_id"], "none") == absent.text


async def test_of_several_targets_only_those_with_the_label_are_offered_and_taken(
    lab: Any, device: Any, server: Any
) -> None:
    await lab.target(device.url, "prod", labels=(("stage", "prod"),))
    await lab.target(device.url, "test", labels=(("stage", "test"),))
    await lab.service.live.reload()
    _, secret = await lab.service.principals.create_token(
        "tester", "operator", scope=AccessScope(labels=(("stage", "test"),))
    )
    asked = Asked(server.url, {"tester": secret})
    async with asked.mcp("tester", "2026-07-28") as opened:
        tools = {tool.name: tool for tool in await opened.list_tools()}
    assert "target" not in tools["toy_find_vm"].input_schema["properties"]
    body = {"inputs": {"vm": "web-01"}}
    assert (await asked.rest("tester", "POST", "/workflows/toy-find-vm/run", body)).status_code == 200
    refused = await asked.rest("tester", "POST", "/workflows/toy-find-vm/run", {**body, "target": "prod"})
    assert (refused.status_code, "lab" in refused.text) == (422, False)
    assert [run.target for run in await lab.service.runs.find()] == ["test"]


def test_the_routes_that_tell_of_everything_are_those() -> None:
    assert {(r.method, r.path) for r in RULES if r.takes_whole} == {
        ("POST", "/reload"),
        ("GET", "/metrics"),
        ("GET", "/audit"),
        ("GET", "/audit/export"),
        ("GET", "/audit/stats"),
        ("GET", "/audit/verify"),
        ("GET", "/webhooks"),
        ("POST", "/webhooks"),
        ("DELETE", "/webhooks/{sender}"),
        ("GET", "/bundles"),
        *(("POST", f"/bundles{which}") for which in ("", "/verify", "/export")),
        ("GET", "/tokens"),
        ("POST", "/tokens"),
        ("DELETE", "/tokens/{ref}"),
        ("GET", "/settings"),
        ("GET", "/users"),
        ("POST", "/users"),
        ("PATCH", "/users/{user}"),
        ("POST", "/users/{user}/disable"),
        ("POST", "/users/{user}/enable"),
        ("POST", "/users/{user}/password"),
        ("GET", "/events/endpoints"),
        ("POST", "/events/endpoints"),
        ("DELETE", "/events/endpoints/{endpoint}"),
        ("POST", "/events/endpoints/{endpoint}/enable"),
        ("GET", "/events/dead"),
        ("POST", "/events/dead/{letter}/resend"),
        ("PUT", "/policy"),
        ("POST", "/targets"),
        ("PUT", "/targets/{name}"),
        ("DELETE", "/targets/{name}"),
        ("POST", "/servers"),
        ("POST", "/servers/import"),
        *(("POST", f"/sites{which}") for which in ("", "/bundles")),
        ("GET", "/servers/export"),
        ("DELETE", "/servers/{name}"),
        *(("POST", f"/servers/{{name}}/{does}") for does in ("disable", "enable", "sync", "tools/{tool}/classify")),
        *((method, f"/{kind}/{{name}}") for kind in ("specs", "profiles") for method in ("GET", "PUT", "DELETE")),
        *(("GET", f"/{kind}") for kind in ("specs", "profiles", "builds")),
        ("GET", "/builds/{build}"),
        ("POST", "/specs/{name}/build"),
    }
    assert MCP_PATH in {rule.path for rule in RULES}
