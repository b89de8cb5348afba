"""What takes effect with a restart and can be told so in one request: do it, restart, wait, see it back.

Two kinds, told apart by the profile (`PendingSettings`). What is stored at once and only used after a restart has no
job. What may wait (`is_optional`: a new virtual disk, a firmware image) is asked to, starts its own job, and that job
is over some time after the restart.
"""

from compiler.ir.model import Effect, Flow, FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change
from compiler.passes.flows.compositions.pending import applying
from compiler.passes.flows.context import Context, noun_of
from compiler.passes.flows.inputs.bodies import Choice
from compiler.passes.flows.steps import queries, states
from compiler.passes.flows.steps.gone import gone
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.steps.waiting import poll_parameters, wait
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from workflow.profiles.profile import PendingSettings
from workflow.risks import Risk, worst

_LOOK_EVERY_S = 10  # a controller that restarts is away for minutes
_MOST_LOOKS = 60


def restarted(context: Context, resource: Resource) -> list[Flow]:
    """For each operation of the resource that takes effect with a restart: do it, restart, see it back."""
    made = []
    for key in (resource.update, resource.create, resource.delete, *resource.actions):
        operation = context.operations.get(key)
        rule = context.pending_rule(key)
        if operation is not None and not operation.left_out and rule is not None and is_told_at_once(rule):
            restart = context.operations.get(rule.applied_by or "")
            if restart is not None and restart is not operation:
                made.append(_composed(context, resource, rule, operation, restart))
    return made


def is_told_at_once(rule: PendingSettings) -> bool:
    """True where one request says it all; settings that are staged first are `pending`'s."""
    return rule.is_optional or (rule.apply_member is None and rule.job_operation is None)


def _composed(
    context: Context, resource: Resource, rule: PendingSettings, operation: Operation, restart: Operation
) -> Flow:
    builder = Builder(context, operation)
    path_parameters(builder, operation)
    path_parameters(builder, restart)
    verb = _verb(operation)
    title = texts.opened(texts.doing(verb, resource.name))
    then_restart(builder, rule, operation, restart, f"{title}.")
    if operation.effect is Effect.DELETE:
        gone(builder, resource)
    risk = worst((operation.risk or Risk.CHANGE, restart.risk or Risk.DISRUPT))
    said = texts.purpose(operation) or f"{title}."
    described = texts.describe((said, "Restarts what it is about, so that it takes effect, and waits for it."), risk)
    name = texts.action_id(context.api.name, verb, noun_of(resource)) + "_and_restart"
    flow_id = texts.flow_id(context.api.name, name.removeprefix(f"{words.of_api(context.api.name)}_"), "")
    return builder.flow(flow_id, "act", f"{title}, and restart", described, resource, risk)


def then_restart(
    builder: Builder, rule: PendingSettings, operation: Operation, restart: Operation, text: str, *chosen: Choice
) -> None:
    """Adds the operation, its restart, the wait for its job where it has one, and the look at what is back.

    `chosen`: members of the operation's body that are restricted. Members that are fixed are the operation's alone.
    """
    choices = tuple(Choice(f"/{name}", (value,)) for name, value in rule.applied_with.items())
    states.require_before(builder, restart, choices[0] if choices else None)
    job = builder.context.jobs.get(operation.key) if rule.is_optional else None
    where = poll_parameters(builder, job) if job else []
    wished = (*chosen, *_wish(builder, rule, operation))
    step = change(builder, operation, text, *wished, checks_state=False, waits=job is None)
    builder.fixed_members, builder.skipped_members = {}, frozenset()
    if job is not None:  # without a job it is in force: nothing to restart for
        builder.steps[builder.steps.index(step)] = builder.pointed(step, "@restarted")
    change(builder, restart, "Restart, so that it takes effect.", *choices, name="restart", checks_state=False)
    if job is not None:
        wait(builder, job, f"$steps.{step.id}.outputs.job", where)
    builder.label("restarted")
    back = _await_back(builder, restart)
    if back is not None:
        states.require_after(builder, restart, choices[0] if choices else None, back)


def _wish(builder: Builder, rule: PendingSettings, operation: Operation) -> tuple[Choice, ...]:
    """The member that asks to wait, where the operation's body is described and has it."""
    members = builder.context.schemas.members(operation.body.schema) if operation.body else {}
    member = rule.apply_member or ""
    return (Choice(f"/{member}", (applying(rule),)),) if member in members else ()


def _await_back(builder: Builder, restart: Operation) -> FlowStep | None:
    """Reads what was restarted until it answers again."""
    owner = next((r for r in builder.context.api.resources if restart.key in r.actions and r.read), None)
    if owner is None:
        return None
    operation = builder.operation(owner.read)
    retry = {"name": "not_back", "type": "retry", "retryAfter": _LOOK_EVERY_S, "retryLimit": _MOST_LOOKS}
    step = FlowStep(
        id="await_back",
        operation=operation.key,
        role=Role.READ_BACK,
        description=f"Wait until the {owner.name} answers again.",
        parameters=tuple(path_parameters(builder, operation)),
        outputs={"item": owner.item_in_reply},
        success=(queries.OK,),
        failures=(retry,),
    )
    builder.add_step(step, "a restart is over when the thing answers again")
    builder.add_output("item", "$steps.await_back.outputs.item", {"type": "object"})
    return step


def _verb(operation: Operation) -> str:
    if operation.effect in (Effect.UPDATE, Effect.CREATE, Effect.DELETE):
        return operation.effect.value
    return texts.verb_of(operation)
