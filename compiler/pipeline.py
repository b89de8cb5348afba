"""The whole of compiling in one place: the passes in order, then documents, checks and proofs.

Here live the order and its reasons; what a pass does lives in `compiler.passes`. The IR is verified before the first
pass and after each. Called by `compiler.commands`; stores nothing (see `submission`) and prints nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from workflow.checks import Finding, check

from compiler.backend.arazzo import document_of
from compiler.compiled import Compiled, CompiledWorkflow
from compiler.facts import operation_index
from compiler.frontend import load_api
from compiler.ir import verifier
from compiler.ir.model import Api, Diagnostic, Flow, Severity
from compiler.passes import effects, jobs, links, resources
from compiler.passes.flows import plan
from compiler.passes.outcome import Options, Outcome, Pass
from compiler.proving import Prover
from workflow.errors import DocumentError
from workflow.operations import OperationIndex
from workflow.profile import Profile, read_profile
from workflow.tool import tool_definition
from workflow.writer import write_document

PROFILE_NAME = "profile.yaml"

UNDERSTANDING: tuple[tuple[str, Pass], ...] = (
    ("effects", effects.run),  # first: everything else asks what an operation does
    ("resources", resources.run),  # needs effects to tell a creation from an action
    ("jobs", jobs.run),  # needs effects to know what can start a job
    ("links", links.run),  # needs resources and jobs, the makers of values
)
PLANNING: tuple[tuple[str, Pass], ...] = (("flows", plan.run),)  # backwards along the links
PASSES = tuple(name for name, _ in (*UNDERSTANDING, *PLANNING))

Progress = Callable[[str, int, int], None]
"""Called with the name of the stage, how many of its parts are done, and how many there are."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """No progress shown: for pipes and tests."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to compile. `profile`: a file; None looks for `profile.yaml` beside the description."""

    spec: Path
    profile: Path | None = None
    overlay: Path | None = None
    root: Path | None = None


def find_profile(request: Request) -> Profile | None:
    """The profile that was named, else the one beside the description, else none. Raises ProfileError, OSError."""
    beside = request.spec.parent / PROFILE_NAME
    path = request.profile or (beside if beside.is_file() else None)
    return read_profile(path) if path is not None else None


def run_passes(api: Api, passes: tuple[tuple[str, Pass], ...], options: Options, until: str | None = None) -> Outcome:
    """The passes in order, up to and with `until`. Raises CompilerBug when one of them breaks the IR."""
    verifier.verify(api)
    found: tuple[Diagnostic, ...] = ()
    for name, run in passes:
        outcome = run(api, options)
        verifier.verify(outcome.api, since=api)
        api, found = outcome.api, (*found, *outcome.diagnostics)
        if name == until:
            break
    return Outcome(api, found)


def options_for(api: Api, profile: Profile | None) -> Options:
    return Options(profile or Profile(api=api.name), is_assumed=profile is None)


def understand(api: Api, profile: Profile | None) -> Outcome:
    """The API with effects, resources, jobs and links: what the twin is made from."""
    return run_passes(api, UNDERSTANDING, options_for(api, profile))


def plan_flows(api: Api, profile: Profile | None) -> Outcome:
    """The understood API with its flows."""
    return run_passes(api, PLANNING, options_for(api, profile))


def dump(request: Request, after: str) -> Api:
    """The IR as it is after the pass `after`."""
    profile = find_profile(request)
    loaded = load_api(request.spec, root=request.root, profile=profile, overlay=request.overlay)
    return run_passes(loaded.api, (*UNDERSTANDING, *PLANNING), options_for(loaded.api, profile), after).api


def compile_spec(request: Request, progress: Progress = silent) -> Compiled:
    """The description, compiled: every workflow checked and proved on the twin. Raises as `load_api` does."""
    profile = find_profile(request)
    progress("read", 0, 1)
    loaded = load_api(request.spec, root=request.root, profile=profile, overlay=request.overlay)
    understood = understand(loaded.api, profile)
    planned = plan_flows(understood.api, profile)
    found = (*loaded.diagnostics, *understood.diagnostics, *planned.diagnostics)
    return verify_flows(planned.api, profile, found, progress)


def verify_flows(
    api: Api, profile: Profile | None, found: tuple[Diagnostic, ...], progress: Progress = silent
) -> Compiled:
    """Documents of all flows, each checked statically and run on the twin. What fails a check is not kept."""
    index = operation_index(api)
    prover = Prover(api, profile or Profile(api=api.name))
    workflows, refused = [], []
    for number, flow in enumerate(api.flows):
        progress("prove", number, len(api.flows))
        made = _verified(api, flow, profile, index, prover)
        if isinstance(made, CompiledWorkflow):
            workflows.append(made)
        else:
            refused.append((flow, made))
    return Compiled(
        api=_with_reasons(api, workflows, refused),
        profile=profile,
        workflows=tuple(workflows),
        diagnostics=(*found, *(_refusal(flow, why) for flow, why in refused)),
    )


def _verified(
    api: Api, flow: Flow, profile: Profile | None, index: OperationIndex, prover: Prover
) -> CompiledWorkflow | str:
    """The workflow with its proof, or why it is not kept."""
    try:
        document = document_of(api, flow, profile)
    except DocumentError as error:
        return str(error)
    errors = [finding for finding in check(document, index) if finding.severity == "error"]
    if errors:
        return _told(errors[0])
    proof = prover.prove(flow, document)
    if not proof.is_verified:
        return f"the run on the twin did not reach its outcome: {proof.reason}"
    return CompiledWorkflow(
        flow=flow,
        document=write_document(document),
        tool=tool_definition(document).to_json(),
        proof=proof.to_json(),
        is_verified=True,
    )


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


def _with_reasons(api: Api, kept: list[CompiledWorkflow], refused: list[tuple[Flow, str]]) -> Api:
    """Operations that only refused flows reach are left out with the reason; refused flows are dropped."""
    reached = {step.operation for one in kept for step in one.flow.steps}
    reasons = {flow.goal: f"no workflow could be proved: {why}" for flow, why in refused}
    operations = tuple(
        operation
        if operation.key in reached or operation.left_out
        else replace(operation, left_out=reasons.get(operation.key, "only workflows that could not be proved need it"))
        for operation in api.operations
    )
    return replace(api, operations=operations, flows=tuple(one.flow for one in kept))
