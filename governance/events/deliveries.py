"""What waits to be told, and to whom: claimed by one process at a time, told again until it is heard, or dead at last.

A claim moves the row's next moment to the claim's end, by compare-and-set: whoever dies with it loses it by then, and
somebody else sends the same message once more, under the same id. What was heard is removed. A dead letter waits for a
person, who looks and has it sent again; after a while it is forgotten. What the audit does not know is never sent.
Called by the runtime's `delivering`, the API and the commands. Here never lives a request, nor when to try again.
"""

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.engine import Row

from governance.audit.log import Event, append_entry
from governance.audit.verification import is_attested as is_told
from governance.audit.verification import seal_over
from governance.errors import NotFoundError, TamperedError
from governance.events.endpoints import disable, is_attested
from governance.events.outbox import SEALED, SEALS
from governance.storage.database import Database
from governance.storage.identifiers import Json
from governance.storage.models import DeliveryRow, EndpointRow, table_of
from governance.storage.untouched import Due

_log = logging.getLogger("switchgear.governance")
_D = table_of(DeliveryRow)
_E = table_of(EndpointRow)
_WITH_PLACE = select(_D, _E.c.url, _E.c.secret_ref, _E.c.tls).join_from(_D, _E, _E.c.name == _D.c.endpoint)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one endpoint, claimed until `until`; `tries` counts this one."""

    id: str
    endpoint: str
    kind: str
    body: str
    tries: int
    until: str
    url: str
    secret_ref: str
    tls: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`error`: why the last try failed."""

    id: str
    endpoint: str
    kind: str
    made_at: str
    tries: int
    error: str
    error_at: str

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Depth:
    """Of one endpoint: how many messages wait, and how many are dead."""

    endpoint: str
    waiting: int
    dead: int


_NEXT = select(func.min(_D.c.next_at))


class DeliveryStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._due = Due(database, _NEXT)

    async def due(self, now: str) -> tuple[str, ...]:
        """The endpoints for which something is due."""
        if self._due.is_nothing(now):
            return ()
        query = select(_D.c.endpoint).where(_D.c.next_at <= now).distinct().order_by(_D.c.endpoint)

        def work(connection: Connection) -> tuple[str, ...]:
            found = tuple(connection.execute(query).scalars())
            self._due.learn(connection)
            return found

        return await self._database.read(work)

    async def claim(self, endpoint: str, now: str, until: str, limit: int) -> tuple[Delivery, ...]:
        """Some of what is due for `endpoint`, oldest first; nobody else is given it before `until`.

        Raises TamperedError for an endpoint that was altered: nothing is sent there.
        """
        is_due = (_D.c.endpoint == endpoint) & (_D.c.next_at <= now)
        query = _WITH_PLACE.where(is_due).order_by(_D.c.next_at, _D.c.id).limit(limit)

        def work(connection: Connection) -> tuple[Delivery, ...]:
            if not is_attested(connection, endpoint):
                raise TamperedError(f"the endpoint {endpoint} is not as the audit says", "remove it, and add it again")
            rows = connection.execute(query).all()
            known = [row for row in rows if self._is_known(connection, row)]
            return tuple(_delivery(row, until) for row in known if _take(connection, row, until))

        return await self._database.write(work)

    def _is_known(self, connection: Connection, row: Row[tuple[Any, ...]]) -> bool:
        """Whether the audit knows the message, and not that it was heard; what it does not know is dead at once."""
        if _is_queued(connection, row):
            return True
        _log.error("refused: the message %s for %s is not as the audit says", row.id, row.endpoint)
        why = {"next_at": None, "error": "it is not as the audit says", "error_at": self._database.now()}
        connection.execute(update(_D).where(_D.c.id == row.id).values(why))
        return False

    async def delivered(self, delivery: Delivery) -> None:
        """It was heard."""
        now, told = self._database.now(), {"endpoint": delivery.endpoint, "kind": delivery.kind}
        heard = Event(now, "deliverer", "event.delivered", f"event:{delivery.id}", told)

        def work(connection: Connection) -> None:
            if connection.execute(delete(_D).where(_is_ours(delivery))).rowcount:
                append_entry(connection, heard)

        await self._database.write(work)

    async def failed(self, delivery: Delivery, error: str, next_at: str | None) -> None:
        """It was not heard, and is due again at `next_at`, or with None dead."""
        now = self._database.now()
        change = update(_D).where(_is_ours(delivery)).values(next_at=next_at, error=error, error_at=now)
        told = {"endpoint": delivery.endpoint, "kind": delivery.kind, "tries": delivery.tries, "error": error}

        def work(connection: Connection) -> None:
            if connection.execute(change).rowcount == 1 and next_at is None:
                append_entry(connection, Event(now, "deliverer", "event.dead", f"event:{delivery.id}", told))

        await self._database.write(work)

    async def gone(self, delivery: Delivery, why: str) -> None:
        """The endpoint does not want to hear anything any more."""
        now = self._database.now()
        await self._database.write(lambda c: disable(c, now, delivery.endpoint, why))

    async def dead(
        self, *, endpoint: str | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[DeadLetter, ...]:
        """Dead letters, oldest first, behind the id `after`."""
        query = select(_D).where(_D.c.next_at.is_(None)).order_by(_D.c.id).limit(limit)
        query = query if endpoint is None else query.where(_D.c.endpoint == endpoint)
        query = query if after is None else query.where(_D.c.id > after)
        return await self._database.read(lambda c: tuple(_letter(row) for row in c.execute(query)))

    async def resend(self, letter: str, *, actor: str) -> None:
        """A dead letter is due again, with all its tries. Raises NotFoundError."""
        now = self._database.now()
        change = update(_D).where(_D.c.id == letter, _D.c.next_at.is_(None)).values(next_at=now, tries=0)

        def work(connection: Connection) -> None:
            row = connection.execute(select(_D).where(_D.c.id == letter)).first()
            if row is None or not _is_queued(connection, row) or connection.execute(change).rowcount != 1:
                raise NotFoundError(f"there is no dead letter {letter}", "see `switchgear webhooks dead list`")
            append_entry(connection, Event(now, actor, "event.resent", f"event:{letter}", {}))

        await self._database.write(work)

    async def sweep(self, *, waited_since: str, dead_since: str) -> tuple[int, int]:
        """Gives up what was made before the one moment, and forgets what is dead from before the other; how many."""
        now = self._database.now()
        late, old = _D.c.next_at.is_not(None) & (_D.c.made_at < waited_since), _D.c.next_at.is_(None)
        bury = update(_D).where(late).values(next_at=None, error="it waited too long", error_at=now)
        forget = delete(_D).where(old & (_D.c.made_at < dead_since))
        return await self._database.write(lambda c: (c.execute(bury).rowcount, c.execute(forget).rowcount))

    async def depths(self) -> tuple[Depth, ...]:
        """What waits and what is dead, by endpoint; all endpoints are there."""
        waiting, letters = func.count(_D.c.next_at), func.count(_D.c.id)
        query = select(_E.c.name, waiting, letters - waiting).join_from(
            _E, _D, _D.c.endpoint == _E.c.name, isouter=True
        )
        grouped = query.group_by(_E.c.name).order_by(_E.c.name)
        return await self._database.read(lambda c: tuple(Depth(*row) for row in c.execute(grouped)))


def _is_queued(connection: Connection, row: Row[tuple[Any, ...]]) -> bool:
    return is_told(connection, f"event:{row.id}", seal_over(row._asdict(), SEALED), SEALS)


def _take(connection: Connection, row: Row[tuple[Any, ...]], until: str) -> bool:
    same = (_D.c.id == row.id) & (_D.c.next_at == row.next_at)
    return connection.execute(update(_D).where(same).values(next_at=until, tries=row.tries + 1)).rowcount == 1


def _is_ours(delivery: Delivery) -> Any:
    """Not any more when the claim has ended and somebody else took it."""
    return (_D.c.id == delivery.id) & (_D.c.next_at == delivery.until)


def _delivery(row: Row[tuple[Any, ...]], until: str) -> Delivery:
    place = (row.url, row.secret_ref, row.tls)
    return Delivery(row.id, row.endpoint, row.kind, row.body, row.tries + 1, until, *place)


def _letter(row: Row[tuple[Any, ...]]) -> DeadLetter:
    return DeadLetter(row.id, row.endpoint, row.kind, row.made_at, row.tries, row.error or "", row.error_at or "")
