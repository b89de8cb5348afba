"""Actions that are things of a list: `POST /droplets/{id}/actions` with a `type` is as many actions as it has types.

Each is a workflow of its own, about what stands above the list, with the class of risk of its value; of the other
members of the body those are shown that the description has for it: where it speaks of it, or has their name.
Called by `intents` in place of a creation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from compiler.ir.model import Flow, Input, Operation, Resource
from compiler.passes.flows.context import Context
from compiler.passes.flows.inputs.bodies import is_action_word
from compiler.passes.flows.splits import Split, split_of, value_is_done
from compiler.passes.names import words
from compiler.passes.names.paths import GROUPING, last_word, parent, shape
from compiler.passes.names.words import first_sentence
from workflow.json.pointers import escape

_STEM, _SHORTEST = 5, 4  # letters


def orders_of(context: Context, resource: Resource) -> tuple[Resource, tuple[Split, ...]] | None:
    """What the actions are done to, and one part for each; None where the list holds no actions."""
    owner = context.by_item.get(shape(parent(resource.collection)))
    parts = parts_of(context, context.operations[resource.create]) if owner is not None else ()
    return (owner, parts) if owner is not None and parts else None


def parts_of(context: Context, operation: Operation) -> tuple[Split, ...]:
    """One part for each action that an operation on `…/actions` takes; empty for any other."""
    if operation.body is None or last_word(operation.path).lower() not in GROUPING:
        return ()
    members = context.schemas.members(operation.body.schema)
    for name in context.schemas.required(operation.body.schema) or members:
        values = context.schemas.values(members.get(name))
        is_done = 2 * sum(value_is_done(value) for value in values) > len(values)
        if is_action_word(name) and len(values) > 1 and is_done:
            return tuple(split_of(context, operation, f"/{escape(name)}", value) for value in values)
    return ()


def with_its_members(context: Context, operation: Operation, flow: Flow, value: str) -> Flow:
    """The flow, of whose optional inputs only those of this action are shown, each with what is said of it there."""
    own = dict(_members_for(context, operation, value))
    return replace(flow, inputs=tuple(_as_here(flow, given, own) for given in flow.inputs))


def _as_here(flow: Flow, given: Input, own: Mapping[str, str]) -> Input:
    source = flow.sample.get(given.name, {})
    place = str(source.get("at", "")).removeprefix("/")
    if given.is_required or "body" not in source:
        return given
    if place not in own:
        return replace(given, shown=False)
    return replace(given, shown=True, description=first_sentence(own[place]) or given.description)


def _members_for(context: Context, operation: Operation, value: str) -> Iterator[tuple[str, str]]:
    """What the alternatives of the body that speak of the action have, then what is called like a part of it; with
    what is said of each there."""
    schemas = context.schemas
    _, options, _ = schemas.choice(schemas.flat(operation.body.schema if operation.body else None))
    stems = [word[:_STEM] for word in words.split(value)]
    for option in options:
        members = schemas.members(option)
        text = " ".join(schemas.text(member) for member in members.values()).lower()
        is_told = all(stem in text for stem in stems)
        for name, member in members.items():
            if is_told or any(len(word) >= _SHORTEST and word in value.lower() for word in words.split(name)):
                yield name, schemas.text(member)
