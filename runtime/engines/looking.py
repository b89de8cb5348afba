"""A look at what became of a request in doubt: the reads that would follow it, judged by the document's criteria.

The interpreter is told that the request had been carried out, and goes on from there; its reads are sent, recorded
under the run, and its criteria and expectations judge them. What shows as asked for had been carried out, what was
deleted and is gone, and what was made,
if the run itself had seen before that it was not there. What is still there, or not there, had not; of what must not be
sent twice that is believed only some time after the doubt, since devices are late. Everything else leaves the doubt as
it is: a state says nothing of whether there was a restart. A change is never sent from here. Called by `same_effect`.
"""

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from governance.errors import GovernanceError, TransitionError
from governance.runs.open_runs import RunFinding
from governance.runs.runs import Run, RunStore, StepRecord
from runtime.driver import Driver
from runtime.driver.witness import Answered, Sending
from runtime.engines.checkpoint import holds_mask, turn_from_json
from runtime.engines.engine import Order
from runtime.engines.journal import RunRecords
from runtime.engines.restore import Restorer
from runtime.errors import Unservable
from runtime.secrets import Vault
from workflow.programs.program import step_of
from workflow.programs.program_making import ProgramStep
from workflow.programs.state import State
from workflow.replies.expectations import ExpectationFinding
from workflow.requests.events import EndRun, Event, FateFound, RequestFailed, SendRequest, StartTimer, TimerFired
from workflow.running.interpreter import advance
from workflow.running.looking import evidence_in

log = logging.getLogger("switchgear.runs")
Json = Any
Verdict = Literal["happened", "not happened", "open"]
# Somebody waits for the answer; what a device does not show by then may still come.
LOOK_S = 20.0
# Devices list new things late, and old ones for a while; a second create because of that is what this is all about.
SETTLED_S = 60.0
# Ends of a run that are told by what a read has shown.
_TELLING = ("not_taken", "there_already", "not_reached", "still_there")


@dataclass(frozen=True, slots=True)
class LookResult:
    """`why`: what decided, or why nothing did. `outputs`: of the whole run, where all of it was carried out."""

    verdict: Verdict
    why: str
    outputs: Json = None


class Looker:
    def __init__(self, driver: Driver, books: RunRecords, restorer: Restorer, *, settled_s: float = SETTLED_S) -> None:
        self._driver = driver
        self._books = books
        self._restorer = restorer
        self.settled_s = settled_s

    async def resolved(self, run_id: str, *, actor: str) -> LookResult:
        """Looks, and resolves the run where that tells. Raises GovernanceError."""
        run = await self._books.runs.get(run_id)
        if run.outcome != "unknown":
            state = run.outcome or "still under way"
            raise TransitionError(f"the run {run_id} is not in doubt: {state}", "see `switchgear runs show`")
        seen = await self._look(run, actor)
        log.info("a look at run %s: %s (%s)", run_id, seen.verdict, seen.why)
        if seen.verdict != "open":
            has_happened = seen.verdict == "happened"
            finding = RunFinding(has_happened, goes_on=False, note=f"looked: {seen.why}", outputs=seen.outputs)
            await self._books.open_runs.resolve(run_id, finding, actor=actor)
        return seen

    async def _look(self, run: Run, actor: str) -> LookResult:
        altered = await self._books.open_runs.fault_of(run.id)
        if altered:
            return LookResult("open", f"it is not as the audit says: {altered}")
        left = await self._books.open_runs.left_of(run.id)
        if left is None:
            return LookResult("open", "it is not kept where the run stands")
        try:
            order = await self._restorer.order(run)
            turn = turn_from_json(left["turn"])
        except (Unservable, KeyError, TypeError) as error:
            return LookResult("open", f"the run cannot be taken up: {error}")
        if not isinstance(turn.command, SendRequest):
            return LookResult("open", "no request is in doubt")
        notes = _Notes(self._books.runs, self._books.vault, run, order, actor)
        look = _Look(self._driver, order, turn.state, turn.command, notes, self._is_settled(run))
        try:
            return await look.judged()
        except GovernanceError as error:  # it cannot be recorded: somebody else looks at this moment, say
            return LookResult("open", error.message)
        finally:
            await notes.flush()

    def _is_settled(self, run: Run) -> bool:
        now = datetime.fromisoformat(self._books.database.now())
        ended = datetime.fromisoformat(run.finished_at or run.started_at)
        return (now - ended).total_seconds() >= self.settled_s


@dataclass(slots=True)
class _Look:
    """`told`: the step that was answered last, if its criteria look at the thing."""

    driver: Driver
    order: Order
    state: State
    doubted: SendRequest
    notes: "_Notes"
    is_settled: bool
    told: ProgramStep | None = None
    findings: Mapping[str, tuple[Mapping[str, Json], ...]] = field(default_factory=dict)

    async def judged(self) -> LookResult:
        deadline = asyncio.get_running_loop().time() + LOOK_S
        program, event = self.order.program, FateFound(self.doubted.step_id, has_happened=True)
        state, commands = advance(program, self.state, event)
        while commands:
            command = commands[0]
            if isinstance(command, EndRun):
                return self._verdict(command)
            answer = await self._performed(command, deadline)
            if answer is None:
                break
            if isinstance(answer, RequestFailed):
                return LookResult("open", f"{command.step_id} was not answered: {answer.message}")
            state, commands = advance(program, state, answer)
            self.findings = state.findings
        return LookResult("open", "what follows changes something, or takes longer than a look may")

    async def _performed(self, command: SendRequest | StartTimer, deadline: float) -> Event | None:
        """What came of a read or a wait; None for what is neither, or would be too late."""
        if isinstance(command, StartTimer):
            if asyncio.get_running_loop().time() + command.seconds > deadline:
                return None
            await asyncio.sleep(command.seconds)
            return TimerFired(command.step_id)
        if not command.is_safe or holds_mask(command):
            return None
        step = step_of(self.order.program, command.step_id)
        self.told = step if step is not None and (step.decides or tells(step)) else None
        return await self.driver.send(command, self.order.endpoint, deadline, self.notes)

    def _verdict(self, end: EndRun) -> LookResult:
        why = end.failure.message if end.failure is not None else ""
        effect = self._effect_seen()
        decides = self.told is not None and self.told.decides
        if end.outcome in ("succeeded", "pending") and decides and effect != "delete" and self._is_evident():
            return LookResult("happened", "the device shows what was asked for", self._clean(dict(end.outputs)))
        if end.outcome == "succeeded" and effect == "delete":
            return LookResult("happened", "it is gone", self._clean(dict(end.outputs)))
        if end.outcome == "succeeded" and effect == "create":
            if not self._was_looked_for():
                return LookResult("open", "there is one now, and there may have been one before")
            return LookResult("happened", "it is there, and was not before", self._clean(dict(end.outputs)))
        is_seen = end.failure is not None and (200 <= (end.failure.status or 0) < 300 or end.failure.code in _TELLING)
        if not is_seen or (effect is None and not decides):
            return LookResult("open", self._clean(why) or "no read of the workflow tells")
        if self._is_called_otherwise(end):
            return LookResult(
                "open", "what stands there is not called as was asked for: it may be at an address of its own"
            )
        doubted = self._doubted()
        if not (self.is_settled or (doubted is not None and doubted.is_idempotent)):
            return LookResult("open", "it is not so yet, and may still come: look again in a while")
        return LookResult("not happened", self._clean(why))

    def _is_evident(self) -> bool:
        """Whether what the last read showed speaks for the change, where its expectations were looked at at all."""
        doubted, told = self._doubted(), self.told
        of_told = (each for key, each in self.findings.items() if step_of(self.order.program, key) is told)
        found = [ExpectationFinding(**dict(each)) for findings in of_told for each in findings]
        return not found or (doubted is not None and bool(evidence_in(found, doubted, self.doubted.body)))

    def _is_called_otherwise(self, end: EndRun) -> bool:
        """Whether what differs is what the address is made of: after a renaming another thing may stand there."""
        names = re.findall(r"\{([^{}]+)\}", self.told.path_template) if self.told is not None else []
        return any(each["place"].rpartition("/")[2] in names[-1:] for each in end.differences)

    def _effect_seen(self) -> str | None:
        """What the request in doubt was to do, if the last read shows whether it is done."""
        doubted, told = self._doubted(), self.told
        shows = {"gone": "delete", "read_back": "create"}
        is_seen = doubted is not None and told is not None and doubted.effect == shows.get(told.role)
        return doubted.effect if doubted is not None and is_seen else None

    def _doubted(self) -> ProgramStep | None:
        """The change that is in doubt: that of the request, or the one before a read that was to show it."""
        frame = self.state.frames[-1]
        steps = self.order.program.workflows[frame.workflow_id].steps
        number = frame.look["step"] if frame.look else frame.step
        return next((steps[n] for n in range(number, -1, -1) if not steps[n].is_safe), None)

    def _was_looked_for(self) -> bool:
        """Whether the run had asked the same before the request in doubt, which it sends only to whom it misses."""
        steps, told, doubted = self.order.program.steps, self.told, self._doubted()
        before = next((n for n, each in enumerate(steps) if each is doubted), 0)
        return told is not None and any(each.is_safe and each.key == told.key for each in steps[:before])

    def _clean(self, value: Json) -> Json:
        return self.notes.vault.redact(value, self.order.secret_names)


def tells(step: ProgramStep) -> bool:
    """Whether the step's criteria look at the thing: at what is in the answer, or at its not being there."""
    reads = (each for criterion in step.success for each in criterion.expressions)
    return step.role == "gone" or any(each.root == "response" for each in reads)


@dataclass(slots=True)
class _Notes:
    """The witness of a look: its requests stand under the run in doubt, in the name of whoever looks."""

    runs: RunStore
    vault: Vault
    run: Run
    order: Order
    actor: str
    _seq: int = field(init=False)
    _unwritten: list[StepRecord] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._seq = max((step.record.seq for step in self.run.steps), default=0)

    async def sending(self, note: Sending) -> None:
        """Returns when the request is on record. Raises GovernanceError: two who look at once are one too many."""
        self._seq += 1
        detail = {"purpose": "look" if note.purpose == "step" else note.purpose, "attempt": note.attempt}
        record = StepRecord(self._seq, note.step_id, "sending", note.method, self._clean(note.path), detail=detail)
        await self.runs.record_steps(self.run.id, (*self._unwritten, record), actor=self.actor)
        self._unwritten.clear()
        self._numbers[id(note)] = self._seq

    async def answered(self, note: Answered) -> None:
        sent, seq = note.sending, self._numbers.pop(id(note.sending))
        self._unwritten.append(
            StepRecord(
                seq, sent.step_id, "failed" if note.status is None else "answered", sent.method,
                self._clean(sent.path), note.status, round(note.duration_ms, 3),
                {"reason": note.reason} if note.reason else None,
            )
        )  # fmt: skip

    async def flush(self) -> None:
        """Writes what is left. Gives up in silence."""
        try:
            await self.runs.record_steps(self.run.id, tuple(self._unwritten), actor=self.actor)
        except GovernanceError as error:
            log.error("run %s: an answer to a look is not recorded: %s", self.run.id, error.message)

    def _clean(self, text: str) -> str:
        return str(self.vault.redact(text, self.order.secret_names))
