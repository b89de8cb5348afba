"""State rules that nobody wrote: which state each value of an order brings about, `{"action": "stop"}` a stopped VM.

Read off the words of the values and the states that the description lists for the thing, or for what stands right
below it (`/vms/{id}/state`). Only where at least two values are known to lead to two states; a profile that has a
rule for the thing says all that there is. An order of the same values that the list of the things takes (`PUT /vms`
with `{"state": {"action": "stop"}}`) brings all of them there. What is told this way is waited for and looked at, and
forbids nothing. Called by the pipeline once the API is understood.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Api, Diagnostic, Effect, Operation, Resource, Severity
from compiler.ir.schemas import SharedSchemas
from compiler.passes.flows.reached import STATE_WORDS, Reached, reached, states_of
from compiler.passes.names import words
from compiler.passes.names.paths import shape, shows_state
from compiler.passes.risk.values import is_named_as_order
from workflow.json.pointers import escape
from workflow.profiles.profile import Profile, StateRule, Transition

_SWITCHED = {"on": ("power", "on"), "off": ("power", "off")}


@dataclass(frozen=True, slots=True)
class OrderedStates:
    rules: tuple[StateRule, ...] = ()
    notes: tuple[Diagnostic, ...] = ()


def ordered_states(api: Api, profile: Profile) -> OrderedStates:
    """The rules, and a note for each operation."""
    schemas = SharedSchemas(api.schemas)
    found: dict[tuple[str, str], list[Transition]] = {}
    failed: dict[tuple[str, str], tuple[str, ...]] = {}
    notes = []
    told = {rule.resource for rule in profile.states}
    below = _showing_states(api)
    for operation, owner in _ordering(api):
        for resource in (owner, *below[shape(owner.item)]):
            moves = () if resource.noun in told else tuple(_moves(operation, resource, schemas))
            if len({to.value for _, to in moves}) > 1 and len({to.place for _, to in moves}) == 1:
                place = moves[0][1].place
                at = (resource.noun, place)
                brought = (Transition(operation=operation.key, when=dict(w), to=to.value) for w, to in moves)
                found.setdefault(at, []).extend(brought)
                failed[at] = _broken(schemas, resource, place)
                notes.append(_note(operation, moves))
                break
    rules = tuple(
        StateRule(resource=noun, field=place, transitions=tuple(moves), failed=failed[noun, place])
        for (noun, place), moves in found.items()
    )
    return OrderedStates((*rules, *_to_all(api, (*rules, *profile.states), schemas)), tuple(notes))


def _to_all(api: Api, rules: Iterable[StateRule], schemas: SharedSchemas) -> Iterator[StateRule]:
    """Rules for orders that are given to a list, of the same values in a member of the same name as for one thing."""
    for rule in rules:
        for resource in api.resources:
            ordered = _ordered(rule, resource)
            is_shown = resource.list and schemas.kind(schemas.at(resource.schema, rule.field)) == "string"
            for operation in api.operations if ordered and is_shown else ():
                moves = tuple(_moves_of_all(operation, resource, ordered, schemas))
                if moves:
                    yield StateRule(resource=resource.noun, field=rule.field, transitions=moves, failed=rule.failed)


def _ordered(rule: StateRule, resource: Resource) -> dict[str, dict[str, str]]:
    """Where actions on one thing of the list have the order → its values → the states that they bring about."""
    found: dict[str, dict[str, str]] = {}
    for each in rule.transitions:
        is_on_one = bool(resource.item) and shape(each.operation.partition(" ")[2]).startswith(
            f"{shape(resource.item)}/"
        )
        if is_on_one and len(each.when) == 1 and not each.from_states:
            ((place, value),) = each.when.items()
            found.setdefault(place, {})[str(value)] = each.to
    return found


def _moves_of_all(
    operation: Operation, resource: Resource, ordered: Mapping[str, Mapping[str, str]], schemas: SharedSchemas
) -> Iterator[Transition]:
    is_on_list = bool(resource.collection) and shape(operation.path) == shape(resource.collection)
    body = operation.body.schema if operation.body is not None else None
    if not is_on_list or operation.is_safe or operation.left_out or operation.key == resource.create or body is None:
        return
    held = (name for name, member in schemas.members(body).items() if schemas.kind(member) == "object")
    for holder in ("", *(f"/{escape(name)}" for name in held)):
        for place, states in ordered.items():
            values = {str(value) for value in schemas.values(schemas.at(body, f"{holder}{place}"))}
            if states.keys() <= values and len(set(states.values())) > 1:
                for value, to in states.items():
                    yield Transition(operation=operation.key, when={f"{holder}{place}": value}, to=to)


def _ordering(api: Api) -> Iterator[tuple[Operation, Resource]]:
    """Actions on one thing that say what is to be done in the body, with the thing."""
    owners = {key: resource for resource in api.resources if resource.id_parameter for key in resource.actions}
    for operation in api.operations:
        owner = owners.get(operation.key)
        is_act = operation.effect is Effect.ACT and not operation.left_out and operation.body is not None
        if owner is not None and is_act and shape(operation.path).startswith(f"{shape(owner.item)}/"):
            yield operation, owner


def _showing_states(api: Api) -> defaultdict[str, list[Resource]]:
    """What stands right below things and shows nothing but their states, by the shapes of the things' addresses."""
    found: defaultdict[str, list[Resource]] = defaultdict(list)
    for resource in api.resources:
        if resource.read and shows_state(resource.item):
            found[shape(resource.item).rpartition("/")[0]].append(resource)
    return found


def _moves(
    operation: Operation, resource: Resource, schemas: SharedSchemas
) -> Iterator[tuple[Mapping[str, Any], Reached]]:
    body = operation.body.schema if operation.body is not None else None
    shown = schemas.members(resource.schema)
    for name, member in schemas.members(body).items():
        is_order = is_named_as_order(name) or words.split(name) in STATE_WORDS
        for value in schemas.values(member) if is_order else ():
            said = words.split(str(value))
            state = reached(_SWITCHED.get(" ".join(said), said), shown, schemas)
            if state is not None and isinstance(state.value, str):
                yield {f"/{escape(name)}": value}, state


def _broken(schemas: SharedSchemas, resource: Resource, place: str) -> tuple[str, ...]:
    states = states_of(schemas.at(resource.schema, place) or {}, schemas)
    return tuple(str(each) for each in states if words.is_about(words.split(str(each)), words.BROKEN))


def _note(operation: Operation, moves: tuple[tuple[Mapping[str, Any], Reached], ...]) -> Diagnostic:
    told = ", ".join(f"{value}: {to.value}" for when, to in moves for value in when.values())
    return Diagnostic(
        "states-assumed",
        Severity.NOTE,
        operation.key,
        f"assumed from the words that it brings about {told} at {moves[0][1].place}",
        "say it in the profile's `states`",
    )
