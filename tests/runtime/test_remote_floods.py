"""An MCP server's replies hold up nobody, however they are framed (THREATS F10): as with devices, also of events.

Counted: how often somebody else had their turn meanwhile, and that it is given up after a bounded amount.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from httpx2 import EventSource

from runtime.driver import streams
from runtime.driver.remote.streams import EVENTS_AT_ONCE, MOST_HTTP_BYTES, http_client
from runtime.driver.streams import MOST_HEAD_BYTES, PIECES_AT_ONCE

HINT = b"HTTP/1.1 103 Hints\r\nlink: <a>\r\n\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture
async def saying() -> AsyncIterator[Callable[[bytes], Any]]:
    """A server that answers everybody with the same bytes; its address."""
    servers: list[asyncio.Server] = []

    async def start(said: bytes) -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(said)
                await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}/"

    yield start
    for each in servers:
        each.close()


async def read(address: str) -> tuple[str, int, int]:
    """How reading it ended, how many events came, and how many turns another task had meanwhile."""
    turns = events = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(another())
    try:
        async with http_client(False) as client, client.stream("GET", address) as response:
            if "event-stream" not in response.headers["content-type"]:
                await response.aread()
                return "read", events, turns
            async for _ in EventSource(response):
                events += 1
        return "read", events, turns
    except httpx2.HTTPError as error:
        return str(error), events, turns
    finally:
        other.cancel()


async def test_informational_replies_without_end_are_given_up(saying: Any) -> None:
    ended, _, _ = await read(await saying(HINT * (2 * MOST_HEAD_BYTES // len(HINT))))
    assert "before the reply" in ended


async def test_pieces_of_one_byte_give_others_their_turn_and_are_given_up(saying: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(streams, "FREE_PIECES", 500)
    ended, _, turns = await read(await saying(CHUNKS + b"1\r\nx\r\n" * 1_000))
    assert "pieces" in ended
    assert turns >= 500 // PIECES_AT_ONCE


async def test_comments_and_empty_events_give_others_their_turn(saying: Any) -> None:
    lines = b":\n\n" * 20_000
    address = await saying(EVENTS + b"\r\n" + lines)
    ended, events, _ = await read(address)
    assert (ended, events) == ("read", 0)
    async with http_client(False) as client, client.stream("GET", address) as response:
        portions = [piece async for piece in response.aiter_bytes()]
    assert b"".join(portions) == lines
    assert max(map(len, portions)) <= EVENTS_AT_ONCE


async def test_events_are_read_as_they_were_sent_and_are_bounded_all_together(saying: Any, monkeypatch: Any) -> None:
    event = b"data: " + b"x" * 3_000 + b"\n\n"
    ended, events, _ = await read(await saying(EVENTS + b"\r\n" + event * 20))
    assert (ended, events) == ("read", 20)
    monkeypatch.setattr("runtime.driver.remote.streams.MOST_HTTP_BYTES", 10_000)
    ended, events, _ = await read(await saying(EVENTS + b"\r\n" + event * 20))
    assert "larger than 10000 bytes" in ended
    assert events <= 4 < MOST_HTTP_BYTES
