"""States: what has to hold before a change, and what has to be reached after it, from the profile's state rules.

Where the collection lists whole items, the state is looked at in the lookup that is made anyway; otherwise the item
is read once more. A value of an enumeration (START, STOP) has its own states before and after.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from compiler.ir.model import FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.inputs.bodies import Choice
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters, states_sequence
from compiler.passes.names.paths import parent, segments
from workflow.profiles.profile import StateRule, Transition

_LOOK_EVERY_S = 1


@dataclass(frozen=True, slots=True)
class StateCase:
    """What one value of the choice needs and reaches; `value` None when there is nothing to choose.

    `changes`: pointer to what has another value afterwards, "" where nothing is known to have.
    """

    value: Any
    before: tuple[str, ...]
    after: tuple[str, ...]
    changes: str = ""


def rule_for(builder: Builder, operation: Operation) -> StateRule | None:
    """The state rule that speaks of this operation, as a transition or as a need."""
    for rule in builder.context.profile.states:
        if operation.key in rule.needs or any(t.operation == operation.key for t in rule.transitions):
            return rule
    return None


def cases_of(rule: StateRule, operation: Operation, choice: Choice | None) -> tuple[StateCase, ...]:
    """One case a value of the choice; a need of the operation itself is a case without value."""
    needed = rule.needs.get(operation.key)
    if needed is not None:
        return (StateCase(None, needed, ()),)
    moves = [t for t in rule.transitions if t.operation == operation.key]
    if choice is None:
        return (_case(None, moves),) if moves else ()
    return tuple(_case(value, [t for t in moves if t.when.get(choice.pointer) == value]) for value in choice.values)


def _case(value: Any, moves: Sequence[Transition]) -> StateCase:
    any_before = any(not t.from_states for t in moves)
    before = () if any_before else tuple(dict.fromkeys(s for t in moves for s in t.from_states))
    told = {t.changes or "" for t in moves}
    return StateCase(value, before, tuple(dict.fromkeys(t.to for t in moves)), told.pop() if len(told) == 1 else "")


def chosen_input(builder: Builder, operation: Operation, choice: Choice | None) -> str:
    """The name of the input by which the caller chooses among the values, "" where there is no choice."""
    if choice is None or not choice.as_input:
        return ""
    source = {"body": operation.key, "at": choice.pointer}
    return next((name for name, sample in builder.sample.items() if sample == source), "")


def require_before(builder: Builder, operation: Operation, choice: Choice | None) -> None:
    """Adds the check to the lookup of the resource, or a step that reads the state. No check where none is needed."""
    rule = rule_for(builder, operation)
    cases = cases_of(rule, operation, choice) if rule else ()
    if rule is None or not any(case.before or case.changes for case in cases):
        return
    resource = _resource(builder, rule, operation)
    lookup = builder.lookups.get(rule.resource)
    if resource is None:
        return
    asked = chosen_input(builder, operation, choice)
    if lookup is not None and not resource.references and _is_listed(builder, resource, rule.field):
        _check_in_lookup(builder, rule, resource, lookup, cases, asked)
    elif resource.read:
        _check_by_reading(builder, rule, resource, cases, asked)


def _is_listed(builder: Builder, resource: Resource, field: str) -> bool:
    """Whether the list shows the state; what nobody described is taken to do so."""
    schemas, listed = builder.context.schemas, builder.context.listed(resource)
    is_shown = not schemas.members(listed) or schemas.at(listed, field) is not None
    return is_shown or not resource.read or schemas.at(resource.schema, field) is None


def _resource(builder: Builder, rule: StateRule, operation: Operation) -> Resource | None:
    """What shows the state: of several things of the noun the one whose address is nearest to the operation's."""
    found = [r for r in builder.context.api.resources if r.noun == rule.resource and r.read]
    asked = segments(operation.path)
    return max(found, key=lambda r: _shared(segments(r.item), asked), default=None)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many segments two paths have in common at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _check_in_lookup(
    builder: Builder, rule: StateRule, resource: Resource, lookup: str, cases: Sequence[StateCase], choice_input: str
) -> None:
    number = next(n for n, step in enumerate(builder.steps) if step.id == lookup)
    step = builder.steps[number]
    base, thing = queries.listed(resource), queries.of_listed(resource)
    named = _named_filter(step, base, queries.of_listed(resource, resource.id_field))
    place = f"@{thing}{queries.from_pointer(rule.field)}"
    allowed = _alternatives(cases, _Words(queries.quoted, f"'{{$inputs.{choice_input}}}'", place))
    query = f"{base}[?({named}) && ({allowed})]" if any(case.before for case in cases) else f"{base}[?{named}]"
    item = f"{base}[?{named}]{thing}"
    shown = {name: queries.selector(f"{item}{queries.from_pointer(at)}") for name, at in _kept_before(cases)}
    ambiguous = [f for f in step.failures if f.get("x-switchgear", {}).get("code") == "ambiguous"]
    others = [f for f in step.failures if f not in ambiguous]
    wrong = {
        "name": "wrong_state",
        "type": "end",
        "criteria": [queries.jsonpath(queries.counted(base, f"{base}[?{named}]", "== 1")), *_part_is_there(step)],
        "x-switchgear": {"code": "wrong_state", "message": _message(resource, cases, choice_input)},
    }
    builder.steps[number] = replace(
        step,
        outputs={**step.outputs, **shown},
        success=(*step.success, queries.jsonpath(queries.counted(base, query, "== 1"))),
        failures=(*ambiguous, wrong, *others),
    )
    builder.why.append(f"{lookup}: also refuses unless the {resource.name}'s {rule.field} allows the change")


def _kept_before(cases: Sequence[StateCase]) -> Iterator[tuple[str, str]]:
    """(output, pointer) of what is looked at before the change because it has another value afterwards."""
    places = dict.fromkeys(case.changes for case in cases if case.changes)
    return ((f"before{number or ''}", at) for number, at in enumerate(places))


def _named_filter(step: FlowStep, base: str, ending: str) -> str:
    """The filter with which the lookup selects the item: what stands in its output about the resource's id."""
    output = step.outputs.get("holder", step.outputs["id"])
    return str(output["selector"]).removeprefix(f"{base}[?").removesuffix(f"]{ending}")


def _part_is_there(step: FlowStep) -> list[dict[str, Any]]:
    """With a part inside, the state is only to blame when the part itself was found."""
    return [step.success[1]] if "holder" in step.outputs else []  # type: ignore[list-item]


def _check_by_reading(
    builder: Builder, rule: StateRule, resource: Resource, cases: Sequence[StateCase], choice_input: str
) -> None:
    operation = builder.operation(resource.read)
    item = f"$response.body#{resource.item_at}"
    words = _Words(queries.simple_quoted, f"$inputs.{choice_input}", f"{item}{rule.field}")
    allowed = [queries.simple(_alternatives(cases, words))] if any(case.before for case in cases) else []
    step = FlowStep(
        id=builder.free_step_id("check_state"),
        operation=operation.key,
        role=Role.CHECK,
        description=f"Check the {resource.name}'s state.",
        parameters=tuple(path_parameters(builder, operation)),
        outputs={name: f"{item}{at}" for name, at in _kept_before(cases)},
        success=(queries.OK, *allowed),
        failures=(
            {
                "name": "wrong_state",
                "type": "end",
                "criteria": [queries.OK],
                "x-switchgear": {"code": "wrong_state", "message": _message(resource, cases, choice_input)},
            },
        ),
    )
    builder.add_step(step, "the change is allowed in some states only")


@dataclass(frozen=True, slots=True)
class _Words:
    """How a condition is written in one of the two languages: literals, the choice, the state's place."""

    literal: Callable[[str], str]
    choice: str
    place: str
    changed: Mapping[str, str] = field(default_factory=dict)  # pointer → the condition that it has another value


def _alternatives(cases: Sequence[StateCase], said: _Words, after: bool = False) -> str:
    """The condition that some case is chosen and its states hold; a case without states always holds."""
    ways = []
    for case in cases:
        states = case.after if after else case.before
        held = queries.any_of(f"{said.place} == {said.literal(state)}" for state in states)
        if after and case.changes in said.changed:
            held = f"({held}) && {said.changed[case.changes]}"
        if len(cases) == 1:
            return held
        chosen = f"{said.choice} == {said.literal(str(case.value))}"
        ways.append(f"({chosen} && ({held}))" if states else f"({chosen})")
    return queries.any_of(ways)


def _message(resource: Resource, cases: Sequence[StateCase], choice_input: str) -> str:
    if len(cases) == 1:
        return f"The {resource.name} has to be {states_sequence(cases[0].before)} for this."
    needs = "; ".join(f"{case.value} needs {states_sequence(case.before)}" for case in cases if case.before)
    return f"The {resource.name}'s state does not allow {{$inputs.{choice_input}}}: {needs}."


def _reached(resource: Resource, cases: Sequence[StateCase]) -> str:
    """What has to be seen, in words."""
    ends = [f"{states_sequence(case.after)}{f' after {case.value}' if len(cases) > 1 else ''}" for case in cases]
    return f"the {resource.name} is {', '.join(dict.fromkeys(ends))}"


def _expected(rule: StateRule, resource: Resource, cases: Sequence[StateCase]) -> dict[str, Any]:
    """The state that is to be reached; where it was so before, too, that it is so tells nothing (a restart)."""
    reached = _reached(resource, cases)
    if any(set(case.before) & set(case.after) and not case.changes for case in cases):
        return {"place": rule.field, "shown": False, "text": f"{reached}, and was so before"}
    return {"place": rule.field, "text": reached}


def has_outcome(builder: Builder, operation: Operation, choice: Choice | None) -> bool:
    """True when the operation brings something into a state that can be read."""
    rule = rule_for(builder, operation)
    return rule is not None and any(case.after for case in cases_of(rule, operation, choice))


def shown_by(builder: Builder, operation: Operation, acted: Resource) -> Resource:
    """What shows the state that the operation changes: the thing itself, or what stands below it."""
    rule = rule_for(builder, operation)
    found = _resource(builder, rule, operation) if rule is not None else None
    return found if found is not None and parent(found.item) == acted.item else acted


def require_after(builder: Builder, operation: Operation, choice: Choice | None, back: FlowStep) -> None:
    """Makes the read-back wait until the state has followed, for as long as the profile says that it may take."""
    rule = rule_for(builder, operation)
    cases = cases_of(rule, operation, choice) if rule else ()
    resource = _resource(builder, rule, operation) if rule else None
    if rule is None or resource is None or not any(case.after for case in cases):
        return
    choice_input = chosen_input(builder, operation, choice)
    place = f"$response.body#{resource.item_at}{rule.field}"
    said = _Words(queries.simple_quoted, f"$inputs.{choice_input}", place, _changed(builder, resource, cases))
    reached = _alternatives(cases, said, after=True)
    retry = {
        "name": "not_yet",
        "type": "retry",
        "retryAfter": _LOOK_EVERY_S,
        "retryLimit": max(1, round(rule.settles_s / _LOOK_EVERY_S)),
        "criteria": [queries.OK],
        "x-switchgear": {
            "code": "not_reached",
            "message": f"It was accepted, and {rule.settles_s:g} s later the {resource.name} is {{{place}}}: "
            f"{_reached(resource, cases)} is what was asked for.",
        },
    }
    number = builder.steps.index(back)
    builder.steps[number] = replace(
        back,
        success=(*back.success, queries.simple(reached)),
        failures=(*_ended_badly(rule, resource, cases, place), *back.failures, retry),
        expects=(_expected(rule, resource, cases),),
        decides=all(case.changes or (case.before and set(case.before).isdisjoint(case.after)) for case in cases),
        outputs={**back.outputs, "state": place},
    )
    builder.add_output("state", f"$steps.{back.id}.outputs.state", {"type": "string"})
    builder.why.append(f"{back.id}: waits until {rule.field} shows the outcome")


def _changed(builder: Builder, resource: Resource, cases: Sequence[StateCase]) -> dict[str, str]:
    """Pointer → the condition that what stands there is not as it was before the change."""
    item = f"$response.body#{resource.item_at}"
    found: dict[str, str] = {}
    for name, at in _kept_before(cases):
        source = next((step.id for step in builder.steps if name in step.outputs), "")
        if source:
            found[at] = f"{item}{at} != $steps.{source}.outputs.{name}"
    return found


def _ended_badly(rule: StateRule, resource: Resource, cases: Sequence[StateCase], place: str) -> list[dict[str, Any]]:
    """The end of a wait for a thing that has come into a state that means failure, and was in none before."""
    is_known = all(case.before for case in cases)  # else it may have been so all along
    bad = [s for s in rule.failed if is_known and not any(s in (*case.before, *case.after) for case in cases)]
    if not bad:
        return []
    text = f"It was accepted, and the {resource.name} is {{{place}}} now, which means that it failed."
    return [
        {
            "name": "ended_badly",
            "type": "end",
            "criteria": [queries.OK, queries.simple(queries.one_of_states(place, bad))],
            "x-switchgear": {"code": "not_reached", "message": text},
        }
    ]
