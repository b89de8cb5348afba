"""What is stored and waits: the plain change of such settings ends as `pending`, and names what brings it into force.

While a flow is planned its end carries which operation does that (the profile's `pending_settings`); when all flows
have their final names, that becomes the name of the workflow: the one that stages, asks for a job and restarts where no
job was started, the plain restart where one waits for it. Used by `intents`, `waiting` and the planning pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from compiler.ir.model import Flow, Resource, Role, Step
from compiler.passes.flows import queries
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import Context
from workflow.profile import PendingSettings

_BY = "@applied_by"  # in place of the name, until there are names


def ends_pending(builder: Builder, resource: Resource, key: str) -> None:
    """Makes the flow end as pending, where its change (`key`) stores what waits for a job and a restart."""
    rule = builder.context.pending_rule(key)
    if rule is None or not builder.context.is_pending(key):
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


def _named(step: Step, flows: Sequence[Flow]) -> Step:
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


def _changes(flow: Flow) -> list[Step]:
    return [step for step in flow.steps if step.role is Role.CHANGE]


def _can_be(flow: Flow, name: str, value: Any) -> bool:
    payload = _changes(flow)[0].payload
    sent = payload.get(name) if isinstance(payload, Mapping) else None
    given = next((i for i in flow.inputs if sent == f"$inputs.{i.name}"), None)
    return sent == value or (given is not None and value in given.schema.get("enum", (value,)))
