"""The console: pages that show and do what the API lets their visitor, and nothing else; whatever is said in them."""

import re
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from runtime.app import build
from runtime.console import rendering
from runtime.console.app import _routes
from runtime.console.pages.people.login import _next
from runtime.credentials import COOKIE, TOKEN_COOKIE, csrf_of

WORDS = "seven blue lanterns"
PAGES = (
    "/", "/console/queue", "/console/workflows", "/console/workflows?state=approved", "/console/runs",
    "/console/targets", "/console/targets/lab", "/console/asks",
    "/console/catalog", "/console/catalog?q=stop", "/console/schedules",
    "/console/statistics", "/console/audit", "/console/audit?after=1", "/console/policy", "/console/access",
    "/console/events", "/console/library", "/console/bundles", "/console/me", "/console/sites", "/console/fleet",
    "/console/fleet?workflow=none",
    "/console/settings", "/console/workflows/toy-stop-vm", "/console/workflows/toy-find-vm/document",
    "/console/workflows/toy-find-vm/try",
)  # fmt: skip
# What each role may not look at.
CLOSED = {
    "viewer": {"statistics", "audit", "access", "events", "settings"},
    "operator": {"statistics", "audit", "access", "events", "settings"},
    "approver": {"access", "events", "settings"},
    "admin": set(),
}


class Seen(HTMLParser):
    """What a browser makes of a page: its elements with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def fields(self, name: str) -> list[str]:
        return [each.get("value", "") for tag, each in self.elements if tag == "input" and each.get("name") == name]


class Browser:
    """Somebody at the console: keeps cookies, follows nothing by itself, sends forms as pages do."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.csrf = ""

    async def get(self, path: str, status: int = 200) -> Seen:
        answer = await self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        seen = Seen(answer.text)
        self.csrf = (seen.fields("csrf") or [""])[0]
        return seen

    async def send(self, path: str, fields: Any, *, csrf: str | None = None) -> httpx.Response:
        pairs = [
            *(fields.items() if isinstance(fields, dict) else fields),
            ("csrf", self.csrf if csrf is None else csrf),
        ]
        data: dict[str, list[str]] = {}
        for name, value in pairs:
            data.setdefault(name, []).append(value)
        return await self.client.post(path, data=data)


@pytest.fixture
async def browsers(lab: Any) -> AsyncIterator[Any]:
    """Makes a browser for somebody with a role, logged in; `None`: a stranger's."""
    asgi = build(lab.service).asgi
    opened: list[httpx.AsyncClient] = []

    async def browser(role: Any = "admin", name: str = "") -> Browser:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://127.0.0.1")
        opened.append(client)
        if role is not None:
            token = await lab.token(role, name or f"{role}-{len(opened)}")
            client.cookies.set(TOKEN_COOKIE, token)
        return Browser(client)

    yield browser
    for each in opened:
        await each.aclose()


async def test_a_stranger_is_led_to_the_login_and_from_there_to_where_they_wanted(lab: Any, browsers: Any) -> None:
    await lab.service.users.add("ann", "approver", password=WORDS, actor="boss")
    browser = await browsers(None)
    asked = await browser.client.get("/console/queue?risk=read")
    assert asked.headers["location"] == "/console/login?next=%2Fconsole%2Fqueue%3Frisk%3Dread"
    login = await browser.get(asked.headers["location"])
    wrong = await browser.send("/console/login", {"name": "ann", "password": "wrong"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    sent = {"name": "ann", "password": WORDS, "next": login.fields("next")[0]}
    done = await browser.send("/console/login", sent)
    assert (done.status_code, done.headers["location"]) == (303, "/console/queue?risk=read")
    cookie = done.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert "ann" in (await browser.get("/console/queue")).text
    out = await browser.send("/console/logout", {})
    assert out.headers["location"] == "/console/login"
    assert (await browser.client.get("/console/queue")).status_code == 303


async def test_a_token_is_pasted_once_and_counts_for_the_console_alone(lab: Any, browsers: Any) -> None:
    browser = await browsers(None)
    token = await lab.token("viewer", "vic")
    for wrong in ("swg_" + "0" * 43, "two words", "x;y", "ü"):
        refused = await browser.send("/console/login", {"token": wrong})
        assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
    done = await browser.send("/console/login", {"token": token})
    cookie = done.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "max-age=43200", "path=/"))
    page = await browser.client.get("/console/queue")
    assert "vic" in page.text and token not in page.text
    assert (await browser.client.get("/workflows")).status_code == 401, "the API takes no cookie of the console"
    await lab.service.principals.revoke("vic")
    lab.service.authenticator.forget()
    assert (await browser.client.get("/console/queue")).status_code == 303


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/console/runs?outcome=failed", "/console/runs?outcome=failed"), ("//evil.example/", "/"), ("/\\evil", "/"),
        ("https://evil.example", "/"), ("/console/../mcp\r\nx: y", "/"), ("javascript:alert(1)", "/"), ("", "/"),
        ("/consolation", "/"), ('/console/"><script>', "/console/%22%3E%3Cscript%3E"),
    ],
)  # fmt: skip
def test_a_login_leads_to_addresses_of_the_console_alone(asked: str, led: str) -> None:
    assert _next(asked) == led


@pytest.mark.slow
async def test_each_role_sees_every_page_or_is_told_why_not(browsers: Any) -> None:
    for role in CLOSED:
        await sees_every_page(await browsers(role), role)


async def sees_every_page(browser: Browser, role: str) -> None:
    for path in PAGES:
        is_closed = any(part in CLOSED[role] for part in path.partition("?")[0].split("/"))
        answer = await browser.client.get(path)
        assert answer.status_code == (403 if is_closed else 200), (path, answer.text)
        check_page(answer)
        offered = {each["href"] for tag, each in Seen(answer.text).elements if tag == "a" and "href" in each}
        assert not {f"/console/{name}" for name in CLOSED[role]} & offered, "what is closed is not offered"


def check_page(answer: httpx.Response) -> None:
    """What holds for every page: its size, its headers, and nothing that could run or come from elsewhere."""
    assert len(answer.content) < 100_000
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert list(foul(Seen(answer.text))) == []


ELEMENTS = (
    "html head meta title link script body a header nav form span input button main footer div h1 h2 h3 p section ol ul"
    " li pre code table thead tbody tr th td label select option b br details summary dl dt dd time aside textarea svg"
    " text rect q blockquote img"
)
KNOWN = frozenset(ELEMENTS.split())


def foul(seen: Seen) -> Iterator[str]:
    """Elements and attributes that no template of ours has."""
    for tag, attributes in seen.elements:
        if tag not in KNOWN or (tag == "script" and not attributes.get("src", "").startswith("/console/static/")):
            yield tag
        for name, value in attributes.items():
            is_address = name in ("href", "src", "action", "formaction")
            if name.startswith("on") or name == "style" or (is_address and not value.startswith(("/", "#"))):
                yield f"{tag} {name}={value}"
            if is_address and value.startswith("//"):
                yield f"{tag} {name}={value}"


def test_what_is_foul_is_seen() -> None:
    page = "<p style=x><a href=javascript:x onclick=y>z</a><img src=//x><script>1</script>"
    assert len(list(foul(Seen(page)))) == 5


async def test_files_of_the_console_are_open_and_kept_for_good(browsers: Any) -> None:
    browser = await browsers(None)
    for name in rendering.STATIC:
        answer = await browser.client.get(rendering.static_path(name))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert (await browser.client.get("/console/static/0/../app.py")).status_code in (404, 303)
    assert (await browser.client.get("/console/static/0/app.py")).status_code == 404


CHANGING = (
    ("/console/decide", {"action": "approve", "item": "{id} {digest}"}),
    ("/console/workflows/{id}", {"action": "approve", "digest": "{digest}"}),
    ("/console/workflows/{id}", {"action": "disable", "reason": "x"}),
    ("/console/workflows/toy-find-vm/try", {"in.vm": "web-01"}),
    ("/console/runs/none", {"action": "cancel"}), ("/console/targets/lab", {}),
    ("/console/targets", {"name": "x", "api": "toy", "base_url": "https://10.0.0.5"}),
    ("/console/schedules", {"action": "pause"}),
    ("/console/asks/none", {"action": "let through"}),
    ("/console/audit", {}),
    ("/console/policy", {"action": "apply", "policy": "{}"}), ("/console/logout", {}),
    ("/console/access", {"action": "create token", "name": "mallory", "role": "admin"}),
    ("/console/events", {"action": "remove", "name": "x"}),
    ("/console/library", {"action": "remove", "kind": "specs", "name": "x.yaml"}),
    ("/console/sites", {"action": "forget", "name": "x"}), ("/console/fleet", {"action": "do", "workflow": "x"}),
    ("/console/me", {"old": WORDS, "new": "x", "again": "x"}),
    ("/console/bundles", {"action": "export", "name": "x", "version": "1"}),
)  # fmt: skip


async def test_a_form_without_the_visitors_own_csrf_token_does_nothing(lab: Any, browsers: Any) -> None:
    pending = await lab.submit("list")
    browser, other = await browsers(), await browsers("admin", "other")
    await other.get("/console/queue")
    await browser.get("/console/queue")
    before = len(await lab.service.audit.find(limit=1000))
    of_nobody = ("", other.csrf, browser.csrf[:-1], csrf_of(""))
    for number, (path, fields) in enumerate(CHANGING):
        filled = {k: v.replace("{id}", pending.id).replace("{digest}", pending.digest) for k, v in fields.items()}
        for csrf in of_nobody if number == 0 else (of_nobody[number % 4],):  # one place judges all of them
            answer = await browser.send(path.replace("{id}", pending.id), filled, csrf=csrf)
            assert (answer.status_code, "no CSRF token" in answer.text.replace("No csrf", "no CSRF")) == (403, True), (
                path
            )
    json_sent = await browser.client.post("/console/access", json={"csrf": browser.csrf, "action": "create token"})
    assert json_sent.status_code == 415
    assert len(await lab.service.audit.find(limit=1000)) == before
    assert (await lab.service.revisions.get(pending.id)).state == "pending"


def test_every_route_that_takes_a_form_is_in_the_list_of_those_that_are_tried() -> None:
    tried = {re.sub(r"\{id\}|toy-find-vm", "{ref}", path) for path, _ in CHANGING}
    tried = {re.sub("runs/none$", "runs/{run_id}", path).replace("asks/none", "asks/{ask}") for path in tried}
    tried = {path.replace("/targets/lab", "/targets/{name}") for path in tried}
    takes = {route.path for route in _routes() if "POST" in (getattr(route, "methods", None) or ())}
    assert takes - {"/console/login"} == tried


async def test_a_page_of_another_origin_can_send_nothing(browsers: Any) -> None:
    browser = await browsers()
    await browser.get("/console/access")
    fields = {"action": "create token", "name": "mallory", "role": "admin", "csrf": browser.csrf}
    for origin in ("https://evil.example", "null"):
        answer = await browser.client.post("/console/access", data=fields, headers={"origin": origin})
        assert answer.status_code == 403
    rebound = await browser.client.get("/console/queue", headers={"host": "evil.example"})
    assert rebound.status_code == 421


async def test_several_are_seen_together_and_approved_with_one_reason(lab: Any, browsers: Any) -> None:
    found = [await lab.submit(name, copy) for copy, name in enumerate(("find", "stop", "list"), 1)]
    browser = await browsers("approver", "ann")
    queue = await browser.get("/console/queue")
    assert set(queue.fields("chosen")) == {each.id for each in found}
    seen = await browser.get("/console/decide?" + "&".join(f"chosen={each.id}" for each in found))
    assert "POST /vms/{id}/stop" in seen.text
    items = [("item", value) for value in seen.fields("item")]
    assert len(items) == 3
    done = await browser.send("/console/decide", [*items, ("action", "approve"), ("reason", "tested in the lab")])
    assert "3 of 3 done" in done.text
    for each in found:
        now = await lab.service.revisions.get(each.id)
        assert (now.state, now.decided_by, now.reason) == ("approved", "ann", "tested in the lab")


async def test_of_several_each_is_decided_by_itself_and_told(lab: Any, browsers: Any) -> None:
    good, gone = await lab.submit("find", 1), await lab.submit("stop", 1)
    browser = await browsers("approver")
    seen = await browser.get(f"/console/decide?chosen={good.id}&chosen={gone.id}&chosen=nothing")
    assert "there is no revision nothing" in seen.text
    await lab.service.revisions.decide(gone.id, "reject", actor="x", role="admin", reason="no", digest=gone.digest)
    items = [
        ("item", f"{good.id} {good.digest}"),
        ("item", f"{gone.id} {gone.digest}"),
        ("item", f"{good.id} sha256:0"),
    ]
    done = await browser.send("/console/decide", [*items, ("action", "approve")])
    assert "1 of 3 done" in done.text
    assert "a revision that is rejected cannot be approved" in done.text


async def test_votes_and_why_it_is_not_yours_are_told_before_trying(lab: Any, browsers: Any) -> None:
    policy = {"classes": {"read": {"approvals": 2}}}
    await PolicyStore(lab.service.database).apply(policy_of(policy), actor="boss")
    own = await lab.submit("list", actor="ann")
    ann, bob = await browsers("approver", "ann"), await browsers("approver", "bob")
    assert "ann submitted it and may not approve it" in (await ann.get("/console/queue")).text
    page = await bob.get(f"/console/workflows/{own.id}")
    assert "0 of 2 approvals" in " ".join(page.text.split())
    voted = await bob.send(f"/console/workflows/{own.id}", {"action": "approve", "digest": own.digest})
    assert voted.status_code == 303
    again = await bob.get(f"/console/workflows/{own.id}")
    assert "bob has approved it already" in again.text
    assert (await lab.service.revisions.get(own.id)).state == "pending"


async def test_a_role_that_may_not_decide_is_refused_by_the_api_itself(lab: Any, browsers: Any) -> None:
    pending = await lab.submit("list")
    browser = await browsers("operator")
    page = await browser.get(f"/console/workflows/{pending.id}")
    assert "approve" not in [each.get("value") for tag, each in page.elements if tag == "button"]
    refused = await browser.send(f"/console/workflows/{pending.id}", {"action": "approve", "digest": pending.digest})
    assert (refused.status_code, "it takes approver" in refused.text) == (403, True)
    assert (await lab.service.revisions.get(pending.id)).state == "pending"


async def test_a_workflow_is_planned_in_a_form_then_applied_and_its_run_is_a_timeline(lab: Any, browsers: Any) -> None:
    browser = await browsers("operator")
    form = await browser.get("/console/workflows/toy-stop-vm/try")
    assert form.fields("in.uuid") == [""]
    plan = await browser.send("/console/workflows/toy-stop-vm/try", {"in.uuid": "u-1", "target": "lab"})
    seen = Seen(plan.text)
    assert (plan.status_code, len(seen.fields("plan_id"))) == (200, 1), plan.text
    assert "/api/vms/u-1/stop" in seen.text
    hidden = {name: seen.fields(name)[0] for name in ("plan_id", "inputs", "target")}
    done = await browser.send("/console/workflows/toy-stop-vm/try", hidden)
    assert done.status_code == 303, done.text
    run = await browser.get(done.headers["location"])
    assert "succeeded" in run.text
    assert "POST /vms/u-1/stop" in run.text and "waits 0.05 s" in run.text
    other = await browsers("operator")
    assert (await other.client.get(done.headers["location"])).status_code == 404, "another operator's run"


async def test_what_fails_is_told_on_the_page_of_its_run(browsers: Any) -> None:
    browser = await browsers("operator")
    await browser.get("/console/workflows/toy-find-vm/try")
    done = await browser.send("/console/workflows/toy-find-vm/try", {"in.vm": "db-99", "target": "lab"})
    run = await browser.get(done.headers["location"])
    assert "not_found" in run.text and "db-99" in run.text
    missing = await browser.send("/console/workflows/toy-find-vm/try", {"target": "lab"})
    assert (missing.status_code, "bad input" in missing.text.lower()) == (422, True)


async def test_lists_are_filtered_by_their_address(lab: Any, browsers: Any) -> None:
    await lab.submit("find", 1)
    await lab.submit("stop", 1)
    browser = await browsers("viewer")
    for query, names in (("risk=disrupt", {"toy-stop-vm-1"}), ("q=find", {"toy-find-vm-1"}), ("api=other", set())):
        text = (await browser.get(f"/console/queue?{query}")).text
        assert {name for name in ("toy-stop-vm-1", "toy-find-vm-1") if f"{name}@" in text} == names, query
    assert "422" not in (await browser.get("/console/queue?page=abc&limit=-3")).text
    refused = await browser.get("/console/queue?risk=grave", status=422)
    assert "risk" in refused.text


async def test_a_new_token_is_shown_once_and_stands_on_no_other_page(lab: Any, browsers: Any) -> None:
    browser = await browsers()
    await browser.get("/console/access")
    made = await browser.send("/console/access", {"action": "create token", "name": "agent", "role": "operator"})
    (secret,) = re.findall(r"swg_[\w-]+", made.text)
    for path in PAGES:
        assert secret not in (await browser.client.get(path)).text
    (row,) = [each for each in await lab.service.principals.list_tokens() if each.name == "agent"]
    assert (await browser.send("/console/access", {"action": "revoke", "name": row.id})).status_code == 303
    assert await lab.service.principals.authenticate(secret) is None


async def test_a_policy_is_tried_on_what_is_pending_and_decides_nothing(lab: Any, browsers: Any) -> None:
    pending = await lab.submit("list")
    browser = await browsers()
    await browser.get("/console/policy")
    wanted = "classes: {read: {approvals: 0}}"
    seen = await browser.send("/console/policy", {"action": "preview", "policy": wanted})
    assert "1 of 1 that are pending would be approved" in " ".join(Seen(seen.text).text.split())
    assert (await lab.service.revisions.get(pending.id)).state == "pending"
    for wrong in ("a: [", "classes: {read: {approvals: 99}}"):
        refused = await browser.send("/console/policy", {"action": "preview", "policy": wrong})
        assert refused.status_code == 422


async def test_without_any_credential_whoever_is_on_this_machine_is_told_what_to_do_first(
    lab: Any, browsers: Any
) -> None:
    browser = await browsers(None)
    page = await browser.get("/")
    assert "switchgear init" in page.text
    assert COOKIE not in browser.client.cookies
    pending = await lab.submit("list")
    await browser.get(f"/console/workflows/{pending.id}")
    done = await browser.send(f"/console/workflows/{pending.id}", {"action": "approve", "digest": pending.digest})
    assert done.status_code == 303
    assert (await lab.service.revisions.get(pending.id)).state == "approved"


async def test_a_workflow_is_drawn_as_an_image_in_which_nothing_could_run(browsers: Any) -> None:
    browser = await browsers("viewer")
    page = await browser.get("/console/workflows/toy-stop-vm")
    (image,) = [each for tag, each in page.elements if tag == "img"]
    drawn = await browser.client.get(image["src"])
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
    assert "sandbox" in drawn.headers["content-security-policy"]
    assert "<script" not in drawn.text
    assert (await browser.client.get("/console/workflows/none/graph")).status_code == 404


async def test_a_call_that_asks_is_seen_with_its_requests_and_let_through(lab: Any, browsers: Any) -> None:
    await PolicyStore(lab.service.database).apply(policy_of({"ask": [{"classes": ["disrupt"]}]}), actor="boss")
    agent, ann = await browsers("operator", "agent"), await browsers("approver", "ann")
    await agent.get("/console/workflows/toy-stop-vm/try")
    plan = Seen((await agent.send("/console/workflows/toy-stop-vm/try", {"in.uuid": "u-1", "target": "lab"})).text)
    hidden = {name: plan.fields(name)[0] for name in ("inputs", "target")}
    waits = await agent.send("/console/workflows/toy-stop-vm/try", {"in.uuid": "u-1", "target": "lab", "ask": "yes"})
    assert "waits for a person" in waits.text
    queue = await ann.get("/console/queue")
    assert "Calls that wait for a person: 1" in queue.text
    (path,) = {each["href"] for tag, each in queue.elements if each.get("href", "").startswith("/console/asks/")}
    page = await ann.get(path)
    assert "/api/vms/u-1/stop" in page.text
    refused = await agent.send(path, {"action": "let through"})
    assert refused.status_code == 403
    assert (await ann.send(path, {"action": "let through", "reason": "go"})).status_code == 303
    done = await agent.send("/console/workflows/toy-stop-vm/try", {**hidden, "ask": "yes", "in.uuid": "u-1"})
    assert done.status_code == 303, done.text
    assert "succeeded" in (await agent.get(done.headers["location"])).text
