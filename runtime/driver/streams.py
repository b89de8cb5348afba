"""The bytes of a device, taken in such portions that no device holds up anybody else's call.

The library reads 64 kB at a time and takes every message out of it in one go: a device that answers in chunks of one
byte, or with informational replies without end, keeps the whole process busy with a tenth of a second of parsing for
each. So what comes before a reply is read in small portions and is bounded, and a body whose pieces are tiny rests
between them and is bounded in its pieces. Here never lives what a reply means. Called by `exchange`
and, for MCP servers, `remote.streams`. RFC 9110, 15.2; RFC 9112, 7.1.
"""

import asyncio
import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore

from runtime.errors import BadReply

# The first portion holds the whole reply of most devices; what goes on after it is no usual head.
FIRST_BYTES, NEXT_BYTES = 4_096, 512
# More than the longest chain of 1xx replies and the longest head that makes sense.
MOST_HEAD_BYTES = 64 * 1024
# A piece of a body costs 0.05 ms, whatever it holds. While they hold so little, others have the thread in between for
# longer than that.
PIECES_AT_ONCE, SMALL_BYTES, REST_S = 16, 1_024, 0.0015
# So many are free, then they have to hold something. Devices that print piece by piece print lines.
FREE_PIECES, PIECE_BYTES = 10_000, 64


class Head:
    """How much came of a request's reply before the reply itself began. `error`: the library's own for what is none."""

    def __init__(self, error: type[Exception] = httpcore.RemoteProtocolError) -> None:
        self._error = error
        self._bytes = 0
        self._is_awaited = False

    def note(self, event: str) -> None:
        """Follows what the library's trace says."""
        if event.endswith("receive_response_headers.started"):
            self._is_awaited = True
        elif event.endswith("receive_response_headers.complete"):
            self._is_awaited = False

    def portion(self, most: int) -> int:
        """How much may be read now. Raises the library's error for a device that does not come to its reply."""
        if not self._is_awaited:
            return most
        if self._bytes > MOST_HEAD_BYTES:
            raise self._error("more came before the reply than a reply's head may have")
        return min(most, NEXT_BYTES if self._bytes else FIRST_BYTES)

    def read(self, count: int) -> None:
        self._bytes += count if self._is_awaited else 0


# Of the request that is under way in this task: a connection is used by many, one after the other.
HEAD: ContextVar[Head | None] = ContextVar("head", default=None)


class Pieces:
    """A body's pieces, counted against what they hold."""

    def __init__(self) -> None:
        self._count = 0
        self._bytes = 0

    async def take(self, piece: bytes) -> None:
        """To be awaited for each. Raises BadReply for a body that is mostly framing."""
        self._count += 1
        self._bytes += len(piece)
        if self._count > FREE_PIECES + self._bytes // PIECE_BYTES:
            raise BadReply(f"the body comes in more than {FREE_PIECES} pieces of less than {PIECE_BYTES} bytes")
        if self._count % PIECES_AT_ONCE == 0:
            await asyncio.sleep(REST_S if self._bytes < self._count * SMALL_BYTES else 0)


class Backend(httpcore.AnyIOBackend):
    """Connects as the library does."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return PortionedStream(await super().connect_tcp(host, port, timeout, local_address, socket_options))


class PortionedStream(httpcore.AsyncNetworkStream):
    """A connection that is read as `HEAD` has it. `stream`: the library's, or that of its successor, which is alike."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  likewise
        head = HEAD.get()
        if head is None:
            return bytes(await self._stream.read(max_bytes, timeout))
        data: bytes = await self._stream.read(head.portion(max_bytes), timeout)
        head.read(len(data))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  likewise
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  likewise
    ) -> httpcore.AsyncNetworkStream:
        return PortionedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
