"""What is stored and waits: the plain change of such settings ends as `pending`, and names what brings it into force.

While a flow is planned its end carries which operation does that (the profile's `pending_settings`); when all flows
have their final names, that becomes the name of the workflow: the one that stages, asks for a job and restarts where no
job was started, the plain restart where one waits for it. Used by `intents`, `waiting` and the planning pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from compiler.ir.model import Flow, FlowStep, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import Context
from compiler.passes.flows.steps import queries
from workflow.profiles.profile import PendingSettings

_BY = "@applied_by"  # in place of the name, until there are names


def ends_pending(builder: Builder, resource: Resource, key: str) -> None:
    """Makes the flow end as pending, where its change (`key`) stores what waits for a job and a restart, or for one."""
    rule = builder.context.pending_rule(key)
    if rule is None or rule.is_optional:
        return
    if not builder.context.is_pending(key):
        _ends_stored(builder, resource, rule, key)
        return
    change = next(step for step in builder.steps if step.operation == key)
    stored = f"The {resource.name} hold what was asked for, and it is not in force yet"
    ends = []
    if "job" in change.outputs:
        handle = f"$steps.{change.id}.outputs.job"
        if change is builder.steps[-1]:
            handle = str(change.outputs["job"])
        scheduled = queries.simple(f"{handle} != null")
        text = f"{stored}: a job applies it with the next restart."
        ends.append({**_end("job_waits", text, _restart(rule)), "criteria": [scheduled]})
    needs = "a job and a restart do that" if rule.applied_by else "a job does that"
    ends.append(_end("waits", f"{stored}: {needs}.", {_BY: rule.applied_by or rule.job_operation, "of": key}))
    last = builder.steps[-1]
    builder.steps[-1] = replace(last, branches=(*last.branches, *ends))


def _ends_stored(builder: Builder, resource: Resource, rule: PendingSettings, key: str) -> None:
    """What is stored without a job is used after the restart; where a job was waited for, that has seen to it."""
    number = next(n for n, step in enumerate(builder.steps) if step.operation == key and step.role is Role.CHANGE)
    change, behind = builder.steps[number], builder.steps[number + 1 :]
    text = f"What was asked for of the {resource.name} is stored, and takes effect with the next restart."
    end = _end("takes_effect_later", text, _restart(rule))
    if not all(step.role is Role.WAIT for step in behind):
        no_job = _without_a_job(builder, number)
        asked = _asked_for(builder.steps[number], rule)
        criteria = [queries.simple(each) for each in (*no_job, *((queries.any_of(asked),) if asked else ()))]
        last = builder.steps[-1]
        builder.steps[-1] = replace(
            last, branches=(*last.branches, {**end, **({"criteria": criteria} if criteria else {})})
        )
    else:
        past = [{**end, "name": b["name"], "criteria": b["criteria"]} for b in change.branches if builder.leads_past(b)]
        others = [b for b in change.branches if not builder.leads_past(b)]
        builder.steps[number] = replace(change, branches=(*others, *past, *(() if behind else (end,))))


def _without_a_job(builder: Builder, number: int) -> list[str]:
    """What tells behind the change of this number that no job of it was waited for."""
    change = builder.steps[number]
    job = builder.context.jobs.get(change.operation)
    if job is None or not any(step.role is Role.WAIT for step in builder.steps[number + 1 :]):
        return []
    if not job.statuses:
        return [f"$steps.{change.id}.outputs.job == null"]
    builder.steps[number] = replace(change, outputs={**change.outputs, "status": "$statusCode"})
    return [f"$steps.{change.id}.outputs.status != {status}" for status in job.statuses]


def _asked_for(change: FlowStep, rule: PendingSettings) -> list[str]:
    """For each input at one of the members that wait: that it was given."""
    payload = change.payload if isinstance(change.payload, Mapping) else {}
    inputs = (each for name in rule.members for each in _inputs(payload.get(name)))
    return [f"{each} != null" for each in inputs]


def _inputs(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for member in value.values():
            yield from _inputs(member)
    elif isinstance(value, str) and value.startswith("$inputs."):
        yield value


def after_the_job(context: Context, key: str) -> Mapping[str, Any]:
    """What a job of the operation that waits for a restart is told to wait for; empty where nobody knows."""
    rule = context.pending_rule(key)
    return {"next": _restart(rule)} if rule is not None and rule.applied_by else {}


def _restart(rule: PendingSettings) -> Mapping[str, Any]:
    return {_BY: rule.applied_by, "with": dict(rule.applied_with)}


def _end(name: str, text: str, following: Mapping[str, Any]) -> dict[str, Any]:
    told = {"outcome": "pending", "code": "not_in_force", "message": text, "next": following}
    return {"name": name, "type": "end", "x-switchgear": told}


def with_next(flows: Sequence[Flow]) -> list[Flow]:
    """The flows with the names of those that follow, or without where there is none."""
    return [replace(flow, steps=tuple(_named(step, flows) for step in flow.steps)) for flow in flows]


def _named(step: FlowStep, flows: Sequence[Flow]) -> FlowStep:
    actions = (*step.branches, *step.failures)
    if not any(isinstance(_told(action).get("next"), Mapping) for action in actions):
        return step
    branches, failures = (tuple(_resolved(a, flows) for a in each) for each in (step.branches, step.failures))
    return replace(step, branches=branches, failures=failures)


def _told(action: Mapping[str, Any]) -> Mapping[str, Any]:
    return action.get("x-switchgear") or {}


def _resolved(action: Mapping[str, Any], flows: Sequence[Flow]) -> Mapping[str, Any]:
    told = dict(_told(action))
    wanted = told.pop("next", None)
    if not isinstance(wanted, Mapping):
        return action
    found = _whole(wanted, flows) if "of" in wanted else _plain(wanted, flows)
    return {**action, "x-switchgear": {**told, **({"next": found.id} if found is not None else {})}}


def _whole(wanted: Mapping[str, Any], flows: Sequence[Flow]) -> Flow | None:
    """The flow that stages the same and applies it, else the one that does what applies it."""
    staged = (f for f in flows if f.goal == wanted["of"] and any(s.operation == wanted[_BY] for s in _changes(f)))
    return next(staged, None) or _plain({**wanted, "with": {}}, flows)


def _plain(wanted: Mapping[str, Any], flows: Sequence[Flow]) -> Flow | None:
    """The flow that makes this one change, with the values that the profile names where it chooses among several."""
    alone = [f for f in flows if [s.operation for s in _changes(f)] == [wanted[_BY]]]
    fitting = [f for f in alone if all(_can_be(f, name, value) for name, value in wanted["with"].items())]
    return next(iter((*fitting, *alone)), None)


def _changes(flow: Flow) -> list[FlowStep]:
    return [step for step in flow.steps if step.role is Role.CHANGE]


def _can_be(flow: Flow, name: str, value: Any) -> bool:
    payload = _changes(flow)[0].payload
    sent = payload.get(name) if isinstance(payload, Mapping) else None
    given = next((i for i in flow.inputs if sent == f"$inputs.{i.name}"), None)
    return sent == value or (given is not None and value in given.schema.get("enum", (value,)))
