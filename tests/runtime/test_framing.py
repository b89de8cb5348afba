"""A device's framing holds up nobody: pieces of one byte, informational replies without end (THREATS F10).

Counted: how often somebody else had their turn while such an answer was read, and that it is given up after a bounded
amount. What is no more than unusual is read as before.
"""

import asyncio
from typing import Any

import h11
import pytest

from runtime.driver import Driver, streams
from runtime.driver.streams import FIRST_BYTES, MOST_HEAD_BYTES, PIECES_AT_ONCE
from workflow.requests.events import RequestFailed, ResponseArrived

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
HINT = b"HTTP/1.1 103 Hints\r\nlink: <a>\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


# Free pieces, in place of thousands.
FEW = 500


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "FREE_PIECES", FEW)


async def read(said: bytes, driver: Driver, tools: Any, recorder: Any) -> tuple[Any, int]:
    """What the driver makes of an answer that comes all at once, and how many turns another task had meanwhile."""
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    device = await recorder(tools.said(said))
    other = asyncio.create_task(another())
    event = await driver.send(tools.get(), tools.endpoint(device.url), tools.soon(), tools.Notes())
    other.cancel()
    return event, turns


def chunks(piece: bytes, count: int) -> bytes:
    return CHUNKED + (b"%x\r\n%s\r\n" % (len(piece), piece)) * count + b"0\r\n\r\n"


async def test_pieces_of_one_byte_give_others_their_turn_and_are_given_up(
    driver: Driver, tools: Any, recorder: Any
) -> None:
    event, turns = await read(chunks(b"x", 2 * FEW), driver, tools, recorder)
    assert (type(event), event.reason) == (RequestFailed, "bad_reply")
    assert turns >= FEW // PIECES_AT_ONCE


async def test_informational_replies_without_end_give_others_their_turn_and_are_given_up(
    driver: Driver, tools: Any, recorder: Any, monkeypatch: Any
) -> None:
    looks, take = 0, h11.Connection.next_event
    in_one_turn: list[int] = []

    def counted(connection: h11.Connection) -> Any:
        nonlocal looks
        if not looks:
            asyncio.get_running_loop().call_soon(over)
        looks += 1
        return take(connection)

    def over() -> None:
        nonlocal looks
        in_one_turn.append(looks)
        looks = 0

    monkeypatch.setattr(h11.Connection, "next_event", counted)
    event, _ = await read(HINT * (2 * MOST_HEAD_BYTES // len(HINT)), driver, tools, recorder)
    assert (type(event), event.reason) == (RequestFailed, "unknown_fate")
    assert "before the reply" in event.message
    assert max(in_one_turn) <= 2 * FIRST_BYTES // len(HINT), "so many are read before others have their turn"


@pytest.mark.parametrize(
    "said",
    [HINT * 20 + PLAIN, chunks(b"x", FEW // 2), chunks(b"x" * 80, 2 * FEW)],
    ids=["some hints", "a text letter by letter", "line by line"],
)
async def test_what_is_no_more_than_unusual_is_read(said: bytes, driver: Driver, tools: Any, recorder: Any) -> None:
    event, _ = await read(said, driver, tools, recorder)
    assert type(event) is ResponseArrived
