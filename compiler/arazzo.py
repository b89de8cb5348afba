"""Writing a flow down as an Arazzo 1.1 document: the form that is approved, stored, checked and run.

One document, one workflow. What Arazzo cannot say stands in `x-switchgear` members (docs/ARCHITECTURE.md lists them).
Operations are named by `operationPath`, so that the runtime needs no OpenAPI document.
Follows the Arazzo Specification 1.1. Called by the pipeline; no judgement here, the flow is taken as planned.
"""

from collections.abc import Mapping
from typing import Any

from compiler.ir.model import Api, Effect, Flow, FlowStep, Operation
from workflow.documents.calls import pointer_of
from workflow.documents.document import Document
from workflow.documents.operations import SAFE_METHODS
from workflow.documents.reader import read_document
from workflow.profiles.profile import Profile

FORMAT = 1
_USUAL_S = 300  # a handful of requests to a slow management controller


def document_of(
    api: Api, flow: Flow, profile: Profile | None, operations: Mapping[str, Operation] | None = None
) -> Document:
    """The document of `flow`; `operations`: those of the API by key, where somebody has them already.

    Raises DocumentError if the planner made something that is no Arazzo (our fault).
    """
    by_key = operations if operations is not None else {operation.key: operation for operation in api.operations}
    return read_document(write(api, flow, profile, by_key), flow.id)


def write(api: Api, flow: Flow, profile: Profile | None, by_key: Mapping[str, Operation]) -> dict[str, Any]:
    """The document as plain JSON values, members in the specification's order."""
    used = sorted({step.operation for step in flow.steps})
    ours: dict[str, Any] = {"format": FORMAT, "api": api.name, "spec": api.digest}
    if profile is not None:
        ours["profile"] = profile.digest
    ours |= {"base_path": api.base_path, "operations": {key: by_key[key].digest for key in used}}
    return {
        "arazzo": "1.1.0",
        "info": {"title": flow.title, "version": "1"},
        "sourceDescriptions": [{"name": _source(api), "url": "openapi.yaml", "type": "openapi"}],
        "workflows": [_workflow(api, flow, by_key)],
        "x-switchgear": ours,
    }


def _source(api: Api) -> str:
    return api.name.replace("-", "_")


def _workflow(api: Api, flow: Flow, by_key: Mapping[str, Operation]) -> dict[str, Any]:
    identifies = {} if flow.identifies is None else {"identifies": dict(flow.identifies)}
    asked_as = {"asked_as": list(flow.asked_as)} if flow.asked_as else {}
    proposed = {"proposed": dict(flow.proposed)} if flow.proposed else {}
    shown = [given.name for given in flow.inputs if given.shown]
    tool = {"name": flow.id, "title": flow.title, "description": flow.description, "shown": shown}
    return {
        "workflowId": flow.id,
        "summary": flow.title,
        "description": flow.description,
        "inputs": _inputs(flow),
        "steps": [_step(by_key[step.operation], _source(api), step) for step in flow.steps],
        "outputs": dict(flow.outputs),
        "x-switchgear": {
            "intent": flow.intent,
            "risk": flow.risk.value,
            "resource": flow.resource,
            "deadline_s": _deadline_s(flow),
            **identifies,
            **asked_as,
            **proposed,
            "tool": tool,
            "outputs": dict(flow.output_schema),
        },
    }


def _deadline_s(flow: Flow) -> int:
    """All the waiting that the steps allow themselves, and as much again as a run without waiting may take."""
    waits = (f.get("retryAfter", 0) * f.get("retryLimit", 0) for step in flow.steps for f in step.failures)
    return int(sum(waits)) + _USUAL_S


def _inputs(flow: Flow) -> dict[str, Any]:
    properties = {}
    for given in flow.inputs:
        text = {"description": given.description} if given.description else {}
        properties[given.name] = {**given.schema, **text}
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [given.name for given in flow.inputs if given.is_required]
    if required:
        schema["required"] = required
    if flow.conditions:
        schema["allOf"] = [dict(condition) for condition in flow.conditions]
    return schema


def _step(operation: Operation, source: str, step: FlowStep) -> dict[str, Any]:
    effect = operation.effect or Effect.ACT
    ours: dict[str, Any] = {"role": step.role.value, "effect": effect.value, "idempotent": operation.is_idempotent}
    if operation.is_safe and operation.method not in SAFE_METHODS:
        ours["safe"] = True
    if step.transforms:
        ours["transforms"] = dict(step.transforms)
    if step.address:
        ours["address"] = step.address
    if step.renamed:
        ours["renamed"] = step.renamed
    if step.omits:
        ours["omits"] = list(step.omits)
    if step.moved:
        ours["moved"] = step.moved
    if step.placed:
        ours["placed"] = dict(step.placed)
    if step.parts:
        ours["parts"] = {name: dict(part) for name, part in step.parts.items()}
    if step.version:
        ours["version"] = dict(step.version)
    if step.allows:
        ours["allows"] = dict(step.allows)
    if step.pages:
        ours["pages"] = dict(step.pages)
    if step.expects:
        ours["expects"] = [dict(each) for each in step.expects]
    if step.decides:
        ours["decides"] = True
    if step.stalls_after_s is not None:
        ours |= {"watches": list(step.watches), "stalls_after_s": step.stalls_after_s}
    written: dict[str, Any] = {
        "stepId": step.id,
        "description": step.description,
        "operationPath": f"{{$sourceDescriptions.{source}.url}}#{pointer_of(operation.method, operation.written)}",
    }
    if step.parameters:
        written["parameters"] = [_parameter(operation, *bound) for bound in step.parameters]
    if step.payload is not None:
        written["requestBody"] = {"contentType": step.content_type, "payload": step.payload}
    if step.replacements:
        changed = [{"target": pointer, "value": value} for pointer, value in step.replacements]
        written["requestBody"]["replacements"] = changed
    if step.success:
        # What two changes of one workflow ask of the same reply is asked once.
        written["successCriteria"] = [
            dict(each) for at, each in enumerate(step.success) if each not in step.success[:at]
        ]
    if step.branches:
        written["onSuccess"] = [_plain(action) for action in step.branches]
    if step.failures:
        written["onFailure"] = [_plain(action) for action in step.failures]
    if step.outputs:
        written["outputs"] = dict(step.outputs)
    return {**written, "x-switchgear": ours}


def _parameter(operation: Operation, name: str, location: str, value: Any) -> dict[str, Any]:
    """A bound parameter; how it is serialised is said where that is not OpenAPI's default."""
    written: dict[str, Any] = {"name": name, "in": location, "value": value}
    declared = next((p for p in operation.parameters if (p.name, p.location) == (name, location)), None)
    usual = "form" if location in ("query", "cookie") else "simple"
    if declared is not None and (declared.style, declared.explode) != (usual, usual == "form"):
        written["x-switchgear"] = {"style": declared.style, "explode": declared.explode}
    return written


def _plain(action: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in action.items() if value is not None}
