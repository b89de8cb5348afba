"""A workflow made ready to run: every expression, query and schema compiled, every reference followed.

Here live the program's types; they are made in `program_making` and run in `interpreter`. A program is made once for an
approved document and shared by all its runs; nothing in it changes. Step numbers are 0-based.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from workflow.documents.criteria import CompiledCriterion
from workflow.documents.document import ActionType, Json
from workflow.documents.expressions import Expression
from workflow.documents.selectors import CompiledSelector
from workflow.documents.templates import Template
from workflow.documents.values import Value
from workflow.programs.inputs import InputSchema
from workflow.replies.allowed import Allowance
from workflow.replies.expectations import Expectation
from workflow.replies.pages import Pages
from workflow.requests.requests import BoundRequest
from workflow.requests.versions import VersionRule

DEADLINE_S = 900.0  # a run's bound where the document sets none: longer than jobs take, shorter than a shift

EndsAs = Literal["", "succeeded", "partial", "pending", "failed", "unknown", "cancelled"]
ENDS: tuple[EndsAs, ...] = ("succeeded", "partial", "pending", "failed", "unknown", "cancelled")

MAX_DEPTH = 16  # workflows calling workflows; `checks` refuses circles, people write two or three


@dataclass(frozen=True, slots=True)
class ProgramOutput:
    """`transform` is empty or one of `transforms.TRANSFORMS`. `pointer`: where it stands in the document."""

    name: str
    value: Value
    transform: str = ""
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class ProgramAction:
    """What to do after a step. `step`: number of the target; `arguments`: inputs of the target workflow.

    `code` and `message`: what an end says, also that of a retry which is used up. `outcome`: how the run ends by it,
    "" as usual: a failure action may end it well, a success action as `pending`, with `next`, the workflow that is
    to come. `limit`: how often a goto may be taken in one run, None for no limit of its own.
    """

    name: str
    type: ActionType
    criteria: tuple[CompiledCriterion, ...] = ()
    step: int | None = None
    workflow_id: str = ""
    arguments: tuple[tuple[str, Value], ...] = ()
    retry_after_s: float = 0.0
    retry_limit: int = 1
    code: str = ""
    message: Template | None = None
    outcome: EndsAs = ""
    next: str = ""
    limit: int | None = None
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class KnownId:
    """`asked`: where the id of the thing comes from that a step reads; `member`: where the thing itself has it."""

    asked: Expression
    member: str


@dataclass(frozen=True, slots=True)
class EarlierRead:
    """What a read shows of a thing before a partial update. `back`: the step that reads it back; `expects`: what that
    one is to show, as far as a caller may ask for it. `thing`: where it stands in a list, None where the reply is of it
    alone. `schemas`: those of the inputs, by name.
    """

    back: str
    expects: tuple[Expectation, ...]
    thing: CompiledSelector | None
    schemas: Json


@dataclass(frozen=True, slots=True)
class ProgramStep:
    """One step. `request` is None and `workflow_id` set where it calls a workflow, with `arguments` as its inputs.

    `effect`: read, create, update, delete, act or session. `role`: why the step is there, where the document says it.
    `is_safe`: sending it changes nothing; `is_idempotent`: sending it twice is as sending it once.
    `pages`: how the list in its reply goes on. `expects`: what it has to show of the changes before it. `decides`: it
    tells whether the change before it was made, also where that one's answer was lost. `stalls_after_s`: a wait in
    which `watches` stay the same for so long is given up.
    `pages`: how the list in its reply goes on. `version`: where its reply has the version that a later write names.
    `allows`: what a later write sends, which the thing that is read here has to allow. `which`: the id of what it
    reads, where an earlier step knows it. `keeps`: what is kept of its reply, to be held against a later one.
    `is_compared`: it shows the thing that the next change is about, so that it tells what a refusal left of it.
    """

    step_id: str
    description: str
    method: str
    path_template: str
    effect: str
    role: str
    is_safe: bool
    is_idempotent: bool
    timeout_s: float | None
    request: BoundRequest | None = None
    workflow_id: str = ""
    arguments: tuple[tuple[str, Value], ...] = ()
    success: tuple[CompiledCriterion, ...] = ()
    on_success: tuple[ProgramAction, ...] = ()
    on_failure: tuple[ProgramAction, ...] = ()
    outputs: tuple[ProgramOutput, ...] = ()
    message: Template | None = None
    pages: Pages | None = None
    expects: tuple[Expectation, ...] = ()
    decides: bool = False
    watches: tuple[Value, ...] = ()
    stalls_after_s: float | None = None
    version: VersionRule | None = None
    allows: Allowance | None = None
    which: KnownId | None = None
    keeps: EarlierRead | None = None
    is_compared: bool = False
    pointer: str = ""

    @property
    def key(self) -> str:
        """The operation's key, `METHOD /path/template`; empty for a call of a workflow."""
        return f"{self.method} {self.path_template}" if self.method else ""


@dataclass(frozen=True, slots=True)
class WorkflowProgram:
    """One workflow of the document."""

    workflow_id: str
    steps: tuple[ProgramStep, ...]
    inputs: InputSchema
    outputs: tuple[ProgramOutput, ...] = ()
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """`workflows`: `main` and all that it calls, by id. `sources`: a source description's members by its name.

    `identifies`: which inputs say what thing it is about (see `equivalence`); None: all of them.
    """

    main: WorkflowProgram
    workflows: Mapping[str, WorkflowProgram]
    api: str
    base_path: str
    deadline_s: float = DEADLINE_S
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    self_uri: str = ""
    identifies: Mapping[str, tuple[str, str]] | None = None

    @property
    def workflow_id(self) -> str:
        return self.main.workflow_id

    @property
    def steps(self) -> tuple[ProgramStep, ...]:
        return self.main.steps

    @property
    def inputs_schema(self) -> Mapping[str, Json]:
        return self.main.inputs.schema

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the workflow's outputs."""
        return tuple(output.name for output in self.main.outputs)

    @property
    def is_read_only(self) -> bool:
        """Whether every step of every workflow involved is safe."""
        return all(step.is_safe or step.workflow_id for flow in self.workflows.values() for step in flow.steps)


def step_of(program: Program, key: str) -> ProgramStep | None:
    """The step of the main workflow with this key; None for what a workflow that it calls has."""
    return next((step for step in program.steps if step.step_id == key), None)


def changes(program: Program) -> tuple[str, ...]:
    """The keys of all steps that change something, also in the workflows called, in the document's order."""
    return _changes(program, program.main, "", 0)


def _changes(program: Program, flow: WorkflowProgram, prefix: str, depth: int) -> tuple[str, ...]:
    keys: list[str] = []
    for step in flow.steps:
        key = prefix + step.step_id
        if step.workflow_id and depth < MAX_DEPTH:
            keys += _changes(program, program.workflows[step.workflow_id], f"{key}/", depth + 1)
        elif not step.is_safe:
            keys.append(key)
    return tuple(keys)
