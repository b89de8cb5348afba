"""A workflow made ready to run: every expression, query and schema compiled, every reference followed.

(First the names; the content follows.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflow.document import Document, Json
from workflow.operations import OperationIndex


@dataclass(frozen=True, slots=True)
class PlanStep:
    step_id: str
    description: str
    method: str
    path_template: str
    effect: str
    role: str
    is_safe: bool
    is_idempotent: bool
    timeout_s: float | None
    workflow_id: str = ""

    @property
    def key(self) -> str:
        return f"{self.method} {self.path_template}"


@dataclass(frozen=True, slots=True)
class Plan:
    workflow_id: str
    api: str
    base_path: str
    steps: tuple[PlanStep, ...]
    inputs_schema: Mapping[str, Json]
    deadline_s: float = 900.0
    outputs: Mapping[str, Json] = field(default_factory=dict)

    @property
    def is_read_only(self) -> bool:
        return all(step.is_safe for step in self.steps)


def build_plan(document: Document, workflow_id: str | None = None, operations: OperationIndex | None = None) -> Plan:
    """The plan of the workflow named, else of the first. Raises DocumentError with the pointer of what is wrong."""
    raise NotImplementedError
