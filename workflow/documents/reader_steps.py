"""Reading the objects inside a workflow: steps, parameters, criteria, actions, selectors, request bodies.

The lower half of `reader`, which alone calls it. Each function reads one object of the Arazzo Specification 1.1 and
refuses what the official schema refuses. A step's kind follows from its members: `workflowId` makes it a call of a
workflow, `action` an AsyncAPI step, anything else an OpenAPI step.
"""

import re
from collections.abc import Mapping

from workflow.documents.document import (
    ABSENT,
    Criterion,
    ExpressionType,
    FailureAction,
    Json,
    Outputs,
    Parameter,
    ParameterEntry,
    Replacement,
    RequestBody,
    Reusable,
    Selector,
    SelectorType,
    Step,
    SuccessAction,
    Unread,
)
from workflow.errors import DocumentError
from workflow.json.members import MemberPlace, Members, anything, at_least_zero, entries, one_of, text, whole

_LOCATIONS = ("path", "query", "querystring", "header", "cookie", "channel")
_LOCATIONS_1_0 = ("path", "query", "header", "cookie")
_VERSIONS: Mapping[str, tuple[str, ...]] = {
    "jsonpath": ("rfc9535", "draft-goessner-dispatch-jsonpath-00"),
    "xpath": ("xpath-10", "xpath-20", "xpath-30", "xpath-31"),
    "jsonpointer": ("rfc6901",),
}
_OUTPUT_NAME = re.compile(r"[a-zA-Z0-9.\-_]+")
_LOCAL_STEP = re.compile(r"(?!\$)[^\n\r\u2028\u2029]+")
_OTHER_STEP = re.compile(r"\$workflows\.[^.]+\.steps\.[^.]+|\$sourceDescriptions\.[^.]+\.[^.]+\.steps\.[^.]+")


def step(place: MemberPlace) -> Step:
    members = Members(place, "a step")
    _one_target(members)
    is_operation = not members.has("workflowId")
    return Step(
        step_id=members.take("stepId", text),
        description=members.maybe("description", text),
        operation_id=members.maybe("operationId", text),
        operation_path=members.maybe("operationPath", text),
        workflow_id=members.maybe("workflowId", text),
        channel_path=members.maybe("channelPath", text, since_1_1=True),
        parameters=members.each("parameters", lambda found: parameter_entry(found, needs_location=is_operation)),
        request_body=members.maybe("requestBody", _request_body),
        success_criteria=members.each("successCriteria", criterion, at_least=1),
        on_success=members.each("onSuccess", success_entry),
        on_failure=members.each("onFailure", failure_entry),
        outputs=members.maybe("outputs", outputs) or {},
        timeout=members.maybe("timeout", whole, since_1_1=True),
        action=members.maybe("action", one_of("send", "receive"), since_1_1=True),
        depends_on=members.each("dependsOn", _depends_on, at_least=1, since_1_1=True),
        correlation_id=_correlation_id(members),
        extensions=members.close(),
    )


def _one_target(members: Members) -> None:
    """Which members may name what the step calls: one of them, and of the AsyncAPI ones only beside `action`."""
    targets = [name for name in ("operationId", "operationPath", "workflowId", "channelPath") if members.has(name)]
    if len(targets) != 1:
        found = " and ".join(targets) or "none"
        members.place.refuse(f"a step names one operation, channel or workflow, here {found}; keep one")
    is_async = members.has("action")
    if members.has("channelPath") and not is_async:
        members.place.refuse("a step with channelPath needs an action; add send or receive")
    if is_async and targets[0] in ("operationPath", "workflowId"):
        members.place.at("action").refuse(f"action does not go with {targets[0]}; remove one of them")
    if members.has("correlationId") and members.place.value.get("action") != "receive":
        members.place.at("correlationId").refuse("correlationId goes with the action receive only; remove it")


def _correlation_id(members: Members) -> Json:
    if not members.has("correlationId"):
        return ABSENT
    found = members.take("correlationId", anything)
    if found is None:
        members.place.at("correlationId").refuse("correlationId must not be null; give a value")
    return found


def _depends_on(place: MemberPlace) -> str:
    if not (_LOCAL_STEP.fullmatch(text(place)) or _OTHER_STEP.fullmatch(text(place))):
        place.refuse("name a step by its id, or by $workflows.ID.steps.ID or $sourceDescriptions.NAME.ID.steps.ID")
    return text(place)


def parameter_entry(place: MemberPlace, needs_location: bool) -> Parameter | Reusable:
    """A parameter, or a reference to one. An operation's parameter must say where it goes."""
    if isinstance(place.value, Mapping) and "reference" in place.value:
        return reusable(place)
    found = parameter(place)
    if needs_location and found.location is None:
        place.refuse("a parameter of an operation needs `in`; add path, query, header or cookie")
    return found


def parameter(place: MemberPlace) -> Parameter:
    members = Members(place, "a parameter")
    return Parameter(
        name=members.take("name", text),
        location=members.maybe("in", one_of(*(_LOCATIONS_1_0 if place.is_1_0 else _LOCATIONS))),
        value=members.take("value", _parameter_value),
        extensions=members.close(),
    )


def _parameter_value(place: MemberPlace) -> Json | Selector:
    if isinstance(place.value, Mapping) and not place.is_1_0:
        return selector(place)
    return place.value


def action_parameter(place: MemberPlace) -> ParameterEntry:
    """The official schema lets anything through here; what is no parameter is kept unread for `checks` to refuse."""
    try:
        return parameter_entry(place, needs_location=False)
    except DocumentError:
        return Unread(place.value)


def reusable(place: MemberPlace) -> Reusable:
    members = Members(place, "a reference")
    found = Reusable(
        reference=members.take("reference", text),
        value=members.take("value", anything) if members.has("value") else ABSENT,
    )
    unknown = next((name for name in place.value if name not in ("reference", "value")), None)
    if unknown is not None:
        place.at(unknown).refuse(f"{unknown} is not known in a reference; remove it")
    return found


def success_entry(place: MemberPlace) -> SuccessAction | Reusable:
    is_reference = isinstance(place.value, Mapping) and "reference" in place.value
    return reusable(place) if is_reference else success_action(place)


def failure_entry(place: MemberPlace) -> FailureAction | Reusable:
    is_reference = isinstance(place.value, Mapping) and "reference" in place.value
    return reusable(place) if is_reference else failure_action(place)


def success_action(place: MemberPlace) -> SuccessAction:
    members = Members(place, "a success action")
    found = SuccessAction(
        name=members.take("name", text),
        type=members.take("type", one_of("end", "goto")),
        workflow_id=members.maybe("workflowId", text),
        step_id=members.maybe("stepId", text),
        parameters=members.each("parameters", action_parameter),
        criteria=members.each("criteria", criterion, at_least=1),
        extensions=members.close(),
    )
    _action_target(members)
    return found


def failure_action(place: MemberPlace) -> FailureAction:
    members = Members(place, "a failure action")
    found = FailureAction(
        name=members.take("name", text),
        type=members.take("type", one_of("end", "goto", "retry")),
        workflow_id=members.maybe("workflowId", text),
        step_id=members.maybe("stepId", text),
        parameters=members.each("parameters", action_parameter),
        criteria=members.each("criteria", criterion),
        retry_after=members.maybe("retryAfter", at_least_zero),
        retry_limit=members.maybe("retryLimit", _retry_limit),
        extensions=members.close(),
    )
    _action_target(members)
    return found


def _retry_limit(place: MemberPlace) -> int:
    at_least_zero(place)
    return whole(place)


def _action_target(members: Members) -> None:
    targets = [name for name in ("workflowId", "stepId") if members.has(name)]
    if members.place.value["type"] == "goto" and len(targets) != 1:
        members.place.refuse("goto names either a stepId or a workflowId; give exactly one")
    if members.has("parameters") and not members.has("workflowId"):
        members.place.at("parameters").refuse("parameters of an action go with a workflowId only; remove them")


def criterion(place: MemberPlace) -> Criterion:
    members = Members(place, "a criterion")
    if members.has("type") and not members.has("context"):
        place.refuse("a criterion with a type needs a context; add it")
    return Criterion(
        condition=members.take("condition", text),
        context=members.maybe("context", text),
        type=members.maybe("type", _criterion_type),
        version=members.maybe("version", text) if place.is_1_0 else None,
        extensions=members.close(),
    )


def _criterion_type(place: MemberPlace) -> SelectorType:
    if isinstance(place.value, Mapping):
        return _expression_type(place)
    return str(one_of("simple", "regex", "jsonpath", "xpath")(place))


def _selector_type(place: MemberPlace) -> SelectorType:
    if isinstance(place.value, Mapping):
        return _expression_type(place)
    return str(one_of("jsonpointer", "jsonpath", "xpath")(place))


def _expression_type(place: MemberPlace) -> ExpressionType:
    members = Members(place, "an expression type")
    kind = members.take("type", one_of(*_VERSIONS))
    version = members.take("version", one_of(*_VERSIONS[kind]))
    return ExpressionType(kind, version, members.close(allow_more=True))


def selector(place: MemberPlace) -> Selector:
    members = Members(place, "a selector")
    return Selector(
        context=members.take("context", text),
        selector=members.take("selector", text),
        type=members.take("type", _selector_type),
        extensions=members.close(),
    )


def outputs(place: MemberPlace) -> Outputs:
    """Names outside the specification's alphabet are let through by the official schema; `checks` refuse them."""
    return {name: _output(name, place.at(name)) for name in entries(place, anything)}


def _output(name: str, place: MemberPlace) -> str | Selector | Unread:
    if not _OUTPUT_NAME.fullmatch(name):
        return Unread(place.value)
    if isinstance(place.value, Mapping) and not place.is_1_0:
        return selector(place)
    return text(place)


def _request_body(place: MemberPlace) -> RequestBody:
    members = Members(place, "a request body")
    return RequestBody(
        content_type=members.maybe("contentType", text),
        payload=members.take("payload", anything) if members.has("payload") else ABSENT,
        replacements=members.each("replacements", _replacement),
        extensions=members.close(),
    )


def _replacement(place: MemberPlace) -> Replacement:
    members = Members(place, "a payload replacement")
    return Replacement(
        target=members.take("target", text),
        value=members.take("value", _replacement_value),
        target_type=members.maybe("targetSelectorType", _selector_type, since_1_1=True),
        extensions=members.close(),
    )


def _replacement_value(place: MemberPlace) -> str | Selector:
    if isinstance(place.value, Mapping) and not place.is_1_0:
        return selector(place)
    return text(place)
