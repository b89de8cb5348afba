"""What the console keeps: targets, users, schedules, endpoints and senders, added, changed and removed by forms.

Each through the API in the visitor's rights; what is refused there is told on a page. And what it shows in parts: a
result as table, tree and JSON, a catalog with the eyes of an agent that there is not yet, an export row by row.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from governance.people.scopes import AccessScope
from runtime.app import build
from runtime.console.results import FORMS, MOST_BYTES, fitting, shown
from runtime.console.timeline import MOST_ENTRIES, shortened
from runtime.credentials import TOKEN_COOKIE
from tests.runtime.visits import Visit, visits


@pytest.fixture
async def visit(lab: Any) -> AsyncIterator[Any]:
    async with visits(lab) as made:
        yield made


TARGET = {
    "name": "rack", "api": "toy", "base_url": "https://10.0.0.5", "mode": "live", "tls": "verify",
    "password_ref": "env:RACK", "labels": "site=oslo, rack=3", "connections": "2", "requests_per_s": "1.5",
}  # fmt: skip


async def test_a_target_is_added_changed_and_removed_by_who_has_seen_it(lab: Any, visit: Any) -> None:
    admin = await visit()
    await admin.get("/console/targets")
    added = await admin.send("/console/targets", **TARGET)
    assert (added.status_code, added.headers.get("location")) == (303, "/console/targets/rack"), added.text
    (stored,) = [each for each in await lab.service.targets.list_targets() if each.name == "rack"]
    assert (stored.password_ref, dict(stored.labels)) == ("env:RACK", {"site": "oslo", "rack": "3"})
    assert (stored.limits.connections, stored.limits.requests_per_s) == (2, 1.5)
    page = await admin.get("/console/targets/rack")
    assert "Not spoken to since the server started" in page
    seen = admin.fields["seen"]
    changed = {**TARGET, "base_url": "https://10.0.0.6", "seen": seen, "action": "change"}
    assert (await admin.send("/console/targets/rack", **changed)).status_code == 303
    again = await admin.send("/console/targets/rack", **changed)
    assert (again.status_code, "stale" in again.text) == (412, True), "somebody changed it meanwhile"
    await admin.get("/console/targets/rack")
    assert (await admin.send("/console/targets/rack", seen=seen, action="remove")).status_code == 412
    gone = await admin.send("/console/targets/rack", seen=admin.fields["seen"], action="remove")
    assert (gone.status_code, gone.headers["location"]) == (303, "/console/targets")
    assert [each.name for each in await lab.service.targets.list_targets()] == ["lab"]


NONE = (
    ("labels", "oslo", 422), ("connections", "two", 422), ("base_url", "10.0.0.5", 422), ("api", "toi", 422),
    ("password_ref", "file:/etc/passwd", 403), ("password_ref", "hunter2", 422),
)  # fmt: skip


async def test_a_wish_that_is_none_is_told_and_stores_nothing(lab: Any, visit: Any) -> None:
    admin = await visit()
    await admin.get("/console/targets")
    for field, value, status in NONE:
        refused = await admin.send("/console/targets", **{**TARGET, field: value})
        assert refused.status_code == status, field
        assert "hunter2" not in refused.text
    assert len(await lab.service.targets.list_targets()) == 1


async def test_who_may_not_keep_targets_is_offered_no_form_and_is_refused(lab: Any, visit: Any) -> None:
    operator = await visit("operator")
    for path in ("/console/targets", "/console/targets/lab"):
        page = await operator.get(path)
        assert "Add a target" not in page and "Change or remove it" not in page
    await operator.get("/console/targets/lab")
    assert (await operator.send("/console/targets", **TARGET)).status_code == 403
    assert (await operator.send("/console/targets/lab", action="remove", seen="")).status_code == 403


async def test_a_target_shows_its_sessions_its_queue_and_its_breaker(lab: Any, visit: Any, device: Any) -> None:
    operator = await visit("operator")
    await lab.service.calls.call(
        lab.service.live.now.find("toy-find-vm"), {"vm": "web-01"}, None, (await _caller(lab, "operator-1"))
    )
    page = await operator.get("/console/targets/lab")
    assert "Queue 0 requests under way, 0 in line" in page
    assert "Sessions 0 open" in page and "Breaker closed" in page
    (line,) = lab.service.driver._lines.values()
    for _ in range(5):
        line.breaker.failed(10**9, "lab: it hung up")
    assert "open left in peace for" in await operator.get("/console/targets/lab")
    assert "after 5 failures in a row; the last one: lab: it hung up" in await operator.get("/console/targets/lab")


async def _caller(lab: Any, name: str) -> Any:
    return await lab.service.authenticator.standing(name)


async def test_a_user_is_added_with_a_password_that_stands_on_no_page(lab: Any, visit: Any) -> None:
    admin = await visit()
    await admin.get("/console/access")
    words = "seven blue lanterns"
    told = {"action": "add user", "name": "ola", "role": "approver", "password": words, "also": "jwt:ola"}
    added = await admin.send("/console/access", **told, risks="read, change", labels="site=oslo")
    assert added.status_code == 303, added.text
    page = await admin.get("/console/access")
    assert "ola approver jwt:ola" in page and words not in page
    (user,) = (await lab.service.users.survey()).users
    assert user.scope == AccessScope(risks=("change", "read"), labels=(("site", "oslo"),))
    opened = await admin.client.post("/login", json={"name": "ola", "password": words})
    assert opened.status_code == 200, opened.text


async def test_a_user_gets_another_role_from_an_admin_and_another_password_from_themselves(
    lab: Any, visit: Any
) -> None:
    admin, old, new = await visit(), "seven blue lanterns", "eight green boats"
    await admin.get("/console/access")
    await admin.send("/console/access", action="add user", name="ola", role="viewer", password=old)
    change = {"action": "change user", "name": "ola", "was": "viewer", "role": "approver", "password": ""}
    assert (await admin.send("/console/access", **change)).status_code == 303
    (user,) = (await lab.service.users.survey()).users
    assert user.role == "approver"
    async with visits(lab) as made:
        ola = await made("viewer")
        ola.client.cookies.clear()
        assert (await ola.client.post("/console/login", data={"name": "ola", "password": old})).status_code == 303
        assert "Logged in by session" in await ola.get("/console/me")
        for wrong in ({"old": old, "new": new, "again": "x"}, {"old": "x", "new": new, "again": new}):
            assert (await ola.send("/console/me", **wrong)).status_code == 422
        assert (await ola.client.get("/console/me")).status_code == 200, "nothing was changed"
        done = await ola.send("/console/me", old=old, new=new, again=new)
        assert (done.status_code, done.headers["location"]) == (303, "/console/login")
        assert (await ola.client.get("/console/me")).status_code == 303
        assert (await ola.client.post("/console/login", data={"name": "ola", "password": new})).status_code == 303


async def test_a_schedule_is_added_by_who_may_run_it(lab: Any, visit: Any) -> None:
    operator = await visit("operator")
    assert "Add a schedule" in await operator.get("/console/schedules?workflow=toy-find-vm")
    wish = {"action": "add", "name": "nightly", "workflow": "toy-find-vm", "cron": "30 2 * * *", "zone": "UTC"}
    for inputs, status in (("[1]", 422), ("{", 422), ('{"vm": 7}', 422), ('{"vm": "web-01"}', 303)):
        assert (await operator.send("/console/schedules", **wish, inputs=inputs)).status_code == status, inputs
    assert "nightly" in await operator.get("/console/schedules")
    stored = await lab.service.schedules.get("nightly")
    assert (stored.inputs, stored.created_by) == ({"vm": "web-01"}, "operator-1")
    viewer = await visit("viewer")
    assert "Add a schedule" not in await viewer.get("/console/schedules")


async def test_endpoints_and_senders_are_kept_by_admins(lab: Any, visit: Any) -> None:
    admin = await visit()
    await admin.get("/console/events")
    told = {"action": "add endpoint", "name": "chat", "url": "https://chat.example/x", "secret_ref": "env:CHAT"}
    assert (await admin.send("/console/events", **told, kinds="call.waiting")).status_code == 303
    (endpoint,) = await lab.service.endpoints.list_endpoints()
    assert (endpoint.kinds, endpoint.created_by) == (("call.waiting",), "admin-1")
    sender = {"action": "add sender", "name": "desk", "secret_ref": "env:DESK", "risks": "read"}
    assert (await admin.send("/console/events", **sender)).status_code == 303
    own = await admin.send("/console/events", **{**sender, "name": "own", "secret_ref": "file:/etc/passwd"})
    assert (own.status_code, "switchgear webhooks add" in own.text) == (403, True)
    (webhook,) = await lab.service.webhooks.list_webhooks()
    assert (webhook.name, webhook.scope) == ("desk", AccessScope(risks=("read",)))
    page = await admin.get("/console/events")
    assert "chat https://chat.example/x" in page and "desk env:DESK" in page
    for action, name in (("remove", "chat"), ("remove sender", "desk")):
        assert (await admin.send("/console/events", action=action, name=name)).status_code == 303
    assert (await lab.service.endpoints.list_endpoints(), await lab.service.webhooks.list_webhooks()) == ((), ())


async def test_the_catalog_is_seen_and_searched_as_an_agent_of_a_role_would(lab: Any, visit: Any) -> None:
    admin = await visit()
    page = await admin.get("/console/catalog?role=operator&risk=read&q=stop+a+machine")
    assert "The catalog as somebody with the role operator sees it" in page
    assert "toy_find_vm" in page and "toy_stop_vm" not in page, "nor is it found"
    assert re.search(r"What search_workflows answers to “stop a machine” \(\d+ tokens\)", page)
    assert "toy_stop_vm" in await admin.get("/console/catalog?role=operator&q=stop+a+machine")
    assert "is not let in by MCP" in await admin.get("/console/catalog?role=viewer")
    limited = await lab.service.principals.create_token("little", "viewer", scope=AccessScope(risks=("read",)))
    headers = {"authorization": f"Bearer {limited[1]}"}
    refused = await admin.client.get("/catalog?role=admin", headers=headers)
    assert refused.status_code == 403, "who sees a part sees not what others might"


async def test_an_export_comes_row_by_row_and_a_refusal_is_a_page(lab: Any, visit: Any) -> None:
    admin, operator = await visit(), await visit("operator")
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()  # whoever exports stays

    request = admin.client.build_request("GET", "/console/audit/export?subject=target:lab")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/console/audit/export", "raw_path": b"/console/audit/export", "query_string": b"action=token.created",
        "headers": [(b"host", b"127.0.0.1"), (b"cookie", request.headers["cookie"].encode())],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "", "state": {},
    }  # fmt: skip
    await build(lab.service).asgi(scope, receive, send)
    head, *parts = sent
    headers = {name.decode(): value.decode() for name, value in head["headers"]}
    assert (head["status"], headers["content-type"]) == (200, "application/x-ndjson")
    assert "attachment" in headers["content-disposition"] and "default-src 'none'" in headers["content-security-policy"]
    rows = [part["body"] for part in parts if part.get("body")]
    assert len(rows) == 2, "each row by itself"
    assert [orjson.loads(row)["action"] for row in rows] == ["token.created"] * 2
    refused = await operator.client.get("/console/audit/export")
    assert (refused.status_code, refused.headers["content-type"]) == (403, "text/html; charset=utf-8")


async def test_a_result_is_shown_in_the_form_that_the_address_names_and_given_whole(lab: Any, visit: Any) -> None:
    operator = await visit("operator")
    await operator.get("/console/workflows/toy-find-vm/try")
    done = await operator.send("/console/workflows/toy-find-vm/try", **{"in.vm": "web-01", "target": "lab"})
    path = done.headers["location"]
    assert "uuid u-1" in await operator.get(f"{path}?as=tree")
    assert '"uuid": "u-1"' in await operator.get(f"{path}?as=json")
    whole = await operator.client.get(f"{path}/result")
    assert (whole.json(), whole.headers["content-type"]) == ({"uuid": "u-1", "state": "on"}, "application/json")
    assert "attachment" in whole.headers["content-disposition"]
    other = await visit("operator")
    assert (await other.client.get(f"{path}/result")).status_code == 404, "another operator's run"


ROWS = [{"name": f"vm-{n}", "state": {"on": True}, **({"note": "x"} if n % 2 else {})} for n in range(300)]


def test_a_table_has_a_column_for_every_member_and_says_what_is_not_in_it() -> None:
    result = shown({"cluster": {"vms": ROWS}, "count": 300}, "table")
    (table,) = result.tables
    assert (table.name, table.columns, table.total) == ("cluster vms", ("name", "state", "note"), 300)
    assert (table.rows[0], table.rows[1]) == (("vm-0", '{"on":true}', ""), ("vm-1", '{"on":true}', "x"))
    assert result.is_cut and len(table.rows) <= 200
    assert shown({"a": 1}, "table").form == "tree", "where nothing is a list of objects"
    assert shown([], "nonsense").form == "tree"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "value",
    [{"vms": ROWS * 100}, {"text": "x" * 10**6}, {f"k{n}": "y" * 50 for n in range(5000)}, [[[["z" * 9000]] * 9] * 9]],
    ids=["rows", "text", "members", "nested"],
)
def test_whatever_a_result_is_a_page_has_room_for_what_is_shown_of_it(form: str, value: Any) -> None:
    result = shown(value, form)
    cells = sum(len(cell) for table in result.tables for row in table.rows for cell in row)
    assert cells + len(orjson.dumps(result.tree)) + len(result.text) < 1.1 * MOST_BYTES + 10
    assert result.is_cut


def test_what_fits_is_shown_as_it_is() -> None:
    assert fitting({"vms": ROWS[:50]}) == {"vms": ROWS[:50]}


def test_a_long_run_is_told_by_its_first_and_last_requests_and_as_much_of_their_bodies_as_fits() -> None:
    body = {"x": "y" * 4000}
    entry = {"kind": "request", "sent": {"body": body}, "answered": {"body": body}}
    told = shortened([{**entry, "seq": number} for number in range(500)])
    assert len(told) == MOST_ENTRIES + 1
    assert (told[0]["seq"], told[-1]["seq"]) == (0, 499)
    assert [each["count"] for each in told if each["kind"] == "more"] == [500 - MOST_ENTRIES]
    assert sum(len(each.get("sent_text", "")) + len(each.get("answer_text", "")) for each in told) < 40_000


async def test_files_of_the_library_are_put_changed_and_removed_by_admins_alone(lab: Any, tmp_path: Path) -> None:
    spec = "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\n"
    application = build(lab.service, folder=str(tmp_path / "library"))
    _, secret = await lab.service.principals.create_token("ann", "admin")
    _, other = await lab.service.principals.create_token("eve", "viewer")
    transport = httpx.ASGITransport(application.asgi, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        admin = Visit(client)
        client.cookies.set(TOKEN_COOKIE, secret)
        await admin.get("/console/library")
        put = await admin.send("/console/library", action="put", kind="specs", name="a.yaml", text=spec)
        bad = await admin.send("/console/library", action="put", kind="specs", name="../a.yaml", text=spec)
        page = await admin.get("/console/library?kind=specs&name=a.yaml")
        blind = await admin.send("/console/library", action="put", kind="specs", name="a.yaml", text=spec)
        seen = admin.fields["seen"]
        removed = await admin.send("/console/library", action="remove", kind="specs", name="a.yaml", seen=seen)
        client.cookies.set(TOKEN_COOKIE, other)
        viewer = Visit(client)
        looked = await viewer.get("/console/library")
    assert (put.status_code, removed.status_code) == (303, 303), put.text
    assert (bad.status_code, blind.status_code) == (404, 428)
    assert "info: {title: A, version: '1'}" in page
    assert "Put a file" not in looked
