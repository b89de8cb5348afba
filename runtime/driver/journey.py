"""One command on its way to a device: a place at the gate, credentials, the request, its reply, all of it noted.

A request leaves only as `wire` builds it, to the target's own host, after the witness has noted it; logins, renewals
and logouts are requests like any other. Whatever happens is told as an error of ours that says what became of the
request: not sent, fate unknown, answered with what cannot be read, or refused. Called by `tries` and `driver`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from runtime.driver.endpoint import Endpoint
from runtime.driver.exchange import Connections, Flight
from runtime.driver.line import LINGER_S, Line
from runtime.driver.sessions import (
    LOGIN_TIMEOUT_S,
    Fields,
    NoSessions,
    Session,
    chosen_kind,
    login_command,
    logout_command,
    session_fields,
    session_from,
    static_fields,
)
from runtime.driver.wire import Reply, WireRequest, wire_request, with_fields
from runtime.driver.witness import Answered, Purpose, Sending, Witness
from runtime.errors import BadReply, FateUnknown, NotSent, Refused, TargetError
from runtime.observing import metrics, observed, traces
from runtime.secrets import Vault
from workflow.events import SendRequest
from workflow.profile import SessionRule


@dataclass(slots=True)
class Journey:
    """`flight` is that of the step's own last request; `deadline` is of the loop's clock.

    `has_asked`: the device's time has begun, not only our wait. `has_closed`: a connection did not outlive its request.
    """

    line: Line
    endpoint: Endpoint
    deadline: float
    witness: Witness
    vault: Vault
    flight: Flight = field(default_factory=Flight)
    has_asked: bool = False
    has_closed: bool = False

    async def carry(self, command: SendRequest, attempt: int) -> Reply:
        """One try of `command`, with one login or renewal where it needs one. Raises TargetError."""
        self.flight, self.has_asked, self.has_closed = Flight(), False, False
        limits = self.endpoint.limits
        self.line.check(self.endpoint.name)  # nobody waits in line for a device that is left in peace
        try:
            async with asyncio.timeout_at(self.deadline), self._place(), self._judged():
                await self.line.gate.pace(limits.requests_per_s)
                reply = await self._with_credentials(command, attempt)
        except TimeoutError as error:
            raise self._overdue() from error
        except BadReply as error:
            if command.is_safe:
                raise
            raise FateUnknown(error.message, "the device answered: look at it before asking again") from error
        return reply

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """A place at the device, also among other processes; behind a closed connection it stays taken for a moment."""
        limit, address, leases = self.endpoint.limits.connections, self.endpoint.address, self.line.leases
        linger_s = LINGER_S if leases.are_shared else 0.0
        device, came = f"{address.host}:{address.port}", asyncio.get_running_loop().time()
        async with self.line.gate.place(limit) as place, leases.place(device, limit, linger_s):
            metrics.waited(self.endpoint.name, asyncio.get_running_loop().time() - came)
            try:
                yield
            finally:
                place.linger_s = LINGER_S if self.has_closed else 0.0
                self.line.was_used()

    @asynccontextmanager
    async def _judged(self) -> AsyncIterator[None]:
        """Tells the breaker how it went with the device, if the device was asked at all."""
        breaker, loop = self.line.breaker, asyncio.get_running_loop()
        self.line.check(self.endpoint.name)
        breaker.begin()
        try:
            yield
        except (NotSent, FateUnknown):
            breaker.failed(loop.time())
            raise
        except BadReply:
            breaker.succeeded()  # it is there, whatever it says
            raise
        except asyncio.CancelledError:
            if self.has_asked and loop.time() >= self.deadline:
                breaker.failed(loop.time())
            else:
                breaker.abandoned()
            raise
        except BaseException:
            breaker.abandoned()
            raise
        breaker.succeeded()

    def _overdue(self) -> TargetError:
        name, gate = self.endpoint.name, self.line.gate
        if self.flight.may_have_left:
            return FateUnknown(f"{name} gave no whole answer in time", "look at the device before asking again")
        if self.has_asked:
            return NotSent(f"{name} could not be connected to in time", "see whether it is on and can be reached")
        others = f": {gate.inside} requests are under way and {gate.waiting} wait" if gate.inside else ""
        return NotSent(f"{name} could not be asked in time{others}", "the device is slow or busy: try again later")

    async def _with_credentials(self, command: SendRequest, attempt: int) -> Reply:
        auth = self.endpoint.profile.auth
        is_open = f"{command.method} {command.path_template}" in auth.open_operations
        kind = "none" if is_open else chosen_kind(auth, self.endpoint.references)
        if kind != "session" or auth.session is None:
            return await self.exchange("step", command, attempt, self._static(kind))
        try:
            return await self._with_session(auth.session, command, attempt)
        except NoSessions as error:
            return await self._without_sessions(error, command, attempt)

    def _static(self, kind: str) -> Fields:
        return static_fields(kind, self.endpoint.profile.auth, self.endpoint.references, self.vault)

    async def _with_session(self, rule: SessionRule, command: SendRequest, attempt: int) -> Reply:
        had = self.line.logins(self.endpoint).session(rule)
        session = had or await self._fresh_session(rule, None)
        reply = await self.exchange("step", command, attempt, session_fields(rule, session))
        if had is not None and reply.status in rule.expired_statuses:
            session = await self._fresh_session(rule, had)
            reply = await self.exchange("step", command, attempt, session_fields(rule, session))
        return reply

    async def _without_sessions(self, why: NoSessions, command: SendRequest, attempt: int) -> Reply:
        """The command with the next kind of the profile, for a device that has no sessions."""
        auth = self.endpoint.profile.auth
        rest = auth.kinds[auth.kinds.index("session") + 1 :]
        if not rest:
            raise why
        kind = chosen_kind(auth.model_copy(update={"kinds": rest}), self.endpoint.references)
        reply = await self.exchange("step", command, attempt, self._static(kind))
        if reply.status != 401:
            return reply
        message = f"{why.message}, and the credentials themselves were refused as well ({kind}: 401)"
        refusal = Refused(message, "check the credentials that the target refers to")
        self.line.logins(self.endpoint).refused(refusal)
        raise refusal

    async def _fresh_session(self, rule: SessionRule, old: Session | None) -> Session:
        logins = self.line.logins(self.endpoint)
        return await logins.fresh(rule, old, self.endpoint, lambda: self._logged_in(rule))

    async def _logged_in(self, rule: SessionRule) -> Session:
        name = self.endpoint.name
        command = login_command(rule, self.endpoint.references, self.vault)
        try:
            with observed.login(name):
                async with asyncio.timeout(LOGIN_TIMEOUT_S):
                    reply = await self.exchange("login", command, 1, ())
                return session_from(rule, reply, self.endpoint.address.prefix, self.vault)
        except (FateUnknown, BadReply) as error:
            raise NotSent(f"the login to {name} got no answer of use: {error}", error.remedy) from error
        except TimeoutError as error:
            raise NotSent(f"the login to {name} was not answered in {LOGIN_TIMEOUT_S:.0f} s") from error

    async def log_out(self, rule: SessionRule, session: Session) -> None:
        """Closes `session`, if there is a way to. Raises TargetError or TimeoutError."""
        command = logout_command(rule, session)
        if command is not None:
            async with asyncio.timeout_at(self.deadline):
                await self.exchange("logout", command, 1, session_fields(rule, session))

    async def exchange(self, purpose: Purpose, command: SendRequest, attempt: int, fields: Fields) -> Reply:
        """One request and its reply, both noted. Raises TargetError; lets the outer time limit pass through."""
        endpoint = self.endpoint
        wire = wire_request(command, endpoint.address, fields, endpoint.profile.envelope.media_type)
        flight = Flight()
        if purpose == "step":
            self.flight = flight
        self.has_asked = True
        connections = await self.line.connections(endpoint)
        shown = self.vault.redact(command.path)
        note = Sending(purpose, command.step_id, attempt, command.method, shown, command.is_safe, endpoint.name)
        with observed.request(endpoint, note, command.path_template) as seen:
            return await self._noted(with_fields(wire, traces.carried()), note, connections, flight, seen)

    async def _noted(
        self, wire: WireRequest, note: Sending, connections: Connections, flight: Flight, seen: observed.RequestSeen
    ) -> Reply:
        await self.witness.sending(note)
        endpoint, start = self.endpoint, asyncio.get_running_loop().time()
        status, reason = None, "unknown_fate"
        try:
            origin, limit = endpoint.address.origin, endpoint.limits.max_body_bytes
            reply = await connections.over(wire, origin, endpoint.name, flight, limit)
            status, reason = reply.status, ""
            return reply
        except TargetError as error:
            reason = error.reason
            raise
        except asyncio.CancelledError:
            reason = "unknown_fate" if flight.may_have_left else "not_sent"
            raise
        finally:
            self.has_closed = self.has_closed or not flight.is_kept
            elapsed_s = asyncio.get_running_loop().time() - start
            seen.answered(status, reason, elapsed_s)
            await self.witness.answered(Answered(note, status, reason, elapsed_s * 1000))
