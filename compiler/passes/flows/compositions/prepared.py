"""What has a meaning only after something else was done, though no value leads from the one to the other.

A licence that has to be accepted before a collection, a key that is uploaded before its certificate: no name and no
schema tells, so the profile does (`Prerequisite`). The plain workflow stays; this one does both, in order.
"""

from collections.abc import Iterator

from compiler.ir.model import Flow, Operation, Resource, Risk, worst
from compiler.passes.flows import texts
from compiler.passes.flows.builder import Builder, noun_of
from compiler.passes.flows.changes import change
from compiler.passes.flows.compositions.restarted import is_told_at_once, then_restart
from compiler.passes.flows.context import Context
from compiler.passes.flows.lookups import path_parameters
from workflow.profile import Prerequisite


def prepared(context: Context, resource: Resource) -> Iterator[Flow]:
    """One flow for each of the resource's actions that needs another one first."""
    for rule in context.profile.prerequisites:
        first, second = (context.operations.get(key) for key in (rule.first, rule.operation))
        if first is not None and second is not None and rule.operation in resource.actions:
            yield _plan(context, resource, rule, first, second)


def _plan(context: Context, resource: Resource, rule: Prerequisite, first: Operation, second: Operation) -> Flow:
    builder = Builder(context, second)
    builder.shares_body_inputs = True
    path_parameters(builder, first)
    path_parameters(builder, second)
    builder.fixed_members = {f"/{name}": value for name, value in rule.first_with.items()}
    change(builder, first, f"{texts.verb_of(first).capitalize()}.", name="prepare")
    builder.fixed_members = {}
    builder.tell(f"{rule.operation} after {rule.first}: {rule.why}")
    builder.label("second")
    text = f"{texts.verb_of(second).capitalize()}."
    pending = context.pending_rule(second.key)
    restart = context.operations.get(pending.applied_by or "") if pending and is_told_at_once(pending) else None
    if pending is not None and restart is not None:
        then_restart(builder, pending, second, restart, text)
    else:
        change(builder, second, text)
    return _named(context, builder, resource, (first, second, *((restart,) if restart else ())))


def _named(context: Context, builder: Builder, resource: Resource, done: tuple[Operation, ...]) -> Flow:
    verbs = [texts.verb_of(o) for o in done[:2]]
    told = " and ".join((*verbs, *("restart" for _ in done[2:])))
    text = f"First: {verbs[0]}; then: {verbs[1]}" + (", and a restart, so that it takes effect." if done[2:] else ".")
    risk = worst(o.risk or Risk.CHANGE for o in done)
    name = texts.action_id(context.api.name, told, noun_of(resource))
    described = texts.describe((f"{resource.name.capitalize()}: {text}",), risk)
    return builder.flow(name, "act", f"{told.capitalize()} {resource.name}", described, resource, risk)
