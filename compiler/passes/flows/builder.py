"""One flow under construction: its steps, inputs, links and reasons, added in order of execution.

The only mutable thing in the planner; it lives while one flow is planned and becomes a frozen `Flow` at the end.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, count, takewhile
from typing import Any

from compiler.ir.model import Effect, Flow, FlowStep, Input, Operation, Resource, Role
from compiler.passes.flows.context import Context
from compiler.passes.flows.inputs.conditions import in_words
from compiler.passes.flows.inputs.identifying import identifies
from compiler.passes.flows.inputs.inlining import without_defaults
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.asking import asked_for
from compiler.passes.flows.steps.described import answered_as_described
from compiler.passes.flows.steps.expectations import with_expectations
from compiler.passes.flows.steps.headers import with_required
from compiler.passes.flows.steps.pages import paged
from compiler.passes.flows.steps.whereabouts import taken_elsewhere, told_where
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from workflow.risks import Risk

_REHEARSING = (("dry", "run"), ("dryrun",), ("validate", "only"), ("check", "only"), ("test", "only"), ("simulate",))
_ENDS_WELL = {"x-switchgear": {"outcome": "succeeded"}}


class Builder:
    """`known` maps what was looked up (resource address and purpose) to the expression of its id.

    `conditions`: what holds between the inputs, as schemas of them all. `labels` name places in the order of steps for
    branches (`@label`). With `body_prefix` the inputs of a body carry it; with `shares_body_inputs` a member of a
    second body takes the input of the same member of the first. `skipped_members` are left out of bodies, because
    other steps see to them; `fixed_members` maps pointers into the next body to what stands there, `fixed_parameters`
    names of the goal's path to what they are; with `only_member`
    (a pointer) nothing else is sent, save what is required; `whole_body` is sent by the goal as it is. `asking`: the
    lists that are being asked for what another step has to name.
    """

    def __init__(self, context: Context, goal: Operation) -> None:
        self.context = context
        self.goal = goal
        self.steps: list[FlowStep] = []
        self.inputs: dict[str, Input] = {}
        self.known: dict[tuple[str, str], str] = {}
        self.lookups: dict[str, str] = {}
        self.outputs: dict[str, Any] = {}
        self.output_schemas: dict[str, Any] = {}
        self.sample: dict[str, Any] = {}
        self.conditions: list[dict[str, Any]] = []
        self.why: list[str] = []
        self.labels: dict[str, int] = {}
        self.body_prefix = ""
        self.shares_body_inputs = False
        self.skipped_members: frozenset[str] = frozenset()
        self.fixed_members: Mapping[str, Any] = {}
        self.fixed_parameters: Mapping[str, Any] = {}
        self.only_member = ""
        self.whole_body: Any = None
        self.asking: list[str] = []

    def add_input(self, given: Input, sample: Mapping[str, Any] | None = None) -> str:
        """The expression of the input, added unless the same one is there; another of that name is numbered."""
        return f"$inputs.{self.input_name(given, sample)}"

    def input_name(self, given: Input, sample: Mapping[str, Any] | None = None) -> str:
        """The name under which the input is there afterwards."""
        name = given.name
        if name in self.inputs and self.sample.get(name) != sample:
            name = self.free_input_name(name)
        if name not in self.inputs:
            self.inputs[name] = given if name == given.name else replace(given, name=name)
            if sample is not None:
                self.sample[name] = sample
        return name

    def free_input_name(self, wanted: str) -> str:
        """`wanted`, or the first of wanted_2, wanted_3 … that no input has."""
        name, number = wanted, 1
        while name in self.inputs:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def free_output_name(self, wanted: str) -> str:
        """`wanted`, or the first of wanted_2, wanted_3 … that no output has."""
        names = chain((wanted,), (f"{wanted}_{number}" for number in count(2)))
        return next(name for name in names if name not in self.outputs)

    def free_step_id(self, wanted: str) -> str:
        taken = {step.id for step in self.steps}
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def add_step(self, step: FlowStep, why: str) -> FlowStep:
        operation = self.context.operations[step.operation]
        step = answered_as_described(with_required(self, step), operation)
        listed = self.context.lists.get(step.operation)
        if listed is not None:
            step = paged(asked_for(step, operation, listed, self.context.schemas), listed)
        if listed is not None and listed.paging is not None:
            self.tell(f"{step.operation}: page after page: {listed.paging.evidence}")
        self.steps.append(step)
        self.why.append(f"{step.id}: {step.operation}: {why}")
        return step

    def tell(self, reason: str) -> None:
        """A reason that belongs to no step alone, told once."""
        if reason not in self.why:
            self.why.append(reason)

    def add_output(self, name: str, value: Any, schema: Mapping[str, Any]) -> None:
        self.outputs[name] = value
        self.output_schemas[name] = schema

    def label(self, name: str) -> None:
        """Names the place of the next step that is added."""
        self.labels[name] = len(self.steps)

    def redirect(self, since: int, label: str) -> None:
        """Makes everything from step number `since` on go to the label when it is done, instead of to what follows."""
        for number in range(since, len(self.steps)):
            self.steps[number] = self.pointed(self.steps[number], f"@{label}")
        onward = {"name": f"on_to_{label}", "type": "goto", "stepId": f"@{label}"}
        self.steps[-1] = replace(self.steps[-1], branches=(*self.steps[-1].branches, onward))

    def pointed(self, step: FlowStep, mark: str) -> FlowStep:
        """The step with its branches to the step after the next going to `mark` instead."""
        branches = tuple({**b, "stepId": mark} if self.leads_past(b) else b for b in step.branches)
        return replace(step, branches=branches)

    def leads_past(self, branch: Mapping[str, Any]) -> bool:
        """True for a branch to whatever comes next, past all that there is so far."""
        mark = str(branch.get("stepId", ""))
        is_past = mark.startswith("@past_") and self.labels.get(mark[1:]) == len(self.steps)
        return mark == "@after" or is_past

    def leave_if(self, since: int, condition: str, label: str) -> None:
        """Makes everything from step number `since` on go to the label when it is done and the condition holds."""
        criterion = queries.simple(condition)
        for number in range(since, len(self.steps)):
            step = self.steps[number]
            branches: list[Mapping[str, Any]] = []
            for b in step.branches:
                if self.leads_past(b):
                    leaving = {"name": f"{b['name']}_to_{label}", "criteria": [*b.get("criteria", ()), criterion]}
                    branches.append({**b, **leaving, "stepId": f"@{label}"})
                branches.append(b)
            self.steps[number] = replace(step, branches=tuple(branches))
        out = {"name": f"leave_to_{label}", "stepId": f"@{label}", "criteria": [criterion]}
        self.steps[-1] = replace(self.steps[-1], branches=(*self.steps[-1].branches, out))

    def operation(self, key: str) -> Operation:
        return self.context.operations[key]

    def flow(self, flow_id: str, intent: str, title: str, description: str, resource: Resource, risk: Risk) -> Flow:
        self._find_subjects_first()
        self._leave_as_it_is()
        self._ask_whether_it_is_done()
        has_branches = any(not label.startswith(("past_", "wait_")) for label in self.labels)  # these are about jobs
        self.steps = with_expectations(self.context, self.steps, has_branches)
        self.steps = told_where(self.context, self.steps, self.goal)
        self.steps = taken_elsewhere(self.context, self.steps, resource, self.inputs)
        order = {step.id: number for number, step in enumerate(self.steps)}
        links = []
        for number, step in enumerate(self.steps):
            used = dict.fromkeys(self._used_by(step))
            links += [(order[i], number) for i in used if i in order and order[i] < number]
        return Flow(
            id=flow_id,
            intent=intent,
            title=title,
            description=texts.with_original(self._with_needs(description), self.goal),
            risk=risk,
            goal=self.goal.key,
            resource=resource.noun,
            steps=tuple(self._forward(number) for number in range(len(self.steps))),
            inputs=tuple(sorted(self.inputs.values(), key=lambda i: not i.is_required)),
            conditions=tuple(self.conditions),
            outputs=dict(self.outputs),
            output_schema={"type": "object", "properties": dict(self.output_schemas)},
            links=tuple(sorted(set(links))),
            why=tuple(self.why),
            sample=dict(self.sample),
            identifies=None if risk is Risk.READ else identifies(self, resource),
        )

    def _leave_as_it_is(self) -> None:
        """What an update may set has no default, unless the profile gives one: what nobody names stays as it is."""
        operations = self.context.operations
        updates = [s for s in self.steps if s.role is Role.CHANGE and operations[s.operation].effect is Effect.UPDATE]
        sent = {name for step in updates for name in queries.inputs_used([step.payload, list(step.replacements)])}
        for name in sent & self.inputs.keys():
            if "value" not in self.sample.get(name, {}):
                given = self.inputs[name]
                self.inputs[name] = replace(given, schema=without_defaults(given.schema))

    def _ask_whether_it_is_done(self) -> None:
        """An action that only rehearses unless it is told otherwise has to be told: it would be taken for done."""
        for name, given in self.inputs.items():
            if tuple(words.split(name)) in _REHEARSING and given.schema.get("default") is True:
                schema = without_defaults(given.schema)
                self.inputs[name] = replace(given, schema=schema, is_required=True, shown=True)

    def _with_needs(self, description: str) -> str:
        needs = in_words(self.conditions)
        return texts.joined(description, needs) if needs else description

    def _find_subjects_first(self) -> None:
        """Lookups at the start that do not need each other: first what the API is most about, as people say it."""
        leading = list(takewhile(lambda step: step.role is Role.LOOKUP and not step.branches, self.steps))
        if any(0 < place < len(leading) for place in self.labels.values()):
            return
        ordered: list[FlowStep] = []
        while len(ordered) < len(leading):
            found = {step.id for step in ordered}
            ready = [s for s in leading if s.id not in found and set(self._used_by(s)) <= found]
            ordered.append(max(ready, key=lambda step: self.context.weight_of(step.operation)))
        self.steps[: len(leading)] = ordered

    @staticmethod
    def _used_by(step: FlowStep) -> list[str]:
        sent = [[p[2] for p in step.parameters], step.payload, list(step.replacements), step.address, step.renamed]
        sent.append(dict(step.allows))
        return queries.steps_used([*sent, list(step.success), step.outputs])

    def _forward(self, number: int) -> FlowStep:
        """The step with the marks of its actions (`@next`, `@after` the next, `@label`) replaced by steps' ids.

        A branch past the last step ends the run as a success.
        """
        step = self.steps[number]
        marks = {"@next": number + 1, "@after": number + 2}
        marks |= {f"@{label}": place for label, place in self.labels.items()}
        return replace(
            step,
            branches=tuple(self._led(action, marks, {}) for action in step.branches),
            failures=tuple(self._led(action, marks, _ENDS_WELL) for action in step.failures),
        )

    def _led(self, action: Mapping[str, Any], marks: Mapping[str, int], at_end: Mapping[str, Any]) -> dict[str, Any]:
        """The action with its mark replaced; past the last step it ends the run, with what `at_end` adds."""
        ahead = marks.get(str(action.get("stepId")))
        if ahead is None:
            return dict(action)
        if ahead < len(self.steps):
            return {**action, "type": "goto", "stepId": self.steps[ahead].id}
        return {**{k: v for k, v in action.items() if k != "stepId"}, "type": "end", **at_end}
