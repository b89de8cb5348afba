"""Runs that have not ended, and what is done about them: taken over, cancelled, resolved, asked for again; and swept.

A run is open until it has an outcome. `executor` names the process that carries it out; nobody's are those that an
operator let go on after a doubt. A key, given by a caller, stands for one run: `same_asked` finds it. Every act of a
person is audited in its own transaction. Called by the runtime's engines, the API and the `runs` commands.
Here never lives a run's course, nor the record of its requests (`runs`).
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, func, select, text, update

from governance.audit.log import Event, append_entry, is_intact
from governance.audit.run_verification import CANCEL_ASKED, is_end_asked, run_fault
from governance.errors import ConflictError, InvalidError, NotFoundError, TamperedError, TransitionError
from governance.events.outbox import tell_of_run
from governance.runs.effects import give_back
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import AuditEntry, RunJournalRow, RunRow, RunStepRow, table_of
from governance.storage.untouched import Untouched

_RUN = table_of(RunRow)
_STEP = table_of(RunStepRow)
_JOURNAL = table_of(RunJournalRow)
_AUDIT = table_of(AuditEntry)
_OPEN = (
    select(_RUN.c.id, _RUN.c.executor, _RUN.c.is_durable, _RUN.c.part, _RUN.c.cancel_by)
    .where(_RUN.c.outcome.is_(None))
    .order_by(_RUN.c.id)
)
_IS_OPEN = _RUN.c.outcome.is_(None)
# Spelt as its index is, or the index does not serve it.
_IS_UNKNOWN = _RUN.c.outcome == text("'unknown'")
REACHED = "run.reached"
FORGOTTEN = "runs:forgotten"
"""What the audit rows are about that say which runs are not kept any more."""
SWEPT_AT_ONCE = 500
"""Small enough that calls do not notice the transaction."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """`part`: how often it was gone on with. `cancel_by`: who asked for its end."""

    id: str
    executor: str | None
    is_durable: bool
    part: int
    cancel_by: str | None


@dataclass(frozen=True, slots=True)
class Swept:
    """A run that was forgotten. `parts`: how many of it were carried out durably, and have checkpoints elsewhere."""

    id: str
    parts: int


@dataclass(frozen=True, slots=True)
class RunFinding:
    """What somebody found out about a request in doubt, and whether the run goes on.

    `outputs`: what the run would have answered, where reads have shown that all of it was carried out.
    """

    has_happened: bool
    goes_on: bool
    note: str = ""
    outputs: Json = None


def _believed(connection: Connection, run: OpenRun) -> OpenRun:
    """Without a wish for its end that nobody had."""
    return run if run.cancel_by is None or is_end_asked(connection, run.id) else replace(run, cancel_by=None)


def print_of(run_id: str, revision_id: str, target: str, inputs: Json) -> str:
    """A proof of what was asked for, salted by the run: inputs may hold secrets, so guessing them has to be slow."""
    asked = to_text([revision_id, target, inputs]).encode()
    return hashlib.scrypt(asked, salt=run_id.encode(), n=2**12, r=8, p=1, dklen=32).hex()


class OpenRuns:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> tuple[OpenRun, ...]:
        """All of them, oldest first."""
        return await self._database.read(lambda c: tuple(_believed(c, OpenRun(*row)) for row in c.execute(_OPEN).all()))

    def untouched(self, times: int) -> Untouched:
        """By which to see whether `look` need be asked."""
        return Untouched(self._database, times)

    async def counts(self) -> tuple[int, int]:
        """How many are under way, and how many have ended in a doubt that nobody has resolved."""
        wanted = [select(func.count()).select_from(_RUN).where(state) for state in (_IS_OPEN, _IS_UNKNOWN)]
        under_way, unknown = await self._database.read(lambda c: [c.execute(each).scalar_one() for each in wanted])
        return under_way, unknown

    async def claim(self, run_id: str, executor: str) -> bool:
        """Puts an open run into the hands of `executor`; whether it was open."""
        is_open = (_RUN.c.id == run_id) & _RUN.c.outcome.is_(None)
        statement = update(_RUN).where(is_open).values(executor=executor)
        return await self._database.write(lambda c: c.execute(statement).rowcount == 1)

    async def fault_of(self, run_id: str) -> str:
        """What of the run is not as the audit says (`run_verification`); empty where all is."""
        return await self._database.read(lambda c: run_fault(c, run_id))

    async def note_reached(self, run_id: str, seal: str, *, actor: str) -> None:
        """Says that the run came to the checkpoint with this seal, where no record of a request says it."""
        event = Event(self._database.now(), actor, REACHED, f"run:{run_id}", {"reached": seal})
        await self._database.write(lambda c: append_entry(c, event), is_lasting=False, is_small=True)

    async def seals_of(self, run_id: str) -> frozenset[str] | None:
        """Of the checkpoints that the run came to, by the audit; None for a run that was begun before that was told."""
        query = select(_AUDIT).where(_AUDIT.c.subject == f"run:{run_id}")
        rows = await self._database.read(lambda c: c.execute(query).all())
        told = [from_text(row.detail) for row in rows if is_intact(row._asdict())]
        if not any("seals" in each for each in told):
            return None
        kept = [each.get("detail") or each for each in told]
        return frozenset(each["reached"] for each in kept if isinstance(each, dict) and "reached" in each)

    async def resume_of(self, run_id: str) -> Json:
        """Where a run goes on that was gone on with, and what was found: {"from", "has_happened"}; None for others."""
        query = select(_RUN.c.resume, _RUN.c.resolution).where(_RUN.c.id == run_id, _RUN.c.resume.is_not(None))
        row = await self._database.read(lambda c: c.execute(query).first())
        if row is None or row.resolution is None:
            return None
        return {"from": from_text(row.resume), "has_happened": from_text(row.resolution)["has_happened"]}

    async def left_of(self, run_id: str) -> Json:
        """Where a run in doubt stands, for whoever looks what became of its request; None where that is not kept."""
        query = select(_RUN.c.resume).where(_RUN.c.id == run_id, _IS_UNKNOWN, _RUN.c.resume.is_not(None))
        row = await self._database.read(lambda c: c.execute(query).first())
        return None if row is None else from_text(row.resume)

    async def same_asked(self, caller: str, key: str, revision_id: str, target: str, inputs: Json) -> str | None:
        """The id of the run that `caller` asked for under `key`, if any. Raises ConflictError if it is another one,
        TamperedError if it is not as the audit says."""
        query = select(_RUN.c.id, _RUN.c.asked_print).where(_RUN.c.caller == caller, _RUN.c.asked_key == key)

        def work(connection: Connection) -> tuple[Any, str]:
            row = connection.execute(query).first()
            return row, "" if row is None else run_fault(connection, row.id)

        row, fault = await self._database.read(work)
        if row is None:
            return None
        if fault:
            raise _altered(row.id, fault)
        if row.asked_print != print_of(row.id, revision_id, target, inputs):
            message = f"the key {key} was used for another run, {row.id}: workflow, target or inputs differ"
            raise ConflictError(message, "give each wish a key of its own")
        return str(row.id)

    async def asked(self, caller: str, key: str) -> str | None:
        """The id of the run that `caller` asked for under `key`, whatever it is; to be told, not to be relied on."""
        query = select(_RUN.c.id).where(_RUN.c.caller == caller, _RUN.c.asked_key == key)
        row = await self._database.read(lambda c: c.execute(query).first())
        return None if row is None else str(row.id)

    async def any_asked(self, caller: str, prefix: str) -> bool:
        """Whether a run that `caller` asked for under a key that begins so is still open."""
        is_asked = (_RUN.c.caller == caller) & _RUN.c.asked_key.startswith(prefix, autoescape=True)
        query = select(_RUN.c.id).where(_RUN.c.outcome.is_(None), is_asked).limit(1)
        return await self._database.read(lambda c: c.execute(query).first() is not None)

    async def ask_cancel(self, run_id: str, *, actor: str) -> None:
        """Asks for the end of an open run; whoever carries it out ends it between two requests.

        Raises NotFoundError, or TransitionError if it has ended.
        """
        now = self._database.now()

        def work(connection: Connection) -> None:
            outcome, _ = _state(connection, run_id)
            if outcome is not None:
                raise TransitionError(f"the run {run_id} has ended already: {outcome}")
            connection.execute(update(_RUN).where(_RUN.c.id == run_id).values(cancel_by=actor))
            append_entry(connection, Event(now, actor, CANCEL_ASKED, f"run:{run_id}", {}))

        await self._database.write(work)

    async def resolve(self, run_id: str, finding: RunFinding, *, actor: str) -> None:
        """Records what was found out about an unknown run: it ends (as succeeded where all of it was seen, else as
        failed) and gives its effects back, or is open again and goes on.

        Raises NotFoundError, TransitionError (it is not unknown), InvalidError (it cannot go on), TamperedError.
        """
        now = self._database.now()
        told = {"has_happened": finding.has_happened, "goes_on": finding.goes_on, "note": finding.note}
        resolution = to_text({**told, "by": actor, "at": now})

        def work(connection: Connection) -> None:
            outcome, row = _state(connection, run_id)
            if outcome != "unknown":
                state = outcome or "still under way"
                raise TransitionError(f"the run {run_id} is not in doubt: {state}", "see `switchgear runs show`")
            fault = run_fault(connection, run_id)
            if fault:
                raise _altered(run_id, fault)
            change = _reopened(run_id, row) if finding.goes_on else _settled(row, finding, actor)
            connection.execute(update(_RUN).where(_RUN.c.id == run_id).values(resolution=resolution, **change))
            append_entry(connection, Event(now, actor, "run.resolved", f"run:{run_id}", told))
            if not finding.goes_on:
                give_back(connection, now, (run_id,))
                tell_of_run(connection, now, run_id, change["outcome"], from_text(change["failure"] or "null"))

        await self._database.write(work)

    async def sweep(self, before: str) -> tuple[Swept, ...]:
        """Forgets runs that ended before the moment, except those in doubt; the audit keeps what they did.

        Some at a time: call again until there are none.
        """
        now = self._database.now()
        is_old = (_RUN.c.finished_at < before) & _RUN.c.outcome.is_not(None) & (_RUN.c.outcome != "unknown")

        def work(connection: Connection) -> tuple[Swept, ...]:
            columns = (_RUN.c.id, _RUN.c.part, _RUN.c.is_durable)
            found = connection.execute(select(*columns).where(is_old).limit(SWEPT_AT_ONCE)).all()
            ids = [row.id for row in found]
            if ids:
                give_back(connection, now, ids)
                connection.execute(delete(_JOURNAL).where(_JOURNAL.c.run_id.in_(ids)))
                connection.execute(delete(_STEP).where(_STEP.c.run_id.in_(ids)))
                connection.execute(delete(_RUN).where(_RUN.c.id.in_(ids)))
                append_entry(connection, Event(now, "keeper", "runs.forgotten", FORGOTTEN, {"before": before}))
            return tuple(Swept(row.id, row.part + 1 if row.is_durable else 0) for row in found)

        return await self._database.write(work)


def _altered(run_id: str, fault: str) -> TamperedError:
    return TamperedError(f"the run {run_id} is not as the audit says: {fault}", "compare with a backup; ask anew")


def _state(connection: Connection, run_id: str) -> tuple[str | None, Json]:
    """The outcome, and what going on and ending need to know. Raises NotFoundError."""
    columns = (_RUN.c.outcome, _RUN.c.failure, _RUN.c.resume, _RUN.c.part)
    row = connection.execute(select(*columns).where(_RUN.c.id == run_id)).first()
    if row is None:
        raise NotFoundError(f"there is no run {run_id}", "see `switchgear runs list`", kind="run", name=run_id)
    return row.outcome, row._asdict()


def _reopened(run_id: str, row: Json) -> dict[str, Json]:
    if row["resume"] is None:
        message = f"the run {run_id} cannot go on: what it was given is not kept, or its state is not"
        raise InvalidError(message, "resolve it without going on, and call again for what is left")
    nothing = dict.fromkeys(("outcome", "finished_at", "outputs", "failure", "executor", "cancel_by"))
    return {**nothing, "part": row["part"] + 1}


def _settled(row: Json, finding: RunFinding, actor: str) -> dict[str, Json]:
    """The end of a run whose doubt is settled and which does not go on; of a failed one what is done is said."""
    if finding.outputs is not None:
        return {"outcome": "succeeded", "outputs": to_text(finding.outputs), "failure": None}
    failure = from_text(row["failure"] or "null") or {}
    step, done = failure.get("step_id", ""), list(failure.get("done", ()))
    found = "had been carried out" if finding.has_happened else "had not been carried out"
    if finding.has_happened:
        done.append(step)
    not_done = [each for each in failure.get("not_done", ()) if each not in done]
    message = f"the request in doubt {found}, says {actor}; the run does not go on"
    ended = {"code": "resolved", "message": message, "done": done, "not_done": not_done, "doubt": None}
    remedy = "Call again for what is not done, if it is still wanted."
    return {"outcome": "failed", "failure": to_text({**failure, **ended, "remedy": remedy})}
