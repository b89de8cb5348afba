"""From the interpreter's commands to a device and back: the only file with httpx and tenacity.

A request leaves only as `wire` builds it, to the target's own host, after the witness has noted it. Nothing of the
environment counts (no proxies, no netrc), no redirect is followed, no cookie is kept. Time limits are totals on a
monotonic clock, bodies are bounded after inflating, a device never sees more connections than its profile allows.
What became of a request is told as an event: an answer, or not sent, or fate unknown, or refused.
Called by `engines`. RFC 9110 (idempotence, Retry-After), RFC 9112.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_random_exponential

from runtime import tls
from runtime.errors import FateUnknown, NotSent, Refused, TargetError
from runtime.secrets import Vault
from runtime.sessions import (
    Fields,
    References,
    Session,
    chosen_kind,
    login_command,
    logout_command,
    session_fields,
    session_from,
    static_fields,
)
from runtime.wire import Address, Inflater, Reply, WireRequest, decode_body, wire_request
from runtime.witness import Answered, Purpose, Sending, Witness
from workflow.events import RequestFailed, ResponseArrived, SendRequest
from workflow.profile import Profile, SessionRule
from workflow.retry_after import seconds_asked_for

log = logging.getLogger("switchgear.driver")
Event = ResponseArrived | RequestFailed
# Statuses that say "not now" and nothing of what was asked.
TRANSIENT = frozenset({429, 502, 503, 504})
# Three tries, the last about 2 s after the first: a hiccup passes in that time, an outage is the caller's to know.
TRIES = 3
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.2, 2.0
LONGEST_RETRY_AFTER_S = 30.0
CONNECT_TIMEOUT_S = 10.0
# Devices lock an account after a few wrong logins; a wrong password is not tried again and again.
REFUSED_LOGIN_S = 30.0
LOGOUT_TIMEOUT_S = 5.0
# A management controller frees an idle connection after seconds; a request on one that it just closed is lost.
KEEP_ALIVE_S = 4.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One target, as one approved workflow wants to speak to it: the profile is the one that it was approved with."""

    name: str
    address: Address
    tls: str
    references: References
    profile: Profile

    @property
    def door(self) -> tuple[str, str, int, str, References]:
        """What makes two endpoints the same device for us: connections, sessions and their limits are shared."""
        return (self.address.scheme, self.address.host, self.address.port, self.tls, self.references)


@dataclass(slots=True)
class Flight:
    """Whether bytes of the request may have left. Set by the transport's trace, read when something goes wrong."""

    may_have_left: bool = False

    async def trace(self, name: str, _info: dict[str, Any]) -> None:
        if name.endswith("send_request_headers.started"):
            self.may_have_left = True


class Driver:
    """Sends requests to targets. One object for a process; `aclose` logs out everywhere."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lines: dict[object, Line] = {}

    async def send(self, command: SendRequest, endpoint: Endpoint, deadline: float, witness: Witness) -> Event:
        """What became of `command` by `deadline` (of the loop's clock) or the step's own limit, retries included."""
        limit = command.timeout_s or endpoint.profile.limits.total_timeout_s
        deadline = min(deadline, asyncio.get_running_loop().time() + limit)
        line = self._lines.get(endpoint.door)
        if line is None:
            line = self._lines[endpoint.door] = Line(endpoint, self._vault)
        outcome = await Tries(Journey(line, endpoint, deadline, witness), command).once()
        if isinstance(outcome, Reply):
            return ResponseArrived(command.step_id, outcome.status, _joined(outcome), decode_body(outcome))
        message = self._vault.redact("; ".join(part for part in (outcome.message, outcome.remedy) if part))
        return RequestFailed(command.step_id, outcome.reason, message)  # type: ignore[arg-type]

    async def aclose(self, witness: Witness) -> None:
        """Closes every session and connection. A device that does not answer is left alone after a few seconds."""
        lines, self._lines = list(self._lines.values()), {}
        await asyncio.gather(*(line.aclose(witness) for line in lines))


@dataclass(slots=True)
class Tries:
    """One command, tried once, or several times where that is harmless and may help."""

    journey: "Journey"
    command: SendRequest
    made: int = 0

    async def once(self) -> Reply | TargetError:
        outcome = await self._try()
        if not self._is_worth_another(outcome):
            return outcome
        again = AsyncRetrying(
            stop=stop_after_attempt(TRIES - 1),
            retry=retry_if_result(self._is_worth_another),
            wait=self._pause,
            before=self._no_log,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        await asyncio.sleep(_pause_after(outcome, SHORTEST_WAIT_S))
        last: Reply | TargetError = await again(self._try)
        return last

    @staticmethod
    def _no_log(_state: RetryCallState) -> None:
        """tenacity's own logging is not wanted: attempts are in the audit."""

    def _pause(self, state: RetryCallState) -> float:
        wished: float = wait_random_exponential(multiplier=SHORTEST_WAIT_S * 2, max=LONGEST_WAIT_S)(state)
        return _pause_after(state.outcome and state.outcome.result(), wished)

    def _is_worth_another(self, outcome: Reply | TargetError) -> bool:
        if not (self.command.is_safe or self.command.is_idempotent):
            return False
        is_transient = outcome.status in TRANSIENT if isinstance(outcome, Reply) else not isinstance(outcome, Refused)
        pause = _pause_after(outcome, LONGEST_WAIT_S)
        return is_transient and asyncio.get_running_loop().time() + pause < self.journey.deadline

    async def _try(self) -> Reply | TargetError:
        self.made += 1
        try:
            return await self.journey.carry(self.command, self.made)
        except TargetError as error:
            return error


def _pause_after(outcome: Any, wished: float) -> float:
    """`wished` seconds, or what the device asks for in Retry-After; too long a wish of the device is cut."""
    asked = seconds_asked_for(dict(outcome.headers)) if isinstance(outcome, Reply) else 0.0
    return max(wished, min(asked, LONGEST_RETRY_AFTER_S))


class Line:
    """The connections and sessions of one device. Its limits are those of the profile that came first."""

    def __init__(self, first: Endpoint, vault: Vault) -> None:
        self.vault = vault
        # First come, first served: asyncio's semaphore wakes its waiters in order.
        self.places = asyncio.Semaphore(first.profile.limits.connections)
        self._first = first
        self._opening = asyncio.Lock()
        self._transport: httpx.AsyncHTTPTransport | None = None
        self._next_start = 0.0
        self._login = asyncio.Lock()
        self._sessions: list[tuple[Endpoint, Session]] = []
        self._refusal: tuple[float, Refused] | None = None

    async def transport(self) -> httpx.AsyncHTTPTransport:
        """The connections; the first caller checks who is at the other end."""
        if self._transport is not None:
            return self._transport
        async with self._opening:
            if self._transport is None:
                limits = self._first.profile.limits
                self._transport = httpx.AsyncHTTPTransport(
                    verify=await self._verification(),
                    trust_env=False,
                    limits=httpx.Limits(max_connections=limits.connections, keepalive_expiry=KEEP_ALIVE_S),
                )
            return self._transport

    async def _verification(self) -> ssl.SSLContext | bool:
        address = self._first.address
        if address.scheme == "http":
            return False
        return await tls.context_for(self._first.tls, address.host, address.port)

    async def pace(self) -> None:
        """Waits until the next request may start."""
        rate = self._first.profile.limits.requests_per_s
        if rate is not None:
            now = asyncio.get_running_loop().time()
            start = max(now, self._next_start)
            self._next_start = start + 1 / rate
            await asyncio.sleep(start - now)

    def session(self, rule: SessionRule) -> Session | None:
        """The open session, if any; profiles of different versions that log in alike share it."""
        return next((held for opener, held in self._sessions if opener.profile.auth.session == rule), None)

    async def fresh_session(self, rule: SessionRule, old: Session | None, journey: "Journey") -> Session:
        """A session that is not `old`; whoever comes first logs in for all who wait. Raises NotSent or Refused."""
        async with self._login:
            held = self.session(rule)
            if held is not None and held is not old:
                return held
            self._sessions = [(opener, each) for opener, each in self._sessions if each is not held]
            fresh = await self._logged_in(rule, journey)
            self._sessions.append((journey.endpoint, fresh))
            return fresh

    async def _logged_in(self, rule: SessionRule, journey: "Journey") -> Session:
        now = asyncio.get_running_loop().time()
        if self._refusal is not None and now < self._refusal[0]:
            raise self._refusal[1]
        command = login_command(rule, journey.endpoint.references, self.vault)
        try:
            reply = await journey.exchange("login", command, 1, ())
            return session_from(rule, reply, journey.endpoint.address.prefix, self.vault)
        except FateUnknown as error:
            raise NotSent(f"the login to {journey.endpoint.name} got no answer: {error}", error.remedy) from error
        except Refused as error:
            self._refusal = (now + REFUSED_LOGIN_S, error)
            raise

    async def aclose(self, witness: Witness) -> None:
        sessions, self._sessions = self._sessions, []
        for endpoint, session in sessions:
            await self._log_out(endpoint, session, witness)
        if self._transport is not None:
            await self._transport.aclose()

    async def _log_out(self, endpoint: Endpoint, session: Session, witness: Witness) -> None:
        rule = endpoint.profile.auth.session
        command = logout_command(rule, session) if rule else None
        if rule is None or command is None:
            return
        deadline = asyncio.get_running_loop().time() + LOGOUT_TIMEOUT_S
        try:
            async with asyncio.timeout_at(deadline):
                journey = Journey(self, endpoint, deadline, witness)
                await journey.exchange("logout", command, 1, session_fields(rule, session))
        except (TargetError, TimeoutError) as error:
            log.warning("the session on %s was not closed: %s", endpoint.name, error)


@dataclass(slots=True)
class Journey:
    """One command on its way: its tries and their exchanges. `flight` is that of the step's own last request."""

    line: Line
    endpoint: Endpoint
    deadline: float
    witness: Witness
    flight: Flight = field(default_factory=Flight)

    async def carry(self, command: SendRequest, attempt: int) -> Reply:
        """One try of `command`, with one login or renewal where it needs one. Raises TargetError."""
        self.flight = Flight()
        try:
            async with asyncio.timeout_at(self.deadline), self.line.places:
                await self.line.pace()
                return await self._with_credentials(command, attempt)
        except TimeoutError as error:
            raise self._overdue() from error

    def _overdue(self) -> TargetError:
        name = self.endpoint.name
        if self.flight.may_have_left:
            return FateUnknown(f"{name} gave no whole answer in time", "look at the device before asking again")
        return NotSent(f"{name} could not be asked in time", "the device is slow or busy: try again later")

    async def _with_credentials(self, command: SendRequest, attempt: int) -> Reply:
        auth, rule = self.endpoint.profile.auth, self.endpoint.profile.auth.session
        is_open = f"{command.method} {command.path_template}" in auth.open_operations
        kind = "none" if is_open else chosen_kind(auth, self.endpoint.references)
        if kind != "session" or rule is None:
            fields = static_fields(kind, auth, self.endpoint.references, self.line.vault)
            return await self.exchange("step", command, attempt, fields)
        had = self.line.session(rule)
        session = had or await self.line.fresh_session(rule, None, self)
        reply = await self.exchange("step", command, attempt, session_fields(rule, session))
        if had is not None and reply.status in rule.expired_statuses:
            session = await self.line.fresh_session(rule, had, self)
            reply = await self.exchange("step", command, attempt, session_fields(rule, session))
        return reply

    async def exchange(self, purpose: Purpose, command: SendRequest, attempt: int, fields: Fields) -> Reply:
        """One request and its reply, both noted. Raises TargetError; lets the outer time limit pass through."""
        endpoint = self.endpoint
        wire = wire_request(command, endpoint.address, fields, endpoint.profile.envelope.media_type)
        transport = await self.line.transport()
        flight = Flight()
        if purpose == "step":
            self.flight = flight
        shown = self.line.vault.redact(command.path)
        note = Sending(purpose, command.step_id, attempt, command.method, shown, command.is_safe)
        await self.witness.sending(note)
        start = asyncio.get_running_loop().time()
        status, reason = None, "unknown_fate"
        try:
            reply = await self._over(transport, wire, flight, command.is_safe)
            status, reason = reply.status, ""
            return reply
        except TargetError as error:
            reason = error.reason
            raise
        except asyncio.CancelledError:
            reason = "unknown_fate" if flight.may_have_left else "not_sent"
            raise
        finally:
            elapsed_ms = (asyncio.get_running_loop().time() - start) * 1000
            await self.witness.answered(Answered(note, status, reason, elapsed_ms))

    async def _over(
        self, transport: httpx.AsyncHTTPTransport, wire: WireRequest, flight: Flight, is_safe: bool
    ) -> Reply:
        request = httpx.Request(
            wire.method,
            _parsed(self.endpoint.address.origin),
            headers=list(wire.headers),
            content=wire.body or None,
            extensions={"target": wire.target, "trace": flight.trace, "timeout": {"connect": CONNECT_TIMEOUT_S}},
        )
        try:
            return await self._received(await transport.handle_async_request(request))
        except Refused as error:
            if is_safe:
                raise
            raise FateUnknown(error.message, error.remedy) from error
        except (httpx.HTTPError, httpx.StreamError, ssl.SSLError) as error:
            raise self._judged(error, flight) from error

    async def _received(self, response: httpx.Response) -> Reply:
        limit = self.endpoint.profile.limits.max_body_bytes
        try:
            body = Inflater(response.headers.get("content-encoding", "").strip().lower(), limit)
            async for piece in response.aiter_raw():
                body.feed(piece)
        finally:
            await response.aclose()
        fields = tuple((key.decode("ascii").lower(), value.decode("latin-1")) for key, value in response.headers.raw)
        return Reply(response.status_code, fields, body.whole())

    def _judged(self, error: Exception, flight: Flight) -> TargetError:
        """What an error of the transport says of the request."""
        name = self.endpoint.name
        text = f"{name}: {error or type(error).__name__}"
        if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
            return Refused(text, "the request is not valid HTTP")
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return Refused(text, "the device is not who it was: somebody must look before its tls setting is changed")
        if flight.may_have_left:
            return FateUnknown(text, "look at the device before asking again")
        return NotSent(text, "check that the device is on and can be reached from here")


@lru_cache(maxsize=1024)
def _parsed(origin: str) -> httpx.URL:
    return httpx.URL(origin)


def _joined(reply: Reply) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in reply.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
