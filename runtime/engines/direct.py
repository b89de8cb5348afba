"""The engine for workflows whose steps are all reads, and for plans: in this process, to the end, nothing kept.

A run is a task of its own, so that a caller who goes away ends it in order and not in the middle. Its end is recorded
a moment after its answer (`ends`); every request before it leaves. Nothing is resumed after a crash, since nothing was
changed: what was left open is closed (`supervisor`). How a command is carried out is in `run_loop`; what comes next
decides the `interpreter`.
"""

import asyncio

from runtime.driver import Driver
from runtime.engines.ends import Ends
from runtime.engines.engine import Ended, Order, Told
from runtime.engines.executor import Executor
from runtime.engines.journal import Journal, RunRecords
from runtime.engines.run_loop import Parked, RunLoop
from runtime.errors import Interrupted
from workflow.programs.state import State
from workflow.requests.events import Cancelled, EndRun, Event, RunStarted

# What a read under way gets when the server stops; it is broken off.
CLOSING_S = 20.0


class DirectEngine:
    def __init__(self, driver: Driver, books: RunRecords, executor: Executor) -> None:
        self._driver = driver
        self._books = books
        self._executor = executor
        self._under_way: dict[asyncio.Task[Ended], RunLoop] = {}
        self._ends = Ends()
        self._is_stopping = False

    async def run(self, order: Order, told: Told | None = None) -> Ended:
        if self._is_stopping:
            raise Interrupted("the server is stopping", "call again in a moment; nothing was sent")
        await self._executor.appear()
        # What only reads may lose its record with the machine's power, never with this process.
        journal = Journal(self._books, order, self._executor.name, is_lasting=False)
        course = RunLoop(order, self._driver, journal, self._books.replies)
        task = asyncio.create_task(self._run(course))
        self._under_way[task] = course
        task.add_done_callback(self._under_way.pop)
        try:
            with course.heard_by(told):
                return await asyncio.shield(task)
        except asyncio.CancelledError:
            course.cancel()
            raise

    async def _run(self, course: RunLoop) -> Ended:
        journal = course.journal
        ended = journal.cleaned(await to_the_end(course))
        if journal.has_sent and self._ends.has_room:
            self._ends.add(journal, ended)
        else:
            await journal.finish(ended)
        return ended

    def cancel(self, run_id: str) -> None:
        """Ends the run as soon as is safe, if it is carried out here."""
        for course in self._under_way.values():
            if course.order.run_id == run_id:
                course.cancel()

    async def settle(self) -> None:
        await self._ends.settle()

    async def park(self) -> None:
        """Reads are not taken up: they end."""
        self._is_stopping = True
        tasks = dict(self._under_way)
        for course in tasks.values():
            course.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSING_S)

    async def close(self) -> None:
        await self.park()
        await self._ends.close()


async def to_the_end(course: RunLoop) -> Ended:
    """How it ended. Raises GovernanceError when nothing was sent because it cannot be recorded."""
    state, event = State.initial(), _started(course.order)
    while True:
        state, command = course.stepped(state, event)
        if isinstance(command, EndRun):
            return Ended.by(course.order.run_id, command)
        try:
            event = await course.perform(command)
        except Parked:  # the keeper of another process thought this one dead
            event = Cancelled(is_sent=False)


def _started(order: Order) -> Event:
    return RunStarted(order.inputs)
