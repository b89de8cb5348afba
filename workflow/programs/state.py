"""The state of a run: a value that can be stored after any event, resumed and replayed.

Here live the state's parts and their JSON form; what happens to them is in `interpreter`. No reply is kept, only the
outputs taken from it and the items of a list whose next page is asked for: a state is small. A workflow that calls
another one stacks a frame on its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workflow.documents.document import Json

Waiting = Literal["start", "response", "timer", "over"]
Purpose = Literal["run", "step", "detour"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One workflow under way.

    `step`: number of the current step. `prefix`: what precedes its id in the step's key. `attempt`: requests sent
    since the step was entered, `waited_s`: seconds waited in between. `outputs`: by step id. `retries`: times used,
    by the action's name, since the step was entered. `jumps`: times taken, by `step id/action name`.
    `pages`: what is known of a list that comes in pages (see `pages.turned`), while its pages are asked for.
    `preconditions`: what a wait that may stand still showed last, and since when.
    `look`: while the run looks whether a change in doubt was made, what is known of it (see `interpreter`).
    `before`: what a thing showed before it was changed, by place, for the step that reads it back (`unasked`).
    `asked_before`: what it showed then of what is asked for, by the id of that step and by place.
    `pictures`: by the id of the step that showed it, what is remembered of a thing until its change is answered.
    `last`: what the step saw before the attempt that is due: the state `found`, and what the device `said`.
    `elsewhere`: whether the step asks at the address that a renaming gave the thing, as it was not at its old one.
    `resume`: the members to go back to when the current step, a detour, is through. `purpose`: what the frame below
    does with the result: the run's own, a step's result, or nothing (a detour before another attempt).
    """

    workflow_id: str
    inputs: Mapping[str, Json]
    step: int = 0
    prefix: str = ""
    purpose: Purpose = "run"
    attempt: int = 0
    waited_s: float = 0.0
    outputs: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    retries: Mapping[str, int] = field(default_factory=dict)
    jumps: Mapping[str, int] = field(default_factory=dict)
    resume: Mapping[str, Json] | None = None
    pages: Mapping[str, Json] | None = None
    look: Mapping[str, Json] | None = None
    watched: Mapping[str, Json] | None = None
    last: Mapping[str, Json] | None = None
    before: Mapping[str, Mapping[str, Json]] | None = None
    asked_before: Mapping[str, Mapping[str, Json]] | None = None
    elsewhere: bool = False
    pictures: Mapping[str, Mapping[str, Json]] | None = None


@dataclass(frozen=True, slots=True)
class State:
    """`done`: keys of the steps that took effect, in order; `in_doubt`: of those that may have. `results`: inputs and
    outputs of finished workflows. `findings`: what was found of what was asked for, by the key of the step that showed
    it. `refusals`: what the device said, in answers that were good otherwise, of parts that it refused; `taken`: keys
    of the steps whose answers say as well of a part that it was carried out; `accepted`: of those that only began.

    `entered`: steps entered so far. `pending_action`: name of the retry that the timer belongs to. `seen`: what the
    run looked at so far (`preconditions`); None once it has sent something that may change the device. `notes`: what is
    to be said of a success, too: that a list was not whole.
    """

    waiting: Waiting = "start"
    frames: tuple[Frame, ...] = ()
    done: tuple[str, ...] = ()
    results: Mapping[str, Mapping[str, Mapping[str, Json]]] = field(default_factory=dict)
    entered: int = 0
    pending_action: str = ""
    outcome: str = ""
    seen: tuple[Json, ...] | None = ()
    in_doubt: tuple[str, ...] = ()
    findings: Mapping[str, tuple[Mapping[str, Json], ...]] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()

    @classmethod
    def initial(cls) -> "State":
        """The state before `RunStarted`."""
        return cls()

    @property
    def is_over(self) -> bool:
        return self.waiting == "over"

    def to_json(self) -> dict[str, Json]:
        return {
            "waiting": self.waiting,
            "frames": [_frame_to_json(frame) for frame in self.frames],
            "done": list(self.done),
            "results": dict(self.results),
            "entered": self.entered,
            "pending_action": self.pending_action,
            "outcome": self.outcome,
            "seen": None if self.seen is None else list(self.seen),
            "in_doubt": list(self.in_doubt),
            "refusals": list(self.refusals),
            "taken": list(self.taken),
            "accepted": list(self.accepted),
            "findings": {key: list(found) for key, found in self.findings.items()},
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "State":
        """The state that `to_json` wrote. Raises KeyError or TypeError for anything else."""
        members: dict[str, Any] = dict(data)
        members["frames"] = tuple(Frame(**frame) for frame in members["frames"])
        members["done"] = tuple(members["done"])
        members["in_doubt"] = tuple(members.get("in_doubt", ()))
        members["refusals"] = tuple(members.get("refusals", ()))
        members["taken"] = tuple(members.get("taken", ()))
        members["accepted"] = tuple(members.get("accepted", ()))
        members["findings"] = {key: tuple(found) for key, found in members.get("findings", {}).items()}
        members["notes"] = tuple(members.get("notes", ()))
        if members.get("seen") is not None:
            members["seen"] = tuple(members["seen"])
        return cls(**members)


def _frame_to_json(frame: Frame) -> dict[str, Json]:
    return {name: getattr(frame, name) for name in Frame.__slots__}
