"""What runtime expressions can see at one moment of a run.

Here live plain values; who fills them is the interpreter. Only the current step's request and reply are visible, and
only the outputs of finished steps and workflows (Arazzo 1.1, "Runtime Expressions").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from workflow.documents.document import Json


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as expressions see it; header names in lower case. `said`: the device's sentences in it, for people."""

    status: int
    headers: Mapping[str, str]
    body: Json
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """The request that was answered, by the names of its parameters; header names in lower case."""

    method: str
    url: str
    path: Mapping[str, Json]
    query: Mapping[str, Json]
    header: Mapping[str, Json]
    body: Json


def nothing_sent() -> None:
    """No request has been sent."""


@dataclass(slots=True)
class Scope:
    """`steps`: outputs by step id. `outputs`: of the workflow that the current step called. `sent` is made on demand.

    `sources`: a source description's members by its name.
    """

    inputs: Mapping[str, Json] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    outputs: Mapping[str, Json] = field(default_factory=dict)
    workflows: Mapping[str, Mapping[str, Mapping[str, Json]]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    self_uri: str = ""
    reply: Reply | None = None
    sent: Callable[[], Sent | None] = nothing_sent
