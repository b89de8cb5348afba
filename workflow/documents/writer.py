"""Writing a document: `document.Document` in, JSON out, so that reading it again gives the same value.

The inverse of `reader`; members that are absent or empty are left out. Member order follows the specification, so
that what people read begins with the ids. Called by the compiler's back end and whoever stores or prints a document.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from workflow.documents.document import (
    ABSENT,
    Components,
    Criterion,
    Document,
    ExpressionType,
    FailureAction,
    Info,
    Json,
    Outputs,
    ParameterEntry,
    Replacement,
    RequestBody,
    Reusable,
    Selector,
    SelectorType,
    SourceDescription,
    Step,
    SuccessAction,
    Unread,
    Workflow,
)

T = TypeVar("T")


def write_document(document: Document) -> dict[str, Json]:
    """The document as JSON. `read_document` of it equals `document`."""
    return _object(
        document.extensions,
        {
            "arazzo": document.arazzo,
            "$self": document.self_uri,
            "info": _info(document.info),
            "sourceDescriptions": [_source(each) for each in document.source_descriptions],
            "workflows": [_workflow(each) for each in document.workflows],
            "components": _components(document.components) or None,
        },
    )


def _object(extensions: Mapping[str, Json], members: Mapping[str, Json]) -> dict[str, Json]:
    """The members that are there, then the extensions."""
    return {name: value for name, value in members.items() if value is not None} | dict(extensions)


def _list(values: Iterable[T], write: Callable[[T], Json]) -> list[Json] | None:
    return [write(value) for value in values] or None


def _info(info: Info) -> dict[str, Json]:
    members = {
        "title": info.title,
        "summary": info.summary,
        "description": info.description,
        "version": info.version,
    }
    return _object(info.extensions, members)


def _source(source: SourceDescription) -> dict[str, Json]:
    return _object(source.extensions, {"name": source.name, "url": source.url, "type": source.type})


def _components(components: Components) -> dict[str, Json]:
    members = {
        "inputs": dict(components.inputs) or None,
        "parameters": _named(components.parameters, _parameter),
        "successActions": _named(components.success_actions, _action),
        "failureActions": _named(components.failure_actions, _action),
    }
    return _object(components.extensions, members)


def _named(values: Mapping[str, T], write: Callable[[T], Json]) -> dict[str, Json] | None:
    return {name: write(value) for name, value in values.items()} or None


def _workflow(workflow: Workflow) -> dict[str, Json]:
    members = {
        "workflowId": workflow.workflow_id,
        "summary": workflow.summary,
        "description": workflow.description,
        "inputs": workflow.inputs,
        "dependsOn": list(workflow.depends_on) or None,
        "parameters": _list(workflow.parameters, _parameter),
        "steps": [_step(each) for each in workflow.steps],
        "successActions": _list(workflow.success_actions, _action),
        "failureActions": _list(workflow.failure_actions, _action),
        "outputs": _outputs(workflow.outputs),
    }
    return _object(workflow.extensions, members)


def _step(step: Step) -> dict[str, Json]:
    members = {
        "stepId": step.step_id,
        "description": step.description,
        "operationId": step.operation_id,
        "operationPath": step.operation_path,
        "channelPath": step.channel_path,
        "workflowId": step.workflow_id,
        "action": step.action,
        "correlationId": None if step.correlation_id is ABSENT else step.correlation_id,
        "timeout": step.timeout,
        "dependsOn": list(step.depends_on) or None,
        "parameters": _list(step.parameters, _parameter),
        "requestBody": None if step.request_body is None else _request_body(step.request_body),
        "successCriteria": _list(step.success_criteria, _criterion),
        "onSuccess": _list(step.on_success, _action),
        "onFailure": _list(step.on_failure, _action),
        "outputs": _outputs(step.outputs),
    }
    return _object(step.extensions, members)


def _parameter(entry: ParameterEntry) -> Json:
    if isinstance(entry, Unread):
        return entry.value
    if isinstance(entry, Reusable):
        return _reusable(entry)
    head = {"name": entry.name, "in": entry.location}
    return _object(entry.extensions, _object({"value": _value(entry.value)}, head))


def _reusable(entry: Reusable) -> dict[str, Json]:
    return {"reference": entry.reference} | ({} if entry.value is ABSENT else {"value": entry.value})


def _action(action: SuccessAction | FailureAction | Reusable) -> dict[str, Json]:
    if isinstance(action, Reusable):
        return _reusable(action)
    retry = (action.retry_after, action.retry_limit) if isinstance(action, FailureAction) else (None, None)
    members = {
        "name": action.name,
        "type": action.type,
        "workflowId": action.workflow_id,
        "stepId": action.step_id,
        "parameters": _list(action.parameters, _parameter),
        "retryAfter": retry[0],
        "retryLimit": retry[1],
        "criteria": _list(action.criteria, _criterion),
    }
    return _object(action.extensions, members)


def _criterion(criterion: Criterion) -> dict[str, Json]:
    members = {
        "context": criterion.context,
        "condition": criterion.condition,
        "type": None if criterion.type is None else _type(criterion.type),
        "version": criterion.version,
    }
    return _object(criterion.extensions, members)


def _type(kind: SelectorType) -> Json:
    if isinstance(kind, ExpressionType):
        return _object(kind.extensions, {"type": kind.type, "version": kind.version})
    return kind


def _value(value: Json | Selector) -> Json:
    if isinstance(value, Unread):
        return value.value
    if not isinstance(value, Selector):
        return value
    members = {"context": value.context, "selector": value.selector, "type": _type(value.type)}
    return _object(value.extensions, members)


def _outputs(outputs: Outputs) -> dict[str, Json] | None:
    return {name: _value(value) for name, value in outputs.items()} or None


def _request_body(body: RequestBody) -> dict[str, Json]:
    payload = {} if body.payload is ABSENT else {"payload": body.payload}
    head = _object(payload, {"contentType": body.content_type})
    return _object(body.extensions, head | {"replacements": _list(body.replacements, _replacement)})


def _replacement(replacement: Replacement) -> dict[str, Json]:
    members = {
        "target": replacement.target,
        "targetSelectorType": None if replacement.target_type is None else _type(replacement.target_type),
        "value": _value(replacement.value),
    }
    return _object(replacement.extensions, members)
