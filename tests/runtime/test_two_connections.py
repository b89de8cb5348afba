"""THREATS.md D6: a board controller that takes two connections, played by HAProxy, which refuses a third at once.

Fifty callers, never more than two connections, the others wait in order and each with its own deadline; targets
beside it are not affected. HAProxy is Debian's package (`./setup.sh haproxy`); it counts what it sees, and what it
refused, and says so on its statistics socket.
"""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runtime.driver import Driver
from tests.needs import HAPROXY
from tests.ports import free_port
from tests.waiting import PATIENCE_S, until
from workflow.requests.events import RequestFailed, ResponseArrived

CONFIGURATION = """
global
  nbthread 1
  stats socket {socket} mode 600 level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend bmc
  bind 127.0.0.1:{port}
  maxconn 100
  tcp-request connection reject if {{ fe_conn gt 2 }}
  default_backend device
backend device
  server one 127.0.0.1:{device}
"""


@dataclass
class Controller:
    port: int
    socket: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def seen(self) -> tuple[int, int]:
        """The most connections at a time, and how many were refused."""
        told = await self._statistics()
        return int(told["smax"]), int(told["dcon"])

    async def forget(self) -> None:
        """Counts from now on; the connection that found it ready is over."""
        while (await self._statistics())["scur"] != "0":  # noqa: ASYNC110  it cannot be told
            await asyncio.sleep(0.01)
        await self._say(b"clear counters all")

    async def _statistics(self) -> dict[str, str]:
        head, row = (await self._say(b"show stat -1 1 -1")).removeprefix("# ").splitlines()[:2]
        return dict(zip(head.split(","), row.split(","), strict=True))

    async def _say(self, words: bytes) -> str:
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        writer.write(words + b"\n")
        told = (await reader.read()).decode()
        writer.close()
        return told


@contextlib.asynccontextmanager
async def controller(folder: Path, device_port: int) -> AsyncIterator[Controller]:
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        HAPROXY.skip()
    port = free_port()
    short = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))  # the way to a socket has a hundred letters at the most
    place = Controller(port, short / "s")
    (folder / "c").write_text(CONFIGURATION.format(socket=place.socket, port=port, device=device_port))
    process = await asyncio.create_subprocess_exec(program, "-db", "-q", "-f", str(folder / "c"))
    try:
        await until(partial(answers, place, process), "HAProxy")
        await place.forget()
        yield place
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        shutil.rmtree(short)


async def answers(place: "Controller", process: asyncio.subprocess.Process) -> bool:
    assert process.returncode is None, "HAProxy has ended"
    told = partial(asyncio.open_unix_connection, str(place.socket))
    return await is_open(told) and await is_open(partial(asyncio.open_connection, "127.0.0.1", place.port))


async def is_open(connected: Callable[[], Coroutine[Any, Any, tuple[Any, asyncio.StreamWriter]]]) -> bool:
    """Whether somebody listens; a socket's file is there before that."""
    try:
        _, writer = await connected()
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def working(heard: Any, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.01)
    told = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"
    # Now and then the device hangs up after an answer, as controllers do.
    writer.write(told + (b"connection: close\r\n\r\n{}" if heard.number % 7 == 0 else b"\r\n{}"))
    if heard.number % 7 == 0:
        await writer.drain()
        raise ConnectionError


async def rounds(driver: Driver, tools: Any, url: str, other: str, seconds: float) -> tuple[int, int]:
    """Fifty callers ask again and again; answers how often, and how often during one call of another device."""
    endpoint, beside = tools.endpoint(url, {"limits": {"connections": 2}}), tools.endpoint(other, name="other")
    end = time.monotonic() + seconds
    count, most = 0, 0

    async def caller(number: int) -> None:
        nonlocal count
        while time.monotonic() < end:
            command = tools.post(f"/things/{number}") if number % 2 else tools.get(f"/things/{number}")
            event = await driver.send(command, endpoint, tools.soon(PATIENCE_S), tools.Notes())
            assert isinstance(event, ResponseArrived), event
            count += 1

    async def neighbour() -> None:
        nonlocal most
        while time.monotonic() < end:
            before = count
            event = await driver.send(tools.get(), beside, tools.soon(PATIENCE_S), tools.Notes())
            assert isinstance(event, ResponseArrived), event
            most = max(most, count - before)
            await asyncio.sleep(0.02)

    await asyncio.gather(*(caller(number) for number in range(50)), neighbour())
    return count, most


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [3.0, pytest.param(300.0, marks=pytest.mark.long)])
async def test_fifty_callers_never_make_more_than_two_connections(
    driver: Driver, recorder: Any, tools: Any, tmp_path: Path, seconds: float
) -> None:
    device, other = await recorder(working), await recorder(tools.said(tools.answer()))
    async with controller(tmp_path, device.port) as bmc:
        count, meanwhile = await rounds(driver, tools, bmc.url, other.url, seconds)
        most, refused = await bmc.seen()
    assert (most, refused) == (2, 0)
    assert count >= 50
    assert meanwhile < 48, "nobody at another device stands behind the 48 who wait at this one"


@pytest.mark.slow
async def test_connections_that_were_idle_are_gone_before_others_are_opened(
    driver: Driver, recorder: Any, tools: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.driver.device_connection.IDLE_S", 0.1)
    device = await recorder(working)
    async with controller(tmp_path, device.port) as bmc:
        endpoint = tools.endpoint(bmc.url, {"limits": {"connections": 2}})
        for _ in range(8):
            await asyncio.gather(*(driver.send(tools.post(), endpoint, tools.soon(), tools.Notes()) for _ in range(6)))
            await asyncio.sleep(0.2)
        assert await bmc.seen() == (2, 0)
    assert device.connections > 10


@pytest.mark.slow
async def test_callers_get_in_in_the_order_of_coming_and_not_later_than_their_deadline(
    driver: Driver, recorder: Any, tools: Any, tmp_path: Path
) -> None:
    async def slowly(_heard: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(tools.answer())

    device = await recorder(slowly)
    async with controller(tmp_path, device.port) as bmc:
        endpoint = tools.endpoint(bmc.url, {"limits": {"connections": 2}})
        patient = [
            driver.send(tools.post(f"/things/{n}"), endpoint, tools.soon(PATIENCE_S), tools.Notes()) for n in range(48)
        ]
        hasty = [driver.send(tools.post("/hasty"), endpoint, tools.soon(0.3), tools.Notes()) for _ in range(2)]
        events = await asyncio.gather(*patient, *hasty)
        assert (await bmc.seen())[1] == 0
    assert {type(event) for event in events[:48]} == {ResponseArrived}
    assert [(type(event), event.reason) for event in events[48:]] == [(RequestFailed, "not_sent")] * 2
    order = [int(heard.target.rsplit(b"/", 1)[1]) for heard in device.heard]
    # Two are under way at a time, and either may be heard first.
    assert max(abs(place - number) for place, number in enumerate(order)) <= 2


async def test_without_the_limit_the_third_connection_is_refused(
    driver: Driver, recorder: Any, tools: Any, tmp_path: Path
) -> None:
    """The judge can see it: what the two tests above find absent is there when the limit is not kept."""
    device = await recorder(working)
    async with controller(tmp_path, device.port) as bmc:
        endpoint = tools.endpoint(bmc.url, {"limits": {"connections": 10}})
        await asyncio.gather(*(driver.send(tools.post(), endpoint, tools.soon(), tools.Notes()) for _ in range(10)))
        assert (await bmc.seen())[1] > 0
