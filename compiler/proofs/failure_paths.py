"""Failure paths: what can go wrong on a device, arranged on the twin, and what a workflow has to do then.

The thing is not there; two things have the same name; the thing is on the last page of a list; it is in the wrong
state; the device offers an action otherwise than it was approved; somebody else changed the thing in between; the job
fails; the session expires half-way. Each path starts from a run that went well, and is made only where it applies to
the workflow. A path that does not behave has its `fault` said; `proving` stops there and the workflow is not verified.
Of these runs only the end is kept, so that a proof stays small.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Flow, FlowStep, Role
from compiler.proofs.proof import Proof, prove
from compiler.proofs.sampling import asking, known_members, read
from compiler.twin import Twin
from compiler.twin.machine import Traces
from compiler.twin.values.pointers import listed
from workflow.programs.program import Program

_NOBODY = "no-such-thing-here"
_JOB_MESSAGE = "the twin was told to let this job fail"
_STALE = (412, 428)  # RFC 9110, 15.5.13 and RFC 6585, 3
_SETTLED_S = 4000.0  # by then every job of the twin is over, the slow ones too
_SAFE = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Truth:
    """What the twin's own store shows of what was done: when the run ended, and when all that was under way is over."""

    at_the_end: Traces
    later: Traces

    @classmethod
    def of(cls, twin: Twin) -> "Truth":
        """The twin is of no use after."""
        at_the_end = twin.traces()
        end = twin.now() + _SETTLED_S
        twin.run_on(lambda: end)
        return cls(at_the_end, twin.traces())


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that reached its outcome. `start`: the twin as it was before; it is copied, never used.

    `truth`: what the twin shows of it.
    """

    case: str
    inputs: Mapping[str, Any]
    start: Twin
    proof: Proof
    truth: Truth


@dataclass(frozen=True, slots=True)
class FailurePath:
    """One thing that went wrong, and how the run ended. `fault`: what the workflow did wrong, "" for nothing.

    `told`: the end in a line for who approves, of a behaviour of the device.
    """

    case: str
    outcome: str
    code: str
    requests: int
    fault: str
    told: str = ""

    def to_json(self) -> dict[str, Any]:
        told = {"case": self.case, "failure_path": True, "outcome": self.outcome, "code": self.code}
        return {**told, "requests": self.requests, **({"told": self.told} if self.told else {})}


def failure_paths(flow: Flow, program: Program, ran: tuple[Ran, ...]) -> Iterator[FailurePath]:
    """All that apply to the workflow, one after the other as they are asked for. `ran`: its usual runs."""
    paths = _Paths(flow, program, ran)
    yield from paths.not_there()
    yield from paths.namesakes()
    yield from paths.on_another_page()
    yield from paths.wrong_state()
    yield from paths.not_as_approved()
    yield from paths.not_allowed()
    yield from paths.changed_in_between()
    yield from paths.job_fails()
    yield from paths.session_expires()


@dataclass(frozen=True, slots=True)
class _Reached:
    """The first request of a step in one of the usual runs. `number`: how many were sent by then."""

    ran: Ran
    step: FlowStep
    number: int

    @property
    def path(self) -> str:
        """Where it was sent, as the twin keeps what stands there."""
        return self.ran.start.without_format(self.ran.proof.transcript[self.number - 1].path)


class _Paths:
    def __init__(self, flow: Flow, program: Program, ran: tuple[Ran, ...]) -> None:
        self._flow = flow
        self._program = program
        self._ran = ran
        self._changes = tuple(step for step in flow.steps if step.role is Role.CHANGE)

    def not_there(self) -> Iterator[FailurePath]:
        """A name that nothing has."""
        ran = self._ran[0]
        named = next((n for n, source in self._flow.sample.items() if "lookup" in source and n in ran.inputs), None)
        if named is not None:
            proof = prove(self._program, ran.start.beside(), {**ran.inputs, named: _NOBODY}, is_brief=True)
            yield _ended(f"unknown {named}", proof, self._refused(proof, "not_found"))

    def namesakes(self) -> Iterator[FailurePath]:
        """Two things of the same name, for every name that the caller gives. References are unique by themselves."""
        for step in self._flow.steps:
            reached = self._reached(step) if step.role is Role.LOOKUP else None
            if reached is None:
                continue
            for name in _asked(self._flow, step):
                twin = reached.ran.start.beside()
                if self._doubled(twin, reached, name):
                    proof = prove(self._program, twin, reached.ran.inputs, is_brief=True)
                    yield _ended(f"two of the same name: {name}", proof, self._refused(proof, "ambiguous"))

    def on_another_page(self) -> Iterator[FailurePath]:
        """The lists come in several pages, and what was the first thing is now on the last one."""
        ran = self._ran[0]
        in_pages = {r.list for r in ran.start.api.resources if r.paging is not None}
        if any(step.operation in in_pages and self._reached(step) for step in self._flow.steps):
            twin = ran.start.beside()
            twin.incidents.give_little_a_page()
            proof = prove(self._program, twin, ran.inputs, is_brief=True)
            fault = "" if proof.is_verified else f"ended {proof.outcome} {_code(proof)}".rstrip()
            yield _ended("on the last page", proof, fault)

    def wrong_state(self) -> Iterator[FailurePath]:
        """The thing is in a state that does not allow the change."""
        for step in self._flow.steps:
            reached = self._reached(step) if "wrong_state" in _codes(step) else None
            if reached is None or (self._flow.proposed and self._is_of_made(step)):
                continue
            twin = reached.ran.start.beside()
            if any(self._misplaced(twin, reached, change) for change in self._changes):
                proof = prove(self._program, twin, reached.ran.inputs, is_brief=True)
                yield _ended("wrong state", proof, self._refused(proof, "wrong_state", step))

    def _is_of_made(self, step: FlowStep) -> bool:
        """Whether it looks at what the run itself has made, which is in the state that it was made in."""
        bound = [str(value) for _, _, value in step.parameters]
        return any(f"$steps.{change.id}.outputs" in value for change in self._changes for value in bound)

    def not_as_approved(self) -> Iterator[FailurePath]:
        """The device offers an action at another address than the approved one, or does not allow the value."""
        for step in self._flow.steps:
            codes = _codes(step) & {"not_offered", "not_allowed"}
            reached = self._reached(step) if codes else None
            if reached is not None:
                yield from (path for code in sorted(codes) for path in self._offered_otherwise(reached, code))

    def not_allowed(self) -> Iterator[FailurePath]:
        """The thing says that its members may have other values than those that are to be sent."""
        for step in self._flow.steps:
            reached = self._reached(step) if step.allows else None
            if reached is None:
                continue
            twin = reached.ran.start.beside()
            asked = _filled(step.allows["asked"], reached.ran.inputs)
            if twin.incidents.narrow_values(reached.path, asked, step.allows["beside"]):
                proof = prove(self._program, twin, reached.ran.inputs, is_brief=True)
                yield _ended("value not allowed", proof, _stopped_at(proof, step, "not_allowed"))

    def _offered_otherwise(self, reached: _Reached, code: str) -> Iterator[FailurePath]:
        twin = reached.ran.start.beside()
        arrange = twin.incidents.move_action if code == "not_offered" else twin.incidents.narrow_action
        if sum(arrange(reached.path, change.operation) for change in self._changes):
            proof = prove(self._program, twin, reached.ran.inputs, is_brief=True)
            yield _ended(code.replace("_", " "), proof, _stopped_at(proof, reached.step, code))

    def changed_in_between(self) -> Iterator[FailurePath]:
        """Between the reading of its version and the change: the tag moves by itself, or somebody changes the thing."""
        for change in self._changes:
            source = _version_step(self._flow, change)
            version, reached = (self._reached(source) if source else None), self._reached(change)
            if version is None or reached is None or version.ran is not reached.ran:
                continue
            twin, path = reached.ran.start.beside(), version.path
            twin.interrupt(version.number, lambda twin=twin, path=path: twin.set_etag_changed(path))  # type: ignore[misc]
            proof = prove(self._program, twin, reached.ran.inputs, is_brief=True)
            fault = (
                "" if proof.outcome == reached.ran.proof.outcome else f"ended {proof.outcome} {_code(proof)}".rstrip()
            )
            yield _ended("version moved by itself", proof, fault)
            twin = reached.ran.start.beside()
            if not twin.beside().incidents.alter(path):
                continue
            twin.interrupt(version.number, lambda twin=twin, path=path: twin.incidents.alter(path))  # type: ignore[misc]
            proof = prove(self._program, twin, reached.ran.inputs, is_brief=True)
            yield _ended("changed in between", proof, _not_overwritten(proof, change))

    def job_fails(self) -> Iterator[FailurePath]:
        """The first job that the device starts fails, and says why.

        Not for a single change that usually starts none: behaviours play failing jobs on a sample of these.
        """
        reached = self._first(Role.WAIT)
        is_rare = reached is not None and reached.ran is not self._ran[0] and len(self._changes) == 1
        jobs = reached.ran.start.api.jobs if reached is not None else ()
        tells = any(
            job.failed or job.failed_if or job.succeeded_if
            for job in jobs
            if reached and job.poll == reached.step.operation
        )
        if reached is not None and tells and not is_rare:
            twin = reached.ran.start.beside()
            twin.fail_next_job(_JOB_MESSAGE)
            proof = prove(self._program, twin, reached.ran.inputs, is_brief=True)
            yield _ended(
                "job fails", proof, _stopped_at_job(proof, any(job.message for job in reached.ran.start.api.jobs))
            )

    def session_expires(self) -> Iterator[FailurePath]:
        """Half-way: after the change, else after the first request. Who drives logs in again; nothing is done twice."""
        auth = self._ran[0].start.profile.auth
        if "session" not in auth.kinds or auth.session is None:
            return
        change = self._first(Role.CHANGE)
        if change is not None and change.number < len(change.ran.proof.transcript):
            yield from self._expired(change.ran, change.number, "session expires after the change")
        else:
            yield from self._expired(self._ran[0], 1, "session expires after the first request")

    def _expired(self, ran: Ran, number: int, case: str) -> Iterator[FailurePath]:
        if number >= len(ran.proof.transcript):
            return
        twin = ran.start.beside()
        twin.interrupt(number, twin.expire_sessions)
        proof = prove(self._program, twin, ran.inputs, is_brief=True)
        usual = [(e.method, e.path) for e in ran.proof.transcript if e.method not in _SAFE and e.status < 400]
        made = [(r.method, r.path) for r in twin.requests if r.method not in _SAFE and r.status < 400]
        fault = "" if proof.is_verified else f"ended {proof.outcome}"
        yield _ended(case, proof, fault or ("" if made == usual else "not the same changes were made"))

    def _first(self, role: Role) -> _Reached | None:
        """The first step of the role that some run reached."""
        return next((r for step in self._flow.steps if step.role is role and (r := self._reached(step))), None)

    def _reached(self, step: FlowStep) -> _Reached | None:
        for ran in self._ran:
            for number, exchange in enumerate(ran.proof.transcript, 1):
                if exchange.step_id == step.id:
                    return _Reached(ran, step, number)
        return None

    def _refused(self, proof: Proof, code: str, at: FlowStep | None = None) -> str:
        """The fault, unless the run ended with this code and nothing was changed.

        Changes that were put together in an order may stop half-way: what stands before the step `at` is done then, and
        is told as done.
        """
        steps = self._flow.steps
        done = steps[: steps.index(at)] if at is not None and self._flow.proposed else ()
        changes = {step.id for step in self._changes if step not in done}
        if any(exchange.step_id in changes for exchange in proof.transcript):
            return "something was changed all the same"
        is_refused = proof.outcome == "failed" and _code(proof) == code
        return "" if is_refused else f"ended {proof.outcome} {_code(proof)}".strip() + f", not failed {code}"

    def _doubled(self, twin: Twin, reached: _Reached, name: str) -> bool:
        """Adds another thing of the name that the run gives; False where it gives none, or an id."""
        source, inputs = self._flow.sample[name]["lookup"], reached.ran.inputs
        items = listed(read(twin, reached.path, asking(reached.step)), source["members"], source["element"])
        if "inside" in source:
            holder = _meant(items, self._flow.sample[source["holder"]]["lookup"], inputs.get(source["holder"]))
            items = holder.get(source["inside"]) or []
        item = _meant(items, source, inputs.get(name))
        keys = [key for key in source["keys"] if key != source["id"]]
        if source["is_reference"] or not any(str(item.get(key)) == inputs.get(name) for key in keys):
            return False
        return twin.incidents.add_namesake(reached.path, str(item.get(source["id"], "")), source.get("inside", ""))

    def _misplaced(self, twin: Twin, reached: _Reached, change: FlowStep) -> bool:
        """Puts what the step finds or reads into a state that does not allow the change."""
        when = known_members(self._flow, change, reached.ran.inputs)
        if reached.step.role is not Role.LOOKUP:
            return twin.incidents.misplace(reached.path, change.operation, when)
        for name in _asked(self._flow, reached.step):
            source = self._flow.sample[name]["lookup"]
            if "inside" not in source:
                items = listed(read(twin, reached.path, asking(reached.step)), source["members"], source["element"])
                item = _meant(items, source, reached.ran.inputs.get(name))
                item_id = str(item.get(source["id"], ""))
                if twin.incidents.misplace_listed(reached.path, item_id, change.operation, when):
                    return True
        return False


def _filled(asked: Any, inputs: Mapping[str, Any]) -> Any:
    """A body with the inputs in their places."""
    if isinstance(asked, Mapping):
        return {name: _filled(value, inputs) for name, value in asked.items()}
    name = asked.removeprefix("$inputs.") if isinstance(asked, str) else ""
    return inputs.get(name) if name != asked and isinstance(asked, str) else asked


def _ended(case: str, proof: Proof, fault: str) -> FailurePath:
    return FailurePath(case, proof.outcome, _code(proof), len(proof.transcript), fault)


def _code(proof: Proof) -> str:
    return proof.failure.code if proof.failure is not None else ""


def _stopped_at_job(proof: Proof, tells: bool) -> str:
    if proof.outcome != "failed" or proof.failure is None or proof.failure.code != "job_failed":
        return f"ended {proof.outcome} {_code(proof)}".strip() + ", not failed job_failed"
    if proof.transcript[-1].step_id != proof.failure.step_id:
        return "something was sent after the job had failed"
    told = " ".join((proof.failure.message, *proof.failure.said))
    return "the device's message is lost" if tells and _JOB_MESSAGE not in told else ""


def _stopped_at(proof: Proof, step: FlowStep, code: str) -> str:
    """The fault, unless the run ended with this code and sent nothing after the step that found out."""
    if proof.outcome != "failed" or _code(proof) != code:
        return f"ended {proof.outcome} {_code(proof)}".strip() + f", not failed {code}"
    return "" if proof.transcript[-1].step_id == step.id else "something was sent all the same"


def _not_overwritten(proof: Proof, change: FlowStep) -> str:
    failure, sent = proof.failure, [each.status for each in proof.transcript if each.step_id == change.id]
    if proof.outcome != "failed" or failure is None or failure.step_id != change.id:
        return f"ended {proof.outcome} at {failure.step_id if failure else 'the end'}, not failed at {change.id}"
    return "" if sent and set(sent) <= set(_STALE) else f"somebody else's change was overwritten ({sent})"


def _asked(flow: Flow, step: FlowStep) -> list[str]:
    """The inputs by which the step's thing is named."""
    return [n for n, source in flow.sample.items() if "lookup" in source and f"{{$inputs.{n}}}" in str(step.outputs)]


def _codes(step: FlowStep) -> set[str]:
    return {action.get("x-switchgear", {}).get("code", "") for action in step.failures}


def _version_step(flow: Flow, change: FlowStep) -> FlowStep | None:
    """The step that reads the version which the change names in a header."""
    named = [str(value) for _, location, value in change.parameters if location == "header"]
    return next((s for s in flow.steps if f"$steps.{s.id}.outputs.version" in named), None)


def _meant(items: Any, source: Mapping[str, Any], given: Any) -> Mapping[str, Any]:
    """The item that the caller means by this name or id, an empty one where there is none."""
    members = (*source["keys"], source["id"])
    found = (i for i in items if isinstance(i, dict) and any(str(i.get(m)) == str(given) for m in members))
    return next(found, {})
