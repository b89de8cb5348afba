"""The REST API over real HTTP: looking, deciding, running, and errors as problem documents."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jsonschema_rs
import pytest


@pytest.fixture
async def api(server: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        yield client


async def test_the_server_says_that_it_lives_and_that_it_is_ready(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health")).json() == {"status": "ok"}
    assert (await api.get("/ready")).json() == {
        "status": "ready", "workflows": 2, "tools": 2, "refused": 0, "trouble": "",
    }  # fmt: skip


async def test_it_is_not_ready_when_it_cannot_follow_its_database(api: httpx.AsyncClient, lab: Any) -> None:
    lab.service.live.trouble = "the disk is full"
    reply = await api.get("/ready")
    assert (reply.status_code, reply.json()["trouble"]) == (503, "the disk is full")


async def test_what_is_pending_is_shown_approved_served_and_run(api: httpx.AsyncClient, lab: Any) -> None:
    await lab.submit("list")
    (pending,) = (await api.get("/workflows/pending")).json()
    assert (pending["workflow_id"], pending["state"], pending["title"]) == ("toy-list-vms", "pending", "List machines")
    shown = (await api.get(f"/workflows/{pending['id']}")).json()
    assert [(step["method"], step["path_template"]) for step in shown["steps"]] == [("GET", "/vms")]
    assert shown["content"]["tool"]["name"] == "toy_list_vms"
    decided = await api.post(f"/workflows/{pending['id']}/approve", json={"digest": pending["digest"]})
    assert (decided.status_code, decided.json()["state"], decided.json()["decided_by"]) == (200, "approved", "local")
    run = await api.post("/workflows/toy-list-vms/run", json={})
    assert run.status_code == 200
    assert len(run.json()["outputs"]["vms"]) == 3
    assert (await api.get("/workflows/pending")).json() == []


async def test_an_approver_sees_what_would_change_against_what_is_in_use(api: httpx.AsyncClient, lab: Any) -> None:
    first = (await api.get("/workflows/toy-find-vm")).json()
    assert (first["state"], first["difference"], first["disabled"]) == ("approved", None, None)
    revision = await lab.submit_changed("find", title="Find any machine")
    shown = (await api.get(f"/workflows/{revision.id}")).json()
    assert shown["difference"]["since"]["id"] == first["id"]
    assert {each["at"] for each in shown["difference"]["tool"]} == {"/title"}
    assert shown["difference"]["requests"] == []
    assert shown["steps"][0]["path_template"] == "/vms"
    await api.post("/workflows/toy-find-vm/disable", json={"reason": "look first"})
    assert (await api.get(f"/workflows/{revision.id}")).json()["disabled"]["reason"] == "look first"


async def test_a_decision_on_another_digest_is_refused(api: httpx.AsyncClient, lab: Any) -> None:
    revision = await lab.submit("list")
    reply = await api.post(f"/workflows/{revision.id}/approve", json={"digest": "sha256:" + "0" * 64})
    assert reply.status_code == 409
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"] == "urn:switchgear:problem:digest-mismatch"
    assert reply.json()["remedy"]


async def test_a_rejection_needs_a_reason_and_is_final(api: httpx.AsyncClient, lab: Any) -> None:
    revision = await lab.submit("list")
    body = {"digest": revision.digest}
    assert (await api.post(f"/workflows/{revision.id}/reject", json=body)).status_code == 422
    assert (await api.post(f"/workflows/{revision.id}/reject", json={**body, "reason": "no"})).json()[
        "state"
    ] == "rejected"
    again = await api.post(f"/workflows/{revision.id}/approve", json=body)
    assert (again.status_code, again.json()["title"]) == (409, "wrong state")


async def test_what_is_retired_is_no_longer_run(api: httpx.AsyncClient, device: Any) -> None:
    (entry,) = [each for each in (await api.get("/workflows?state=approved")).json() if "find" in each["workflow_id"]]
    body = {"digest": entry["digest"], "reason": "old"}
    assert (await api.post(f"/workflows/{entry['id']}/retire", json=body)).status_code == 200
    assert (await api.post("/workflows/toy-find-vm/run", json={"inputs": {"vm": "web-01"}})).status_code == 404
    assert device.heard == []


@pytest.mark.parametrize(
    ("body", "status", "title"),
    [
        ({"inputs": {"vm": "nobody"}}, 409, "run failed"),
        ({"inputs": {"vm": "twin"}}, 409, "run failed"),
        ({"inputs": {}}, 422, "bad input"),
        ({"inputs": {"vm": "x"}, "target": "nowhere"}, 422, "unknown target"),
        ({"inputs": {"vm": "x"}, "more": 1}, 422, "bad request"),
        ({"inputs": 7}, 422, "bad request"),
    ],
)
async def test_a_run_that_does_not_succeed_is_a_problem_that_says_why(
    api: httpx.AsyncClient, body: Any, status: int, title: str
) -> None:
    reply = await api.post("/workflows/toy-find-vm/run", json=body)
    assert (reply.status_code, reply.json()["title"]) == (status, title)
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.slow
async def test_the_device_being_off_is_a_bad_gateway_with_the_run(api: httpx.AsyncClient, device: Any) -> None:
    await device.stop()
    reply = await api.post("/workflows/toy-find-vm/run", json={"inputs": {"vm": "x"}})
    await device.start()
    assert reply.status_code == 502
    run = (await api.get(f"/runs/{reply.json()['run_id']}")).json()
    assert run["outcome"] == "failed"


async def test_runs_and_the_audit_tell_what_happened(api: httpx.AsyncClient) -> None:
    run_id = (await api.post("/workflows/toy_find_vm/run", json={"inputs": {"vm": "web-01"}})).json()["run_id"]
    (listed,) = (await api.get("/runs")).json()
    assert (listed["id"], listed["outcome"], listed["caller"]) == (run_id, "succeeded", "local")
    shown = (await api.get(f"/runs/{run_id}")).json()
    assert [step["phase"] for step in shown["steps"]] == ["sending", "answered"]
    actions = [row["action"] for row in (await api.get("/audit?limit=1000")).json()]
    assert actions[-4:] == ["run.started", "request.sending", "request.answered", "run.finished"]


async def test_targets_are_shown_without_where_their_secrets_are(api: httpx.AsyncClient, lab: Any) -> None:
    await lab.target("https://10.0.0.9", "bmc", username_ref="env:BMC_USER", password_ref="env:BMC_WORD")
    targets = {target["name"]: target for target in (await api.get("/targets")).json()}
    assert targets["bmc"]["has_credentials"] is True
    assert targets["lab"]["has_credentials"] is False
    assert "BMC_WORD" not in str(targets)


async def test_a_reload_says_what_is_served_and_what_is_refused(api: httpx.AsyncClient) -> None:
    served = (await api.post("/reload")).json()
    assert (served["tools"], served["refused"]) == (2, [])


async def test_a_longer_list_says_where_it_goes_on(api: httpx.AsyncClient) -> None:
    first = await api.get("/workflows?limit=1")
    after = re.search(r"after=([^&]+)", first.headers["link"])
    assert after is not None
    second = await api.get("/workflows", params={"limit": 5, "after": after[1]})
    assert len(first.json()) == len(second.json()) == 1
    assert "link" not in second.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/workflows/none", 404),
        ("GET", "/runs/none", 404),
        ("PUT", "/workflows", 405),
        ("GET", "/workflows?state=odd", 422),
        ("GET", "/workflows?limit=0", 422),
        ("GET", "/workflows?api=toy&api=other", 422),
        ("GET", "/audit?after=-1", 422),
        ("POST", "/workflows/none/run", 422),
    ],
)
async def test_whatever_is_wrong_is_a_problem_document(
    api: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    reply = await api.request(method, path)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} <= reply.json().keys()


@pytest.mark.slow
async def test_the_document_of_all_routes_is_valid_and_names_problems_and_the_token(api: httpx.AsyncClient) -> None:
    document = (await api.get("/admin/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert document["paths"]["/workflows"]["get"]["security"] == [{"token": []}, {"session": []}]
    assert "security" not in document["paths"]["/health"]["get"]
    assert "HTTPValidationError" not in str(document)
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})


async def test_the_documentation_needs_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    assert page.status_code == 200
    assert not re.search(r"https?://|<link|@import|src=", page.text)
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert page.headers["content-security-policy"].startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}'; connect-src 'self';" in page.headers["content-security-policy"]
    for address in ("/openapi.json", "/admin/openapi.json"):
        for path in (await api.get(address)).json()["paths"]:
            assert f"data-path='{path}'" in page.text


async def test_a_body_that_is_no_text_is_a_bad_request_like_one_that_is_no_json(api: httpx.AsyncClient) -> None:
    for content in (b"o\xff\xfe", b"{", b'{"digest": "\xff"}'):
        reply = await api.post(
            "/workflows/toy-find-vm/run", content=content, headers={"content-type": "application/json"}
        )
        assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json"), content


async def test_a_body_that_is_too_large_or_of_unknown_length_is_refused(api: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}"

    assert (await api.post("/workflows/x/run", content=b"x" * 5_000_000)).status_code == 413
    assert (await api.post("/mcp", content=pieces())).status_code == 411


async def test_what_is_core_can_be_asked_for_and_the_next_page_keeps_to_it(api: httpx.AsyncClient, lab: Any) -> None:
    await lab.submit("list", is_core=False)
    for number in range(2):
        await lab.submit("find", number)
    others = (await api.get("/workflows?core=false")).json()
    assert [(one["workflow_id"], one["is_core"]) for one in others] == [("toy-list-vms", False)]
    page = await api.get("/workflows?core=true&state=pending&limit=1")
    more = re.fullmatch(r'<(.*)>; rel="next"', page.headers["link"])
    assert more
    following = (await api.get("/workflows" + more[1])).json()
    assert [one["workflow_id"] for one in (*page.json(), *following)] == ["toy-find-vm-0", "toy-find-vm-1"]


async def test_the_approved_are_searched_by_words(api: httpx.AsyncClient, lab: Any) -> None:
    await lab.submit("list")
    found = (await api.get("/workflows", params={"q": "switch off a machine"})).json()
    assert found[0]["workflow_id"] == "toy-stop-vm"
    assert {one["state"] for one in found} == {"approved"}
    assert (await api.get("/workflows?q=zzzz")).json() == []
    assert (await api.get("/workflows?q=machine&api=other")).json() == []
    assert len((await api.get("/workflows?q=machine&limit=1")).json()) == 1
    assert (await api.get("/workflows?q=machine&core=false")).json() == []


@pytest.mark.parametrize("more", ["page=2", "after=x"])
async def test_a_search_is_of_what_is_approved_and_one_page(api: httpx.AsyncClient, more: str) -> None:
    reply = await api.get(f"/workflows?q=machine&{more}")
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")
    assert reply.json()["remedy"]
