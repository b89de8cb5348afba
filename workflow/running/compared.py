"""A turn in which what a thing shows is held against what it showed before the change.

A refusal that does not say that nothing was begun: some servers stop a thing on their way to its deletion and refuse it
then. 400 says that something is wrong, not that nothing was done (RFC 9110, 15.5.1), as 401, 404 or 409 do; one that
nobody knows counts as it (15). Where a step before has shown the thing, it is read once more and compared
(`workflow.replies.pictures`). And a map that was to be emptied: where all that was in it still is, nothing was taken.
Also what a wait watches, which may stand still.
Between `fates`, on which it stands, and `interpreter`, which alone uses it.
"""

from collections.abc import Mapping
from dataclasses import replace

from workflow.documents.criteria import all_hold
from workflow.documents.document import Json
from workflow.documents.scope import Reply, Scope
from workflow.documents.values import Reference
from workflow.json.pointers import NOTHING, escape
from workflow.programs.program import ProgramStep
from workflow.replies.expectations import Expectation, ExpectationFinding, evaluated, told_beside
from workflow.replies.pictures import picture_of, told_otherwise
from workflow.requests.events import Failure
from workflow.running.fates import DoubtfulTurn
from workflow.running.findings import explained, state_found
from workflow.running.looking import begun, failure_before
from workflow.running.uncertainty import is_buildable

_BAD_REQUEST = 400
# Those that RFC 9110 and its like have for a client's errors; any other one is to be taken for 400.
_KNOWN = frozenset({*range(401, 419), 421, 422, 423, 424, 425, 426, 428, 429, 431, 451})
_MOST_TOLD = 5


def _place_of(expected: Expectation) -> str:
    """Where in the reply it is found, "" where that is no plain place."""
    shown = expected.found.expressions if expected.found is not None else ()
    is_plain = isinstance(expected.found, Reference) and shown[0].root == "response" and shown[0].place == "body"
    return "".join(f"/{escape(part)}" for part in shown[0].pointer) if is_plain else ""


def is_vague(status: int) -> bool:
    """Whether the status refuses a change and does not say that nothing of it was done."""
    return _BAD_REQUEST <= status < 500 and status not in _KNOWN


class ComparedTurn(DoubtfulTurn):
    """How a run goes on by what has changed."""

    def remember(self, scope: Scope) -> None:
        """Keeps what the reply shows of the thing that the next change is about."""
        if self.step.is_compared and scope.reply is not None and self.frame.look is None:
            pictures = self.frame.pictures or {}
            self.change(pictures={**pictures, self.step.step_id: picture_of(scope.reply.body)})

    def keep_state(self, checked: ProgramStep, scope: Scope) -> None:
        """Keeps the state in which an action finds the thing, to be told where the device refuses it for its state."""
        if self.waiting == "response" and checked.role in ("check", "lookup") and self.step.effect == "act":
            self.change(last={"found": state_found(checked, scope), "said": []})

    def held_against_before(
        self, found: tuple[ExpectationFinding, ...], scope: Scope
    ) -> tuple[ExpectationFinding, ...]:
        """The findings; what was sent empty and has all in it that was there before is otherwise."""
        picture = self._picture_of(self.step)
        if picture is None or scope.reply is None or not any(each.is_left_full for each in found):
            return found
        now = picture_of(scope.reply.body)
        return tuple(
            replace(each, sight="differs", text="") if self._is_as_it_was(each, picture, now) else each
            for each in found
        )

    def _is_as_it_was(self, one: ExpectationFinding, before: Mapping[str, Json], now: Mapping[str, Json]) -> bool:
        """Whether all that was in the map before is in it still."""
        place = next((_place_of(e) for e in self.step.expects if e.place == one.place), "")
        held = {at: value for at, value in before.items() if place and at.startswith(f"{place}/")}
        return one.is_left_full and bool(held) and all(now.get(at) == value for at, value in held.items())

    def _picture_of(self, step: ProgramStep) -> Mapping[str, Json] | None:
        """What is remembered of the thing that the step reads, where it was read at the same address before."""
        pictures = self.frame.pictures or {}
        same = (each for each in self.flow.steps if each.step_id in pictures and each is not step)
        return next((pictures[each.step_id] for each in same if each.path_template == step.path_template), None)

    def looks_what_it_left(self, failure: Failure, scope: Scope) -> bool:
        """Whether the thing is read once more, since the refusal does not say that nothing was done (`is_vague`)."""
        number = self._shown_before()
        if number is None or any(all_hold(each.criteria, scope) for each in self.step.on_failure):
            return False  # nothing to hold it against, or the document says how it goes on then
        self.note_doubt()
        self.change(look={**begun(self.frame.step, failure), "before": self.flow.steps[number].step_id})
        self.stand_at(number)
        self.perform()
        return True

    def _shown_before(self) -> int | None:
        """The number of the step that has shown the thing before this change, where it can be asked again."""
        pictures = self.frame.pictures or {}
        for number in range(self.frame.step - 1, -1, -1):
            step = self.flow.steps[number]
            if not step.is_safe or step.workflow_id:
                return None
            if step.step_id in pictures and is_buildable(step, self.scope(), self.program.base_path):
                return number
        return None

    def has_looked(self, scope: Scope, is_so: bool) -> None:
        look = self.frame.look
        if look is None or "before" not in look:
            super().has_looked(scope, is_so)
            return
        picture = (self.frame.pictures or {})[look["before"]]
        self.change(step=look["step"], look=None)
        self._end_by(failure_before(self.key, look), picture, scope.reply)

    def end_not_made(self, failure: Failure, looked: ProgramStep, reply: Reply | None) -> None:
        """As `fates` says, unless the thing is not as it was before: then something was done on the way."""
        picture = self._picture_of(looked)
        if picture is None or reply is None or not self._has_ended_otherwise(failure, picture, reply.body):
            super().end_not_made(failure, looked, reply)

    def _end_by(self, failure: Failure, picture: Mapping[str, Json], reply: Reply | None) -> None:
        if reply is not None and reply.status in (404, 410):
            if self.step.effect == "delete":
                self.go_on_behind()
                return
            self._end_changed(failure, "it is not there any more")
        elif reply is None or not 200 <= reply.status < 300:
            text = f"{failure.message}; whether it did a part of it all the same cannot be read"
            self.end_unknown(replace(failure, message=text))
        elif not self._has_ended_otherwise(failure, picture, reply.body):
            self.note_settled()
            self.end_failed(failure)

    def _has_ended_otherwise(self, failure: Failure, before: Mapping[str, Json], body: Json) -> bool:
        """Whether the thing is not as it was before: then the run ends with what is otherwise."""
        moved = told_otherwise(before, body)
        if moved:
            self.findings = {**self.findings, self.key: tuple(each.to_json() for each in moved)}
            self._end_changed(failure, told_beside(moved[:_MOST_TOLD]))
        return bool(moved)

    def _end_changed(self, failure: Failure, what: str) -> None:
        text = f"{failure.message}; and it is not as it was before: {what}"
        self.end_run("partial", replace(failure, code="changed_though_refused", message=text))

    def has_stalled(self, scope: Scope) -> bool:
        """Notes what the step watches; ends the run where that stood still for as long as the document allows."""
        step, frame = self.step, self.frame
        if step.stalls_after_s is None or scope.reply is None or not 200 <= scope.reply.status < 300:
            return False
        shown = [None if value is NOTHING else value for value in (evaluated(each, scope) for each in step.watches)]
        watched = frame.watched or {}
        if watched.get("shown") != shown:
            self.change(watched={"shown": shown, "since_s": frame.waited_s})
        elif frame.waited_s - watched["since_s"] >= step.stalls_after_s:
            text = f"{step.key} has shown the same for {step.stalls_after_s:g} s: it stands still"
            self.end_unknown(explained(Failure(self.key, "stalled", text, said=scope.reply.said), step, scope, None))
            return True
        return False
