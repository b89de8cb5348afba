"""The table of schedules, on both databases."""

import asyncio
from typing import Any

import pytest

from governance.audit.log import AuditLog
from governance.errors import ConflictError, NotFoundError
from governance.runs.schedules import Schedule, ScheduleStore
from governance.storage.database import open_database

ONE, TWO = "2026-11-20T13:00:00.000000Z", "2026-11-20T14:00:00.000000Z"
NIGHTLY = Schedule("nightly", "find", "0 * * * *", "UTC", "me", ONE, labels={"site": "edge"}, inputs={"vm": "a"})


async def test_a_moment_is_taken_by_one_of_many_processes(database: Any, url: str) -> None:
    added = await ScheduleStore(database).add(NIGHTLY)
    async with open_database(url) as other:
        stores = [ScheduleStore(each) for each in (database, other) * 4]
        assert sorted(await asyncio.gather(*(store.take(added, TWO) for store in stores))) == [False] * 7 + [True]
        assert (await ScheduleStore(other).get("nightly")).next_at == TWO


async def test_only_what_is_due_and_not_paused_is_found_and_none_of_it_is_taken_behind_a_pause(database: Any) -> None:
    store = ScheduleStore(database)
    added = await store.add(NIGHTLY)
    assert await store.due("2026-11-20T12:59:59.999999Z") == ()
    assert await store.due(ONE) == (added,) == await store.list_schedules()
    await store.set_paused("nightly", None, actor="you")
    assert (await store.due(TWO), await store.take(added, TWO)) == ((), False)
    await store.set_paused("nightly", TWO, actor="you")
    assert [each.next_at for each in await store.due(TWO)] == [TWO]


async def test_what_came_of_a_removed_one_is_not_noted_at_its_namesake(database: Any) -> None:
    store = ScheduleStore(database)
    gone = await store.add(NIGHTLY)
    with pytest.raises(ConflictError, match="nightly already"):
        await store.add(NIGHTLY)
    await store.remove("nightly", actor="you")
    await store.add(NIGHTLY)
    await store.note(gone, {"at": ONE, "outcome": "succeeded", "why": "", "runs": []})
    assert (await store.get("nightly")).last == {}
    assert not await store.take(gone, TWO)
    told = [(row.actor, row.action) for row in await AuditLog(database).find() if row.subject == "schedule:nightly"]
    acts = [("me", "added"), ("you", "removed"), ("me", "added"), ("me", "succeeded")]
    assert told == [(actor, f"schedule.{act}") for actor, act in acts]


async def test_one_that_is_not_there_is_said(database: Any) -> None:
    store = ScheduleStore(database)
    for act in (store.get("x"), store.remove("x", actor="me"), store.set_paused("x", None, actor="me")):
        with pytest.raises(NotFoundError, match="no schedule x"):
            await act
