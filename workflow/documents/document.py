"""An Arazzo document as typed, frozen values: one class per object of the Arazzo Specification 1.1.

Here live shapes only. Here never live reading (see `reader`), writing (see `writer`), meaning (see `plan`) or
judgement (see `checks`). Expressions, criteria and schemas stand as written; `extensions` holds the `x-…` members.
Absent members are None, an empty tuple or an empty mapping; ABSENT where None would be a value of its own.
Made by `reader` and by the compiler's back end, read by `writer`, `checks`, `plan` and `tool`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

Json = Any
Extensions = Mapping[str, Json]
ActionType = Literal["end", "goto", "retry"]

OURS = "x-switchgear"


class Absent(Enum):
    """The value of a member that is not there, where null would say something else."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


def _nothing() -> Mapping[str, Json]:
    return {}


@dataclass(frozen=True, slots=True)
class Unread:
    """A value that the official schema lets through though it is none of the kinds it should be; `checks` refuse it."""

    value: Json


@dataclass(frozen=True, slots=True)
class ExpressionType:
    """`type` with its `version`, where a document names both."""

    type: str
    version: str
    extensions: Extensions = field(default_factory=_nothing)


SelectorType = str | ExpressionType


@dataclass(frozen=True, slots=True)
class Selector:
    """A query (`selector`) of a kind (`type`) over what the runtime expression `context` gives."""

    context: str
    selector: str
    type: SelectorType
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Criterion:
    """`type` as written; None means simple. `version` beside `type` is Arazzo 1.0's way; 1.1 nests it in `type`."""

    condition: str
    context: str | None = None
    type: SelectorType | None = None
    version: str | None = None
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`location` is Arazzo's `in`; None where the parameter is an input of a workflow."""

    name: str
    value: Json | Selector
    location: str | None = None
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Reusable:
    """A reference into the components; `value` replaces the value of the parameter that is meant."""

    reference: str
    value: Json | Absent = ABSENT


ParameterEntry = Parameter | Reusable | Unread


@dataclass(frozen=True, slots=True)
class Replacement:
    """What to set, and where in the payload."""

    target: str
    value: str | Selector
    target_type: SelectorType | None = None
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class RequestBody:
    content_type: str | None = None
    payload: Json | Absent = ABSENT
    replacements: tuple[Replacement, ...] = ()
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class SuccessAction:
    name: str
    type: ActionType
    workflow_id: str | None = None
    step_id: str | None = None
    parameters: tuple[ParameterEntry, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class FailureAction:
    """`retry_after` in seconds, `retry_limit` in attempts after the first."""

    name: str
    type: ActionType
    workflow_id: str | None = None
    step_id: str | None = None
    parameters: tuple[ParameterEntry, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    retry_after: float | None = None
    retry_limit: int | None = None
    extensions: Extensions = field(default_factory=_nothing)


Outputs = Mapping[str, str | Selector | Unread]


@dataclass(frozen=True, slots=True)
class Step:
    """Exactly one of `operation_id`, `operation_path`, `workflow_id`, `channel_path` is set. `timeout` in ms."""

    step_id: str
    description: str | None = None
    operation_id: str | None = None
    operation_path: str | None = None
    workflow_id: str | None = None
    channel_path: str | None = None
    parameters: tuple[ParameterEntry, ...] = ()
    request_body: RequestBody | None = None
    success_criteria: tuple[Criterion, ...] = ()
    on_success: tuple[SuccessAction | Reusable, ...] = ()
    on_failure: tuple[FailureAction | Reusable, ...] = ()
    outputs: Outputs = field(default_factory=_nothing)
    timeout: int | None = None
    action: str | None = None
    depends_on: tuple[str, ...] = ()
    correlation_id: Json | Absent = ABSENT
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Workflow:
    """`inputs` is a JSON Schema 2020-12, None where the workflow declares none."""

    workflow_id: str
    steps: tuple[Step, ...]
    summary: str | None = None
    description: str | None = None
    inputs: Mapping[str, Json] | bool | None = None
    depends_on: tuple[str, ...] = ()
    success_actions: tuple[SuccessAction | Reusable, ...] = ()
    failure_actions: tuple[FailureAction | Reusable, ...] = ()
    outputs: Outputs = field(default_factory=_nothing)
    parameters: tuple[Parameter | Reusable, ...] = ()
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class SourceDescription:
    name: str
    url: str
    type: str | None = None
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Info:
    title: str
    version: str
    summary: str | None = None
    description: str | None = None
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Components:
    """Keys are the names under which `$components.…` and `#/components/inputs/…` find the objects."""

    inputs: Mapping[str, Json] = field(default_factory=_nothing)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    success_actions: Mapping[str, SuccessAction] = field(default_factory=dict)
    failure_actions: Mapping[str, FailureAction] = field(default_factory=dict)
    extensions: Extensions = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Document:
    """`arazzo` is the version as written, such as `1.1.0`; `self_uri` is the member `$self`."""

    arazzo: str
    info: Info
    source_descriptions: tuple[SourceDescription, ...]
    workflows: tuple[Workflow, ...]
    components: Components = field(default_factory=Components)
    self_uri: str | None = None
    extensions: Extensions = field(default_factory=_nothing)

    def workflow(self, workflow_id: str) -> Workflow | None:
        """The workflow with this id, if the document holds one."""
        return next((w for w in self.workflows if w.workflow_id == workflow_id), None)


def ours(part: Step | Workflow | Document | SuccessAction | FailureAction | Parameter) -> Mapping[str, Json]:
    """The `x-switchgear` member of `part`; empty where there is none or it is no object."""
    own = part.extensions.get(OURS)
    return own if isinstance(own, Mapping) else {}
