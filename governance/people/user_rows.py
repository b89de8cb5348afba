"""Users as values, and their rows held against the audit: what logging in and counting votes begin with.

A row becomes a `User` who may do something only if the last audit row about it has its seal (`verification`); a row
that was changed, added or taken away behind our back is a fault. Who is the same person as whom, and who is disabled,
is taken from those audit rows themselves, so that editing the table makes nobody two people and lets nobody in.
Here never lives a password, nor what a user may do.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.engine import Row

from governance.audit.log import Event, append_entry
from governance.audit.verification import is_attested, seal_in, seal_over, told_about
from governance.errors import TamperedError
from governance.people.scopes import WHOLE, AccessScope
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import UserRow, table_of
from governance.transitions import Role

TABLE = table_of(UserRow)
SEALED = ("name", "role", "scope", "also", "password_hash", "created_at", "created_by", "disabled_at")
MEND = "see who did it, then add the user again: `switchgear users add`"


@dataclass(frozen=True, slots=True)
class User:
    """`also`: under which names the same person is known otherwise (`cli:ann`, a token's name, `jwt:SUBJECT`)."""

    name: str
    role: Role
    scope: AccessScope = WHOLE
    also: tuple[str, ...] = ()
    has_password: bool = False
    created_at: str = ""
    created_by: str = ""
    disabled_at: str | None = None

    def to_json(self) -> dict[str, Json]:
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "scope": self.scope.to_json(), "also": list(self.also)}


@dataclass(frozen=True, slots=True)
class UserSurvey:
    """All users by name, and what is wrong with the rows that are not as the audit says."""

    users: tuple[User, ...]
    faults: tuple[str, ...]


def subject_of(name: str) -> str:
    return f"user:{name}"


def row_of(connection: Connection, name: str) -> Row[tuple[Any, ...]] | None:
    """The stored row, believed or not."""
    return connection.execute(select(TABLE).where(TABLE.c.name == name)).first()


def is_whole(connection: Connection, row: Row[tuple[Any, ...]]) -> bool:
    """Whether the row is as the audit says."""
    return is_attested(connection, subject_of(row.name), _seal(row))


def survey(connection: Connection) -> UserSurvey:
    """All users, held against the audit."""
    rows = list(connection.execute(select(TABLE).order_by(TABLE.c.name)))
    told = told_about(connection, "user")
    whole = [row for row in rows if seal_in(told.get(subject_of(row.name))) == _seal(row)]
    changed = [f"the user {row.name} is not as the audit says" for row in rows if row not in whole]
    gone = sorted(told.keys() - {subject_of(row.name) for row in rows})
    missing = [f"the user {each.partition(':')[2]} was taken away" for each in gone]
    return UserSurvey(tuple(map(user_of, whole)), (*changed, *missing))


def told_users(connection: Connection) -> tuple[User, ...]:
    """All users that there ever were, as the audit tells them. Raises TamperedError where it was changed."""
    found = []
    for subject, told in told_about(connection, "user").items():
        if told is None:
            raise TamperedError(f"the last audit row about {subject} was changed", "see `switchgear audit verify`")
        also, scope = tuple(told["also"]), AccessScope.from_json(told["scope"])
        found.append(User(subject.partition(":")[2], told["role"], scope, also, disabled_at=told["disabled_at"]))
    return tuple(found)


def untold_users(connection: Connection, told: Collection[User]) -> tuple[User, ...]:
    """Rows of which the audit says nothing at all: they let nobody in."""
    known = {user.name for user in told}
    rows = connection.execute(select(TABLE).where(TABLE.c.name.not_in(known))).all()
    return tuple(map(user_of, rows))


def tell(connection: Connection, now: str, actor: str, action: str, name: str, more: Mapping[str, Json]) -> None:
    """Writes the audit row of a change of the user's row, which is in the table already as it is to be believed."""
    row = row_of(connection, name)
    assert row is not None
    user = user_of(row)
    told = {"role": user.role, "scope": user.scope.to_json(), "also": list(user.also), "disabled_at": user.disabled_at}
    append_entry(connection, Event(now, actor, action, subject_of(name), {**told, **more, "seal": _seal(row)}))


def values_of(user: User, password_hash: str | None) -> dict[str, Any]:
    """The columns of the user's row."""
    told = {**user.to_json(), "scope": to_text(user.scope.to_json()), "also": to_text(list(user.also))}
    del told["has_password"]
    return {**told, "password_hash": password_hash}


def user_of(row: Row[tuple[Any, ...]]) -> User:
    return User(
        row.name,
        row.role,
        AccessScope.from_json(from_text(row.scope)),
        tuple(from_text(row.also)),
        row.password_hash is not None,
        row.created_at,
        row.created_by,
        row.disabled_at,
    )


def _seal(row: Row[tuple[Any, ...]]) -> str:
    return seal_over(row._asdict(), SEALED)
