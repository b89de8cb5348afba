"""Plans that somebody may say yes to: made by a run that only looked, used once, by whoever made them, for a time.

A plan is bound to the revision's digest, the target, the inputs, what was read and what would be sent. `confirm` checks
all that is known before anything is read again, and uses the plan up in the same transaction; the last two are held
against the device by whoever carries out the run. Every step of a plan's life has its audit row, a refusal too. What a
plan says stands in the record of the run that made it. Called by the runtime's `planning`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, delete, insert, select, update

from governance.audit.log import Event, append_entry
from governance.audit.place import fault_of_place
from governance.audit.verification import SEAL, is_about, is_attested, seal_over
from governance.errors import PlanError, TamperedError
from governance.runs.open_runs import print_of
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, moment, to_text
from governance.storage.models import AuditEntry, PlanRow, table_of

_PLAN = table_of(PlanRow)
_AUDIT = table_of(AuditEntry)
SEALED = tuple(column.name for column in _PLAN.columns)
CHANGES = ("plan.made", "plan.confirmed", "plan.sealed")
"""The actions that say how a plan's row is; refusals, of whomever, leave it as it is."""
KEPT = timedelta(days=7)
"""So long it is told why a plan cannot be used any more; the audit keeps what became of it."""
REMEDY = "ask for a new plan, look at it, and confirm that one"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a plan is bound to. `where`: all that says which device it is and how it is reached."""

    revision_id: str
    digest: str
    target: str
    where: Json
    inputs: Json
    caller: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A plan that somebody has said yes to: what was read, and what is to be sent, as digests."""

    plan_id: str
    basis: str
    changes: str


class PlanStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, plan_id: str, run_id: str, bound: Bound, basis: str, changes: str, *, lasts: timedelta) -> str:
        """Keeps a plan, and answers when it expires."""
        now = self._database.now()
        expires_at = _later(now, lasts)
        row = {
            "id": plan_id, "run_id": run_id, "revision_id": bound.revision_id, "digest": bound.digest,
            "target": bound.target, "target_print": to_text(bound.where), "caller": bound.caller,
            "inputs_print": _print(plan_id, bound), "basis": basis, "changes": changes,
            "made_at": now, "expires_at": expires_at,
        }  # fmt: skip
        told = {"run": run_id, "digest": bound.digest, "target": bound.target, "basis": basis, "changes": changes}

        def work(connection: Connection) -> None:
            connection.execute(delete(_PLAN).where(_PLAN.c.expires_at < _later(now, -KEPT)))
            connection.execute(insert(_PLAN), row)
            seal = _seal(connection, plan_id)
            append_entry(connection, Event(now, bound.caller, "plan.made", f"plan:{plan_id}", {**told, SEAL: seal}))

        await self._database.write(work)
        return expires_at

    async def confirm(self, plan_id: str, bound: Bound, run_id: str) -> Confirmed:
        """Uses the plan for the run, if it is a plan for exactly this. Raises PlanError, which is audited too."""
        now = self._database.now()
        row = await self._database.read(_get(plan_id))
        # Slow on purpose (see `print_of`), and so outside of the transaction that others wait for.
        same_inputs = row is not None and row.inputs_print == _print(plan_id, bound)

        def work(connection: Connection) -> str:
            row = _get(plan_id)(connection)
            if row is None:
                return _nobodys(plan_id)
            fault = (
                _fault(row, bound, now, same_inputs=same_inputs)
                or _alteration(connection, row)
                or fault_of_place(connection)
            )
            told = {"run": run_id, "reason": fault} if fault else {"run": run_id}
            action = "plan.refused" if fault else "plan.confirmed"
            if not fault:
                connection.execute(update(_PLAN).where(_PLAN.c.id == plan_id).values(used_at=now, applied_by=run_id))
                told |= {SEAL: _seal(connection, plan_id)}
            append_entry(connection, Event(now, bound.caller, action, f"plan:{plan_id}", told))
            return fault

        fault = await self._database.write(work)
        if fault:
            raise PlanError(f"the plan was not carried out: {fault}", REMEDY)
        assert row is not None
        return Confirmed(plan_id, row.basis, row.changes)

    async def close(self, plan_id: str, *, is_applied: bool, run_id: str, actor: str) -> None:
        """Notes whether the run got past the plan's check. A plan is noted as applied once."""
        now, action = self._database.now(), "plan.applied" if is_applied else "plan.refused"
        told: Json = {"run": run_id} if is_applied else {"run": run_id, "reason": "what was read has changed"}
        event = Event(now, actor, action, f"plan:{plan_id}", told)
        known = select(_AUDIT.c.seq).where(_AUDIT.c.subject == event.subject, _AUDIT.c.action == "plan.applied")

        def work(connection: Connection) -> None:
            if connection.execute(known).first() is None:
                append_entry(connection, event)

        await self._database.write(work)

    async def confirmed_for(self, run_id: str) -> Confirmed | None:
        """The plan that the run was started on, if on any. Raises TamperedError where it is not as the audit says."""
        query = select(_PLAN).where(_PLAN.c.applied_by == run_id)

        def work(connection: Connection) -> "Row[tuple[object, ...]] | None":
            row = connection.execute(query).first()
            if (row is None and _was_held(connection, run_id)) or (row is not None and _alteration(connection, row)):
                raise TamperedError(f"the plan of the run {run_id} is not as the audit says", REMEDY)
            return row

        row = await self._database.read(work)
        return None if row is None else Confirmed(row.id, row.basis, row.changes)


def is_print_of(row: "Row[tuple[object, ...]]", bound: Bound) -> bool:
    """Whether the plan in `row` was made for these inputs. Slow on purpose (see `print_of`)."""
    return bool(row.inputs_print == _print(row.id, bound))


def _seal(connection: Connection, plan_id: str) -> str:
    return seal_over(connection.execute(select(_PLAN).where(_PLAN.c.id == plan_id)).one()._asdict(), SEALED)


def _alteration(connection: Connection, row: "Row[tuple[object, ...]]") -> str:
    """What is wrong with a row that is not as the audit says; empty where it is."""
    is_whole = is_attested(connection, f"plan:{row.id}", seal_over(row._asdict(), SEALED), CHANGES)
    return "" if is_whole else "it is not as the audit says: it was changed in the database"


def _was_held(connection: Connection, run_id: str) -> bool:
    """Whether the audit knows of a plan that the run was started on."""
    is_held = (_AUDIT.c.action == "plan.confirmed") & _AUDIT.c.detail.contains(to_text(run_id), autoescape=True)
    return connection.execute(select(_AUDIT.c.seq).where(is_about("plan"), is_held)).first() is not None


def _get(plan_id: str) -> "Callable[[Connection], Row[tuple[object, ...]] | None]":
    query = select(_PLAN).where(_PLAN.c.id == plan_id)
    return lambda connection: connection.execute(query).first()


def _fault(row: "Row[tuple[object, ...]]", bound: Bound, now: str, *, same_inputs: bool) -> str:
    """Why the plan is not one for this; empty when it is."""
    if row.caller != bound.caller:
        return _nobodys(row.id)
    if row.used_at is not None:
        return "it was used already, and a plan is used once"
    if row.expires_at <= now:
        return f"it expired at {row.expires_at}"
    if (row.revision_id, row.digest) != (bound.revision_id, bound.digest):
        return "it was made for another workflow, or for another revision of this one"
    if row.target != bound.target or from_text(row.target_print) != from_text(to_text(bound.where)):
        return f"it was made for the target {row.target} as it was set up then"
    return "" if same_inputs else "it was made for other inputs"


def _nobodys(plan_id: str) -> str:
    """The same for a plan of another caller and for none, so that nobody learns of other people's plans."""
    return f"there is no plan {plan_id} of yours"


def _print(plan_id: str, bound: Bound) -> str:
    return print_of(plan_id, bound.revision_id, bound.target, bound.inputs)


def _later(now: str, by: timedelta) -> str:
    return moment(datetime.strptime(now, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) + by)
