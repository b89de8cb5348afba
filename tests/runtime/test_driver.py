"""The driver against real sockets: what leaves, what comes back, and what is said of what does not."""

import asyncio
import gzip
import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from runtime.driver import Driver
from tests.waiting import PATIENCE_S
from workflow.requests.events import RequestFailed, ResponseArrived, SendRequest

SESSION = {
    "auth": {
        "kinds": ["session"],
        "session": {
            "login": "POST /login",
            "login_body": {"user": "{username}", "word": "{password}"},
            "token": {"within": "header", "at": "X-Token"},
            "send_as": {"within": "header", "at": "X-Token"},
            "expired_statuses": [503],
            "address": {"within": "header", "at": "Location"},
        },
    }
}


def limits(**more: Any) -> dict[str, Any]:
    return {"limits": more}


async def test_a_request_arrives_as_it_was_approved(driver: Driver, recorder: Any, notes: Any, tools: Any) -> None:
    device = await recorder(tools.said(tools.answer(200, b'[{"uuid":"1"}]', etag="W/1")))
    command = tools.get("/things/a%2Fb%3B", "/things/{id}", query=(("$top", "5"), ("q", "a&b=c d")))
    event = await driver.send(command, tools.endpoint(device.url), tools.soon(), notes)
    assert event == ResponseArrived("read", 200, {"content-length": "14", "etag": "W/1"}, [{"uuid": "1"}])
    assert device.heard[0].line == b"GET /api/things/a%2Fb%3B?$top=5&q=a%26b=c%20d HTTP/1.1"
    assert device.heard[0].field("host") == f"127.0.0.1:{device.port}"
    assert [(note.method, note.path) for note in notes.sent] == [("GET", "/things/a%2Fb%3B")]
    assert [result.status for result in notes.results] == [200]


@pytest.mark.parametrize(
    "value", ["%2e%2e", "..", "a%0d%0aX:y", "a%00b", "a;b", "a\\b", "a?b", "a#b", "．．", "a\r\nX: y"]
)
async def test_a_hostile_path_never_reaches_the_socket(
    driver: Driver, recorder: Any, notes: Any, tools: Any, value: str
) -> None:
    device = await recorder(tools.said(tools.answer()))
    event = await driver.send(
        tools.get(f"/things/{value}", "/things/{id}"), tools.endpoint(device.url), tools.soon(), notes
    )
    assert isinstance(event, RequestFailed)
    assert event.reason == "refused"
    assert (device.connections, device.raw, notes.sent) == (0, b"", [])


async def test_a_device_that_is_off_is_not_sent_anything(driver: Driver, recorder: Any, notes: Any, tools: Any) -> None:
    device = await recorder(tools.said(tools.answer()))
    url = device.url
    await device.stop()
    event = await driver.send(tools.post(), tools.endpoint(url), tools.soon(), notes)
    await device.start()  # so that the fixture can stop it
    assert isinstance(event, RequestFailed)
    assert event.reason == "not_sent"


async def test_a_change_whose_reply_is_lost_has_an_unknown_fate_and_is_sent_once(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    async def hang_up(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.close()

    device = await recorder(hang_up)
    event = await driver.send(tools.post(), tools.endpoint(device.url), tools.soon(), notes)
    assert isinstance(event, RequestFailed)
    assert event.reason == "unknown_fate"
    assert len(device.heard) == 1
    assert [result.reason for result in notes.results] == ["unknown_fate"]


async def test_a_read_whose_reply_is_lost_is_tried_again_and_every_try_is_noted(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    async def hang_up_twice(heard: Any, writer: asyncio.StreamWriter) -> None:
        if heard.number < 3:
            writer.close()
        else:
            writer.write(tools.answer())

    device = await recorder(hang_up_twice)
    event = await driver.send(tools.get(), tools.endpoint(device.url), tools.soon(), notes)
    assert isinstance(event, ResponseArrived)
    assert [note.attempt for note in notes.sent] == [1, 2, 3]
    assert len(device.heard) == 3


def deletion(tools: Any) -> SendRequest:
    """A change that may be repeated."""
    return replace(tools.get(), method="DELETE", is_safe=False)


async def test_a_change_whose_fate_is_open_is_told_at_once_though_it_may_be_repeated(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    """Whether it is sent once more is decided by who can look at the thing in between."""

    async def hang_up_once(heard: Any, writer: asyncio.StreamWriter) -> None:
        if heard.number == 1:
            writer.close()
        else:
            writer.write(tools.answer(404))

    device = await recorder(hang_up_once)
    event = await driver.send(deletion(tools), tools.endpoint(device.url), tools.soon(), notes)
    assert (event.reason, len(device.heard)) == ("unknown_fate", 1)  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_transient_status_is_retried_for_reads_and_of_changes_only_where_nothing_was_carried_out(
    driver: Driver, recorder: Any, notes: Any, tools: Any, status: int
) -> None:
    async def busy_at_first(heard: Any, writer: asyncio.StreamWriter) -> None:
        before = [each for each in device.heard[:-1] if each.method == heard.method]
        writer.write(tools.answer(200 if before else status))

    device = await recorder(busy_at_first)
    endpoint, commands = tools.endpoint(device.url), (tools.get(), tools.post(), deletion(tools))
    sent = [await driver.send(command, endpoint, tools.soon(), notes) for command in commands]
    assert [event.status for event in sent] == [200, status, 200 if status == 429 else status]
    assert len(device.heard) == (5 if status == 429 else 4)


@pytest.mark.parametrize("is_idempotent", [True, False])
async def test_a_change_of_which_nothing_left_is_tried_again(
    driver: Driver, recorder: Any, notes: Any, tools: Any, is_idempotent: bool
) -> None:
    device = await recorder(tools.said(tools.answer(200)))
    url = device.url
    await device.stop()
    command = replace(tools.post(), is_idempotent=is_idempotent)
    event = await driver.send(command, tools.endpoint(url), tools.soon(), notes)
    assert event.reason == "not_sent"  # type: ignore[union-attr]
    assert [result.reason for result in notes.results] == ["not_sent"] * 3


@pytest.mark.slow
async def test_retry_after_is_waited_for(driver: Driver, recorder: Any, notes: Any, tools: Any) -> None:
    device = await recorder(tools.said(tools.answer(503, retry_after="1"), tools.answer(200)))
    start = time.monotonic()
    event = await driver.send(tools.get(), tools.endpoint(device.url), tools.soon(), notes)
    assert event.status == 200  # type: ignore[union-attr]
    assert time.monotonic() - start >= 1


async def test_a_retry_that_would_come_after_the_deadline_is_not_made(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer(503, retry_after="20")))
    event = await driver.send(tools.get(), tools.endpoint(device.url), tools.soon(19), notes)
    assert (event.status, len(device.heard)) == (503, 1)  # type: ignore[union-attr]


@pytest.mark.parametrize(("is_read", "reason"), [(True, "unknown_fate"), (False, "unknown_fate")])
async def test_a_drip_of_bytes_is_cut_at_the_total_deadline(
    driver: Driver, recorder: Any, notes: Any, tools: Any, clock: Any, is_read: bool, reason: str
) -> None:
    timeout_s = PATIENCE_S

    async def drip(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for number in range(1000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)
            if number == 9:
                clock.jump(timeout_s)

    device = await recorder(drip)
    command = tools.get(timeout_s=timeout_s) if is_read else tools.post(timeout_s=timeout_s)
    event = await driver.send(command, tools.endpoint(device.url), tools.soon(10 * timeout_s), notes)
    assert isinstance(event, RequestFailed)
    assert event.reason == reason


async def test_a_compressed_bomb_is_refused_before_it_unfolds(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    device = await recorder(tools.said(tools.answer(200, bomb, content_encoding="gzip")))
    event = await driver.send(
        tools.get(), tools.endpoint(device.url, limits(max_body_bytes=1_000_000)), tools.soon(), notes
    )
    assert isinstance(event, RequestFailed)
    assert event.reason == "bad_reply"
    assert "larger than 1000000" in event.message


async def test_a_change_answered_with_too_much_is_of_unknown_fate(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer(200, b"x" * 5000)))
    event = await driver.send(
        tools.post(), tools.endpoint(device.url, limits(max_body_bytes=1024)), tools.soon(), notes
    )
    assert event.reason == "unknown_fate"  # type: ignore[union-attr]


async def test_a_body_that_is_compressed_within_its_bound_is_read(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer(200, gzip.compress(b'{"a":1}'), content_encoding="gzip")))
    event = await driver.send(tools.get(), tools.endpoint(device.url), tools.soon(), notes)
    assert event.body == {"a": 1}  # type: ignore[union-attr]


async def test_a_redirect_is_an_answer_and_is_not_followed(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    other = await recorder(tools.said(tools.answer()))
    device = await recorder(tools.said(tools.answer(302, location=other.url)))
    event = await driver.send(tools.get(), tools.endpoint(device.url), tools.soon(), notes)
    assert event.status == 302  # type: ignore[union-attr]
    assert other.connections == 0


async def test_a_cookie_that_a_device_sets_is_not_sent_back(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer(200, set_cookie="a=b; Path=/")))
    for _ in range(2):
        await driver.send(tools.get(), tools.endpoint(device.url), tools.soon(), notes)
    assert device.heard[1].field("cookie") is None


async def test_a_session_is_opened_once_shared_and_closed_at_the_end(recorder: Any, notes: Any, tools: Any) -> None:
    from runtime.secrets import Vault

    async def script(heard: Any, writer: asyncio.StreamWriter) -> None:
        if heard.target == b"/api/login":
            writer.write(tools.answer(201, x_token="t-1", location="/api/sessions/7"))
        else:
            writer.write(tools.answer(200 if heard.field("x-token") == "t-1" else 401))

    device = await recorder(script)
    driver = Driver(Vault({"USER": "operator", "PASS": "s3cret-word"}))
    endpoint = tools.endpoint(device.url, SESSION)
    events = await asyncio.gather(*(driver.send(tools.get(), endpoint, tools.soon(), notes) for _ in range(5)))
    await driver.aclose(notes)
    assert [event.status for event in events] == [200] * 5  # type: ignore[union-attr]
    lines = [heard.line.decode() for heard in device.heard]
    assert lines.count("POST /api/login HTTP/1.1") == 1
    assert lines[-1] == "DELETE /api/sessions/7 HTTP/1.1"
    assert [note.purpose for note in notes.sent] == ["login", *["step"] * 5, "logout"]
    assert len(notes.sent) == len(device.heard)


async def test_an_expired_session_is_renewed_once_and_the_change_is_sent_again(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    """The status that says so is 503 here, which would else be a transient failure."""
    valid: list[str] = []

    async def script(heard: Any, writer: asyncio.StreamWriter) -> None:
        if heard.target == b"/api/login":
            valid[:] = [f"t-{heard.number}"]
            writer.write(tools.answer(201, x_token=valid[0]))
        else:
            writer.write(tools.answer(200 if [heard.field("x-token")] == valid else 503))

    device = await recorder(script)
    endpoint = tools.endpoint(device.url, SESSION)
    first = await driver.send(tools.post(), endpoint, tools.soon(), notes)
    valid.clear()
    second = await driver.send(tools.post(), endpoint, tools.soon(), notes)
    assert (first.status, second.status) == (200, 200)  # type: ignore[union-attr]
    assert [note.purpose for note in notes.sent] == ["login", "step", "step", "login", "step"]


async def test_a_device_that_always_says_expired_is_not_logged_into_for_ever(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    async def script(heard: Any, writer: asyncio.StreamWriter) -> None:
        is_login = heard.target == b"/api/login"
        writer.write(tools.answer(201, x_token="t") if is_login else tools.answer(503))

    device = await recorder(script)
    event = await driver.send(tools.post(), tools.endpoint(device.url, SESSION), tools.soon(), notes)
    again = await driver.send(tools.post(), tools.endpoint(device.url, SESSION), tools.soon(), notes)
    assert (event.status, again.status) == (503, 503)  # type: ignore[union-attr]
    assert [note.purpose for note in notes.sent] == ["login", "step", "step", "login", "step"]


async def test_refused_credentials_end_the_step_before_it_is_sent_and_stay_unseen(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer(401, b'{"echo":"s3cret-word"}')))
    event = await driver.send(tools.get(), tools.endpoint(device.url, SESSION), tools.soon(), notes)
    assert isinstance(event, RequestFailed)
    assert event.reason == "refused"
    assert b"s3cret-word" in device.raw
    assert "s3cret" not in repr((event, notes))
    assert [heard.target for heard in device.heard] == [b"/api/login"]


@pytest.mark.parametrize(
    ("auth", "field", "value"),
    [
        ({"kinds": ["basic"]}, "authorization", "Basic b3BlcmF0b3I6czNjcmV0LXdvcmQ="),
        ({"kinds": ["bearer"]}, "authorization", "Bearer t0ken-value"),
        ({"kinds": ["api_key"], "api_key_header": "X-Key"}, "x-key", "t0ken-value"),
        ({"kinds": ["basic"], "open_operations": ["GET /things"]}, "authorization", None),
        ({"kinds": ["none"]}, "authorization", None),
    ],
)
async def test_credentials_are_shown_as_the_profile_says(
    driver: Driver, recorder: Any, notes: Any, tools: Any, auth: Any, field: str, value: str | None
) -> None:
    device = await recorder(tools.said(tools.answer()))
    await driver.send(tools.get(), tools.endpoint(device.url, {"auth": auth}), tools.soon(), notes)
    assert device.heard[0].field(field) == value


async def test_a_cookie_session_is_shown_as_a_cookie(driver: Driver, recorder: Any, notes: Any, tools: Any) -> None:
    place = {"within": "cookie", "at": "sid"}
    auth = {"auth": {"kinds": ["session"], "session": {**SESSION["auth"]["session"], "token": place, "send_as": place}}}  # type: ignore[dict-item]
    device = await recorder(tools.said(tools.answer(200, set_cookie="sid=abc123; HttpOnly; Path=/"), tools.answer()))
    await driver.send(tools.get(), tools.endpoint(device.url, auth), tools.soon(), notes)
    assert device.heard[1].field("cookie") == "sid=abc123"


async def test_a_token_out_of_a_login_is_shown_behind_the_word_that_the_profile_gives(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    places = {"token": {"at": "/access_token"}, "send_as": {"within": "header", "at": "Authorization"}}
    rule = {**SESSION["auth"]["session"], **places, "scheme": "Bearer"}  # type: ignore[dict-item]
    device = await recorder(tools.said(tools.answer(200, b'{"access_token": "abc123"}'), tools.answer()))
    auth = {"auth": {"kinds": ["session"], "session": rule}}
    await driver.send(tools.get(), tools.endpoint(device.url, auth), tools.soon(), notes)
    assert device.heard[1].field("authorization") == "Bearer abc123"
    assert device.heard[0].field("content-type") == "application/json"


async def test_a_login_is_sent_as_a_form_where_the_profile_says_so(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    rule = {**SESSION["auth"]["session"], "login_as": "form"}  # type: ignore[dict-item]
    device = await recorder(tools.said(tools.answer(200, b"{}", x_token="abc123"), tools.answer()))
    auth = {"auth": {"kinds": ["session"], "session": rule}}
    await driver.send(tools.get(), tools.endpoint(device.url, auth), tools.soon(), notes)
    assert device.heard[0].field("content-type") == "application/x-www-form-urlencoded"
    assert device.heard[0].body == b"user=operator&word=s3cret-word"
    assert device.heard[1].field("x-token") == "abc123"


async def test_a_device_never_sees_more_connections_than_its_profile_allows(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    async def slowly(_heard: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(tools.answer())

    device = await recorder(slowly)
    endpoint = tools.endpoint(device.url, limits(connections=2))
    events = await asyncio.gather(*(driver.send(tools.get(), endpoint, tools.soon(), notes) for _ in range(20)))
    assert all(isinstance(event, ResponseArrived) for event in events)
    assert device.most_open <= 2


async def test_whoever_waits_too_long_for_a_place_was_not_sent(
    driver: Driver, recorder: Any, notes: Any, tools: Any, clock: Any
) -> None:
    async def never(_heard: Any, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    device = await recorder(never)
    endpoint = tools.endpoint(device.url, limits(connections=1))
    first = asyncio.create_task(driver.send(tools.post(timeout_s=900), endpoint, tools.soon(2000), notes))
    await device.has_heard(1)
    second = asyncio.create_task(driver.send(tools.post(timeout_s=300), endpoint, tools.soon(2000), notes))
    await asyncio.sleep(0.05)
    clock.jump(400)
    assert (await second).reason == "not_sent"  # type: ignore[union-attr]
    clock.jump(600)
    assert (await first).reason == "unknown_fate"  # type: ignore[union-attr]


async def test_nothing_leaves_when_the_witness_cannot_write(driver: Driver, recorder: Any, tools: Any) -> None:
    class Blind(tools.Notes):  # type: ignore[misc,name-defined]
        async def sending(self, note: Any) -> None:
            raise OSError("the disk is full")

    device = await recorder(tools.said(tools.answer()))
    with pytest.raises(OSError, match="disk is full"):
        await driver.send(tools.post(), tools.endpoint(device.url), tools.soon(), Blind())
    assert device.raw == b""


@pytest.mark.slow
@pytest.mark.unwitnessed("the driver alone, in a process of its own, which keeps no notes")
async def test_proxies_of_the_environment_do_not_count(recorder: Any, tools: Any) -> None:
    proxy = await recorder(tools.said(tools.answer(418)))
    device = await recorder(tools.said(tools.answer(200)))
    code = f"""
import asyncio
from runtime.driver import Driver, DeviceEndpoint
from runtime.secrets import Vault
from runtime.driver.credentials.sessions import References
from runtime.driver.wire import address_of
from workflow.requests.events import SendRequest
from workflow.profiles.profile import Profile
class Notes:
    async def sending(self, note): pass
    async def answered(self, note): pass
async def main():
    driver = Driver(Vault())
    endpoint = DeviceEndpoint("lab", address_of("{device.url}", ""), "verify", References(), Profile(api="toy"))
    deadline = asyncio.get_running_loop().time() + 180
    event = await driver.send(SendRequest("s", 1, "GET", "/a", "/a", is_safe=True), endpoint, deadline, Notes())
    await driver.aclose(Notes())
    print(event.status)
asyncio.run(main())
"""
    environment = {**os.environ, **dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), proxy.url)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    assert out.strip() == b"200", err.decode()
    assert proxy.connections == 0


async def test_requests_keep_the_pace_that_the_profile_sets(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer()))
    endpoint = tools.endpoint(device.url, limits(requests_per_s=20, connections=4))
    start = time.monotonic()
    await asyncio.gather(*(driver.send(tools.get(), endpoint, tools.soon(), notes) for _ in range(7)))
    assert time.monotonic() - start >= 6 / 20


async def test_workflows_approved_with_different_profiles_share_a_devices_session_and_its_places(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    async def script(heard: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        is_login = heard.target == b"/api/login"
        writer.write(tools.answer(201, x_token="t-1") if is_login else tools.answer())

    device = await recorder(script)
    older = tools.endpoint(device.url, {**SESSION, **limits(connections=1)})
    newer = tools.endpoint(device.url, {**SESSION, **limits(connections=1), "title": "newer"}, name="by-another-name")
    endpoints = [older, newer] * 4
    await asyncio.gather(*(driver.send(tools.get(), each, tools.soon(), notes) for each in endpoints))
    assert [note.purpose for note in notes.sent].count("login") == 1
    assert device.most_open == 1


async def test_refused_credentials_are_not_tried_again_at_once(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer(401)))
    endpoint = tools.endpoint(device.url, SESSION)
    events = [await driver.send(tools.get(), endpoint, tools.soon(), notes) for _ in range(5)]
    assert {event.reason for event in events} == {"refused"}  # type: ignore[union-attr]
    assert len(device.heard) == 1
