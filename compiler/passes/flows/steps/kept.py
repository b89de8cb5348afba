"""What a PUT must not lose: members that the caller does not give stay as they were read just before.

PUT replaces (RFC 9110, 9.3.4), and a request with three members of thirty would empty the others. Where the body is the
very thing that can be read, it is read, and sent back with what was given put into it. Called by `changes` for every
change.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.ir.model import Effect, FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.names import words
from compiler.passes.names.paths import item_prefixes
from compiler.passes.risk.values import makes
from workflow.json.pointers import escape

# What a change has to name of what it changes, else it is refused; `version` alone may be that of a program.
_VERSIONS = frozenset({"checksum", "etag", "revision", "resourceversion", "lockversion", "fingerprint"})
Changed = tuple[tuple[str, Any], ...]


def kept(builder: Builder, operation: Operation, payload: Any) -> tuple[Any, Changed, tuple[str, ...]]:
    """The thing as read, what is replaced in it and what is not sent; or `payload`, as it is."""
    resource = builder.context.by_change.get(operation.key)
    if resource is None or not is_kept(builder, operation, resource) or not isinstance(payload, dict):
        return payload, (), ()
    is_made = operation.key != resource.update and makes(operation)  # there may be nothing to read yet
    payload = dict(payload) if is_made else _without_version(builder, resource, payload)
    if is_made or not any(_may_be_absent(builder, value) for value in payload.values()):
        return payload, (), ()
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
    changed = tuple(place for name, value in payload.items() for place in _places(f"/{escape(name)}", value))
    return f"$steps.{step.id}.outputs.item", changed, tuple(_of_its_owners(builder, operation, payload))


def _of_its_owners(builder: Builder, operation: Operation, payload: Mapping[str, Any]) -> Iterator[str]:
    """Ids that the address says already, of what the thing stands in: nobody is asked for them, and a server may refuse
    what looks like a thing that is to stand elsewhere. What has to be there is sent.
    """
    body = operation.body.schema if operation.body else None
    required = builder.context.schemas.required(body)
    for _, name in item_prefixes(operation.path)[:-1]:
        if name in builder.context.schemas.members(body) and name not in {*required, *payload}:
            yield f"/{escape(name)}"


def _places(pointer: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What is replaced where: of an object each member by itself, since an object would stand for a selector there."""
    if not isinstance(value, Mapping):
        yield pointer, value
        return
    for name, inner in value.items():
        yield from _places(f"{pointer}/{escape(name)}", inner)


def _without_version(builder: Builder, resource: Resource, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload without what says which version is changed (`checksum`), where the thing shows it: it is sent back as
    it was read just before, and nobody has to type it. Only where something else may be left out, so that it is read.
    """
    if builder.shares_body_inputs or builder.conditions:
        return dict(payload)
    shown = builder.context.schemas.members(resource.schema)
    told = {name for name in payload if words.joined(name) in _VERSIONS and name in shown}
    rest = {name: value for name, value in payload.items() if name not in told}
    if not any(_may_be_absent(builder, value) for value in rest.values()):
        return dict(payload)
    for name in told:
        given = str(payload[name]).removeprefix("$inputs.")
        builder.inputs.pop(given, None)
        builder.sample.pop(given, None)
    return rest


def is_kept(builder: Builder, operation: Operation, resource: Resource) -> bool:
    """True for a PUT whose body is the very thing that can be read."""
    if operation.method != "PUT" or operation.effect is not Effect.UPDATE or not resource.read or resource.item_is_list:
        return False
    schemas = builder.context.schemas
    body = operation.body.schema if operation.body else None
    name = schemas.component(body)
    is_same = bool(name) and name == schemas.component(resource.schema)
    return is_same or (bool(schemas.members(body)) and _is_assumed(operation))


def may_lose(builder: Builder, operation: Operation, resource: Resource) -> bool:
    """Whether an update of what is there may take away or put back what it does not name.

    A PUT that could make what is not there is not asked what it would lose: only one beside a creation of its own.
    """
    is_beside = operation.key == resource.update and resource.create not in ("", operation.key)
    return operation.method == "PATCH" or (is_beside and not is_kept(builder, operation, resource))


def _is_assumed(operation: Operation) -> bool:
    """True for a body that was taken from the thing itself (`passes.assumed`)."""
    return operation.body is not None and operation.body.description == "assumed"


def _may_be_absent(builder: Builder, value: Any) -> bool:
    given = builder.inputs.get(str(value).removeprefix("$inputs."))
    return given is not None and not given.is_required
