"""One run on its course: commands of the interpreter carried out, one after the other, and answered with events.

Both engines drive the interpreter with it. It bounds every request and every wait by the run's deadline, on a
monotonic clock; lets a run be cancelled or parked between two requests, where a read is broken off and a request that
may change something is waited for; and tells whoever follows the run how far it is. What comes next decides the
`interpreter`; what is kept, the `journal`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from governance.errors import GovernanceError, NotOursError, SameEffectError, StopAskedError
from runtime.driver import Driver
from runtime.driver.behalf import BEHALF, Behalf
from runtime.engines.checkpoint import Checkpoint, StoredTurn
from runtime.engines.conformance import ResponseConformance
from runtime.engines.engine import Order, Progress, Told
from runtime.engines.journal import Journal
from runtime.engines.planning import as_ordered
from runtime.observing import observed, traces
from workflow.json.pointers import NOTHING, parse_pointer, resolve
from workflow.programs.state import State
from workflow.replies.device_messages import device_words
from workflow.requests.events import (
    Cancelled,
    Command,
    DeadlinePassed,
    Event,
    RequestFailed,
    ResponseArrived,
    SendRequest,
    StartTimer,
    TimerFired,
)
from workflow.running.interpreter import advance
from workflow.running.preconditions import watched

_OURS = "it could not be recorded in this server's own database"
_CLOCK_STEP_S = 0.001  # a timer may fire this much early


class Parked(Exception):
    """The run is let go of: another process, or the next one, takes it up. Nothing of it is under way."""


class RunLoop:
    def __init__(self, order: Order, driver: Driver, journal: Journal, replies: ResponseConformance) -> None:
        self.order = order
        self.journal = journal
        self._listeners: list[Told] = []
        self._driver = driver
        self._replies = replies
        self._begun = asyncio.get_running_loop().time()
        self._stop, self._cancelled = asyncio.Event(), asyncio.Event()
        self._why: Literal["", "cancelled", "parked"] = ""
        self._percent: float | None = None
        # Of a request that may be broken off.
        self._patience: asyncio.Timeout | None = None
        self._is_reading = False

    @property
    def elapsed_s(self) -> float:
        """What the run took so far, in this and other processes; their pauses do not count."""
        return asyncio.get_running_loop().time() - self._begun

    def count_from(self, elapsed_s: float) -> None:
        """The run took so long before."""
        self._begun = asyncio.get_running_loop().time() - elapsed_s

    def stored(self, turn: StoredTurn, saved: Any) -> Checkpoint:  # noqa: ARG002  see `TakenUp`
        """Where `turn` led when another process took it. Only a course that was taken up has such turns."""
        raise AssertionError(f"turn {turn.number} of a run that was begun here is another process's")

    def known_fate(self, turn: int, command: SendRequest) -> RequestFailed | None:  # noqa: ARG002  see `TakenUp`
        """What is to be said of the request instead of sending it; None: it is to be sent."""
        return None

    @property
    def is_again(self) -> bool:
        """Whether the request that is about to be made may have been made by another process, under the same id."""
        return False

    @contextmanager
    def heard_by(self, told: Told | None) -> Iterator[None]:
        """As long as it is entered, `told` hears how far the run is."""
        if told is None:
            yield
            return
        self._listeners.append(told)
        try:
            yield
        finally:
            self._listeners.remove(told)

    def cancel(self) -> None:
        """Ends the run as soon as is safe."""
        self._why = "cancelled"
        self._cancelled.set()
        self._break_off()

    def park(self) -> None:
        """Lets go of the run as soon as is safe; a cancelled one is ended all the same."""
        self._why = self._why or "parked"
        self._break_off()

    def _break_off(self) -> None:
        self._stop.set()
        is_left = self._is_reading or self._why == "parked"
        if self._patience is not None and is_left and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())

    def stepped(self, state: State, event: Event) -> tuple[State, Command]:
        """The state after `event` and the command that follows, as ordered; what the interpreter says is journaled.

        Raises what `advance` raises.
        """
        if self.order.is_plan or self.order.confirmed:
            after, command = watched(self.order.program, state, event)
        else:  # nobody is going to hold it against a plan
            after, (command,) = advance(self.order.program, state, event)
        if isinstance(command, SendRequest) and not command.is_safe:
            self.journal.effects, self.journal.respects = self.order.effects_of(after, command)
        self.journal.recording.add(event, command)
        return as_ordered(self.order, self.journal.clean, after, command)

    async def perform(self, command: SendRequest | StartTimer) -> Event:
        """What came of the command. Raises Parked; GovernanceError when nothing was ever sent for the run."""
        if self._stop.is_set():
            return self._stopped(is_sent=False)
        if self._left_s <= 0:
            return DeadlinePassed(is_sent=False)
        self._tell(command)
        if isinstance(command, StartTimer):
            return await self._wait(command)
        return await self._send(command)

    @property
    def _left_s(self) -> float:
        return self.order.program.deadline_s - self.elapsed_s

    def _stopped(self, *, is_sent: bool) -> Event:
        if self._why == "parked":
            raise Parked
        return Cancelled(is_sent)

    async def _wait(self, command: StartTimer) -> Event:
        left_s = self._left_s
        await self.journal.flush()
        try:
            async with asyncio.timeout(min(command.seconds, left_s)):
                await self._stop.wait()
        except TimeoutError:
            return TimerFired(command.step_id) if command.seconds <= left_s else DeadlinePassed()
        return self._stopped(is_sent=False)

    async def _send(self, command: SendRequest) -> Event:
        """A read is broken off where the run is to end; what became of a change must be known, and has a deadline of
        its own, unless the next process asks for the same under the same id, so that this one need not wait."""
        self._is_reading = command.is_safe
        if not (command.is_safe or self.order.endpoint.is_asked_by_id):
            return await self._sent(command)
        try:
            async with asyncio.timeout(None) as self._patience:
                return self._unless_taken_back(await self._sent(command))
        except TimeoutError:
            if not self._stop.is_set():
                raise
            return self._stopped(is_sent=True)
        finally:
            self._patience = None

    def _unless_taken_back(self, event: Event) -> Event:
        """What was refused because it is not wanted any more, was cancelled before anything left."""
        is_refused = isinstance(event, RequestFailed) and event.reason in ("refused", "not_sent")
        return Cancelled(is_sent=False) if is_refused and self._why == "cancelled" and not self.is_again else event

    async def _sent(self, command: SendRequest) -> Event:
        deadline = asyncio.get_running_loop().time() + self._left_s
        if self.order.endpoint.remote is not None:
            request = f"{self.order.run_id}.{self.journal.turn}"
            who, note = (self.order.caller, self.order.role), partial(self._waits_there, command)
            BEHALF.set(Behalf(*who, request, self.is_again, self._cancelled, note))
        try:
            with traces.within(self.journal.place), observed.step(self.order, command):
                event = await self._driver.send(command, self.order.endpoint, deadline, self.journal)
        except NotOursError as error:
            raise Parked from error
        except StopAskedError:
            return Cancelled(is_sent=False)
        except SameEffectError as error:
            return RequestFailed(command.step_id, "refused", _same_thing(error, self.order.caller))
        except GovernanceError as error:
            if not self.journal.is_open:
                raise
            return RequestFailed(command.step_id, "unrecorded", f"not sent, for {_OURS}: {error.message}")
        if isinstance(event, ResponseArrived):
            self._percent = self._percent_in(command, event)
            return await self._held_to_description(command, self._with_words(command, event))
        if command.is_safe and self._left_s <= _CLOCK_STEP_S:
            return DeadlinePassed()  # which broke the read off: of the device it says nothing
        return event

    def _with_words(self, command: SendRequest, reply: ResponseArrived) -> ResponseArrived:
        """`reply` with the device's own sentences, without secrets."""
        operation = f"{command.method} {command.path_template}"
        profile = self.order.endpoint.profile
        words = device_words(profile, operation, reply.status, reply.headers, reply.body, self.journal.clean)
        return replace(reply, said=words) if words else reply

    async def _held_to_description(self, command: SendRequest, reply: ResponseArrived) -> Event:
        """`reply`, with what does not fit in the record; where that is refused, its refusal, in no words of it."""
        policy = self._replies.policy_for(self.order.endpoint)
        if policy == "off":
            return reply
        operation = f"{command.method} {command.path_template}"
        misfits = await self._replies.misfits(operation, self.order.operations.get(operation), reply)
        if not misfits:
            return reply
        self.journal.found(misfits)
        if policy == "report":
            return reply
        told = f"status {reply.status}, not as the description promises in {len(misfits)} places; the run's record"
        return RequestFailed(command.step_id, "bad_reply", f"{told} {self.order.run_id} names them")

    # How far it is

    def _tell(self, command: SendRequest | StartTimer, waits: str = "") -> None:
        """`waits`: why a person elsewhere has to let it through."""
        steps = [step.step_id for step in self.order.program.steps]
        first = command.step_id.partition("/")[0]
        number = steps.index(first) + 1 if first in steps else len(steps)
        if isinstance(command, StartTimer):
            message = f"{command.step_id}: not there yet, looking again in {command.seconds:g} s"
        else:
            message = waits or f"{command.step_id}: {command.method} {command.path_template}"
        told = Progress(command.step_id, number, len(steps), message, self._percent, bool(waits))
        for listener in self._listeners:
            listener(told)

    def _waits_there(self, command: SendRequest, why: str) -> None:
        """See `Behalf.note`."""
        self._tell(command, f"{self.order.endpoint.name}: {why}" if why else "")

    def _percent_in(self, command: SendRequest, event: ResponseArrived) -> float | None:
        """What a job says of its progress, by the profile's rule for jobs that are asked for in this way."""
        asked = f"{command.method} {command.path_template}"
        for rule in self.order.endpoint.profile.jobs:
            if rule.progress and asked in (rule.poll, *rule.other_views):
                found = resolve(event.body, parse_pointer(rule.progress))
                if found is not NOTHING and isinstance(found, int | float) and 0 <= found <= 100:
                    return float(found)
        return None


def _same_thing(error: SameEffectError, caller: str) -> str:
    """Why a change is not sent whose thing was named otherwise when another run was begun."""
    which = f"the run {error.run_id}" if error.caller == caller else "another run"
    state = "is in doubt and has to be resolved first" if error.is_in_doubt else "is under way"
    return f"{which} has the same effect on the same thing, under another name for it, and {state}"
