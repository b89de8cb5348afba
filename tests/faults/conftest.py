"""A fault proxy between the runtime and the twin: a loopback TCP relay that spoils one chosen request.

Requests are counted as they pass (reads and logins do not count); the chosen one meets the fault, all others go
through as they are. One exchange a connection, so that what is spoiled is known. Its clock is that of its event loop,
which may be a fast one (`FastLoop`): an hour of waiting for a device then takes minutes.
"""

import asyncio
import selectors
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

Fault = Literal["none", "latency", "busy", "reset", "lost request", "lost answer", "half an answer", "slow drip"]
FAULTS: tuple[Fault, ...] = ("latency", "busy", "reset", "lost request", "lost answer", "half an answer", "slow drip")
SPEED = 20.0
LATENCY_S, DRIP_S = 2.0, 5.0


class _FastSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> Any:
        return super().select(timeout if timeout is None or timeout <= 0 else timeout / SPEED)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds are short: timers, sleeps and deadlines, all of them alike."""

    def __init__(self) -> None:
        super().__init__(_FastSelector())

    def time(self) -> float:
        return super().time() * SPEED


@dataclass
class Proxy:
    """`spoiled`: which changing request meets the fault, from 1; how often it came, faults before it was sent apart.

    `heard`: method and path of each request that came.
    """

    upstream: tuple[str, int]
    fault: Fault
    spoiled: int
    changes: int = 0
    spoilt: list[str] = field(default_factory=list)
    heard: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._relay(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _message(reader)
            line = request.split(b"\r\n", 1)[0].decode()
            self.heard.append((line.split(" ")[0], line.split(" ")[1].partition("?")[0]))
            fault = self._fault_for(line)
            if fault == "latency":
                await asyncio.sleep(LATENCY_S)
            if fault == "reset":
                _reset(writer)
            if fault in ("reset", "lost request"):
                return
            said = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n" if fault == "busy" else await self._asked(request)
            await self._answer(writer, said, fault)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _fault_for(self, line: str) -> Fault:
        if line.startswith("GET ") or "Sessions" in line or line.startswith(("POST /rest/v1/log", "HEAD ")):
            return "none"
        self.changes += 1
        if self.changes != self.spoiled:
            return "none"
        self.spoilt.append(line)
        return self.fault

    async def _asked(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self.upstream)
        try:
            head, _, body = request.partition(b"\r\n\r\n")
            writer.write(head + b"\r\nconnection: close\r\n\r\n" + body)
            return await reader.read(-1)
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, said: bytes, fault: Fault) -> None:
        if fault == "lost answer":
            return
        if fault == "half an answer":
            said = said[: len(said) // 2]
        if fault == "slow drip":
            for byte in said:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(DRIP_S)
        else:
            writer.write(said)
            await writer.drain()


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    length = next((int(value) for name, _, value in fields if name == b"content-length"), 0)
    return head + (await reader.readexactly(length) if length else b"")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closing sends RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@asynccontextmanager
async def proxied(url: str, fault: Fault, spoiled: int) -> AsyncIterator[Proxy]:
    parts = urlsplit(url)
    proxy = Proxy((parts.hostname or "", parts.port or 0), fault, spoiled)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{parts.path}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()


class Tools:
    FAULTS = FAULTS
    FastLoop = FastLoop
    proxied = staticmethod(proxied)


@pytest.fixture(scope="session")
def faults() -> Any:
    """What tests need from here, under one name, because test files import nothing from each other."""
    return Tools
