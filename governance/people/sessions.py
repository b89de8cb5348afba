"""Sessions: what a login leaves, known by a secret that is shown once, ended by time, logout or a change of the user.

Two ends: one that moves on with use, one that does not. The secret has 256 random bits and is kept as its SHA-256. A
row that no audit row of a login attests is nobody's, and so is that of a user who is disabled or not as the audit
says. What a session may do is what its user may do at that moment. Here never lives a cookie
(`runtime.credentials`).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.engine import Row

from governance.audit.log import Event, append_entry
from governance.audit.verification import is_attested, seal_over
from governance.errors import RefusedError, UnavailableError
from governance.people import user_rows
from governance.people.user_rows import User
from governance.storage.database import Database
from governance.storage.identifiers import Json, moment, new_id
from governance.storage.models import SessionRow, table_of

SECRET_PREFIX = "sws_"  # noqa: S105  not a secret: what scanners for leaked secrets look for
SEALED = ("id", "user_name", "secret_hash", "created_at", "ends_at")
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
NOTICED = timedelta(minutes=1)
"""Use is written down so often at most: reading must not become writing."""
MOST = 20
"""Sessions of one user; one more ends the oldest."""
_S = table_of(SessionRow)


@dataclass(frozen=True, slots=True)
class Session:
    """`ends_at`: whatever is done with it; without use it ends before."""

    id: str
    user: User
    created_at: str
    ends_at: str

    def to_json(self) -> dict[str, Json]:
        return {"id": self.id, "user": self.user.name, "created_at": self.created_at, "ends_at": self.ends_at}


class SessionStore:
    def __init__(self, database: Database, *, idle: timedelta = IDLE, longest: timedelta = LONGEST) -> None:
        self._database = database
        self._idle = idle
        self._longest = longest

    async def open(self, name: str, *, address: str) -> tuple[Session, str]:
        """A new session of a user and its secret, which cannot be had again.

        Raises RefusedError when the user was disabled, or altered behind our back, meanwhile.
        """
        secret, now = SECRET_PREFIX + secrets.token_urlsafe(32), self._database.now()
        values = {
            "id": new_id(), "user_name": name, "secret_hash": _hash(secret), "created_at": now, "used_at": now,
            "ends_at": _later(now, self._longest),
        }  # fmt: skip

        def work(connection: Connection) -> Session:
            user = _active(connection, name)
            if user is None:
                raise RefusedError("this user cannot log in now")
            self._make_room(connection, name, now)
            connection.execute(insert(_S), values)
            told = {"user": name, "address": address, "ends_at": values["ends_at"], "seal": seal_over(values, SEALED)}
            append_entry(connection, Event(now, name, "session.opened", f"session:{values['id']}", told))
            return Session(values["id"], user, now, values["ends_at"])

        return await self._database.write(work), secret

    async def find(self, secret: str) -> Session | None:
        """Whose session this is, if it has not ended; finding it is using it."""
        hashed, now = _hash(secret), self._database.now()
        row, user = await self._database.read(lambda c: _found(c, hashed))
        if row is None or user is None or row.ends_at <= now or self._is_idle(row.used_at, now):
            return None
        if _later(row.used_at, NOTICED) <= now:
            await self._note_use(row.id, now)
        return Session(row.id, user, row.created_at, row.ends_at)

    def _is_idle(self, used_at: str, now: str) -> bool:
        try:
            return _later(used_at, self._idle) <= now
        except ValueError:  # no moment of ours: this column is not sealed
            return True

    async def close(self, session_id: str, *, actor: str, why: str) -> None:
        """Ends it at once; one that has ended is left alone."""
        now = self._database.now()
        await self._database.write(lambda c: end_sessions(c, now, _S.c.id == session_id, actor=actor, why=why))

    async def _note_use(self, session_id: str, now: str) -> None:
        statement = update(_S).where(_S.c.id == session_id).values(used_at=now)
        try:
            await self._database.write(lambda c: c.execute(statement))
        except UnavailableError:
            return  # a database that takes no writes still lets people look; the session ends earlier

    def _make_room(self, connection: Connection, name: str, now: str) -> None:
        idle_since = _later(now, -self._idle)
        connection.execute(delete(_S).where(or_(_S.c.ends_at <= now, _S.c.used_at <= idle_since)))
        ids = connection.execute(select(_S.c.id).where(_S.c.user_name == name).order_by(_S.c.id)).scalars().all()
        too_many = ids[: max(0, len(ids) - MOST + 1)]
        end_sessions(connection, now, _S.c.id.in_(too_many), actor=name, why="too many")


def end_sessions(connection: Connection, now: str, which: Any, *, actor: str, why: str) -> None:
    """Ends sessions within somebody's transaction, each with its audit row."""
    for row in connection.execute(select(_S).where(which)).all():
        connection.execute(delete(_S).where(_S.c.id == row.id))
        told = {"user": row.user_name, "why": why}
        append_entry(connection, Event(now, actor, "session.ended", f"session:{row.id}", told))


def end_sessions_of(connection: Connection, now: str, name: str, *, actor: str, why: str) -> None:
    """Ends all sessions of a user."""
    end_sessions(connection, now, _S.c.user_name == name, actor=actor, why=why)


def _found(connection: Connection, hashed: str) -> tuple[Row[tuple[Any, ...]] | None, User | None]:
    row = connection.execute(select(_S).where(_S.c.secret_hash == hashed)).first()
    if row is None or not is_attested(connection, f"session:{row.id}", seal_over(row._asdict(), SEALED)):
        return None, None
    return row, _active(connection, row.user_name)


def _active(connection: Connection, name: str) -> User | None:
    """The user, if the row is whole, has a password and is not disabled."""
    row = user_rows.row_of(connection, name)
    if row is None or row.disabled_at is not None or row.password_hash is None:
        return None
    return user_rows.user_of(row) if user_rows.is_whole(connection, row) else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _later(at: str, by: timedelta) -> str:
    return moment(datetime.fromisoformat(at) + by)
