"""Addresses and values that stand in the resource: what is offered is looked at before it is asked for.

The profile says where: for `actions` their address and the values they take, for `pending_settings` the address of the
settings. The read right before, or one made for this, ends the run before anything is sent when the address is not the
approved one or the value is not allowed. It also gives the address out, with which the request is compared once more
when it is made. An address that a device names is not sent to: what was approved is the path. Only where the profile
says so (`by_ending`), an action may have another name at the same place (`workflow.requests.renamed`). A device that
says nothing passes. Follows DSP0266, "Actions property".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from compiler.ir.model import Effect, FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.names.paths import parent, shape
from workflow.json.patterns import escaped
from workflow.json.pointers import escape
from workflow.profiles.profile import Action
from workflow.requests.renamed import ending_of


def require_offered(builder: Builder, operation: Operation, parameters: Any, payload: Any) -> tuple[str, str]:
    """Checks, in the first read of the resource or in one of its own, that the device offers what will be sent.

    The expression of the address that the device names, and of that which it names for the action under another name;
    "" where the profile knows of none.
    """
    found = _told_place(builder, operation)
    if found is None:
        return "", ""
    owner, pointer, rule = found
    number = _reading(builder, owner)
    step = builder.steps[number]
    checks: list[Check] = []
    if builder.context.schemas.members(owner.schema):  # else nobody says that it is an object, which queries need
        checks.append(_at_address(builder, pointer, operation, owner, parameters, _other_name(rule, operation)))
        checks += _with_allowed_values(builder, rule, operation, owner, payload) if rule else ()
    name = _free_name(step.outputs)
    outputs = {**step.outputs, name: f"$response.body#{pointer}"}
    other = _free_name(outputs) if _other_name(rule, operation) else ""
    if other and rule:
        outputs[other] = queries.selector(_at_ending(rule, operation))
    builder.steps[number] = replace(
        step,
        outputs=outputs,
        success=(*(step.success or (queries.OK,)), *(queries.jsonpath(f"$[?{holds}]") for holds, _, _ in checks)),
        failures=(*(_refusal(step, number, *check) for number, check in enumerate(checks)), *step.failures),
    )
    told = f", or under another name that ends in .{ending_of(_last(operation))}" if other else ""
    builder.tell(f"{step.id}: refuses unless the {owner.name} offers {_last(operation)} as it was approved{told}")
    return f"$steps.{step.id}.outputs.{name}", f"$steps.{step.id}.outputs.{other}" if other else ""


def also_called(operation: Operation) -> str:
    """What an approver reads of an action that may have another name on the device."""
    return f" Where the device has it under another name that ends in .{ending_of(_last(operation))}, by that name."


def require_allowed(builder: Builder, operation: Operation, payload: Any) -> None:
    """Has a read of the thing that is planned anyway say whether its members may be what an update makes them."""
    beside = builder.context.profile.allowed_values
    owner = builder.context.by_change.get(operation.key)
    if beside is None or owner is None or operation.effect is not Effect.UPDATE or not owner.read:
        return
    place = owner.item_in_reply
    for number in range(len(builder.steps) - 1, -1, -1):
        step = builder.steps[number]
        if step.role is Role.CHANGE:
            return  # what was read before it need not be so any more
        if step.operation == owner.read and not step.allows and isinstance(place, str) and isinstance(payload, dict):
            members = {name: value for name, value in payload.items() if not name.startswith("@")}
            allows = {"asked": members, "item": place, "beside": beside}
            builder.steps[number] = replace(step, allows=allows)
            builder.tell(f"{step.id}: refuses what the {owner.name} does not list beside a member as allowed")
            return


def _told_place(builder: Builder, operation: Operation) -> tuple[Resource, str, Action | None] | None:
    """The resource that names the operation's address, the place where it does, and the rule for its values."""
    context = builder.context
    rule = next((r for r in context.profile.actions if re.search(r.pattern, operation.key)), None)
    pending = context.pending_rule(operation.key)
    if rule is not None:
        owner = context.by_action.get(operation.key)
        pointer = rule.address.replace("{action}", escape(_last(operation)))
        # `/things/{id}/Actions/go` is told under `Actions`; what stands deeper belongs to something else.
        if owner is not None and not operation.path.startswith(f"{owner.item}/{pointer.split('/')[1]}/"):
            return None
    elif pending is not None and pending.address is not None:
        owner, pointer = context.by_item.get(shape(parent(operation.path))), pending.address
    else:
        return None
    if owner is None or not owner.read or owner.item_is_list:
        return None
    return owner, pointer, rule


def _other_name(rule: Action | None, operation: Operation) -> str:
    """A pattern of the addresses at which the action may be under another name, "" where it may not."""
    ending = ending_of(_last(operation)) if rule is not None and rule.by_ending else ""
    return f".*[.]{escaped(ending)}/?" if ending else ""


def _at_ending(rule: Action, operation: Operation) -> str:
    """A query of the addresses of actions that end so, whatever their names are."""
    holder, _, inside = rule.address.partition("{action}")
    place = queries.from_pointer(holder.rpartition("/")[0])
    inside = queries.from_pointer(inside)
    return f"${place}[?match(@{inside}, {queries.quoted(_other_name(rule, operation))})]{inside}"


def _free_name(outputs: Mapping[str, Any]) -> str:
    names = ("address", *(f"address_{number}" for number in range(2, len(outputs) + 3)))
    return next(name for name in names if name not in outputs)


def _reading(builder: Builder, owner: Resource) -> int:
    """The number of the first step that reads the owner; one is added where there is none."""
    parameters = tuple(path_parameters(builder, builder.operation(owner.read)))
    for number, step in enumerate(builder.steps):
        asked = tuple(each for each in step.parameters if each[1] != "header")  # headers are put in with the step
        if step.operation == owner.read and asked == parameters and step.role in (Role.CHECK, Role.READ):
            return number
    step = FlowStep(
        id=builder.free_step_id("check_offer"),
        operation=owner.read,
        role=Role.CHECK,
        description=f"Read what the {owner.name} offers.",
        parameters=parameters,
        success=(queries.OK,),
    )
    builder.add_step(step, "the resource says at which address its action is, and which values it takes")
    return len(builder.steps) - 1


def _last(operation: Operation) -> str:
    return operation.path.rpartition("/")[2]


Check = tuple[str, str, str]  # the condition that must hold, the code and the message when it does not


def _at_address(
    builder: Builder, pointer: str, operation: Operation, owner: Resource, parameters: Any, other_name: str
) -> Check:
    context = builder.context
    place = f"${queries.from_pointer(pointer)}"
    approved = (context.profile.base_path or context.api.base_path).rstrip("/") + operation.path
    for name, within, value in parameters:
        if within == "path":
            approved = approved.replace(f"{{{name}}}", f"{{{value}}}")
    same = [f"{place} == {queries.quoted(approved + end)}" for end in ("", "/")]
    same += [f"match({place}, {queries.quoted(other_name)})"] if other_name else []
    told = f"The {owner.name} has this at {{$response.body#{pointer}}}, approved was {approved}: "
    told += "compile the description of this firmware again and have it approved."
    return f"!{place} || {queries.any_of(same)}", "not_offered", told


def _with_allowed_values(
    builder: Builder, rule: Action, operation: Operation, owner: Resource, payload: Any
) -> Iterator[Check]:
    members = builder.context.schemas.members(operation.body.schema) if operation.body else {}
    allowed = (rule.allowed_values or "").replace("{action}", escape(_last(operation)))
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


def _refusal(step: FlowStep, number: int, holds: str, code: str, message: str) -> dict[str, Any]:
    return {
        "name": f"{code}_{len(step.failures) + number}",
        "type": "end",
        "criteria": [queries.OK, queries.jsonpath(f"$[?!({holds})]")],
        "x-switchgear": {"code": code, "message": message},
    }
