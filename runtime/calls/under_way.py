"""Calls that are answered within a set time, and the runs that go on meanwhile, to be taken up again.

Most clients give up after a minute; a device's job may take ten. Whoever calls waits here for at most `wait_s`; then
the call is answered as `Running`, its run goes on without anybody, and `look` waits for its end again. Who asks for the
same again (workflow, target, inputs, manner, key) means that run: until its end was told, and a little longer, no
second one is begun. A caller who goes away before being answered ends the run, as in `Engine.run`. What is remembered
is this process's alone: after a restart a change under way is found by its effect (`same_effect`), and every run by its
id. Called by the tools of MCP and the REST routes; a command and a schedule wait to the end (`calls`).
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson

from governance.errors import NotFoundError
from governance.registry.servers import is_of_site
from governance.runs.runs import Run
from governance.storage.identifiers import new_id, utc_now
from runtime.call_options import PLAIN, CallOptions
from runtime.caller import Caller
from runtime.calls.calls import Calls
from runtime.catalog.entries import Entry
from runtime.engines.durable import stored_end
from runtime.engines.engine import Ended, Engine, Progress, Told

log = logging.getLogger("switchgear.runs")
Json = Any
# Under the minute after which clients give up, with room for a slow network.
DEFAULT_WAIT_S = 50.0
# How long an end that nobody was told is kept for whoever asks the same again; and, once told, in case it was lost.
UNTOLD_S, TOLD_S = 600.0, 60.0
# Runs of one caller that go on without a call: each was admitted, and takes its turn at its device, but none a place.
MOST_LEFT = 64
# A run of another process is looked at so often.
PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller wants. `key`: see `Order.key`."""

    entry: Entry
    inputs: Mapping[str, Json]
    target: str | None
    caller: Caller
    options: CallOptions = PLAIN
    key: str = ""

    @property
    def same(self) -> bytes:
        """Alike for two who want the same: one caller, one workflow as approved, one target, the same inputs."""
        options = [self.options.is_plan, self.options.plan_id, self.options.is_confirmed, self.key]
        target = self.entry.target(self.target).name
        told = [self.caller.name, self.entry.revision_id, self.entry.digest, target, dict(self.inputs), *options]
        return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)).digest()


@dataclass(frozen=True, slots=True)
class Running:
    """The run goes on. `for_s`: how long already; `progress`: where it is, as far as that is known.

    `outcome` is `waiting` where a person elsewhere has to let it through first: it goes on by itself then.
    """

    run_id: str
    for_s: float
    wait_s: float
    progress: Progress | None = None

    @property
    def outcome(self) -> Literal["running", "waiting"]:
        return "waiting" if self.progress is not None and self.progress.is_waiting else "running"

    def to_json(self) -> dict[str, Json]:
        told: dict[str, Json] = {"outcome": self.outcome, "run_id": self.run_id, "for_s": round(self.for_s, 1)}
        return told if self.progress is None else {**told, "progress": progress_json(self.progress)}


def progress_json(progress: Progress) -> dict[str, Json]:
    """Where a run is, for a program. `of` is left out where the number of steps is not known."""
    told: dict[str, Json] = {"step": progress.step_id, "message": progress.message}
    told |= {"number": progress.number, "of": progress.steps} if progress.steps else {}
    return told if progress.percent is None else {**told, "percent": progress.percent}


@dataclass(slots=True, eq=False)
class _Attended:
    """A run and those who wait for it. `is_left`: it goes on without them. `told_at`: when its end was told."""

    wanted: Wanted
    run_id: str
    begun_at: float
    task: "asyncio.Task[Ended] | None" = None
    same: bytes = b""
    is_left: bool = False
    ended_at: float | None = None
    told_at: float | None = None
    progress: Progress | None = None
    listeners: list[Told] = field(default_factory=list)
    waits: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, progress: Progress) -> None:
        self.progress = progress
        if progress.is_waiting:
            self.waits.set()
        for listener in tuple(self.listeners):
            listener(progress)

    @contextmanager
    def heard_by(self, told: Told | None) -> Iterator[None]:
        if told is None:
            yield
            return
        self.listeners.append(told)
        if self.progress is not None:
            told(self.progress)
        try:
            yield
        finally:
            self.listeners.remove(told)

    def is_over(self, now: float) -> bool:
        """Whether whoever asks for the same now wants it anew."""
        if self.ended_at is None:
            return False
        return now > (self.ended_at + UNTOLD_S if self.told_at is None else self.told_at + TOLD_S)


class UnderWay:
    """`wait_s`: how long a call waits for its run; 0: to its end. `most_left`: of one caller's runs, without a call."""

    def __init__(
        self, calls: Calls, engine: Engine, wait_s: float = DEFAULT_WAIT_S, *, most_left: int = MOST_LEFT
    ) -> None:
        self._calls = calls
        self._engine = engine
        self._runs = calls.same_effects.runs
        self.wait_s = wait_s
        self._most_left = most_left
        self._left: dict[str, _Attended] = {}
        self._by_wish: dict[bytes, _Attended] = {}

    async def call(self, wanted: Wanted, told: Told | None = None, wait_s: float | None = None) -> Ended | Running:
        """How it ended, or that it goes on: after `wait_s`, if that is less than a call waits, and at once where it
        waits for a person elsewhere. Raises what `Calls.call` raises."""
        self._forget()
        attended = self._by_wish.get(wanted.same) if self._by_wish else None
        if attended is None:
            attended = self._begun(wanted)
        try:
            with attended.heard_by(told):
                may_wait = is_of_site(wanted.entry.api) and not attended.is_left
                return await self._end_of(attended, self._patience(attended, wait_s), may_wait=may_wait)
        except asyncio.CancelledError:
            if not attended.is_left and attended.task is not None:
                attended.task.add_done_callback(_unasked)
                attended.task.cancel()
            raise

    async def look(
        self, run_id: str, caller: Caller, seen: Run | None, told: Told | None = None, wait_s: float | None = None
    ) -> Ended | Running:
        """Waits for the end of a run, for `wait_s` if that is less than a call waits. `seen`: its record, if there is
        one that the caller may see.

        Raises NotFoundError where there is none and the run was not begun by this caller here; else as `call`.
        """
        self._forget()
        attended, most = self._left.get(run_id), self.wait_s or DEFAULT_WAIT_S
        wait_s = most if wait_s is None else min(wait_s, most)
        if attended is not None and attended.wanted.caller.name == caller.name:
            with attended.heard_by(told):
                return await self._end_of(attended, wait_s)
        if seen is None:
            raise NotFoundError(f"there is no run {run_id}", "see `switchgear runs list`")
        return await self._recorded_end_of(run_id, wait_s)

    def progress_of(self, run_id: str) -> Progress | None:
        """Where a run is that goes on here without a call."""
        attended = self._left.get(run_id)
        return None if attended is None else attended.progress

    async def close(self) -> None:
        """After the engine was closed: returns when nothing is left of what went on here."""
        tasks = [each.task for each in self._left.values() if each.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begun(self, wanted: Wanted) -> _Attended:
        run_id = new_id()
        attended = _Attended(wanted, run_id, asyncio.get_running_loop().time())
        made = self._calls.call(
            wanted.entry, wanted.inputs, wanted.target, wanted.caller, wanted.options,
            key=wanted.key, told=attended.hear, run_id=run_id,
        )  # fmt: skip
        attended.task = asyncio.create_task(made)
        return attended

    async def _end_of(self, attended: _Attended, wait_s: float | None, *, may_wait: bool = False) -> Ended | Running:
        """The end, once it is there; what lasts longer than a call waits goes on from now on without it.

        `may_wait`: that it waits for a person elsewhere is told at once."""
        task = attended.task  # which is let go of when it is over, if the record has all that it says
        if task is not None:
            if may_wait and wait_s is not None:
                await _first_of(task, attended.waits, wait_s)
            else:
                await asyncio.wait((task,), timeout=wait_s)
            if not task.done():
                return await self._left_alone(attended)
        attended.told_at = asyncio.get_running_loop().time()
        if task is not None:
            return task.result()
        await self._engine.settle()
        return stored_end(await self._runs.get(attended.run_id))

    def _patience(self, attended: _Attended, wait_s: float | None) -> float | None:
        if not self.wait_s:
            return None
        name = attended.wanted.caller.name
        others = sum(each.ended_at is None and each.wanted.caller.name == name for each in self._left.values())
        most = self.wait_s if wait_s is None else min(wait_s, self.wait_s)
        return most if attended.is_left or others < self._most_left else None

    async def _left_alone(self, attended: _Attended) -> Running:
        now = asyncio.get_running_loop().time()
        if not attended.is_left:
            await self._find_its_id(attended)
            attended.is_left, attended.same = True, attended.wanted.same
            self._left[attended.run_id] = self._by_wish[attended.same] = attended
            assert attended.task is not None
            attended.task.add_done_callback(lambda _task: self._ended(attended))
        return Running(attended.run_id, now - attended.begun_at, self.wait_s, attended.progress)

    async def _find_its_id(self, attended: _Attended) -> None:
        """Under a key the run may be one that was begun before."""
        wanted = attended.wanted
        if wanted.key:
            known = await self._calls.plans.open_runs.asked(wanted.caller.name, wanted.key)
            attended.run_id = known or attended.run_id

    def _ended(self, attended: _Attended) -> None:
        """Keeps the end, unless it is one that the record holds as well: outputs may be large."""
        task = attended.task
        assert task is not None
        attended.ended_at = asyncio.get_running_loop().time()
        if task.cancelled() or task.exception() is not None:
            log.info("run %s, which nobody waited for, ended without an answer", attended.run_id)
            return
        if task.result().is_good:
            attended.task = None
        if task.result().outcome == "cancelled":  # by somebody: the same call again is another wish
            self._forget_wish(attended)

    async def _recorded_end_of(self, run_id: str, wait_s: float) -> Ended | Running:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            await self._engine.settle()
            run = await self._runs.get(run_id)
            if run.outcome is not None:
                return stored_end(run)
            if loop.time() - begun >= wait_s:
                return Running(run_id, _age_s(run), self.wait_s, recorded_progress(run))
            await asyncio.sleep(PAUSE_S)

    def _forget(self) -> None:
        """What nobody is going to ask for any more. The dictionaries are in the order in which calls were answered."""
        now = asyncio.get_running_loop().time()
        for attended in [each for each in self._left.values() if each.is_over(now)]:
            del self._left[attended.run_id]
            self._forget_wish(attended)

    def _forget_wish(self, attended: _Attended) -> None:
        if self._by_wish.get(attended.same) is attended:
            del self._by_wish[attended.same]


async def _first_of(task: "asyncio.Task[Ended]", event: asyncio.Event, wait_s: float) -> None:
    """Returns when the task is over, the event is set, or the time has passed."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait((task, waiting), timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


def _unasked(task: "asyncio.Task[Ended]") -> None:
    """Whoever asked is gone; an error is theirs, and no surprise."""
    if not task.cancelled():
        task.exception()


def _age_s(run: Run) -> float:
    return (utc_now() - datetime.fromisoformat(run.started_at)).total_seconds()


def recorded_progress(run: Run) -> Progress | None:
    """Where a run is by its record: the request that was sent last."""
    if not run.steps:
        return None
    last = run.steps[-1].record
    return Progress(last.step_id, last.seq, 0, f"{last.step_id}: {last.method} {last.path}")
