"""Who may speak to Switchgear: principals with a role, each known by a bearer token.

A token's secret has 256 random bits and is shown once; the database keeps its SHA-256 alone, which is enough for a
secret that cannot be guessed (a slow hash is for passwords that people choose). It is found by its hash and compared
once more in constant time. Unknown, expired and revoked answer alike: None.
Here never lives what a role may do (`transitions`, and the runtime's routes).
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update
from sqlalchemy.engine import Row

from governance.audit import Event, append_entry
from governance.database import Database
from governance.errors import ConflictError, InvalidError, NotFoundError
from governance.identifiers import Json, from_text, moment, new_id, to_text
from governance.models import PrincipalRow, table_of
from governance.scopes import WHOLE, Scope
from governance.transitions import Role

SECRET_PREFIX = "swg_"  # noqa: S105  not a secret: what scanners for leaked secrets look for
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_P = table_of(PrincipalRow)


@dataclass(frozen=True, slots=True)
class Principal:
    """`expires_at` and `revoked_at` are moments as UTC text, or None. `scope`: what may be reached at most."""

    id: str
    name: str
    role: Role
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    scope: Scope = WHOLE

    def to_json(self) -> dict[str, Json]:
        return {**{name: getattr(self, name) for name in self.__slots__}, "scope": self.scope.to_json()}


class PrincipalStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_token(
        self, name: str, role: Role, *, scope: Scope = WHOLE, ttl_s: int | None = None, actor: str = "system"
    ) -> tuple[Principal, str]:
        """A new principal and its secret, which cannot be had again.

        Raises InvalidError (name, role), or ConflictError if a principal of this name holds a valid token.
        """
        _check(name, role)
        secret = SECRET_PREFIX + secrets.token_urlsafe(32)
        now = self._database.now()
        expires_at = None if ttl_s is None else moment(datetime.fromisoformat(now) + timedelta(seconds=ttl_s))
        principal = Principal(new_id(), name, role, now, expires_at, None, scope)

        def work(connection: Connection) -> None:
            if connection.execute(select(_P.c.id).where(_P.c.name == name, _is_valid(now))).first():
                raise ConflictError(f"there is a valid token for {name} already", "revoke it, or take another name")
            told = {"name": name, "role": role, "expires_at": expires_at, "scope": scope.to_json()}
            values = {**principal.to_json(), "scope": to_text(scope.to_json()), "secret_hash": _hash(secret)}
            connection.execute(insert(_P), values)
            append_entry(connection, Event(now, actor, "token.created", f"principal:{principal.id}", told))

        await self._database.write(work)
        return principal, secret

    async def authenticate(self, secret: str) -> Principal | None:
        """Whose secret this is, if the token is valid now."""
        hashed = _hash(secret)
        query = select(_P).where(_P.c.secret_hash == hashed, _is_valid(self._database.now()))
        row = await self._database.read(lambda c: c.execute(query).first())
        if row is None or not hmac.compare_digest(row.secret_hash, hashed):
            return None
        return _principal(row)

    async def holder(self, name: str) -> Principal | None:
        """Who holds a valid token under this name now, for what is done on their behalf."""
        query = select(_P).where(_P.c.name == name, _is_valid(self._database.now()))
        row = await self._database.read(lambda c: c.execute(query).first())
        return None if row is None else _principal(row)

    async def list_tokens(self) -> tuple[Principal, ...]:
        """All that ever were, by age."""
        query = select(_P).order_by(_P.c.id)
        return tuple(_principal(row) for row in await self._database.read(lambda c: c.execute(query).all()))

    async def revoke(self, ref: str, *, actor: str = "system") -> Principal:
        """Ends the valid token with this id or of this name, at once. Raises NotFoundError if there is none."""
        now = self._database.now()

        def work(connection: Connection) -> Row[tuple[Any, ...]]:
            query = select(_P).where(or_(_P.c.id == ref, _P.c.name == ref), _is_valid(now))
            row = connection.execute(query).first()
            if row is None:
                raise NotFoundError(f"there is no valid token {ref}", "see `switchgear tokens list`")
            connection.execute(update(_P).where(_P.c.id == row.id).values(revoked_at=now))
            append_entry(connection, Event(now, actor, "token.revoked", f"principal:{row.id}", {"name": row.name}))
            return connection.execute(select(_P).where(_P.c.id == row.id)).one()

        return _principal(await self._database.write(work))

    async def any_tokens(self) -> bool:
        """Whether anybody holds a valid token; without one the server listens on loopback alone."""
        query = select(_P.c.id).where(_is_valid(self._database.now())).limit(1)
        return await self._database.read(lambda c: c.execute(query).first() is not None)


def _check(name: str, role: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidError(f"{name!r} is no name for a principal", "take up to 64 letters, digits and . _ @ -")
    if role not in get_args(Role):
        raise InvalidError(f"there is no role {role!r}", f"take one of {', '.join(get_args(Role))}")


def _is_valid(now: str) -> ColumnElement[bool]:
    return _P.c.revoked_at.is_(None) & (_P.c.expires_at.is_(None) | (_P.c.expires_at > now))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _principal(row: Row[tuple[Any, ...]]) -> Principal:
    scope = Scope.from_json(from_text(row.scope))
    return Principal(row.id, row.name, row.role, row.created_at, row.expires_at, row.revoked_at, scope)
