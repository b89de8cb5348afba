"""A fault proxy between the runtime and the twin: a loopback TCP relay that spoils one chosen request.

Requests are counted as they pass (reads and logins do not count); the chosen one meets the fault, all others go
through as they are. One exchange a connection, so that what is spoiled is known. Its clock is that of its event loop,
which may be a fast one (`FastLoop`): an hour of waiting for a device then takes no time at all.
"""

import asyncio
import os
import selectors
import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
import uvicorn

from tests.waiting import PATIENCE_S

Fault = Literal["none", "latency", "busy", "reset", "lost request", "lost answer", "half an answer", "slow drip"]
FAULTS: tuple[Fault, ...] = ("latency", "busy", "reset", "lost request", "lost answer", "half an answer", "slow drip")
LATENCY_S, DRIP_S = 2.0, 5.0
# How long the kernel may take to hand over what was sent on loopback, where it does not do so at once.
ON_THE_WAY_S = 0.004
TICK_S = 60.0
TASKS = Path("/proc/self/task")


def _to_itself() -> socket.socket:
    """A datagram socket on loopback that hears what it sends."""
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind(("127.0.0.1", 0))
    own.connect(own.getsockname())
    own.settimeout(PATIENCE_S)
    return own


def _on_one_processor() -> set[int]:
    """Binds this thread to one of its processors; which it had. Each processor hands over by itself what was sent on
    it: what is sent last overtakes what another one has still to hand over, and the order would say nothing."""
    if not hasattr(os, "sched_setaffinity"):
        return set()
    known = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(known)[os.getpid() % len(known)]})
    return known


def _others_at_work() -> bool:
    """Whether another thread of this process runs, would like to, or waits for a disk: it may have an answer for the
    loop that nobody counts, and on a busy machine its turn comes late."""
    own = threading.get_native_id()
    return any(_state(place) in ("R", "D") for place in TASKS.glob("[0-9]*") if int(place.name) != own)


def _state(place: Path) -> str:
    """The letter that the kernel has for a thread; empty for one that has ended."""
    try:
        return (place / "stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return ""


class _Impatient(selectors.DefaultSelector):
    """Where nothing is there to be done and no thread is at work, the clock goes to what comes next."""

    loop: "FastLoop"

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        found = super().select(PATIENCE_S if self.loop.is_awaiting_threads else ON_THE_WAY_S)
        if not found:
            self._wait_for_what_is_on_the_way()
            while _others_at_work() and not found:
                found = super().select(ON_THE_WAY_S)
            found = found or super().select(0)
        if not found:
            self.loop.now += timeout
        return found

    def _wait_for_what_is_on_the_way(self) -> None:
        """A busy kernel does not hand over at once, but in order. A connection takes three ways, its data one."""
        with _to_itself() as own:
            for _ in range(4):
                own.send(b"x")
                own.recv(1)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop on whose clock waiting takes no time and work takes none either, however busy the machine is.

    Both ends of all connections are in it, so that nothing is under way when nobody is ready; and threads that
    somebody waits for are counted: those of `run_in_executor` and what is `lent`. Of others it is asked whether they
    run.
    """

    def __init__(self) -> None:
        selector = _Impatient()
        selector.loop = self
        self._processors = _on_one_processor()
        self.now = 1000.0
        self._at_work = 0
        super().__init__(selector)

    def close(self) -> None:
        super().close()
        if self._processors:
            os.sched_setaffinity(0, self._processors)

    @property
    def is_awaiting_threads(self) -> bool:
        return self._at_work > 0

    def time(self) -> float:
        return self.now

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """The clock stands still meanwhile: whoever is connected to is in this loop and listens."""
        self._at_work += 1
        try:
            await super().sock_connect(sock, address)
        finally:
            self._at_work -= 1

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        future = super().run_in_executor(executor, func, *args)
        self._at_work += 1
        future.add_done_callback(self._is_back)
        return future

    def lent(self, future: "Future[Any]") -> "Future[Any]":
        """The same; the clock stands still until it is done. To be called in the loop."""
        self._at_work += 1
        future.add_done_callback(lambda done: self.call_soon_threadsafe(self._is_back, done))
        return future

    def _is_back(self, _: object) -> None:
        self._at_work -= 1


@contextmanager
def counted(writer: Any) -> Iterator[None]:
    """While the block runs, what a database's writer is given stops the clock of a `FastLoop` until it is done."""
    loop, submit = asyncio.get_running_loop(), writer.submit
    assert isinstance(loop, FastLoop)
    writer.submit = lambda *work, **how: loop.lent(submit(*work, **how))
    try:
        yield
    finally:
        del writer.submit


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


async def seldom(server: uvicorn.Server) -> None:
    """What the server of the twin does between its start and its end: it looks ten times a second whether to end."""
    while not await server.on_tick(0):  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(TICK_S)


@pytest.fixture(autouse=True)
def seldom_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or most of what a fast loop does in an hour would be that."""
    monkeypatch.setattr(uvicorn.Server, "main_loop", seldom)


class Tools:
    FAULTS = FAULTS
    FastLoop = FastLoop
    counted = staticmethod(counted)
    proxied = staticmethod(proxied)


@pytest.fixture(scope="session")
def faults() -> Any:
    """What tests need from here, under one name, because test files import nothing from each other."""
    return Tools
