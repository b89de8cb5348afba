"""Policy, targets, files and disabled workflows over HTTP: who may change them, and only what they have seen."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from runtime.app import bound_socket, build, http_server

TARGET = {"name": "bmc", "api": "toy", "base_url": "https://10.0.0.9", "password_ref": "env:BMC_WORD"}
SPEC = b"openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\n"


@pytest.fixture
async def url(lab: Any, tmp_path: Path) -> AsyncIterator[str]:
    listener = bound_socket("127.0.0.1", 0)
    server = http_server(build(lab.service, folder=str(tmp_path / "library")))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.005)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task


async def client(url: str, lab: Any, role: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {await lab.token(role)}"}
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False)


@pytest.fixture
async def admin(url: str, lab: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with await client(url, lab, "admin") as opened:
        yield opened


async def actions(admin: httpx.AsyncClient, subject: str) -> list[str]:
    return [row["action"] for row in (await admin.get("/audit", params={"subject": subject})).json()]


async def test_a_policy_is_put_in_force_by_whoever_saw_the_one_before(admin: httpx.AsyncClient, lab: Any) -> None:
    shown = await admin.get("/policy")
    assert (shown.status_code, shown.json()["number"]) == (200, 0)
    wanted = {"classes": {"disrupt": {"approvals": 2}}, "pending_days": 7}
    applied = await admin.put("/policy", json=wanted, headers={"if-match": shown.headers["etag"]})
    assert (applied.status_code, applied.json()["number"], applied.json()["applied_by"]) == (200, 1, "admin")
    assert applied.json()["policy"]["classes"]["disrupt"]["approvals"] == 2
    again = await admin.get("/policy")
    assert (again.json(), again.headers["etag"]) == (applied.json(), applied.headers["etag"])
    assert await actions(admin, "policy:current") == ["policy.applied"]
    # What it says counts at once: one vote is not enough now.
    revision = await lab.submit("list")
    async with await client(str(admin.base_url), lab, "approver") as approver:
        assert (await approver.get("/policy")).status_code == 200
        assert (await approver.put("/policy", json={}, headers={"if-match": "*"})).status_code == 403
    assert revision.expires_at is not None


@pytest.mark.parametrize(
    ("body", "tag", "status"),
    [
        ({}, None, 428),
        ({}, '"sha256:0"', 412),
        ({}, 'W/"x", "y"', 412),
        ({"classes": {"destroy": {"approvals": 0}}}, "*", 422),
        ({"classes": {"read": {"approvals": "1"}}}, "*", 422),
        ({"classes": {"read": {"windows": []}}}, "*", 422),
        ({"format": 2}, "*", 422),
        ([], "*", 422),
    ],
)
async def test_a_policy_that_does_not_fit_or_was_not_seen_is_refused(
    admin: httpx.AsyncClient, body: Any, tag: str | None, status: int
) -> None:
    reply = await admin.put("/policy", json=body, headers={"if-match": tag} if tag else {})
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    assert (await admin.get("/policy")).json()["number"] == 0


async def test_of_two_who_saw_the_same_policy_one_is_refused(admin: httpx.AsyncClient) -> None:
    tag = (await admin.get("/policy")).headers["etag"]
    wishes = [{"pending_days": days} for days in range(1, 7)]
    replies = await asyncio.gather(*(admin.put("/policy", json=wish, headers={"if-match": tag}) for wish in wishes))
    assert sorted(reply.status_code for reply in replies) == [200, 412, 412, 412, 412, 412]
    assert (await admin.get("/policy")).json()["number"] == 1


async def test_a_target_is_added_shown_changed_and_removed(admin: httpx.AsyncClient) -> None:
    added = await admin.post("/targets", json=TARGET)
    assert added.status_code == 201
    assert added.json()["references"] == {"username_ref": None, "password_ref": "env:BMC_WORD", "token_ref": None}
    shown = await admin.get("/targets/bmc")
    assert (shown.json(), shown.headers["etag"]) == (added.json(), added.headers["etag"])
    change = {name: value for name, value in TARGET.items() if name != "name"} | {"labels": {"site": "oslo"}}
    changed = await admin.put("/targets/bmc", json=change, headers={"if-match": shown.headers["etag"]})
    assert (changed.status_code, changed.json()["labels"]) == (200, {"site": "oslo"})
    stale = await admin.put("/targets/bmc", json=change, headers={"if-match": shown.headers["etag"]})
    assert (stale.status_code, stale.json()["title"]) == (412, "stale")
    assert (await admin.delete("/targets/bmc")).status_code == 428
    gone = await admin.delete("/targets/bmc", headers={"if-match": changed.headers["etag"]})
    assert gone.status_code == 204
    assert (await admin.get("/targets/bmc")).status_code == 404
    assert await actions(admin, "target:bmc") == ["target.added", "target.changed", "target.removed"]


async def test_a_target_of_an_api_that_there_is_not_is_refused_when_added_and_when_changed(
    admin: httpx.AsyncClient,
) -> None:
    refused = await admin.post("/targets", json={**TARGET, "api": "tyo"})
    assert (refused.status_code, "Did you mean toy?" in refused.json()["detail"]) == (422, True)
    tag = (await admin.post("/targets", json=TARGET)).headers["etag"]
    change = {name: value for name, value in TARGET.items() if name != "name"} | {"api": "tyo"}
    assert (await admin.put("/targets/bmc", json=change, headers={"if-match": tag})).status_code == 422
    assert (await admin.get("/targets/bmc")).headers["etag"] == tag


async def test_others_than_admins_see_targets_without_references_and_change_none(url: str, lab: Any) -> None:
    for role in ("viewer", "operator", "approver"):
        async with await client(url, lab, role) as asking:
            shown = await asking.get("/targets/lab")
            assert (shown.status_code, shown.json()["references"]) == (200, None)
            assert (await asking.post("/targets", json=TARGET)).status_code == 403
            assert (await asking.put("/targets/lab", json=TARGET, headers={"if-match": "*"})).status_code == 403
            assert (await asking.delete("/targets/lab", headers={"if-match": "*"})).status_code == 403


@pytest.mark.parametrize("reference", ["file:/etc/shadow", "env:SWITCHGEAR_BUNDLE_PASSPHRASE"])
async def test_no_target_added_over_http_leads_to_what_is_the_servers_own(
    admin: httpx.AsyncClient, lab: Any, reference: str
) -> None:
    refused = await admin.post("/targets", json={**TARGET, "token_ref": reference})
    assert (refused.status_code, "switchgear targets add" in refused.json()["remedy"]) == (403, True)
    assert (await admin.get("/targets/bmc")).status_code == 404
    # Somebody on the server itself may; then the reference is known, and the target can be kept over HTTP.
    await lab.target("https://10.0.0.8", "other", token_ref=reference)
    tag = (await admin.get("/targets/other")).headers["etag"]
    same = {"api": "toy", "base_url": "https://10.0.0.8", "token_ref": reference}
    assert (await admin.put("/targets/other", json=same, headers={"if-match": tag})).status_code == 200


@pytest.mark.parametrize(
    "more",
    [{"name": "A b"}, {"base_url": "ftp://x"}, {"base_url": "http://10.0.0.9"}, {"password_ref": "hunter2"},
     {"tls": "maybe"}, {"limits": {"connections": 0}}, {"labels": {"a b": "c"}}, {"is_default": "yes"}],
)  # fmt: skip
async def test_a_target_that_cannot_be_is_refused_and_what_was_given_is_not_repeated(
    admin: httpx.AsyncClient, more: Any
) -> None:
    reply = await admin.post("/targets", json={**TARGET, **more})
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")
    assert "hunter2" not in reply.text


async def test_targets_and_tokens_come_in_pages(admin: httpx.AsyncClient, lab: Any) -> None:
    for number in range(5):
        await lab.target("https://10.0.0.9", f"t{number}")
        await admin.post("/tokens", json={"name": f"n{number}", "role": "viewer"})
    for path, count in (("/targets?api=toy&", 6), ("/tokens?", 6)):
        page = await admin.get(f"{path}limit=4")
        names = [each["name"] for each in page.json()]
        more = page.headers["link"].partition("<")[2].partition(">")[0]
        page = await admin.get(path.partition("?")[0] + more)
        names += [each["name"] for each in page.json()]
        assert len(set(names)) == len(names) == count
        assert "link" not in page.headers


async def test_a_disabled_workflow_is_gone_from_every_door_and_back_when_enabled(
    url: str, lab: Any, admin: httpx.AsyncClient, device: Any
) -> None:
    async with await client(url, lab, "operator") as operator:
        assert (await operator.post("/workflows/toy-find-vm/disable", json={"reason": "x"})).status_code == 403
        done = await admin.post("/workflows/toy-find-vm/disable", json={"reason": "broken firmware"})
        assert (done.status_code, done.json()["disabled_by"]) == (200, "admin")
        assert [each["workflow_id"] for each in (await operator.get("/workflows/disabled")).json()] == ["toy-find-vm"]
        body = {"inputs": {"vm": "web-01"}}
        assert (await operator.post("/workflows/toy-find-vm/run", json=body)).status_code == 404
        assert "toy_find_vm" not in await tools(url, operator)
        assert device.heard == []
        assert (await admin.post("/workflows/toy-find-vm/disable", json={"reason": "x"})).status_code == 409
        assert (await admin.post("/workflows/toy-find-vm/enable")).json() == {"workflow_id": "toy-find-vm"}
        assert (await operator.post("/workflows/toy-find-vm/run", json=body)).status_code == 200
        assert "toy_find_vm" in await tools(url, operator)


async def tools(url: str, operator: httpx.AsyncClient) -> set[str]:
    headers = {"authorization": operator.headers["authorization"]}
    async with Client(StreamableHttpTransport(f"{url}/mcp", headers=headers)) as mcp:
        return {tool.name for tool in await mcp.list_tools()}


async def test_a_call_from_before_does_not_run_what_is_disabled_since(lab: Any, device: Any) -> None:
    from runtime.caller import Caller
    from runtime.errors import NotApproved

    entry = lab.service.live.now.entries["toy_find_vm"]
    await lab.service.disabled.disable("toy-find-vm", actor="ann", reason="broken firmware")
    with pytest.raises(NotApproved, match=r"disabled since .*: broken firmware"):
        await lab.service.calls.call(entry, {"vm": "web-01"}, None, Caller("me", "operator"))
    assert device.heard == []


async def test_files_are_put_listed_read_replaced_and_removed(admin: httpx.AsyncClient) -> None:
    made = await admin.put("/specs/toy.yaml", content=SPEC)
    assert (made.status_code, made.json()["name"]) == (201, "toy.yaml")
    read = await admin.get("/specs/toy.yaml")
    assert (read.content, read.headers["etag"]) == (SPEC, made.headers["etag"])
    assert read.headers["content-disposition"] == "attachment"
    assert (await admin.put("/specs/toy.yaml", content=SPEC)).status_code == 428
    assert (await admin.put("/specs/toy.yaml", content=SPEC, headers={"if-match": '"x"'})).status_code == 412
    assert (await admin.put("/specs/new.yaml", content=SPEC, headers={"if-match": "*"})).status_code == 412
    replaced = await admin.put("/specs/toy.yaml", content=SPEC + b"#\n", headers={"if-match": read.headers["etag"]})
    assert (replaced.status_code, replaced.headers["etag"] != read.headers["etag"]) == (200, True)
    assert [each["name"] for each in (await admin.get("/specs")).json()] == ["toy.yaml"]
    assert (await admin.get("/profiles")).json() == []
    assert (await admin.delete("/specs/toy.yaml")).status_code == 428
    assert (await admin.delete("/specs/toy.yaml", headers={"if-match": replaced.headers["etag"]})).status_code == 204
    assert (await admin.get("/specs/toy.yaml")).status_code == 404


@pytest.mark.parametrize("name", ["..%2Fa.yaml", "a%2Fb.yaml", "%2e%2e", "a.txt", "%00.yaml", "A.yaml", ".a.yaml"])
async def test_no_name_leads_out_of_the_library(admin: httpx.AsyncClient, tmp_path: Path, name: str) -> None:
    (tmp_path / "a.yaml").write_bytes(SPEC)
    for kind in ("specs", "profiles"):
        for reply in (await admin.get(f"/{kind}/{name}"), await admin.put(f"/{kind}/{name}", content=SPEC)):
            assert reply.status_code in (404, 405, 422)
    assert beside_the_database(tmp_path) == ["a.yaml"]


def beside_the_database(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("switchgear"))


async def test_a_description_may_be_larger_than_other_bodies(admin: httpx.AsyncClient) -> None:
    large = SPEC + b"# " + b"x" * 5_000_000
    assert (await admin.put("/specs/large.yaml", content=large)).status_code == 201
    assert (await admin.put("/profiles/large.yaml", content=large)).status_code == 413


async def test_without_the_setting_there_is_no_library(lab: Any, server: Any) -> None:
    async with await client(server.url, lab, "admin") as asking:
        reply = await asking.get("/specs")
        assert (reply.status_code, "SWITCHGEAR_LIBRARY" in reply.json()["remedy"]) == (404, True)
        assert (await asking.put("/specs/a.yaml", content=SPEC)).status_code == 404


async def test_a_schedule_is_shown_by_its_name(admin: httpx.AsyncClient) -> None:
    wish = {"name": "nightly", "workflow": "toy-find-vm", "inputs": {"vm": "web-01"}, "cron": "0 3 * * *"}
    made = await admin.post("/schedules", json=wish)
    assert (await admin.get("/schedules/nightly")).json() == made.json()
    assert (await admin.get("/schedules/none")).status_code == 404
