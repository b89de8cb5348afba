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
from typing import Any

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_random_exponential

from runtime import tls
from runtime.errors import FateUnknown, NotSent, Refused, TargetError
from runtime.secrets import Vault
from runtime.sessions import (
    LOGIN_TIMEOUT_S,
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
from workflow.profile import Profile
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
# A management controller frees an idle connection after seconds; a request on one that it just closed is lost.
KEEP_ALIVE_S = 4.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One target as the driver sees it. `name` is unique; any other change of a field makes new connections."""

    name: str
    address: Address
    tls: str
    references: References
    profile: Profile


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
        self._lines: dict[str, Line] = {}
        self._former: list[Line] = []

    async def send(self, command: SendRequest, endpoint: Endpoint, deadline: float, witness: Witness) -> Event:
        """What became of `command` by `deadline` (of the loop's clock) or the step's own limit, retries included."""
        limit = command.timeout_s or endpoint.profile.limits.total_timeout_s
        deadline = min(deadline, asyncio.get_running_loop().time() + limit)
        line = self._line(endpoint)
        tries = Tries(line, command, deadline, witness)
        outcome = await tries.once()
        if isinstance(outcome, Reply):
            return ResponseArrived(command.step_id, outcome.status, _joined(outcome), decode_body(outcome))
        message = self._vault.redact("; ".join(part for part in (outcome.message, outcome.remedy) if part))
        return RequestFailed(command.step_id, outcome.reason, message)  # type: ignore[arg-type]

    def _line(self, endpoint: Endpoint) -> "Line":
        line = self._lines.get(endpoint.name)
        if line is not None and line.endpoint == endpoint:
            return line
        if line is not None:
            # Runs under way finish on it, its idle connections close by themselves; its session is closed at the end.
            self._former.append(line)
        line = self._lines[endpoint.name] = Line(endpoint, self._vault)
        return line

    async def aclose(self, witness: Witness) -> None:
        """Closes every session and connection. A device that does not answer is left alone after a few seconds."""
        lines = [*self._former, *self._lines.values()]
        self._former, self._lines = [], {}
        await asyncio.gather(*(line.aclose(witness) for line in lines))


@dataclass(slots=True)
class Tries:
    """One command, tried once, or several times where that is harmless and may help."""

    line: "Line"
    command: SendRequest
    deadline: float
    witness: Witness
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
        return is_transient and asyncio.get_running_loop().time() + pause < self.deadline

    async def _try(self) -> Reply | TargetError:
        self.made += 1
        try:
            return await self.line.carry(self.command, self.made, self.deadline, self.witness)
        except TargetError as error:
            return error


def _pause_after(outcome: Any, wished: float) -> float:
    """`wished` seconds, or what the device asks for in Retry-After; too long a wish of the device is cut."""
    asked = seconds_asked_for(dict(outcome.headers)) if isinstance(outcome, Reply) else 0.0
    return max(wished, min(asked, LONGEST_RETRY_AFTER_S))


class Line:
    """The connections and the session of one target."""

    def __init__(self, endpoint: Endpoint, vault: Vault) -> None:
        self.endpoint = endpoint
        self.vault = vault
        # First come, first served: asyncio's semaphore wakes its waiters in order.
        self._places = asyncio.Semaphore(endpoint.profile.limits.connections)
        self._login = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._session: Session | None = None
        self._transport: httpx.AsyncHTTPTransport | None = None
        self._next_start = 0.0

    async def carry(self, command: SendRequest, attempt: int, deadline: float, witness: Witness) -> Reply:
        """One try of `command`, with one login or renewal where it needs one. Raises TargetError."""
        journey = Journey(self, deadline, witness)
        try:
            async with asyncio.timeout_at(deadline), self._places:
                await self._pace()
                return await self._with_credentials(command, attempt, journey)
        except TimeoutError as error:
            raise journey.overdue() from error

    async def _with_credentials(self, command: SendRequest, attempt: int, journey: "Journey") -> Reply:
        auth, rule = self.endpoint.profile.auth, self.endpoint.profile.auth.session
        is_open = f"{command.method} {command.path_template}" in auth.open_operations
        kind = "none" if is_open else chosen_kind(auth, self.endpoint.references)
        if kind != "session" or rule is None:
            fields = static_fields(kind, auth, self.endpoint.references, self.vault)
            return await journey.exchange("step", command, attempt, fields)
        had = self._session
        session = had or await self._fresh_session(None, journey)
        reply = await journey.exchange("step", command, attempt, session_fields(rule, session))
        if had is not None and reply.status in rule.expired_statuses:
            session = await self._fresh_session(had, journey)
            reply = await journey.exchange("step", command, attempt, session_fields(rule, session))
        return reply

    async def _fresh_session(self, old: Session | None, journey: "Journey") -> Session:
        """A session that is not `old`; whoever comes first logs in for all who wait. Raises NotSent or Refused."""
        rule = self.endpoint.profile.auth.session
        assert rule is not None
        async with self._login:
            if self._session is not None and self._session is not old:
                return self._session
            self._session = None
            command = login_command(rule, self.endpoint.references, self.vault)
            try:
                reply = await journey.exchange("login", command, 1, ())
            except FateUnknown as error:
                raise NotSent(f"the login to {self.endpoint.name} got no answer: {error}", error.remedy) from error
            self._session = session_from(rule, reply, self.endpoint.address.prefix, self.vault)
            return self._session

    async def transport(self) -> httpx.AsyncHTTPTransport:
        """The connections; the first caller checks who is at the other end."""
        async with self._opening:
            if self._transport is None:
                limits = self.endpoint.profile.limits
                self._transport = httpx.AsyncHTTPTransport(
                    verify=await self._verification(),
                    trust_env=False,
                    limits=httpx.Limits(max_connections=limits.connections, keepalive_expiry=KEEP_ALIVE_S),
                )
            return self._transport

    async def _verification(self) -> ssl.SSLContext | bool:
        address = self.endpoint.address
        return (
            await tls.context_for(self.endpoint.tls, address.host, address.port) if address.scheme == "https" else False
        )

    async def _pace(self) -> None:
        rate = self.endpoint.profile.limits.requests_per_s
        if rate is None:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._next_start)
        self._next_start = start + 1 / rate
        await asyncio.sleep(start - now)

    async def aclose(self, witness: Witness) -> None:
        await self._log_out(witness)
        if self._transport is not None:
            await self._transport.aclose()

    async def _log_out(self, witness: Witness) -> None:
        rule, session = self.endpoint.profile.auth.session, self._session
        command = logout_command(rule, session) if rule and session else None
        if rule is None or session is None or command is None:
            return
        self._session = None
        deadline = asyncio.get_running_loop().time() + min(LOGIN_TIMEOUT_S, 5.0)
        try:
            async with asyncio.timeout_at(deadline):
                journey = Journey(self, deadline, witness)
                await journey.exchange("logout", command, 1, session_fields(rule, session))
        except (TargetError, TimeoutError) as error:
            log.warning("the session on %s was not closed: %s", self.endpoint.name, self.vault.redact(str(error)))


@dataclass(slots=True)
class Journey:
    """The exchanges of one try. `flight` is that of the step's own request: only its fate matters."""

    line: Line
    deadline: float
    witness: Witness
    flight: Flight = field(default_factory=Flight)

    def overdue(self) -> TargetError:
        name = self.line.endpoint.name
        if self.flight.may_have_left:
            return FateUnknown(f"{name} gave no whole answer in time", "look at the device before asking again")
        return NotSent(f"{name} could not be asked in time", "the device is slow or busy: try again later")

    async def exchange(self, purpose: Purpose, command: SendRequest, attempt: int, fields: Fields) -> Reply:
        """One request and its reply, both noted. Raises TargetError; lets the outer time limit pass through."""
        endpoint = self.line.endpoint
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
        address = self.line.endpoint.address
        request = httpx.Request(
            wire.method,
            address.origin,
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
        limit = self.line.endpoint.profile.limits.max_body_bytes
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
        name = self.line.endpoint.name
        text = f"{name}: {error or type(error).__name__}"
        if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
            return Refused(text, "the request is not valid HTTP")
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return Refused(text, "the device is not who it was: somebody must look before its tls setting is changed")
        if flight.may_have_left:
            return FateUnknown(text, "look at the device before asking again")
        return NotSent(text, "check that the device is on and can be reached from here")


def _joined(reply: Reply) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in reply.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
