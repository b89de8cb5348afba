"""Runs: each event with its audit row, in order, and nothing recorded twice."""

import pytest
from sqlalchemy import update

from governance.approval.revisions import Revision
from governance.audit.log import AuditLog
from governance.errors import ConflictError, InvalidError, NotFoundError, StopAskedError
from governance.integrity.survey import alterations
from governance.runs.open_runs import OpenRuns
from governance.runs.runs import RunStore, StepRecord
from governance.storage.database import Database
from governance.storage.identifiers import new_id
from governance.storage.models import RunRow, table_of


@pytest.fixture
async def revision(submit) -> Revision:  # type: ignore[no-untyped-def]
    return (await submit()).revision


@pytest.fixture
def runs(database: Database) -> RunStore:
    return RunStore(database)


async def _create(runs: RunStore, revision: Revision, run_id: str | None = None, **more: StepRecord) -> str:
    run_id = run_id or new_id()
    await runs.create(run_id, revision.id, revision.digest, "lab", "agent", {"vm": "web-01"}, **more)
    return run_id


async def test_a_run_comes_back_with_its_steps_in_order(runs: RunStore, revision: Revision) -> None:
    run_id = await _create(runs, revision)
    await runs.record_step(run_id, 1, "find", "sending", "GET", "/VirDomain")
    await runs.record_step(run_id, 1, "find", "answered", "GET", "/VirDomain", 200, 3.25, {"bytes": 20})
    await runs.record_step(run_id, 2, "start", "sending", "POST", "/VirDomain/action")
    await runs.record_step(run_id, 2, "start", "failed", "POST", "/VirDomain/action", detail={"reason": "not_sent"})
    await runs.finish(run_id, "failed", None, {"code": "not_sent"})
    run = await runs.get(run_id)
    assert (run.outcome, run.failure, run.outputs) == ("failed", {"code": "not_sent"}, None)
    assert (run.target, run.caller, run.inputs, run.digest) == ("lab", "agent", {"vm": "web-01"}, revision.digest)
    steps = [(step.record.seq, step.record.phase, step.record.status) for step in run.steps]
    assert steps == [(1, "sending", None), (1, "answered", 200), (2, "sending", None), (2, "failed", None)]
    assert run.steps[1].record == StepRecord(1, "find", "answered", "GET", "/VirDomain", 200, 3.25, {"bytes": 20})


async def test_every_event_of_a_run_has_its_audit_row(database: Database, runs: RunStore, revision: Revision) -> None:
    sending = StepRecord(1, "find", "sending", "GET", "/VirDomain")
    run_id = await _create(runs, revision, first=sending)
    answered = StepRecord(1, "find", "answered", "GET", "/VirDomain", 200, 1.5)
    await runs.record_steps(run_id, (answered, StepRecord(2, "read", "sending", "GET", "/VirDomain/1")))
    await runs.finish(
        run_id, "succeeded", {}, last=(StepRecord(2, "read", "answered", "GET", "/VirDomain/1", 200, 1.0),)
    )
    rows = await AuditLog(database).find(subject=f"run:{run_id}")
    assert [(row.action, row.actor) for row in rows] == [
        ("run.started", "agent"),
        ("request.sending", "agent"),
        ("request.answered", "runtime"),
        ("request.sending", "runtime"),
        ("request.answered", "runtime"),
        ("run.finished", "runtime"),
    ]
    assert rows[0].detail["inputs"] == {"vm": "web-01"}
    assert StepRecord(**rows[1].detail) == sending
    assert (await AuditLog(database).verify()).ok


async def test_nothing_is_recorded_twice_and_a_refused_record_leaves_no_audit_row(
    database: Database, runs: RunStore, revision: Revision
) -> None:
    run_id = await _create(runs, revision)
    await runs.record_step(run_id, 1, "find", "sending", "GET", "/x")
    before = await AuditLog(database).last()
    with pytest.raises(ConflictError):
        await runs.record_step(run_id, 1, "find", "sending", "GET", "/x")
    with pytest.raises(ConflictError):
        await runs.record_step(new_id(), 1, "find", "sending", "GET", "/x")
    with pytest.raises(ConflictError):
        await _create(runs, revision, run_id)
    with pytest.raises(InvalidError):
        await runs.record_step(run_id, 2, "find", "sending", "GET", "/x", detail=float("inf"))
    assert await AuditLog(database).last() == before


async def test_an_end_that_nobody_asked_for_is_not_brought_about_and_one_that_was_is(
    database: Database, runs: RunStore, revision: Revision
) -> None:
    open_runs = OpenRuns(database)
    await runs.create("one", revision.id, revision.digest, "lab", "agent", {}, executor="us", is_durable=True)
    forged = update(table_of(RunRow)).values(cancel_by="ann")
    await database.write(lambda c: c.execute(forged))
    assert [each.cancel_by for each in await open_runs.look()] == [None]
    await runs.record_steps("one", (StepRecord(1, "find", "sending", "GET", "/x"),), executor="us")
    assert any("who asked for its end" in each for each in await alterations(database))
    await open_runs.ask_cancel("one", actor="ben")
    assert [each.cancel_by for each in await open_runs.look()] == ["ben"]
    with pytest.raises(StopAskedError, match="ben"):
        await runs.record_steps("one", (StepRecord(1, "find", "answered", "GET", "/x"),), executor="us")


async def test_a_run_ends_once(database: Database, runs: RunStore, revision: Revision) -> None:
    run_id = await _create(runs, revision)
    await runs.finish(run_id, "unknown", None, {"code": "unknown_fate"})
    before = await AuditLog(database).last()
    with pytest.raises(ConflictError, match="unknown"):
        await runs.finish(run_id, "succeeded", last=(StepRecord(9, "x", "answered", "GET", "/"),))
    with pytest.raises(NotFoundError):
        await runs.finish(new_id(), "succeeded")
    assert (await runs.get(run_id)).outcome == "unknown"
    assert await AuditLog(database).last() == before


async def test_a_run_of_a_revision_that_is_not_there_is_refused(runs: RunStore) -> None:
    with pytest.raises(ConflictError):
        await runs.create(new_id(), new_id(), "sha256:x", "lab", "agent", {})


async def test_big_numbers_of_devices_are_kept(runs: RunStore, revision: Revision) -> None:
    run_id = await _create(runs, revision)
    outputs = {"capacity": 2**63, "serial": 12345678901234567890123, "text": "\0 ü"}
    await runs.finish(run_id, "succeeded", outputs)
    assert (await runs.get(run_id)).outputs == outputs


async def test_runs_are_listed_newest_first_and_by_page(runs: RunStore, revision: Revision) -> None:
    ids = [await _create(runs, revision) for _ in range(5)]
    await runs.finish(ids[2], "succeeded")
    assert [run.id for run in await runs.find(limit=2)] == [ids[4], ids[3]]
    assert [run.id for run in await runs.find(before=ids[2])] == [ids[1], ids[0]]
    assert [run.id for run in await runs.find(outcome="succeeded")] == [ids[2]]
    assert len(await runs.find(revision_id=revision.id, caller="agent")) == 5
    assert await runs.find(caller="other") == ()


async def test_an_unknown_run_is_not_found(runs: RunStore) -> None:
    with pytest.raises(NotFoundError):
        await runs.get("x")
