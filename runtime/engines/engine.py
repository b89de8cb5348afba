"""The port between the one who wants a workflow run and whatever runs it.

An order says all that a run needs; an engine drives the interpreter with it to its end, keeps a record of every
request before it is sent, and takes care of what a former process left open. Runs are numbered by whoever orders them,
so that an engine which resumes after a crash finds its own. Two engines stand behind this port: `direct` for workflows
whose steps are all reads, `durable` for all others; `choice` is both. Here never lives how.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from governance.runs.plans import Confirmed
from governance.transitions import Role
from runtime.driver import DeviceEndpoint
from workflow.programs.equivalence import effect_found, effect_of, effect_of_request, effect_of_sending
from workflow.programs.program_making import Program
from workflow.programs.state import State
from workflow.requests.events import EndRun, Failure, Outcome, SendRequest
from workflow.revision import is_raw

Json = Any


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is: `number` of `steps` in the document's order, about to be sent or, `waits_s`, to be asked again.

    `percent` is what the device says of its job, where it says so. `is_waiting`: a person elsewhere has to let it
    through before anything is done.
    """

    step_id: str
    number: int
    steps: int
    message: str
    percent: float | None = None
    is_waiting: bool = False


Told = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Order:
    """`inputs` are complete and valid. `secret_names`: members whose values are never recorded.

    `key`: who asks again under the same key gets the same run; a run with a key goes on when its caller goes away.
    `is_plan`: it ends before the first change, and says what it would do; `confirmed`: the plan that it is held to.
    `operations`: the digests of the operations' descriptions, by key, as they were approved. `workflow`: for people.
    `role`: the caller's, as far as it is known: of a run that is taken up, the least that may run.
    """

    run_id: str
    revision_id: str
    digest: str
    program: Program
    endpoint: DeviceEndpoint
    caller: str
    inputs: Mapping[str, Json]
    secret_names: tuple[str, ...] = ()
    key: str = ""
    is_plan: bool = False
    confirmed: Confirmed | None = None
    operations: Mapping[str, str] = field(default_factory=dict)
    workflow: str = ""
    role: Role = "operator"

    @property
    def changes(self) -> bool:
        """Whether the run may change something."""
        return not self.is_plan and not self.program.is_read_only

    def effects(self, state: State | None = None) -> tuple[str, ...]:
        """What the run is about, by its inputs and by what it has found in `state`; nothing where it only reads."""
        if not self.changes:
            return ()
        where, secrets = self.endpoint.name, self.secret_names
        found = effect_found(self.program, where, state, secrets) if state is not None else None
        return tuple(
            dict.fromkeys(each for each in (effect_of(self.program, where, self.inputs, secrets), found) if each)
        )

    def effects_of(self, state: State, command: SendRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Before a change: what the run takes for itself, and what no other run may have meanwhile.

        A request that is sent alone takes itself; of workflows each has its own effect, but none goes past such a one,
        nor sends the very request that another one has sent of which nobody knows (`create` and then `ensure`).
        """
        if not self.changes:
            return (), ()
        request = effect_of_request(self.program.api, self.endpoint.name, command, self.secret_names)
        effects = self.effects(state)
        if not command.is_idempotent:
            effects = (*effects, effect_of_sending(self.program.api, self.endpoint.name, command, self.secret_names))
        return ((*effects, request), ()) if is_raw(self.program.workflow_id) else (effects, (request,))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. See `EndRun` for what was verified. `misfits`: places of replies that were not as described."""

    run_id: str
    outcome: Outcome
    outputs: Mapping[str, Json] = field(default_factory=dict)
    failure: Failure | None = None
    note: str = ""
    verified: str = ""
    verified_why: str = ""
    differences: tuple[Mapping[str, Json], ...] = ()
    next: str = ""
    done: tuple[str, ...] = ()
    misfits: int = 0

    @classmethod
    def by(cls, run_id: str, end: EndRun) -> "Ended":
        """What the interpreter's last command says."""
        return cls(run_id, **{name: getattr(end, name) for name in EndRun.__slots__})

    @property
    def is_good(self) -> bool:
        """Whether it went as it was meant to; what is accepted and takes effect later did."""
        return self.outcome in ("succeeded", "pending")

    @property
    def verdict(self) -> dict[str, Json]:
        """What is told beside the outcome, through every door: what was verified, what is otherwise, what is next."""
        told: dict[str, Json] = {"verified": self.verified, "verified_why": self.verified_why}
        told |= {"next": self.next, "note": self.note, "done": list(self.done)}
        return {**told, "differences": [dict(each) for each in self.differences]}


class Engine(Protocol):
    async def run(self, order: Order, told: Told | None = None) -> Ended:
        """Runs to the end; what is answered holds no secret. `told` hears how far it is.

        If the awaiting task is cancelled, the run ends as soon as is safe, and is recorded; one with a key goes on.

        Raises GovernanceError when nothing was sent because nothing can be recorded, or what is ordered is not
        approved at this moment; ConflictError when the key stands for another run; Interrupted when the server stops
        first.
        """

    async def settle(self) -> None:
        """Returns when the ends of all runs that have answered can be looked up."""

    async def recover(self) -> tuple[str, ...]:
        """Takes up, or closes, the runs that former processes left open, and answers their ids."""

    async def park(self) -> None:
        """Stops runs between two requests, for the next process to take up; those that cannot be are ended."""

    async def close(self) -> None:
        """Parks, and returns when everything is recorded."""
