"""Proof: a program, run by the real interpreter against a twin, with what was sent and answered written down.

In process and on a virtual clock: timers move the clock, nothing sleeps, nothing touches the network. The proof plays
the driver's part as far as a workflow can notice: credentials, one new login when a session has expired, a few tries of
what changes nothing, the deadline.
Called by the compiler for every workflow before it is stored; the transcript is what an approver reads.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from compiler.twin import Twin, TwinReply, TwinRequest
from compiler.twin.behaviours.acting import CLOSED
from workflow.programs.program import Program
from workflow.programs.state import State
from workflow.replies.device_messages import device_words
from workflow.replies.retry_after import seconds_asked_for
from workflow.requests.events import (
    Command,
    DeadlinePassed,
    EndRun,
    Event,
    Failure,
    RequestFailed,
    ResponseArrived,
    RunStarted,
    SendRequest,
    StartTimer,
    TimerFired,
    to_json,
)
from workflow.requests.form_bodies import form_encoded, is_form
from workflow.requests.multipart import encoded, is_multipart
from workflow.running.interpreter import advance

Json = Any
ENDED_WELL = ("succeeded", "pending")
MAX_EVENTS = 2_000  # the longest honest run seen polls a few jobs a few times each; a loop that never ends stops here
TRANSIENT = frozenset({CLOSED, 429, 502, 503, 504})  # as of the driver, and what was not answered at all
TRIES = 3
_PAUSE_S = 1.0
_EXCERPT = 400  # characters of a body: enough to recognise it, little enough to read a whole transcript
_MASK = "•••"


@dataclass(slots=True)
class VirtualClock:
    """Seconds that pass only when somebody lets them."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(frozen=True, slots=True)
class ProofExchange:
    """One request and its answer. `at_s`: on the virtual clock. Bodies are excerpts with secrets masked."""

    step_id: str
    attempt: int
    at_s: float
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    sent: str
    status: int
    answered: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How the run ended, all it said to the device, and in sentences what is to be said about it.

    `keeps`: whether it kept anything of a thing that it changed in part, to see afterwards whether it is still so.
    `is_seen`: whether all that was asked for was seen, whatever else was changed (a PUT, of which not all was given).
    """

    outcome: str
    transcript: tuple[ProofExchange, ...]
    findings: tuple[str, ...] = ()
    outputs: Mapping[str, Json] = field(default_factory=dict)
    failure: Failure | None = None
    verified: str = ""
    note: str = ""
    keeps: bool = False
    is_seen: bool = False

    @property
    def is_verified(self) -> bool:
        return self.outcome in ENDED_WELL


def _is_seen(ended: EndRun) -> bool:
    is_beside = bool(ended.differences) and all(each["asked"] is None for each in ended.differences)
    return ended.verified == "all" or (is_beside and "not to be seen" not in ended.verified_why)


def prove(
    program: Program,
    twin: Twin,
    inputs: Mapping[str, Json],
    *,
    max_events: int = MAX_EVENTS,
    is_brief: bool = False,
) -> Proof:
    """Runs `program` with `inputs` against `twin` as it is, and changes it: give a fresh one, whose clock gets virtual.

    `is_brief`: the transcript is to be without bodies. Never raises for what a program does: a run that cannot end is a
    finding.
    """
    clock = VirtualClock(twin.now())
    twin.run_on(clock)
    return _Run(program, twin, clock, is_brief).to_the_end(inputs, max_events)


def proof_to_json(proof: Proof) -> dict[str, Json]:
    """The form in which a proof is stored with its revision."""
    return {
        "outcome": proof.outcome,
        "transcript": [_exchange_to_json(exchange) for exchange in proof.transcript],
        "findings": list(proof.findings),
        "outputs": dict(proof.outputs),
        "failure": to_json(proof.failure) if proof.failure is not None else None,
    }


def _exchange_to_json(exchange: ProofExchange) -> dict[str, Json]:
    return {
        "step": exchange.step_id,
        "attempt": exchange.attempt,
        "at_s": exchange.at_s,
        "method": exchange.method,
        "path": exchange.path,
        "query": [list(pair) for pair in exchange.query],
        "sent": exchange.sent,
        "status": exchange.status,
        "answered": exchange.answered,
    }


class _Run:
    def __init__(self, program: Program, twin: Twin, clock: VirtualClock, is_brief: bool) -> None:
        self._is_brief = is_brief
        self._program = program
        self._twin = twin
        self._clock = clock
        self._secrets = frozenset(name.lower() for name in twin.profile.secrets)
        self._headers = twin.authorization()
        self._transcript: list[ProofExchange] = []
        self._keeps = False

    def to_the_end(self, inputs: Mapping[str, Json], max_events: int) -> Proof:
        state = State.initial()
        end = self._clock() + self._program.deadline_s
        events: list[Event] = [RunStarted(inputs)]
        for _ in range(max_events):
            if not events:
                return self._stuck("the run stopped without an end")
            state, commands = advance(self._program, state, events.pop(0))
            self._keeps = self._keeps or any(any(frame.before.values()) for frame in state.frames if frame.before)
            ended = next((command for command in commands if isinstance(command, EndRun)), None)
            if ended is not None:
                return self._proof(ended)
            events += [self._carried_out(command) for command in commands]
            if self._clock() > end:
                events = [DeadlinePassed()]
        return self._stuck(f"the run had not ended after {max_events} events")

    def _carried_out(self, command: Command) -> Event:
        if isinstance(command, StartTimer):
            self._clock.advance(command.seconds)
            return TimerFired(command.step_id)
        assert isinstance(command, SendRequest), "an end is handled by the caller"
        reply = self._sent(command)
        if reply.status == CLOSED:
            return RequestFailed(command.step_id, "unknown_fate", "the connection was closed without an answer")
        headers, body = dict(reply.headers), _as_text(reply.body)
        operation = f"{command.method} {command.path_template}"
        words = device_words(self._twin.profile, operation, reply.status, headers, body, self._masked)
        return ResponseArrived(command.step_id, reply.status, headers, body, words)

    def _sent(self, command: SendRequest) -> TwinReply:
        """The reply; what changes nothing is tried again where the device says «not now», or nothing."""
        reply = self._tried(command)
        for _ in range(TRIES - 1 if command.is_safe else 0):
            if reply.status not in TRANSIENT:
                break
            self._clock.advance(max(_PAUSE_S, seconds_asked_for(dict(reply.headers))))
            reply = self._tried(command)
        return reply

    def _tried(self, command: SendRequest) -> TwinReply:
        reply = self._twin.handle(self._request(command))
        rule = self._twin.profile.auth.session
        if rule is not None and reply.status in rule.expired_statuses:
            self._headers = self._twin.authorization()
            reply = self._twin.handle(self._request(command))
        self._transcript.append(
            ProofExchange(
                command.step_id,
                command.attempt,
                self._clock(),
                command.method,
                command.path,
                command.query,
                self._excerpt(command.body),
                reply.status,
                self._excerpt(reply.body),
            )
        )
        return reply

    def _request(self, command: SendRequest) -> TwinRequest:
        has_body = command.body is not None
        is_json = "json" in command.content_type or not command.content_type
        body, content_type = command.body, command.content_type
        if has_body and is_multipart(content_type):
            body, content_type = encoded(body, command.parts, content_type)
        elif isinstance(body, dict) and is_form(content_type):
            body = form_encoded(body)
        elif has_body and not is_json:
            body = _as_bytes(body)
        media = (("content-type", content_type),) if has_body and content_type else ()
        constant = self._twin.profile.protocol.missing_from(command.headers)
        headers = (*((name.lower(), value) for name, value in constant), *media)
        headers += _joined_headers(command.headers, self._headers)
        return TwinRequest(command.method, command.path, command.query, headers, body, has_body)

    def _excerpt(self, body: Json) -> str:
        if body is None or self._is_brief:
            return ""
        text = json.dumps(self._masked(body), ensure_ascii=False, default=str)
        return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"

    def _masked(self, body: Json) -> Json:
        if isinstance(body, dict):
            return {k: _MASK if k.lower() in self._secrets else self._masked(v) for k, v in body.items()}
        if isinstance(body, list):
            return [self._masked(element) for element in body]
        return body

    def _proof(self, ended: EndRun) -> Proof:
        findings = list(self._refusals())
        if ended.outcome not in ENDED_WELL:
            failure = ended.failure
            said = f"{failure.step_id}: {failure.message} ({failure.code})" if failure else ended.outcome
            findings.append(said)
        outputs = self._masked(dict(ended.outputs))
        return Proof(
            ended.outcome, tuple(self._transcript), tuple(findings), outputs, ended.failure, ended.verified, ended.note,
            self._keeps, _is_seen(ended),
        )  # fmt: skip

    def _refusals(self) -> list[str]:
        """Requests that the device did not understand: the workflow's fault even where the run survives them."""
        found = []
        for exchange in self._transcript:
            if exchange.status in (400, 405, 415, 428):
                said = f"{exchange.method} {exchange.path} was refused with {exchange.status}: {exchange.answered}"
                found.append(f"{exchange.step_id}: {said}")
        return found

    def _stuck(self, why: str) -> Proof:
        return Proof("failed", tuple(self._transcript), (why,))


def _as_text(body: Json) -> Json:
    """What is no JSON reaches a workflow as text, as the driver has it."""
    return body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body


def _as_bytes(body: Json) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _joined_headers(
    own: tuple[tuple[str, str], ...], credentials: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Both sets of headers; cookies of both in the one header that there may be (RFC 6265, 5.4)."""
    cookies = [value for name, value in (*credentials, *own) if name == "cookie"]
    rest = tuple((name, value) for name, value in (*credentials, *own) if name != "cookie")
    return (*rest, ("cookie", "; ".join(cookies))) if cookies else rest
