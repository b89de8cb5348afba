"""The report of a compile: the JSON of `compile --json` (DESIGN.md, "Interfaces") and the text for people.

The JSON's members and their meaning are relied on from outside; links are 0-based numbers of steps.
"""

from collections import Counter
from typing import Any

import orjson

from compiler.budget import default_catalog
from compiler.compiled import Compiled, CompiledWorkflow
from compiler.ir.model import Diagnostic, Operation, Severity
from workflow.visible import visible

_SHOWN_DIAGNOSTICS = 20  # a screenful; the JSON has all


def as_json(compiled: Compiled) -> dict[str, Any]:
    """The whole report."""
    api = compiled.api
    return {
        "api": api.name,
        "spec": {
            "title": visible(api.title),
            "version": api.version,
            "digest": api.digest,
            "operations": len(api.operations),
        },
        "workflows": [_workflow(one) for one in compiled.workflows],
        "coverage": coverage(compiled),
        "diagnostics": [diagnostic_json(d) for d in compiled.diagnostics],
    }


def _workflow(one: CompiledWorkflow) -> dict[str, Any]:
    flow = one.flow
    return {
        "id": flow.id,
        "intent": flow.intent,
        "risk": flow.risk.value,
        "core": flow.is_core,
        "rank": flow.rank,
        "verified": one.is_verified,
        "steps": [_place(step.operation) for step in flow.steps],
        "links": [{"from": source, "to": target} for source, target in flow.links],
        "tool": dict(one.tool),
    }


def _place(key: str) -> dict[str, str]:
    method, _, path = key.partition(" ")
    return {"method": method, "path": path}


def coverage(compiled: Compiled) -> dict[str, Any]:
    """Every operation is in some workflow or left out with a reason."""
    reached = {step.operation for flow in compiled.api.flows for step in flow.steps}
    out = [o for o in compiled.api.operations if o.key not in reached]
    return {
        "operations": len(compiled.api.operations),
        "in_workflows": len(compiled.api.operations) - len(out),
        "left_out": [_left_out(operation) for operation in out],
    }


def _left_out(operation: Operation) -> dict[str, str]:
    return {**_place(operation.key), "why": operation.left_out or "no workflow needs it"}


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, str]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "pointer": diagnostic.pointer,
        "message": diagnostic.message,
        "remedy": diagnostic.remedy,
    }


def as_text(compiled: Compiled) -> str:
    """The report for people: what was made, of which risk, what was left out, what to look at."""
    api = compiled.api
    told = coverage(compiled)
    risks = Counter(one.flow.risk.value for one in compiled.workflows)
    runs = [run for one in compiled.workflows for run in one.proof["runs"]]
    failures = sum(run.get("failure_path", False) for run in runs)
    lines = [
        f"{visible(api.title)} {api.version}: {told['operations']} operations, {len(compiled.workflows)} workflows "
        f"({', '.join(f'{risks[r]} {r}' for r in ('read', 'change', 'disrupt', 'destroy'))}), {_proved(compiled)} on "
        f"the twin in {len(runs)} runs, {failures} of them failure paths",
        f"{told['in_workflows']} operations are in a workflow, {len(told['left_out'])} are left out with a reason",
    ]
    return "\n".join([*lines, *diagnostics_text(compiled.diagnostics)])


def _proved(compiled: Compiled) -> str:
    unproved = sum(not one.is_verified for one in compiled.workflows)
    return f"all but {unproved} proved" if unproved else "all proved"


def diagnostics_text(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    """One line a diagnostic, the gravest first, cut to a screenful."""
    order = list(Severity)
    told = sorted(diagnostics, key=lambda d: order.index(d.severity))
    lines = [f"{d.severity.value}: {d.pointer}: {d.message}" for d in told[:_SHOWN_DIAGNOSTICS]]
    more = len(told) - _SHOWN_DIAGNOSTICS
    return [*lines, f"… and {more} more; --json shows all"] if more > 0 else lines


def explained_catalog(compiled: Compiled) -> str:
    """Why each workflow is in the default catalog or not, the highest rank first."""
    pins = compiled.profile.overrides.pin if compiled.profile else ()
    told = default_catalog((one for one in compiled.workflows if one.is_verified), pins)
    return "\n".join(f"{flow_id}: {why}" for flow_id, why in told.items())


def explained_workflow(one: CompiledWorkflow) -> str:
    """Why each step is there, where each value comes from, and what the runs on the twin showed."""
    flow = one.flow
    lines = [f"{flow.id}: {flow.title}", flow.description, f"goal {flow.goal}, intent {flow.intent}, risk {flow.risk}"]
    lines += ["steps:", *(f"  {reason}" for reason in flow.why), "values:"]
    for step in flow.steps:
        lines += [f"  {step.id}: {where} {name} = {value}" for name, where, value in step.parameters]
        if step.payload is not None:
            lines.append(f"  {step.id}: body = {orjson.dumps(step.payload).decode()}")
    lines += ["runs on the twin:", *(f"  {run['case']}: {run['outcome']}" for run in one.proof["runs"])]
    return "\n".join(lines)
