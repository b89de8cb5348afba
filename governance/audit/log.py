"""The audit: every event that matters, in one order, each row hashed together with the row before it.

Rows are only ever added (triggers refuse anything else), under a lock that all writers of all processes share, and in
the same transaction as what they tell of: `append_entry` is called by the stores inside their own writes. `verify`
recomputes the chain and compares its end with the head row, so that rows changed, removed, added or cut off at the
end are found. Whoever can rewrite the whole file can rewrite the chain too: that takes a signature, not a hash.
Here never lives a decision about what is worth recording.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.engine import Row

from governance.errors import InvalidError, TamperedError
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import AuditEntry, AuditHead, table_of
from governance.storage.statements import Statement
from workflow.errors import CanonicalError
from workflow.json.canonical import digest_of_texts

GENESIS = "sha256:" + "0" * 64
PAGE = 1000
REVISIONS = "revision:"
"""Subjects that begin so belong to the store of revisions: the last row about one says what state it is in."""

_AUDIT = table_of(AuditEntry)
_END = table_of(AuditHead)
_ENTRY = _AUDIT.c
_INSERT = Statement(insert(_AUDIT))
_AT_END = _END.c.id == 1
_HEAD = select(_END.c.seq, _END.c.hash).where(_AT_END)
_GIVE_HEAD = Statement(_HEAD)
_SET_HEAD = Statement(update(_END).where(_AT_END).values(seq=bindparam("new_seq"), hash=bindparam("new_hash")))
# Asked at each run; made once, since making it costs as much as asking.
_LAST_ABOUT = select(_AUDIT).where(_ENTRY.subject == bindparam("about")).order_by(_ENTRY.seq.desc()).limit(1)
_GIVE_LAST_ABOUT = Statement(_LAST_ABOUT)
_COLUMNS = tuple(_ENTRY.keys())
_HASHED = ("seq", "at", "actor", "action", "subject", "detail")


@dataclass(frozen=True, slots=True)
class AuditRow:
    """`subject` is what it is about, as `kind:id`; `detail` is JSON; `hash` covers all the rest."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    detail: Json
    prev_hash: str
    hash: str

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """`first_bad` is the number of the first row that is not as it was written, and `reason` says what is wrong."""

    ok: bool
    rows: int
    first_bad: int | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Json]:
        return {"ok": self.ok, "rows": self.rows, "first_bad": self.first_bad, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be recorded."""

    at: str
    actor: str
    action: str
    subject: str
    detail: Json


def append_entry(connection: Connection, event: Event) -> AuditRow:
    """Adds one row at the end of the chain, within the transaction of `connection`, which must be a writing one."""
    return append_entries(connection, (event,))[0]


def append_entries(connection: Connection, events: Sequence[Event]) -> tuple[AuditRow, ...]:
    """Like `append_entry` for one or more events in their order; cheaper than one after the other."""
    head = _GIVE_HEAD.first(connection, {})
    if head is None:
        raise TamperedError("a row that the database always has is missing", "restore it from a good copy")
    seq, prev_hash = head
    rows: list[AuditRow] = []
    for number, event in enumerate(events, seq + 1):
        hashed = entry_hash(_plain(number, event), prev_hash)
        rows.append(
            AuditRow(number, event.at, event.actor, event.action, event.subject, event.detail, prev_hash, hashed)
        )
        prev_hash = hashed
    _INSERT.each(connection, [row.to_json() | {"detail": to_text(row.detail)} for row in rows])
    _SET_HEAD.run(connection, {"new_seq": rows[-1].seq, "new_hash": prev_hash})
    return tuple(rows)


def last_told(connection: Connection, subject: str, actions: Sequence[str] = ()) -> Json:
    """The detail of the last row about `subject`, or None; of these actions alone, where some are given.

    Raises TamperedError if that row is not as it was written.

    A store that writes its whole row as detail sees so whether the row was changed behind its back.
    """
    if actions:
        query = _LAST_ABOUT.where(_ENTRY.action.in_(actions))
        found: Sequence[Json] | None = connection.execute(query, {"about": subject}).first()
    else:
        found = _GIVE_LAST_ABOUT.first(connection, {"about": subject})
    if found is None:
        return None
    row = dict(zip(_COLUMNS, found, strict=True))
    if not is_intact(row):
        raise TamperedError(f"the audit row {row['seq']} about {subject} was changed", "see `switchgear audit verify`")
    return from_text(row["detail"])


def _plain(seq: int, event: Event) -> dict[str, Json]:
    return {
        "seq": seq, "at": event.at, "actor": event.actor, "action": event.action, "subject": event.subject,
        "detail": to_text(event.detail),
    }  # fmt: skip


def entry_hash(row: dict[str, Json], prev_hash: str) -> str:
    """The hash of a row; `detail` is hashed as the text that is stored, so that any JSON has one."""
    return digest_of_texts({**row, "prev_hash": prev_hash})


class AuditLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, actor: str, action: str, subject: str, detail: Json) -> AuditRow:
        """Adds one row of its own; it is on the disk when this returns. Raises InvalidError."""
        if subject.startswith(REVISIONS):
            raise InvalidError(f"only the store of revisions writes about {subject}")
        event = Event(self._database.now(), actor, action, subject, detail)
        return await self._database.write(lambda c: append_entry(c, event))

    async def find(
        self, *, after: int = 0, limit: int = 100, action: str | None = None, subject: str | None = None
    ) -> tuple[AuditRow, ...]:
        """Rows in the order of their writing, beginning behind number `after`."""
        query = select(_AUDIT).where(_ENTRY.seq > after).order_by(_ENTRY.seq).limit(limit)
        if action is not None:
            query = query.where(_ENTRY.action == action)
        if subject is not None:
            query = query.where(_ENTRY.subject == subject)
        return await self._database.read(lambda c: tuple(read_row(row) for row in c.execute(query)))

    async def last(self, limit: int = 100) -> tuple[AuditRow, ...]:
        """The newest rows, oldest of them first."""
        query = select(_AUDIT).order_by(_ENTRY.seq.desc()).limit(limit)
        rows = await self._database.read(lambda c: tuple(read_row(row) for row in c.execute(query)))
        return rows[::-1]

    async def verify(self) -> AuditVerdict:
        """Recomputes the whole chain."""
        return await self._database.read(verify_chain)


def verify_chain(connection: Connection) -> AuditVerdict:
    seq, prev_hash = 0, GENESIS
    for row in _all_rows(connection):
        reason = _fault(row, seq + 1, prev_hash)
        if reason:
            return AuditVerdict(False, seq, seq + 1, reason)
        seq, prev_hash = row.seq, row.hash
    head = connection.execute(_HEAD).one_or_none()
    if head is None or tuple(head) != (seq, prev_hash):
        return AuditVerdict(
            False, seq, seq + 1, "the chain does not end where its head says: rows were cut off or added"
        )
    return AuditVerdict(True, seq)


def is_intact(row: Mapping[str, Json]) -> bool:
    """Whether a row's own hash fits what it says; its place in the chain is for `verify`."""
    try:
        return entry_hash({name: row[name] for name in _HASHED}, row["prev_hash"]) == str(row["hash"])
    except CanonicalError:  # no row of ours: what we wrote has a canonical form
        return False


def _all_rows(connection: Connection) -> Iterator[Row[tuple[object, ...]]]:
    """In order, a page at a time: the audit may be longer than memory."""
    query = select(_AUDIT).order_by(_ENTRY.seq).limit(PAGE)
    page = connection.execute(query).all()
    while page:
        yield from page
        page = connection.execute(query.where(_ENTRY.seq > page[-1].seq)).all()


def _fault(row: Row[tuple[object, ...]], seq: int, prev_hash: str) -> str:
    if row.seq != seq:
        return f"row {seq} is missing"
    if row.prev_hash != prev_hash:
        return f"row {seq} does not follow the row before it"
    if not is_intact(row._asdict()):
        return f"row {seq} was changed after it was written"
    return ""


def read_row(row: Row[tuple[object, ...]]) -> AuditRow:
    """One stored row as a value."""
    return AuditRow(row.seq, row.at, row.actor, row.action, row.subject, from_text(row.detail), row.prev_hash, row.hash)
