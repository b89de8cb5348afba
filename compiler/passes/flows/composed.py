"""Workflows that a person wants, as an ordered list of operations: the planner finds the data flow.

Each operation is planned as it would be alone: its path by lookups, its body, its wait for a job. Ids that an earlier
operation made feed the later ones whose links name such a thing; one thing is looked up once. The class is the highest
of the steps. What can't be proved on the twin is refused later, like everything else. Called by the planning pass.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from compiler.ir.model import Diagnostic, Effect, Flow, FlowStep, Operation, Resource, Role, Severity
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, end_after_job, parameters_of, read_back, read_back_made
from compiler.passes.flows.context import Context, address, noun_of
from compiler.passes.flows.inputs.bodies import Choice, enumerations
from compiler.passes.flows.intents import created_id
from compiler.passes.flows.overrides import at, with_constant
from compiler.passes.flows.splits import class_of_value
from compiler.passes.flows.steps import queries, states
from compiler.passes.flows.steps.gone import gone
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.wording import texts
from compiler.passes.flows.wording.fulfilled import unfulfilled
from compiler.passes.names import words
from compiler.passes.names.paths import item_prefixes, shape
from workflow.profiles.profile import Compose
from workflow.risks import Risk, worst

_SHOWN = (Effect.CREATE, Effect.UPDATE, Effect.DELETE)
_DEEPEST = 3  # members of a body below this are given by callers as they are


@dataclass(slots=True)
class _Course:
    """One workflow being composed. `used`: the names in `values` that found their place."""

    context: Context
    wanted: Compose
    builder: Builder
    made: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def values(self, number: int) -> dict[str, tuple[str, Any]]:
        """Name → (name as written, value) of what is fixed for the operation with this number, counted from 1."""
        everywhere = {name: (name, value) for name, value in self.wanted.values.items() if "." not in name}
        own = f"{number}."
        told = {k.removeprefix(own): (k, v) for k, v in self.wanted.values.items() if k.startswith(own)}
        return {**everywhere, **told}


def composed(context: Context) -> tuple[list[Flow], list[Diagnostic]]:
    """The flows in the profile's order; what cannot be found is said, and the rest is made."""
    flows: list[Flow] = []
    said: list[Diagnostic] = []
    for number, wanted in enumerate(context.profile.overrides.compose):
        place = f"profile#/overrides/compose/{number}"
        unknown = [key for key in wanted.operations if key not in context.operations]
        said += [_unknown(place, wanted, key) for key in unknown]
        operations = [context.operations[key] for key in wanted.operations if key in context.operations]
        if any(flow.id == wanted.id for flow in flows):
            said.append(_warning("override-unused", place, f"{wanted.id} is composed twice", "rename one of the two"))
        elif operations:
            course = _Course(context, wanted, Builder(context, _goal(context, operations)))
            flows.append(_composed(course, operations))
            said += _untrue(context, place, wanted, flows[-1])
            said += [_unplaced(place, wanted, name) for name in wanted.values if name not in course.used]
    return flows, said


def _unknown(place: str, wanted: Compose, key: str) -> Diagnostic:
    message = f"{wanted.id}: the API has no operation {key}; the workflow is made without it"
    return _warning("override-unknown-operation", f"{place}/operations", message, "name one that the API has")


def _untrue(context: Context, place: str, wanted: Compose, flow: Flow) -> Iterator[Diagnostic]:
    """A note where the title promises what no step does, or keeps silent about a change: it is a person's to say."""
    fault = unfulfilled(context, flow, wanted.title, wanted.description)
    if fault:
        remedy = "say in the title what is done, or leave it: the words may be others for the same"
        yield Diagnostic("title-unfulfilled", Severity.NOTE, f"{place}/title", f"{wanted.id}: {fault}", remedy)


def _unplaced(place: str, wanted: Compose, name: str) -> Diagnostic:
    message = f"{wanted.id}: no member of a body and no input is called {name}"
    return _warning("override-unused", f"{place}/values/{name}", message, "correct or remove it")


def _warning(code: str, place: str, message: str, remedy: str) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, place, message, remedy)


def _goal(context: Context, operations: list[Operation]) -> Operation:
    """The first change that needs a state, since the proof starts in it; else the last change, else the last."""
    builder = Builder(context, operations[-1])
    changes = [o for o in operations if o.effect is not Effect.READ]
    held = [o for o in changes if states.rule_for(builder, o) is not None]
    return next(iter(held), (changes or operations)[-1])


def _composed(course: _Course, operations: list[Operation]) -> Flow:
    builder, wanted = course.builder, course.wanted
    builder.tell(f"{wanted.id}: composed by a person of {', '.join(o.key for o in operations)}")
    _find_first(course, operations)
    for number, operation in enumerate(operations):
        if operation.effect is Effect.READ:
            _read(course, operation)
        else:
            _change(course, operation, number, operations[:number], operations[number + 1 :])
    flow = _flow(course, operations)
    for name, value in wanted.values.items():
        if any(given.name == name for given in flow.inputs):
            course.used.add(name)
            flow = with_constant(flow, name, value)
    risk = worst(class_of(course.context, flow, step) for step in flow.steps)
    said = wanted.description or f"{wanted.title.rstrip('.')}."
    return replace(flow, risk=risk, description=texts.describe((said,), risk))


def _find_first(course: _Course, operations: list[Operation]) -> None:
    """Looks up whatever the changes are done to before the first of them, but for what they make themselves: a name
    that nothing has is found out while nothing is changed."""
    context, made = course.context, set[str]()
    for operation in operations:
        needed = (
            context.needed_by(operation.key, f"path.{name}") or context.by_item.get(shape(prefix))
            for prefix, name in item_prefixes(operation.path)
        )
        is_free = made.isdisjoint(address(r) for r in needed if r is not None)
        if operation.effect is not Effect.READ and is_free:
            path_parameters(course.builder, operation)
        resource = _about(context, operation)
        if resource is not None and _makes(operation, resource):
            made.add(address(resource))


def _makes(operation: Operation, resource: Resource) -> bool:
    """Whether another such thing comes of it: it is created, or copied."""
    is_copy = operation.effect is Effect.ACT and words.is_about(
        words.split(texts.verb_of(operation))[:1], words.COPYING
    )
    return operation.key == resource.create or is_copy


def _flow(course: _Course, operations: list[Operation]) -> Flow:
    builder = course.builder
    resource = _about(course.context, builder.goal) or Resource(noun=builder.goal.path, name=course.wanted.title)
    intent = "report" if all(o.effect is Effect.READ for o in operations) else "act"
    return builder.flow(course.wanted.id, intent, course.wanted.title, "", resource, Risk.READ)


def _about(context: Context, operation: Operation) -> Resource | None:
    """The resource whose operation it is."""
    for r in context.api.resources:
        if operation.key in (r.list, r.read, r.create, r.update, r.delete, *r.actions):
            return r
    return None


def _read(course: _Course, operation: Operation) -> None:
    """Reads and gives out; a poll that a change has made already is not made again."""
    builder = course.builder
    if any(step.operation == operation.key and step.role is Role.WAIT for step in builder.steps):
        return
    resource = _about(course.context, operation)
    what = "result"
    place = "$response.body"
    if resource is not None and operation.key == resource.source:
        what, place = words.snake(words.plural(resource.name)), f"$response.body#{resource.members}"
    elif resource is not None and operation.key == resource.read:
        what, place = noun_of(resource), resource.item_in_reply
    parameters = tuple(parameters_of(builder, operation))
    step = FlowStep(
        id=builder.free_step_id("read"),
        operation=operation.key,
        role=Role.READ,
        description="Read.",
        parameters=parameters,
        outputs={what: place.removesuffix("#")},
        success=(queries.OK,),
    )
    builder.add_step(step, "a person wants it here")
    builder.add_output(builder.free_output_name(what), f"$steps.{step.id}.outputs.{what}", {})


def _change(
    course: _Course, operation: Operation, number: int, before: list[Operation], after: list[Operation]
) -> None:
    """The change with what is fixed and what was made before; its outcome is awaited where a later one needs it."""
    builder = course.builder
    resource = _about(course.context, operation)
    told = _fixed(course, operation, number + 1)
    choices = tuple(
        Choice(pointer, (value,)) for pointer, value in told.items() if _is_value(builder, operation, pointer)
    )
    builder.fixed_members = {**_made_before(course, operation), **told}
    rule = states.rule_for(builder, operation)
    is_first = not any(states.rule_for(builder, o) is rule for o in before)
    text = f"{words.spoken(texts.verb_of(operation)).capitalize()}."
    step = change(builder, operation, text, *choices, name="change", checks_state=is_first)
    builder.fixed_members = {}
    if resource is not None:
        _keep_made(course, operation, resource, step)
    choice = choices[0] if choices else None
    is_awaited = rule is not None and any(states.rule_for(builder, o) is rule for o in after)
    if is_awaited and states.has_outcome(builder, operation, choice):
        _await(course, operation, choice)
    elif resource is not None and not any(_about(course.context, o) is resource for o in after if o.effect in _SHOWN):
        is_read = any(_about(course.context, o) is resource for o in after if o.effect is Effect.READ)
        _show(course, operation, resource, step, gives_out=not is_read)


def _show(course: _Course, operation: Operation, resource: Resource, step: FlowStep, *, gives_out: bool) -> None:
    """Reads back what the last change of a thing made of it, as a workflow of this change alone does."""
    builder, outputs = course.builder, dict(course.builder.outputs)
    made = course.made.get(address(resource)) if operation.effect is Effect.CREATE else None
    back: FlowStep | None = None
    if operation.effect is Effect.UPDATE:
        back = read_back(builder, resource)
    elif operation.effect is Effect.DELETE:
        gone(builder, resource)
    elif made is not None:
        end_after_job(builder, operation, "", past := f"past_made_{step.id}")
        back = read_back_made(builder, resource, made)
        builder.label(past)
    if back is not None:
        item = builder.outputs.pop("item")
        schema = builder.output_schemas.pop("item")
        builder.outputs.update(outputs)
        if gives_out:
            builder.add_output(builder.free_output_name(noun_of(resource)), item, schema)


def _await(course: _Course, operation: Operation, choice: Choice | None) -> None:
    builder = course.builder
    rule = states.rule_for(builder, operation)
    owner = next((r for r in course.context.api.resources if rule and r.noun == rule.resource and r.read), None)
    back = read_back(builder, owner) if owner is not None else None
    if back is not None:
        states.require_after(builder, operation, choice, back)


def _is_value(builder: Builder, operation: Operation, pointer: str) -> bool:
    return pointer in enumerations(builder, operation)


def _fixed(course: _Course, operation: Operation, number: int) -> dict[str, Any]:
    """Pointer into the body → value, for the members whose names stand in the profile's `values`."""
    told = course.values(number)
    found: dict[str, Any] = {}
    body = operation.body
    for pointer, name in _members(course.context, body.schema if body else None, "", 0):
        if name in told:
            written, found[pointer] = told[name]
            course.used.add(written)
    return found


def _members(context: Context, schema: Any, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    """(pointer, name) of a body's members, those nearest the top first in each branch."""
    schemas = context.schemas
    element = schemas.element(schema)
    if element is not None and depth == 0:
        yield from _members(context, element, f"{pointer}/0", depth)
    elif depth < _DEEPEST and element is None:
        for name, member in schemas.members(schema).items():
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            yield place, name
            yield from _members(context, member, place, depth + 1)


def _made_before(course: _Course, operation: Operation) -> dict[str, Any]:
    """Pointer into the body → the id made by an earlier step, once a thing, at the place nearest the body's top."""
    context, found = course.context, dict[str, Any]()
    path_needs = {
        address(r)
        for prefix, name in item_prefixes(operation.path)
        if (r := context.needed_by(operation.key, f"path.{name}") or context.by_item.get(shape(prefix))) is not None
    }
    placed: set[str] = set()
    for target, into in sorted(context.links, key=lambda link: (link[1].count("/"), link[1])):
        named = context.needed_by(target, into) if target == operation.key and into.startswith("body#") else None
        one = address(named) if named is not None else ""
        if one in course.made and one not in path_needs and one not in placed:
            placed.add(one)
            pointer = into.removeprefix("body#")
            found[pointer.removesuffix("/*")] = [course.made[one]] if pointer.endswith("/*") else course.made[one]
    return found


def _keep_made(course: _Course, operation: Operation, resource: Resource, step: FlowStep) -> None:
    """Remembers the id of what the operation made: a creation makes its resource, a copy another of its owner."""
    builder = course.builder
    verb = words.split(texts.verb_of(operation))
    is_copy = operation.effect is Effect.ACT and words.is_about(verb[:1], words.COPYING) and "created" in step.outputs
    if operation.key != resource.create and not is_copy:
        return
    made = created_id(builder, operation, resource, step)
    if made is not None:
        course.made[address(resource)] = builder.known[(address(resource), "")] = made
        name = f"{noun_of(resource)}_id"
        builder.add_output(builder.free_output_name(name), made, {"type": ["string", "integer"]})


def class_of(context: Context, flow: Flow, step: FlowStep) -> Risk:
    """The class of one step: that of the values it can send where these decide, else that of its operation."""
    operation = context.operations[step.operation]
    if operation.effect is Effect.READ:
        return Risk.READ
    offered = {f"$inputs.{given.name}": given.schema.get("enum") for given in flow.inputs}
    for pointer, values in enumerations(Builder(context, operation), operation).items():
        classes = {value: class_of_value(context, operation, pointer, value) for value in values}
        if len(set(classes.values())) > 1:
            return worst(classes[v] for v in _sent(step, pointer, values, offered))
    return operation.risk or Risk.CHANGE


def _sent(step: FlowStep, pointer: str, values: tuple[Any, ...], offered: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of the enumeration that the step can send; all of them where that can't be told."""
    stands = at(step.payload, pointer)
    chosen = offered.get(str(stands)) or [stands]
    return tuple(v for v in chosen if v in values) or values
