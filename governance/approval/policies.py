"""The store of policies: each that was ever applied, by number; the newest is in force.

A stored policy is believed when its text has its digest and the last audit row about policies says the same number and
digest; otherwise nothing is decided and nothing runs, since nobody knows what the rules are. Applying is one
transaction with its audit row. `in_force` is asked by `revisions` inside its own transactions.
Here never lives what a policy says (`policy`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, insert, select

from governance.audit.log import Event, append_entry, is_intact
from governance.errors import StaleError, TamperedError
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import AuditEntry, PolicyRow, table_of

if TYPE_CHECKING:
    from governance.approval.policy import Policy

SUBJECT = "policy:current"
_P = table_of(PolicyRow)
_AUDIT = table_of(AuditEntry)
_NEWEST = select(_P).order_by(_P.c.number.desc()).limit(1)
_TOLD = select(_AUDIT).where(_AUDIT.c.subject == SUBJECT).order_by(_AUDIT.c.seq.desc()).limit(1)
_KNOWN: dict[tuple[str, str], "Policy"] = {}
"""Policies by digest and text: parsed once. Few, and never wrong, since they are found by their whole content."""


@dataclass(frozen=True, slots=True)
class AppliedPolicy:
    """`number` 0: none was ever applied, and the built-in one holds."""

    number: int
    policy: "Policy"
    applied_at: str | None
    applied_by: str | None

    def to_json(self) -> dict[str, Json]:
        told = {"number": self.number, "digest": self.policy.digest, "policy": self.policy.to_json()}
        return {**told, "applied_at": self.applied_at, "applied_by": self.applied_by}


class PolicyStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self) -> AppliedPolicy:
        """The one in force. Raises TamperedError."""
        return await self._database.read(_current)

    async def apply(
        self, policy: "Policy", *, actor: str, seen: AppliedPolicy | None = None
    ) -> tuple[AppliedPolicy, bool]:
        """Puts `policy` in force and answers it, and whether that changed anything.

        What was decided before stays as it was decided. Replacing a policy that was tampered with is allowed, unless
        the caller says which one was `seen`: raises StaleError where another one is in force by now.
        """
        now = self._database.now()

        def work(connection: Connection) -> tuple[AppliedPolicy, bool]:
            row = connection.execute(_NEWEST).first()
            if seen is not None and _current(connection) != seen:
                raise StaleError("another policy was put in force meanwhile", "look at it, then decide again")
            is_whole = not _fault(connection, row)
            if row is not None and row.digest == policy.digest and is_whole:
                return _applied(row, policy), False
            if is_whole:
                in_force(connection).check_door(actor)
            number = 1 if row is None else row.number + 1
            values = {"number": number, "digest": policy.digest, "body": to_text(policy.to_json())}
            connection.execute(insert(_P), {**values, "applied_at": now, "applied_by": actor})
            append_entry(connection, Event(now, actor, "policy.applied", SUBJECT, values))
            return AppliedPolicy(number, policy, now, actor), True

        return await self._database.write(work)


def in_force(connection: Connection) -> "Policy":
    """The policy to go by, within a transaction. Raises TamperedError."""
    return _current(connection).policy


def _current(connection: Connection) -> AppliedPolicy:
    from governance.approval.policy import BUILT_IN, policy_of

    row = connection.execute(_NEWEST).first()
    fault = _fault(connection, row)
    if fault:
        raise TamperedError(f"the policy: {fault}", "look who did it, then apply the policy file again")
    if row is None:
        return AppliedPolicy(0, BUILT_IN, None, None)
    if (row.digest, row.body) not in _KNOWN:
        _KNOWN[row.digest, row.body] = policy_of(orjson.loads(row.body))
    return _applied(row, _KNOWN[row.digest, row.body])


def _applied(row: Any, policy: "Policy") -> AppliedPolicy:
    return AppliedPolicy(row.number, policy, row.applied_at, row.applied_by)


def _fault(connection: Connection, row: Any) -> str:
    """What is wrong with the newest row, or ""."""
    told = connection.execute(_TOLD).first()
    if row is None and told is None:
        return ""
    if row is None or told is None:
        return "it was removed" if row is None else "the audit does not know it"
    if not is_intact(told._asdict()):
        return "the audit row of its applying was changed"
    said = from_text(told.detail)
    if (said["number"], said["digest"], said["body"]) != (row.number, row.digest, row.body):
        return "it is not what was applied"
    return ""
