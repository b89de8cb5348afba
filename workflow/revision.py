"""The content of a revision: all that a person approves, and its identity.

Here lives nothing about states, decisions or storage (see `governance`). The identity is SHA-256 over the canonical
JSON (RFC 8785) of the content and a format number: a change in any part is another revision.
Made by the compiler, stored by governance, checked again by the runtime before every use.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow.documents.operations import SAFE_METHODS
from workflow.json.canonical import digest

Json = Any
FORMAT = 1
# How the names of workflows begin that call one operation alone (`raw_calls`).
RAW_PREFIX = "raw-"
_SAFE_ENDINGS = tuple(f"/{method.lower()}" for method in SAFE_METHODS)  # of an operationPath


@dataclass(frozen=True, slots=True)
class RevisionContent:
    """`operations` maps an operation's key (`GET /x`) to the digest of its description."""

    document: Json
    tool: Json
    operations: Mapping[str, str] = field(default_factory=dict)
    profile_digest: str | None = None

    @property
    def digest(self) -> str:
        """`sha256:…` over all parts. Computed anew each time. Raises CanonicalError for values that are no JSON."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Json]:
        return {
            "format": FORMAT,
            "document": self.document,
            "tool": self.tool,
            "operations": dict(self.operations),
            "profile": self.profile_digest,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "RevisionContent":
        """The content that `to_json` wrote. Raises KeyError where a part is missing."""
        return cls(data["document"], data["tool"], data["operations"], data["profile"])


def is_raw(workflow_id: str) -> bool:
    """Whether it calls one operation alone, and is in no catalog."""
    return workflow_id.startswith(RAW_PREFIX)


def changes_nothing(tool: Mapping[str, Json]) -> bool:
    """Whether a tool promises that nothing changes: what may be approved without a person as a read."""
    annotations = tool.get("annotations")
    return isinstance(annotations, Mapping) and annotations.get("readOnlyHint") is True


def sends_safe_methods_alone(document: Json) -> bool:
    """Whether each step of a document is a request of a method that is safe by its definition, whatever is said of it.

    A profile or a model can argue about everything else: about this nobody can.
    """
    steps = [step for workflow in document.get("workflows", ()) for step in workflow.get("steps", ())]
    return bool(steps) and all(str(step.get("operationPath", "")).endswith(_SAFE_ENDINGS) for step in steps)
