"""Devices of a profile with sessions that have none: the next kind of the profile, decided by the profile's data."""

import asyncio
from typing import Any

import pytest

from runtime.driver import Driver
from workflow.requests.events import RequestFailed, ResponseArrived

BASIC = "Basic b3BlcmF0b3I6czNjcmV0LXdvcmQ="
RULE = {
    "login": "POST /login",
    "login_body": {"user": "{username}", "word": "{password}"},
    "token": {"within": "header", "at": "X-Token"},
    "send_as": {"within": "header", "at": "X-Token"},
}


def auth(kinds: tuple[str, ...] = ("session", "basic"), **more: Any) -> dict[str, Any]:
    return {"auth": {"kinds": kinds, "session": {**RULE, **more}}}


def sessionless(tools: Any, login: bytes, password: str = BASIC) -> Any:
    """A device that answers every login with `login`, and takes Basic."""

    async def script(heard: Any, writer: asyncio.StreamWriter) -> None:
        is_known = heard.field("authorization") == password
        writer.write(login if heard.target == b"/api/login" else tools.answer(200 if is_known else 401))

    return script


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_without_a_session_service_the_next_kind_is_used_and_the_login_not_repeated(
    driver: Driver, recorder: Any, notes: Any, tools: Any, status: int
) -> None:
    device = await recorder(sessionless(tools, tools.answer(status)))
    endpoint = tools.endpoint(device.url, auth())
    events = [await driver.send(tools.post(), endpoint, tools.soon(), notes) for _ in range(3)]
    assert [event.status for event in events] == [200, 200, 200]  # type: ignore[union-attr]
    assert [note.purpose for note in notes.sent] == ["login", "step", "step", "step"]


async def test_a_login_that_asks_for_basic_is_a_device_without_sessions_where_the_profile_says_so(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(sessionless(tools, tools.answer(401, www_authenticate='Basic realm="x"')))
    plain = await driver.send(tools.get(), tools.endpoint(device.url, auth()), tools.soon(), notes)
    assert isinstance(plain, RequestFailed)
    other = tools.endpoint(device.url, auth(no_session_statuses=[401]), tls="ca:/elsewhere")
    assert isinstance(await driver.send(tools.get(), other, tools.soon(), notes), ResponseArrived)


async def test_a_plain_401_to_a_login_is_a_wrong_password_and_basic_is_not_tried(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(sessionless(tools, tools.answer(401)))
    endpoint = tools.endpoint(device.url, auth(no_session_statuses=[401, 404]))
    event = await driver.send(tools.get(), endpoint, tools.soon(), notes)
    assert isinstance(event, RequestFailed)
    assert [heard.target for heard in device.heard] == [b"/api/login"]


async def test_credentials_that_basic_refuses_too_are_not_shown_again_for_a_while(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(sessionless(tools, tools.answer(404), password="another"))
    endpoint = tools.endpoint(device.url, auth())
    events = [await driver.send(tools.get(), endpoint, tools.soon(), notes) for _ in range(4)]
    assert {event.reason for event in events} == {"refused"}  # type: ignore[union-attr]
    assert "credentials" in events[0].message  # type: ignore[union-attr]
    assert len(device.heard) == 2


async def test_without_another_kind_the_reason_is_that_there_are_no_sessions(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(sessionless(tools, tools.answer(404)))
    event = await driver.send(tools.get(), tools.endpoint(device.url, auth(("session",))), tools.soon(), notes)
    assert isinstance(event, RequestFailed)
    assert "no session service" in event.message
    assert len(device.heard) == 1


@pytest.mark.slow
async def test_a_login_that_is_not_answered_leaves_the_step_unsent(
    driver: Driver, recorder: Any, notes: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.driver.credentials.admission.LOGIN_TIMEOUT_S", 0.2)

    async def never(_heard: Any, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    device = await recorder(never)
    event = await driver.send(tools.post(), tools.endpoint(device.url, auth()), tools.soon(), notes)
    assert isinstance(event, RequestFailed)
    assert event.reason == "not_sent"
    assert "login" in event.message
