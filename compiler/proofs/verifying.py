"""From flows to verified workflows: documents, static checks, and the run on the twin.

Called by `compiler.verification` and, for single workflows, by `compiler.proposals`. What fails a check or does not
reach its outcome on the twin is tried once more with less to show, then not kept, and its operations are left out with
the reason (DESIGN.md, "Proof"); where only a sample that fits is lacking, it is kept without a proof, and that is said.
An error of ours in a flow costs that flow and is a finding (`containment`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from compiler.arazzo import document_of
from compiler.budget import default_catalog
from compiler.compiled import Compiled, CompiledWorkflow
from compiler.containment import Containment, attempt, fault
from compiler.errors import CompilerBug
from compiler.facts import operation_index
from compiler.ir.model import Api, Diagnostic, Flow, Severity
from compiler.isolating import isolated
from compiler.passes.flows.simpler import NOT_LOOKED, PLAIN_INTENTS, without_look, without_sight
from compiler.passes.flows.wording.linter import alike, faults
from compiler.proofs.approval_facts import risk_reasons
from compiler.proofs.proving import Prover
from compiler.stages import Progress, silent
from workflow.checking.checks import Finding, checked
from workflow.documents.writer import write_document
from workflow.errors import DocumentError
from workflow.profiles.profile import Profile
from workflow.tool import tool_definition


def verify_flows(
    api: Api,
    profile: Profile | None,
    found: tuple[Diagnostic, ...],
    progress: Progress = silent,
    *,
    plays_all: bool = False,
) -> Compiled:
    """Documents of all flows, each checked statically and run on the twin. What fails a check is not kept.

    Raises CompilerBug where there is no twin to run on, whatever operation is left out.
    """
    verifier = Verifier(api, profile, plays_all)
    workflows: list[CompiledWorkflow] = []
    refused: list[tuple[Flow, Diagnostic]] = []
    for number, flow in enumerate(api.flows):
        progress("prove", number, len(api.flows))
        made = verifier.verified(flow)
        if isinstance(made, CompiledWorkflow):
            workflows.append(made)
        else:
            refused.append((flow, made))
    workflows, refused, told = _with_second_tries(verifier, workflows, refused)
    catalog = Containment("the default catalog")
    workflows = catalog.tried(api.name, lambda: with_catalog(workflows, profile), workflows)
    found = (*found, *_wording([one.flow for one in workflows], api.name))
    return Compiled(
        api=_with_reasons(api, workflows, refused),
        profile=profile,
        workflows=tuple(workflows),
        diagnostics=(*found, *verifier.diagnostics, *(why for _, why in refused), *told, *catalog.diagnostics),
    )


def with_catalog(workflows: list[CompiledWorkflow], profile: Profile | None) -> list[CompiledWorkflow]:
    """The workflows, those of the default catalog marked."""
    proved = [one for one in workflows if one.is_verified]
    told = default_catalog(proved, profile.overrides.pin if profile else ())
    core = {name for name, why in told.items() if why.startswith("in:")}
    return [replace(one, flow=replace(one.flow, is_core=one.flow.id in core)) for one in workflows]


def _with_second_tries(
    verifier: "Verifier", workflows: list[CompiledWorkflow], refused: list[tuple[Flow, Diagnostic]]
) -> tuple[list[CompiledWorkflow], list[tuple[Flow, Diagnostic]], list[Diagnostic]]:
    """What is kept, what is refused and what is said, when operations that nothing kept reaches are tried once more.

    First without the look whether a thing is there, and without what is read back; then, where the twin had no sample
    that fits, which is no fault of the workflow, as it is, without a proof and with that said.
    """
    reached = {step.operation for one in workflows for step in one.flow.steps}
    made: list[CompiledWorkflow] = []
    left: list[tuple[Flow, Diagnostic]] = []
    for flow, why in refused:
        is_needed = flow.goal not in reached and flow.intent in PLAIN_INTENTS
        kept = verifier.second_try(flow) if is_needed else None
        if kept is None:
            left.append((flow, why))
        else:
            made.append(kept)
    kept_all = sorted([*workflows, *made], key=lambda one: one.flow.id)
    return kept_all, left, [_said_of(one) for one in made]


def _said_of(one: CompiledWorkflow) -> Diagnostic:
    if one.is_verified and NOT_LOOKED in one.flow.why:
        text = "kept without a look whether it is there: on the twin it is not"
        return Diagnostic("workflow-not-read-back", Severity.NOTE, one.flow.id, f"{one.flow.goal}: {text}")
    if one.is_verified:
        text = "kept without what is read back: on the twin it was not seen what had become of the change"
        return Diagnostic("workflow-not-read-back", Severity.NOTE, one.flow.id, f"{one.flow.goal}: {text}")
    message = f"{one.flow.goal}: kept without a proof, since no sample fits: {one.proof['reason']}"
    fields = "`overrides.defaults` for a member of the body, an example in an overlay for a parameter"
    return Diagnostic(
        "workflow-unproved", Severity.WARNING, one.flow.id, message, f"give a value in the profile: {fields}"
    )


class Verifier:
    """What all flows of one API are verified with, made once. `diagnostics`: what the twin had to be made without."""

    def __init__(self, api: Api, profile: Profile | None, plays_all: bool) -> None:
        self._api = api
        self._profile = profile
        self._operations = {operation.key: operation for operation in api.operations}
        self._index = operation_index(api)
        contained = Containment("the twin")
        told = profile or Profile(api=api.name)
        prover = isolated(api, lambda some: Prover(some, told, plays_all=plays_all), contained)
        self.diagnostics = contained.diagnostics
        if prover is None:
            raise CompilerBug(self.diagnostics[-1].message, remedy=self.diagnostics[-1].remedy)
        self._prover = prover
        self._stage = ""

    def verified(self, flow: Flow) -> CompiledWorkflow | Diagnostic:
        """The workflow with its proof, or why it is not kept."""
        made, error = attempt(lambda: self._kept(flow))
        return fault(self._stage, flow.id, error) if error is not None else cast(CompiledWorkflow | Diagnostic, made)

    def second_try(self, flow: Flow) -> CompiledWorkflow | None:
        """The workflow with less to show, or without a proof where only a sample is lacking; else None."""
        lesser, blind = without_sight(flow), without_look(flow)
        tries = ((blind, False), (lesser, False), (flow, True), (lesser, True))
        found = (attempt(lambda one=one, way=way: self._kept(one, takes_unproved=way)) for one, way in tries if one)  # type: ignore[misc]
        return next((made for made, _ in found if isinstance(made, CompiledWorkflow)), None)

    def _kept(self, flow: Flow, takes_unproved: bool = False) -> CompiledWorkflow | Diagnostic:
        self._stage = "the writer"
        try:
            document = document_of(self._api, flow, self._profile, self._operations)
        except DocumentError as error:
            return _refusal(flow, str(error))
        self._stage = "the checks"
        findings, program = checked(document, self._index)
        if program is None:
            return _refusal(flow, _told(findings[0]))
        self._stage = "the proof"
        proof = self._prover.prove(flow, document, program)
        if not proof.is_verified and not (takes_unproved and proof.lacks_sample):
            return _refusal(flow, f"the run on the twin did not reach its outcome: {proof.reason}")
        self._stage = "the tool"
        return CompiledWorkflow(
            flow=flow,
            document=write_document(document),
            tool=tool_definition(document).to_json(),
            proof={**proof.to_json(), "risk": risk_reasons(flow, self._operations, self._profile)},
            is_verified=proof.is_verified,
        )


def _wording(flows: Sequence[Flow], api: str) -> Iterator[Diagnostic]:
    """What a person would not accept of the wording of what is stored."""
    remedy = "name the workflow in the profile's `overrides.rename`"
    for flow in flows:
        for said in faults(flow, api):
            yield Diagnostic("wording", Severity.NOTE, flow.id, said, remedy)
    for same in alike(flows).values():
        named = ", ".join(flow.id for flow in same)
        yield Diagnostic("wording", Severity.NOTE, same[0].id, f"{named} have titles that say the same", remedy)


def _told(finding: Finding) -> str:
    return f"{finding.message} (at {finding.pointer})"


def _refusal(flow: Flow, why: str) -> Diagnostic:
    return Diagnostic(
        "workflow-not-proved",
        Severity.WARNING,
        flow.id,
        f"{flow.goal}: {why}",
        "say in the profile what the description leaves out, or leave the operation out",
    )


def _with_reasons(api: Api, kept: list[CompiledWorkflow], refused: list[tuple[Flow, Diagnostic]]) -> Api:
    """Operations that only refused flows reach are left out with the reason; refused flows are dropped."""
    reached = {step.operation for one in kept for step in one.flow.steps}
    told = {flow.goal: why.message.removeprefix(f"{flow.goal}: ") for flow, why in refused}
    reasons = {goal: f"no workflow could be proved: {why}" for goal, why in told.items()}
    operations = tuple(
        operation
        if operation.key in reached or operation.left_out
        else replace(operation, left_out=reasons.get(operation.key, "only workflows that could not be proved need it"))
        for operation in api.operations
    )
    return replace(api, operations=operations, flows=tuple(one.flow for one in kept))


def rewritten(compiled: Compiled, flow: Flow, one: CompiledWorkflow) -> CompiledWorkflow:
    """The workflow with the document of `flow`, which differs from its own in nothing that is run."""
    document = document_of(compiled.api, flow, compiled.profile)
    return replace(one, flow=flow, document=write_document(document), tool=tool_definition(document).to_json())
