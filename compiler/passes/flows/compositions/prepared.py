"""What has a meaning only after something else was done, though no name and no schema tells so: the profile does.

A licence that has to be accepted before a collection, a key that is uploaded before its certificate, an image that is
uploaded and then installed from the address in the reply (`Prerequisite`). The plain workflow stays; this one does
both, in order.
"""

from collections.abc import Iterator
from dataclasses import replace

from compiler.ir.model import Effect, Flow, Operation, Resource
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change
from compiler.passes.flows.compositions.restarted import is_told_at_once, then_restart
from compiler.passes.flows.context import Context, noun_of
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.steps.waiting import poll_parameters
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from workflow.profiles.profile import Prerequisite
from workflow.profiles.profile_speech import Place
from workflow.risks import Risk, worst


def prepared(context: Context, resource: Resource) -> Iterator[Flow]:
    """One flow for each of the resource's actions that needs another one first."""
    for rule in context.profile.prerequisites:
        first, second = (context.operations.get(key) for key in (rule.first, rule.operation))
        if first is not None and second is not None and rule.operation in resource.actions:
            yield _composed(context, resource, rule, first, second)


def _composed(context: Context, resource: Resource, rule: Prerequisite, first: Operation, second: Operation) -> Flow:
    builder = Builder(context, second)
    builder.shares_body_inputs = True
    for operation in (first, second):
        path_parameters(builder, operation)
        job = context.jobs.get(operation.key)
        if job is not None:
            poll_parameters(builder, job)
    pending = context.pending_rule(second.key)
    needs_restart = pending is not None and is_told_at_once(pending) and not pending.is_optional
    restart = context.operations.get(pending.applied_by or "") if pending and needs_restart else None
    if restart is not None:
        path_parameters(builder, restart)
    builder.fixed_members = {f"/{name}": value for name, value in rule.first_with.items()}
    number = builder.steps.index(change(builder, first, f"{texts.opened(_verb(first))}.", name="prepare"))
    step = builder.steps[number]
    outputs = {f"handed_{words.snake(name)}": _taken(place) for name, place in rule.hands_on.items()}
    builder.steps[number] = replace(step, outputs={**step.outputs, **outputs})
    handed = {f"/{name}": f"$steps.{step.id}.outputs.handed_{words.snake(name)}" for name in rule.hands_on}
    builder.fixed_members = handed
    builder.tell(f"{rule.operation} after {rule.first}: {rule.why}")
    builder.label("second")
    text = f"{texts.opened(_verb(second))}."
    if pending is not None and restart is not None:
        then_restart(builder, pending, second, restart, text)
    else:
        change(builder, second, text)
    return _named(context, builder, resource, (first, second, *((restart,) if restart else ())))


def _taken(place: Place) -> str:
    return f"$response.body#{place.at}" if place.within == "body" else f"$response.header.{place.at}"


def _verb(operation: Operation) -> str:
    return "upload" if operation.effect is Effect.CREATE else texts.verb_of(operation)


def _named(context: Context, builder: Builder, resource: Resource, done: tuple[Operation, ...]) -> Flow:
    verbs = [_verb(o) for o in done[:2]]
    told = " and ".join((*verbs, *("restart" for _ in done[2:])))
    text = f"First: {verbs[0]}; then: {verbs[1]}" + (", and a restart, so that it takes effect." if done[2:] else ".")
    risk = worst(o.risk or Risk.CHANGE for o in done)
    name = texts.action_id(context.api.name, told, noun_of(resource))
    described = texts.describe((f"{texts.opened(resource.name)}: {text}",), risk)
    return builder.flow(name, "act", texts.opened(texts.doing(told, resource.name)), described, resource, risk)
