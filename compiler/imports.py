"""Hand-written Arazzo documents, taken up beside the compiled workflows by the same verification.

A document (Arazzo 1.0 or 1.1, YAML or JSON, under the front end's limits) is read, checked against the description,
given what the runtime and the approver need (`x-switchgear`: operations by path, effects, class), and proved on the
twin. What an author says of effects and classes counts for nothing: both come from the operations.
Called by `compiler.commands.compiling`; what fails a check or can't be proved is refused with its place and not stored.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compiler.arazzo import FORMAT
from compiler.compiled import Compiled, CompiledWorkflow
from compiler.errors import SpecError
from compiler.facts import operation_index
from compiler.frontend.documents.files import read_given
from compiler.frontend.documents.limits import DEFAULT_LIMITS
from compiler.frontend.documents.parse import parse_document
from compiler.ir.model import Api, Diagnostic, Effect, Flow, FlowStep, Input, Role, Severity
from compiler.passes.flows.composed import class_of
from compiler.passes.flows.context import Context
from compiler.proofs.approval_facts import risk_reasons
from compiler.proofs.proving import Prover
from workflow.checking.checks import check
from workflow.documents.calls import find_call
from workflow.documents.document import ABSENT, OURS, Document, Parameter, Workflow
from workflow.documents.document import Step as Written
from workflow.documents.operations import OperationIndex
from workflow.documents.reader import read_document
from workflow.documents.writer import write_document
from workflow.errors import DocumentError
from workflow.json.pointers import escape
from workflow.profiles.profile import Profile
from workflow.programs.inputs import followed
from workflow.risks import Risk, worst
from workflow.tool import tool_definition

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COMPARED = re.compile(r"@\.(\w+)\s*==\s*'\{\$inputs\.([\w-]+)\}'")
_REMEDY = (
    "give its inputs `examples` (or a default or an enum) in the workflow's inputs, of things that the twin has: "
    "`switchgear mock` shows them"
)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What every document is judged with."""

    api: Api
    profile: Profile
    profile_digest: str | None
    index: OperationIndex
    context: Context
    prover: Prover


def with_documents(compiled: Compiled, files: Sequence[Path]) -> Compiled:
    """The compile with the workflows of the files; one of a compiled workflow's name takes its place."""
    if not files:  # nothing to judge, so no twin is made for it
        return compiled
    api, profile = compiled.api, compiled.profile or Profile(api=compiled.api.name)
    digest = compiled.profile.digest if compiled.profile else None
    reader = _Reader(api, profile, digest, operation_index(api), Context.of(api, profile), Prover(api, profile))
    own: dict[str, CompiledWorkflow] = {}
    said: list[Diagnostic] = []
    for file in files:
        for one in _of_file(reader, file):
            if isinstance(one, Diagnostic):
                said.append(one)
            else:
                own[one.flow.id] = one
    kept = [one for one in compiled.workflows if one.flow.id not in own]
    workflows = tuple(sorted([*kept, *own.values()], key=lambda one: one.flow.id))
    return replace(
        compiled,
        api=replace(api, flows=tuple(one.flow for one in workflows)),
        workflows=workflows,
        diagnostics=(*compiled.diagnostics, *said),
    )


def _of_file(reader: _Reader, file: Path) -> Iterator[CompiledWorkflow | Diagnostic]:
    """The file's workflows, or why they are refused."""
    try:
        data = parse_document(read_given(file, DEFAULT_LIMITS.json_bytes), file.name, DEFAULT_LIMITS).data
        document = read_document(data, file.name)
    except (SpecError, DocumentError) as error:
        yield _refused(file, error.pointer, error.message, "correct the document")
        return
    errors = [finding for finding in check(document, reader.index) if finding.severity == "error"]
    if errors:
        yield from (_refused(file, e.pointer, e.message, e.remedy) for e in errors)
        return
    for number, workflow in enumerate(document.workflows):
        if not _NAME.fullmatch(workflow.workflow_id):
            message = f"{workflow.workflow_id!r} can't be a tool's name"
            yield _refused(file, f"/workflows/{number}/workflowId", message, "use letters, digits, _ and -, at most 64")
            continue
        yield _verified(reader, file, number, document, workflow)


def _refused(file: Path, pointer: str, message: str, remedy: str) -> Diagnostic:
    return Diagnostic("arazzo-refused", Severity.ERROR, f"{file.name}#{pointer}", message, remedy)


def _verified(
    reader: _Reader, file: Path, number: int, document: Document, workflow: Workflow
) -> CompiledWorkflow | Diagnostic:
    flow = _flow(reader, document, workflow)
    try:
        finished = read_document(_finished(reader, document, workflow, flow), file.name)
        proof = reader.prover.prove(flow, finished)
    except DocumentError as error:
        return _refused(file, error.pointer or f"/workflows/{number}", error.message, "correct the document")
    if not proof.is_verified:
        message = f"{flow.id}: the run on the twin did not reach its outcome: {proof.reason}"
        return Diagnostic("arazzo-not-proved", Severity.ERROR, f"{file.name}#/workflows/{number}", message, _REMEDY)
    tool = tool_definition(finished).to_json()
    risks = risk_reasons(flow, {one.key: one for one in reader.api.operations}, reader.context.profile)
    told = {**proof.to_json(), "risk": risks}
    return CompiledWorkflow(flow, write_document(finished), tool, told, is_verified=True, origin="import")


def _together(document: Document, workflow: Workflow) -> list[Workflow]:
    """The workflow first, then those that it calls, directly or not."""
    found = {workflow.workflow_id: workflow}
    waiting = [workflow]
    while waiting:
        one = waiting.pop()
        actions = (*one.success_actions, *one.failure_actions)
        actions += tuple(a for s in one.steps for a in (*s.on_success, *s.on_failure))
        names = [s.workflow_id for s in one.steps] + [getattr(action, "workflow_id", None) for action in actions]
        for name in names:
            called = document.workflow(name) if name and name not in found else None
            if called is not None:
                found[called.workflow_id] = called
                waiting.append(called)
    return list(found.values())


def _flow(reader: _Reader, document: Document, workflow: Workflow) -> Flow:
    """The workflow in the compiler's terms: what the proof, the report and the store need of it."""
    written = [step for one in _together(document, workflow) for step in one.steps if step.workflow_id is None]
    steps = tuple(_step(reader, document, step) for step in written)
    inputs = _inputs(document, workflow)
    changes = [step for step in steps if step.role is Role.CHANGE]
    goal = (changes or list(steps))[-1].operation if steps else ""
    title = workflow.summary or workflow.workflow_id
    resource = next((r.noun for r in reader.api.resources if goal in _operations_of(r)), "")
    flow = Flow(
        id=workflow.workflow_id,
        intent="act" if changes else "report",
        title=title,
        description=workflow.description or title,
        risk=Risk.READ,
        goal=goal,
        resource=resource,
        steps=steps,
        inputs=inputs,
        why=("written by a person", *(f"{s.id}: {s.operation}: {s.description or 'as written'}" for s in steps)),
        sample=_samples(reader, steps, inputs),
    )
    risk = worst(class_of(reader.context, flow, step) for step in steps)
    return replace(flow, risk=risk)


def _operations_of(resource: Any) -> tuple[str, ...]:
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete)
    return (*own, *resource.actions)


def _step(reader: _Reader, document: Document, step: Written) -> FlowStep:
    operation = reader.context.operations[find_call(document, step, reader.index).key]
    bound = [p for p in step.parameters if isinstance(p, Parameter)]
    body = step.request_body
    payload = body.payload if body is not None and body.payload is not ABSENT and not body.replacements else None
    # Of a list only the first element would be judged: with more, every value counts as sent.
    payload = None if isinstance(payload, list) and len(payload) > 1 else payload
    return FlowStep(
        id=step.step_id,
        operation=operation.key,
        role=Role.READ if operation.effect is Effect.READ else Role.CHANGE,
        description=step.description or "",
        parameters=tuple((p.name, p.location or "", p.value) for p in bound),
        payload=payload,
        success=tuple({"condition": criterion.condition} for criterion in step.success_criteria),
        outputs={name: str(getattr(value, "selector", value)) for name, value in step.outputs.items()},
    )


def _inputs(document: Document, workflow: Workflow) -> tuple[Input, ...]:
    declared = workflow.inputs if isinstance(workflow.inputs, Mapping) else {}
    schema = followed(declared, document.components.inputs)
    required = schema.get("required") or ()
    properties = {name: part for name, part in (schema.get("properties") or {}).items() if isinstance(part, Mapping)}
    return tuple(
        Input(name, part, name in required, str(part.get("description", ""))) for name, part in properties.items()
    )


def _samples(reader: _Reader, steps: Sequence[FlowStep], inputs: Sequence[Input]) -> dict[str, Any]:
    """Where the proof takes each input from: what the author gives, else what the twin has at the place it feeds."""
    found: dict[str, Any] = {}
    for given in inputs:
        told = _told(given.schema)
        source = {"value": told[0]} if told else _fed(reader, steps, given.name)
        if source is not None:
            found[given.name] = source
    return found


def _told(schema: Mapping[str, Any]) -> list[Any]:
    examples = schema.get("examples")
    told = list(examples) if isinstance(examples, list) else []
    told += [schema[name] for name in ("example", "default", "const") if name in schema]
    return told + list(schema.get("enum") or ())


def _fed(reader: _Reader, steps: Sequence[FlowStep], name: str) -> dict[str, Any] | None:
    asked = f"$inputs.{name}"
    for step in steps:
        for parameter, _place, value in step.parameters:
            if value == asked:
                return {"parameter": step.operation, "name": parameter}
        pointer = next((at for at, value in _leaves(step.payload, "") if value == asked), None)
        if pointer is not None:
            return {"body": step.operation, "at": pointer}
        value = _compared(reader, step, name)
        if value is not None:
            return {"value": value}
    return None


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from _leaves(part, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")
    if not isinstance(value, Mapping | list):
        yield pointer, value


def _compared(reader: _Reader, step: FlowStep, name: str) -> Any:
    """What the twin's first item has in the member with which a query of this step compares the input."""
    text = f"{dict(step.outputs)} {step.success}".replace("\\'", "'")
    member = next((member for member, asked in _COMPARED.findall(text) if asked == name), None)
    resource = next((r for r in reader.api.resources if r.list == step.operation), None)
    if member is None or resource is None or "{" in step.operation:
        return None
    items = reader.prover.listed(resource)
    return next((item[member] for item in items if item.get(member)), None)


def _finished(reader: _Reader, document: Document, workflow: Workflow, flow: Flow) -> dict[str, Any]:
    """The document of this workflow alone, with all that the runtime needs to do without the description."""
    together = _together(document, workflow)
    data: dict[str, Any] = copy.deepcopy(dict(write_document(replace(document, workflows=tuple(together)))))
    for one, written in zip(together, data["workflows"], strict=True):
        for step, raw in zip(one.steps, written["steps"], strict=True):
            if step.workflow_id is None:
                _finish_step(reader, document, step, raw)
    first = data["workflows"][0]
    tool = {"name": flow.id, "title": flow.title, "description": flow.description}
    own = _own(first)
    said = {"intent": flow.intent, "risk": flow.risk.value, "resource": flow.resource, "tool": tool}
    first[OURS] = {**own, **said}
    used = sorted({step.operation for step in flow.steps})
    ours: dict[str, Any] = {"format": FORMAT, "api": reader.api.name, "spec": reader.api.digest}
    if reader.profile_digest is not None:
        ours["profile"] = reader.profile_digest
    digests = {key: reader.context.operations[key].digest for key in used}
    data[OURS] = {**ours, "base_path": reader.api.base_path, "operations": digests}
    return data


def _finish_step(reader: _Reader, document: Document, step: Written, raw: dict[str, Any]) -> None:
    call = find_call(document, step, reader.index)
    operation = reader.context.operations[call.key]
    path = escape(call.path)
    raw.pop("operationId", None)
    raw["operationPath"] = f"{{$sourceDescriptions.{call.source}.url}}#/paths/{path}/{call.method.lower()}"
    effect = operation.effect or Effect.ACT
    own = _own(raw)
    role = Role.READ if effect is Effect.READ else Role.CHANGE
    own = {name: value for name, value in own.items() if name != "safe"}
    safe = {"safe": True} if operation.is_safe else {}
    known = {"role": role.value, "effect": effect.value, "idempotent": operation.is_idempotent, **safe}
    raw[OURS] = {**own, **known}
    for bound in raw.get("parameters", ()):
        declared = next((p for p in operation.parameters if (p.name, p.location) == _named(bound)), None)
        usual = "form" if bound.get("in") in ("query", "cookie") else "simple"
        if declared is not None and (declared.style, declared.explode) != (usual, usual == "form"):
            bound[OURS] = {"style": declared.style, "explode": declared.explode}


def _own(raw: Mapping[str, Any]) -> dict[str, Any]:
    own = raw.get(OURS)
    return dict(own) if isinstance(own, Mapping) else {}


def _named(bound: Mapping[str, Any]) -> tuple[Any, Any]:
    return bound.get("name"), bound.get("in")
