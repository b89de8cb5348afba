"""The engine that runs in this process: it drives the interpreter with the driver, from the first event to the end.

A run is a task of its own, so that a caller who goes away ends it in order and not in the middle: a read is broken
off, a request that may change something is waited for, then the run is closed as cancelled, with what was done. The
run's deadline is a bound on every request and every wait. The end of a run that only reads is recorded a moment after
its answer (`ends`); every other end, and every request, before. Nothing is resumed after a crash: `recovery` closes
what was left, as unknown where something may have happened. What comes next decides the `interpreter`.
"""

import asyncio

from governance.errors import GovernanceError
from runtime.driver import Driver
from runtime.engines.ends import Ends
from runtime.engines.engine import Ended, Order
from runtime.engines.journal import Books, Journal
from runtime.engines.recovery import close_open_runs
from workflow.events import (
    Cancelled,
    Command,
    DeadlinePassed,
    EndRun,
    Event,
    RequestFailed,
    RunStarted,
    SendRequest,
    StartTimer,
    TimerFired,
)
from workflow.interpreter import advance
from workflow.state import State

# What a run under way gets when the server stops: a device's slowest honest answer, and not a person's patience more.
CLOSING_S = 20.0


class DirectEngine:
    def __init__(self, driver: Driver, books: Books) -> None:
        self._driver = driver
        self._books = books
        self._under_way: set[asyncio.Task[Ended]] = set()
        self._ends = Ends()

    async def run(self, order: Order) -> Ended:
        task = asyncio.create_task(self._run(order))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def _run(self, order: Order) -> Ended:
        journal = Journal(self._books, order)
        ended = journal.cleaned(await Course(order, self._driver, journal).to_the_end())
        if order.plan.is_read_only and journal.has_sent and self._ends.has_room:
            self._ends.add(journal, ended)
        else:
            await journal.finish(ended)
        return ended

    async def settle(self) -> None:
        await self._ends.settle()

    async def recover(self) -> tuple[str, ...]:
        return await close_open_runs(self._books)

    async def close(self) -> None:
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSING_S)
        await self.settle()


class Course:
    """One run, from its inputs to its end."""

    def __init__(self, order: Order, driver: Driver, journal: Journal) -> None:
        self._order = order
        self._driver = driver
        self._journal = journal
        self._deadline = asyncio.get_running_loop().time() + order.plan.deadline_s
        self._is_cancelled = False

    async def to_the_end(self) -> Ended:
        """How it ended. Raises GovernanceError when nothing was sent because it cannot be recorded."""
        state, event = State.initial(), _started(self._order)
        while True:
            state, (command,) = advance(self._order.plan, state, event)
            if isinstance(command, EndRun):
                return Ended(self._order.run_id, command.outcome, command.outputs, command.failure, command.note)
            event = await self._perform(command)

    async def _perform(self, command: Command) -> Event:
        if self._is_cancelled:
            return Cancelled()
        if asyncio.get_running_loop().time() >= self._deadline:
            return DeadlinePassed()
        try:
            if isinstance(command, StartTimer):
                return await self._wait(command)
            assert isinstance(command, SendRequest)
            return await self._send(command)
        except asyncio.CancelledError:
            self._was_cancelled()
            return Cancelled()

    async def _wait(self, command: StartTimer) -> Event:
        left = self._deadline - asyncio.get_running_loop().time()
        await asyncio.sleep(min(command.seconds, left))
        return TimerFired(command.step_id) if command.seconds <= left else DeadlinePassed()

    async def _send(self, command: SendRequest) -> Event:
        if command.is_safe:
            return await self._sent(command)
        sending = asyncio.create_task(self._sent(command))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            # What became of it must be known: the request has a deadline of its own.
            self._was_cancelled()
            return await sending

    async def _sent(self, command: SendRequest) -> Event:
        try:
            return await self._driver.send(command, self._order.endpoint, self._deadline, self._journal)
        except GovernanceError as error:
            if not self._journal.has_sent:
                raise
            return RequestFailed(command.step_id, "refused", f"not sent, for it could not be recorded: {error.message}")

    def _was_cancelled(self) -> None:
        self._is_cancelled = True
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()


def _started(order: Order) -> Event:
    return RunStarted(order.inputs)
