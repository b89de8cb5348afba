"""How a request gets in: with a session that is opened, shared, renewed and closed, or with another kind.

A session that is over is renewed once a request; a change is not sent again unless it is sure that the answer spoke of
the session and not of the change. No session left is waited for (by `attempt`, which then asks with `is_patient`
False), then the next kind is tried, then the device's own sentence is told. What an answer to a login means is read by
`login_replies`, who is logged in is known to `logins`. Called by `attempt`.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from runtime.driver.credentials.login_replies import session_from
from runtime.driver.credentials.logins import Logins
from runtime.driver.credentials.sessions import (
    LOGIN_TIMEOUT_S,
    DeviceSession,
    Fields,
    NoSessions,
    chosen_kind,
    login_command,
    logout_command,
    probe_command,
    session_fields,
    static_fields,
)
from runtime.driver.endpoint import DeviceEndpoint
from runtime.driver.redirects import followed
from runtime.driver.wire import Address, WireReply
from runtime.driver.witness import Purpose
from runtime.errors import BadReply, FateUnknown, NotAdmitted, NotSent, Refused, TargetError
from runtime.observing import observed
from runtime.secrets import Vault
from workflow.profiles.profile_speech import SessionRule
from workflow.requests.events import SendRequest

log = logging.getLogger("switchgear.driver")
# Of a login that nobody waits for any more: its answer may be a session, which only we can close.
LOGIN_GRACE_S = 1.0


class Exchange(Protocol):
    async def __call__(
        self, purpose: Purpose, command: SendRequest, attempt: int, fields: Fields, address: Address | None = None,
        template: str = "",
    ) -> WireReply: ...  # fmt: skip


@dataclass(slots=True)
class Admission:
    """`is_patient`: where no session is left, the caller waits and comes again."""

    endpoint: DeviceEndpoint
    logins: Logins
    vault: Vault
    exchange: Exchange
    is_patient: bool

    async def carry(self, command: SendRequest, attempt: int) -> WireReply:
        """The reply to `command`, redirects within the device followed. Raises TargetError."""
        auth = self.endpoint.profile.auth
        is_open = f"{command.method} {command.path_template}" in auth.open_operations
        kind = "none" if is_open else chosen_kind(auth, self.endpoint.references)
        if kind != "session" or auth.session is None:
            return await self._step(command, attempt, self._static(kind))
        try:
            return await self._with_session(auth.session, command, attempt)
        except NoSessions as error:
            return await self._otherwise(error, command, attempt)
        except NotAdmitted as error:
            if error.is_final or (self.is_patient and not self.logins.is_known_full):
                raise
            return await self._otherwise(error, command, attempt)

    async def _step(self, command: SendRequest, attempt: int, fields: Fields) -> WireReply:
        async def send(hop: SendRequest, address: Address) -> WireReply:
            return await self.exchange("step", hop, attempt, fields, address, command.path_template)

        return await followed(command, self.endpoint.address, send)

    def _static(self, kind: str) -> Fields:
        return static_fields(kind, self.endpoint.profile.auth, self.endpoint.references, self.vault)

    # With a session

    async def _with_session(self, rule: SessionRule, command: SendRequest, attempt: int) -> WireReply:
        had = self.logins.session(rule)
        session = had or await self._fresh(rule, None)
        reply = await self._step(command, attempt, session_fields(rule, session))
        if had is None or not _says_expired(rule, command, reply) or self.logins.is_renewed_in_vain:
            return reply
        renewed = await self._renewed(rule, had, command, reply)
        if renewed is None:
            return reply
        again = await self._step(command, attempt, session_fields(rule, renewed))
        self.logins.was_renewed(has_helped=not _says_expired(rule, command, again))
        return again

    async def _renewed(
        self, rule: SessionRule, had: DeviceSession, command: SendRequest, reply: WireReply
    ) -> DeviceSession | None:
        """A new session, where `reply` speaks of the old one; None where it may as well speak of the command."""
        # A 401 has looked at the session before all else; any other status may speak of what was asked.
        if not command.is_safe and reply.status != 401:
            return await self._surely_renewed(rule, had, reply)
        try:
            return await self._fresh(rule, had, reply.status)
        except NotSent:
            if reply.status in rule.expired_statuses:
                raise
            return None

    async def _surely_renewed(self, rule: SessionRule, had: DeviceSession, reply: WireReply) -> DeviceSession | None:
        """A new session, if a read shows that the old one was over and the new one is not; None: it is not sure.

        Then the change must not be sent again: the device may have carried it out and said so badly.
        """
        try:
            if await self._is_let_in(rule, had, otherwise=False):
                return None
            renewed = await self._fresh(rule, had, reply.status)
            is_let_in = await self._is_let_in(rule, renewed, otherwise=True)
        except TargetError:
            return None
        self.logins.was_renewed(has_helped=is_let_in)
        return renewed if is_let_in else None

    async def _is_let_in(self, rule: SessionRule, session: DeviceSession, *, otherwise: bool) -> bool:
        """Whether the profile's probe is let in with `session`; `otherwise` where the profile has none."""
        probe = self.endpoint.profile.probe
        if probe is None:
            return otherwise
        command = probe_command(probe.read)
        reply = await self.exchange("login", command, 1, session_fields(rule, session))
        return not _says_expired(rule, command, reply)

    async def _fresh(self, rule: SessionRule, old: DeviceSession | None, status: int = 401) -> DeviceSession:
        """A session that is not `old`, which was answered with `status`; what may still be open is closed before."""
        closed = old if status != 401 else None
        return await self.logins.fresh(rule, old, self.endpoint, lambda: self._logged_in(rule, closed))

    async def _logged_in(self, rule: SessionRule, closed: DeviceSession | None) -> DeviceSession:
        if closed is not None:
            with suppress(TargetError):
                await self.log_out(rule, closed)
        login = asyncio.create_task(self._login(rule))
        try:
            return await asyncio.shield(login)
        except asyncio.CancelledError:
            await asyncio.wait((login,), timeout=LOGIN_GRACE_S)
            login.cancel()
            (opened,) = await asyncio.gather(login, return_exceptions=True)
            if isinstance(opened, DeviceSession):
                self.logins.keep(self.endpoint, opened)
            raise

    async def _login(self, rule: SessionRule) -> DeviceSession:
        name, endpoint = self.endpoint.name, self.endpoint
        command = login_command(rule, endpoint.references, self.vault)
        try:
            with observed.login(name):
                async with asyncio.timeout(LOGIN_TIMEOUT_S):
                    reply = await self.exchange("login", command, 1, ())
                return session_from(rule, reply, endpoint.address, self.vault, endpoint.profile.envelope)
        except (FateUnknown, BadReply) as error:
            why = error.message.removeprefix(f"{name}: ")
            raise NotSent(f"the login to {name} got no answer of use ({why})", error.remedy) from error
        except TimeoutError as error:
            raise NotSent(f"the login to {name} was not answered in {LOGIN_TIMEOUT_S:.0f} s") from error

    async def log_out(self, rule: SessionRule, session: DeviceSession) -> None:
        """Closes `session`, if there is a way to. Raises TargetError."""
        command = logout_command(rule, session)
        if command is not None:
            await self.exchange("logout", command, 1, session_fields(rule, session))

    # Without

    async def _otherwise(self, why: NoSessions | NotAdmitted, command: SendRequest, attempt: int) -> WireReply:
        """The command with the next kind of the profile, for a device that has no sessions, or none left."""
        auth = self.endpoint.profile.auth
        rest = auth.kinds[auth.kinds.index("session") + 1 :]
        if isinstance(why, NotAdmitted):
            rest = tuple(kind for kind in rest if kind != "none")  # it knows sessions: nobody gets in without a word
        try:
            kind = chosen_kind(auth.model_copy(update={"kinds": rest}), self.endpoint.references) if rest else ""
        except Refused:
            kind = ""
        if not kind:
            raise self._remembered(why, why.message, why.remedy) from why
        if isinstance(why, NotAdmitted):
            self.logins.stayed_full(why)
        reply = await self._step(command, attempt, self._static(kind))
        if reply.status != 401:
            return reply
        message = f"{why.message}, and the credentials themselves were refused as well ({kind}: 401)"
        raise self._remembered(why, message, why.remedy if isinstance(why, NotAdmitted) else "") from why

    def _remembered(self, why: NoSessions | NotAdmitted, message: str, remedy: str) -> TargetError:
        """What whoever comes next is told without a request: the account is not to be locked."""
        if isinstance(why, NotAdmitted):
            final = NotAdmitted(message, remedy, is_final=True)
            self.logins.stayed_full(final)
            return final
        if message == why.message:
            return why
        refusal = Refused(message, "check the credentials that the target refers to")
        self.logins.refused(refusal)
        return refusal


def _says_expired(rule: SessionRule, command: SendRequest, reply: WireReply) -> bool:
    """Whether the profile takes the reply for the end of the session that the request showed."""
    is_over = reply.status in rule.expired_statuses
    return is_over or (command.is_safe and reply.status in rule.expired_for_reads)
