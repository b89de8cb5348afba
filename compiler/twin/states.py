"""States that move and states that are needed: the profile's `states`, applied to one request.

Says what would move and refuses what the device would refuse; `machine.py` lets it happen, now or when a job is over.
Pointers into a body that is an array apply to each of its elements, so one request may move several items.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Operation
from compiler.passes.names.paths import shape
from compiler.twin.blueprint import Blueprint
from compiler.twin.requests.messages import RefusalError
from compiler.twin.seeds import SeedPlace
from compiler.twin.store import Store
from compiler.twin.values.pointers import MISSING, bind, each, get
from workflow.profiles.profile import StateRule, Transition

Json = Any
_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Move:
    """`place`'s member at `field` becomes `to`; what stands at `changes` gets another value."""

    place: SeedPlace
    field: str
    to: str
    settles_s: float
    changes: str = ""


def moves(
    blueprint: Blueprint, store: Store, operation: Operation, above: tuple[SeedPlace, ...], body: Json
) -> tuple[Move, ...]:
    """What the request moves. Raises RefusalError for an item that does not exist or is in the wrong state."""
    found: list[Move] = []
    for rule in blueprint.state_rules(operation.key):
        _check_needs(blueprint, store, rule, operation, above, body)
        transitions = [t for t in rule.transitions if t.operation == operation.key]
        meant = _meant(blueprint, store, rule, above, body) or _all_listed(blueprint, store, rule, operation)
        for place, bound in meant if transitions else ():
            chosen = [t for t in transitions if _is_asked(t, body, bound)]
            if chosen:
                found.append(_move(store, rule, operation, place, chosen))
    return tuple(found)


def named_item(blueprint: Blueprint, store: Store, noun: str, source: Json) -> SeedPlace | None:
    """The item of the resource `noun` that `source` names in one of its members, None where it names none."""
    item_id = _foreign_id(blueprint, noun, source)
    owners = (r for r in blueprint.api.resources if r.noun == noun) if item_id else ()
    return next((place for r in owners if (place := store.find(r, item_id))), None)


def spread(pointer: str, body: Json) -> str:
    """`/0/x` as `/*/x` where the body is an array: what holds for the first element holds for each."""
    return "/*" + pointer[2:] if isinstance(body, list) and (pointer == "/0" or pointer.startswith("/0/")) else pointer


def refused_status(operation: Operation) -> int:
    """409 where the description knows it, else 400 (RFC 9110, 15.5.10 leaves the choice to the server)."""
    return _CONFLICT if any(r.status in ("409", "4XX") for r in operation.responses) else 400


def busy_status(operation: Operation) -> int:
    """What a device says while an earlier change is under way: 409 where that is declared, else a plain 500."""
    declared = {r.status for r in operation.responses}
    return next((status for status in (409, 500) if str(status) in declared), 500)


def _move(store: Store, rule: StateRule, operation: Operation, place: SeedPlace, chosen: list[Transition]) -> Move:
    state = get(store.item(place), rule.field)
    fitting = next((t for t in chosen if not t.from_states or state in t.from_states), None)
    if fitting is None:
        allowed = ", ".join(dict.fromkeys(s for t in chosen for s in t.from_states))
        raise RefusalError(refused_status(operation), f"{place.id} is {_said(state)}; this needs {allowed}")
    return Move(place, rule.field, fitting.to, rule.settles_s, fitting.changes or "")


def _check_needs(
    blueprint: Blueprint, store: Store, rule: StateRule, operation: Operation, above: tuple[SeedPlace, ...], body: Json
) -> None:
    needed = rule.needs.get(operation.key)
    for place, _ in _meant(blueprint, store, rule, above, body) if needed else ():
        state = get(store.item(place), rule.field)
        if needed and state not in needed:
            said = f"{place.id} is {_said(state)}; this needs {', '.join(needed)}"
            raise RefusalError(refused_status(operation), said)


def _meant(
    blueprint: Blueprint, store: Store, rule: StateRule, above: tuple[SeedPlace, ...], body: Json
) -> list[tuple[SeedPlace, tuple[str, ...]]]:
    """The items of the rule's resource that a request is about: in the path, in the body, or named by either."""
    inside: list[tuple[SeedPlace, tuple[str, ...]]] = [
        (place, ()) for place in above if place.resource.noun == rule.resource
    ]
    if inside:
        return inside[-1:]
    below: list[tuple[SeedPlace, tuple[str, ...]]]
    below = [(each, ()) for place in above for each in _below(blueprint, rule.resource, place)]
    if below:
        return below[-1:]
    if rule.target is not None:
        named = [(str(value), bound) for bound, value in each(body, spread(rule.target, body))]
        if named:
            return [(_existing(blueprint, store, rule.resource, item_id), bound) for item_id, bound in named]
    for source in (body, *(store.item(place) for place in reversed(above))):
        item_id = _foreign_id(blueprint, rule.resource, source)
        if item_id:
            return [(_existing(blueprint, store, rule.resource, item_id), ())]
    return []


def _all_listed(
    blueprint: Blueprint, store: Store, rule: StateRule, operation: Operation
) -> list[tuple[SeedPlace, tuple[str, ...]]]:
    """All things of the list to which the order is given."""
    listed = [r for r in blueprint.api.resources if r.noun == rule.resource and r.collection]
    here = [r for r in listed if shape(r.collection) == shape(operation.path)]
    return [(place, ()) for resource in here for place in store.places(resource)]


def _below(blueprint: Blueprint, noun: str, place: SeedPlace) -> Iterator[SeedPlace]:
    """The one thing of this noun right below the place: where the state of what is there stands by itself."""
    for resource in blueprint.api.resources:
        name = resource.item.removeprefix(f"{place.resource.item}/")
        if resource.noun == noun and place.resource.item and name != resource.item and not set("/{") & set(name):
            yield SeedPlace(resource, f"{place.address}/{name}", "", "")


def _existing(blueprint: Blueprint, store: Store, noun: str, item_id: str) -> SeedPlace:
    for resource in blueprint.api.resources:
        place = store.find(resource, item_id) if resource.noun == noun else None
        if place is not None:
            return place
    raise RefusalError(400, f"{item_id!r} names no {noun}")


def _foreign_id(blueprint: Blueprint, noun: str, source: Json) -> str:
    """The value of the first member that names an item of the resource, at the top or one level down."""
    if not isinstance(source, dict):
        return ""
    for name, value in source.items():
        if isinstance(value, str) and value and any(r.noun == noun for r in blueprint.named_by(name)):
            return value
    return next((found for v in source.values() if isinstance(v, dict) and (found := _flat_id(blueprint, noun, v))), "")


def _flat_id(blueprint: Blueprint, noun: str, source: Mapping[str, Json]) -> str:
    for name, value in source.items():
        if isinstance(value, str) and value and any(r.noun == noun for r in blueprint.named_by(name)):
            return value
    return ""


def _is_asked(transition: Transition, body: Json, bound: tuple[str, ...]) -> bool:
    return all(get(body, bind(spread(at, body), bound)) == wanted for at, wanted in transition.when.items())


def _said(state: Json) -> str:
    return "in no known state" if state is MISSING else str(state)
