"""Settings that take effect with a restart: stage them, see that there is a job, restart, wait for the job, read back.

Which settings these are, what asks for a job and what restarts the owner is told by the profile (`PendingSettings`).
The write may answer with a job of its own; where it does not, one is made. The plain update only stages.
"""

from dataclasses import replace
from typing import Any

from compiler.ir.model import Flow, FlowStep, Job, Operation, Resource
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, read_back
from compiler.passes.flows.context import Context, noun_of
from compiler.passes.flows.inputs.bodies import Choice
from compiler.passes.flows.splits import risk_of_value
from compiler.passes.flows.steps import queries, states
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.steps.waiting import poll_parameters, wait
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from compiler.passes.names.paths import parent, shape
from workflow.profiles.profile import PendingSettings
from workflow.risks import Risk, worst


def applied(context: Context, resource: Resource) -> Flow | None:
    """The flow, None where the resource's update is in force at once or nothing is known to apply it."""
    update = context.operations.get(resource.update)
    rule = context.pending_rule(resource.update)
    restart = context.operations.get(rule.applied_by or "") if rule else None
    if rule is None or rule.is_optional or not (rule.apply_member or rule.job_operation):
        return None
    job = context.jobs.get(update.key) or _any_job(context) if update else None
    if update is None or rule is None or restart is None or job is None:
        return None
    return _Pending(context, resource, rule, job).flow(update, restart)


def _any_job(context: Context) -> Job | None:
    return context.api.jobs[-1] if context.api.jobs else None


class _Pending:
    def __init__(self, context: Context, resource: Resource, rule: PendingSettings, job: Job) -> None:
        self.context = context
        self.resource = resource
        self.rule = rule
        self.job = job

    def flow(self, update: Operation, restart: Operation) -> Flow:
        builder = Builder(self.context, update)
        choices = tuple(Choice(f"/{name}", (value,)) for name, value in self.rule.applied_with.items())
        path_parameters(builder, update)
        where = poll_parameters(builder, self.job)
        states.require_before(builder, restart, choices[0] if choices else None)
        staged = self._stage(builder, update)
        made = self._make_job(builder, update, staged is not None)
        builder.label("restart")
        text = "Restart, so that the settings take effect."
        step = change(builder, restart, text, *choices, name="restart", checks_state=False, waits=False)
        # A job of its own is not asked for: the one that is waited for is over after it.
        builder.steps[builder.steps.index(step)] = replace(step, branches=(), outputs={}, transforms={})
        self._waits(builder, staged, made, where)
        builder.label("back")
        read_back(builder, self._shown(self.resource))
        return self._named(builder, update, restart, choices)

    def _stage(self, builder: Builder, update: Operation) -> str | None:
        """The write; answers the expression of its job's handle, where the write can be told when to apply."""
        step = change(builder, update, f"Stage the {self.resource.name}.", name="stage", checks_state=False)
        number = builder.steps.index(step)
        payload = step.payload
        if self.rule.apply_member is None or not isinstance(payload, dict):
            return None
        payload = {**payload, self.rule.apply_member: applying(self.rule)}
        builder.inputs.pop(_plain(self.rule.apply_member), None)
        builder.sample.pop(_plain(self.rule.apply_member), None)
        builder.steps[number] = replace(step, payload=payload)
        builder.outputs.pop("job", None)
        return f"$steps.{step.id}.outputs.job" if "job" in step.outputs else None

    def _make_job(self, builder: Builder, update: Operation, has_own: bool) -> str | None:
        operation = self.context.operations.get(self.rule.job_operation or "")
        if operation is None:
            return None
        if has_own:
            there = queries.simple("$steps.stage.outputs.job != null")
            own = {"name": "has_a_job", "stepId": "@restart", "criteria": [there]}
            number = next(n for n, step in enumerate(builder.steps) if step.id == "stage")
            builder.steps[number] = replace(builder.steps[number], branches=(own,))
        address = self._address(builder, update)
        body = {name: _filled(value, address) for name, value in self.rule.job_body.items()}
        handle = f"$response.header.{self.job.handle_at}" if self.job.handle_within == "header" else ""
        step = FlowStep(
            id="make_job",
            operation=operation.key,
            role=next(s.role for s in builder.steps if s.id == "stage"),
            description="Ask for a job that applies the settings.",
            parameters=tuple(path_parameters(builder, operation)),
            payload=body,
            content_type=operation.body.media_type if operation.body else "application/json",
            outputs={"job": handle or f"$response.body#{self.job.handle_at}"},
            transforms={"job": "last_path_segment"} if self.job.handle_is_address else {},
        )
        builder.add_step(step, "settings without a job are never applied")
        return "$steps.make_job.outputs.job"

    def _address(self, builder: Builder, update: Operation) -> str:
        address = self.context.api.base_path + update.path
        for name, location, value in path_parameters(builder, update):
            if location == "path":
                address = address.replace("{" + name + "}", "{" + str(value) + "}")
        return address

    def _waits(self, builder: Builder, staged: str | None, made: str | None, where: list[tuple[str, str, Any]]) -> None:
        """One wait for each way to a job; the restart leads to the one whose job there is."""
        if made is not None:
            if staged is not None:
                number = len(builder.steps) - 1
                own = {"name": "own_job", "stepId": "@own", "criteria": [queries.simple(f"{staged} != null")]}
                builder.steps[number] = replace(builder.steps[number], branches=(*builder.steps[number].branches, own))
            first = len(builder.steps)
            wait(builder, self.job, made, where)
            builder.redirect(first, "back")
        if staged is not None:
            builder.label("own")
            wait(builder, self.job, staged, where)

    def _shown(self, resource: Resource) -> Resource:
        """What the settings are about: the resource above `…/Settings`, which shows what is in force."""
        above = self.context.by_item.get(shape(parent(resource.item)))
        return above if above is not None and above.read else resource

    def _named(self, builder: Builder, update: Operation, restart: Operation, choices: tuple[Choice, ...]) -> Flow:
        told = [risk_of_value(self.context, restart, c.pointer, c.values[0]) for c in choices]
        risks = [update.risk or Risk.CHANGE, *(told or [restart.risk or Risk.DISRUPT])]
        risk = worst(risks)
        text = f"Changes the {self.resource.name} and restarts, so that they are in force; waits until they are"
        name = texts.flow_id(self.context.api.name, "apply", noun_of(self.resource))
        described = texts.describe((f"{text}.",), risk)
        return builder.flow(name, "update", f"Apply {self.resource.name}", described, self.resource, risk)


def applying(rule: PendingSettings) -> Any:
    """The value of the member that asks to wait."""
    return rule.apply_body if isinstance(rule.apply_body, str) else dict(rule.apply_body)


def _plain(member: str) -> str:
    return words.identifier(member)


def _filled(value: Any, address: str) -> Any:
    return value.replace("{address}", address) if isinstance(value, str) else value
