"""When approved workflows are run by themselves: the table of schedules, and who changed what in it.

A schedule belongs to whoever added it. `take` is how of several processes one gets a firing: it moves `next_at` on by
compare-and-set, so that each instant is somebody's once. What came of the last one stands in the row, for people; the
audit has all of them, and seals the rest of the row at each change (`verification`): one that was written by hand never
fires. Called by the runtime's `scheduling` and its commands.
Here never lives what a cron expression means (`runtime.background.cron`), nor whether something may be run.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from governance.audit.log import Event, append_entry
from governance.audit.verification import SEAL, is_attested, seal_over
from governance.errors import ConflictError, InvalidError, NotFoundError, TamperedError
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import ScheduleRow, table_of
from governance.storage.untouched import Due

_S = table_of(ScheduleRow)
SEALED = tuple(column.name for column in _S.columns if column.name != "last")
CHANGES = tuple(f"schedule.{action}" for action in ("added", "taken", "paused", "resumed", "removed", "sealed"))
"""The actions that say how a schedule's row is; the others tell what came of it."""
MEND = "see who did it, then remove it and add it again"
_log = logging.getLogger("switchgear.governance")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """`target` or `labels`, or neither for the API's default target. `next_at` is a moment as UTC text.

    `last`: {"at", "outcome", "why", "runs"} of the firing before, empty at first; with "asks" where those wait.
    """

    name: str
    workflow_id: str
    cron: str
    zone: str
    created_by: str
    next_at: str
    target: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    inputs: Json = field(default_factory=dict)
    is_paused: bool = False
    created_at: str = ""
    last: Json = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        return {**{name: getattr(self, name) for name in self.__slots__}, "labels": dict(self.labels)}


_IS_DUE = (_S.c.next_at <= bindparam("now")) & _S.c.is_paused.is_(False)
_DUE = select(_S).where(_IS_DUE).order_by(_S.c.next_at, _S.c.name)
_NEXT = select(func.min(_S.c.next_at)).where(_S.c.is_paused.is_(False))


class ScheduleStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._due = Due(database, _NEXT)
        self._refused: set[str] = set()

    async def add(self, schedule: Schedule) -> Schedule:
        """Raises InvalidError (the name), ConflictError (it is taken)."""
        if not _NAME.fullmatch(schedule.name):
            raise InvalidError(
                f"{schedule.name!r} is no name for a schedule", "take up to 64 letters, digits and . _ -"
            )
        now = self._database.now()
        added = replace(schedule, created_at=now)
        row = added.to_json()
        values = {**row, **{name: to_text(row[name]) for name in ("labels", "inputs", "last")}}
        told = {name: row[name] for name in ("workflow_id", "target", "labels", "inputs", "cron", "zone")}

        def work(connection: Connection) -> None:
            if connection.execute(select(_S.c.name).where(_S.c.name == schedule.name)).first():
                raise ConflictError(f"there is a schedule {schedule.name} already", "remove it, or take another name")
            connection.execute(insert(_S), values)
            _tell(connection, now, schedule.created_by, "added", schedule.name, told)

        await self._database.write(work)
        return added

    async def list_schedules(self) -> tuple[Schedule, ...]:
        """All, by name; what is not as the audit says is left out."""
        return await self._find(select(_S).order_by(_S.c.name))

    async def get(self, name: str) -> Schedule:
        """Raises NotFoundError, or TamperedError if it is not as the audit says."""
        return _schedule(await self._database.read(lambda c: _whole(c, name)))

    async def due(self, now: str) -> tuple[Schedule, ...]:
        """Those whose moment has come, the longest waiting first."""
        if self._due.is_nothing(now):
            return ()

        def work(connection: Connection) -> tuple[Schedule, ...]:
            found = self._found(connection, _DUE, now)
            self._due.learn(connection)
            return found

        return await self._database.read(work)

    async def take(self, schedule: Schedule, next_at: str) -> bool:
        """Moves on from `schedule.next_at`; whether nobody else did so before, or paused, removed or altered it."""
        is_same = (_S.c.name == schedule.name) & (_S.c.next_at == schedule.next_at) & _S.c.is_paused.is_(False)
        same = is_same & (_S.c.created_at == schedule.created_at)
        now, statement = self._database.now(), update(_S).where(same).values(next_at=next_at)

        def work(connection: Connection) -> bool:
            row = connection.execute(select(_S).where(same)).first()
            if row is None or not _is_whole(connection, row):
                return False
            connection.execute(statement)
            _tell(connection, now, "scheduler", "taken", schedule.name, {"next_at": next_at})
            return True

        return await self._database.write(work)

    async def note(self, schedule: Schedule, last: Json) -> None:
        """Keeps what came of the firing at `schedule.next_at`, with its audit row."""
        now = self._database.now()
        is_same = (_S.c.name == schedule.name) & (_S.c.created_at == schedule.created_at)

        def work(connection: Connection) -> None:
            connection.execute(update(_S).where(is_same).values(last=to_text(last)))
            append_entry(connection, _event(now, schedule.created_by, last["outcome"], schedule.name, last))

        await self._database.write(work)

    async def set_paused(self, name: str, next_at: str | None, *, actor: str) -> None:
        """Pauses it, or with `next_at` lets it go on from that moment. Raises NotFoundError, TamperedError."""
        change = {"is_paused": True} if next_at is None else {"is_paused": False, "next_at": next_at}
        now, action = self._database.now(), "paused" if next_at is None else "resumed"

        def work(connection: Connection) -> None:
            _whole(connection, name)
            connection.execute(update(_S).where(_S.c.name == name).values(change))
            _tell(connection, now, actor, action, name, {})

        await self._database.write(work)

    async def remove(self, name: str, *, actor: str) -> None:
        """Raises NotFoundError. A run under way is not broken off."""
        now = self._database.now()

        def work(connection: Connection) -> None:
            if connection.execute(delete(_S).where(_S.c.name == name)).rowcount == 0:
                raise _absent(name)
            append_entry(connection, _event(now, actor, "removed", name, {}))

        await self._database.write(work)

    async def _find(self, query: Json) -> tuple[Schedule, ...]:
        return await self._database.read(lambda c: self._found(c, query))

    def _found(self, connection: Connection, query: Json, now: str = "") -> tuple[Schedule, ...]:
        rows = connection.execute(query, {"now": now}).all()
        return tuple(_schedule(row) for row in rows if self._is_believed(connection, row))

    def _is_believed(self, connection: Connection, row: "Row[tuple[object, ...]]") -> bool:
        if _is_whole(connection, row):
            self._refused.discard(row.name)
            return True
        if row.name not in self._refused:  # asked once a second: said once
            self._refused.add(row.name)
            _log.error("refused: the schedule %s is not as the audit says; %s", row.name, MEND)
        return False


def _is_whole(connection: Connection, row: "Row[tuple[object, ...]]") -> bool:
    return is_attested(connection, f"schedule:{row.name}", seal_over(row._asdict(), SEALED), CHANGES)


def _whole(connection: Connection, name: str) -> "Row[tuple[object, ...]]":
    row = connection.execute(select(_S).where(_S.c.name == name)).first()
    if row is None:
        raise _absent(name)
    if not _is_whole(connection, row):
        raise TamperedError(f"the schedule {name} is not as the audit says", MEND)
    return row


def _tell(connection: Connection, now: str, actor: str, action: str, name: str, told: Json) -> None:
    """The audit row of a change, with the seal over the row as it is now."""
    row = connection.execute(select(_S).where(_S.c.name == name)).one()
    seal = seal_over(row._asdict(), SEALED)
    append_entry(connection, _event(now, actor, action, name, {**told, SEAL: seal}))


def _event(now: str, actor: str, action: str, name: str, told: Json) -> Event:
    return Event(now, actor, f"schedule.{action}", f"schedule:{name}", told)


def _absent(name: str) -> NotFoundError:
    return NotFoundError(f"there is no schedule {name}", "see `switchgear schedules list`", kind="schedule", name=name)


def _schedule(row: "Row[tuple[object, ...]]") -> Schedule:
    told = row._asdict()
    return Schedule(**{**told, **{name: from_text(told[name]) for name in ("labels", "inputs", "last")}})
