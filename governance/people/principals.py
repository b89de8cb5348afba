"""Who may speak to Switchgear: principals with a role, each known by a bearer token.

A token's secret has 256 random bits and is shown once; the database keeps its SHA-256 alone, which is enough for a
secret that cannot be guessed (a slow hash is for passwords that people choose). It is found by its hash and compared
once more in constant time. Unknown, expired and revoked answer alike: None. So does a row that is not as the audit
says (`verification`): whoever can write the database file makes no token valid by that, and the log and `survey` say
so. Here never lives what a role may do (`transitions`, and the runtime's routes).
"""

import hashlib
import hmac
import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update
from sqlalchemy.engine import Row

from governance.audit.log import Event, append_entry
from governance.audit.verification import is_attested, seal_in, seal_over, told_about
from governance.errors import ConflictError, InvalidError, NotFoundError
from governance.people.scopes import WHOLE, AccessScope
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, moment, new_id, to_text
from governance.storage.models import PrincipalRow, table_of
from governance.transitions import Role

SECRET_PREFIX = "swg_"  # noqa: S105  not a secret: what scanners for leaked secrets look for
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
SEALED = ("id", "name", "role", "scope", "secret_hash", "created_at", "expires_at", "revoked_at")
_P = table_of(PrincipalRow)
_log = logging.getLogger("switchgear.governance")


@dataclass(frozen=True, slots=True)
class Principal:
    """`expires_at` and `revoked_at` are moments as UTC text, or None. `scope`: what may be reached at most."""

    id: str
    name: str
    role: Role
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    scope: AccessScope = WHOLE

    def is_valid(self, now: str) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    def to_json(self) -> dict[str, Json]:
        return {**{name: getattr(self, name) for name in self.__slots__}, "scope": self.scope.to_json()}


@dataclass(frozen=True, slots=True)
class TokenSurvey:
    """All tokens that ever were, by age, and what is wrong with those that are not as the audit says."""

    principals: tuple[Principal, ...]
    faults: tuple[str, ...]


class PrincipalStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_token(
        self, name: str, role: Role, *, scope: AccessScope = WHOLE, ttl_s: int | None = None, actor: str = "system"
    ) -> tuple[Principal, str]:
        """A new principal and its secret, which cannot be had again.

        Raises InvalidError (name, role), or ConflictError if a principal of this name holds a valid token.
        """
        check_name(name, role)
        secret = SECRET_PREFIX + secrets.token_urlsafe(32)
        now = self._database.now()
        expires_at = None if ttl_s is None else moment(datetime.fromisoformat(now) + timedelta(seconds=ttl_s))
        principal = Principal(new_id(), name, role, now, expires_at, None, scope)

        def work(connection: Connection) -> None:
            if connection.execute(select(_P.c.id).where(_P.c.name == name, _is_valid(now))).first():
                raise ConflictError(f"there is a valid token for {name} already", "revoke it, or take another name")
            values = {**principal.to_json(), "scope": to_text(scope.to_json()), "secret_hash": _hash(secret)}
            connection.execute(insert(_P), values)
            told = {"name": name, "role": role, "expires_at": expires_at, "scope": scope.to_json()}
            told["seal"] = seal_over(values, SEALED)
            append_entry(connection, Event(now, actor, "token.created", f"principal:{principal.id}", told))

        await self._database.write(work)
        return principal, secret

    async def authenticate(self, secret: str) -> Principal | None:
        """Whose secret this is, if the token is valid now."""
        hashed = _hash(secret)
        row = await self._found(_P.c.secret_hash == hashed)
        return None if row is None or not hmac.compare_digest(row.secret_hash, hashed) else _principal(row)

    async def holder(self, name: str) -> Principal | None:
        """Who holds a valid token under this name now, for what is done on their behalf."""
        row = await self._found(_P.c.name == name)
        return None if row is None else _principal(row)

    async def _found(self, where: ColumnElement[bool]) -> Row[tuple[Any, ...]] | None:
        """The row of a valid token that is as the audit says."""
        query = select(_P).where(where, _is_valid(self._database.now()))

        def work(connection: Connection) -> tuple[Row[tuple[Any, ...]] | None, bool]:
            row = connection.execute(query).first()
            return row, row is not None and is_attested(connection, f"principal:{row.id}", _seal(row))

        row, is_told = await self._database.read(work)
        if row is not None and not is_told:
            _log.error("refused: the token %s is not as the audit says; see `switchgear tokens list`", row.id)
        return row if is_told else None

    async def list_tokens(self) -> tuple[Principal, ...]:
        """All that ever were, by age; what is not as the audit says is left out."""
        return (await self.survey()).principals

    async def survey(self) -> TokenSurvey:
        """What `list_tokens` answers, and what is wrong with the rest."""
        return await self._database.read(held)

    async def revoke(self, ref: str, *, actor: str = "system") -> Principal:
        """Ends the valid token with this id or of this name, at once. Raises NotFoundError if there is none."""
        now = self._database.now()

        def work(connection: Connection) -> Row[tuple[Any, ...]]:
            query = select(_P).where(or_(_P.c.id == ref, _P.c.name == ref), _is_valid(now))
            row = connection.execute(query).first()
            if row is None:
                raise NotFoundError(
                    f"there is no valid token {ref}", "see `switchgear tokens list`", kind="token", name=ref
                )
            connection.execute(update(_P).where(_P.c.id == row.id).values(revoked_at=now))
            after = connection.execute(select(_P).where(_P.c.id == row.id)).one()
            told = {"name": row.name, "seal": _seal(after)}
            append_entry(connection, Event(now, actor, "token.revoked", f"principal:{row.id}", told))
            return after

        return _principal(await self._database.write(work))

    async def in_use(self) -> tuple[tuple[str, str, Role], ...]:
        """Hash, holder and role of what is valid by the rows alone: for a guess, never for a right (`authenticate`)."""
        query = select(_P.c.secret_hash, _P.c.name, _P.c.role).where(_is_valid(self._database.now()))
        return await self._database.read(lambda c: tuple((row[0], row[1], row[2]) for row in c.execute(query)))

    async def any_tokens(self) -> bool:
        """Whether anybody holds a valid token; without one the server listens on loopback alone.

        Also where a row was changed or taken away behind our back: that must not open what tokens closed.
        """
        now, survey = self._database.now(), await self.survey()
        return bool(survey.faults) or any(each.is_valid(now) for each in survey.principals)


def held(connection: Connection) -> TokenSurvey:
    """All rows, held against the audit."""
    rows = list(connection.execute(select(_P).order_by(_P.c.id)))
    told = told_about(connection, "principal")
    whole = tuple(_principal(row) for row in rows if _fits(row, told))
    changed = [f"the token {row.id} of {row.name} is not as the audit says" for row in rows if not _fits(row, told)]
    gone = sorted(told.keys() - {f"principal:{row.id}" for row in rows})
    return TokenSurvey(whole, (*changed, *(f"the token {each.partition(':')[2]} was taken away" for each in gone)))


def _fits(row: Row[tuple[Any, ...]], told: dict[str, Json]) -> bool:
    return seal_in(told.get(f"principal:{row.id}")) == _seal(row)


def _seal(row: Row[tuple[Any, ...]]) -> str:
    return seal_over(row._asdict(), SEALED)


def check_name(name: str, role: str) -> None:
    """Raises InvalidError for what is no name or no role."""
    if not _NAME.fullmatch(name):
        raise InvalidError(f"{name!r} is no name for a principal", "take up to 64 letters, digits and . _ @ -")
    if role not in get_args(Role):
        raise InvalidError(f"there is no role {role!r}", f"take one of {', '.join(get_args(Role))}")


def _is_valid(now: str) -> ColumnElement[bool]:
    return _P.c.revoked_at.is_(None) & (_P.c.expires_at.is_(None) | (_P.c.expires_at > now))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _principal(row: Row[tuple[Any, ...]]) -> Principal:
    scope = AccessScope.from_json(from_text(row.scope))
    return Principal(row.id, row.name, row.role, row.created_at, row.expires_at, row.revoked_at, scope)
