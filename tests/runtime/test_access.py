"""Who gets in: every route of the application itself, with every kind of token."""

import base64
import itertools
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.routing import Route

from governance.transitions import ROLES, may
from runtime.app import build, checked_host
from runtime.auth.access import LOOPBACK_NAMES, MCP_PATH, RULES, check_addresses, rule_for
from runtime.errors import StartRefused
from runtime.problems import Problem
from tests.waiting import until

# /login is answered 422 here: nothing that could be a login was sent.
OPEN = ("/health", "/ready", "/login", "/sites/join")
NOBODY = ["missing", "wrong", "expired", "revoked", "no bearer"]


def routes_of(application: Any) -> list[tuple[str, str]]:
    """Every method and path that the application's own routers know, parameters filled."""
    known = application.api.routes
    inner = [each for route in known if hasattr(route, "original_router") for each in route.original_router.routes]
    found = {(method, route.path) for route in (*known, *inner) if isinstance(route, Route) for method in route.methods}
    found |= {(method, MCP_PATH) for method in ("GET", "POST", "DELETE")}
    return sorted((method, path) for method, path in found if method != "HEAD")


def filled(path: str) -> str:
    return path.replace("{ref}", "toy-find-vm").replace("{run_id}", "none")


async def ask(url: str, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    body: Any = {} if method == "POST" else None
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
        return await client.request(method, path, json=body)


async def secrets(house: Any) -> dict[str, str]:
    made = {role: await house.token(role) for role in ROLES}
    _, made["expired"] = await house.service.principals.create_token("old", "admin", ttl_s=0)
    made["revoked"] = await house.token("admin", "gone")
    await house.service.principals.revoke("gone")
    made["wrong"] = "swg_" + "0" * 43
    return made


@pytest.mark.slow
async def test_every_route_refuses_whoever_has_no_valid_token(lab: Any, tools: Any) -> None:
    made = await secrets(lab)
    async with tools.running(lab.service) as run:
        for (method, path), kind in itertools.product(routes_of(run.application), NOBODY):
            shown = {"missing": {}, "no bearer": {"authorization": "Digest x"}}
            headers = shown.get(kind) or (
                {} if kind == "missing" else {"authorization": f"Bearer {made.get(kind, '')}"}
            )
            response = await ask(run.url, method, filled(path), headers)
            is_open = path in OPEN
            assert (response.status_code == 401) is not is_open, (method, path, kind, response.status_code)
            if not is_open:
                assert response.headers["content-type"] == "application/problem+json"
                assert response.headers["www-authenticate"]


@pytest.mark.slow
async def test_every_route_refuses_a_role_that_is_too_low_and_admits_one_that_is_not(lab: Any, tools: Any) -> None:
    made = await secrets(lab)
    async with tools.running(lab.service) as run:
        for (method, path), role in itertools.product(routes_of(run.application), ROLES):
            response = await ask(run.url, method, filled(path), {"authorization": f"Bearer {made[role]}"})
            needed = rule_for(method, path).role
            if path in ("/webhooks/{name}", "/sites/exchange"):  # let in by a signature, never by a token
                assert response.status_code == 401
                continue
            is_admitted = needed is None or may(role, needed)
            assert (response.status_code in (401, 403)) is not is_admitted, (method, path, role, response.status_code)


async def test_every_route_of_the_application_has_a_rule_of_its_own(lab: Any) -> None:
    named = {(rule.method, rule.path) for rule in RULES}
    assert set(routes_of(build(lab.service))) == named


async def test_what_no_rule_names_needs_the_highest_role(lab: Any, tools: Any) -> None:
    operator, admin = await lab.token("operator"), await lab.token("admin")
    async with tools.running(lab.service) as run:
        assert (await ask(run.url, "GET", "/nothing", {"authorization": f"Bearer {operator}"})).status_code == 403
        assert (await ask(run.url, "GET", "/nothing", {"authorization": f"Bearer {admin}"})).status_code == 404
        assert (await ask(run.url, "GET", "/mcp/", {"authorization": f"Bearer {operator}"})).status_code == 403


async def test_without_any_token_whoever_is_on_this_machine_may_do_everything(server: Any) -> None:
    assert (await ask(server.url, "GET", "/workflows", {})).status_code == 200
    assert (await ask(server.url, "GET", "/workflows", {"authorization": "Bearer wrong"})).status_code == 401


async def test_the_first_token_closes_a_server_that_runs_already(lab: Any, server: Any) -> None:
    await lab.token("admin")
    assert (await ask(server.url, "GET", "/workflows", {})).status_code == 401


async def test_a_revoked_token_is_out_while_the_server_runs(lab: Any, server: Any) -> None:
    secret = await lab.token("viewer")
    headers = {"authorization": f"Bearer {secret}"}
    assert (await ask(server.url, "GET", "/workflows", headers)).status_code == 200
    await lab.service.principals.revoke("viewer")

    async def is_refused() -> bool:
        return (await ask(server.url, "GET", "/workflows", headers)).status_code == 401

    await until(is_refused, "the revoked token to open nothing")


async def test_a_browser_may_give_the_token_as_a_password_for_the_documentation_only(lab: Any, server: Any) -> None:
    secret = await lab.token("viewer")
    headers = {"authorization": "Basic " + base64.b64encode(f"me:{secret}".encode()).decode()}
    page = await ask(server.url, "GET", "/docs", headers)
    assert page.status_code == 200
    assert (await ask(server.url, "GET", "/workflows", headers)).status_code == 401
    assert (await ask(server.url, "GET", "/docs", {})).headers["www-authenticate"].startswith("Basic")
    for bad in (b"Basic \xe9", b"Basic !", b"Basic", b"Basic /w=="):
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{server.url}/docs", headers={b"authorization": bad})).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"host": ""}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost.evil.example"}, 403),
        ({"origin": "http://localhost:3000"}, 200),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:8080"}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/health", "/workflows"])
async def test_requests_meant_for_others_or_sent_by_foreign_pages_are_refused(
    server: Any, headers: dict[str, str], status: int, path: str
) -> None:
    assert (await ask(server.url, "GET", path, headers)).status_code == status


async def test_a_foreign_page_does_not_reach_mcp_either(server: Any) -> None:
    for headers, status in (({"host": "evil"}, 421), ({"origin": "http://evil"}, 403)):
        assert (await ask(server.url, "POST", "/mcp", headers)).status_code == status


def test_behind_a_name_of_its_own_only_the_same_origin_is_let_in() -> None:
    check_addresses(Headers({"host": "sg.example", "origin": "https://sg.example"}), None, "https")
    with pytest.raises(Problem, match="foreign origin"):
        check_addresses(Headers({"host": "sg.example", "origin": "http://localhost"}), None, "https")


def test_beyond_loopback_a_token_is_needed_to_start() -> None:
    with pytest.raises(StartRefused, match="loopback only"):
        checked_host("0.0.0.0", needs_token=False)
    assert checked_host("0.0.0.0", needs_token=True, is_safe=True) is None
    assert checked_host("127.0.0.1", needs_token=False) == LOOPBACK_NAMES
    with pytest.raises(StartRefused, match="without TLS"):
        checked_host("0.0.0.0", needs_token=True)


async def test_an_mcp_session_cannot_be_taken_over_with_another_token(lab: Any, server: Any) -> None:
    mine, other = await lab.token("operator", "mine"), await lab.token("operator", "other")
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    ask_list = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}
    accept = {"accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(base_url=server.url, headers=accept, trust_env=False) as client:
        opened = await client.post("/mcp", json=hello, headers={"authorization": f"Bearer {mine}"})
        session = {"mcp-session-id": opened.headers["mcp-session-id"]}
        taken = await client.post("/mcp", json=ask_list, headers={**session, "authorization": f"Bearer {other}"})
    assert opened.status_code == 200
    assert taken.status_code == 404
