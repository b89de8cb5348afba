"""Looking things up in the audit: who, what, about what, on which target, which content, how it ended, and when.

What a filter names must fit, all of it. Rows of a run say nothing of its target or content but in the row of its
start, so that these two find the rows of all runs that were started so. Details are stored as one line with sorted
members, which is why the ends of that line can be compared in place of reading JSON, alike in both databases.
Here never lives who may ask (`runtime.auth.access`), nor anything that is written.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, true

from governance.audit.log import PAGE, REVISIONS, AuditRow, read_row
from governance.storage.database import Database
from governance.storage.identifiers import Json, to_text
from governance.storage.models import AuditEntry, RevisionRow, table_of

_AUDIT = table_of(AuditEntry)
_ROW, _BEGUN = _AUDIT.c, _AUDIT.alias("begun").c
Query = Select[tuple[object, ...]]
# So many rows are soon asked one by one.
SOON = 5_000
_REVISION = table_of(RevisionRow).c


@dataclass(frozen=True, slots=True)
class AuditWanted:
    """Empty: not asked for. `since` (with it) and `until` (without it) are moments as UTC text.

    `target`: rows about it and of runs on it. `digest`: rows about that content and of its runs. `outcome`: the ends of
    runs that ended so.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    target: str = ""
    digest: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""


class AuditSearch:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, wanted: AuditWanted, *, after: int = 0, limit: int = 100) -> tuple[AuditRow, ...]:
        """Rows in the order of their writing, beginning behind number `after`."""
        return await self._soon(wanted, limit, _ROW.seq > after, _ROW.seq <= after + SOON, _ROW.seq.asc())

    async def newest(self, wanted: AuditWanted, limit: int) -> tuple[AuditRow, ...]:
        """The newest that fit, oldest of them first."""
        last = await self._database.read(lambda c: c.execute(select(func.max(_ROW.seq))).scalar()) or 0
        return (await self._soon(wanted, limit, true(), _ROW.seq > last - SOON, _ROW.seq.desc()))[::-1]

    async def all(self, wanted: AuditWanted) -> AsyncIterator[AuditRow]:
        """Every row that fits and was there when this began, a page at a time: it may be longer than memory."""
        last = await self._database.read(lambda c: c.execute(select(func.max(_ROW.seq))).scalar()) or 0
        query = _chosen(wanted, _each).where(_ROW.seq <= last).order_by(_ROW.seq).limit(PAGE)
        page = await self._rows(query)
        while page:
            for row in page:
                yield row
            page = await self._rows(query.where(_ROW.seq > page[-1].seq))

    async def _soon(
        self, wanted: AuditWanted, limit: int, among: ColumnElement[bool], near: ColumnElement[bool],
        order: ColumnElement[int],
    ) -> tuple[AuditRow, ...]:  # fmt: skip
        """A page out of the rows `among` which it is, looked for in those that are `near` first.

        Each of a few rows is asked for its run; of all of them, the runs that fit are found together.
        """
        if wanted.target or wanted.digest:
            found = await self._rows(_chosen(wanted, _each).where(among, near).order_by(order).limit(limit))
            if len(found) == limit:
                return found
        return await self._rows(_chosen(wanted, _together).where(among).order_by(order).limit(limit))

    async def _rows(self, query: Select[tuple[object, ...]]) -> tuple[AuditRow, ...]:
        return await self._database.read(lambda c: tuple(read_row(row) for row in c.execute(query)))


def _chosen(wanted: AuditWanted, started: Callable[[ColumnElement[bool]], ColumnElement[bool]]) -> Query:
    """`started`: how rows of runs are found whose start says something."""
    query: Query = select(_AUDIT)
    for column, value in ((_ROW.actor, wanted.actor), (_ROW.action, wanted.action), (_ROW.subject, wanted.subject)):
        query = query.where(column == value) if value else query
    if wanted.target:
        says = _ends(_BEGUN.detail, _member("target", wanted.target) + "}")
        query = query.where(or_(_ROW.subject == f"target:{wanted.target}", started(says)))
    if wanted.digest:
        ids = select(literal(REVISIONS) + _REVISION.id).where(_REVISION.digest == wanted.digest)
        says = _begins(_BEGUN.detail, "{" + _member("digest", wanted.digest) + ",")
        query = query.where(or_(_ROW.subject.in_(ids), started(says)))
    if wanted.outcome:
        query = query.where(_ROW.action == "run.finished", _ends(_ROW.detail, _member("outcome", wanted.outcome) + "}"))
    query = query.where(_ROW.at >= wanted.since) if wanted.since else query
    return query.where(_ROW.at < wanted.until) if wanted.until else query


# Of a run's start, `digest` is the first member and `target` the last (`runs.create`).
_IS_START = _BEGUN.action == "run.started"


def _each(says: ColumnElement[bool]) -> ColumnElement[bool]:
    """Asked of each row as it comes: where many fit, a page takes a few."""
    return exists().where(_BEGUN.subject == _ROW.subject, _IS_START, says)


def _together(says: ColumnElement[bool]) -> ColumnElement[bool]:
    """All runs that fit are found first: where few do, most rows are asked nothing."""
    return _ROW.subject.in_(select(_BEGUN.subject).where(_IS_START, says))


def _member(name: str, value: Json) -> str:
    return f"{to_text(name)}:{to_text(value)}"


def _begins(detail: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return func.substr(detail, 1, len(text)) == text


def _ends(detail: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Not LIKE, which SQLite compares without regard to case."""
    return func.substr(detail, func.length(detail) - (len(text) - 1)) == text
