"""Rows that are believed only because the audit says the same: what tables that give or do something have in common.

Each change of such a row writes an audit row about it in the same transaction, with the seal over the row as it is
then. A row that was changed, put back or added behind our back does not fit the seal of the last audit row about it,
and one that was taken away is missed by its audit rows. Whoever can rewrite the whole chain is beyond this
(`governance.audit.log`). Here never lives what to do about it: the stores refuse, and say so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from governance.audit.log import is_intact, last_told
from governance.errors import TamperedError
from governance.storage.identifiers import Json, from_text
from governance.storage.models import AuditEntry, table_of
from workflow.errors import CanonicalError
from workflow.json.canonical import digest

SEAL = "seal"
NO_SEAL = "none: it holds what is no JSON value"
_AUDIT = table_of(AuditEntry)


def seal_over(values: Mapping[str, Any], columns: Sequence[str]) -> str:
    """The seal of a row; `columns` are those that an audit row answers for. Of what we cannot have written: none."""
    try:
        return digest({name: values[name] for name in columns})
    except CanonicalError:
        return NO_SEAL


def is_attested(connection: Connection, subject: str, seal: str, actions: Sequence[str] = ()) -> bool:
    """Whether the last audit row about `subject` is whole and has this seal; of these actions, where some are given."""
    try:
        told = last_told(connection, subject, actions)
    except TamperedError:
        return False
    return isinstance(told, dict) and told.get(SEAL) == seal


def told_about(connection: Connection, kind: str, actions: Sequence[str] = ()) -> dict[str, Json]:
    """What the last audit row about each subject `kind:…` says, by the subject; None where that row was changed.

    Of these actions, where some are given.
    """
    within = is_about(kind) & _AUDIT.c.action.in_(actions) if actions else is_about(kind)
    newest = select(func.max(_AUDIT.c.seq)).where(within).group_by(_AUDIT.c.subject)
    rows = connection.execute(select(_AUDIT).where(_AUDIT.c.seq.in_(newest)))
    return {row.subject: from_text(row.detail) if is_intact(row._asdict()) else None for row in rows}


def all_told(connection: Connection, kind: str, action: str) -> list[Json]:
    """What each whole audit row of `action` about a subject `kind:…` says, in their order."""
    query = select(_AUDIT).where(is_about(kind), _AUDIT.c.action == action).order_by(_AUDIT.c.seq)
    return [from_text(row.detail) for row in connection.execute(query) if is_intact(row._asdict())]


def is_about(kind: str) -> ColumnElement[bool]:
    """The audit rows about subjects `kind:…`, by their index."""
    return (_AUDIT.c.subject >= f"{kind}:") & (_AUDIT.c.subject < f"{kind};")  # the character behind the colon


def seal_in(told: Json) -> str:
    """The seal that an audit row told, or ""."""
    return str(told.get(SEAL, "")) if isinstance(told, dict) else ""
