"""One command on its way to a device: a place at the gate, credentials, the request, its reply, all of it noted.

A request leaves only as `wire` builds it, to the target's own host, after the witness has noted it; logins, renewals
and logouts are requests like any other. Whatever happens is told as an error of ours that says what became of the
request: not sent, fate unknown, answered with what cannot be read, or refused. Called by `retry` and `driver`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from runtime.driver.credentials.admission import Admission
from runtime.driver.credentials.logins import ADMISSION_PAUSES_S
from runtime.driver.credentials.sessions import DeviceSession, Fields
from runtime.driver.device_connection import LINGER_S, Carrier, DeviceConnection
from runtime.driver.endpoint import DeviceEndpoint
from runtime.driver.exchange import Flight
from runtime.driver.wire import Address, WireReply, WireRequest, wire_request, with_fields, with_headers
from runtime.driver.witness import Answered, Purpose, Sending, Witness
from runtime.errors import BadReply, FateUnknown, NotAdmitted, NotSent, TargetError, Unable
from runtime.observing import metrics, observed, traces
from runtime.secrets import Vault
from workflow.profiles.profile_speech import SessionRule
from workflow.requests.events import SendRequest


@dataclass(slots=True)
class RequestAttempt:
    """`flight` is that of the step's own last request; `deadline` is of the loop's clock.

    `has_asked`: the device's time has begun, not only our wait. `has_closed`: a connection did not outlive its request.
    """

    line: DeviceConnection
    endpoint: DeviceEndpoint
    deadline: float
    witness: Witness
    vault: Vault
    flight: Flight = field(default_factory=Flight)
    has_asked: bool = False
    has_closed: bool = False

    async def carry(self, command: SendRequest, attempt: int) -> WireReply:
        """One try of `command`, with one login or renewal where it needs one. Raises TargetError.

        Where the device has no session left, nothing of the command was sent: its place is given up, and after a pause
        it is tried again, as long as the deadline allows; at last in another way that the profile knows.
        """
        pauses, loop = list(ADMISSION_PAUSES_S), asyncio.get_running_loop()
        while True:
            try:
                return await self._carried(command, attempt, is_patient=bool(pauses))
            except NotAdmitted as error:
                if error.is_final or not pauses:
                    raise
                pause_s = max(pauses.pop(0), error.wait_s)
                if loop.time() + pause_s < self.deadline:
                    await asyncio.sleep(pause_s)
                else:
                    pauses.clear()

    async def _carried(self, command: SendRequest, attempt: int, *, is_patient: bool) -> WireReply:
        self.flight, self.has_asked, self.has_closed = Flight(), False, False
        limits = self.endpoint.limits
        self.line.check(self.endpoint.name)  # nobody waits in line for a device that is left in peace
        try:
            async with asyncio.timeout_at(self.deadline), self._place(), self._judged():
                await self.line.gate.pace(limits.requests_per_s)
                return await self._admission(is_patient=is_patient).carry(command, attempt)
        except TimeoutError as error:
            raise self._overdue() from error
        except BadReply as error:
            if command.is_safe:
                raise
            raise FateUnknown(error.message, "the device answered: look at it before asking again") from error

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
        except (NotAdmitted, BadReply):
            breaker.succeeded()  # it is there, whatever it says
            raise
        except Unable:
            breaker.abandoned()  # which says nothing of the device
            raise
        except (NotSent, FateUnknown) as error:
            breaker.failed(loop.time(), error.message)
            raise
        except asyncio.CancelledError:
            if self.has_asked and loop.time() >= self.deadline:
                breaker.failed(loop.time(), self._overdue().message)
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

    def _admission(self, *, is_patient: bool) -> Admission:
        logins = self.line.logins(self.endpoint)
        return Admission(self.endpoint, logins, self.vault, self.exchange, is_patient)

    async def log_out(self, rule: SessionRule, session: DeviceSession) -> None:
        """Closes `session`, if there is a way to. Raises TargetError or TimeoutError."""
        async with asyncio.timeout_at(self.deadline):
            await self._admission(is_patient=False).log_out(rule, session)

    async def exchange(
        self, purpose: Purpose, command: SendRequest, attempt: int, fields: Fields, address: Address | None = None,
        template: str = "",
    ) -> WireReply:  # fmt: skip
        """One request and its reply, both noted. Raises TargetError; lets the outer time limit pass through.

        `address` and `template` where they are others than the endpoint's and the command's: behind a redirect.
        """
        endpoint = self.endpoint
        whole = with_headers(command, endpoint.profile.protocol)
        wire = wire_request(whole, address or endpoint.address, fields, endpoint.profile.envelope.media_type)
        flight = Flight()
        if purpose == "step":
            self.flight = flight
        self.has_asked = True
        connections = await self.line.carrier(endpoint, self.vault)
        shown = self.vault.redact(command.path)
        note = Sending(purpose, command.step_id, attempt, command.method, shown, command.is_safe, endpoint.name)
        with observed.request(endpoint, note, template or command.path_template) as seen:
            return await self._noted(with_fields(wire, traces.carried()), note, connections, flight, seen)

    async def _noted(
        self,
        wire: WireRequest,
        note: Sending,
        connections: Carrier,
        flight: Flight,
        seen: observed.RequestSeen,
    ) -> WireReply:
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
