"""Where a durable run is, as a value that is stored after each request and read after a crash.

A turn is the interpreter's state and the command that follows from it. What is stored besides: what became of requests
and is not in the tables yet, what the run's journal got since the last one (bounded, see `recording`), and how long the
run took so far, in seconds that it was carried out: no clock of the wall is asked. Secrets are masked before it is
stored, and so they are gone after a crash: a command that would send the mask is never sent (`holds_mask`). Format 1;
another format needs another number (`dbos_process.FORMAT`). What is stored lies in a database of another kind, so that
the audit says which checkpoints a run came to (`seal_of`): one that is otherwise is not gone on from.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from governance.runs.runs import StepRecord
from runtime.secrets import MASK
from workflow.programs.state import State
from workflow.requests.events import Command, EndRun, command_from_json, to_json

Json = Any


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """`number` counts the requests that the run made since it began, or was gone on with."""

    number: int
    state: State
    command: Command

    @property
    def is_over(self) -> bool:
        return isinstance(self.command, EndRun)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`left`: the turn whose request is in doubt, to go on from, when the run has ended as unknown.

    `recorded` is masked already.
    """

    turn: StoredTurn
    elapsed_s: float = 0.0
    unwritten: tuple[StepRecord, ...] = ()
    left: StoredTurn | None = None
    recorded: Json = None

    def to_json(self, clean: Callable[[Json], Json]) -> dict[str, Json]:
        """As it is stored; `clean` masks secrets."""
        return {
            "turn": _stored(self.turn, clean),
            "elapsed_s": round(self.elapsed_s, 3),
            "unwritten": [record.to_json() for record in self.unwritten],
            "left": self.left and _stored(self.left, clean),
            "recorded": self.recorded,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "Checkpoint":
        unwritten = tuple(StepRecord(**each) for each in data["unwritten"])
        left = data["left"] and turn_from_json(data["left"])
        return cls(turn_from_json(data["turn"]), data["elapsed_s"], unwritten, left, data.get("recorded"))


def seal_of(stored: Mapping[str, Json]) -> str:
    """What the audit says of a checkpoint as it is stored; `unwritten` stands in the audit itself, or comes there."""
    sealed = {name: value for name, value in stored.items() if name != "unwritten"}
    return f"sha256:{hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()}"


def _stored(turn: StoredTurn, clean: Callable[[Json], Json]) -> dict[str, Json]:
    return {"number": turn.number, "state": clean(turn.state.to_json()), "command": clean(to_json(turn.command))}


def turn_from_json(data: Mapping[str, Json]) -> StoredTurn:
    """A turn as it was stored. Raises KeyError or TypeError for anything else."""
    return StoredTurn(data["number"], State.from_json(data["state"]), command_from_json(data["command"]))


def holds_mask(command: Command) -> bool:
    """Whether something that was masked would be sent."""
    return MASK in json.dumps(to_json(command), ensure_ascii=False)
