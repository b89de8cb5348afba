"""Who shows a credential: tokens of ours, sessions of users, JWTs of a company; and whether one is needed at all.

Tokens are checked by `governance.people.principals`; its answers are remembered until `forget` is called, which
happens when any token or user changes. Sessions and JWTs are looked at each time. Whoever is a disabled user is out
with all of them. Whose a credential probably is can be told without asking anybody, for whoever decides whose request
is read next. Here never lives what somebody may do (`access`), nor a header (`credentials`).
"""

import asyncio
import contextlib
import hashlib
from functools import partial
from typing import TYPE_CHECKING

from governance.people.principals import PrincipalStore
from governance.people.sessions import Session, SessionStore
from governance.people.users import UserStore
from governance.storage.identifiers import moment, utc_now
from runtime.caller import LOCAL, Caller

if TYPE_CHECKING:
    from runtime.auth.jwt_issuers import JwtIssuer

# More distinct tokens than one installation has; guesses are not kept.
MAX_REMEMBERED = 1024
# Tokens that nobody has shown lately are looked up so many at a time: guesses keep the database from nobody.
STRANGERS_AT_A_TIME = 2


class Authenticator:
    def __init__(
        self, principals: PrincipalStore, users: UserStore, sessions: SessionStore, company: "JwtIssuer | None" = None
    ) -> None:
        """`jwt_issuers`: whose JWTs are taken, if anybody's."""
        self._principals = principals
        self._users = users
        self._sessions = sessions
        self._company = company
        self._known: dict[bytes, tuple[Caller, str]] = {}
        self._before: frozenset[bytes] = frozenset()
        self._in_use: dict[str, Caller] = {}
        self._shown: dict[bytes, Caller] = {}
        self._asked: dict[bytes, asyncio.Task[Caller | None]] = {}
        self._strangers = asyncio.Semaphore(STRANGERS_AT_A_TIME)
        self._needs_token = company is not None

    async def look(self) -> None:
        """Learns whether anybody has a credential. Once somebody had, one is needed as long as the process lives."""
        if not self._needs_token:
            self._needs_token = await self._principals.any_tokens() or await self._users.any_users()

    async def learn(self) -> None:
        """Learns whose the tokens are that are in use, for `known`."""
        found = await self._principals.in_use()
        self._in_use = {hashed: Caller(name, role) for hashed, name, role in found}

    def known(self, secret: bytes) -> Caller | None:
        """Whose `secret` probably is, if it is in use: no right comes of it, it may have ended a moment ago."""
        key = hashlib.sha256(secret)
        return self._in_use.get(key.hexdigest()) or self._shown.get(key.digest())

    def _remember(self, secret: str, caller: Caller | None) -> Caller | None:
        """What was not made by us, or is looked at each time: JWTs and sessions."""
        if caller is not None:
            if len(self._shown) >= MAX_REMEMBERED:
                self._shown.clear()
            self._shown[hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()] = caller
        return caller

    @property
    def needs_token(self) -> bool:
        return self._needs_token

    def forget(self) -> None:
        """To be called when any token or user was made or changed, has expired or was ended."""
        self._before = frozenset(self._known) or self._before
        self._known.clear()
        self._asked.clear()

    async def caller(self, secret: str | None) -> Caller | None:
        """Who holds the token or JWT `secret`; where nobody has a credential, whoever is on this machine."""
        if secret is None:
            if not self._needs_token:
                await self.look()
            return None if self._needs_token else LOCAL
        if self._company is not None and self._company.is_one(secret):
            return self._remember(secret, await self._unless_out(await self._company.caller(secret)))
        key = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
        caller, expires_at = self._known.get(key, (None, ""))
        if caller is not None and (not expires_at or moment(utc_now()) < expires_at):
            return caller
        self._known.pop(key, None)
        return await self._looked_up(key, secret)

    async def _looked_up(self, key: bytes, secret: str) -> Caller | None:
        """What the database says. Who asks for the same meanwhile waits for the same answer."""
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(self._look_up(key, secret))
            task.add_done_callback(partial(self._answered, key))
        return await asyncio.shield(task)

    def _answered(self, key: bytes, task: "asyncio.Task[Caller | None]") -> None:
        if self._asked.get(key) is task:
            del self._asked[key]
        if not task.cancelled():
            task.exception()  # whoever waits is told; nobody may be left

    async def _look_up(self, key: bytes, secret: str) -> Caller | None:
        async with contextlib.nullcontext() if key in self._before else self._strangers:
            principal = await self._principals.authenticate(secret)
            if principal is None:
                return None
            caller = await self._unless_out(Caller(principal.name, principal.role, principal.scope))
        if caller is not None and self._asked.get(key) is asyncio.current_task():  # nothing was changed meanwhile
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[key] = (caller, principal.expires_at or "")
        return caller

    async def session(self, secret: str) -> Session | None:
        """The session whose cookie this is, if it has not ended."""
        found = await self._sessions.find(secret)
        if found is not None:
            self._remember(secret, Caller(found.user.name, found.user.role))
        return found

    async def standing(self, name: str) -> Caller | None:
        """Who has this name now, for what is done on their behalf: a token's holder, or a user."""
        principal = await self._principals.holder(name)
        if principal is not None:
            return await self._unless_out(Caller(principal.name, principal.role, principal.scope))
        user = await self._users.active(name)
        return None if user is None else Caller(user.name, user.role, user.scope)

    async def _unless_out(self, caller: Caller | None) -> Caller | None:
        return None if caller is None or await self._users.is_out(caller.name) else caller
