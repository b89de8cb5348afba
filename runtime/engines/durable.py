"""The engine for runs that change something: they survive the process, and nothing is sent twice that must not be.

A run is a DBOS workflow whose steps are the turns of `durable_run`. A run's own row is written first, with the proof
that what is ordered is approved; then DBOS begins it, and whoever asked waits for its end. When this process dies,
another one or the next one takes the run up (`supervisor`). Stopping parks runs between two requests. What goes to a
site is left to the process to which sites come. Here never lives a turn, nor which runs are orphans.
"""

import asyncio
import contextlib
import logging
from typing import Any

from governance.errors import ConflictError, GovernanceError, UnavailableError
from governance.runs.runs import Run
from runtime.engines.dbos_process import DbosProcess, workflow_id
from runtime.engines.durable_run import PAUSE_S, DurableRun
from runtime.engines.engine import Ended, Order, Told
from runtime.engines.executor import HUB, Executor
from runtime.engines.journal import Journal, RunRecords, misfits_in
from runtime.engines.recovery import verdict_unremembered
from runtime.engines.run_loop import RunLoop
from runtime.errors import Interrupted, NotSent
from workflow.requests.events import failure_from_json

log = logging.getLogger("switchgear.runs")
Json = Any
# What a request under way gets when the server stops: a device's slowest honest answer, and no person's patience more.
CLOSING_S = 20.0
# DBOS itself writes the end of a workflow down a moment after ours.
FORGOTTEN_AFTER_S = 30.0


class DurableEngine:
    def __init__(self, books: RunRecords, executor: Executor, carrier: DurableRun) -> None:
        self._books = books
        self._executor = executor
        self._carrier = carrier
        self._dbos = DbosProcess(books.database.address, executor.name, self._carry)
        self._starting: asyncio.Task[None] | None = None
        self._is_stopping = False
        # Those that wait for their first turn, and those that have begun.
        self._courses: dict[str, RunLoop] = {}
        self._carrying: dict[asyncio.Task[Any], str] = {}
        self._ends: dict[str, asyncio.Future[Ended]] = {}
        self._over: dict[str, float] = {}

    async def run(self, order: Order, told: Told | None = None) -> Ended:
        if self._is_stopping:
            raise Interrupted("the server is stopping", "call again in a moment; nothing was sent")
        if order.endpoint.is_asked_by_id and not self._executor.is_hub:
            return await self._left_to_the_hub(order)
        run_id = await self._begun_whole(order)
        course = self._courses.get(run_id)
        if course is None:
            return await self._ended(run_id)
        try:
            with course.heard_by(told):
                return await self._ended(run_id)
        except asyncio.CancelledError:
            if not order.key:
                course.cancel()
            raise

    async def _left_to_the_hub(self, order: Order) -> Ended:
        """As `run`: the hub's process takes the run up from its record. Raises NotSent where there is none."""
        run_id = await self._known(order)
        if run_id is None:
            if not await self._executor.is_there_a_hub():
                name = order.endpoint.name
                raise NotSent(f"the site {name} comes to the hub's server, and none runs", "start it, then call again")
            run_id = order.run_id
            await Journal(self._books, order, HUB).open(is_durable=True)
        try:
            return await self._ended(run_id)
        except asyncio.CancelledError:
            if not order.key:
                await self._asked_to_end(run_id, order.caller)
            raise

    async def _asked_to_end(self, run_id: str, caller: str) -> None:
        with contextlib.suppress(GovernanceError):  # it has ended, or whoever looks at it sees that it goes on
            await self._books.open_runs.ask_cancel(run_id, actor=caller)

    async def _begun_whole(self, order: Order) -> str:
        """As `_begun`, which is never broken off in the middle; whoever goes away meanwhile has the run cancelled."""
        beginning = asyncio.create_task(self._begun(order))

        def left_alone(done: "asyncio.Task[str]") -> None:
            if not done.cancelled() and done.exception() is None and not order.key:
                self.cancel(order.run_id)

        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            beginning.add_done_callback(left_alone)
            raise

    async def _begun(self, order: Order) -> str:
        """The id of the run that the order stands for: its own, or the one that the key stands for already."""
        await self.start()
        known = await self._known(order)
        if known is not None:
            return known
        try:
            await self._opened(order)
        except ConflictError:
            known = await self._known(order)  # perhaps somebody asked under the same key at the same moment
            if known is None:
                raise
            return known
        return order.run_id

    async def _opened(self, order: Order) -> None:
        course = self._courses[order.run_id] = self._carrier.course(order)
        self._ends[order.run_id] = asyncio.get_running_loop().create_future()
        try:
            await course.journal.open(is_durable=True)
            await self._dbos.begin(order.run_id, 0)
        except BaseException:
            del self._courses[order.run_id], self._ends[order.run_id]
            raise

    async def _known(self, order: Order) -> str | None:
        if not order.key:
            return None
        asked = (order.caller, order.key, order.revision_id, order.endpoint.name, dict(order.inputs))
        return await self._books.open_runs.same_asked(*asked)

    async def _ended(self, run_id: str) -> Ended:
        """How the run ends, whoever carries it out. Raises Interrupted, GovernanceError."""
        here = self._ends.get(run_id)
        if here is not None:
            return await asyncio.shield(here)
        while True:
            run = await self._books.runs.get(run_id)
            if run.outcome is not None:
                return stored_end(run)
            await asyncio.sleep(PAUSE_S)

    # For the keeper

    @property
    def under_way(self) -> frozenset[str]:
        """The runs that are carried out here, or about to be."""
        return frozenset((*self._courses, *self._carrying.values()))

    @property
    def trouble(self) -> str:
        """Why it cannot be written down how far runs are; empty where it can, or nobody has tried."""
        return self._dbos.outage.why

    async def probe(self) -> None:
        """Finds out whether it can, where that is in doubt."""
        if self._dbos.is_doubtful:
            await self._dbos.probe()

    def cancel(self, run_id: str) -> None:
        """Ends the run as soon as is safe, if it is carried out here."""
        if run_id in self._courses:
            self._courses[run_id].cancel()

    async def start(self) -> None:
        """Returns when runs can be carried out. Raises UnavailableError."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        try:
            await asyncio.shield(self._starting)
        except GovernanceError:
            self._starting = None
            raise

    async def _start(self) -> None:
        await self._executor.appear()
        await self._dbos.start()

    async def take_over(self, executors: tuple[str, ...], orphans: tuple[tuple[str, int], ...]) -> None:
        """Has the runs of dead executors carried on, here or in another process; `orphans`: their ids and parts."""
        await self.start()
        await self._dbos.take_over(executors)
        for run_id, part in orphans:
            await asyncio.shield(asyncio.create_task(self._dbos.begin(run_id, part)))

    async def forget(self, ids: tuple[str, ...] = ()) -> None:
        """Removes the checkpoints of what is over: of these workflows, and of all that ended here a while ago."""
        old = asyncio.get_running_loop().time() - FORGOTTEN_AFTER_S
        over = [name for name, ended in self._over.items() if ended < old]
        for name in over:
            del self._over[name]
        if over or ids:
            await self.start()
            await self._dbos.forget((*over, *ids))

    # DBOS calls

    async def _carry(self, run_id: str, part: int) -> None:
        """Once when a run begins or goes on, and again in whichever process takes it up."""
        task = asyncio.current_task()
        assert task is not None
        self._carrying[task] = run_id
        try:
            course = self._courses.get(run_id) or await self._taken_up(run_id)
            if course is not None:
                self._courses[run_id] = course
                try:
                    ended, left = await self._carrier.follow(course, part, self._dbos)
                except UnavailableError as error:
                    await self._break_off(course, error)
                    return
                await self._close(course, ended, left)
                self._over[workflow_id(run_id, part)] = asyncio.get_running_loop().time()
        finally:
            del self._carrying[task]
            self._courses.pop(run_id, None)
            self._let_go(run_id)

    async def _taken_up(self, run_id: str) -> RunLoop | None:
        while not self._is_stopping:
            try:
                return await self._carrier.taken_up(run_id)
            except UnavailableError as error:
                log.error("run %s cannot be taken up yet: %s", run_id, error.message)
                await asyncio.sleep(PAUSE_S)
        raise asyncio.CancelledError

    async def _break_off(self, course: RunLoop, error: UnavailableError) -> None:
        """Ends a run of which nobody could tell after a crash how far it had come. Raises UnavailableError."""
        run_id = course.order.run_id
        why = f"how far it is cannot be written down: {error.message}"
        log.error("run %s is broken off: %s", run_id, why)
        await course.journal.flush()
        await self._carrier.give_up(await self._books.runs.get(run_id), why, verdict_unremembered)
        run, end = await self._books.runs.get(run_id), self._ends.get(run_id)
        if end is not None and not end.done() and run.outcome is not None:
            end.set_result(stored_end(run))

    async def _close(self, course: RunLoop, ended: Ended, left: Json) -> None:
        """Writes the end down, again and again until the database takes it; who waits learns when it does not."""
        end = self._ends.get(ended.run_id) or asyncio.get_running_loop().create_future()
        while True:
            try:
                await course.journal.finish(ended, left if ended.outcome == "unknown" else None)
            except ConflictError as error:  # another process has it, or has closed it
                raise asyncio.CancelledError from error
            except GovernanceError as error:
                log.error("the end of run %s is not recorded yet: %s", ended.run_id, error.message)
                _fail(end, error)
                if self._is_stopping:
                    raise asyncio.CancelledError from error
                await asyncio.sleep(PAUSE_S)
                continue
            if not end.done():
                end.set_result(ended)
            return

    def _let_go(self, run_id: str) -> None:
        """Whoever still waits learns that this process does not carry the run out any more."""
        end = self._ends.pop(run_id, None)
        if end is not None:
            message = f"the server stopped before the run {run_id} had ended; it goes on when the server is back"
            _fail(end, Interrupted(message, f"see `switchgear runs show {run_id}` later, instead of asking again"))

    # The process ends

    async def settle(self) -> None:
        """Ends are recorded before they are told."""

    async def park(self) -> None:
        """Runs stop between two requests, to be taken up; cancelled ones end."""
        self._is_stopping = True
        for course in self._courses.values():
            course.park()
        if self._carrying:
            await asyncio.wait(tuple(self._carrying), timeout=CLOSING_S)

    async def close(self) -> None:
        await self.park()
        if self._starting is not None:
            await self._dbos.stop()


def stored_end(run: Run) -> Ended:
    """How a run has ended, from its row."""
    assert run.outcome is not None
    failure = run.failure and failure_from_json(run.failure)
    misfits = misfits_in(step.record for step in run.steps)
    stored = run.verdict or {}
    verdict: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in stored.items()}
    return Ended(run.id, run.outcome, run.outputs or {}, failure, **verdict, misfits=misfits)


def _fail(end: "asyncio.Future[Ended]", error: Exception) -> None:
    if not end.done():
        end.set_exception(error)
        end.exception()  # it may be that nobody waits
