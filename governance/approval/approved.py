"""The approved set as one who serves it follows it: everything once, then only what changed, and a part of the rest.

What moves a revision by our own means stands in the audit, so that its rows since the last look name what to read
again. Where the change counter rose by more than these explain, somebody else wrote, and everything is read. Besides,
each look reads some more in turn, whatever is said of them: within a bounded number of looks every approved row is
compared, and checked where a byte differs. Whoever follows keeps an `Approved`, and hands it in the next time.
Here never lives a check (`integrity`) nor what is done with what was found.
"""

import hashlib
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from governance.approval import revision_rows as rows
from governance.approval.disabling import NAMES, WORKFLOWS
from governance.approval.integrity import Revision, RevisionFault, check_row, revision_of
from governance.approval.revision_rows import TABLE, Stored
from governance.audit.log import REVISIONS
from governance.errors import TamperedError
from governance.storage.models import AuditEntry, CatalogChange, table_of

SWEPT = 50
"""Revisions that each look reads besides: with so few, each look reads all."""
LOOKS_A_ROUND = 120
"""After so many looks at most, each was read."""
_A = table_of(AuditEntry).c
_TOLD = (
    select(_A.action, _A.subject)
    .where(
        _A.action.startswith("revision.")
        | _A.action.in_(("workflow.disabled", "workflow.enabled", "api.stored", "knowledge.stored"))
    )
    .order_by(_A.seq)
)
_CHANGES = table_of(CatalogChange).c
_LAST = select(func.coalesce(func.max(_A.seq), 0)).scalar_subquery()
_MARK = select(_CHANGES.version, _LAST).where(_CHANGES.id == 1)
# An API is stored anew by two statements.
_STATEMENTS = {"api.stored": 2}
_CONTENT = rows.COLUMNS.index("content")
_MOST_NAMED = 500  # in one statement
_log = logging.getLogger("switchgear.governance")


@dataclass(frozen=True, slots=True)
class Known:
    """An approved row that was found whole: what it said, by its hash, and until when it is approved."""

    workflow_id: str
    print: bytes
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A row that was checked. What it says is read when it is asked for: of thousands, one at a time.

    `content` are the bytes of that column, a third of what its text takes where one sign is beyond Latin-1.
    """

    id: str
    workflow_id: str
    content: bytes
    columns: Mapping[str, Any]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Whole":
        columns = {name: value for name, value in values.items() if name != "content"}
        return cls(values["id"], values["workflow_id"], values["content"].encode(), columns)

    def revision(self) -> Revision:
        return revision_of(self.columns, self.content)


@dataclass(frozen=True, slots=True)
class Approved:
    """What is approved and whole (`known`, by ids), and what came with the last look.

    `fresh`: what is new in `known`, or says something else; `gone`: workflows by the ids that are no longer in it;
    `faults`: what is refused now. `mark` and `swept`: up to where the looks have come.
    """

    known: Mapping[str, Known] = field(default_factory=dict)
    fresh: tuple[Whole, ...] = ()
    gone: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[RevisionFault, ...] = ()
    mark: tuple[int, int] | None = None
    swept: str = ""

    def without_news(self) -> "Approved":
        """What the next look needs of it."""
        return replace(self, fresh=(), gone={})


@dataclass(frozen=True, slots=True)
class _Read:
    """The approved rows among those that were `asked` for, which is everything where it is None."""

    mark: tuple[int, int]
    stored: Iterable[Stored]
    asked: frozenset[str] | None = None
    swept: str = ""


def look(connection: Connection, before: Approved, now: str, again: Collection[str] = ()) -> Approved:
    """What is approved at `now`, by reading what may have changed since `before`, what was refused, and some more.

    `again`: ids whose rows are wanted whole, and are `fresh`, whether they changed or not.
    """
    found = _read(connection, before, again)
    known = {} if found.asked is None else {**before.known}
    for one in found.asked or ():
        known.pop(one, None)
    fresh: list[Whole] = []
    faults: list[RevisionFault] = []
    told = {fault.revision_id for fault in before.faults}
    for stored in found.stored:
        said, was = print_of(stored), before.known.get(stored.id)
        if was is None or was.print != said or stored.id in again:
            try:
                values, witness = rows.split(stored)
                check_row(values, witness)
                fresh.append(Whole.of(values))
            except TamperedError as error:
                faults.append(RevisionFault(stored.id, stored.workflow_id, error.message))
                if stored.id not in told:
                    _log.error("refused: %s", error.message)
                continue
        known[stored.id] = Known(stored.workflow_id, said, stored.expires_at)
    due = [one for one, each in known.items() if each.expires_at is not None and each.expires_at <= now]
    for one in due:
        del known[one]
    missed = before.known if found.asked is None else {*found.asked, *due}
    gone = {one: before.known[one].workflow_id for one in missed if one in before.known and one not in known}
    return Approved(
        known, tuple(each for each in fresh if each.id in known), gone, tuple(faults), found.mark, found.swept
    )


def print_of(row: Stored) -> bytes:
    """The hash of all that a row and its witness say."""
    content = row[_CONTENT]
    told = hashlib.sha256(repr((*row[:_CONTENT], *row[_CONTENT + 1 :])).encode("utf-8", "surrogatepass"))
    told.update((content if isinstance(content, str) else repr(content)).encode("utf-8", "surrogatepass"))
    return told.digest()


def _read(connection: Connection, before: Approved, again: Iterable[str]) -> _Read:
    version, seq = connection.execute(_MARK).one()
    told = _told(connection, before.mark[1]) if before.mark else []
    if before.mark is None or version - before.mark[0] > sum(_STATEMENTS.get(action, 1) for action, _ in told):
        return _Read((version, seq), connection.execute(_approved()))
    part, swept = _part(connection, before.swept)
    asked = {*again, *part, *(fault.revision_id for fault in before.faults), *_ids(connection, told)}
    asked |= {one for one in before.known if before.swept < one and (one <= swept or not swept)}
    return _Read((version, seq), _rows(connection, sorted(asked)), frozenset(asked), swept)


def _approved(*more: ColumnElement[bool]) -> Select[tuple[Any, ...]]:
    return rows.SELECT.where(TABLE.c.state == "approved", TABLE.c.workflow_id.not_in(NAMES), *more)


def _told(connection: Connection, since: int) -> list[tuple[str, str]]:
    """The action and the subject of each audit row that tells of a change."""
    return [(row.action, row.subject) for row in connection.execute(_TOLD.where(_A.seq > since))]


def _ids(connection: Connection, told: Iterable[tuple[str, str]]) -> set[str]:
    """The revisions that are meant, of disabled and enabled workflows all."""
    named = {subject for _, subject in told}
    found = {each.removeprefix(REVISIONS) for each in named if each.startswith(REVISIONS)}
    workflows = sorted(each.removeprefix(WORKFLOWS) for each in named if each.startswith(WORKFLOWS))
    for some in _batches(workflows):
        found |= set(connection.execute(select(TABLE.c.id).where(TABLE.c.workflow_id.in_(some))).scalars())
    return found


def _part(connection: Connection, after: str) -> tuple[list[str], str]:
    """The ids of revisions whose turn it is, approved or not, and the last of them; "" at the end of a round."""
    number = connection.execute(select(func.count()).select_from(TABLE)).scalar_one()
    wanted = max(SWEPT, -(-number // LOOKS_A_ROUND))
    ids = connection.execute(select(TABLE.c.id).where(TABLE.c.id > after).order_by(TABLE.c.id).limit(wanted))
    found = list(ids.scalars())
    return found, found[-1] if len(found) == wanted else ""


def _rows(connection: Connection, ids: Sequence[str]) -> Iterator[Stored]:
    """One at a time: each is as large as a document."""
    return (row for some in _batches(ids) for row in connection.execute(_approved(TABLE.c.id.in_(some))))


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[at : at + _MOST_NAMED] for at in range(0, len(names), _MOST_NAMED))
