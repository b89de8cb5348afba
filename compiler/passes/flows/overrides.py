"""People have the last word: what the profile's overrides change in the plan.

Here live `split` for what is no action, the reasons that flows carry, and the warnings about overrides that match
nothing. Fixes are applied in `bodies`, splits and merges of actions in `splits`, names in `plan`, composed workflows
in `composed`. An override changes what is planned, never how it is judged: every flow passes the same proof.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from compiler.ir.model import Diagnostic, Flow, FlowStep, Severity
from compiler.passes.flows.context import Context
from compiler.passes.flows.inputs.bodies import reason_of
from compiler.passes.flows.inputs.conditions import inputs_in
from compiler.passes.flows.splits import Split, forced_split, splits_of
from compiler.passes.flows.wording.texts import NAME_LENGTH
from compiler.passes.names import words
from workflow.profiles.profile import Overrides
from workflow.risks import worst


def applied(context: Context, flows: Iterable[Flow]) -> list[Flow]:
    """The flows as the overrides `split` and `merge` want them, with the reason in each."""
    made: list[Flow] = []
    for flow in flows:
        parts = forced_split(context, context.operations[flow.goal]) if _is_asked(context, flow) else ()
        made += _split(flow, parts) if parts else (flow,)
    return [_with_reason(context, flow) for flow in made]


def _is_asked(context: Context, flow: Flow) -> bool:
    return any(said.operation == flow.goal for said in context.profile.overrides.split)


def _with_reason(context: Context, flow: Flow) -> Flow:
    """The flow with what a person said about its goal; a flow that shows nothing of it is left as it is."""
    overrides = context.profile.overrides
    goals = [step for step in flow.steps if step.operation == flow.goal]
    told = [
        f"{said.operation}: one workflow for each value of {said.member}" + (f": {said.why}" if said.why else "")
        for said in overrides.split
        if said.operation == flow.goal and any(_is_constant(at(step.payload, said.member)) for step in goals)
    ]
    merged = next((said for said in overrides.merge if said.operation == flow.goal), None)
    if merged is not None and flow.intent == "act" and _would_split(context, flow.goal):
        told.append(f"{merged.operation}: one workflow for all values" + (f": {merged.why}" if merged.why else ""))
    return replace(flow, why=(*flow.why, *told)) if told else flow


def _is_constant(value: Any) -> bool:
    return value is not None and not str(value).startswith("$")


def _would_split(context: Context, key: str) -> bool:
    plain = replace(context, profile=context.profile.model_copy(update={"overrides": Overrides()}))
    return len(splits_of(plain, context.operations[key])) > 1


def _split(flow: Flow, parts: Sequence[Split]) -> Iterator[Flow]:
    """One flow for each part, where the caller chooses the value; else the flow as it is."""
    pointer = parts[0].choice.pointer
    number = next((n for n, step in enumerate(flow.steps) if step.operation == flow.goal), 0)
    asked = str(at(flow.steps[number].payload, pointer))
    name = asked.removeprefix("$inputs.")
    given = next((i for i in flow.inputs if i.name == name and asked.startswith("$inputs.")), None)
    if given is None or "enum" not in given.schema:
        yield flow
        return
    for part in parts:
        value = part.choice.values[0]
        if value in given.schema["enum"]:
            yield _with_value(flow, name, value, part)


def _with_value(flow: Flow, name: str, value: Any, part: Split) -> Flow:
    return replace(
        with_constant(flow, name, value),
        id=f"{flow.id}_{words.snake(str(value))}"[:NAME_LENGTH],
        title=f"{flow.title}: {words.spoken(str(value))}",
        risk=worst((flow.risk, part.risk)),
    )


def with_constant(flow: Flow, name: str, value: Any) -> Flow:
    """The flow with `value` in place of the input `name`; where a query needs the input, it stays with this value."""
    steps = tuple(_with_constant(step, f"$inputs.{name}", value) for step in flow.steps)
    is_needed = any(f"$inputs.{name}" in json.dumps(_texts(step), default=dict) for step in steps)
    told = {"enum": [value], "default": value}
    kept = (
        replace(i, schema={**i.schema, **told}, is_required=False, shown=False) if i.name == name else i
        for i in flow.inputs
        if i.name != name or is_needed
    )
    sample = {k: v for k, v in flow.sample.items() if k != name or is_needed}
    conditions = tuple(one for one in flow.conditions if is_needed or name not in inputs_in(one))
    return replace(flow, steps=steps, inputs=tuple(kept), sample=sample, conditions=conditions)


def _texts(step: FlowStep) -> list[Any]:
    told = (step.outputs, step.success, step.failures, step.branches, step.parts)
    return [[p[2] for p in step.parameters], step.payload, *told]


def _with_constant(step: FlowStep, expression: str, value: Any) -> FlowStep:
    parameters = tuple((name, place, value if v == expression else v) for name, place, v in step.parameters)
    return replace(step, parameters=parameters, payload=_put(step.payload, expression, value))


def _put(template: Any, expression: str, value: Any) -> Any:
    if isinstance(template, Mapping):
        return {name: _put(part, expression, value) for name, part in template.items()}
    if isinstance(template, list):
        return [_put(part, expression, value) for part in template]
    return value if template == expression else template


def at(template: Any, pointer: str) -> Any:
    """What stands in a body's template at the pointer, None where nothing does."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(template, Mapping):
            template = template.get(part)
        elif isinstance(template, list) and part.isdigit() and int(part) < len(template):
            template = template[int(part)]
        else:
            return None
    return template


def unused(context: Context, planned: Iterable[Flow], named: Iterable[Flow]) -> Iterator[Diagnostic]:
    """A warning for every override that changed nothing. `planned`: before, `named`: after renaming."""
    overrides = context.profile.overrides
    flows = list(planned)
    before, after = {flow.id for flow in flows}, {flow.id for flow in named}
    reasons = {reason for flow in flows for reason in flow.why}
    yield from (_warning("rename", old, "no workflow has this id") for old in overrides.rename if old not in before)
    for part, ids in (("exclude", overrides.exclude), ("pin", overrides.pin)):
        yield from (_warning(part, one, "no workflow has this id") for one in ids if one not in after)
    for number, fix in enumerate(overrides.defaults):
        if reason_of(fix) not in reasons:
            yield _warning(f"defaults/{number}", f"{fix.operation} {fix.member}", "no workflow sends this member")
    for number, split in enumerate(overrides.split):
        if not any(reason.startswith(f"{split.operation}: one workflow for each value") for reason in reasons):
            message = "no workflow lets its caller choose among values there"
            yield _warning(f"split/{number}", f"{split.operation} {split.member}", message)
    for number, merge in enumerate(overrides.merge):
        if not any(reason.startswith(f"{merge.operation}: one workflow for all values") for reason in reasons):
            yield _warning(f"merge/{number}", merge.operation, "its values are in one workflow anyway")


def _warning(place: str, named: str, message: str) -> Diagnostic:
    remedy = "correct or remove it; `switchgear compile --explain` lists the workflows"
    return Diagnostic("override-unused", Severity.WARNING, f"profile#/overrides/{place}", f"{named}: {message}", remedy)
