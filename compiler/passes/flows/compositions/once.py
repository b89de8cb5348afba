"""Settings that hold for one time: a group of members of which one says `Once` and another says what.

A boot override is such a group: its own workflow asks for the one thing that the caller has to say, where the plain
update hides it in an object. Where the settings take effect with a restart (`PendingSettings`), a second one restarts.
Nothing here knows what a boot is: the group is told by an enumeration with a one-time value and the names beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.ir.model import Flow, Operation, Resource, Schema
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, read_back
from compiler.passes.flows.compositions.restarted import is_told_at_once, then_restart
from compiler.passes.flows.context import Context, noun_of
from compiler.passes.flows.inputs.bodies import Choice
from compiler.passes.flows.steps.following import ends_pending
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from workflow.json.pointers import escape
from workflow.risks import Risk, worst

_ONE_TIME = frozenset({"once", "onetime", "one_time", "oneshot", "one_shot"})


@dataclass(frozen=True, slots=True)
class _Group:
    """`holder`: the member of the body in which the group stands; `switch` takes `value`, `chosen` says what.

    `others`: members of the body and of the holder that do not belong to the group.
    """

    holder: str
    switch: str
    value: str
    chosen: str
    values: tuple[str, ...]
    others: frozenset[str]


def once(context: Context, resource: Resource) -> Iterator[Flow]:
    """For each such group in the resource's update: set it for one time, and the same with the restart."""
    update = context.operations.get(resource.update)
    if update is None or update.left_out or update.body is None:
        return
    for holder, schema in context.schemas.members(update.body.schema).items():
        group = _group(context, update, holder, schema)
        if group is None:
            continue
        yield _composed(context, resource, update, group, None)
        rule = context.pending_rule(update.key)
        restart = context.operations.get(rule.applied_by or "") if rule and is_told_at_once(rule) else None
        if restart is not None:
            yield _composed(context, resource, update, group, restart)


def _group(context: Context, update: Operation, holder: str, schema: Schema) -> _Group | None:
    members = context.schemas.members(schema) if context.schemas.element(schema) is None else {}
    choices = {name: _texts(context, member) for name, member in members.items()}
    for switch, values in choices.items():
        value = next((v for v in values if words.snake(v) in _ONE_TIME), "")
        stem = words.split(switch)[:-1]
        akin = {name for name in members if stem and _holds(words.split(name), stem)} - {switch}
        chosen = max(
            (name for name in sorted(akin) if len(choices[name]) > 1), key=lambda n: len(choices[n]), default=""
        )
        if value and chosen:
            beside = set(context.schemas.members(update.body.schema if update.body else None)) - {holder}
            others = frozenset(beside | (members.keys() - akin - {switch}))
            return _Group(holder, switch, value, chosen, choices[chosen], others)
    return None


def _holds(said: tuple[str, ...], stem: tuple[str, ...]) -> bool:
    return any(said[at : at + len(stem)] == stem for at in range(len(said)))


def _texts(context: Context, schema: Schema) -> tuple[str, ...]:
    return tuple(value for value in context.schemas.values(schema) if isinstance(value, str))


def _composed(
    context: Context, resource: Resource, update: Operation, group: _Group, restart: Operation | None
) -> Flow:
    builder = Builder(context, update)
    place = f"/{escape(group.holder)}"
    builder.skipped_members = group.others
    builder.fixed_members = {f"{place}/{escape(group.switch)}": group.value}
    chosen = Choice(f"{place}/{escape(group.chosen)}", group.values)
    what = words.spoken(group.chosen)
    path_parameters(builder, update)
    rule = context.pending_rule(update.key)
    if restart is not None and rule is not None:
        then_restart(builder, rule, update, restart, f"Set the {what} for one time.", chosen)
    else:
        change(builder, update, f"Set the {what} for one time.", chosen)
        read_back(builder, resource)
        ends_pending(builder, resource, update.key)
    builder.tell(f"{place}: {group.switch} can be {group.value}, and {group.chosen} says what holds so long")
    verb = f"{words.snake(group.holder)}_once"
    text = f"Sets the {what} of {texts.an(resource.name)} for one time; afterwards it is as before."
    said = (text, "Restarts it, so that it is used now.") if restart else (text, "It is used at the next start.")
    risk = worst((update.risk or Risk.CHANGE, *((restart.risk or Risk.DISRUPT,) if restart else ())))
    name = texts.flow_id(context.api.name, verb, noun_of(resource)) + ("_and_restart" if restart else "")
    title = f"{words.spoken(verb).capitalize()}: {resource.name}" + (" and restart" if restart else "")
    return builder.flow(name, "act", title, texts.describe(said, risk), resource, risk)
