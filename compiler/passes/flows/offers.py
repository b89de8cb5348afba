"""Actions whose address and allowed values stand in the resource: what is offered is looked at before it is asked for.

The profile's `actions` say where both stand. The read right before the action, or one made for this, ends the run
before anything is sent when the device names another address than the approved one, or does not allow the value. The
address that a device names is never sent to: what was approved is the path. A device that says nothing passes.
Follows DSP0266, "Actions property". Used by `changes`.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from compiler.ir.model import Operation, Resource, Role, Step
from compiler.passes.flows import queries
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.lookups import path_parameters
from workflow.pointers import escape
from workflow.profile import Action

_OK = queries.simple("$statusCode == 200")


def require_offered(builder: Builder, operation: Operation, parameters: Any, payload: Any) -> None:
    """Checks, in the first read of the resource or in one of its own, that the device offers what will be sent."""
    rule = next((r for r in builder.context.profile.actions if re.search(r.pattern, operation.key)), None)
    owner = builder.context.by_action.get(operation.key)
    if rule is None or owner is None or not owner.read or owner.item_is_list:
        return
    if not builder.context.schemas.members(owner.schema):
        return  # nobody says what the resource shows, not even that it is an object
    checks = [_at_address(builder, rule, operation, owner, parameters)]
    checks += _with_allowed_values(builder, rule, operation, owner, payload)
    number = _reading(builder, owner)
    step = builder.steps[number]
    builder.steps[number] = replace(
        step,
        success=(*(step.success or (_OK,)), *(queries.jsonpath(f"$[?{holds}]") for holds, _, _ in checks)),
        failures=(*(_refusal(step, number, *check) for number, check in enumerate(checks)), *step.failures),
    )
    builder.tell(f"{step.id}: refuses unless the {owner.name} offers {_action(operation)} as it was approved")


def _reading(builder: Builder, owner: Resource) -> int:
    """The number of the first step that reads the owner; one is added where there is none."""
    parameters = tuple(path_parameters(builder, builder.operation(owner.read)))
    for number, step in enumerate(builder.steps):
        if step.operation == owner.read and step.parameters == parameters and step.role in (Role.CHECK, Role.READ):
            return number
    step = Step(
        id=builder.free_step_id("check_offer"),
        operation=owner.read,
        role=Role.CHECK,
        description=f"Read what the {owner.name} offers.",
        parameters=parameters,
        success=(_OK,),
    )
    builder.add_step(step, "the resource says at which address its action is, and which values it takes")
    return len(builder.steps) - 1


def _action(operation: Operation) -> str:
    return operation.path.rpartition("/")[2]


Check = tuple[str, str, str]  # the condition that must hold, the code and the message when it does not


def _at_address(builder: Builder, rule: Action, operation: Operation, owner: Resource, parameters: Any) -> Check:
    context = builder.context
    pointer = rule.address.replace("{action}", escape(_action(operation)))
    place = f"${queries.from_pointer(pointer)}"
    approved = (context.profile.base_path or context.api.base_path).rstrip("/") + operation.path
    for name, within, value in parameters:
        if within == "path":
            approved = approved.replace(f"{{{name}}}", f"{{{value}}}")
    same = (f"{place} == {queries.quoted(approved + end)}" for end in ("", "/"))
    told = f"The {owner.name} offers this action at {{$response.body#{pointer}}}, approved was {approved}: "
    told += "compile the description of this firmware again and have it approved."
    return f"!{place} || {queries.any_of(same)}", "not_offered", told


def _with_allowed_values(
    builder: Builder, rule: Action, operation: Operation, owner: Resource, payload: Any
) -> Iterator[Check]:
    members = builder.context.schemas.members(operation.body.schema) if operation.body else {}
    allowed = (rule.allowed_values or "").replace("{action}", escape(_action(operation)))
    for name, value in payload.items() if allowed and isinstance(payload, dict) else ():
        if not isinstance(value, str) or not builder.context.schemas.values(members.get(name)):
            continue
        given = builder.inputs.get(value.removeprefix("$inputs.")) if value.startswith("$") else None
        if value.startswith("$") and (given is None or not given.is_required):
            continue  # what nobody has to give cannot be put into a query
        said = f"{{{value}}}" if given else value
        pointer = allowed.replace("{member}", escape(name))
        place = f"${queries.from_pointer(pointer)}"
        literal = f"'{said}'" if given else queries.quoted(value)
        told = f"The {owner.name} allows only {{$response.body#{pointer}}} as {name}, not {said}."
        yield f"!{place} || count({place}[?@ == {literal}]) > 0", "not_allowed", told


def _refusal(step: Step, number: int, holds: str, code: str, message: str) -> dict[str, Any]:
    return {
        "name": f"{code}_{len(step.failures) + number}",
        "type": "end",
        "criteria": [_OK, queries.jsonpath(f"$[?!({holds})]")],
        "x-switchgear": {"code": code, "message": message},
    }
