"""A flow that asks less of the device: what it shows of its change is left away where that cannot be shown.

Here lives the cut alone; whether a flow needs it is seen on the twin. Called by `compiler.verification` for flows that
do not reach their outcome and without which nobody could use their operation. What is left out is told in the flow's
text and reasons, so that an approver sees that nothing is read back.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from compiler.ir.model import Flow, FlowStep, Role
from compiler.passes.flows.steps import queries
from compiler.passes.flows.wording import texts

PLAIN_INTENTS = frozenset(("act", "create", "delete", "describe", "find", "report", "update"))
"""Those of single operations: the rest puts together what these do, and is never the only way to it."""
NOT_LOOKED = "nothing looks whether it is there: on the twin it is not"
_SHOWING = (Role.READ_BACK, Role.GONE)
_NOT_READ = "nothing is read back: on the twin it could not be seen what had become of the change"


def without_look(flow: Flow) -> Flow | None:
    """The flow without the read that only sees whether the thing is there (`changes.look_for_it`); None without one."""
    number = next((n for n, step in enumerate(flow.steps) if _only_looks(step)), None)
    if number is None:
        return None
    links = [(source, target) for source, target in flow.links if number not in (source, target)]
    kept = [*flow.steps[:number], *flow.steps[number + 1 :]]
    return replace(
        flow,
        steps=tuple(kept),
        description=_told(flow, kept),
        links=tuple((source - (source > number), target - (target > number)) for source, target in links),
        why=(*flow.why, NOT_LOOKED),
    )


def _only_looks(step: FlowStep) -> bool:
    return step.id == "look" and step.role is Role.READ and not step.outputs and not step.branches


def without_sight(flow: Flow) -> Flow | None:
    """The flow without the steps at its end that only show what has become of the change; None where it has none."""
    kept = list(flow.steps)
    while kept and kept[-1].role in _SHOWING:
        kept.pop()
    if not kept or len(kept) == len(flow.steps):
        return None
    gone = {step.id for step in flow.steps[len(kept) :]}
    outputs = {name: value for name, value in flow.outputs.items() if gone.isdisjoint(queries.steps_used([value]))}
    shown = flow.output_schema.get("properties", {})
    return replace(
        flow,
        steps=_untold(tuple(_ending(step, gone) for step in kept)),
        outputs=outputs,
        output_schema={**flow.output_schema, "properties": {n: s for n, s in shown.items() if n in outputs}},
        links=tuple((source, target) for source, target in flow.links if target < len(kept)),
        description=_told(flow, kept),
        why=(*flow.why, _NOT_READ),
    )


def _untold(steps: tuple[FlowStep, ...]) -> tuple[FlowStep, ...]:
    """The steps; the last change says that nobody looks what became of it, where no other step shows that."""
    changes = [number for number, step in enumerate(steps) if step.role is Role.CHANGE]
    if not changes or any(step.expects for step in steps):
        return steps
    told = replace(steps[changes[-1]], expects=({"place": "", "shown": False, "text": _NOT_READ},))
    return (*steps[: changes[-1]], told, *steps[changes[-1] + 1 :])


def _ending(step: FlowStep, gone: set[str]) -> FlowStep:
    """The step with its actions that lead to what is left out ending the run as a success instead."""
    branches = tuple(_led(action, gone) for action in step.branches)
    return replace(step, branches=branches, failures=tuple(_led(action, gone) for action in step.failures))


def _led(action: Mapping[str, Any], gone: set[str]) -> Mapping[str, Any]:
    if action.get("type") != "goto" or action.get("stepId") not in gone:
        return action
    rest = {key: value for key, value in action.items() if key not in ("stepId", "x-switchgear")}
    return {**rest, "type": "end", "x-switchgear": {"outcome": "succeeded"}}


def _told(flow: Flow, kept: list[FlowStep]) -> str:
    before = texts.course([(step.role, step.operation) for step in flow.steps])
    after = texts.course([(step.role, step.operation) for step in kept])
    return " ".join(flow.description.replace(before, after).split())
