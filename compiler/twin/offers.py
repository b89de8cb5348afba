"""What an item says about its actions: where they are and which values they take, where the profile says that it does.

The twin offers each action at its described address with every value that its schema allows. Other devices are
arranged by `fault_injection`. Used by `seeds.py`; the compiler's own reading of the same rule is in `compiler.passes`.
"""

from collections.abc import Iterator
from typing import Any

from compiler.ir.model import Operation, Resource, Schema
from compiler.passes.names.paths import parent, shape
from compiler.twin.blueprint import Blueprint, applies
from compiler.twin.values.pointers import MISSING, get, put, tokens
from workflow.json.pointers import escape
from workflow.profiles.profile import Action

Json = Any
_DEEPEST = 4  # members of members in which enumerations are looked for


def rule_of(blueprint: Blueprint, operation: Operation) -> Action | None:
    return next((rule for rule in blueprint.profile.actions if applies(rule.pattern, operation)), None)


def offering(blueprint: Blueprint, resource: Resource, address: str, body: dict[str, Json]) -> dict[str, Json]:
    """`body` of the item at `address` with the addresses of its actions and the values that these take."""
    for key in resource.actions if blueprint.profile.actions else ():
        operation = blueprint.operations[key]
        rule = rule_of(blueprint, operation)
        if rule is not None and operation.path.startswith(resource.item + "/"):
            at = blueprint.base_path + address + operation.path[len(resource.item) :]
            body = put(body, address_place(rule, operation), at)
            for place, values in allowed_places(blueprint, rule, operation):
                has_room = blueprint.validation.has_room(blueprint.item_schema(resource), tokens(place))
                if has_room or get(body, place) is not MISSING:
                    body = put(body, place, list(values))
    return _allowing(blueprint, resource, body)


def _allowing(blueprint: Blueprint, resource: Resource, body: dict[str, Json]) -> dict[str, Json]:
    """`body` with every value that the update takes where an example lists those of some device."""
    beside = blueprint.profile.allowed_values
    update = blueprint.operations.get(resource.update) if beside else None
    if beside is not None and update is not None and update.body is not None:
        for place, values in _enumerated(blueprint, update.body.schema, beside, "", 0):
            if get(body, place) is not MISSING:
                body = put(body, place, list(values))
    return body


def _enumerated(
    blueprint: Blueprint, schema: Schema | None, beside: str, at: str, level: int
) -> Iterator[tuple[str, tuple[Json, ...]]]:
    """Where the allowed values of each enumeration of a body stand, and these values."""
    for name, member in blueprint.schemas.members(schema).items() if level < _DEEPEST else ():
        values = blueprint.schemas.values(member)
        if values:
            yield f"{at}/{escape(beside.replace('{member}', name))}", values
        else:
            yield from _enumerated(blueprint, member, beside, f"{at}/{escape(name)}", level + 1)


def address_place(rule: Action, operation: Operation) -> str:
    """Where in an item the action's address stands."""
    return rule.address.replace("{action}", escape(_name(operation)))


def place_in(blueprint: Blueprint, operation: Operation, resource: Resource) -> str:
    """Where an item of the resource says at which address the operation is, "" where it does not say."""
    rule = rule_of(blueprint, operation)
    if rule is not None:
        return address_place(rule, operation) if operation.key in resource.actions else ""
    settings = next((r for r in blueprint.profile.pending_settings if applies(r.pattern, operation)), None)
    is_above = shape(parent(operation.path)) == shape(resource.item)
    return (settings.address or "") if settings is not None and is_above else ""


def allowed_in(blueprint: Blueprint, operation: Operation) -> Iterator[tuple[str, tuple[Json, ...]]]:
    """As `allowed_places`, by the rule for the operation; nothing where there is none."""
    rule = rule_of(blueprint, operation)
    return allowed_places(blueprint, rule, operation) if rule is not None else iter(())


def allowed_places(blueprint: Blueprint, rule: Action, operation: Operation) -> Iterator[tuple[str, tuple[Json, ...]]]:
    """Where in an item the allowed values of each enumeration of the action's body stand, and these values."""
    schema = operation.body.schema if operation.body else None
    for name, member in blueprint.schemas.members(schema).items() if rule.allowed_values else ():
        values = blueprint.schemas.values(member)
        if values and rule.allowed_values:
            place = rule.allowed_values.replace("{action}", escape(_name(operation)))
            yield place.replace("{member}", escape(name)), values


def _name(operation: Operation) -> str:
    return operation.path.rpartition("/")[2]
