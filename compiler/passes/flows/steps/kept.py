"""What a PUT must not lose: members that the caller does not give stay as they were read just before.

PUT replaces (RFC 9110, 9.3.4), and a request with three members of thirty would empty the others. Where the body is the
very thing that can be read, it is read, and sent back with what was given put into it. Called by `changes` for every
change.
"""

from typing import Any

from compiler.ir.model import Effect, FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.risk.values import makes
from workflow.json.pointers import escape

Changed = tuple[tuple[str, Any], ...]


def kept(builder: Builder, operation: Operation, payload: Any) -> tuple[Any, Changed]:
    """The payload and what is replaced in it: the thing as read with the given members, or `payload` as it is."""
    resource = builder.context.by_change.get(operation.key)
    if resource is None or not is_kept(builder, operation, resource) or not isinstance(payload, dict):
        return payload, ()
    is_made = operation.key != resource.update and makes(operation)  # there may be nothing to read yet
    if is_made or not any(_may_be_absent(builder, value) for value in payload.values()):
        return payload, ()
    read = builder.operation(resource.read)
    step = FlowStep(
        id=builder.free_step_id("read_current"),
        operation=read.key,
        role=Role.CHECK,
        description=f"Read the {resource.name} as it is, to keep what is not given.",
        parameters=tuple(path_parameters(builder, read)),
        outputs={"item": resource.item_in_reply},
        success=(queries.OK,),
    )
    builder.add_step(step, "a PUT replaces the whole: what is not given is sent back as it was read")
    changed = tuple((f"/{escape(name)}", value) for name, value in payload.items())
    return f"$steps.{step.id}.outputs.item", changed


def is_kept(builder: Builder, operation: Operation, resource: Resource) -> bool:
    """True for a PUT whose body is the very thing that can be read."""
    if operation.method != "PUT" or operation.effect is not Effect.UPDATE or not resource.read or resource.item_is_list:
        return False
    schemas = builder.context.schemas
    body = operation.body.schema if operation.body else None
    name = schemas.component(body)
    is_same = bool(name) and name == schemas.component(resource.schema)
    return is_same or (bool(schemas.members(body)) and _is_assumed(operation))


def _is_assumed(operation: Operation) -> bool:
    """True for a body that was taken from the thing itself (`passes.assumed`)."""
    return operation.body is not None and operation.body.description == "assumed"


def _may_be_absent(builder: Builder, value: Any) -> bool:
    given = builder.inputs.get(str(value).removeprefix("$inputs."))
    return given is not None and not given.is_required
