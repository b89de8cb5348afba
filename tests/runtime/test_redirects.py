"""Redirects: reads follow them within the device, a few steps; nothing else is followed, and nobody else is asked."""

from typing import Any

import pytest

from runtime.driver import Driver

SIDE = {"auth": {"kinds": ["bearer"]}}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_read_follows_a_redirect_within_the_device_and_each_hop_is_noted(
    driver: Driver, recorder: Any, notes: Any, tools: Any, status: int
) -> None:
    device = await recorder(tools.said(tools.answer(status, b"", location="/api/things/"), tools.answer(200, b"[1]")))
    event = await driver.send(tools.get(), tools.endpoint(device.url, SIDE), tools.soon(), notes)
    assert (event.status, event.body) == (200, [1])  # type: ignore[union-attr]
    assert [heard.target for heard in device.heard] == [b"/api/things", b"/api/things/"]
    assert [(note.method, note.path) for note in notes.sent] == [("GET", "/things"), ("GET", "/things/")]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_change_follows_no_redirect(driver: Driver, recorder: Any, notes: Any, tools: Any, status: int) -> None:
    device = await recorder(tools.said(tools.answer(status, b"", location="/api/things/"), tools.answer(200)))
    event = await driver.send(tools.post(), tools.endpoint(device.url, SIDE), tools.soon(), notes)
    assert event.status == status  # type: ignore[union-attr]
    assert len(device.heard) == 1


async def test_a_redirect_to_another_port_of_the_host_is_not_followed_and_nothing_of_the_credential_goes_there(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    other = await recorder(tools.said(tools.answer()))
    device = await recorder(tools.said(tools.answer(302, b"", location=f"{other.url}/api/things")))
    event = await driver.send(tools.get(), tools.endpoint(device.url, SIDE), tools.soon(), notes)
    assert (event.status, event.headers["location"]) == (302, f"{other.url}/api/things")  # type: ignore[union-attr]
    assert (other.connections, other.raw, len(device.heard)) == (0, b"", 1)


async def test_who_is_below_another_path_of_a_gateway_is_another_device(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer(302, b"", location="/rack-2/things"), tools.answer(200)))
    endpoint = tools.endpoint(f"{device.url}/rack-1", SIDE)
    event = await driver.send(tools.get(), endpoint, tools.soon(), notes)
    assert (event.status, len(device.heard)) == (302, 1)  # type: ignore[union-attr]


async def test_a_newer_base_path_is_followed_where_it_is_the_apis_own(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer(301, b"", location="/v2/things"), tools.answer(200)))
    event = await driver.send(tools.get(), tools.endpoint(device.url, SIDE), tools.soon(), notes)
    assert (event.status, device.heard[-1].target) == (200, b"/v2/things")  # type: ignore[union-attr]


async def test_a_circle_ends_after_a_few_hops(driver: Driver, recorder: Any, notes: Any, tools: Any) -> None:
    device = await recorder(tools.said(tools.answer(302, b"", location="/api/things")))
    event = await driver.send(tools.get(), tools.endpoint(device.url, SIDE), tools.soon(), notes)
    assert (event.status, len(device.heard)) == (302, 6)  # type: ignore[union-attr]


async def test_a_redirect_to_a_page_for_people_is_no_answer(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    page = tools.answer(200, b"<html>Log in</html>", content_type="text/html")
    device = await recorder(tools.said(tools.answer(302, b"", location="/login.html"), page))
    event = await driver.send(tools.get(), tools.endpoint(device.url, SIDE), tools.soon(), notes)
    assert (event.status, event.headers["location"]) == (302, "/login.html")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/api/things/", b"/api/things/?a=1"),
        ("/api/things/?a=2", b"/api/things/?a=2"),
        ("/api/others", b"/api/others"),
    ],
)
async def test_the_question_stays_where_only_a_slash_is_wanted(
    driver: Driver, recorder: Any, notes: Any, tools: Any, location: str, sent: bytes
) -> None:
    device = await recorder(tools.said(tools.answer(308, b"", location=location), tools.answer(200)))
    command = tools.get(query=(("a", "1"),))
    await driver.send(command, tools.endpoint(device.url, SIDE), tools.soon(), notes)
    assert device.heard[-1].target == sent


@pytest.mark.parametrize(
    "location", ["/api/../x", "/api/%2e%2e/x", "/a//b", "/a;b", "/a%0d%0aX:y", "things/", "?x", ""]
)
async def test_an_address_that_is_not_written_plainly_is_not_followed(
    driver: Driver, recorder: Any, notes: Any, tools: Any, location: str
) -> None:
    device = await recorder(tools.said(tools.answer(308, b"", location=location), tools.answer(200)))
    event = await driver.send(tools.get(), tools.endpoint(device.url, SIDE), tools.soon(), notes)
    assert (event.status, len(device.heard)) == (308, 1)  # type: ignore[union-attr]
