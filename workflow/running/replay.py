"""A recorded run once more, offline: each recorded event given to the interpreter, its answer held against the record.

A turn is an event and the command that followed. What was masked before it was kept is masked on both sides: where the
record has the mask, anything may stand. A run that was gone on with after a doubt goes on from before the answer that
was lost, as it did then. Pure: no clock, no network. Called by governance, and by whoever records a run, to see that
what is masked decides nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflow.documents.document import Json
from workflow.errors import EventError
from workflow.programs.program import Program
from workflow.programs.state import State
from workflow.requests.events import Command, Event, FateFound, event_from_json, to_json
from workflow.running.interpreter import advance

MASK = "[redacted]"
# What an event of another shape than the interpreter's own may cause: a journal may have been tampered with.
MISSHAPEN = (EventError, TypeError, ValueError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """`number` counts the turns from 1. `now` is None when nothing would be done any more."""

    number: int
    step_id: str
    recorded: Json
    now: Json

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


def differences(program: Program, turns: Sequence[Mapping[str, Json]]) -> tuple[ReplayDifference, ...]:
    """Where the interpreter answers otherwise than recorded; each turn is {"event", "command"} in their JSON forms."""
    found = []
    for number, (turn, now) in enumerate(zip(turns, answers(program, [turn["event"] for turn in turns])), 1):  # noqa: B905
        recorded = turn["command"]
        if not is_same(recorded, now):
            found.append(ReplayDifference(number, _step(recorded, turn["event"]), recorded, now))
    return tuple(found)


def answers(program: Program, events: Sequence[Json], start: State | None = None) -> Iterator[Json]:
    """The command after each event, as JSON; ends behind the first event that is not waited for, told as `refused`."""
    before = state = start or State.initial()
    for data in events:
        try:
            event = event_from_json(data)
            state = before if isinstance(event, FateFound) else state
            before = state
            state, command = _after(program, state, event)
        except MISSHAPEN as error:
            yield {"refused": f"the event does not fit: {error}"}
            return
        yield None if command is None else plain(to_json(command))


def _after(program: Program, state: State, event: Event) -> tuple[State, Command | None]:
    after, commands = advance(program, state, event)
    return after, commands[0] if commands else None


def plain(value: Json) -> Json:
    """`value` as it comes back from where JSON is stored."""
    return json.loads(json.dumps(value))


def is_same(recorded: Json, now: Json) -> bool:
    """Whether both are the same JSON, but for what is masked in `recorded`."""
    if isinstance(recorded, str) and MASK in recorded:
        pattern = ".*".join(re.escape(part) for part in recorded.split(MASK))
        return recorded == MASK or (isinstance(now, str) and re.fullmatch(pattern, now, re.DOTALL) is not None)
    if isinstance(recorded, dict) and isinstance(now, dict) and recorded.keys() == now.keys():
        return all(is_same(recorded[name], now[name]) for name in recorded)
    if isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        return all(map(is_same, recorded, now))
    return json.dumps(recorded, sort_keys=True) == json.dumps(now, sort_keys=True)


def _step(command: Json, event: Json) -> str:
    for told in (command, event):
        if isinstance(told, dict) and told.get("step_id"):
            return str(told["step_id"])
    return ""
