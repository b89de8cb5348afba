"""Runs of a workflow on a device that behaves otherwise than described, and whether what they say is true.

Each run starts where one of the usual runs started, on a twin that plays one behaviour of the library. What became of
the device is read from the twin's own store: it is as after the usual run, as before, or neither. A run that says
`succeeded` where that is not so, that denies what was done, or that ends otherwise than the behaviour allows, has a
`fault`, and its workflow is not verified. By default one is played for each flow: that on which the fewest requests
were spent by then, those that the profile names before others, so that over all flows all are played. Called by
`proving`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from compiler.ir.model import Api, Effect, Flow, FlowStep, Role
from compiler.passes.flows.steps import queries
from compiler.proofs.failure_paths import FailurePath, Ran, Truth
from compiler.proofs.proof import Proof, prove
from compiler.twin import TwinRequest
from compiler.twin.behaviours import forms
from compiler.twin.behaviours.library import LIBRARY
from compiler.twin.behaviours.tables import CHANGES, EVER, DeviceBehaviour
from compiler.twin.machine import Traces
from workflow.profiles.profile import Profile
from workflow.programs.program import Program
from workflow.replies.answers import methods_in
from workflow.replies.comparing import is_labelled

Json = Any
_MOST_POLLS = 400  # of one run; a wait of 600 polls is a tenth of the shorter shipped compile
_SAMPLE = 1  # for each flow; with two a compile takes more than half as long again as without
_SHOWING = (Role.READ_BACK, Role.GONE)
_TOLD = {"succeeded": "as it is", "pending": "as it is"}


class BehaviourRuns:
    """What was spent on each behaviour by now. One for all flows of an API, in their order."""

    def __init__(self, api: Api, profile: Profile, *, plays_all: bool = False) -> None:
        # What an action is known to leave behind is seen in the things, as what an update sets is.
        told = {o.key for o in api.operations if o.leaves is not None}
        self._effects = {o.key: Effect.UPDATE if o.key in told else o.effect for o in api.operations}
        self._known_for = frozenset(profile.behaviours)
        self._paged = frozenset(r.list for r in api.resources if r.paging is not None)
        self._plays_all = plays_all
        self._spent: Counter[str] = Counter()

    def runs(self, flow: Flow, program: Program, ran: tuple[Ran, ...]) -> Iterator[FailurePath]:
        """One run for each behaviour that is played of those that apply; `ran`: the flow's usual runs."""
        shapes = [_Shape(flow, program, each, self._effects, self._paged) for each in ran]
        left = len(LIBRARY) if self._plays_all else _SAMPLE
        for behaviour in sorted(LIBRARY, key=self._weight):
            if left == 0:
                return
            shape = _first(shapes, behaviour)
            if shape is None or (behaviour.is_long and not self._plays_all and shape.patience > _MOST_POLLS):
                continue
            path = shape.run(behaviour)
            self._spent[behaviour.name] += path.requests if path is not None else 1
            if path is not None:  # else it changed nothing here after all
                left -= 1
                yield path

    def _weight(self, behaviour: DeviceBehaviour) -> int:
        """What was spent on it by now; on what the profile names twice as much may be."""
        return self._spent[behaviour.name] * (1 if behaviour.name in self._known_for else 2)


def _first(shapes: Sequence["_Shape"], behaviour: DeviceBehaviour) -> "_Shape | None":
    return next((shape for shape in shapes if shape.suits(behaviour)), None)


class _Shape:
    """One usual run of a flow, seen as what behaviours need: which sorts of requests it makes, what it shows."""

    def __init__(
        self, flow: Flow, program: Program, ran: Ran, effects: Mapping[str, Effect | None], paged: Set[str]
    ) -> None:
        self._flow = flow
        self._paged = paged
        self._program = program
        self._ran = ran
        self._steps = {step.id: step for step in flow.steps}
        self._effects = effects
        sent = {(exchange.method, exchange.path, exchange.query) for exchange in ran.proof.transcript}
        self._sorts = {ran.start.sort_of(TwinRequest(*asked)) for asked in sent}
        self._changes = self._sorts & set(CHANGES)
        reached = {exchange.step_id for exchange in ran.proof.transcript}
        self._reached: tuple[FlowStep, ...] = tuple(step for step in flow.steps if step.id in reached)

    def suits(self, behaviour: DeviceBehaviour) -> bool:
        """Whether the run makes requests of the sorts that the behaviour speaks of, and is as it needs."""
        if behaviour.by_driver or not set(behaviour.rules[0].at) & self._sorts:
            return False
        if any(rule.after_change for rule in behaviour.rules) and not self._changes:
            return False
        return all(getattr(self, f"_is_{need}") for need in behaviour.needs) and self._has_form(behaviour)

    def _has_form(self, behaviour: DeviceBehaviour) -> bool:
        """Whether some value that the caller gives has the other form that is shown, where one is."""
        changes = [forms.VALUES[rule.form] for rule in behaviour.rules if rule.does == "show"]
        if not changes:
            return True
        if forms.VALUES["order"] in changes and self._is_an_order():
            return False
        values = [value for _, value in forms.leaves(dict(self._ran.inputs))]
        return all(any(change(value) != value for value in values) for change in changes)

    def _is_an_order(self) -> bool:
        """Whether some list has its order for a meaning: in another one it is another list."""
        return any(each.get("compare") == "ordered" for step in self._reached for each in step.expects)

    @property
    def patience(self) -> float:
        """How many polls are made at most for a job that stands still."""
        retries = [(s, a) for s in self._reached if s.role is Role.WAIT for a in s.failures if a["type"] == "retry"]
        bounds = [min(a["retryLimit"], (s.stalls_after_s or EVER) / max(a["retryAfter"], 1)) for s, a in retries]
        return max(bounds, default=0)

    @property
    def _is_seen(self) -> bool:
        shows = any(step.role in _SHOWING and step.expects for step in self._reached)
        return shows and self._ran.proof.is_seen

    @property
    def _is_job(self) -> bool:
        return "poll" in self._sorts and any(step.role is Role.WAIT for step in self._reached)

    @property
    def _is_several(self) -> bool:
        return sum(step.role is Role.CHANGE for step in self._reached) > 1

    @property
    def _is_version(self) -> bool:
        return any("version" in step.outputs for step in self._reached)

    @property
    def _is_offered(self) -> bool:
        return any(step.address for step in self._reached)

    @property
    def _is_pages(self) -> bool:
        return any(step.operation in self._paged for step in self._reached)

    @property
    def _is_found(self) -> bool:
        sample, given = self._flow.sample, self._ran.inputs
        asked = [source["lookup"] for n, source in sample.items() if "lookup" in source and n in given]
        has_names = any({*each["keys"]} - {each["id"]} for each in asked)  # of one id there are no two
        return has_names and not any(each["is_reference"] for each in asked)

    @property
    def _is_looked(self) -> bool:
        """Whether what was there of the name that the caller gives was looked up."""
        asked = (queries.inputs_used(step.outputs["before"]) for step in self._reached if "before" in step.outputs)
        return any(set(names) <= self._ran.inputs.keys() for names in asked)

    @property
    def _is_kept(self) -> bool:
        return self._ran.proof.keeps

    @property
    def _is_known(self) -> bool:
        """Whether all that it reads are things whose ids it knows; none of them is waited for."""
        steps = {step.step_id: step for step in self._program.steps}
        start = self._ran.start
        read = [
            e for e in self._ran.proof.transcript if start.sort_of(TwinRequest(e.method, e.path, e.query)) == "read"
        ]
        about = [steps[each.step_id] for each in read if each.step_id in steps]
        is_there = any(each.status == 200 for each in read)
        return is_there and all(each.which is not None and each.role != "wait" for each in about)

    @property
    def _is_moved(self) -> bool:
        return any(step.moved or step.placed for step in self._reached)

    @property
    def _is_batch(self) -> bool:
        changes = (step for step in self._reached if step.role is Role.CHANGE)
        return any(methods_in(step.payload) for step in changes) or bool(methods_in(dict(self._ran.inputs)))

    def run(self, behaviour: DeviceBehaviour) -> FailurePath | None:
        """How the workflow ends then; None where the behaviour changed nothing after all."""
        twin = self._ran.start.beside()
        twin.behave(behaviour)
        if behaviour.is_again:
            prove(self._program, twin, self._ran.inputs, is_brief=True)
        proof = prove(self._program, twin, self._ran.inputs, is_brief=True)
        if not twin.has_misbehaved:
            return None
        fault = self._fault(behaviour, proof, Truth.of(twin))
        code = proof.failure.code if proof.failure is not None else ""
        told = f"{behaviour.name}: {proof.outcome}, {_TOLD.get(proof.outcome, 'as it must')}"
        return FailurePath(behaviour.name, proof.outcome, code, len(proof.transcript), fault, told)

    def _fault(self, behaviour: DeviceBehaviour, proof: Proof, truth: Truth) -> str:
        """What the run says that is not so, or keeps to itself."""
        ended = f"ended {proof.outcome} {proof.failure.code if proof.failure else ''}".rstrip()
        is_true = self._is_as_usual(truth) and not behaviour.is_again
        has_ended_well = proof.outcome == self._ran.proof.outcome
        if has_ended_well and not is_true and proof.verified in ("", "all"):
            return f"{ended}, and the device is not as it says"
        is_other = not self._changes and proof.outputs != self._ran.proof.outputs and not proof.note
        if has_ended_well and is_other:
            return f"{ended}, and not with what there is"
        if proof.outcome == "partial" and is_true:
            return f"{ended}, and all was done"
        denied = self._denied(proof, truth)
        if denied:
            return f"{ended}, and denies {denied}, which was done"
        twice = self._twice(truth)
        if twice:
            return f"{ended} and did {twice} more often than was asked for"
        is_lucky = "found" in behaviour.needs  # which of two namesakes was meant, no truth tells
        is_so = self._is_as_usual(truth, may_do_more=True) and not behaviour.is_again
        is_well = is_so and self._changes and has_ended_well and not is_lucky
        if proof.outcome not in behaviour.ends and not is_well:
            return f"{ended}, not {' or '.join(behaviour.ends)}"
        said = " ".join((proof.failure.message, *proof.failure.said)) if proof.failure else behaviour.says
        return "" if behaviour.says in said else f"{ended} without the device's words"

    def _is_as_usual(self, truth: Truth, *, may_do_more: bool = False) -> bool:
        """Whether the device is as after the usual run: its things, and what acts without a trace in them.

        `may_do_more`: another branch of the workflow may have acted besides (made a job, where usually there is one).
        """
        usual = self._ran.truth
        return all(
            _shows(one, other)
            and (self._acts(one) >= self._acts(other) if may_do_more else self._acts(one) == self._acts(other))
            for one, other in ((truth.at_the_end, usual.at_the_end), (truth.later, usual.later))
        )

    def _acts(self, traces: Traces) -> set[str]:
        """An update or a deletion is seen in the things; one that changes nothing need not have been made."""
        return {key for key in traces.effects if self._effects.get(key) not in (Effect.UPDATE, Effect.DELETE)}

    def _denied(self, proof: Proof, truth: Truth) -> str:
        """The operation that the run says was not done, and that was."""
        if proof.failure is None:
            return ""
        granted = self._operations((*proof.failure.done, *proof.failure.may_be_done))
        denied = self._operations(proof.failure.not_done) - granted
        return next((key for key in truth.later.effects if key in denied), "")

    def _operations(self, keys: tuple[str, ...]) -> set[str]:
        return {step.operation for key in keys if (step := self._steps.get(key)) is not None}

    def _twice(self, truth: Truth) -> str:
        """What has a further effect each time and was done more often than in the usual run."""
        usual, now = Counter(self._ran.truth.later.effects), Counter(truth.later.effects)
        again = {step.step_id for step in self._program.steps if step.is_idempotent}
        safe = {step.operation for step in self._flow.steps if step.id in again}
        return next((key for key, count in now.items() if count > max(usual[key], 1) and key not in safe), "")


def _shows(now: Traces, usual: Traces) -> bool:
    """Whether the same things are there, each with all that it usually has."""
    one, other = now.things, usual.things
    if (one.ids, one.gone) != (other.ids, other.gone):
        return False
    return all(_has(now.body(address), usual.body(address)) for address in {*one.bodies, *other.bodies})


def _has(value: Json, part: Json) -> bool:
    if isinstance(value, dict) and isinstance(part, dict):
        return all(name in value and _has(value[name], member) for name, member in part.items())
    if isinstance(value, list) and isinstance(part, list) and len(value) == len(part):
        return all(_has(one, other) for one, other in zip(value, part, strict=True))
    return bool(value == part) or is_labelled(part, value) or is_labelled(value, part)
