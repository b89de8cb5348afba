"""Proof: each workflow is run by the real interpreter against a twin in its initial state, once a case.

A case is one value of the enumeration that the workflow was split by. A workflow is verified when every case reaches
its outcome; one whose caller names a thing is run once more with a name that nothing has, and has to refuse before
anything is changed. Called by `pipeline`; the transcripts are stored with the revision and shown to approvers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Api, Flow, Role
from compiler.proof import Proof, proof_to_json, prove
from compiler.sampling import Sampler
from compiler.twin.machine import Twin
from workflow.document import Document
from workflow.plan import Plan, build_plan
from workflow.profile import Profile

_NOBODY = "no-such-thing-here"
_MOST_CASES = 12  # values of one enumeration that are run


@dataclass(frozen=True, slots=True)
class FlowProof:
    """`reason` says why it is not verified."""

    is_verified: bool
    reason: str
    runs: tuple[tuple[str, Mapping[str, Any], Proof], ...]

    def to_json(self) -> dict[str, Any]:
        runs = [{"case": case, "inputs": dict(inputs), **proof_to_json(proof)} for case, inputs, proof in self.runs]
        return {"verified": self.is_verified, "on": "twin", "runs": runs}


class Prover:
    """Holds one twin of the API, from which every run gets a fresh one."""

    def __init__(self, api: Api, profile: Profile) -> None:
        self._time = [0.0]
        self._profile = profile
        self._twin = Twin(api, profile, now=lambda: self._time[0])
        self._sampler = Sampler(api)

    def prove(self, flow: Flow, document: Document) -> FlowProof:
        """Runs all cases; stops at the first that fails."""
        plan = build_plan(document)
        runs = []
        for case, fixed in self._cases(flow):
            inputs, proof = self._run(flow, plan, fixed)
            runs.append((case, inputs, proof))
            if proof.outcome != "succeeded":
                return FlowProof(False, f"{case}: {_why(proof)}", tuple(runs))
        refusal = self._refusal(flow, plan, dict(runs[0][1]))
        if refusal is None:
            return FlowProof(True, "", tuple(runs))
        runs.append(refusal)
        is_refused = refusal[2].outcome == "failed" and not _changes(flow, refusal[2])
        return FlowProof(is_refused, "" if is_refused else "a name that nothing has is not refused", tuple(runs))

    def _cases(self, flow: Flow) -> list[tuple[str, Mapping[str, Any]]]:
        """(name, fixed inputs) of each value of the inputs that choose an action, else one case without."""
        for given in flow.inputs:
            values = given.schema.get("enum")
            if given.is_required and values and flow.intent == "act" and "body" in flow.sample.get(given.name, {}):
                return [(f"{given.name}={value}", {given.name: value}) for value in values[:_MOST_CASES]]
        return [("usual", {})]

    def _run(self, flow: Flow, plan: Plan, fixed: Mapping[str, Any]) -> tuple[Mapping[str, Any], Proof]:
        twin = self._twin.fresh()
        inputs = self._sampler.inputs(flow, twin, fixed, self._prepared(flow, twin, fixed))
        return inputs, prove(plan, twin, inputs)

    def _prepared(self, flow: Flow, twin: Twin, fixed: Mapping[str, Any]) -> dict[str, str]:
        """Puts an item into the state that the change needs; answers its id by the resource's noun."""
        when = _constants(flow)
        for name, value in fixed.items():
            when[flow.sample[name]["at"]] = value
        wanted = {}
        for rule in self._profile.states:
            touches = flow.goal in rule.needs or any(move.operation == flow.goal for move in rule.transitions)
            sample = twin.sample(rule.resource, operation=flow.goal, when=when) if touches else None
            if sample is not None:
                wanted[rule.resource] = sample.id
        return wanted

    def _refusal(self, flow: Flow, plan: Plan, inputs: dict[str, Any]) -> tuple[str, Mapping[str, Any], Proof] | None:
        named = next((n for n, source in flow.sample.items() if "lookup" in source and n in inputs), None)
        if named is None:
            return None
        inputs[named] = _NOBODY
        return (f"unknown {named}", inputs, prove(plan, self._twin.fresh(), inputs))


def _constants(flow: Flow) -> dict[str, Any]:
    """Members of the change's body that are fixed in the workflow, by pointer."""
    change = next((step for step in flow.steps if step.role is Role.CHANGE), None)
    return dict(_leaves(change.payload, "")) if change is not None else {}


def _leaves(value: Any, pointer: str) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [leaf for name, part in value.items() for leaf in _leaves(part, f"{pointer}/{name}")]
    if isinstance(value, list):
        return [leaf for number, part in enumerate(value) for leaf in _leaves(part, f"{pointer}/{number}")]
    is_expression = isinstance(value, str) and value.startswith("$")
    return [] if is_expression else [(pointer, value)]


def _why(proof: Proof) -> str:
    return "; ".join(proof.findings) or proof.outcome


def _changes(flow: Flow, proof: Proof) -> bool:
    """True when a request other than a read was sent."""
    changing = {step.id for step in flow.steps if step.role is Role.CHANGE}
    return any(exchange.step_id in changing for exchange in proof.transcript)
