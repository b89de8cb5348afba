"""THREATS.md D4: slow, huge, compressed, invalid, wrong-typed and endless replies from a raw socket.

Each is a typed error within the deadline and within 64 MB. What never ends is asked all at once, so that the deadline
is waited for only once. A server here writes pieces until it has none left or the driver hangs up.
"""

import asyncio
import gzip
import itertools
import json
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from runtime.driver import Driver
from tests.waiting import PATIENCE_S
from workflow.requests.events import RequestFailed, ResponseArrived

OK = b"HTTP/1.1 200 OK\r\n"
JSON = b"content-type: application/json\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
DEADLINE_S = 2.0
MOST_BYTES = 64 * 1024 * 1024


def sized(body: bytes, *fields: bytes) -> bytes:
    return b"".join((OK, *(field + b"\r\n" for field in fields), b"content-length: %d\r\n\r\n" % len(body), body))


def repeated(head: bytes, piece: bytes, times: int, tail: bytes = b"") -> Iterator[bytes]:
    """A body of known length, in pieces of 64 KB, never whole in memory."""
    bundle = max(1, 65_536 // len(piece))
    full, rest = divmod(times, bundle)
    yield head + b"content-length: %d\r\n\r\n" % (len(piece) * times + len(tail))
    yield from itertools.repeat(piece * bundle, full)
    yield piece * rest + tail


def listed(piece: bytes) -> Callable[[], Iterable[bytes]]:
    """Almost 16 MB, as far as the limits go, of one JSON list."""
    times = 15 * 1024 * 1024 // len(piece)
    return lambda: itertools.chain([OK + JSON + b"content-length: %d\r\n\r\n[" % (len(piece) * times + 3)],
                                   body_of(piece, times), [b"1]"])  # fmt: skip


def body_of(piece: bytes, times: int) -> Iterator[bytes]:
    bundle = max(1, 65_536 // len(piece))
    yield from itertools.repeat(piece * bundle, times // bundle)
    yield piece * (times % bundle)


def bomb(bits: int) -> bytes:
    """200 MB of zeros, compressed as gzip (31) or zlib (15)."""
    made = zlib.compressobj(wbits=bits)
    return b"".join((*(made.compress(bytes(1_000_000)) for _ in range(200)), made.flush()))


def for_ever(head: bytes, piece: bytes) -> Callable[[], Iterable[bytes]]:
    return lambda: itertools.chain([head], itertools.repeat(piece))


ENDLESS: dict[str, tuple[Callable[[], Iterable[bytes]], float]] = {
    "nothing at all": (lambda: itertools.repeat(b""), 0.05),
    "the status line byte by byte": (for_ever(b"HTTP/1.1 200 ", b"O"), 0.05),
    "a header byte by byte": (for_ever(OK + b"x: ", b"y"), 0.05),
    "header after header": (for_ever(OK, b"x: y\r\n"), 0.05),
    "a head and nothing more": (for_ever(OK + b"content-length: 10\r\n\r\n", b""), 0.05),
    "a body byte by byte": (for_ever(OK + b"content-length: 100000\r\n\r\n", b"x"), 0.05),
    "a body that stops half-way": (for_ever(OK + b"content-length: 10\r\n\r\n12345", b""), 0.05),
    "chunks of one byte": (for_ever(CHUNKED, b"1\r\nx\r\n"), 0.05),
    "the size of a chunk digit by digit": (for_ever(CHUNKED, b"0"), 0.05),
    "a chunk's extension without an end": (for_ever(CHUNKED + b"1;", b"x"), 0.05),
    "trailers without an end": (for_ever(CHUNKED + b"0\r\n", b"x: y\r\n"), 0.05),
    "a body without length that goes on": (for_ever(OK + b"\r\n", b"x"), 0.05),
    "100 Continue for ever": (for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), 0.01),
    "103 Early Hints for ever": (for_ever(b"", b"HTTP/1.1 103 Hints\r\nlink: <a>\r\n\r\n"), 0.01),
    "gzip that never ends": (
        for_ever(OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\x00\x00\x00\xff\xff"),
        0.05,
    ),
}  # fmt: skip
HUGE: dict[str, Callable[[], Iterable[bytes]]] = {
    "a gigabyte that is announced": lambda: repeated(OK, b"x" * 65_536, 16_384),
    "a body without length, as fast as it goes": for_ever(OK + b"\r\n", b"x" * 65_536),
    "chunks without end, as fast as it goes": for_ever(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
    "one chunk of a gigabyte": for_ever(CHUNKED + b"40000000\r\n", b"x" * 65_536),
    "a gzip bomb": lambda: [sized(bomb(31), b"content-encoding: gzip")],
    "a deflate bomb": lambda: [sized(bomb(15), b"content-encoding: deflate")],
    "a bomb in a bomb": lambda: [sized(gzip.compress(bomb(31)), b"content-encoding: gzip, gzip")],
    "brotli that was not asked for": lambda: [sized(b"\x8b\x02\x80", b"content-encoding: br")],
    "zstd that was not asked for": lambda: [sized(b"(\xb5/\xfd", b"content-encoding: zstd")],
    "empty objects": listed(b"{},"),
    "empty lists": listed(b"[],"),
    "small objects": listed(b'{"a":1},'),
    "numbers": listed(b"1234,"),
    "strings": listed(b'"ab",'),
    "a wide string": lambda: repeated(OK + JSON, b"x", 15_000_000, '"😀'.encode()),
    "text that is wide": lambda: repeated(OK, b"x", 15_000_000, "😀".encode()),
    "lists in lists": lambda: [sized(b"[" * 100_000 + b"]" * 100_000, b"content-type: application/json")],
}  # fmt: skip
INVALID: dict[str, tuple[bytes, str]] = {
    "no HTTP": (b"220 smtp.example ESMTP\r\n", "unknown_fate"),
    "another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "unknown_fate"),
    "noise": (bytes(range(256)) * 4, "unknown_fate"),
    "nothing, and hung up": (b"", "unknown_fate"),
    "a status of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", "unknown_fate"),
    "a header without a colon": (OK + b"broken\r\n\r\n", "unknown_fate"),
    "a header of a megabyte": (OK + b"x: " + b"y" * 1_000_000 + b"\r\n\r\n", "unknown_fate"),
    "a hundred thousand headers": (OK + b"x: y\r\n" * 100_000 + b"\r\n", "unknown_fate"),
    "a negative length": (OK + b"content-length: -5\r\n\r\n12345", "unknown_fate"),
    "two lengths": (OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\n123456", "unknown_fate"),
    "a chunk of no size": (CHUNKED + b"zz\r\nx\r\n", "unknown_fate"),
    "less than announced": (OK + b"content-length: 10\r\n\r\n12345", "unknown_fate"),
    "gzip that is none": (sized(b"plain", b"content-encoding: gzip"), "bad_reply"),
    "gzip that is cut off": (sized(gzip.compress(b"x" * 9000)[:-12], b"content-encoding: gzip"), "bad_reply"),
    "gzip with more behind it": (sized(gzip.compress(b"1") * 2, b"content-encoding: gzip"), "bad_reply"),
    "HTML that says JSON": (sized(b"<html>busy</html>", b"content-type: application/json"), "bad_reply"),
    "JSON that is cut off": (sized(b'{"a": [1, 2', b"content-type: application/json"), "bad_reply"),
    "NaN": (sized(b'{"a": NaN}', b"content-type: application/json"), "bad_reply"),
    "two documents": (sized(b"{}{}", b"content-type: application/json"), "bad_reply"),
    "JSON in another encoding": (sized('{"a":"é"}'.encode("utf-16"), b"content-type: application/json"), "bad_reply"),
    "an invalid byte in JSON": (sized(b'{"a":"\xff"}', b"content-type: application/json"), "bad_reply"),
}


async def asked(
    pieces: Iterable[bytes],
    driver: Driver,
    tools: Any,
    pause_s: float = 0.0,
    deadline_s: float = PATIENCE_S,
    **more: Any,
) -> Any:
    """What the driver makes of `pieces`, one connection long, and after how many seconds."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_s)
                if writer.is_closing() or reader.at_eof():
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    start = time.monotonic()
    command = tools.get(timeout_s=deadline_s, **more)
    async with asyncio.timeout(PATIENCE_S):
        endpoint = tools.endpoint(f"http://127.0.0.1:{port}")
        event = await driver.send(command, endpoint, tools.soon(10 * PATIENCE_S), tools.Notes())
    took_s = time.monotonic() - start
    server.close()
    await server.wait_closed()
    return event, took_s


@pytest.mark.slow
async def test_what_never_ends_is_cut_at_the_deadline(driver: Driver, tools: Any) -> None:
    names = list(ENDLESS)
    made = [(pieces(), pause_s) for pieces, pause_s in ENDLESS.values()]
    answers = await asyncio.gather(*(asked(pieces, driver, tools, pause_s, DEADLINE_S) for pieces, pause_s in made))
    unlike = {
        name: (event, took_s)
        for name, (event, took_s) in zip(names, answers, strict=True)
        if not (isinstance(event, RequestFailed) and event.reason == "unknown_fate") or took_s < 0.9 * DEADLINE_S
    }
    assert unlike == {}


@pytest.mark.parametrize("case", HUGE)
async def test_what_is_too_much_cannot_be_read_and_takes_little_memory(case: str, driver: Driver, tools: Any) -> None:
    pieces = HUGE[case]()
    tracemalloc.start()
    try:
        event, _ = await asked(pieces, driver, tools)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (type(event), event.reason) == (RequestFailed, "bad_reply"), event
    assert most < MOST_BYTES


@pytest.mark.parametrize("case", INVALID)
async def test_what_is_no_valid_reply_is_a_typed_error(case: str, driver: Driver, tools: Any) -> None:
    said, reason = INVALID[case]
    event, _ = await asked([said], driver, tools)
    assert (type(event), getattr(event, "reason", "")) == (RequestFailed, reason), event


@pytest.mark.slow
async def test_the_most_that_is_taken_is_read_within_the_memory_of_one_call(driver: Driver, tools: Any) -> None:
    rows = 30_000
    row = json.dumps({"uuid": "1" * 36, "name": "web-01", "state": "on", "size": 12345}).encode() + b","
    pieces = itertools.chain([OK + JSON + b"content-length: %d\r\n\r\n[" % (len(row) * rows + 3)],
                             body_of(row, rows), [b"1]"])  # fmt: skip
    tracemalloc.start()
    try:
        event, _ = await asked(pieces, driver, tools)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(event, ResponseArrived)
    assert len(event.body) == rows + 1
    assert most < MOST_BYTES


WRONG = ["null", "5", '"text"', "{}", "[[]]", '[{"uuid": 5}]', '[{"name": "web-01"}]', '{"name": "web-01"}']


@pytest.mark.parametrize("body", WRONG)
async def test_a_reply_of_another_type_than_described_ends_the_run_as_failed(body: str, lab: Any, device: Any) -> None:
    from runtime.caller import Caller

    async def script(_heard: Any, writer: asyncio.StreamWriter) -> None:
        said = sized(body.encode(), b"content-type: application/json")
        writer.write(said)

    device.script = script
    entry = lab.service.live.now.entries["toy_find_vm"]
    ended = await lab.service.calls.call(entry, {"vm": "web-01"}, None, Caller("me", "operator"))
    assert ended.outcome == "failed"
    assert ended.failure.code in ("not_found", "bad_outputs", "missing_value", "unexpected_reply"), ended.failure
