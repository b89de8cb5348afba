"""What a compile gives: workflows with their documents and proofs, and what is to be said about the description.

Values only. Made by `pipeline`, read by `report` and `submission`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Api, Diagnostic, Flow
from governance.origins import Origin
from workflow.profiles.profile import Profile
from workflow.revision import RevisionContent


@dataclass(frozen=True, slots=True)
class CompiledWorkflow:
    """`document` is Arazzo 1.1, `tool` an entry of MCP's tools/list, `proof` the transcript of the run on the twin.

    `origin`: how it came about.
    """

    flow: Flow
    document: Mapping[str, Any]
    tool: Mapping[str, Any]
    proof: Mapping[str, Any]
    is_verified: bool
    origin: Origin = "compiled"


@dataclass(frozen=True, slots=True)
class Compiled:
    """`api` as last understood; `profile` None when there was none; workflows in order of their ids."""

    api: Api
    profile: Profile | None
    workflows: tuple[CompiledWorkflow, ...]
    diagnostics: tuple[Diagnostic, ...]

    def content_of(self, workflow: CompiledWorkflow) -> RevisionContent:
        """All that an approver agrees to."""
        digests = {o.key: o.digest for o in self.api.operations}
        used = sorted({step.operation for step in workflow.flow.steps})
        return RevisionContent(
            document=workflow.document,
            tool=workflow.tool,
            operations={key: digests[key] for key in used},
            profile_digest=self.profile.digest if self.profile else None,
        )
