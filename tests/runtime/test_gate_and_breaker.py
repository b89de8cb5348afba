"""Places at a device in the order of coming, and devices that are left in peace: the values alone, then the driver."""

import asyncio
from typing import Any

import pytest

from runtime.driver import Driver
from runtime.driver.breaker import FAILURES, REST_S, Breaker
from runtime.driver.throttle import Throttle
from tests.waiting import PATIENCE_S


async def turns(gate: Throttle, limits: list[int]) -> list[int]:
    """The order in which waiters got in, each one staying for a moment."""
    order: list[int] = []

    async def one(number: int, limit: int) -> None:
        async with gate.place(limit):
            order.append(number)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(one(number, limit) for number, limit in enumerate(limits)))
    return order


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_whoever_comes_first_gets_in_first(limit: int) -> None:
    gate = Throttle()
    assert await turns(gate, [limit] * 40) == list(range(40))
    assert (gate.inside, gate.waiting) == (0, 0)


async def test_each_waits_until_there_are_as_few_inside_as_its_own_limit_allows() -> None:
    gate = Throttle()
    most = 0

    async def one(limit: int) -> None:
        nonlocal most
        async with gate.place(limit):
            assert gate.inside <= limit
            most = max(most, gate.inside)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(one(limit) for limit in [4, 4, 4, 4, 1, 4, 2, 2, 4] * 5))
    assert most == 4


async def test_whoever_gives_up_leaves_no_hole_in_the_line() -> None:
    gate = Throttle()
    release = asyncio.Event()

    async def stay() -> None:
        async with gate.place(1):
            await release.wait()

    async def pass_through() -> None:
        async with gate.place(1):
            pass

    first = asyncio.create_task(stay())
    await asyncio.sleep(0)
    impatient = [asyncio.create_task(pass_through()) for _ in range(5)]
    patient = asyncio.create_task(pass_through())
    await asyncio.sleep(0)
    release.set()
    await asyncio.sleep(0)  # the first of them has its place by now, and does not know it yet
    for each in impatient:
        each.cancel()
    await asyncio.wait_for(patient, PATIENCE_S)
    await first
    await asyncio.gather(*impatient, return_exceptions=True)
    assert (gate.inside, gate.waiting) == (0, 0)


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed(0.0)
    breaker.succeeded()
    for _ in range(FAILURES):
        assert breaker.rests_for(100.0) == 0
        breaker.begin()
        breaker.failed(100.0)
    assert breaker.rests_for(100.0) == REST_S
    assert breaker.rests_for(100.0 + REST_S) == 0
    breaker.begin()
    assert breaker.rests_for(100.0 + REST_S) > 0, "one probe at a time"
    breaker.failed(100.0 + REST_S)
    assert breaker.rests_for(100.0 + REST_S) == REST_S
    breaker.begin()
    breaker.succeeded()
    assert breaker.rests_for(100.0 + REST_S) == 0


def test_a_probe_that_is_given_up_leaves_the_place_for_another() -> None:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker.failed(0.0)
    breaker.begin()
    breaker.abandoned()
    assert breaker.rests_for(REST_S) == 0


@pytest.mark.slow
async def test_a_dead_device_is_left_in_peace_and_others_are_not_affected(
    driver: Driver, recorder: Any, notes: Any, tools: Any, clock: Any
) -> None:
    dead = await recorder(tools.said(tools.answer()))
    other = await recorder(tools.said(tools.answer()))
    url, port = dead.url, dead.port
    await dead.stop()
    events = [await driver.send(tools.post(), tools.endpoint(url), tools.soon(), notes) for _ in range(FAILURES)]
    sent = len(notes.sent)
    refused = await driver.send(tools.get(), tools.endpoint(url), tools.soon(), notes)
    assert {event.reason for event in (*events, refused)} == {"not_sent"}
    assert f"failed {FAILURES} times in a row" in refused.message
    assert len(notes.sent) == sent
    assert (await driver.send(tools.get(), tools.endpoint(other.url), tools.soon(), notes)).status == 200
    dead._server = await asyncio.start_server(dead._accept, "127.0.0.1", port)
    clock.jump(REST_S)
    events = await asyncio.gather(
        *(driver.send(tools.post(), tools.endpoint(url), tools.soon(), notes) for _ in range(3))
    )
    assert [type(event).__name__ for event in events] == ["ResponseArrived", "RequestFailed", "RequestFailed"]
    assert (await driver.send(tools.post(), tools.endpoint(url), tools.soon(), notes)).status == 200


async def test_a_device_that_hangs_opens_the_breaker_too_and_a_callers_patience_does_not(
    driver: Driver, recorder: Any, notes: Any, tools: Any, clock: Any
) -> None:
    async def never(heard: Any, _writer: asyncio.StreamWriter) -> None:
        if heard.number > 1:
            clock.jump(PATIENCE_S)
        await asyncio.Event().wait()

    device = await recorder(never)
    endpoint = tools.endpoint(device.url, {"limits": {"connections": 1}})
    given_up = asyncio.create_task(driver.send(tools.post(), endpoint, tools.soon(), notes))
    await device.has_heard(1)
    given_up.cancel()
    for _ in range(FAILURES - 1):
        await driver.send(tools.post(timeout_s=0.9 * PATIENCE_S), endpoint, tools.soon(2 * PATIENCE_S), notes)
    hung = await driver.send(tools.post(timeout_s=0.9 * PATIENCE_S), endpoint, tools.soon(2 * PATIENCE_S), notes)
    spared = await driver.send(tools.post(timeout_s=0.9 * PATIENCE_S), endpoint, tools.soon(2 * PATIENCE_S), notes)
    assert (hung.reason, spared.reason) == ("unknown_fate", "not_sent")  # type: ignore[union-attr]
    assert len(device.heard) == 1 + FAILURES
    await asyncio.gather(given_up, return_exceptions=True)


async def test_targets_that_name_one_address_share_its_places_whatever_their_credentials(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    from runtime.driver.credentials.sessions import References

    async def slowly(_heard: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        writer.write(tools.answer())

    device = await recorder(slowly)
    one = tools.endpoint(device.url, {"limits": {"connections": 1}})
    two = tools.endpoint(device.url, {"limits": {"connections": 1}}, references=References("env:USER", "env:WORD"))
    await asyncio.gather(*(driver.send(tools.get(), each, tools.soon(), notes) for each in [one, two] * 5))
    assert device.most_open == 1
