"""Agents that speak OpenAPI: a document for the caller's own rights, flat calls, and web pages of named origins."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from openapi_spec_validator import validate

from governance.people.scopes import AccessScope
from governance.transitions import ROLES, may
from runtime.api.agents.description import hoisted
from runtime.app import bound_socket, build, http_server
from runtime.auth.access import RULES, rule_for
from runtime.auth.cors import Cors, origins_in
from runtime.catalog.snapshot import RESERVED_NAMES
from runtime.errors import StartRefused
from tests.waiting import PATIENCE_S
from workflow.budget import MOST_TOOLS

OWN = {f"/tools/{name}" for name in RESERVED_NAMES}
CHAT = "https://chat.example"


@pytest.fixture
async def api(server: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as client:
        yield client


async def document(api: httpx.AsyncClient, path: str = "/openapi.json") -> Any:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def whole(told: Any, schema: Any) -> Any:
    """A schema of the document with what it refers to, for a validator."""
    return {**schema, "components": told["components"]}


@pytest.mark.slow
async def test_each_workflow_is_one_typed_operation_beside_search_describe_run_and_get_run(
    api: httpx.AsyncClient, lab: Any
) -> None:
    told = await document(api)
    validate(told)
    assert told["paths"].keys() == OWN | {"/tools/toy_find_vm", "/tools/toy_stop_vm"}
    assert told["servers"] == [{"url": str(api.base_url)}]
    operation = told["paths"]["/tools/toy_find_vm"]["post"]
    assert operation["operationId"] == "toy_find_vm"
    body = operation["requestBody"]["content"]["application/json"]
    assert body["schema"]["required"] == ["vm"]
    assert jsonschema_rs.is_valid(body["schema"], body["example"])
    reply = await api.post("/tools/toy_find_vm", json={"vm": "web-01"})
    assert reply.json()["outputs"] == {"uuid": "u-1", "state": "on"}
    schema = whole(told, operation["responses"]["200"]["content"]["application/json"]["schema"])
    assert jsonschema_rs.is_valid(schema, reply.json())
    assert not jsonschema_rs.is_valid(schema, {**reply.json(), "outputs": {"uuid": 5}})
    await lab.approve("list")
    await api.post("/reload")
    assert "/tools/toy_list_vms" in (await document(api))["paths"]


@pytest.mark.slow
async def test_what_is_no_operation_of_its_own_is_found_described_and_run(api: httpx.AsyncClient, lab: Any) -> None:
    for number in range(MOST_TOOLS):
        await lab.approve("find", number, is_core=False)
    await lab.service.live.reload()
    told = await document(api)
    assert told["paths"].keys() == OWN | {"/tools/toy_find_vm", "/tools/toy_stop_vm"}
    found = (await api.post("/tools/search_workflows", json={"query": "find a machine"})).json()
    named = {each["name"] for each in found["workflows"]}
    name = sorted(named - {"toy_find_vm"})[0]
    described = (await api.post("/tools/describe_workflow", json={"name": name})).json()
    assert described["inputs"]["required"] == ["vm"]
    ran = await api.post("/tools/run_workflow", json={"name": name, "arguments": {"vm": "web-01"}})
    direct = await api.post(f"/tools/{name}", json={"vm": "web-01"})
    assert ran.json()["outputs"] == direct.json()["outputs"] == {"uuid": "u-1", "state": "on"}
    again = (await api.post("/tools/get_run", json={"run": ran.json()["run_id"]})).json()
    assert again["outputs"] == ran.json()["outputs"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/tools/toy_find_vm", {}, 422),
        ("/tools/toy_find_vm", {"vm": "nobody"}, 409),
        ("/tools/never_heard_of", {}, 404),
        ("/tools/describe_workflow", {"name": "never_heard_of"}, 404),
        ("/tools/run_workflow", {"name": "toy_find_vm", "arguments": {"x": 1}}, 422),
        ("/tools/get_run", {"run": "none"}, 404),
        ("/tools/toy_find_vm", {"vm": "web-01", "where": {"a": {"like": 1}}}, 422),
    ],
)
async def test_what_cannot_be_done_is_a_problem_that_says_why(
    api: httpx.AsyncClient, path: str, body: Any, status: int
) -> None:
    reply = await api.post(path, json=body)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    assert reply.json()["detail"]


async def test_the_tools_of_the_plain_list_are_those_of_mcp(api: httpx.AsyncClient, server: Any) -> None:
    async with Client(StreamableHttpTransport(server.mcp)) as opened:
        tools = await opened.list_tools()
    listed = (await document(api, "/tools/list"))["tools"]
    assert listed == [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools]


@pytest.mark.slow
async def test_the_document_of_all_routes_holds_what_the_role_opens_and_no_more(
    api: httpx.AsyncClient, lab: Any
) -> None:
    ruled = {(rule.method, rule.path) for rule in RULES}
    secrets = {role: await lab.token(role) for role in ROLES}
    limited = (await lab.service.principals.create_token("part", "admin", scope=AccessScope(apis=("toy",))))[1]
    seen = {}
    for who, secret in {**secrets, "part": limited}.items():
        api.headers["authorization"] = f"Bearer {secret}"
        told = await document(api, "/admin/openapi.json")
        validate(told)
        seen[who] = {(method.upper(), path) for path, item in told["paths"].items() for method in item}
    assert seen["admin"] <= ruled
    for role in ROLES:
        rights = {(m, p) for m, p in seen["admin"] if rule_for(m, p).role is None or may(role, rule_for(m, p).role)}
        assert seen[role] == rights
    assert seen["part"] == {(m, p) for m, p in seen["admin"] if not rule_for(m, p).takes_whole}
    assert ("POST", "/workflows/{ref}/approve") in seen["approver"] - seen["operator"]


def test_shared_parts_of_a_schema_are_where_openapi_tools_look_for_them() -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"type": "string"}}}
    moved, parts = hoisted(schema, "tool")
    assert moved == {"$ref": "#/components/schemas/tool_a"}
    assert parts == {"tool_a": {"items": {"$ref": "#/components/schemas/tool_b"}}, "tool_b": {"type": "string"}}


# Web pages


@pytest.fixture
async def page(lab: Any) -> AsyncIterator[httpx.AsyncClient]:
    """What a page of the chat's origin asks of a server that lets it."""
    import asyncio

    server = http_server(build(lab.service, origins=frozenset({CHAT})))
    listener = bound_socket("127.0.0.1", 0)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.005)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, headers={"origin": CHAT}) as client:
        yield client
    server.should_exit = True
    await task


async def test_a_page_of_a_named_origin_calls_with_a_token(page: httpx.AsyncClient, lab: Any) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, content-type"}
    ahead = await page.options("/tools/toy_find_vm", headers=asks)
    assert (ahead.status_code, ahead.headers["access-control-allow-origin"]) == (204, CHAT)
    assert "POST" in ahead.headers["access-control-allow-methods"]
    assert {"authorization", "content-type"} <= set(ahead.headers["access-control-allow-headers"].split(", "))
    assert "access-control-allow-credentials" not in ahead.headers
    token = {"authorization": f"Bearer {await lab.token('operator')}"}
    answer = await page.post("/tools/toy_find_vm", json={"vm": "web-01"}, headers=token)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, CHAT)
    assert answer.headers["vary"] == "origin"
    assert (await page.get("/openapi.json", headers=token)).json()["paths"]


async def test_a_page_is_nobody_without_a_token_though_this_machine_needs_none(
    page: httpx.AsyncClient, lab: Any, credentials: Any
) -> None:
    for headers in ({}, {"authorization": "Bearer swg_wrong"}):
        answer = await page.post("/tools/toy_find_vm", json={"vm": "web-01"}, headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, CHAT)
    session = await credentials.of("session", "ann", "admin")
    assert (await page.get("/workflows", headers=session)).status_code == 401
    both = {**session, "authorization": "Bearer swg_wrong"}
    assert (await page.get("/workflows", headers=both)).status_code == 401


@pytest.mark.parametrize(
    "origin", ["https://chat.example.evil", "http://chat.example", "https://chat.example:444", "null", ""]
)
async def test_every_other_origin_is_refused_as_before(page: httpx.AsyncClient, lab: Any, origin: str) -> None:
    token = {"authorization": f"Bearer {await lab.token('operator')}", "origin": origin}
    for method in ("GET", "OPTIONS"):
        asks = {**token, "access-control-request-method": "POST"}
        answer = await page.request(method, "/openapi.json", headers=asks)
        assert answer.status_code in (403, 405) if method == "OPTIONS" else answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


async def test_a_page_cannot_lead_the_browser_to_another_name_of_this_machine(page: httpx.AsyncClient) -> None:
    asks = {"access-control-request-method": "POST", "host": "evil.example"}
    assert (await page.options("/tools/toy_find_vm", headers=asks)).status_code == 421


@pytest.mark.parametrize("setting", ["*", "chat.example", "https://chat.example/page", "ftp://chat.example", "null"])
def test_a_setting_that_names_no_origin_is_refused_at_the_start(setting: str) -> None:
    with pytest.raises(StartRefused, match="no origin"):
        origins_in(setting)


def test_without_the_setting_nothing_stands_before_the_gate(lab: Any) -> None:
    assert origins_in(" https://a.example/ ,http://b.example:80") == {"https://a.example", "http://b.example:80"}
    assert not isinstance(build(lab.service).asgi, Cors)
    assert json.dumps(sorted(origins_in(""))) == "[]"
