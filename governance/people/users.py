"""Users: people with a name, a role, perhaps a password, and the other names under which they are known here.

Every change is one transaction with its audit row, which seals the row (`user_rows`). A new password, and disabling,
end all sessions of the user in the same transaction. There is no default password and no way to read one.
Here never lives a session's secret (`sessions`), nor counting votes (`persons`).
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, insert, update
from sqlalchemy.engine import Row

from governance.errors import ConflictError, InvalidError, NotFoundError, TamperedError
from governance.people import user_rows
from governance.people.passwords import Passwords
from governance.people.persons import person_among
from governance.people.principals import check_name
from governance.people.scopes import WHOLE, AccessScope
from governance.people.sessions import end_sessions_of
from governance.people.user_rows import MEND, TABLE, User, UserSurvey
from governance.storage.database import Database
from governance.transitions import Role

_OTHER_NAME = re.compile(r"[!-~]{1,200}")


class UserStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._passwords = Passwords()

    async def add(
        self,
        name: str,
        role: Role,
        *,
        password: str | None,
        scope: AccessScope = WHOLE,
        also: tuple[str, ...] = (),
        actor: str,
    ) -> User:
        """A new user; without a password they are known by their other names alone.

        In place of one that was altered behind our back, too. Raises InvalidError, ConflictError (a name is taken).
        """
        check_name(name, role)
        hashed = None if password is None else await self._passwords.hash(password, name)
        now = self._database.now()
        user = User(name, role, scope, _checked(name, also), password is not None, now, actor)

        def work(connection: Connection) -> User:
            row = user_rows.row_of(connection, name)
            if row is not None and user_rows.is_whole(connection, row):
                raise ConflictError(f"there is a user {name} already", "change it, or take another name")
            end_sessions_of(connection, now, name, actor=actor, why="the user was added again")
            connection.execute(delete(TABLE).where(TABLE.c.name == name))
            connection.execute(insert(TABLE), user_rows.values_of(user, hashed))
            user_rows.tell(connection, now, actor, "user.added", name, {"has_password": user.has_password})
            _check_names(connection, user)
            return user

        return await self._database.write(work)

    async def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        scope: AccessScope | None = None,
        also: tuple[str, ...] | None = None,
        actor: str,
    ) -> User:
        """Another role, scope, or other names; what is None stays. Counts at once, in open sessions as well."""
        if role is not None:
            check_name(name, role)
        names = None if also is None else _checked(name, also)

        def changed(user: User) -> User:
            kept_names = user.also if names is None else names
            return replace(user, role=role or user.role, scope=user.scope if scope is None else scope, also=kept_names)

        return await self._move(name, "user.changed", changed, actor)

    async def disable(self, name: str, *, actor: str) -> User:
        """Out at once: their sessions end, and nothing that is theirs lets them in until they are enabled."""
        now = self._database.now()
        return await self._move(name, "user.disabled", lambda user: replace(user, disabled_at=now), actor, ends=True)

    async def enable(self, name: str, *, actor: str) -> User:
        """In again, with the password that they had."""
        return await self._move(name, "user.enabled", lambda user: replace(user, disabled_at=None), actor)

    async def set_password(self, name: str, password: str, *, actor: str) -> User:
        """Another password; all sessions end. Raises InvalidError for what is none."""
        hashed = await self._passwords.hash(password, name)

        def same(user: User) -> User:
            return user

        return await self._move(name, "user.password", same, actor, ends=True, password_hash=hashed)

    async def survey(self) -> UserSurvey:
        """All users by name, and what is wrong with rows that are not as the audit says."""
        return await self._database.read(user_rows.survey)

    async def get(self, name: str) -> User:
        """Raises NotFoundError, TamperedError."""
        return user_rows.user_of(await self._database.read(lambda c: _whole_row(c, name)))

    async def check(self, name: str, password: str) -> User | None:
        """The user, if this is their password and they may log in now. Takes as long whatever is wrong."""

        def look(connection: Connection) -> Row[tuple[Any, ...]] | None:
            row = user_rows.row_of(connection, name)
            is_theirs = row is not None and row.disabled_at is None and user_rows.is_whole(connection, row)
            return row if is_theirs else None

        row = await self._database.read(look)
        fits = await self._passwords.fits(password, None if row is None else row.password_hash)
        return user_rows.user_of(row) if row is not None and fits else None

    async def is_known(self, name: str) -> bool:
        """Whether there is a user of this name, whatever their state."""
        return await self._database.read(lambda c: user_rows.row_of(c, name) is not None)

    async def any_users(self) -> bool:
        """Whether anybody may log in, or rows were altered behind our back: then the server is closed to strangers."""
        found = await self.survey()
        return bool(found.faults) or any(user.has_password and user.disabled_at is None for user in found.users)

    async def is_out(self, actor: str) -> bool:
        """Whether the person behind `actor` is a user who is disabled. Raises TamperedError as `persons` does."""

        def work(connection: Connection) -> bool:
            users = user_rows.told_users(connection)
            person = person_among(users)(actor)
            return any(user.name == person and user.disabled_at is not None for user in users)

        return await self._database.read(work)

    async def active(self, name: str) -> User | None:
        """The user of this name, if whole and not disabled, for what is done on their behalf."""

        def work(connection: Connection) -> User | None:
            row = user_rows.row_of(connection, name)
            is_active = row is not None and row.disabled_at is None and user_rows.is_whole(connection, row)
            return user_rows.user_of(row) if row is not None and is_active else None

        return await self._database.read(work)

    async def _move(
        self, name: str, action: str, change: Callable[[User], User], actor: str, *, ends: bool = False, **more: Any
    ) -> User:
        now = self._database.now()

        def work(connection: Connection) -> User:
            row = _whole_row(connection, name)
            after = change(user_rows.user_of(row))
            values = user_rows.values_of(after, row.password_hash) | more
            connection.execute(update(TABLE).where(TABLE.c.name == name).values(values))
            user_rows.tell(connection, now, actor, action, name, {})
            _check_names(connection, after)
            if ends:
                end_sessions_of(connection, now, name, actor=actor, why=action)
            return replace(after, has_password=values["password_hash"] is not None)

        return await self._database.write(work)


def _whole_row(connection: Connection, name: str) -> Row[tuple[Any, ...]]:
    row = user_rows.row_of(connection, name)
    if row is None:
        raise NotFoundError(f"there is no user {name}", "see `switchgear users list`", kind="user", name=name)
    if not user_rows.is_whole(connection, row):
        raise TamperedError(f"the user {name} is not as the audit says", MEND)
    return row


def _checked(name: str, also: tuple[str, ...]) -> tuple[str, ...]:
    for each in also:
        if not _OTHER_NAME.fullmatch(each):
            raise InvalidError(f"{each!r} is no name of anybody", "give a token's name, cli:NAME or jwt:SUBJECT")
    return tuple(sorted(set(also) - {name}))


def _check_names(connection: Connection, user: User) -> None:
    """Raises ConflictError where a name would stand for two people."""
    for other in user_rows.told_users(connection):
        shared = {user.name, *user.also} & {other.name, *other.also}
        if other.name != user.name and shared:
            raise ConflictError(f"{min(shared)} is known as the user {other.name}", "a name stands for one person")
