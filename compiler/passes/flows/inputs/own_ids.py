"""Ids in a body that need not be asked for: what the path says already, and which thing an update is about.

`PUT /roles` with the id of a role in its body is an update of that role, and the `serviceId` that is sent to
`/services/{serviceId}/template` is that of the path. Called by `inputs.bodies` for the members at a body's top.
"""

from dataclasses import replace
from itertools import pairwise

from compiler.ir.model import Effect, Operation, Resource
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import address
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.identity import says_id
from compiler.passes.names import words
from compiler.passes.names.paths import (
    item_prefixes,
    last_parameter,
    last_word,
    parent,
    path_of,
    segments,
    shape,
)

_MOVING = frozenset({"move", "transfer", "merge", "swap", "replace", "reassign"})  # from one to another of its kind


def known_already(builder: Builder, operation: Operation, name: str) -> str:
    """The expression of the id that has to stand in the member `name` of the body; "" where the caller says it.

    No other id may stand there than in the path.
    """
    resource, own = builder.context.by_change.get(operation.key), last_parameter(operation.path)
    if resource is not None and operation.effect is Effect.UPDATE and name in (resource.id_field, own):
        is_id = says_id(name) or is_named_in_body(operation, resource)
        found = own_id(builder, operation, resource) if is_id else ""
        if found:
            return found
    return said_in_path(builder, operation, name)


def is_named_in_body(operation: Operation, resource: Resource | None) -> bool:
    """Whether a change of one thing is sent to the collection: its body alone says which one is meant."""
    is_update = resource is not None and operation.key == resource.update
    return is_update and resource is not None and shape(operation.path) == parent(shape(resource.item))


def own_id(builder: Builder, operation: Operation, resource: Resource) -> str:
    """The expression of the id of what is changed, as it was found for the path; "" where the path has none.

    Where the body alone names it, it is found as it is for a read or a deletion of the thing.
    """
    slots = ((address(resource), ""), (f"given {shape(operation.path)}", ""), (f"given {shape(resource.item)}", ""))
    found = next((builder.known[slot] for slot in slots if slot in builder.known), "")
    if found or not is_named_in_body(operation, resource):
        return found
    keys = (key for key in (resource.read, resource.delete) if shape(path_of(key)) == shape(resource.item))
    key = next(keys, "")
    return _as_sent(builder, operation, resource, key) if key else ""


def said_in_path(builder: Builder, operation: Operation, name: str) -> str:
    """The expression of what the path has under this very name: `serviceId` of `POST /services/{serviceId}/template`.

    "" for a name that says nothing of which thing it is the id of, and where one thing becomes another.
    """
    said = words.split(name)
    is_told = len(said) > 1 and says_id(name) and name in [each for _, each in item_prefixes(operation.path)]
    is_told = is_told or _is_called_as_owner(operation.path, name)
    if not is_told or words.is_about(words.split(last_word(operation.path)), words.COPYING | _MOVING):
        return ""
    return next(str(value) for each, _, value in path_parameters(builder, operation) if each == name)


def _is_called_as_owner(path: str, name: str) -> bool:
    """Whether `instance` is that of `/instances/{instance}/users`, to which a new user belongs."""
    parts = segments(path)[:-1]
    return any(part == f"{{{name}}}" and words.singular(before) == name for before, part in pairwise(parts))


def _as_sent(builder: Builder, operation: Operation, resource: Resource, key: str) -> str:
    """The id as `key` takes it in its path; where the caller gives it, of the type that the body wants."""
    value = str(path_parameters(builder, builder.operation(key))[-1][2])
    schemas = builder.context.schemas
    sent = schemas.members(operation.body.schema if operation.body else None).get(resource.id_field)
    given, kind = builder.inputs.get(value.removeprefix("$inputs.")), schemas.kind(sent)
    if given is not None and kind:
        builder.inputs[given.name] = replace(given, schema={"type": kind})
    return value
