"""What an approver is told besides the run on the twin: why each step has its class, and what a model said of it.

Stored with the proof, which is sealed but no part of the identity: the same requests approved for the same reasons are
the same revision however the compiler words them. Called by `verifying`, `proposing` and `imports`; shown by
`governance.approval.dossier`. Here never lives a judgement: the classes are set by the passes, the verdicts by
`compiler.proposals`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from compiler.ir.model import Api, Flow, FlowStep, Operation, Resource
from compiler.passes.flows.context import address
from compiler.proofs.sampling import leaves
from compiler.proposer import QuestionKind, Record, RecordedAnswer
from workflow.profiles.profile import Profile, RiskRule

Json = Any


def risk_reasons(flow: Flow, operations: Mapping[str, Operation], profile: Profile | None) -> list[dict[str, Json]]:
    """For each step its operation's class and why: the profile's words where one of its rules decided."""
    rules = profile.risks if profile else ()
    return [
        _reason(flow, step, operations[step.operation], rules) for step in flow.steps if step.operation in operations
    ]


def _reason(flow: Flow, step: FlowStep, operation: Operation, rules: Sequence[RiskRule]) -> dict[str, Json]:
    told = {"step": step.id, "operation": operation.key}
    sent = _sent(flow, step)
    for rule in rules:
        values = _decisive(rule, operation, sent)
        if values:
            return {**told, "risk": rule.risk, "why": f"{rule.why} ({', '.join(values)})"}
    own = operation.risk.value if operation.risk else "change"
    if step.operation == flow.goal and own != flow.risk.value and "read" not in (own, flow.risk.value):
        said = ", ".join(sorted({str(value) for values in sent.values() for value in values}))
        return {
            **told,
            "risk": flow.risk.value,
            "why": f"by what it sends ({said}); in general: {operation.risk_reason}",
        }
    return {**told, "risk": own, "why": operation.risk_reason}


def _decisive(rule: RiskRule, operation: Operation, sent: Mapping[str, tuple[Json, ...]]) -> list[str]:
    """The values by which `rule`, one about values, fits what the step sends."""
    if not rule.when:
        return []
    fits = rule.operation == operation.key or (rule.pattern and re.search(rule.pattern, operation.key))
    if not fits:
        return []
    found = [
        [str(value) for at, values in sent.items() if at.endswith(pointer) for value in values if value in wanted]
        for pointer, wanted in rule.when.items()
    ]
    return [value for values in found for value in values] if all(found) else []


def _sent(flow: Flow, step: FlowStep) -> dict[str, tuple[Json, ...]]:
    """What the step can send at each place of its body, where that is known: constants, and inputs with a choice."""
    offered = {f"$inputs.{given.name}": tuple(given.schema.get("enum", ())) for given in flow.inputs}
    found = {pointer: offered.get(str(value), (value,)) for pointer, value in leaves(step.payload)}
    return {pointer: values for pointer, values in found.items() if values and not str(values[0]).startswith("$")}


def proposed(flow: Flow, api: Api, record: Record) -> list[dict[str, Json]]:
    """What a model said of this workflow or of the things that it touches, with the compiler's verdict on each."""
    touched = {step.operation for step in flow.steps}
    things = {address(one) for one in api.resources if touched & _operations_of(one)}
    mine = [entry for entry in record.entries if _is_about(entry, flow, things)]
    return [
        {
            "kind": entry.answer.kind.value,
            "subject": entry.answer.subject,
            "value": entry.answer.agreed or list(entry.answer.said),
            "model": entry.answer.model,
            "prompt": entry.answer.asked,
            "is_accepted": entry.is_accepted,
            "reason": entry.reason,
        }
        for entry in mine
    ]


def _is_about(entry: RecordedAnswer, flow: Flow, things: set[str]) -> bool:
    one = entry.answer
    return one.subject in things if one.kind is QuestionKind.NOUN else flow.id in one.subject.split("|")


def _operations_of(resource: Resource) -> set[str]:
    return {resource.list, resource.read, resource.create, resource.update, resource.delete, *resource.actions} - {""}
