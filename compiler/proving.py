"""Proof: each workflow is run by the real interpreter against a twin in its initial state, once a case.

A case is one value of the enumeration that the workflow was split by; where a job may be started and none was, one
more run is made on a device that starts every job it can. A workflow is verified when every case reaches
its outcome; one whose caller names a thing is run once more with a name that nothing has, and has to refuse before
anything is changed. Called by `pipeline`; the transcripts are stored with the revision and shown to approvers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from compiler.ir.model import Api, Flow, Resource, Role, Step
from compiler.proof import Proof, proof_to_json, prove
from compiler.sampling import Sampler, read
from compiler.twin.machine import Tempo, Twin
from compiler.twin.messages import TwinRequest
from compiler.twin.pointers import get
from workflow.document import Document
from workflow.plan import Plan, build_plan
from workflow.profile import Profile

_NOBODY = "no-such-thing-here"
_SETTLED_S = 60.0  # by then every job of the twin is over
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


@dataclass(frozen=True, slots=True)
class Case:
    """`fixed`: inputs that make the case; `before`: a request (`METHOD path`) sent to the twin beforehand;
    `ready_for`: the step that the thing's state allows at the start, where it is not that of the goal.
    """

    name: str
    fixed: Mapping[str, Any]
    before: str = ""
    ready_for: str = ""


class Prover:
    """Holds one twin of the API, from which every run gets a fresh one."""

    def __init__(self, api: Api, profile: Profile) -> None:
        self._time = [0.0]
        self._profile = profile
        self._twin = Twin(api, profile, now=lambda: self._time[0])
        self._sampler = Sampler(api)
        self._resources = api.resources

    def prove(self, flow: Flow, document: Document) -> FlowProof:
        """Runs all cases; stops at the first that fails."""
        plan = build_plan(document)
        runs = []
        for case in self._cases(flow):
            inputs, proof = self._run(flow, plan, case)
            runs.append((case.name, inputs, proof))
            if proof.outcome != "succeeded":
                return FlowProof(False, f"{case.name}: {_why(proof)}", tuple(runs))
        if not _waited(flow, runs):
            case = replace(self._cases(flow)[0], name="with a job")
            inputs, proof = self._run(flow, plan, case, Tempo(has_all_jobs=True))
            runs.append((case.name, inputs, proof))
            if proof.outcome != "succeeded":
                return FlowProof(False, f"{case.name}: {_why(proof)}", tuple(runs))
        refusal = self._refusal(flow, plan, dict(runs[0][1]))
        if refusal is None:
            return FlowProof(True, "", tuple(runs))
        runs.append(refusal)
        is_refused = refusal[2].outcome == "failed" and not _changes(flow, refusal[2])
        return FlowProof(is_refused, "" if is_refused else "a name that nothing has is not refused", tuple(runs))

    def _cases(self, flow: Flow) -> tuple[Case, ...]:
        """One case a value of the input that chooses an action; absent and there for an ensure; else one."""
        if flow.intent == "ensure":
            return self._ensure_cases(flow)
        for given in flow.inputs:
            values = given.schema.get("enum")
            if given.is_required and values and flow.intent == "act" and "body" in flow.sample.get(given.name, {}):
                return tuple(Case(f"{given.name}={value}", {given.name: value}) for value in values[:_MOST_CASES])
        switches = [i.name for i in flow.inputs if i.schema.get("type") == "boolean" and i.name not in flow.sample]
        changes = [step for step in flow.steps if step.role is Role.CHANGE]
        first = changes[0] if len(changes) > 1 and self._moves(changes[0]) else None
        other = (Case(f"not ready: {first.id} first", {}, ready_for=first.id),) if first is not None else ()
        return (Case("usual", {}), *other, *(Case(f"{name}=true", {name: True}) for name in switches))

    def _moves(self, step: Step) -> bool:
        return any(move.operation == step.operation for rule in self._profile.states for move in rule.transitions)

    def _ensure_cases(self, flow: Flow) -> tuple[Case, ...]:
        resource = next(r for r in self._resources if r.create == flow.goal)
        reply = read(self._twin.fresh(), resource.list.partition(" ")[2])
        items = get(reply, resource.members)
        there = items[0] if isinstance(items, list) and items else {}
        key = next((k for k in resource.natural_keys if k in flow.sample and k in there), "")
        is_single = all(given.name not in resource.natural_keys or not given.is_required for given in flow.inputs)
        if key and not is_single:
            return Case("absent", {}), Case("there", {key: there[key]})
        if resource.delete and there:
            return Case("there", {}), Case("absent", {}, f"DELETE {_address(resource, there)}")
        return (Case("there" if there else "absent", {}),)

    def _run(self, flow: Flow, plan: Plan, case: Case, tempo: Tempo | None = None) -> tuple[Mapping[str, Any], Proof]:
        twin = self._twin.fresh(tempo=tempo)
        inputs = self._sampler.inputs(flow, twin, case.fixed, self._prepared(flow, twin, case))
        if case.before:
            method, _, path = case.before.partition(" ")
            twin.handle(TwinRequest(method, path, headers=twin.authorization()))
            self._time[0] += _SETTLED_S
        return inputs, prove(plan, twin, inputs)

    def _prepared(self, flow: Flow, twin: Twin, case: Case) -> dict[str, str]:
        """Puts an item into the state that the change needs; answers its id by the resource's noun."""
        step = next((s for s in flow.steps if s.id == case.ready_for), None)
        step = step or next((s for s in flow.steps if s.operation == flow.goal), None)
        operation = step.operation if step else flow.goal
        when = _constants(flow, step, case.fixed)
        wanted = {}
        for rule in self._profile.states:
            touches = operation in rule.needs or any(move.operation == operation for move in rule.transitions)
            sample = twin.sample(rule.resource, operation=operation, when=when) if touches else None
            if sample is not None:
                wanted[rule.resource] = sample.id
        return wanted

    def _refusal(self, flow: Flow, plan: Plan, inputs: dict[str, Any]) -> tuple[str, Mapping[str, Any], Proof] | None:
        named = next((n for n, source in flow.sample.items() if "lookup" in source and n in inputs), None)
        if named is None:
            return None
        inputs[named] = _NOBODY
        return (f"unknown {named}", inputs, prove(plan, self._twin.fresh(), inputs))


def _waited(flow: Flow, runs: list[tuple[str, Mapping[str, Any], Proof]]) -> bool:
    """True when some run took the way over a job, or there is none."""
    waits = {step.id for step in flow.steps if step.role is Role.WAIT}
    return not waits or any(exchange.step_id in waits for _, _, proof in runs for exchange in proof.transcript)


def _address(resource: Resource, item: Mapping[str, Any]) -> str:
    path = resource.delete.partition(" ")[2]
    return path.replace("{" + resource.id_parameter + "}", quote(str(item.get(resource.id_field, "")), safe=""))


def _constants(flow: Flow, step: Step | None, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Members of the step's body that are known beforehand, by pointer: constants, fixed inputs, defaults."""
    defaults = {given.name: given.schema["default"] for given in flow.inputs if "default" in given.schema}
    known = {f"$inputs.{name}": value for name, value in {**defaults, **fixed}.items()}
    leaves = _leaves(step.payload, "") if step is not None else []
    return {
        pointer: known.get(str(value), value)
        for pointer, value in leaves
        if not str(value).startswith("$") or str(value) in known
    }


def _leaves(value: Any, pointer: str) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [leaf for name, part in value.items() for leaf in _leaves(part, f"{pointer}/{name}")]
    if isinstance(value, list):
        return [leaf for number, part in enumerate(value) for leaf in _leaves(part, f"{pointer}/{number}")]
    return [(pointer, value)]


def _why(proof: Proof) -> str:
    return "; ".join(proof.findings) or proof.outcome


def _changes(flow: Flow, proof: Proof) -> bool:
    """True when a request other than a read was sent."""
    changing = {step.id for step in flow.steps if step.role is Role.CHANGE}
    return any(exchange.step_id in changing for exchange in proof.transcript)
