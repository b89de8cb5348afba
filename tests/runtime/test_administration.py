"""Tokens, settings and the audit over HTTP, as somebody who administers the server asks for them."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from governance.settings import Settings, in_use
from runtime.app import bound_socket, build, http_server


def client(url: str, secret: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {secret}"}, trust_env=False)


@pytest.fixture
async def admin(lab: Any, server: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with client(server.url, await lab.token("admin")) as opened:
        yield opened


async def test_a_token_is_made_shown_once_used_and_revoked_at_once(admin: httpx.AsyncClient, server: Any) -> None:
    wish = {"name": "agent", "role": "operator", "days": 7, "scope": {"risks": ["read"], "labels": {"site": "a"}}}
    made = await admin.post("/tokens", json=wish)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    told, secret = made.json()["principal"], made.json()["token"]
    assert told["scope"] == wish["scope"]
    assert told["expires_at"] > told["created_at"]
    async with client(server.url, secret) as agent:
        assert (await agent.get("/runs")).status_code == 200
        assert (await agent.get("/tokens")).status_code == 403
        listed = await admin.get("/tokens")
        assert [each["name"] for each in listed.json()] == ["admin", "agent"]
        assert secret not in listed.text
        assert secret not in (await admin.get("/audit/export")).text
        assert (await admin.delete(f"/tokens/{told['id']}")).json()["revoked_at"]
        assert (await agent.get("/runs")).status_code == 401
    assert (await admin.delete("/tokens/agent")).status_code == 404
    actions = (await admin.get("/audit", params={"actor": "admin"})).json()
    assert [each["action"] for each in actions] == ["token.created", "token.revoked"]


async def test_the_first_token_made_over_http_closes_the_door_behind_it(server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as anybody:
        made = await anybody.post("/tokens", json={"name": "boss", "role": "admin"})
        assert made.status_code == 201
        assert (await anybody.get("/tokens")).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "admin", "role": "viewer"}, 409),
        ({"name": "a b", "role": "viewer"}, 422),
        ({"name": "x", "role": "root"}, 422),
        ({"name": "x", "role": "viewer", "days": 0}, 422),
        ({"name": "x", "role": "viewer", "scope": {"risk": ["read"]}}, 422),
        ({"name": "x", "role": "viewer", "scope": {"risks": ["odd"]}}, 422),
    ],
)
async def test_a_token_that_cannot_be_made_is_a_problem(admin: httpx.AsyncClient, body: Any, status: int) -> None:
    reply = await admin.post("/tokens", json=body)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")


async def test_settings_are_told_with_where_they_come_from_and_without_secrets(lab: Any) -> None:
    import asyncio

    environment = {
        "SWITCHGEAR_TOKEN": "hunter2", "SWITCHGEAR_RATE_PER_S": "7",
        "SWITCHGEAR_DATABASE_URL": "postgresql+psycopg://me:hun?t@er2@db/x?password=hunter2",
    }  # fmt: skip
    listener = bound_socket("127.0.0.1", 0)
    server = http_server(build(lab.service, settings=in_use(environment, {"port": 0, "host": None})))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.005)
    async with client(f"http://127.0.0.1:{listener.getsockname()[1]}", await lab.token("admin")) as asking:
        reply = await asking.get("/settings")
    server.should_exit = True
    await task
    told = {each["name"]: (each["value"], each["source"]) for each in reply.json()}
    assert len(told) == len(Settings.__slots__)
    assert told["SWITCHGEAR_TOKEN"] == (None, "environment")
    assert told["SWITCHGEAR_BUNDLE_PASSPHRASE"] == (None, "default")
    assert told["SWITCHGEAR_RATE_PER_S"] == (7, "environment")
    assert told["SWITCHGEAR_PORT"] == (0, "command line")
    assert told["SWITCHGEAR_HOST"] == ("127.0.0.1", "default")
    assert told["SWITCHGEAR_DATABASE_URL"] == ("postgresql+psycopg://[redacted]@db/x", "environment")
    assert "hunter2" not in reply.text
    assert "er2" not in reply.text


async def test_the_audit_is_filtered_and_paged_and_exported_alike(admin: httpx.AsyncClient, lab: Any) -> None:
    for name in ("web-01", "nobody"):
        await admin.post("/workflows/toy-find-vm/run", json={"inputs": {"vm": name}})
    chosen = {"target": "lab", "since": "2020-01-01T00:00:00Z"}
    page = await admin.get("/audit", params={**chosen, "limit": 3})
    rows = page.json()
    while "link" in page.headers:
        more = re.fullmatch(r'<(.*)>; rel="next"', page.headers["link"])
        assert more
        page = await admin.get("/audit" + more[1])
        rows += page.json()
    exported = await admin.get("/audit/export", params=chosen)
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    assert [orjson.loads(line) for line in exported.text.splitlines()] == rows
    assert {row["action"] for row in rows} >= {"target.added", "run.started", "request.sending", "run.finished"}
    assert {row["subject"].partition(":")[0] for row in rows} == {"target", "run"}
    failed = (await admin.get("/audit", params={"outcome": "failed"})).json()
    assert [row["detail"]["outcome"] for row in failed] == ["failed"]
    assert (await admin.get("/audit", params={**chosen, "until": "2021-01-01T00:00:00Z"})).json() == []


async def test_runs_are_told_in_figures(admin: httpx.AsyncClient) -> None:
    for name in ("web-01", "nobody"):
        await admin.post("/workflows/toy-find-vm/run", json={"inputs": {"vm": name}})
    told = (await admin.get("/audit/stats")).json()
    assert told["all"]["outcomes"] == {"failed": 1, "succeeded": 1}
    assert told["by_workflow"]["toy-find-vm"]["runs"] == told["by_caller"]["admin"]["runs"] == 2
    assert told["all"]["p99_ms"] >= told["all"]["p50_ms"] > 0
    assert (await admin.get("/audit/stats?since=2999-01-01T00:00:00Z")).json()["all"]["runs"] == 0


@pytest.mark.parametrize("query", ["since=yesterday", "since=0001-01-01T00:00:00%2B14:00", "outcome=odd", "actor=%00"])
async def test_a_filter_that_means_nothing_is_a_problem(admin: httpx.AsyncClient, query: str) -> None:
    reply = await admin.get(f"/audit?{query}")
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")
