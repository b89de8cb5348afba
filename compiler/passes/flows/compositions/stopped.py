"""Stop, change, start: a change that a thing allows in some states only, for a thing that is in another one.

The plain workflow refuses then; this one brings the thing into the state first, makes the change, and, unless the
change took it away, brings it back to how it was found. Whether it is in the right state already is looked at first.
The need is told by the profile (`StateRule.needs`), or by the description of a member that names states.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compiler.ir.model import Effect, Flow, FlowStep, Input, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, read_back
from compiler.passes.flows.context import Context, noun_of
from compiler.passes.flows.inputs.bodies import Choice
from compiler.passes.flows.splits import risk_of_value
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.gone import gone
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from workflow.profiles.profile import StateRule, Transition
from workflow.risks import Risk, worst

_LOOK_EVERY_S = 1
_ONLY = re.compile(r"\b(only|must|has to|while|before)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Need:
    """`goal` is allowed in `states` of `owner`; `stops` lead there, `start` leads back (None: nothing does)."""

    goal: Operation
    rule: StateRule
    owner: Resource
    states: tuple[str, ...]
    stops: tuple[Transition, ...]
    start: Transition | None


def stopped(context: Context, resource: Resource) -> Flow | None:
    """The deletion, or else the update, of the resource with its owner stopped for it."""
    for key in (resource.delete, resource.update):
        need = _need(context, context.operations[key]) if key else None
        if need is not None:
            return _composed(context, resource, need)
    return None


def stopped_update(context: Context, resource: Resource) -> Flow | None:
    """The update with the owner stopped for it, where the deletion has such a workflow too."""
    needs = [_need(context, context.operations[key]) if key else None for key in (resource.delete, resource.update)]
    return _composed(context, resource, needs[1]) if all(needs) and needs[1] is not None else None


def _need(context: Context, goal: Operation) -> _Need | None:
    for rule in context.profile.states:
        owner = next((r for r in context.api.resources if r.noun == rule.resource and r.read and r.list), None)
        needed = rule.needs.get(goal.key) or (_told_by_members(context, goal, rule, owner) if owner else ())
        moves = [m for m in rule.transitions if m.operation in context.operations]
        stops = tuple(m for m in moves if m.to in needed and m.from_states and not set(m.from_states) <= set(needed))
        if owner is not None and needed and stops:
            came_from = {state for m in stops for state in m.from_states}
            start = next((m for m in moves if m.to in came_from and set(m.from_states) & set(needed)), None)
            return _Need(goal, rule, owner, needed, _alike(stops), start)
    return None


def _alike(stops: tuple[Transition, ...]) -> tuple[Transition, ...]:
    """The ways that differ from the first one only in the value of one member."""
    first = stops[0]
    return tuple(m for m in stops if m.operation == first.operation and set(m.when) == set(first.when))


def _told_by_members(context: Context, goal: Operation, rule: StateRule, owner: Resource) -> tuple[str, ...]:
    """The states that the descriptions of the body's members name as those in which these may be changed."""
    if goal.key != owner.update or goal.body is None:
        return ()
    states = [str(v) for v in context.schemas.values(context.schemas.at(owner.schema, rule.field))]
    found: list[str] = []
    for member in context.schemas.members(goal.body.schema).values():
        text = context.schemas.text(member)
        if _ONLY.search(text):
            found += [state for state in states if re.search(rf"\b{re.escape(state)}\b", text)]
    return tuple(dict.fromkeys(found))


def _composed(context: Context, resource: Resource, need: _Need) -> Flow:
    builder = Builder(context, need.goal)
    state = _look(builder, need)
    _stop(builder, need)
    builder.label("change")
    first = len(builder.steps)
    verb = "delete" if need.goal.effect is Effect.DELETE else "update"
    change(builder, need.goal, f"{verb.capitalize()} the {resource.name}.", name=verb, checks_state=False)
    is_gone = need.goal.effect is Effect.DELETE and resource == need.owner
    restarts = need.start is not None and not is_gone
    if restarts:
        _start(builder, need, state, first)
    builder.label("back")
    if need.goal.effect is Effect.DELETE:
        gone(builder, resource)
    else:
        read_back(builder, resource)
    return _named(builder, resource, need, verb, restarts)


def _look(builder: Builder, need: _Need) -> str:
    """Looks up everything that the change names, then the owner's state; in the right one already, on to the change."""
    path_parameters(builder, need.goal)
    operation = builder.operation(need.owner.read)
    place = f"$response.body#{need.owner.item_at}{need.rule.field}"
    step = FlowStep(
        id="look",
        operation=operation.key,
        role=Role.CHECK,
        description=f"See which state the {need.owner.name} is in.",
        parameters=tuple(path_parameters(builder, operation)),
        outputs={"state": place},
        success=(queries.OK,),
        branches=(
            {
                "name": "ready",
                "stepId": "@change",
                "criteria": [queries.simple(queries.one_of_states(place, need.states))],
            },
        ),
    )
    builder.add_step(step, f"the change needs the {need.owner.name} in {' or '.join(need.states)}")
    return "$steps.look.outputs.state"


def _stop(builder: Builder, need: _Need) -> None:
    operation = builder.operation(need.stops[0].operation)
    pointers = list(need.stops[0].when)
    choices = tuple(Choice(p, tuple(dict.fromkeys(m.when[p] for m in need.stops))) for p in pointers)
    for choice in choices:
        if choice.as_input:
            _offer(builder, operation, choice, need)
    builder.shares_body_inputs = True
    change(builder, operation, f"Stop the {need.owner.name}.", *choices, name="stop", checks_state=False)
    builder.shares_body_inputs = False
    _await(builder, need, "await_stop", queries.one_of_states(_place(need), need.states))


def _offer(builder: Builder, operation: Operation, choice: Choice, need: _Need) -> None:
    """The caller may say how to stop; the first way is taken otherwise."""
    name = choice.pointer.rpartition("/")[2]
    schema = {"type": "string", "enum": list(choice.values), "default": choice.values[0]}
    text = f"How to stop the {need.owner.name}."
    builder.add_input(Input(name, schema, False, text), {"body": operation.key, "at": choice.pointer})


def _place(need: _Need) -> str:
    return f"$response.body#{need.owner.item_at}{need.rule.field}"


def _await(builder: Builder, need: _Need, name: str, reached: str) -> None:
    operation = builder.operation(need.owner.read)
    retry = {
        "name": "not_yet",
        "type": "retry",
        "retryAfter": _LOOK_EVERY_S,
        "retryLimit": max(1, round(need.rule.settles_s / _LOOK_EVERY_S)),
        "criteria": [queries.OK],
    }
    step = FlowStep(
        id=name,
        operation=operation.key,
        role=Role.CHECK,
        description=f"Wait until the {need.owner.name} has followed.",
        parameters=tuple(path_parameters(builder, operation)),
        success=(queries.OK, queries.simple(reached)),
        failures=(retry,),
    )
    builder.add_step(step, "the state follows a moment after the job")


def _start(builder: Builder, need: _Need, state: str, since: int) -> None:
    assert need.start is not None, "asked only where something leads back"
    builder.leave_if(since, f"{state} != {queries.simple_quoted(need.start.to)}", "back")
    operation = builder.operation(need.start.operation)
    choices = tuple(Choice(pointer, (value,)) for pointer, value in need.start.when.items())
    change(builder, operation, f"Start the {need.owner.name} again.", *choices, name="start", checks_state=False)


def _named(builder: Builder, resource: Resource, need: _Need, verb: str, restarts: bool) -> Flow:
    context = builder.context
    stop = _word(need.stops[0], "stop")
    told = f"{stop} and {verb}"
    text = f"Brings {texts.an(need.owner.name)} to {' or '.join(need.states)} unless it is, then {verb}s the"
    text += f" {resource.name}"
    if restarts and need.start is not None:
        told = f"{stop} {verb} and {_word(need.start, 'start')}"
        text += ", then brings it back up if it was"
    changes = [need.goal.risk or Risk.CHANGE, *(_risk(context, m) for m in need.stops)]
    risk = worst(changes)
    name = texts.flow_id(context.api.name, told, noun_of(resource))
    title = texts.opened(texts.doing(told, resource.name))
    described = texts.describe((f"{text}.",), risk)
    return builder.flow(name, verb, title, described, resource, risk)


def _word(move: Transition, otherwise: str) -> str:
    values: Sequence[str] = [str(value) for value in move.when.values()]
    return words.spoken(values[0].lower() if values[0].isupper() else values[0]) if values else otherwise


def _risk(context: Context, move: Transition) -> Risk:
    operation = context.operations[move.operation]
    told = [risk_of_value(context, operation, pointer, value) for pointer, value in move.when.items()]
    return worst(told or [operation.risk or Risk.DISRUPT])
