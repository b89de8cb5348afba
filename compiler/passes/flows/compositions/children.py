"""Create with children: a new thing is of use only with its parts (a VM with a disk and a network interface).

The parts are the resources whose items the new thing's own items carry, and that are created with its id. Where the
thing has a state, and something harmless brings it out of its first one, the caller may ask for that as the last step.
"""

from compiler.ir.model import Flow, Input, Resource
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, read_back
from compiler.passes.flows.context import Context, address, noun_of
from compiler.passes.flows.inputs.bodies import Choice
from compiler.passes.flows.intents import created_id
from compiler.passes.flows.splits import risk_of_value
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from workflow.profiles.profile import Transition
from workflow.risks import GRAVITY, Risk, worst

_MOST_PARTS = 3  # with more kinds of parts the inputs are no longer a form that somebody fills in


def create_with_children(context: Context, resource: Resource) -> Flow | None:
    """The flow, None where the resource has no such parts."""
    parts = _parts(context, resource)
    if not resource.create or not parts:
        return None
    operation = context.operations[resource.create]
    builder = Builder(context, operation)
    builder.skipped_members = frozenset(context.holders[address(part)][1] for part in parts)
    step = change(builder, operation, f"Create the {resource.name}.", name="create")
    made = created_id(builder, operation, resource, step)
    if made is None:
        return None
    builder.known[(address(resource), "")] = made
    builder.add_output("id", made, {"type": ["string", "integer"]})
    since = len(builder.steps)
    for part in parts:
        since = len(builder.steps)
        builder.body_prefix = noun_of(part)
        part_operation = context.operations[part.create]
        change(builder, part_operation, f"Create the {part.name}.", name=f"create_{noun_of(part)}", checks_state=False)
    builder.body_prefix = ""
    start = _start(context, resource)
    if start is not None:
        _add_start(builder, resource, start, since)
    builder.label("back")
    read_back(builder, resource)
    return _named(context, builder, resource, parts, start)


def _parts(context: Context, resource: Resource) -> list[Resource]:
    """The parts in the order of the members that carry them."""
    order = {name: number for number, name in enumerate(context.schemas.members(resource.schema))}
    held: list[tuple[int, Resource]] = []
    for part in context.api.resources:
        holder, member = context.holders.get(address(part), (None, ""))
        if holder is resource and part.create and _takes_owner(context, part, resource):
            held.append((order[member], part))
    return [part for _, part in sorted(held, key=lambda pair: pair[0])][:_MOST_PARTS]


def _takes_owner(context: Context, part: Resource, owner: Resource) -> bool:
    """True when the part is created with the owner's id in its body."""
    return any(context.needed_by(part.create, into) is owner for into in context.bodies.get(part.create, ()))


def _start(context: Context, resource: Resource) -> Transition | None:
    """The first transition out of the first state, if it is harmless."""
    rule = context.states.get(resource.noun)
    if rule is None or rule.initial is None:
        return None
    moves = [m for m in rule.transitions if rule.initial in m.from_states and m.operation in context.operations]
    return next((m for m in moves if _is_harmless(context, m)), None)


def _is_harmless(context: Context, move: Transition) -> bool:
    operation = context.operations[move.operation]
    risks = [risk_of_value(context, operation, pointer, value) for pointer, value in move.when.items()]
    return all(GRAVITY[risk] <= GRAVITY[Risk.CHANGE] for risk in risks or [operation.risk or Risk.CHANGE])


def _add_start(builder: Builder, resource: Resource, move: Transition, since: int) -> None:
    verb = " ".join(str(value).lower() for value in move.when.values()) or "start"
    name = words.snake(verb)
    asked = Input(name, {"type": "boolean", "default": False}, False, f"Also {verb} the {resource.name}.")
    builder.leave_if(since, f"{builder.add_input(asked)} != true", "back")
    choices = tuple(Choice(pointer, (value,)) for pointer, value in move.when.items())
    operation = builder.operation(move.operation)
    first = len(builder.steps)
    change(builder, operation, f"{verb.capitalize()} the {resource.name}.", *choices, name=name, checks_state=False)
    builder.redirect(first, "back")


def _risk(context: Context, resource: Resource, parts: list[Resource], move: Transition | None) -> Risk:
    created = [context.operations[r.create].risk or Risk.CHANGE for r in (resource, *parts)]
    if move is not None:
        operation = context.operations[move.operation]
        created += [risk_of_value(context, operation, pointer, value) for pointer, value in move.when.items()]
    return worst(created)


def _named(
    context: Context, builder: Builder, resource: Resource, parts: list[Resource], move: Transition | None
) -> Flow:
    risk = _risk(context, resource, parts, move)
    names = " and ".join(part.name for part in parts)
    text = f"Creates {texts.an(resource.name)} with {' and '.join(texts.an(part.name) for part in parts)}"
    if move is not None:
        text += ", and brings it up if that is asked for"
    name = texts.flow_id(context.api.name, "create", f"{noun_of(resource)}_with_{words.snake(names)}")
    title = f"Create {resource.name} with {names}"
    return builder.flow(name, "create", title, texts.describe((f"{text}.",), risk), resource, risk)
