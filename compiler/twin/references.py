"""Ids and addresses inside request bodies: what they name has to exist.

Which member names what comes from the profile's and the IR's synonyms; a name that nobody explained is let through.
Raises RefusalError like `checks.py`; stands apart because it needs the state.
"""

from collections.abc import Iterator
from typing import Any

from compiler.ir.model import Resource, Schema
from compiler.twin.blueprint import Blueprint
from compiler.twin.requests.messages import RefusalError
from compiler.twin.requests.routes import canonical
from compiler.twin.store import Store
from compiler.twin.values.examples import ids_in, members_of

Json = Any


def check_references(
    blueprint: Blueprint,
    store: Store,
    resource: Resource | None,
    body: Json,
    current: Json = None,
    schema: Schema | None = None,
    elsewhere: str = "",
) -> None:
    """`resource`: whose item the body describes; its own id member names nothing else. What stands in the `current`
    item already is not judged, nor are values that the body's `schema` itself gives (`default`, one of an `enum`),
    nor the member `elsewhere`, whose thing is looked for where it lives.
    """
    own = resource.id_field if resource is not None else ""
    field = blueprint.profile.envelope.reference_field
    known = {(name, repr(value)) for name, value in (*members_of(current), *_given_by(blueprint, schema))}
    for name, value in members_of(body):
        if (name, repr(value)) in known:
            continue
        if name == field:
            _check_address(blueprint, store, value)
        elif name not in (own, elsewhere):
            owners = blueprint.named_by(name)
            for item_id in ids_in(value) if owners else ():
                if not any(store.find(owner, item_id) for owner in owners):
                    raise RefusalError(400, f"{name} {item_id!r} names no {owners[0].name or owners[0].noun}")


def _given_by(blueprint: Blueprint, schema: Schema | None) -> Iterator[tuple[str, Json]]:
    """Members with values that the description gives: words of the API, not the ids of things."""
    for name, member in blueprint.schemas.members(schema).items():
        found = blueprint.schemas.resolve(member)
        for value in (found.get("default"), *found.get("enum", ())):
            yield name, value


def _check_address(blueprint: Blueprint, store: Store, value: Json) -> None:
    """An address of ours leads to something; what has no path in the description is not judged."""
    if not isinstance(value, str) or not value.startswith("/"):
        return
    path = canonical(value.removeprefix(blueprint.base_path).partition("#")[0])
    match = blueprint.routes.match(path)
    if match is None:
        return
    for place in store.places_on(path, match):
        if not store.exists(place):
            raise RefusalError(400, f"{value} leads to nothing")
