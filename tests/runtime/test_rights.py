"""The rights matrix: every route of the application itself, with every kind of credential in every state.

C5 and C6 of docs/THREATS.md. The routes are asked of the application, so that a new one is in the matrix when it is
there; what its rule says is held against what it answers.
"""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from governance.transitions import ROLES, may
from runtime.auth.access import MCP_PATH, rule_for

# Anybody may ask: two look after the server, one takes a password, one an invitation, two a signature.
OPEN = {"/health", "/ready", "/login", "/webhooks/{name}", "/sites/join", "/sites/exchange"}
KINDS = ("token", "session", "jwt")
Headers = dict[str, str]


def routes_of(application: Any) -> list[tuple[str, str]]:
    known = application.api.routes
    inner = [each for route in known if hasattr(route, "original_router") for each in route.original_router.routes]
    found = {(method, route.path) for route in (*known, *inner) if isinstance(route, Route) for method in route.methods}
    found |= {(method, MCP_PATH) for method in ("GET", "POST", "DELETE")}
    return sorted((method, path) for method, path in found if method != "HEAD")


@pytest.fixture
async def client(lab: Any, tools: Any) -> AsyncIterator[Any]:
    await lab.token("admin", "somebody")  # from here on nobody is on this machine
    async with tools.running(lab.service) as run, httpx.AsyncClient(base_url=run.url, trust_env=False) as client:
        client.routes = [each for each in routes_of(run.application) if each[1] not in OPEN]
        assert len(client.routes) > 40
        yield client


async def asked(client: Any, method: str, path: str, headers: Headers) -> httpx.Response:
    place = path.replace("{", "none-").replace("}", "")
    return await client.request(method, place, headers=headers, json=None if method == "GET" else {})


def bearer(secret: str) -> Headers:
    return {"authorization": f"Bearer {secret}"}


async def invalid(credentials: Any, kind: str) -> dict[str, Headers]:
    """Credentials of this kind that are none, or none any more. Their holders are admins."""
    service = credentials.house.service
    if kind == "token":
        _, old = await service.principals.create_token("old", "admin", ttl_s=0)
        _, gone = await service.principals.create_token("gone", "admin")
        await service.principals.revoke("gone")
        return {"bad": bearer("swg_" + "0" * 43), "expired": bearer(old), "revoked": bearer(gone)}
    if kind == "session":
        old, gone = [await credentials.session_secret(name) for name in ("old-user", "gone-user")]
        await service.users.disable("gone-user", actor="test")
        found = await service.sessions.find(old)
        await service.sessions.close(found.id, actor="test", why="logout")
        shown = {"bad": "sws_" + "0" * 43, "expired": old, "revoked": gone}
        return {name: credentials.with_csrf(secret) for name, secret in shown.items()}
    now = int(time.time())
    old = credentials.jwt("old", iat=now - 7200, exp=now - 3600)
    gone, bad = credentials.jwt("gone"), credentials.jwt("bad")
    await service.users.add("left", "admin", password=None, also=("jwt:gone",), actor="test")
    await service.users.disable("left", actor="test")
    return {"bad": bearer(bad[:-4] + "AAAA"), "expired": bearer(old), "revoked": bearer(gone)}


@pytest.mark.slow
async def test_nothing_is_answered_to_whoever_shows_nothing(client: Any) -> None:
    for method, path in client.routes:
        for headers in ({}, {"authorization": "Digest x"}, {"authorization": "Bearer"}, {"cookie": "a=b"}):
            answer = await asked(client, method, path, headers)
            assert (answer.status_code, "www-authenticate" in answer.headers) == (401, True), (method, path, headers)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_bad_expired_or_revoked_opens_no_route_and_looks_alike(
    client: Any, credentials: Any, kind: str
) -> None:
    shown = await invalid(credentials, kind)
    for method, path in client.routes:
        answers = {state: await asked(client, method, path, headers) for state, headers in shown.items()}
        assert {answer.status_code for answer in answers.values()} == {401}, (method, path, answers)
        assert len({answer.text for answer in answers.values()}) == 1, (method, path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
async def test_every_role_opens_the_routes_that_its_rules_name_and_no_other(
    client: Any, credentials: Any, kind: str
) -> None:
    for role in ROLES:
        headers = await credentials.of(kind, role, role)
        for method, path in client.routes:
            if kind == "session":  # one of its own for each: two of the routes end it
                headers = await credentials.of(kind, role, role)
            answer = await asked(client, method, path, headers)
            needed = rule_for(method, path).role
            assert needed is not None
            expected = 401 if kind == "session" and path == MCP_PATH else None if may(role, needed) else 403
            refused = answer.status_code if answer.status_code in (401, 403) else None
            assert refused == expected, (method, path, role, answer.status_code, answer.text[:200])


MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
TOOL = "toy_find_vm"
RIGHT = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": TOOL}
# What is wrong with a request whose credential is good, and how it is answered.
MISLED: dict[str, tuple[Headers, int]] = {
    "the host of somebody else": ({"host": "evil.example"}, 421),
    "a host that begins like ours": ({"host": "127.0.0.1.evil.example"}, 421),
    "a host that ends like ours": ({"host": "evil-localhost"}, 421),
    "no host": ({"host": ""}, 421),
    "the origin of somebody else": ({"origin": "http://evil.example"}, 403),
    "an origin without a name": ({"origin": "null"}, 403),
    "an origin that begins like ours": ({"origin": "http://localhost.evil.example"}, 403),
    "an origin of another kind": ({"origin": "file://evil.example/x"}, 403),
    "another tool in the header than in the body": ({"mcp-name": "toy_stop_vm"}, 400),
    "no tool in the header": ({"mcp-name": ""}, 400),
    "another method in the header than in the body": ({"mcp-method": "tools/list"}, 400),
    "another version in the header than in the body": ({"mcp-protocol-version": "2025-06-18"}, 400),
}


async def called(client: Any, headers: Headers) -> httpx.Response:
    accept = {"accept": "application/json, text/event-stream"}
    params = {"name": TOOL, "arguments": {"vm": "web-01"}, "_meta": META}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return await client.post("/mcp", json=body, headers={**accept, **RIGHT, **headers})


async def test_a_tool_call_whose_headers_and_body_agree_runs(client: Any, credentials: Any, lab: Any) -> None:
    answer = await called(client, await credentials.of("token", "ann", "operator"))
    assert (answer.status_code, '"isError":false' in answer.text.replace(" ", "")) == (200, True), answer.text
    assert len(await lab.service.runs.find()) == 1


@pytest.mark.parametrize("kind", ["token", "jwt"])
@pytest.mark.parametrize("how", MISLED)
async def test_a_misled_tool_call_is_refused_and_nothing_runs(
    client: Any, credentials: Any, lab: Any, how: str, kind: str
) -> None:
    headers, status = MISLED[how]
    answer = await called(client, {**await credentials.of(kind, "ann", "operator"), **headers})
    assert answer.status_code == status, answer.text
    assert await lab.service.runs.find() == ()


@pytest.mark.parametrize("how", [name for name, (_, status) in MISLED.items() if status != 400])
async def test_a_misled_request_with_a_session_is_refused(client: Any, credentials: Any, how: str) -> None:
    headers, status = MISLED[how]
    shown = await credentials.of("session", "ann", "admin")
    assert (await client.post("/reload", headers=shown)).status_code == 200
    assert (await client.post("/reload", headers={**shown, **headers})).status_code == status
