"""THREATS.md D3: the database is locked, full, read-only or failing, before a run and in the middle of one.

Nothing is sent upstream without its audit row, looking goes on, whoever asks hears a clear 503, and once the database
is well again everything goes on by itself: what was left open ends, and nothing is sent a second time. The faults
are real ones of SQLite (another process's lock, `RLIMIT_FSIZE`, `query_only`) but for the disk's error at a commit.
"""

import asyncio
import contextlib
import logging
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from governance.errors import UnavailableError
from governance.outage import Outage
from governance.storage.connections import parse_url
from runtime.caller import Caller
from tests.waiting import PATIENCE_S, until

FIND, STOP = ("toy_find_vm", {"vm": "web-01"}), ("toy_stop_vm", {"uuid": "u-1"})


def file_of(house: Any) -> Path:
    return Path(str(parse_url(house.url).database))


@contextlib.contextmanager
def locked(house: Any) -> Iterator[None]:
    connection = sqlite3.connect(file_of(house), isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


@contextlib.contextmanager
def full(house: Any) -> Iterator[None]:
    """No file of this process grows any more; what room is left in the log is used up."""
    largest = max(path.stat().st_size for path in file_of(house).parent.glob("switchgear.db*"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def read_only(house: Any) -> Iterator[None]:
    say(house, "PRAGMA query_only = ON")
    try:
        yield
    finally:
        say(house, "PRAGMA query_only = OFF")


def say(house: Any, words: str) -> None:
    """To the driver's connection itself: the engine would begin to write first."""
    connection = house.service.database._write_engine.raw_connection()
    connection.driver_connection.execute(words)
    connection.close()


@contextlib.contextmanager
def failing(house: Any) -> Iterator[None]:
    def fails(_connection: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    engine = house.service.database._write_engine
    event.listen(engine, "commit", fails)
    try:
        yield
    finally:
        event.remove(engine, "commit", fails)


FAULTS: dict[str, Callable[[Any], AbstractContextManager[None]]] = {
    "locked": locked,
    "full": full,
    "read-only": read_only,
    "failing": failing,
}


@contextlib.asynccontextmanager
async def broken(house: Any, fault: str) -> AsyncIterator[None]:
    """The fault, in force when this is entered: a full disk may still have had room for a row or two."""
    spoiled = FAULTS[fault](house)
    await asyncio.to_thread(spoiled.__enter__)
    try:
        for _ in range(10_000 if fault == "full" else 0):
            with contextlib.suppress(UnavailableError):
                await house.service.audit.append("test", "test.filled", "disk", {"text": "x" * 2000})
                continue
            break
        yield
    finally:
        await asyncio.to_thread(spoiled.__exit__, None, None, None)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock is waited for a second, not five: what is tested is what comes after."""
    monkeypatch.setattr("governance.storage.connections.LOCK_WAIT_S", 1)


@pytest.fixture
async def api(server: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as client:
        yield client


async def asked(api: httpx.AsyncClient, wish: tuple[str, dict[str, str]]) -> httpx.Response:
    return await api.post(f"/workflows/{wish[0]}/run", json={"inputs": wish[1]})


def heard_by(device: Any) -> list[str]:
    return [heard.line.decode().rsplit(" ", 1)[0] for heard in device.heard]


async def check_the_record(house: Any, device: Any) -> None:
    """What the device heard is what the audit says, in order, and no run is left open."""
    async with asyncio.timeout(PATIENCE_S):
        while any(run.outcome is None for run in await house.service.runs.find()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await house.service.engine.settle()
    rows = await house.service.audit.find(action="request.sending", limit=1000)
    assert [f"{row.detail['method']} /api{row.detail['path']}" for row in rows] == heard_by(device)
    assert (await house.service.audit.verify()).ok


@pytest.mark.slow
@pytest.mark.parametrize("wish", [FIND, STOP], ids=["direct", "durable"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_without_a_record_nothing_is_sent_looking_goes_on_and_it_recovers(
    lab: Any, device: Any, api: httpx.AsyncClient, fault: str, wish: Any
) -> None:
    assert (await asked(api, wish)).status_code == 200
    before = len(device.heard)
    async with broken(lab, fault):
        reply = await asked(api, wish)
        assert (reply.status_code, reply.json()["title"]) == (503, "database unavailable")
        assert reply.json()["remedy"]
        assert len(device.heard) == before
        for path in ("/workflows", "/runs", "/audit", "/health"):
            assert (await api.get(path)).status_code == 200
    assert (await asked(api, wish)).status_code == 200
    await check_the_record(lab, device)


@pytest.mark.parametrize("wish", [FIND, STOP], ids=["direct", "durable"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_database_that_breaks_during_a_request_lets_nothing_more_out_and_the_run_ends_when_it_is_back(
    lab: Any, device: Any, api: httpx.AsyncClient, fault: str, wish: Any
) -> None:
    assert (await asked(api, wish)).status_code == 200
    before, plain = len(device.heard), device.script
    async with contextlib.AsyncExitStack() as until_well:

        async def breaks(heard: Any, writer: asyncio.StreamWriter) -> None:
            await until_well.enter_async_context(broken(lab, fault))
            device.script = plain
            await plain(heard, writer)

        device.script = breaks
        reply = await asked(api, wish)
        # What a read found is told, though its end has to wait for the database.
        assert reply.status_code == (200 if wish is FIND else 503)
        assert len(device.heard) == before + 1
    assert (await asked(api, FIND)).status_code == 200
    await check_the_record(lab, device)
    assert heard_by(device).count("POST /api/vms/u-1/stop") == (0 if wish is FIND else 2)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
async def test_while_the_database_takes_no_writes_the_server_is_not_ready_and_says_so_once(
    lab: Any, device: Any, api: httpx.AsyncClient, fault: str, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.service.PROBE_S", 0.05)
    assert (await api.get("/ready")).status_code == 200
    async with broken(lab, fault):
        for _ in range(2 if fault == "locked" else 5):
            assert (await asked(api, FIND)).status_code == 503
        told = await api.get("/ready")
        assert (told.status_code, bool(told.json()["trouble"])) == (503, True)
        lines = [line for line in caplog.messages if "takes no writes" in line]
        assert len(lines) == 1, "one line, however many are refused"
    await until(lambda: not lab.service.database.trouble, "it to take writes again")
    assert (await api.get("/ready")).status_code == 200
    assert any("takes writes again" in line for line in caplog.messages), "though nobody wrote meanwhile"


def test_a_write_that_was_handed_in_before_another_was_refused_ends_no_outage(caplog: Any) -> None:
    outage = Outage(logging.getLogger("switchgear.test"), "the disk")
    before = outage.refusals
    outage.begin(UnavailableError("full"))
    outage.end(before)
    assert outage.why == "full"
    outage.end(outage.refusals)
    assert outage.why == ""
    assert [line.split(":")[0].split(";")[0] for line in caplog.messages] == [
        "the disk takes no writes",
        "the disk takes writes again",
    ]


async def test_a_run_that_the_loss_of_the_database_ends_is_told_as_our_fault_and_not_the_devices(
    lab: Any, device: Any, api: httpx.AsyncClient, tools: Any
) -> None:
    document = tools.toy_content("find").document
    workflow = document["workflows"][0]
    workflow["workflowId"] = "toy-find-twice"
    workflow["x-switchgear"]["tool"]["name"] = "toy_find_twice"
    workflow["steps"].insert(0, {**workflow["steps"][0], "stepId": "before"})
    revision = await lab._submit(tools.content_of(document))
    await lab.service.revisions.decide(
        revision.id, "approve", actor="test", role="admin", reason="", digest=revision.digest
    )
    await lab.service.live.reload()
    plain = device.script
    async with contextlib.AsyncExitStack() as until_well:

        async def breaks(heard: Any, writer: asyncio.StreamWriter) -> None:
            await until_well.enter_async_context(broken(lab, "failing"))
            device.script = plain
            await plain(heard, writer)

        device.script = breaks
        reply = await asked(api, ("toy_find_twice", {"vm": "web-01"}))
    assert reply.status_code == 503
    assert "this server's own database" in reply.json()["detail"]
    assert reply.json()["failure"]["code"] == "unrecorded"


@pytest.mark.long
@pytest.mark.parametrize("wish", [FIND, STOP], ids=["direct", "durable"])
async def test_a_lock_held_for_a_minute_is_waited_out(lab: Any, device: Any, api: httpx.AsyncClient, wish: Any) -> None:
    assert (await asked(api, wish)).status_code == 200
    before = len(device.heard)
    async with broken(lab, "locked"), asyncio.timeout(60 + PATIENCE_S):
        until = asyncio.get_running_loop().time() + 60
        while asyncio.get_running_loop().time() < until:
            assert (await asked(api, wish)).status_code == 503
        assert len(device.heard) == before
    assert (await asked(api, wish)).status_code == 200
    await check_the_record(lab, device)


@pytest.mark.parametrize(
    ("name", "inputs", "kinds"), [("toy_find_vm", {"vm": "web-01"}, {1}), ("toy_stop_vm", {"uuid": "u-1"}, {2})]
)
async def test_the_record_of_a_change_is_on_the_disk_that_of_a_read_with_the_system(
    lab: Any, name: str, inputs: dict[str, str], kinds: set[int]
) -> None:
    """By SQLite's `synchronous` at each commit of the run: 2 waits for the disk."""
    seen: set[int] = set()

    def note(connection: Any) -> None:
        seen.add(connection.connection.driver_connection.execute("PRAGMA synchronous").fetchone()[0])

    engine = lab.service.database._write_engine
    await lab.service.engine.settle()
    event.listen(engine, "commit", note)
    try:
        entry = lab.service.live.now.find(name)
        ended = await lab.service.calls.call(entry, inputs, None, Caller("ann", "admin"))
        await lab.service.engine.settle()
    finally:
        event.remove(engine, "commit", note)
    assert (ended.outcome, seen) == ("succeeded", kinds)
