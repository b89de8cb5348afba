"""A run that was written into the table, or opened again there, is carried out by nobody and told to nobody."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from governance.events.endpoints import Endpoint
from governance.storage.connections import parse_url
from runtime.caller import Caller
from runtime.calls.confirmation import Confirmation
from runtime.engines.dbos_process import beside
from runtime.errors import Interrupted
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from tests.waiting import until

ME = Caller("me", "operator")
CHANGE = ("toy_stop_vm", {"uuid": "u-1"})
# Of what DBOS remembers.
STORED = "SELECT function_id, output FROM operation_outputs WHERE workflow_uuid = ? ORDER BY function_id"
CHANGED = "UPDATE operation_outputs SET output = ? WHERE workflow_uuid = ? AND function_id = ?"
OPENED = "UPDATE runs SET outcome = NULL, finished_at = NULL"


@pytest.fixture
async def house(migrated_url: str, device: Any, tools: Any) -> AsyncIterator[Any]:
    async with open_service(
        migrated_url, Vault({}), ServiceOptions(confirmation=Confirmation(classes=frozenset()))
    ) as service:
        made = await tools.furnished(migrated_url, service)
        await made.target(device.url)
        await made.approve("stop")
        await service.live.reload()
        await service.endpoints.add(Endpoint("hook", "https://h.example", "env:HOOK"), actor="boss")
        yield made


async def ended(service: Any) -> str:
    entry = service.live.now.entries[CHANGE[0]]
    run_id = (await service.calls.call(entry, CHANGE[1], None, ME)).run_id
    await service.engine.settle()
    return str(run_id)


def written(url: str, statement: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


async def messages(service: Any) -> int:
    return sum(depth.waiting + depth.dead for depth in await service.deliveries.depths())


@pytest.mark.unwitnessed("rows are written by hand, which the witness takes for a loss")
@pytest.mark.parametrize("is_new", [True, False], ids=["written", "opened again"])
async def test_a_run_that_was_written_or_opened_by_hand_is_carried_out_and_told_by_nobody(
    house: Any, device: Any, caplog: pytest.LogCaptureFixture, is_new: bool
) -> None:
    service = house.service
    run_id = await ended(service)
    heard, audit, waiting = len(device.heard), await service.audit.last(1000), await messages(service)
    if is_new:
        names = [column for column in (await columns(service)) if column not in ("id", "outcome", "executor")]
        chosen = ", ".join(names)
        written(house.url, f"INSERT INTO runs (id, {chosen}) SELECT 'evil', {chosen} FROM runs")
        run_id = "evil"
    else:
        written(house.url, OPENED)
    (found,) = await service.open_runs.look()
    assert found.id == run_id

    async def is_refused() -> bool:
        await service.engine.recover()
        return f"refused: the run {run_id}" in caplog.text

    await until(is_refused)
    await service.engine.recover()
    assert len(device.heard) == heard
    assert await service.audit.last(1000) == audit
    assert await messages(service) == waiting


async def columns(service: Any) -> list[str]:
    rows = await service.database.read(lambda c: c.execute(text("SELECT * FROM runs")).keys())
    return list(rows)


def spoil(url: str, run_id: str, *, is_swapped: bool) -> None:
    """Writes into the database that remembers how far runs are: an answer changed, or that of another turn."""
    with closing(sqlite3.connect(beside(Path(parse_url(url).database or "")))) as file:
        rows = file.execute(STORED, (run_id,)).fetchall()
        assert len(rows) > 1, "some turns are remembered"
        first, last = rows[0], rows[-1]
        changed = first[1] if is_swapped else last[1].replace("u-1", "u-2").replace("t-1", "t-2")
        assert changed != last[1]
        file.execute(CHANGED, (changed, run_id, last[0]))
        file.commit()


@pytest.mark.slow
@pytest.mark.unwitnessed("the database is spoilt on purpose")
@pytest.mark.parametrize("is_swapped", [False, True], ids=["changed", "of another turn"])
async def test_a_checkpoint_that_is_not_as_the_audit_says_is_not_gone_on_from(
    house: Any, device: Any, caplog: pytest.LogCaptureFixture, is_swapped: bool
) -> None:
    device.script.job_state = "running"
    asking = asyncio.create_task(
        house.service.calls.call(house.service.live.now.entries[CHANGE[0]], CHANGE[1], None, ME)
    )
    await device.has_heard(3)
    await house.service.engine.close()
    with pytest.raises(Interrupted):
        await asking
    await house.service.locks.close()
    (left,) = await house.service.open_runs.look()
    spoil(house.url, left.id, is_swapped=is_swapped)
    heard = len(device.heard)
    async with open_service(house.url, Vault({})) as after:

        async def ended() -> Any:
            await after.engine.recover()
            run = await after.runs.get(left.id)
            return run if run.outcome is not None else None

        run = await until(ended, pause_s=0.1)
    assert "a checkpoint of the run" in caplog.text
    assert "not as the audit says" in run.failure["message"]
    assert len(device.heard) == heard, "nothing was sent any more"


@pytest.mark.unwitnessed("the database is spoilt on purpose")
async def test_a_run_whose_checkpoint_cannot_be_written_ends_with_what_was_done_and_whose_fault_it_is(
    house: Any, device: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await ended(house.service)
    heard = len(device.heard)
    with closing(sqlite3.connect(beside(Path(parse_url(house.url).database or "")))) as file:
        file.execute("CREATE TRIGGER full BEFORE INSERT ON operation_outputs BEGIN SELECT RAISE(ABORT, 'full'); END")
        file.commit()
    entry = house.service.live.now.entries[CHANGE[0]]
    told = await house.service.calls.call(entry, CHANGE[1], None, ME)
    assert told.outcome == "failed"
    assert told.failure.done == ("change",)
    assert "how far it is cannot be written down" in told.failure.message
    assert len(device.heard) == heard + 1, "nothing is sent behind it"
    assert f"run {told.run_id} is broken off" in caplog.text
    assert await house.service.open_runs.look() == ()
