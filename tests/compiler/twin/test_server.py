"""The twin over real HTTP: base path, switches, the record, and the command in a process of its own."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from compiler.frontend import load_api
from compiler.pipeline import understand
from compiler.twin import Tempo, Twin
from compiler.twin.server import AddressError, listen, running, url_of
from tests.waiting import PATIENCE_S
from workflow.profiles.profile import Profile

ROOT = Path(__file__).parents[3]
BASIC = ("admin", "switchgear")


@pytest.fixture
async def client(shipped: Any, fast: Tempo) -> AsyncIterator[httpx.AsyncClient]:
    twin = Twin(*shipped("hypercore"), now=lambda: 0.0, tempo=fast)
    async with running(twin) as url, httpx.AsyncClient(base_url=url, trust_env=False) as made:
        yield made


def outside(client: httpx.AsyncClient, path: str) -> str:
    return str(client.base_url).rstrip("/").removesuffix("/rest/v1") + path


async def test_the_api_stands_below_its_base_path_and_nowhere_else(client: httpx.AsyncClient) -> None:
    assert (await client.get("/VirDomain", auth=BASIC)).status_code == 200
    assert (await client.get(outside(client, "/VirDomain"), auth=BASIC)).status_code == 404
    assert (await client.get(outside(client, "/rest/v1x/VirDomain"), auth=BASIC)).status_code == 404


async def test_a_session_works_with_an_ordinary_clients_cookies(client: httpx.AsyncClient) -> None:
    assert (await client.get("/VirDomain")).status_code == 503
    login = {"username": "admin", "password": "switchgear"}
    assert (await client.post("/login", json=login)).status_code == 200
    assert (await client.get("/VirDomain")).status_code == 200
    await client.post(outside(client, "/_twin/expire-sessions"))
    assert (await client.get("/VirDomain")).status_code == 503


async def test_a_change_over_http_is_read_back_and_reset_undoes_it(client: httpx.AsyncClient) -> None:
    before = (await client.get("/User", auth=BASIC)).json()
    await client.post("/User", json={"username": "eve", "password": "example-only"}, auth=BASIC)
    assert len((await client.get("/User", auth=BASIC)).json()) == len(before) + 1
    await client.post(outside(client, "/_twin/reset"))
    assert (await client.get("/User", auth=BASIC)).json() == before


async def test_the_next_job_can_be_told_to_fail(client: httpx.AsyncClient) -> None:
    await client.post(outside(client, "/_twin/fail-next-job"), params={"message": "disk full"})
    made = await client.post("/User", json={"username": "eve", "password": "example-only"}, auth=BASIC)
    task = (await client.get(f"/TaskTag/{made.json()['taskTag']}", auth=BASIC)).json()[0]
    assert (task["state"], task["formattedMessage"]) == ("ERROR", "disk full")


async def test_the_record_is_what_was_sent_and_holds_no_credentials(client: httpx.AsyncClient) -> None:
    await client.get("/VirDomain", auth=BASIC)
    await client.get("/VirDomain?name=web%2001", auth=BASIC)
    await client.put(
        "/VirDomain", content=b"\x00\xff", headers={"content-type": "application/octet-stream"}, auth=BASIC
    )
    record = (await client.get(outside(client, "/_twin/requests"))).json()
    assert [(r["method"], r["path"], r["status"]) for r in record] == [
        ("GET", "/VirDomain", 200),
        ("GET", "/VirDomain", 400),
        ("PUT", "/VirDomain", 405),
    ]
    assert (record[1]["query"], record[2]["body"]) == ([["name", "web 01"]], "2 bytes")
    assert "switchgear" not in json.dumps(record)


async def test_percent_encoding_reaches_the_twin_as_it_was_sent(client: httpx.AsyncClient) -> None:
    await client.get("/Condition/a%2Fb", auth=BASIC)
    record = (await client.get(outside(client, "/_twin/requests"))).json()
    assert record[-1]["path"] == "/Condition/a%2Fb"


@pytest.mark.parametrize("content", [b"{", b"", b"nothing", b"\xff"])
async def test_a_body_that_is_no_json_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    reply = await client.post("/User", content=content, headers={"content-type": "application/json"}, auth=BASIC)
    assert reply.status_code == 400


async def test_a_binary_body_is_taken_where_the_description_has_one(client: httpx.AsyncClient) -> None:
    iso = (await client.get("/ISO", auth=BASIC)).json()[0]["uuid"]
    headers = {"content-type": "application/octet-stream"}
    reply = await client.put(f"/ISO/{iso}/data", content=b"\x00" * 100_000, headers=headers, auth=BASIC)
    assert reply.status_code == 200


async def test_requests_of_every_method_that_a_description_may_have_are_answered(tmp_path: Path) -> None:
    answers = {
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
    }
    described = {
        "openapi": "3.2.0",
        "info": {"title": "cache", "version": "1"},
        "paths": {
            "/cache": {"query": answers, "additionalOperations": {"PURGE": {"responses": {"204": {"description": ""}}}}}
        },
    }
    spec = tmp_path / "cache.json"
    spec.write_text(json.dumps(described))
    profile = Profile(api="cache")
    twin = Twin(understand(load_api(spec).api, profile).api, profile, now=lambda: 0.0)
    async with running(twin) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        statuses = [(await client.request(method, "/cache")).status_code for method in ("QUERY", "PURGE", "TRACE")]
    assert statuses == [200, 204, 405]


async def test_an_entity_tag_can_be_made_stale_from_outside(shipped: Any) -> None:
    system = "/redfish/v1/Systems/System.Embedded.1"
    async with running(Twin(*shipped("idrac"), now=lambda: 0.0)) as url, httpx.AsyncClient(base_url=url) as client:
        tag = (await client.get(system, auth=BASIC)).headers["etag"]
        await client.post("/_twin/change-etag", params={"path": system})
        reply = await client.patch(system, json={"AssetTag": "x"}, headers={"if-match": tag}, auth=BASIC)
        assert reply.status_code == 412
        assert (await client.post("/_twin/change-etag")).status_code == 400


def test_a_port_that_is_taken_is_an_error_and_port_0_finds_a_free_one() -> None:
    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        assert url_of(bound, "/x") == f"http://127.0.0.1:{port}/x"
        with pytest.raises(AddressError, match="in use"):
            listen("127.0.0.1", port).close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_its_address_on_standard_error_serves_and_ends(number: int) -> None:
    code = "import sys; from compiler.commands.mock import mock_command; mock_command(sys.argv[1:])"
    spec = str(ROOT / "specs" / "hypercore" / "openapi.yaml")
    process = subprocess.Popen(
        [sys.executable, "-c", code, spec, "--port", "0"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert process.stdout is not None
        line = process.stderr.readline()
        found = re.fullmatch(r"twin listening on (http://127\.0\.0\.1:\d+/rest/v1)\n", line)
        assert found is not None, line
        assert httpx.get(found[1] + "/VirDomain", auth=BASIC, trust_env=False).status_code == 200
        process.send_signal(number)
        assert process.wait(PATIENCE_S) in (0, 1, -number, 128 + number)
        assert process.stdout.read() == ""
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close()  # type: ignore[union-attr]
