"""Proof: each workflow is run by the real interpreter against a twin in its initial state, once a case.

A case is one value of the enumeration that the workflow was split by; where a job may be started and none was, one
more run is made on a device that starts every job it can. A workflow is verified when every case reaches its
outcome, every failure path that applies behaves (`failure_paths`), and what the run says is true whatever the device
does (`behaviour_runs`). Called by `verification`; the transcripts are
stored with the revision and shown to approvers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from urllib.parse import quote

from compiler.ir.model import Api, Flow, FlowStep, Resource, Role
from compiler.proofs.behaviour_runs import BehaviourRuns
from compiler.proofs.failure_paths import FailurePath, Ran, Truth, failure_paths
from compiler.proofs.proof import Proof, proof_to_json, prove
from compiler.proofs.sampling import InputSampler, known_members, read_all
from compiler.twin.machine import Tempo, Twin
from compiler.twin.requests.messages import TwinRequest
from compiler.twin.values.pointers import listed
from workflow.documents.document import Document
from workflow.profiles.profile import Profile
from workflow.programs.program_making import Program, build_program

_SETTLED_S = 60.0  # by then every job of the twin is over
_OF_INPUTS = frozenset(("invalid_input", "missing_value", "unsafe_value", "unexpected_status", "not_found"))
_REFUSALS = frozenset((400, 404, 409, 415, 422))  # what a device answers to a request that does not fit
_MOST_CASES = 12  # values of one enumeration that are run


@dataclass(frozen=True, slots=True)
class FlowProof:
    """`reason` says why it is not verified; `lacks_sample`: because no inputs were found that the twin takes."""

    is_verified: bool
    reason: str
    runs: tuple[tuple[str, Mapping[str, Any], Proof], ...]
    paths: tuple[FailurePath, ...] = ()
    lacks_sample: bool = False

    def to_json(self) -> dict[str, Any]:
        """Usual runs first, with all that was said; failure paths after them, with their end only."""
        runs = [{"case": case, "inputs": dict(inputs), **proof_to_json(proof)} for case, inputs, proof in self.runs]
        paths = [path.to_json() for path in self.paths]
        why = {"reason": self.reason} if self.reason else {}
        return {"verified": self.is_verified, **why, "on": "twin", "runs": [*runs, *paths]}


@dataclass(frozen=True, slots=True)
class ProofCase:
    """`fixed`: inputs that make the case; `before`: a request (`METHOD path`) sent to the twin beforehand;
    `ready_for`: the step that the thing's state allows at the start, where it is not that of the goal.
    """

    name: str
    fixed: Mapping[str, Any]
    before: str = ""
    ready_for: str = ""


class Prover:
    """Holds one twin of the API, from which every run gets a fresh one.

    `plays_all`: every behaviour that applies to a flow is played, not a sample of them.
    """

    def __init__(self, api: Api, profile: Profile, *, plays_all: bool = False) -> None:
        self._time = [0.0]
        self._profile = profile
        self._twin = Twin(api, profile, now=lambda: self._time[0])
        self._sampler = InputSampler(api)
        self._resources = api.resources
        self._behaviours = BehaviourRuns(api, profile, plays_all=plays_all)

    def prove(self, flow: Flow, document: Document, program: Program | None = None) -> FlowProof:
        """Runs all cases, then the failure paths that apply; stops at the first that does not behave.

        `program`: the document's, where it is made already.
        """
        program = program or build_program(document)
        ran: list[Ran] = []
        for case, tempo in self._runs(flow, ran):
            ran.append(self._run(flow, program, case, tempo))
            why = _why(flow, ran[-1])
            if why:
                refused = _flow_proof(ran, (), f"{case.name}: {why}")
                return replace(refused, lacks_sample=_lacks_sample(ran[-1].proof))
        paths: list[FailurePath] = []
        behaviours = self._behaviours.runs(flow, program, tuple(ran))
        for path in chain(failure_paths(flow, program, tuple(ran)), behaviours):
            paths.append(path)
            if path.fault:
                return _flow_proof(ran, paths, f"{path.case}: {path.fault}")
        return _flow_proof(ran, paths)

    def listed(self, resource: Resource) -> list[Mapping[str, Any]]:
        """The items of a collection at the top, as a fresh twin has them."""
        reply = read_all(self._twin.fresh(), resource)
        return [item for item in listed(reply, resource.members, resource.element_at) if isinstance(item, Mapping)]

    def _runs(self, flow: Flow, ran: list[Ran]) -> Iterator[tuple[ProofCase, Tempo | None]]:
        """The usual cases; where none of them (`ran` by then) waited for a job, one more that does."""
        cases = self._cases(flow)
        yield from ((case, None) for case in cases)
        if not _waited(flow, ran):
            yield replace(cases[0], name="with a job"), Tempo(has_all_jobs=True)

    def _cases(self, flow: Flow) -> tuple[ProofCase, ...]:
        """One case a value of the input that chooses an action; absent and there for an ensure; else one."""
        if flow.intent == "ensure":
            return self._ensure_cases(flow)
        for given in flow.inputs:
            values = given.schema.get("enum")
            if given.is_required and values and flow.intent == "act" and "body" in flow.sample.get(given.name, {}):
                return tuple(ProofCase(f"{given.name}={value}", {given.name: value}) for value in values[:_MOST_CASES])
        switches = [i.name for i in flow.inputs if i.schema.get("type") == "boolean" and i.name not in flow.sample]
        changes = [step for step in flow.steps if step.role is Role.CHANGE]
        first = changes[0] if len(changes) > 1 and self._moves(changes[0]) else None
        other = (ProofCase(f"not ready: {first.id} first", {}, ready_for=first.id),) if first is not None else ()
        # Of what there is one a new one can be made when there is none.
        made = next((r for r in self._resources if r.create == flow.goal and not r.collection), None)
        usual = ProofCase("usual", {}, made.delete if made is not None else "")
        return (usual, *other, *(ProofCase(f"{name}=true", {name: True}) for name in switches))

    def _moves(self, step: FlowStep) -> bool:
        return any(move.operation == step.operation for rule in self._profile.states for move in rule.transitions)

    def _ensure_cases(self, flow: Flow) -> tuple[ProofCase, ...]:
        resource = next(r for r in self._resources if r.create == flow.goal)
        reply = read_all(self._twin.fresh(), resource)
        items = listed(reply, resource.members, resource.element_at)
        there = items[0] if items else {}
        there = there if isinstance(there, Mapping) else {resource.id_field: there}  # a list of ids alone
        key = next((k for k in resource.natural_keys if k in flow.sample and k in there), "")
        is_single = all(given.name not in resource.natural_keys or not given.is_required for given in flow.inputs)
        if key and not is_single:
            own = [name for name in (key, resource.id_field) if name in flow.sample and name in there]
            return ProofCase("absent", {}), ProofCase("there", {name: there[name] for name in own})
        if resource.delete and there:
            return ProofCase("there", {}), ProofCase("absent", {}, _deletion(resource, there))
        return (ProofCase("there" if there else "absent", {}),)

    def _run(self, flow: Flow, program: Program, case: ProofCase, tempo: Tempo | None) -> Ran:
        twin = self._twin.fresh(tempo=tempo)
        inputs = self._sampler.inputs(flow, twin, case.fixed, self._prepared(flow, twin, case))
        if case.before:
            method, _, path = case.before.partition(" ")
            twin.handle(TwinRequest(method, path, headers=twin.authorization()))
            self._time[0] += _SETTLED_S
        start = twin.beside()
        twin = start.beside()
        proof = prove(program, twin, inputs)
        return Ran(case.name, inputs, start, proof, Truth.of(twin))

    def _prepared(self, flow: Flow, twin: Twin, case: ProofCase) -> dict[str, str]:
        """Puts an item into the state that the change needs; answers its id by the resource's noun."""
        step = next((s for s in flow.steps if s.id == case.ready_for), None)
        step = step or next((s for s in flow.steps if s.operation == flow.goal), None)
        operation = step.operation if step else flow.goal
        when = known_members(flow, step, case.fixed)
        wanted = {}
        for rule in self._profile.states:
            touches = operation in rule.needs or any(move.operation == operation for move in rule.transitions)
            sample = twin.sample(rule.resource, operation=operation, when=when) if touches else None
            if sample is not None:
                wanted[rule.resource] = sample.id
        return wanted


def _flow_proof(ran: Sequence[Ran], paths: Sequence[FailurePath], reason: str = "") -> FlowProof:
    runs = tuple((one.case, one.inputs, one.proof) for one in ran)
    return FlowProof(not reason, reason, runs, tuple(paths))


def _lacks_sample(proof: Proof) -> bool:
    """Whether the run ended because of what was put into it: its inputs were refused, by us or by the twin."""
    if proof.failure is None or proof.failure.code not in _OF_INPUTS:
        return False
    last = proof.transcript[-1].status if proof.transcript else 400
    return proof.failure.code != "unexpected_status" or last in _REFUSALS


def _waited(flow: Flow, ran: Sequence[Ran]) -> bool:
    """True when some run took the way over a job, or there is none."""
    return all(step.role is not Role.WAIT for step in flow.steps) or any(_asks(flow, one) for one in ran)


def _deletion(resource: Resource, item: Mapping[str, Any]) -> str:
    """The request that deletes the item."""
    return resource.delete.replace(
        "{" + resource.id_parameter + "}", quote(str(item.get(resource.id_field, "")), safe="")
    )


def _why(flow: Flow, ran: Ran) -> str:
    """Why a usual run proves nothing, "" where it does: it has to end well, and not before what it waits for."""
    if not ran.proof.is_verified:
        return "; ".join(ran.proof.findings) or ran.proof.outcome
    is_early = ran.proof.outcome == "succeeded" and ran.truth.at_the_end.effects != ran.truth.later.effects
    return "it is over before the job is" if is_early and _asks(flow, ran) else ""


def _asks(flow: Flow, ran: Ran) -> bool:
    """Whether the run took the way over a job."""
    waits = {step.id for step in flow.steps if step.role is Role.WAIT}
    return any(exchange.step_id in waits for exchange in ran.proof.transcript)
