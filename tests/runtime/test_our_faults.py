"""Faults of ours are told as ours, whatever of ours it is: what remembers runs, files of this process (THREATS F12)."""

import asyncio
import contextlib
import os
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.errors import UnavailableError
from governance.storage.connections import parse_url
from runtime.api.workflows import CODE_STATUSES
from runtime.caller import Caller
from runtime.driver.breaker import FAILURES
from runtime.driver.throttle import Throttle
from runtime.engines.dbos_process import beside, file_fault
from tests.waiting import PATIENCE_S, until

ME = Caller("ann", "admin")
FIND, STOP = ("toy_find_vm", {"vm": "web-01"}), ("toy_stop_vm", {"uuid": "u-1"})


async def call(house: Any, wish: tuple[str, dict[str, str]], key: str = "") -> Any:
    return await house.service.calls.call(house.service.live.now.find(wish[0]), wish[1], None, ME, key=key)


def runs_file(house: Any) -> Path:
    return beside(Path(str(parse_url(house.url).database)))


@contextlib.contextmanager
def no_file_left() -> Iterator[None]:
    """This process opens no file any more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(int(each.name) for each in Path("/proc/self/fd").iterdir()) + 8
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))
    taken = []
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(1))
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def without_connections(lab: Any, device: Any) -> None:
    """After a call: what it needs is open, but for a connection to the device."""
    assert (await call(lab, FIND)).outcome == "succeeded"
    for line in lab.service.driver._lines.values():
        await line._close_idle()
    await until(lambda: device.open_now == 0, "the connection to be closed")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.driver.retry.SHORTEST_WAIT_S", 0.001)
    monkeypatch.setattr("runtime.driver.retry.LONGEST_WAIT_S", 0.002)
    monkeypatch.setattr("runtime.service.PROBE_S", 0.05)
    monkeypatch.setattr("runtime.engines.dbos_process.PROBE_WAIT_S", 0.05)
    monkeypatch.setattr("runtime.engines.dbos_process.SLOW_S", 0.1)


@pytest.fixture
async def api(server: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as client:
        yield client


async def is_ready(api: httpx.AsyncClient) -> bool:
    told = await api.get("/ready")
    assert (told.status_code == 503) is bool(told.json()["trouble"])
    return told.status_code == 200


async def test_a_process_that_opens_no_more_files_says_so_and_no_device_is_blamed_or_left_alone(
    lab: Any, device: Any
) -> None:
    await without_connections(lab, device)
    with no_file_left():
        told = [await call(lab, FIND) for _ in range(FAILURES + 1)]
    heard = len(device.heard)
    assert {each.failure.code for each in told} == {"unable"}
    assert "may open no more files" in told[-1].failure.message
    assert "not to blame" in told[-1].failure.remedy
    assert CODE_STATUSES["unable"] == 503
    assert heard == 1
    assert (await call(lab, FIND)).outcome == "succeeded", "the breaker counted none of it"


async def test_a_process_that_cannot_take_a_lock_begins_nothing_and_says_so(lab: Any, device: Any) -> None:
    with no_file_left(), pytest.raises(UnavailableError, match="no lock can be taken"):
        await call(lab, FIND)
    assert device.heard == []
    assert (await call(lab, FIND)).outcome == "succeeded"


async def test_while_what_remembers_runs_is_locked_the_server_is_not_ready_and_the_run_waits(
    lab: Any, device: Any, api: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await call(lab, STOP)
    assert await is_ready(api)
    with contextlib.closing(sqlite3.connect(runs_file(lab), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asking = asyncio.create_task(call(lab, STOP))
        await until(lambda: lab.service.engine.trouble, "it to be noticed")
        assert not await is_ready(api)
        assert (await call(lab, FIND)).outcome == "succeeded", "reads go on"
        other.execute("ROLLBACK")
    assert (await asking).outcome == "succeeded"
    await until(lambda: not lab.service.engine.trouble, "it to be over")
    assert await is_ready(api)
    told = [line for line in caplog.messages if "remembers how far runs are takes" in line]
    assert len(told) == 2, "one line when it began, one when it was over"


@pytest.mark.parametrize("fault", ["locked", "no database"])
async def test_what_remembers_runs_and_cannot_be_begun_is_told_and_begun_once_it_can(
    lab: Any, device: Any, api: httpx.AsyncClient, fault: str
) -> None:
    file = runs_file(lab)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        if fault == "locked":
            other.execute("BEGIN EXCLUSIVE")
        else:
            file.write_bytes(b"nothing of ours" * 100)
        with pytest.raises(UnavailableError):
            await call(lab, STOP)
        assert not await is_ready(api)
        assert device.heard == []
        assert bool(file_fault(lab.url)) is (fault == "no database"), (
            "as doctor tells; a lock keeps nobody from reading"
        )
    if fault == "no database":
        file.unlink()
    await until(lambda: not lab.service.engine.trouble, "it to be over")
    assert await is_ready(api)
    assert (await call(lab, STOP)).outcome == "succeeded"


async def cancelled_in_line(lab: Any, _device: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    async def stands(_gate: Throttle, _limit: int) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(Throttle, "_enter", stands)
        asking = asyncio.create_task(call(lab, FIND, "once"))
        (run,) = await until(lab.service.open_runs.look, "it to be begun")
        await until(lambda: run.id in lab.service.engine._durable.under_way, "it to be carried out")
        lab.service.engine._durable.cancel(run.id)
        return await asking


async def without_files(lab: Any, device: Any, _monkeypatch: pytest.MonkeyPatch) -> Any:
    await call(lab, STOP)  # what runs are remembered in is open
    await without_connections(lab, device)
    with no_file_left():
        return await call(lab, FIND, "once")


@pytest.mark.parametrize("ends", [cancelled_in_line, without_files])
async def test_a_key_whose_run_never_left_is_free_again_whatever_kept_it(
    lab: Any, device: Any, ends: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await ends(lab, device, monkeypatch)
    assert first.outcome in ("cancelled", "failed")
    again = await call(lab, FIND, "once")
    assert (again.outcome, again.run_id != first.run_id) == ("succeeded", True)
    assert await lab.service.open_runs.fault_of(first.run_id) == ""
