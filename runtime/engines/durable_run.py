"""A durable run from its first turn, or from where another process left it, to its end on record.

A turn is one request with the waits before it. Its outcome, the interpreter's state, is checkpointed before the next
one begins; whoever takes the run up gets the checkpoints of all turns back and goes on behind them. The fence stands
before the first turn that has none: what is on record as sent is not sent again unless that is harmless. Called by
DBOS, through `durable`; what comes next decides the `interpreter`.
"""

import asyncio
import logging
from typing import Any

from governance.audit.run_verification import is_no_open_run
from governance.errors import ConflictError
from governance.runs.runs import Run
from runtime.driver import Driver
from runtime.engines.checkpoint import Checkpoint, StoredTurn, holds_mask, seal_of, turn_from_json
from runtime.engines.conformance import ResponseConformance
from runtime.engines.dbos_process import DbosProcess
from runtime.engines.engine import Ended, Order
from runtime.engines.executor import Executor
from runtime.engines.journal import Journal, RunRecords
from runtime.engines.recovery import Judge, fate_before, verdict
from runtime.engines.restore import Restorer
from runtime.engines.run_loop import Parked, RunLoop
from runtime.errors import Unservable
from runtime.observing import observed
from workflow.programs.state import State
from workflow.requests.events import (
    EndRun,
    Event,
    FateFound,
    RequestFailed,
    RunStarted,
    SendRequest,
    StartTimer,
    to_json,
)

log = logging.getLogger("switchgear.runs")
Json = Any
# Between two attempts to write, or read, what the database does not take or give at the moment.
PAUSE_S = 0.5
NOT_AS_TOLD = "its checkpoints are not as the audit says, so that it is not gone on with"
NOT_KEPT = "it needs a secret that the run was given, which only the process that has died knew"


class DurableRun:
    def __init__(self, driver: Driver, books: RunRecords, executor: Executor, restorer: Restorer) -> None:
        self._driver = driver
        self._books = books
        self._executor = executor
        self._restorer = restorer
        self._refused: set[str] = set()

    def course(self, order: Order) -> RunLoop:
        """The course of a new run."""
        return RunLoop(order, self._driver, Journal(self._books, order, self._executor.name), self._books.replies)

    async def taken_up(self, run_id: str) -> "TakenUp | None":
        """The course of a run that another process began; None if it is over, or cannot be taken up and is closed.

        Raises UnavailableError.
        """
        run = await self._books.runs.get(run_id)
        if run.outcome is not None or not await self._books.open_runs.claim(run_id, self._executor.name):
            return None
        altered = await self._books.open_runs.fault_of(run_id)
        if altered:
            await self.give_up(run, f"it is not as the audit says: {altered}")
            return None
        try:
            order = await self._restorer.order(run)
        except Unservable as error:
            await self.give_up(run, error.message)
            return None
        log.warning("run %s, left by another process, is taken up", run_id)
        journal = Journal(self._books, order, self._executor.name)
        return TakenUp(
            order, self._driver, journal, self._books.replies, run, await self._books.open_runs.seals_of(run_id)
        )

    async def give_up(self, run: Run, why: str, judge: Judge = verdict) -> None:
        """Closes an open run that nobody can carry on, with what is known of it (`recovery`). Raises UnavailableError.

        What by the audit is no open run is left as it is, and said once: nothing is told of what there was not.
        """
        altered = await self._books.open_runs.fault_of(run.id)
        if is_no_open_run(altered):
            if run.id not in self._refused:
                self._refused.add(run.id)
                log.error("refused: the run %s is not as the audit says: %s", run.id, altered)
            return
        outcome, failure = judge(run, why)
        log.warning("run %s is closed as %s: %s", run.id, outcome, failure.message)
        try:
            await self._books.runs.finish(run.id, outcome, None, to_json(failure))
            observed.run_given_up(run, outcome)
        except ConflictError:
            log.info("run %s was closed by another process", run.id)

    async def follow(self, course: RunLoop, part: int, dbos: DbosProcess) -> tuple[Ended, Json]:
        """All turns to the end, and where to go on from if that is a doubt. Raises asyncio.CancelledError if parked."""
        turn, left = await self._first(course, part), None
        course.journal.recording.mark()
        while not turn.is_over:
            taking = Taking(course, turn)
            saved = await dbos.step(taking.taken)
            reached = taking.reached
            if reached is None:
                reached = course.stored(turn, saved)
            turn, left = reached.turn, reached.left
        command = turn.command
        assert isinstance(command, EndRun)
        ended = Ended.by(course.order.run_id, command)
        return course.journal.cleaned(ended), left and Checkpoint(left).to_json(course.journal.clean)

    async def _first(self, course: RunLoop, part: int) -> StoredTurn:
        if not part:
            state, command = course.stepped(State.initial(), RunStarted(course.order.inputs))
            return StoredTurn(0, state, command)
        found = await self._books.open_runs.resume_of(course.order.run_id)
        left = turn_from_json(found["from"]["turn"])
        assert isinstance(left.command, SendRequest)
        course.journal.part, course.journal.recording.start = part, left.state
        event = FateFound(left.command.step_id, found["has_happened"])
        state, command = course.stepped(left.state, event)
        return StoredTurn(left.number + 1, state, command)


class Taking:
    """One turn while it is taken. `reached` is None when it had been taken before, by whomever."""

    def __init__(self, course: RunLoop, turn: StoredTurn) -> None:
        self._course = course
        self._turn = turn
        self.reached: Checkpoint | None = None

    async def taken(self) -> Json:
        """The checkpoint behind the turn, as it is stored. Raises asyncio.CancelledError when the run is parked."""
        journal = self._course.journal
        try:
            self.reached = await self._take()
        except Parked as parked:
            raise asyncio.CancelledError from parked
        stored = self.reached.to_json(journal.clean)
        await journal.reach(seal_of(stored))
        return {**stored, "unwritten": [record.to_json() for record in journal.unwritten]}

    async def _take(self) -> Checkpoint:
        course, turn = self._course, self._turn
        course.journal.turn = turn.number
        while isinstance(turn.command, StartTimer):
            turn = self._after(turn, await course.perform(turn.command))
        left = None
        if isinstance(turn.command, SendRequest):
            before = turn
            event = course.known_fate(turn.number, turn.command) or await course.perform(turn.command)
            turn = self._after(turn, event)
            is_unknown = isinstance(turn.command, EndRun) and turn.command.outcome == "unknown"
            left = before if is_unknown else None
        turn = StoredTurn(self._turn.number + 1, turn.state, turn.command)
        return Checkpoint(turn, course.elapsed_s, (), left, course.journal.recording.fresh())

    def _after(self, turn: StoredTurn, event: Event) -> StoredTurn:
        state, command = self._course.stepped(turn.state, event)
        return StoredTurn(turn.number, state, command)


class TakenUp(RunLoop):
    """The course of a run that was begun elsewhere. Secrets that it was given are gone with the process."""

    def __init__(
        self,
        order: Order,
        driver: Driver,
        journal: Journal,
        replies: ResponseConformance,
        run: Run,
        seals: frozenset[str] | None,
    ) -> None:
        """`seals`: which checkpoints the run came to; None for one of before that was told."""
        super().__init__(order, driver, journal, replies)
        self._run = run
        self._seals = seals
        # The fate of the request that comes next, which only asking again can tell.
        self._asked_before: RequestFailed | None = None
        journal.take_over(run, ())

    def stored(self, turn: StoredTurn, saved: Json) -> Checkpoint:
        if self._seals is not None and seal_of(saved) not in self._seals:
            log.error("refused: a checkpoint of the run %s is not as the audit says", self._run.id)
            return self._ended(turn)
        reached = Checkpoint.from_json(saved)
        if reached.turn.number != turn.number + 1:
            log.error("refused: a checkpoint of the run %s is another one's of it", self._run.id)
            return self._ended(turn)
        self._go_on_behind(reached)
        return reached

    def _ended(self, turn: StoredTurn) -> Checkpoint:
        """The end of a run of which nobody knows how far it came, by the records of its requests."""
        outcome, failure = verdict(self._run, NOT_AS_TOLD)
        return Checkpoint(StoredTurn(turn.number + 1, turn.state, EndRun(outcome, failure=failure, done=failure.done)))

    def _go_on_behind(self, reached: Checkpoint) -> None:
        self.journal.take_over(self._run, reached.unwritten)
        self.journal.recording.go_on_behind(reached.recorded)
        self.count_from(reached.elapsed_s)

    def known_fate(self, turn: int, command: SendRequest) -> RequestFailed | None:
        session = self.order.endpoint.profile.auth.session
        fate = fate_before(self._run, turn, command, session.expired_statuses if session else ())
        if fate is None and holds_mask(command):
            return RequestFailed(command.step_id, "refused", NOT_KEPT)
        if fate is not None and self.order.endpoint.is_asked_by_id and not holds_mask(command):
            self._asked_before = fate
            return None
        return fate

    @property
    def is_again(self) -> bool:
        return self._asked_before is not None

    async def perform(self, command: SendRequest | StartTimer) -> Event:
        """As a course's own; where it could not be asked again, it is in doubt as it was."""
        event, before = await super().perform(command), self._asked_before
        if isinstance(command, StartTimer) or before is None:
            return event
        self._asked_before = None
        is_open = isinstance(event, RequestFailed) or getattr(event, "is_sent", True) is False
        return before if is_open else event
