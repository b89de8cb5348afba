"""Logging in: a cookie for a browser alone, a CSRF token for what changes something, and no guessing."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from governance.people.scopes import AccessScope
from runtime.admission.rates import Rates
from runtime.app import build
from runtime.auth.access import RULES
from runtime.auth.login import PER_ADDRESS, PER_NAME_AND_ADDRESS
from runtime.auth.refusals import Refusals
from runtime.credentials import COOKIE, CSRF_HEADER, csrf_of

WORDS = "seven blue lanterns"
Ask = Any


@pytest.fixture
async def people(lab: Any) -> Any:
    for name, role in (("ann", "admin"), ("vic", "viewer")):
        await lab.service.users.add(name, role, password=WORDS, actor="boss")
    return lab


@pytest.fixture
async def browser(people: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(people) as client:
        yield client


def opened(house: Any, *, base: str = "http://127.0.0.1", address: str = "127.0.0.1", **more: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(build(house.service, **more).asgi, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url=base)


async def logged_in(client: httpx.AsyncClient, name: str = "ann", password: str = WORDS) -> httpx.Response:
    return await client.post("/login", json={"name": name, "password": password})


async def test_a_login_gives_a_cookie_for_the_browser_alone(browser: httpx.AsyncClient) -> None:
    answer = await logged_in(browser)
    assert answer.status_code == 200
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert parts == {"httponly", "samesite=strict", "path=/"}
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["name"], answer.json()["role"], answer.json()["via"]) == ("ann", "admin", "session")
    assert browser.cookies[COOKIE] not in answer.text
    who = (await browser.get("/session")).json()
    assert who == answer.json()


@pytest.mark.parametrize(("base", "origin"), [("https://127.0.0.1", ""), ("http://127.0.0.1", "https://127.0.0.1")])
async def test_over_tls_and_behind_it_the_cookie_is_secure_and_bound_to_the_host(
    people: Any, base: str, origin: str
) -> None:
    async with opened(people, base=base) as client:
        client.headers.update({"origin": origin} if origin else {})
        answer = await logged_in(client)
        name, _, rest = answer.headers["set-cookie"].partition("=")
        assert name == f"__Host-{COOKIE}"
        assert "secure" in rest.lower()
        client.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]
        assert (await client.get("/session")).json()["name"] == "ann"
        plain = {"cookie": client.headers["cookie"].removeprefix("__Host-")}
        assert (await client.get("/session", headers=plain)).status_code == (401 if base[:5] == "https" else 200)


async def test_whatever_is_wrong_is_answered_alike_and_recorded(people: Any, browser: httpx.AsyncClient) -> None:
    await people.service.users.add("gone", "admin", password=WORDS, actor="boss")
    await people.service.users.disable("gone", actor="boss")
    wrong = [await logged_in(browser, *each) for each in (("ann", "wrong"), ("nobody", WORDS), ("gone", WORDS))]
    assert {(each.status_code, each.text) for each in wrong} == {(401, wrong[0].text)}
    assert all("set-cookie" not in each.headers for each in wrong)
    rows = await people.service.audit.find(action="login.failed")
    assert [row.subject for row in rows] == ["login:ann", "login:unknown", "login:gone"]
    assert WORDS not in repr(rows)


@pytest.mark.parametrize("body", [{}, {"name": "ann"}, {"name": "x" * 65, "password": "x"}, {"name": 1, "password": 2}])
async def test_what_is_no_login_is_a_problem(browser: httpx.AsyncClient, body: Any) -> None:
    answer = await browser.post("/login", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    text = json.dumps({"name": "ann", "password": WORDS})
    as_form = await browser.post("/login", content=text, headers={"content-type": "text/plain"})
    assert as_form.status_code == 422, "a form of another page could send this without asking"


async def test_what_changes_something_takes_the_csrf_token_of_the_same_session(
    people: Any, browser: httpx.AsyncClient
) -> None:
    csrf = (await logged_in(browser)).json()["csrf_token"]
    other = csrf_of("sws_another")
    for shown in ({}, {CSRF_HEADER: ""}, {CSRF_HEADER: other}, {CSRF_HEADER: csrf[:-1]}, {CSRF_HEADER: csrf + "0"}):
        refused = await browser.post("/reload", headers=shown)
        assert (refused.status_code, refused.json()["title"]) == (403, "no CSRF token"), shown
    assert (await browser.post("/reload", headers={CSRF_HEADER: csrf})).status_code == 200
    assert (await browser.get("/workflows")).status_code == 200


async def test_no_changing_route_is_reached_by_a_cookie_alone(browser: httpx.AsyncClient) -> None:
    await logged_in(browser)
    changing = [rule for rule in RULES if rule.method != "GET" and rule.role and rule.path != "/mcp"]
    assert len(changing) > 15
    for rule in changing:
        answer = await browser.request(rule.method, rule.path.replace("{", "").replace("}", ""), json={})
        assert (answer.status_code, answer.json()["title"]) == (403, "no CSRF token"), rule


async def test_a_cookie_does_not_open_mcp(browser: httpx.AsyncClient) -> None:
    csrf = (await logged_in(browser)).json()["csrf_token"]
    for method in ("GET", "POST", "DELETE"):
        assert (await browser.request(method, "/mcp", headers={CSRF_HEADER: csrf})).status_code == 401


async def test_whoever_shows_a_token_is_meant_by_the_token(people: Any, browser: httpx.AsyncClient) -> None:
    await logged_in(browser)
    secret = await people.token("viewer", "cam")
    assert (await browser.get("/session", headers={"authorization": f"Bearer {secret}"})).json()["name"] == "cam"
    assert (await browser.get("/session", headers={"authorization": "Bearer wrong"})).status_code == 401


async def test_logging_out_ends_the_session_and_takes_the_cookie_away(people: Any, browser: httpx.AsyncClient) -> None:
    csrf = (await logged_in(browser)).json()["csrf_token"]
    kept = browser.cookies[COOKIE]
    answer = await browser.post("/logout", headers={CSRF_HEADER: csrf})
    assert answer.status_code == 204
    assert COOKIE not in browser.cookies
    browser.cookies[COOKIE] = kept
    assert (await browser.get("/workflows")).status_code == 401
    actions = [row.action for row in await people.service.audit.find() if row.subject.startswith("session:")]
    assert actions == ["session.opened", "session.ended"]


async def test_logging_out_with_a_token_is_no_logging_out(people: Any, browser: httpx.AsyncClient) -> None:
    secret = await people.token("viewer", "cam")
    answer = await browser.post("/logout", headers={"authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["title"]) == (409, "no session")


@pytest.mark.slow
async def test_a_person_changes_their_own_password_with_the_old_one(people: Any, browser: httpx.AsyncClient) -> None:
    headers = {CSRF_HEADER: (await logged_in(browser)).json()["csrf_token"]}
    wrong = await browser.post("/password", headers=headers, json={"old": "wrong", "new": "another five words here"})
    assert wrong.status_code == 401
    bad = await browser.post("/password", headers=headers, json={"old": WORDS, "new": "short"})
    assert (bad.status_code, "short" in bad.text) == (422, False)
    done = await browser.post("/password", headers=headers, json={"old": WORDS, "new": "another five words here"})
    assert done.status_code == 204
    assert (await browser.get("/session")).status_code == 401
    assert (await logged_in(browser)).status_code == 401
    assert (await logged_in(browser, password="another five words here")).status_code == 200


async def test_a_disabled_user_is_out_of_the_open_session_and_with_their_token(
    people: Any, browser: httpx.AsyncClient
) -> None:
    headers = {CSRF_HEADER: (await logged_in(browser)).json()["csrf_token"]}
    async with opened(people) as victim:
        await logged_in(victim, "vic")
        token = {"authorization": f"Bearer {await people.token('operator', 'vics-laptop')}"}
        await browser.patch("/users/vic", headers=headers, json={"also": ["vics-laptop"]})
        assert (await victim.get("/workflows")).status_code == 200
        assert (await browser.get("/workflows", headers=token)).status_code == 200
        assert (await browser.post("/users/vic/disable", headers=headers)).status_code == 200
        assert (await victim.get("/workflows")).status_code == 401
        assert (await browser.get("/workflows", headers=token)).status_code == 401


@pytest.mark.slow
async def test_guessing_is_slowed_by_name_at_an_address_and_nobody_else_is_held_up(people: Any) -> None:
    async with opened(people, address="192.0.2.1") as guesser:
        most = PER_NAME_AND_ADDRESS[0]
        tried = await asyncio.gather(*(logged_in(guesser, "ann", "wrong words") for _ in range(most + 1)))
        assert sorted(each.status_code for each in tried) == [401] * most + [429]
        late = await logged_in(guesser)
        assert (late.status_code, 1 <= int(late.headers["retry-after"]) <= PER_NAME_AND_ADDRESS[1]) == (429, True)
        assert (await logged_in(guesser, "vic")).status_code == 200
        shared = guesser._transport.app  # type: ignore[attr-defined]  # the same server, from elsewhere
        elsewhere = httpx.ASGITransport(shared, client=("192.0.2.2", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://127.0.0.1") as owner:
            assert (await logged_in(owner)).status_code == 200


@pytest.mark.slow
async def test_guessing_many_names_is_slowed_by_the_address(people: Any) -> None:
    async with opened(people, address="192.0.2.1") as guesser:
        names = [f"name-{number}" for number in range(PER_ADDRESS[0] + 3)]
        tried = await asyncio.gather(*(logged_in(guesser, name, "wrong words") for name in names))
        assert sorted(each.status_code for each in tried) == [401] * PER_ADDRESS[0] + [429] * 3


@pytest.mark.slow
async def test_logging_in_rightly_is_not_counted(people: Any, browser: httpx.AsyncClient) -> None:
    assert {(await logged_in(browser)).status_code for _ in range(PER_NAME_AND_ADDRESS[0] + 3)} == {200}


def test_a_bucket_of_tries_fills_again() -> None:
    now = [0.0]
    tries = Rates(1 / 30, lambda: now[0], most=5)
    assert [tries.wait_s("ann") for _ in range(6)] == [0, 0, 0, 0, 0, 30]
    now[0] = 30
    assert [tries.wait_s("ann"), tries.wait_s("ann")] == [0, 30]
    tries.give_back("ann")
    assert [tries.wait_s("ann"), tries.wait_s("ann")] == [0, 30]


async def test_what_strangers_are_refused_does_not_fill_the_audit_and_is_counted(lab: Any) -> None:
    now = [0.0]
    refusals = Refusals(lab.service.audit, Rates(1 / 30, lambda: now[0], most=3))
    for _ in range(50):
        await refusals.note("login.failed", "login:unknown", {})
    assert len(await lab.service.audit.find(action="login.failed")) == 3
    now[0] = 30
    await refusals.note("login.failed", "login:ann", {})
    assert (await lab.service.audit.find(action="login.failed"))[-1].detail == {"untold_before": 47}


async def test_a_session_is_limited_to_the_scope_of_its_user(people: Any) -> None:
    await people.service.users.add(
        "part", "admin", password=WORDS, scope=AccessScope(workflows=("toy-find*",)), actor="b"
    )
    async with opened(people) as client:
        await logged_in(client, "part")
        assert {each["workflow_id"] for each in (await client.get("/workflows")).json()} == {"toy-find-vm"}
        assert (await client.get("/audit")).status_code == 403


async def test_a_cookie_of_another_server_does_not_keep_anybody_out_of_one_without_credentials(lab: Any) -> None:
    async with opened(lab) as client:
        client.cookies[COOKIE] = "sws_of_another_server"
        assert (await client.get("/session")).json()["via"] == "this machine"


async def test_the_first_user_closes_the_server(lab: Any) -> None:
    async with opened(lab) as client:
        body = {"name": "ann", "role": "admin", "password": WORDS}
        assert (await client.post("/users", json=body)).status_code == 201
        assert (await client.get("/users")).status_code == 401


async def test_users_are_administered_over_rest(people: Any, browser: httpx.AsyncClient) -> None:
    headers = {CSRF_HEADER: (await logged_in(browser)).json()["csrf_token"]}
    made = await browser.post(
        "/users", headers=headers, json={"name": "bob", "role": "viewer", "also": ["jwt:4711"], "password": WORDS}
    )
    assert (made.status_code, made.json()["also"], WORDS in made.text) == (201, ["jwt:4711"], False)
    again = await browser.post("/users", headers=headers, json={"name": "bob", "role": "viewer"})
    assert again.status_code == 409
    changed = await browser.patch("/users/bob", headers=headers, json={"role": "approver", "scope": {"apis": ["toy"]}})
    assert (changed.json()["role"], changed.json()["scope"]) == ("approver", {"apis": ["toy"]})
    for path, body in (("disable", None), ("enable", None), ("password", {"password": "another five words here"})):
        assert (await browser.post(f"/users/bob/{path}", headers=headers, json=body)).status_code == 200
        assert (await browser.post(f"/users/none/{path}", headers=headers, json=body)).status_code == 404
    listed = (await browser.get("/users")).json()
    assert [each["name"] for each in listed["users"]] == ["ann", "bob", "vic"]
    assert listed["faults"] == []
    rows = await people.service.audit.find(subject="user:bob")
    assert {row.actor for row in rows} == {"ann"}


@pytest.mark.slow
async def test_a_schedule_goes_on_with_its_users_rights_and_stops_when_they_are_disabled(people: Any) -> None:
    door, users = people.service.authenticator, people.service.users
    caller = await door.standing("ann")
    assert (caller.name, caller.role) == ("ann", "admin")
    await people.token("operator", "anns-ci")
    await users.change("ann", also=("anns-ci",), actor="boss")
    assert await door.standing("anns-ci")
    await users.disable("ann", actor="boss")
    assert await door.standing("ann") is None
    assert await door.standing("anns-ci") is None


async def test_refused_signatures_are_recorded(people: Any, browser: httpx.AsyncClient) -> None:
    await people.service.webhooks.add("desk", "env:NOTHING", actor="boss")
    assert (await browser.post("/webhooks/desk", content=b"{}")).status_code == 401
    assert (await browser.post("/webhooks/none", content=b"{}")).status_code == 401
    rows = await people.service.audit.find(action="webhook.refused")
    assert [row.subject for row in rows] == ["signature:desk", "signature:unknown"]
    assert await people.service.webhooks.find("desk"), "what strangers do must not change what is believed of a sender"
