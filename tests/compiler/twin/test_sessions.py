"""Who is let in: sessions in cookies and headers, their end, Basic, bearer tokens and API keys."""

import base64
from typing import Any

import pytest

from compiler.proofs.proof import VirtualClock
from compiler.twin import Credentials, Tempo, Twin, TwinReply, TwinRequest

LOGIN = {"username": "admin", "password": "switchgear", "useOIDC": False}
SESSIONS = "/redfish/v1/SessionService/Sessions"
ACCOUNT = {"UserName": "admin", "Password": "switchgear"}


def ask(twin: Twin, method: str, path: str, body: Any = None, **headers: str) -> TwinReply:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return twin.handle(TwinRequest(method, path, (), pairs, body, body is not None))


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def hyper(shipped: Any, clock: VirtualClock) -> Twin:
    return Twin(*shipped("hypercore"), now=clock, tempo=Tempo(session_s=100.0))


@pytest.fixture
def red(shipped: Any, clock: VirtualClock) -> Twin:
    return Twin(*shipped("idrac"), now=clock)


def cookie(twin: Twin) -> str:
    return str(ask(twin, "POST", "/login", LOGIN).header("set-cookie")).partition(";")[0]


def test_a_login_sets_the_cookie_and_says_the_same_token_in_the_body(hyper: Twin) -> None:
    reply = ask(hyper, "POST", "/login", LOGIN)
    assert reply.status == 200
    assert str(reply.header("set-cookie")).startswith(f"sessionID={reply.body['sessionID']};")


def test_the_cookie_opens_the_door_and_logging_out_closes_it(hyper: Twin) -> None:
    shown = cookie(hyper)
    assert ask(hyper, "GET", "/VirDomain", cookie=shown).status == 200
    ask(hyper, "POST", "/logout", cookie=shown)
    assert ask(hyper, "GET", "/VirDomain", cookie=shown).status == 503


def test_wrong_credentials_are_401_at_the_login_and_what_the_vendor_says_elsewhere(hyper: Twin) -> None:
    assert ask(hyper, "POST", "/login", {**LOGIN, "password": "guess"}).status == 401
    assert ask(hyper, "GET", "/VirDomain", authorization=basic("admin", "guess")).status == 503
    assert ask(hyper, "GET", "/VirDomain").status == 503


def test_basic_works_where_the_profile_says_so(hyper: Twin) -> None:
    assert ask(hyper, "GET", "/VirDomain", authorization=basic("admin", "switchgear")).status == 200
    assert ask(hyper, "GET", "/VirDomain", authorization="Basic ???").status == 503


def test_expired_sessions_are_answered_as_the_vendor_does_and_a_new_login_helps(hyper: Twin) -> None:
    shown = cookie(hyper)
    hyper.expire_sessions()
    assert ask(hyper, "GET", "/VirDomain", cookie=shown).status == 503
    assert ask(hyper, "GET", "/VirDomain", cookie=cookie(hyper)).status == 200


def test_a_session_that_is_not_used_expires_and_one_that_is_used_does_not(hyper: Twin, clock: VirtualClock) -> None:
    shown = cookie(hyper)
    for _ in range(3):
        clock.advance(90)
        assert ask(hyper, "GET", "/VirDomain", cookie=shown).status == 200
    clock.advance(101)
    assert ask(hyper, "GET", "/VirDomain", cookie=shown).status == 503


def test_a_session_in_a_header_is_an_item_that_closes_it_when_deleted(red: Twin) -> None:
    reply = ask(red, "POST", SESSIONS, ACCOUNT)
    token, address = str(reply.header("x-auth-token")), str(reply.header("location"))
    assert reply.status == 201
    assert ask(red, "GET", address, x_auth_token=token).body["UserName"] == "admin"
    assert "Password" not in ask(red, "GET", address, x_auth_token=token).body
    assert ask(red, "DELETE", address, x_auth_token=token).status in (200, 204)
    assert ask(red, "GET", "/redfish/v1/Systems", x_auth_token=token).status == 401


def test_open_operations_need_nothing_and_all_others_something(red: Twin) -> None:
    assert ask(red, "GET", "/redfish/v1").status == 200
    assert ask(red, "GET", "/redfish/v1/Systems").status == 401
    assert ask(red, "GET", "/redfish/v1/Nothing").status == 401


def test_two_sessions_are_two_tokens(red: Twin) -> None:
    first, second = (ask(red, "POST", SESSIONS, ACCOUNT) for _ in range(2))
    assert first.header("x-auth-token") != second.header("x-auth-token")
    assert first.header("location") != second.header("location")


def test_other_credentials_may_be_given(shipped: Any) -> None:
    twin = Twin(*shipped("idrac"), now=lambda: 0.0, credentials=Credentials("root", "calvin-2"))
    assert ask(twin, "POST", SESSIONS, ACCOUNT).status == 401
    assert ask(twin, "POST", SESSIONS, {"UserName": "root", "Password": "calvin-2"}).status == 201


@pytest.mark.parametrize(
    ("auth", "good", "bad"),
    [
        ({"kinds": ["bearer"]}, {"authorization": "Bearer switchgear-key"}, {"authorization": "Bearer other"}),
        ({"kinds": ["api_key"], "api_key_header": "X-Key"}, {"x_key": "switchgear-key"}, {"x_key": "other"}),
        ({"kinds": ["none"]}, {}, None),
    ],
)
def test_keys_are_asked_for_where_the_profile_says_so(made: Any, auth: Any, good: Any, bad: Any) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Keys", "version": "1"},
        "paths": {"/doors": {"get": {"responses": {"200": {"description": "open"}}}}},
    }
    device = made(document, {"api": "keys", "auth": auth})
    assert ask(device.twin, "GET", "/doors", **good).status == 200
    assert ask(device.twin, "GET", "/doors", **dict(device.twin.authorization())).status == 200 or "x-key" in str(auth)
    if bad is not None:
        assert ask(device.twin, "GET", "/doors", **bad).status == 401
        assert ask(device.twin, "GET", "/doors").status == 401


def test_a_token_out_of_a_login_opens_the_door_behind_the_word_of_the_profile_only(made: Any) -> None:
    token = {"type": "object", "properties": {"access_token": {"type": "string"}}, "required": ["access_token"]}
    answer = {"200": {"description": "in", "content": {"application/json": {"schema": token}}}}
    sent = {"type": "object", "properties": {"user": {"type": "string"}, "word": {"type": "string"}}}
    login = {"requestBody": {"content": {"application/json": {"schema": sent}}}, "responses": answer}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Tokens", "version": "1"},
        "paths": {"/login": {"post": login}, "/doors": {"get": {"responses": {"200": {"description": "open"}}}}},
    }
    session = {
        "login": "POST /login",
        "login_body": {"user": "{username}", "word": "{password}"},
        "token": {"at": "/access_token"},
        "send_as": {"within": "header", "at": "Authorization"},
        "scheme": "Bearer",
    }
    twin = made(document, {"api": "tokens", "auth": {"kinds": ["session"], "session": session}}).twin
    given = ask(twin, "POST", "/login", {"user": "admin", "word": "switchgear"}).body["access_token"]
    assert ask(twin, "GET", "/doors", authorization=f"Bearer {given}").status == 200
    assert ask(twin, "GET", "/doors", authorization=given).status == 401
    assert ask(twin, "GET", "/doors", **dict(twin.authorization())).status == 200
