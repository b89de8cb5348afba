"""Runs at their hour, with nobody there: which schedules are due, who fires each, for whom, and what came of it.

Every process that serves looks each second. Of several, the one that moves the schedule on (`ScheduleStore.take`) fires
it, under the key `schedule:NAME:INSTANT`. A firing is a call like any other (`calls`), of whoever added the schedule,
with the rights that they have at that moment. What came due while nothing served, or while the last run was under way,
is noted and not made up for. One that the policy has a person let through waits, and is carried out when that was done.
Here never lives a statement, nor what an expression means (`cron`).
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from governance.accounts import COMMAND_LINE
from governance.errors import GovernanceError, NotFoundError, RefusedError
from governance.runs.asks import Ask
from governance.runs.open_runs import OpenRuns
from governance.runs.schedules import Schedule, ScheduleStore
from governance.settings import Settings
from governance.storage.database_clock import clock_fault
from governance.storage.identifiers import Clock, moment, utc_now
from governance.storage.locks import Locks
from governance.transitions import may
from runtime.auth.authenticator import Authenticator
from runtime.background.cron import lateness, next_moment
from runtime.call_options import CallOptions
from runtime.caller import LOCAL, Caller
from runtime.calls.calls import Calls
from runtime.calls.messages import told_words
from runtime.calls.selection import Selection, run_on
from runtime.catalog.entries import Entry
from runtime.catalog.watcher import LiveCatalog
from runtime.errors import BadInput, CallerError, Interrupted, SameEffect, ServingError, Waiting
from runtime.observing.rounds import Rounds
from runtime.problems import message_of
from workflow.risks import RISKS

log = logging.getLogger("switchgear.schedules")
Json = Any
Reference = Callable[[], Awaitable[datetime]]
ROUND_S = 1.0
ROUNDS_BETWEEN_SETTINGS = 60
# The finest schedule is one a minute: what is later than that belongs to a moment when nobody served, or to a clock
# that was set.
GRACE = timedelta(seconds=60)
# Runs with a key go on without us, so that little is lost by leaving early.
CLOSING_S = 1.0
DEFAULT_RISKS = frozenset({"read", "change"})


def scheduled_risks(settings: Settings) -> frozenset[str]:
    """The classes that schedules may run. Raises RefusedError for a class that there is not."""
    named = frozenset(part.strip() for part in settings.scheduled_risks.split(",") if part.strip()) - {"none"}
    unknown = sorted(named - set(RISKS))
    if unknown:
        known = f"take some of {', '.join(RISKS)}, or none"
        raise RefusedError(f"SWITCHGEAR_SCHEDULED_RISKS names {unknown[0]!r}, which is no class of risk", known)
    return named


@dataclass(frozen=True, slots=True)
class SchedulerDeps:
    """What firing needs of the service."""

    store: ScheduleStore
    live: LiveCatalog
    calls: Calls
    authenticator: Authenticator
    open_runs: OpenRuns
    locks: Locks
    risks: frozenset[str] = DEFAULT_RISKS


class Scheduler:
    """`trouble`: why nothing is fired here, though it may be elsewhere."""

    def __init__(self, around: SchedulerDeps, clock: Clock = utc_now, reference: Reference | None = None) -> None:
        """`reference`: the clock that all servers of this database share; without one, ours is right."""
        self._around = around
        self._clock = clock
        self._reference = reference
        self._off = timedelta()
        self.trouble = ""
        self._firing: set[asyncio.Task[None]] = set()
        self._may_wait = True
        self._rounds = Rounds(log, "schedules cannot be looked after")

    def next_of(self, schedule: Schedule) -> str:
        """The moment that comes next from now on. Raises BadInput."""
        return next_moment(schedule.cron, schedule.zone, self._clock() - self._off)

    async def _is_on_time(self) -> bool:
        """Whether our clock is the database's, as far as clocks are. Another server fires what a wrong one does not."""
        if self._reference is None:
            return True
        theirs = await self._reference()
        own = self._clock()
        fault = clock_fault(own, theirs)
        self._off = own - theirs if fault else timedelta()
        if fault and not self.trouble:
            log.error("%s: no schedule is fired here; set it right", fault)
        elif self.trouble and not fault:
            log.warning("this server's clock is right again: schedules are fired here")
        self.trouble = fault
        return not fault

    async def add(self, wish: Schedule, caller: Caller) -> Schedule:
        """Keeps the schedule, if `caller` may run now what it says.

        Raises CallerError (role, target, inputs, expression), UnknownWorkflow, RefusedError (class, secrets),
        GovernanceError (the name).
        """
        await self._is_on_time()
        entry = await self._checked(wish, caller)
        if wish.target is not None and wish.labels:
            raise BadInput("a target and labels are two wishes", "/labels", "give one of them")
        if not wish.labels:
            entry.target(wish.target)
        self._around.calls.complete(entry, wish.inputs)
        if self._around.calls.vault.redact(wish.inputs, entry.profile.secrets) != wish.inputs:
            raise RefusedError("an input is a secret, and schedules keep none", "run this workflow by hand")
        known = replace(wish, workflow_id=entry.workflow_id, created_by=caller.name, next_at=self.next_of(wish))
        return await self._around.store.add(known)

    async def _checked(self, schedule: Schedule, caller: Caller) -> Entry:
        if not may(caller.role, "operator"):
            raise CallerError(f"the role {caller.role} may not run workflows", "ask somebody with the role operator")
        entry = self._around.live.seen_by(caller.scope).find(schedule.workflow_id)
        if entry.risk not in self._around.risks:
            message = f"{entry.workflow_id} is of the class {entry.risk}, which schedules may not run here"
            raise RefusedError(message, "SWITCHGEAR_SCHEDULED_RISKS of the server says which classes may")
        return entry

    async def watch(self) -> None:
        """Until cancelled."""
        for number in itertools.count():
            with self._rounds.one():
                if number % ROUNDS_BETWEEN_SETTINGS == 0:
                    await self.align()
                await self.look()
            await asyncio.sleep(ROUND_S)

    async def look(self) -> None:
        """One round: begins what is due, and does not wait for it. Raises GovernanceError."""
        if not await self._is_on_time():
            return
        now = self._clock()
        for schedule in await self._around.store.due(moment(now)):
            if not await self._take(schedule):
                continue
            if lateness(schedule.next_at, now) > GRACE:
                await self._note(schedule, "missed", "nothing was serving at that moment")
                continue
            self._begin(self._fire(schedule))
        if self._may_wait:
            await self._go_on()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._firing.add(task)
        task.add_done_callback(self._done)

    async def _go_on(self) -> None:
        """Begins what was let through of firings that waited for a person, and notes what was not."""
        waiting = [each for each in await self._around.store.list_schedules() if _asks(each)]
        self._may_wait = bool(waiting)
        for schedule in waiting:
            if not all(ask.state == "waiting" for ask in await self._asks_of(schedule)):
                self._begin(self._take_up(schedule.name))

    async def _asks_of(self, schedule: Schedule) -> list[Ask]:
        """Those that there are; the row alone makes none."""
        found = []
        for plan_id in _asks(schedule):
            with suppress(NotFoundError):
                found.append(await self._around.calls.asking.store.get(plan_id))
        return found

    async def align(self) -> None:
        """Brings back what a clock that ran ahead has put off too far; the keys keep an instant from running twice."""
        if not await self._is_on_time():
            return
        self._may_wait = True
        for schedule in await self._around.store.list_schedules():
            if not schedule.is_paused and moment(self._clock()) < schedule.next_at:
                await self._take(schedule, only_earlier=True)

    async def settle(self) -> None:
        """Returns when all that was begun has ended."""
        await asyncio.gather(*self._firing)

    async def close(self) -> None:
        if not self._firing:
            return
        _, late = await asyncio.wait(self._firing, timeout=CLOSING_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _take(self, schedule: Schedule, *, only_earlier: bool = False) -> bool:
        try:
            next_at = self.next_of(schedule)
        except BadInput as error:  # a time zone that this machine does not know, say
            await self._around.store.set_paused(schedule.name, None, actor="scheduler")
            await self._note(schedule, "refused", error.message)
            return False
        if only_earlier and next_at >= schedule.next_at:
            return False
        return await self._around.store.take(schedule, next_at)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._firing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a schedule was not fired in order", exc_info=task.exception())

    async def _fire(self, schedule: Schedule) -> None:
        """One firing from its claim to its note. The lock is held as long as this process carries out the run."""
        name = f"schedule:{schedule.name}"
        if not await self._around.locks.hold(name):
            await self._note(schedule, "skipped", "its last run is still under way")
            return
        try:
            await self._run(schedule)
        except Interrupted as error:
            await self._note(schedule, "interrupted", f"{error.message}; what changes something is taken up again")
        except SameEffect as error:
            await self._note(schedule, "skipped", message_of(error))
        except Waiting as error:
            await self._note_call(schedule, error)
        except (ServingError, GovernanceError) as error:
            await self._note(schedule, "refused", message_of(error))
        finally:
            await self._around.locks.release(name)

    async def _run(self, schedule: Schedule) -> None:
        around, key = self._around, f"schedule:{schedule.name}:{schedule.next_at}"
        if await around.open_runs.any_asked(schedule.created_by, f"schedule:{schedule.name}:"):
            await self._note(schedule, "skipped", "its last run is still under way")
            return
        caller = await self._caller(schedule.created_by)
        entry = await self._checked(schedule, caller)
        await self._note(schedule, "begun")
        # The setting has said yes for the class; nobody is there to be asked.
        options = CallOptions(is_confirmed=True)
        if not schedule.labels:
            ended = await around.calls.call(entry, schedule.inputs, schedule.target, caller, options, key=key)
            why = " ".join([ended.failure.message, *told_words(ended.failure.said)]) if ended.failure else ""
            await self._note(schedule, ended.outcome, why, (ended.run_id,))
            return
        selection = Selection(schedule.labels)
        results = await run_on(around.calls, entry, schedule.inputs, selection, caller, options, key=key)
        if any(result.is_waiting for result in results):
            waits = [result.waits for result in results if result.is_waiting]
            others = [f"{each.target}: {each.to_json()['outcome']}" for each in results if not each.is_waiting]
            await self._note_waiting(schedule, waits, "; ".join(["a person has to let it through", *others]))
            return
        bad = [result.target for result in results if not result.is_good(options)]
        runs = tuple(result.ended.run_id for result in results if result.ended)
        await self._note(schedule, "failed" if bad else "succeeded", "not on " + ", ".join(bad) if bad else "", runs)

    async def _take_up(self, name: str) -> None:
        """Carries out what was let through of the last firing, on each target by itself."""
        lock = f"schedule:{name}"
        if not await self._around.locks.hold(lock):
            return
        try:
            schedule = await self._around.store.get(name)
            fired = replace(schedule, next_at=str(schedule.last.get("at", "")))
            if asks := await self._asks_of(schedule):
                await self._note_answers(fired, asks, [await self._answered(fired, ask) for ask in asks])
        finally:
            await self._around.locks.release(lock)

    async def _answered(self, fired: Schedule, ask: Ask) -> tuple[str, str]:
        """Outcome and run of one call of a firing: it is carried out if it was let through."""
        if ask.state == "waiting":
            return "waiting", ask.run_id
        if ask.state not in ("let through", "used"):  # used: the key stands for the run that did so
            return "refused", ask.run_id
        key = f"schedule:{fired.name}:{fired.next_at}" + (f":{ask.target}" if fired.labels else "")
        try:
            caller = await self._caller(fired.created_by)
            entry, options = await self._checked(fired, caller), CallOptions(is_confirmed=True)
            ended = await self._around.calls.call(entry, fired.inputs, ask.target, caller, options, key=key)
        except (ServingError, GovernanceError) as error:
            log.warning("schedule %s, let through on %s: %s", fired.name, ask.target, message_of(error))
            return "refused", ask.run_id
        return ended.outcome, ended.run_id

    async def _note_answers(self, fired: Schedule, asks: Sequence[Ask], ends: Sequence[tuple[str, str]]) -> None:
        told = "; ".join(f"{ask.target}: {outcome}" for ask, (outcome, _) in zip(asks, ends, strict=True))
        waiting = [ask for ask, (outcome, _) in zip(asks, ends, strict=True) if outcome == "waiting"]
        if waiting:
            await self._note_waiting(fired, [{"plan_id": ask.id, "run_id": ask.run_id} for ask in waiting], told)
            return
        bad = [outcome for outcome, _ in ends if outcome not in ("succeeded", "pending")]
        await self._note(fired, bad[0] if bad else ends[0][0], told if bad else "", tuple(run for _, run in ends))

    async def _caller(self, name: str) -> Caller:
        """Who added it, with the rights of now. Raises CallerError for somebody who has none any more."""
        caller = await self._around.authenticator.standing(name)
        if caller is not None:
            return caller
        # Whoever has the command line has the database, and with it every right; no token's name holds a colon.
        if name.startswith(COMMAND_LINE):
            return Caller(name, "operator")
        if name == LOCAL.name and not self._around.authenticator.needs_token:
            return LOCAL
        raise CallerError(f"{name}, who added it, holds no valid token", "give them one, or add the schedule anew")

    async def _note_call(self, schedule: Schedule, error: Waiting) -> None:
        if error.more["state"] == "waiting":
            await self._note_waiting(schedule, (error.more,), message_of(error))
        else:
            await self._note(schedule, "refused", message_of(error))

    async def _note_waiting(self, schedule: Schedule, waits: Sequence[Mapping[str, Json]], why: str) -> None:
        self._may_wait = True
        runs, asks = tuple(str(each["run_id"]) for each in waits), [str(each["plan_id"]) for each in waits]
        await self._note(schedule, "waiting", why, runs, asks)

    async def _note(
        self, schedule: Schedule, outcome: str, why: str = "", runs: tuple[str, ...] = (), asks: Sequence[str] = ()
    ) -> None:
        if outcome not in ("begun", "succeeded", "pending", "waiting"):
            log.warning("schedule %s, %s: %s %s", schedule.name, schedule.next_at, outcome, why)
        last: dict[str, Json] = {"at": schedule.next_at, "outcome": outcome, "why": why, "runs": list(runs)}
        last |= {"asks": list(asks)} if asks else {}
        await self._around.store.note(schedule, last)


def _asks(schedule: Schedule) -> tuple[str, ...]:
    """The calls of its last firing that wait for a person; none of a paused one."""
    last = schedule.last if isinstance(schedule.last, dict) else {}  # nobody seals it
    asks = last.get("asks")
    is_waiting = not schedule.is_paused and last.get("outcome") == "waiting" and isinstance(asks, list)
    return tuple(map(str, asks)) if is_waiting and asks else ()
