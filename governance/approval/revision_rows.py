"""The SQL of revisions: reading rows together with their audit witness, adding them, moving them between states.

Everything here runs inside a transaction that a store has opened; writers hold the lock on the audit chain. The rules
stand elsewhere: what may happen in `transitions`, what is believed in `integrity`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.engine import Row

from governance.approval.integrity import EVENTS, LATER, VOTED, find_fault, seal_of
from governance.audit.log import REVISIONS, AuditRow, Event, append_entry, is_intact
from governance.errors import ConflictError, NotFoundError
from governance.events.outbox import tell_of_revision
from governance.people.scopes import AccessScope
from governance.storage.identifiers import from_text
from governance.storage.models import AuditEntry, RevisionRow, table_of
from governance.storage.statements import Statement
from governance.transitions import State

TABLE = table_of(RevisionRow)
_AUDIT = table_of(AuditEntry)
MAX_DIGITS = 10
"""Of a revision's number: more does not fit the column."""
COLUMNS = tuple(column.name for column in TABLE.columns)
_WITNESS = _AUDIT.alias("witness")
_TOLD = _AUDIT.alias("told")
# The last event of the revision: an earlier state of the row, put back together with its seal, does not fit it.
_LAST = (
    select(func.max(_TOLD.c.seq)).where(_TOLD.c.subject == REVISIONS + TABLE.c.id).correlate(TABLE).scalar_subquery()
)

Stored = Row[tuple[Any, ...]]
SELECT: Select[tuple[Any, ...]] = select(
    TABLE, *(column.label(f"witness_{column.name}") for column in _WITNESS.c)
).select_from(TABLE.outerjoin(_WITNESS, _WITNESS.c.seq == _LAST))
IS_KNOWN_APPROVED = _WITNESS.c.action == EVENTS["approved"]

# Asked at each run; made once, since making it costs as much as asking.
_BY_ID = SELECT.where(TABLE.c.id == bindparam("ref"))
_GIVE_BY_ID = Statement(_BY_ID)


def split(row: Stored) -> tuple[Mapping[str, Any], AuditRow | None]:
    """The columns of the revision, and the audit row of its last event if that is there and intact."""
    values = MappingProxyType(dict(zip(COLUMNS, row[: len(COLUMNS)], strict=True)))
    told: dict[str, Any] = dict(zip(_AUDIT.c.keys(), row[len(COLUMNS) :], strict=True))
    if told["seq"] is None or not is_intact(told):
        return values, None
    return values, AuditRow(**{**told, "detail": from_text(told["detail"])})


def was_moved(row: Stored) -> bool:
    """Whether the audit knows that the revision is not approved any more, whatever its row says."""
    _, witness = split(row)
    return witness is not None and witness.action != EVENTS["approved"]


def told_of(connection: Connection, revision_id: str) -> tuple[Any, ...] | None:
    """All that is stored of the revision: what `tuple(resolve(…))` has."""
    found = _GIVE_BY_ID.first(connection, {"ref": revision_id})
    return None if found is None else tuple(found)


def resolve(connection: Connection, ref: str) -> Stored:
    """The row that `ref` names: a revision's id, `workflow@number`, or a workflow's id for its newest revision."""
    row = connection.execute(_BY_ID, {"ref": ref}).first() or connection.execute(_named(ref)).first()
    if row is None:
        raise NotFoundError(f"there is no revision {ref}", "see `switchgear workflows list`", kind="workflow", name=ref)
    return row


def _named(ref: str) -> Select[tuple[Any, ...]]:
    workflow_id, _, number = ref.partition("@")
    if number.isdecimal() and len(number) < MAX_DIGITS:
        return SELECT.where(TABLE.c.workflow_id == workflow_id, TABLE.c.number == int(number))
    return SELECT.where(TABLE.c.workflow_id == ref).order_by(TABLE.c.number.desc()).limit(1)


def within(scope: AccessScope) -> ColumnElement[bool]:
    """What of the revisions is in `scope`, whose labels are resolved."""
    named: list[ColumnElement[bool]] = [TABLE.c.api.in_(scope.apis)] if scope.apis else []
    named += [TABLE.c.risk.in_(scope.risks)] if scope.risks else []
    named += [or_(*map(_fits, scope.workflows))] if scope.workflows else []
    return and_(TABLE.c.id.is_not(None), *named)


def _fits(name: str) -> ColumnElement[bool]:
    if not name.endswith("*"):
        return TABLE.c.workflow_id == name
    # Not LIKE, which takes capitals for small letters on one database and not on the other.
    return func.substr(TABLE.c.workflow_id, 1, len(name) - 1) == name[:-1]


def of_workflow(connection: Connection, workflow_id: str) -> Sequence[Stored]:
    """All revisions of a workflow, newest first."""
    query = SELECT.where(TABLE.c.workflow_id == workflow_id).order_by(TABLE.c.number.desc())
    return connection.execute(query).all()


def add(connection: Connection, at: str, values: Mapping[str, Any], *, actor: str = "") -> None:
    """Stores a new revision in the state that `values` say, with its audit row; `actor`: who does so, if others."""
    seal = seal_of(values)
    event, who = EVENTS[cast(State, values["state"])], actor or values["created_by"]
    append_entry(connection, Event(at, who, event, f"{REVISIONS}{values['id']}", _event(values, None, seal)))
    connection.execute(insert(TABLE), {**values, "seal": seal})
    tell_of_revision(connection, at, values, None, values["created_by"])


def move(
    connection: Connection, at: str, stored: Stored, to: State, *, actor: str, changes: Mapping[str, Any],
    has_expired: bool = False,
) -> None:  # fmt: skip
    """Moves a revision to another state, with its audit row; compare-and-set on the state and seal that were read.

    To the same state it is a vote that does not suffice yet. `has_expired`: it is time that moves it.

    A row that was tampered with can still be moved out of the way, but keeps the seal that it does not fit, so that
    the move does not make it look whole.
    """
    before, witness = split(stored)
    changes = {"expires_at": None, **changes}
    after = {**before, **changes, "state": to}
    fault = find_fault(before, witness)
    seal = before["seal"] if fault else seal_of(after)
    detail = _event(after, before["state"], seal) | ({"fault": fault} if fault else {})
    event = VOTED if to == before["state"] else EVENTS[to]
    append_entry(connection, Event(at, actor, event, f"{REVISIONS}{before['id']}", detail))
    known = (TABLE.c.id == before["id"]) & (TABLE.c.state == before["state"]) & (TABLE.c.seal == before["seal"])
    done = connection.execute(update(TABLE).where(known).values(**changes, state=to, seal=seal))
    if done.rowcount != 1:
        raise ConflictError(f"revision {before['id']} was changed by somebody else meanwhile", "look at it again")
    if event != VOTED:
        tell_of_revision(connection, at, after, before["state"], actor, has_expired=has_expired)


def _event(values: Mapping[str, Any], before: State | None, seal: str) -> dict[str, Any]:
    named = ("api", "workflow_id", "number", "digest", "risk", "reason")
    told = {name: values[name] for name in named}
    told |= {name: values[name] for name, nothing in LATER.items() if values.get(name, nothing) != nothing}
    return {**told, "from": before, "to": cast(State, values["state"]), "seal": seal}
