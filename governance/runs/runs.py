"""Runs and what happened to each of their requests, every event with its audit row in one transaction.

The runtime calls `create` when a run starts, `record_step` before a request is sent and after it was answered or
failed, `finish` at the end. A request must not be sent before its `sending` record is stored: when these return, it
is on the disk. To save commits, `create` takes the first record along and `finish` the last, so that a run of one
request costs two. Inputs, outputs and details are stored as given: the caller redacts. Whoever gives an `executor`
writes only while the run is open, in that executor's hands, and nobody asked for its end: this is the fence.
Here never lives how a run proceeds (`workflow.running.interpreter`), nor what is done to open runs (`open_runs`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.engine import Row

from governance.approval.revision_rows import TABLE, within
from governance.audit.log import Event, append_entries
from governance.audit.run_verification import is_end_asked, print_of_key, sealed_end
from governance.errors import ConflictError, NotFoundError, NotOursError, StopAskedError
from governance.events.outbox import tell_of_run
from governance.people.scopes import WHOLE, AccessScope
from governance.runs.effects import check, give_back, take
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import RunJournalRow, RunRow, RunStepRow, table_of
from governance.storage.statements import Statement

Phase = Literal["sending", "answered", "failed"]
Outcome = Literal["succeeded", "partial", "pending", "failed", "unknown", "cancelled", "planned"]

_RUN = table_of(RunRow)
_STEP = table_of(RunStepRow)
NEVER_LEFT = ("not_sent", "refused", "unable")
"""What is on record of a request that was begun and of which no byte left."""
_ADD_RUN = Statement(insert(_RUN))
_ADD_JOURNAL = Statement(insert(table_of(RunJournalRow)))
_ADD_STEP = Statement(insert(_STEP))
# The columns to set follow from the values that are given.
_END = update(_RUN).where(_RUN.c.id == bindparam("ended_id"), _RUN.c.outcome.is_(None))
_END_ANY, _END_OURS = Statement(_END), Statement(_END.where(_RUN.c.executor == bindparam("hands")))
_HANDS = Statement(select(_RUN.c.outcome, _RUN.c.executor, _RUN.c.cancel_by).where(_RUN.c.id == bindparam("run_id")))


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One event of one request: `seq` numbers the requests of a run from 1, `phase` says what happened to it."""

    seq: int
    step_id: str
    phase: Phase
    method: str
    path: str
    status: int | None = None
    duration_ms: float | None = None
    detail: Json = None

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key under which a caller asked for a run, and a proof of what was asked for."""

    key: str
    print: str


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A record as it was stored, with its moment."""

    record: StepRecord
    at: str

    def to_json(self) -> dict[str, Json]:
        return {**self.record.to_json(), "at": self.at}


@dataclass(frozen=True, slots=True)
class Run:
    """`outcome` is None while it is under way. `steps` are in the order of requests and phases, empty in lists.

    `verdict`: what was verified of what was asked for, what is otherwise, what is next; null for older runs.
    `cancel_by`: who asked for its end. `resolution`: what was found out about a request in doubt, and by whom.
    """

    id: str
    revision_id: str
    digest: str
    target: str
    caller: str
    inputs: Json
    started_at: str
    finished_at: str | None
    outcome: Outcome | None
    outputs: Json
    failure: Json
    verdict: Json = None
    cancel_by: str | None = None
    resolution: Json = None
    steps: tuple[StoredStep, ...] = ()

    def to_json(self) -> dict[str, Json]:
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "steps": [step.to_json() for step in self.steps]}


class RunStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        run_id: str,
        revision_id: str,
        digest: str,
        target: str,
        caller: str,
        inputs: Json,
        *,
        executor: str | None = None,
        is_durable: bool = False,
        asked: IdempotencyKey | None = None,
        effects: Sequence[str] = (),
        first: StepRecord | None = None,
        guard: Callable[[Connection], object] | None = None,
        is_lasting: bool = True,
    ) -> None:
        """Starts a run, with the record of its first request if that is known already. `is_lasting`: see `Database`.

        `guard` is called first, in the same transaction; what it raises keeps the run from being started. `effects`
        are the run's from now on. Raises SameEffectError if another run has one of them, and ConflictError, also when
        the caller has asked under this key before.
        """
        now = self._database.now()
        told = {"revision_id": revision_id, "digest": digest, "target": target, "inputs": inputs}
        row = {
            **told, "id": run_id, "caller": caller, "inputs": to_text(inputs), "started_at": now,
            "executor": executor, "is_durable": is_durable,
            "asked_key": asked and asked.key, "asked_print": asked and asked.print,
        }  # fmt: skip
        records = () if first is None else (first,)
        told["durable"] = is_durable
        if is_durable:
            told["seals"] = True  # from its first checkpoint on the audit says which ones it came to
        if asked is not None:
            told["key"] = print_of_key(asked.key, asked.print)

        def work(connection: Connection) -> None:
            if guard is not None:
                guard(connection)
            _ADD_RUN.run(connection, row)
            take(connection, now, run_id, effects)
            started = Event(now, caller, "run.started", f"run:{run_id}", told)
            append_entries(connection, (started, *_add(connection, now, run_id, caller, records)))

        await self._database.write(work, is_lasting=is_lasting, is_small=True)

    async def record_step(
        self,
        run_id: str,
        seq: int,
        step_id: str,
        phase: Phase,
        method: str,
        path: str,
        status: int | None = None,
        duration_ms: float | None = None,
        detail: Json = None,
        *,
        actor: str = "runtime",
    ) -> None:
        """Stores one event of one request. Raises ConflictError if it is there already or the run is not."""
        record = StepRecord(seq, step_id, phase, method, path, status, duration_ms, detail)
        await self.record_steps(run_id, (record,), actor=actor)

    async def record_steps(
        self,
        run_id: str,
        records: Iterable[StepRecord],
        *,
        actor: str = "runtime",
        executor: str | None = None,
        effects: Sequence[str] = (),
        respects: Sequence[str] = (),
        is_lasting: bool = True,
    ) -> None:
        """Stores several events in one transaction, in this order: an answer and the next request, say.

        Raises NotOursError or StopAskedError where an `executor` is given, SameEffectError if another run has one of
        the `effects`, which the run takes, or of those that it `respects`, and ConflictError.
        """
        now, kept = self._database.now(), tuple(records)

        def work(connection: Connection) -> None:
            if executor is not None:
                _check_hands(connection, run_id, executor)
            check(connection, run_id, respects)
            take(connection, now, run_id, effects)
            append_entries(connection, _add(connection, now, run_id, actor, kept))

        if kept:
            await self._database.write(work, is_lasting=is_lasting, is_small=True)

    async def finish(
        self,
        run_id: str,
        outcome: Outcome,
        outputs: Json = None,
        failure: Json = None,
        *,
        verdict: Json = None,
        last: Iterable[StepRecord] = (),
        resume: Json = None,
        journal: str = "",
        part: int = 0,
        actor: str = "runtime",
        executor: str | None = None,
        is_lasting: bool = True,
    ) -> None:
        """Ends a run, with the records of its last requests that are not stored yet.

        A failed or cancelled one of which nothing left gives back the key that it was asked for under. An unknown one
        keeps its effects; `resume`: where it may be gone on from. `journal`: of this `part` of the run, see
        `recordings`.
        Raises NotFoundError, or ConflictError if the run has ended already or is in other hands than `executor`.
        """
        now = self._database.now()
        ending = {"finished_at": now, "outcome": outcome, "outputs": to_text(outputs), "failure": to_text(failure)}
        ending["verdict"] = to_text(verdict)
        if resume is not None:
            ending["resume"] = to_text(resume)
        records = tuple(last)

        def work(connection: Connection) -> None:
            _end(connection, run_id, ending, executor)
            if outcome != "unknown":
                give_back(connection, now, (run_id,))
            if journal:
                _ADD_JOURNAL.run(connection, {"run_id": run_id, "part": part, "body": journal})
            told = {"outcome": outcome, "failure": failure, **sealed_end(ending, journal, part)}
            ended = Event(now, actor, "run.finished", f"run:{run_id}", told)
            append_entries(connection, (*_add(connection, now, run_id, actor, records), ended))
            if outcome in ("failed", "cancelled"):
                _free_key(connection, now, run_id, actor)
            tell_of_run(connection, now, run_id, outcome, failure)

        await self._database.write(work, is_lasting=is_lasting)

    async def get(self, run_id: str) -> Run:
        """The run with its steps. Raises NotFoundError."""

        def work(connection: Connection) -> Run | None:
            row = connection.execute(select(_RUN).where(_RUN.c.id == run_id)).first()
            if row is None:
                return None
            # Of one request, `sending` comes before what became of it, also when both have the same moment.
            order = (_STEP.c.seq, _STEP.c.phase != "sending", _STEP.c.at)
            steps = connection.execute(select(_STEP).where(_STEP.c.run_id == run_id).order_by(*order))
            return run_of_row(row, tuple(_step(step) for step in steps))

        run = await self._database.read(work)
        if run is None:
            raise NotFoundError(f"there is no run {run_id}", "see `switchgear runs list`", kind="run", name=run_id)
        return run

    async def find(
        self,
        *,
        outcome: Outcome | None = None,
        revision_id: str | None = None,
        caller: str | None = None,
        limit: int = 100,
        before: str | None = None,
        scope: AccessScope = WHOLE,
    ) -> tuple[Run, ...]:
        """Runs without their steps, newest first, those before the id `before`, of what is in `scope`."""
        query = select(_RUN).order_by(_RUN.c.id.desc()).limit(limit)
        for column, value in ((_RUN.c.outcome, outcome), (_RUN.c.revision_id, revision_id), (_RUN.c.caller, caller)):
            query = query if value is None else query.where(column == value)
        query = query if before is None else query.where(_RUN.c.id < before)
        query = (
            query if scope.is_whole else query.where(_RUN.c.revision_id.in_(select(TABLE.c.id).where(within(scope))))
        )
        query = query.where(_RUN.c.target.in_(scope.targets)) if scope.targets else query
        return await self._database.read(lambda c: tuple(run_of_row(row) for row in c.execute(query)))


def _add(connection: Connection, now: str, run_id: str, actor: str, records: Sequence[StepRecord]) -> tuple[Event, ...]:
    """Stores the records and answers the events to be added to the audit for them."""
    if records:
        stored = {"run_id": run_id, "at": now}
        _ADD_STEP.each(connection, [{**one.to_json(), "detail": to_text(one.detail), **stored} for one in records])
    return tuple(Event(now, actor, f"request.{one.phase}", f"run:{run_id}", one.to_json()) for one in records)


def _check_hands(connection: Connection, run_id: str, executor: str) -> None:
    """The fence: no request is recorded, and so none sent, for a run that is another's, over, or to be ended."""
    outcome, hands, cancel_by = _HANDS.first(connection, {"run_id": run_id}) or (None, None, None)
    if outcome is not None or hands != executor:
        raise NotOursError(f"the run {run_id} is not carried out by this process any more")
    if cancel_by is not None and is_end_asked(connection, run_id):
        raise StopAskedError(f"{cancel_by} asked for the end of the run {run_id}")


def _free_key(connection: Connection, now: str, run_id: str, actor: str) -> None:
    """Where nothing of the run left, whoever asks under its key again asks for a run, not for how this one ended."""
    asked = connection.execute(select(_RUN.c.asked_key).where(_RUN.c.id == run_id)).scalar_one()
    if asked is None or _has_left(connection, run_id):
        return
    connection.execute(update(_RUN).where(_RUN.c.id == run_id).values(asked_key=None, asked_print=None))
    append_entries(connection, (Event(now, actor, "run.key_freed", f"run:{run_id}", {"key": None}),))


def _has_left(connection: Connection, run_id: str) -> bool:
    """Whether a request of the run may have left: all that began it but what ended as not sent."""
    steps = connection.execute(select(_STEP.c.seq, _STEP.c.phase, _STEP.c.detail).where(_STEP.c.run_id == run_id)).all()
    begun = {step.seq for step in steps if step.phase == "sending"}
    kept = {step.seq for step in steps if (from_text(step.detail or "null") or {}).get("reason") in NEVER_LEFT}
    return bool(begun - kept)


def _end(connection: Connection, run_id: str, ending: dict[str, str], executor: str | None) -> None:
    statement = _END_ANY if executor is None else _END_OURS
    known = {"ended_id": run_id, **({} if executor is None else {"hands": executor})}
    if statement.run(connection, {**known, **ending}) == 1:
        return
    row = connection.execute(select(_RUN.c.outcome).where(_RUN.c.id == run_id)).first()
    if row is None:
        raise NotFoundError(f"there is no run {run_id}", "see `switchgear runs list`", kind="run", name=run_id)
    if row.outcome is None:
        raise NotOursError(f"the run {run_id} is in other hands")
    raise ConflictError(f"the run {run_id} has ended already: {row.outcome}")


def run_of_row(row: Row[tuple[Any, ...]], steps: tuple[StoredStep, ...] = ()) -> Run:
    """The run that a row of the table says."""
    return Run(
        id=row.id,
        revision_id=row.revision_id,
        digest=row.digest,
        target=row.target,
        caller=row.caller,
        inputs=from_text(row.inputs),
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
        outputs=from_text(row.outputs or "null"),
        failure=from_text(row.failure or "null"),
        verdict=from_text(row.verdict or "null"),
        cancel_by=row.cancel_by,
        resolution=from_text(row.resolution or "null"),
        steps=steps,
    )


def _step(row: Row[tuple[Any, ...]]) -> StoredStep:
    detail = from_text(row.detail)
    record = StepRecord(row.seq, row.step_id, row.phase, row.method, row.path, row.status, row.duration_ms, detail)
    return StoredStep(record, row.at)
