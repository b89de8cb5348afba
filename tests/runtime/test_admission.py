"""How a request gets in when the device makes it hard: no session left, a session lost, a login cut off, an old tag.

Each device is a raw socket with a script. What must hold: a login that is refused for lack of room is never told as a
wrong password; a change is sent again only when it is sure that it was refused for its session; no session is leaked.
"""

import asyncio
from typing import Any

import pytest

from runtime.driver import Driver
from runtime.secrets import Vault
from workflow.requests.events import RequestFailed, ResponseArrived

FULL = b'{"error": {"code": "RAC0218", "message": "The maximum number of user sessions is reached."}}'
BASIC = "Basic b3BlcmF0b3I6czNjcmV0LXdvcmQ="
RULE = {
    "login": "POST /login",
    "login_body": {"user": "{username}", "word": "{password}"},
    "token": {"within": "header", "at": "X-Token"},
    "send_as": {"within": "header", "at": "X-Token"},
    "address": {"within": "header", "at": "Location"},
}


def profile(kinds: tuple[str, ...] = ("session", "basic"), probe: str = "", **more: Any) -> dict[str, Any]:
    read = {"probe": {"read": probe}} if probe else {}
    return {"auth": {"kinds": kinds, "session": {**RULE, **more}}, **read}


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("attempt", "credentials.logins"):
        monkeypatch.setattr(f"runtime.driver.{room}.ADMISSION_PAUSES_S", (0.02, 0.02, 0.02))


class Device:
    """Knows who is logged in. `full`: logins that are refused before one is let in; `replies` to all other requests."""

    def __init__(self, tools: Any, full: int = 0, refusal: bytes = b"") -> None:
        self.tools = tools
        self.full = full
        self.refusal = refusal or tools.answer(503, FULL)
        self.open: list[str] = []
        self.takes_basic = True
        self.replies: list[bytes] = []

    async def __call__(self, heard: Any, writer: asyncio.StreamWriter) -> None:
        method, target = heard.request
        if target == "/api/login":
            self.full -= 1
            writer.write(self.refusal if self.full >= 0 else self._opened(heard.number))
        elif method == "DELETE" and target.startswith("/api/sessions/"):
            self.open.remove(target.rpartition("/")[2])
            writer.write(self.tools.answer(204, b""))
        else:
            is_in = heard.field("x-token") in self.open or (self.takes_basic and heard.field("authorization") == BASIC)
            writer.write(self.replies.pop(0) if self.replies else self.tools.answer(200 if is_in else 401))

    def _opened(self, number: int) -> bytes:
        self.open.append(f"t-{number}")
        return bytes(self.tools.answer(201, x_token=self.open[-1], location=f"/api/sessions/{self.open[-1]}"))


def purposes(notes: Any) -> list[str]:
    return [note.purpose for note in notes.sent]


async def test_a_session_that_comes_free_is_waited_for_and_the_change_is_sent_once(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(Device(tools, full=2))
    event = await driver.send(tools.post(), tools.endpoint(device.url, profile(("session",))), tools.soon(), notes)
    assert event.status == 200  # type: ignore[union-attr]
    assert purposes(notes) == ["login", "login", "login", "step"]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 503])
async def test_used_up_sessions_are_told_in_the_devices_words_and_never_as_a_wrong_password(
    driver: Driver, recorder: Any, notes: Any, tools: Any, status: int
) -> None:
    device = await recorder(Device(tools, full=99, refusal=tools.answer(status, FULL, content_type="application/json")))
    event = await driver.send(tools.get(), tools.endpoint(device.url, profile(("session",))), tools.soon(), notes)
    assert isinstance(event, RequestFailed)
    assert event.reason == "not_sent"
    assert "The maximum number of user sessions is reached" in event.message
    assert "credentials" not in event.message
    assert purposes(notes) == ["login"] * 4


async def test_a_token_that_is_longer_than_any_header_is_not_kept(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    async def long(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(tools.answer(201, x_token="t" * 9_000))

    device = await recorder(long)
    event = await driver.send(tools.get(), tools.endpoint(device.url, profile(("session",))), tools.soon(), notes)
    assert isinstance(event, RequestFailed)
    assert "a token of 9000 characters" in event.message


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_login_that_fails_for_whatever_reason_but_the_credentials_says_so_without_a_profiles_help(
    driver: Driver, recorder: Any, notes: Any, tools: Any, status: int
) -> None:
    device = await recorder(Device(tools, full=99, refusal=tools.answer(status, b"")))
    event = await driver.send(tools.get(), tools.endpoint(device.url, profile(("session",))), tools.soon(), notes)
    assert isinstance(event, RequestFailed)
    assert str(status) in event.message
    assert "check the credentials" not in event.message


async def test_when_no_session_is_left_the_next_kind_is_used_and_nobody_waits_a_second_time(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(Device(tools, full=99))
    endpoint = tools.endpoint(device.url, profile())
    events = [await driver.send(tools.post(), endpoint, tools.soon(), notes) for _ in range(3)]
    assert [event.status for event in events] == [200, 200, 200]  # type: ignore[union-attr]
    assert purposes(notes) == ["login"] * 4 + ["step"] * 3


async def test_credentials_that_the_next_kind_refuses_are_shown_once_and_the_reason_stays_the_sessions(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    made = Device(tools, full=99)
    made.takes_basic = False
    device = await recorder(made)
    events = [await driver.send(tools.get(), tools.endpoint(device.url, profile()), tools.soon(), notes) for _ in "123"]
    assert purposes(notes) == ["login"] * 4 + ["step"]
    assert {event.message for event in events} == {events[0].message}  # type: ignore[union-attr]
    assert "maximum number of user sessions" in events[0].message  # type: ignore[union-attr]
    assert events[0].message.count("RAC0218") <= 1  # type: ignore[union-attr]


async def test_a_wrong_password_is_told_as_such_and_what_the_device_says_of_it_is_not_quoted(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    said = b'{"error": {"message": "Unable to log in: the user is locked."}}'
    device = await recorder(Device(tools, full=99, refusal=tools.answer(401, said, content_type="application/json")))
    event = await driver.send(tools.get(), tools.endpoint(device.url, profile()), tools.soon(), notes)
    assert isinstance(event, RequestFailed)
    assert event.reason == "refused"
    assert "check the credentials" in event.message
    assert "the user is locked" not in event.message  # it may hold the credentials, in whatever form
    assert purposes(notes) == ["login"]


async def test_a_redirected_login_is_not_followed_and_names_where_it_leads(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(Device(tools, full=99, refusal=tools.answer(308, b"", location="/api/login/")))
    event = await driver.send(tools.get(), tools.endpoint(device.url, profile()), tools.soon(), notes)
    assert "/api/login/" in event.message  # type: ignore[union-attr]
    assert "check the credentials" not in event.message  # type: ignore[union-attr]
    assert [heard.target for heard in device.heard] == [b"/api/login"]


async def test_the_breaker_tells_once_what_happened(driver: Driver, recorder: Any, notes: Any, tools: Any) -> None:
    async def hang_up(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.close()

    device = await recorder(hang_up)
    endpoint = tools.endpoint(device.url, profile(("session",)))
    events = [await driver.send(tools.post(), endpoint, tools.soon(), notes) for _ in range(8)]
    last = events[-1].message  # type: ignore[union-attr]
    assert events[-2].message.replace("9 s", "10 s") == last.replace("9 s", "10 s")  # type: ignore[union-attr]
    assert "failed 5 times in a row" in last
    assert last.count("login to lab got no answer") == 1
    assert len(device.heard) == 5


async def test_a_change_that_is_answered_503_under_a_living_session_is_not_sent_again(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    """The profile takes 503 for a session that is over; here the device made the change and said 503 all the same."""
    made = Device(tools)
    device = await recorder(made)
    endpoint = tools.endpoint(device.url, profile(("session",), "GET /about", expired_statuses=[503]))
    await driver.send(tools.get(), endpoint, tools.soon(), notes)
    made.replies = [tools.answer(503)]
    event = await driver.send(tools.post(), endpoint, tools.soon(), notes)
    assert event.status == 503  # type: ignore[union-attr]
    assert [heard.method for heard in device.heard].count("POST") == 2  # the login and the change, once each


async def test_a_change_that_met_a_lost_session_is_sent_again_after_a_read_has_shown_that_it_was_lost(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    valid: list[str] = []

    async def script(heard: Any, writer: asyncio.StreamWriter) -> None:
        if heard.request == ("POST", "/api/login"):
            valid[:] = [f"t-{heard.number}"]
            writer.write(tools.answer(201, x_token=valid[0]))
        else:
            writer.write(tools.answer(200 if [heard.field("x-token")] == valid else 503))

    device = await recorder(script)
    endpoint = tools.endpoint(device.url, profile(("session",), "GET /about", expired_statuses=[503]))
    await driver.send(tools.get(), endpoint, tools.soon(), notes)
    valid.clear()
    event = await driver.send(tools.post(), endpoint, tools.soon(), notes)
    assert event.status == 200  # type: ignore[union-attr]
    sent = [heard.request for heard in device.heard[2:]]
    change, probe, login = ("POST", "/api/things"), ("GET", "/api/about"), ("POST", "/api/login")
    assert sent == [change, probe, login, probe, change]


async def test_a_status_that_may_mean_a_lost_session_renews_it_for_reads_and_not_for_changes(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    made = Device(tools)
    device = await recorder(made)
    endpoint = tools.endpoint(device.url, profile(("session",), expired_for_reads=[503]))
    await driver.send(tools.get(), endpoint, tools.soon(), notes)
    made.replies = [tools.answer(503)]
    read = await driver.send(tools.get(), endpoint, tools.soon(), notes)
    made.replies = [tools.answer(503)]
    change = await driver.send(tools.post(), endpoint, tools.soon(), notes)
    assert (read.status, change.status) == (200, 503)  # type: ignore[union-attr]
    assert purposes(notes) == ["login", "step", "step", "logout", "login", "step", "step"]
    assert len(made.open) == 1
    assert len(device.heard) == 7


async def test_a_device_that_is_away_is_logged_into_once_and_its_answer_told(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    made = Device(tools)
    device = await recorder(made)
    endpoint = tools.endpoint(device.url, profile(("session",), expired_statuses=[503]))
    await driver.send(tools.get(), endpoint, tools.soon(), notes)
    made.replies = [tools.answer(503)] * 99
    events = [await driver.send(tools.get(), endpoint, tools.soon(), notes) for _ in range(2)]
    assert {event.status for event in events} == {503}  # type: ignore[union-attr]
    assert purposes(notes).count("login") == 2
    assert len(device.heard) == len(notes.sent)


async def test_a_login_whose_caller_gives_up_leaves_no_session_behind(recorder: Any, notes: Any, tools: Any) -> None:
    made = Device(tools)

    async def slowly(heard: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2 if heard.request[1] == "/api/login" else 0)
        await made(heard, writer)

    device = await recorder(slowly)
    driver = Driver(Vault({"USER": "operator", "PASS": "s3cret-word"}))
    sending = asyncio.create_task(driver.send(tools.get(), tools.endpoint(device.url, profile()), tools.soon(), notes))
    await device.has_heard(1)
    sending.cancel()
    await asyncio.wait((sending,))
    await driver.aclose(notes)
    assert sending.cancelled()
    assert made.open == []
    assert purposes(notes) == ["login", "logout"]


async def test_headers_of_the_profile_stand_in_every_request_and_a_step_may_set_its_own(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(Device(tools))
    constant = {"protocol": {"request_headers": {"OData-Version": "4.0", "X-Api-Version": "2.79"}}}
    endpoint = tools.endpoint(device.url, {**profile(("session",)), **constant})
    await driver.send(tools.get(headers=(("x-api-version", "2.1"),)), endpoint, tools.soon(), notes)
    await driver.aclose(notes)
    assert [heard.field("odata-version") for heard in device.heard] == ["4.0"] * 3
    assert [heard.field("x-api-version") for heard in device.heard] == ["2.79", "2.1", "2.79"]


async def test_a_read_on_a_connection_that_was_just_closed_is_made_on_a_new_one_and_a_change_is_not_repeated(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    seen: dict[int, int] = {}

    async def once_a_connection(heard: Any, writer: asyncio.StreamWriter) -> None:
        seen[heard.connection] = seen.get(heard.connection, 0) + 1
        if seen[heard.connection] > 1:
            writer.close()
        else:
            writer.write(tools.answer())

    device = await recorder(once_a_connection)
    reads = [await driver.send(tools.get(), tools.endpoint(device.url), tools.soon(), notes) for _ in range(2)]
    change = await driver.send(tools.post(), tools.endpoint(device.url), tools.soon(), notes)
    assert all(isinstance(each, ResponseArrived) for each in reads)
    assert change.reason == "unknown_fate"  # type: ignore[union-attr]
    assert [heard.method for heard in device.heard].count("POST") == 1


async def test_an_answer_of_http_1_0_without_a_length_is_read_to_its_end(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    async def old(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.0 200 X\r\ncontent-type: application/json\r\netag: "1"\r\n\r\n{"a": 1}')
        await writer.drain()
        writer.close()

    device = await recorder(old)
    event = await driver.send(tools.post(), tools.endpoint(device.url), tools.soon(), notes)
    assert (event.status, event.body) == (200, {"a": 1})  # type: ignore[union-attr]
