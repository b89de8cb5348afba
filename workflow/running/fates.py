"""A turn in which a change's fate is open: the look at the device, what is sent once more, the end as `unknown`.

Between `turn`, on which it stands, and `interpreter`, which alone uses it. Which read decides and how often it is asked
is in `looking`; what is told of the doubt in `uncertainty`. Nothing is sent from here but what is asked for by
commands.
"""

from collections.abc import Mapping
from dataclasses import replace

from workflow.documents.criteria import all_hold
from workflow.documents.document import Json
from workflow.documents.path_queries import address_of
from workflow.documents.scope import Reply, Scope, Sent
from workflow.programs.program import ProgramStep
from workflow.programs.transforms import outputs_of
from workflow.replies.accounts import (
    failed_parts,
    is_empty_page,
    left_out,
    names_nothing,
    waits_for_restart,
    warnings_of,
)
from workflow.replies.answers import counted, is_refusal_alone, methods_in, refuses_all, takes_a_part, tells_apart
from workflow.replies.device_texts import is_page
from workflow.replies.expectations import looked_at
from workflow.replies.pages import INCOMPLETE_HEADER
from workflow.requests.events import Failure, Outcome, StartTimer
from workflow.running.looking import (
    BEFORE,
    MET_ON_THE_WAY,
    as_failure,
    begun,
    change_without_a_trace,
    deciding_step,
    evidence_in,
    failure_before,
    looks_of,
    new_since,
    shown_of,
    telling_step,
    with_try,
)
from workflow.running.turn import Turn
from workflow.running.uncertainty import body_of, doubt_of, line_of, step_after_doubt
from workflow.visible import quotable

_MOST_TOLD = 5
_LONGEST = 300
_SEVERAL = 2
_WITH_A_BODY, _CREATED, _ACCEPTED = 200, 201, 202
_MADE = "created"  # the output of a creation that has the id of what it made
# What was sent is not as it may be, or stands against what is there (RFC 9110, 15.5): one of several things, maybe.
_REFUSES_VALUES = (400, 409, 422)
_BAD_GATEWAY, _GATEWAY_TIMEOUT = 502, 504
# Roles of steps that are to show a thing: a page for people shows none. What else is read may be a page itself.
SHOWING = ("lookup", "check", "read_back", "gone")


class DoubtfulTurn(Turn):
    """How a run goes on after a change of which nobody knows whether it was made."""

    def look(self, failure: Failure) -> None:
        """Looks at the device, where a later step decides; else nobody knows, or the change is sent once more."""
        if self.key not in self.in_doubt:
            self.in_doubt = (*self.in_doubt, self.key)
        frame = self.frame
        number = deciding_step(self.flow, frame, self.scope(), self.program.base_path)
        number = telling_step(self.flow, frame, self.scope(), self.program.base_path) if number is None else number
        if number is not None:
            self.change(look=begun(frame.step, failure))
            self.stand_at(number)
            self.perform()
        elif not self._sends_again():
            self.end_unknown(failure)

    def look_once(self, failure: Failure, scope: Scope) -> bool:
        """Looks at the device after a deletion that was refused for what servers meet on their way, half of it done.

        False where it was not, no step shows whether the thing is gone, or the document says how it goes on then.
        """
        if self.step.effect != "delete" or failure.status not in MET_ON_THE_WAY:
            return False
        if any(all_hold(each.criteria, scope) for each in self.step.on_failure):
            return False
        number = deciding_step(self.flow, self.frame, self.scope(), self.program.base_path)
        if number is None or self.flow.steps[number].role != "gone":
            return False
        self.change(look={**begun(self.frame.step, failure), "is_refused": True})
        self.stand_at(number)
        self.perform()
        return True

    def has_looked(self, scope: Scope, is_so: bool) -> None:
        """After one look: on behind the change, another look, or an end."""
        step, look = self.step, self.frame.look
        assert look is not None
        if self.frame.step < look["step"]:
            self._has_listed(scope, look)
            return
        found = looked_at(step.expects, scope)  # nothing, where nothing was asked for that could be seen
        doubted = self.flow.steps[look["step"]]
        seen = evidence_in(found, doubted, body_of(doubted, self.scope(), self.program.base_path))
        is_otherwise = any(each.is_otherwise for each in found)
        if is_so and seen and not is_otherwise:
            if look.get("is_refused"):
                self.notes = (*self.notes, f"{look['text'].partition(',')[0]}, and it is gone all the same.")
            self.change(step=look["step"], look=None)
            self.go_on_behind()
            return
        status = scope.reply.status if scope.reply else 0
        # What the document cannot tell from a change that was made is no sight of one that was not; nor is it one that
        # nothing is there where nothing was asked for, which may have been so before.
        is_telling = bool(found) and (not is_so or is_otherwise)
        is_as_before = 200 <= status < 300 and is_telling and not self._may_be_its_end(scope)
        is_partly_so = any(each.asked is not None for each in seen)
        self._look_again(with_try(look, is_as_before, is_partly_so=is_partly_so, was_read=200 <= status < 300), scope)

    def _has_listed(self, scope: Scope, look: Mapping[str, Json]) -> None:
        """After one more list of what has the name: what is new was made, and goes on by the id that it has there.

        None tells nothing: devices list late, and write a name in a form of their own.
        """
        reply, made = scope.reply, self.flow.steps[look["step"]]
        was_read = reply is not None and 200 <= reply.status < 300
        before = self.frame.outputs.get(self.step.step_id, {}).get(BEFORE)
        new = new_since(before, outputs_of(self.step.outputs, scope).get(BEFORE)) if was_read else []
        if len(new) == 1:
            told = {_MADE: new[0]} if any(output.name == _MADE for output in made.outputs) else {}
            outputs = {**self.frame.outputs, made.step_id: told} if told else self.frame.outputs
            self.change(step=look["step"], look=None, outputs=outputs)
            self.go_on_behind()
            return
        self._look_again(with_try(look, False, is_partly_so=False, was_read=was_read), scope)

    def with_nothing_before(self, found: dict[str, Json], scope: Scope) -> dict[str, Json]:
        """The outputs of a step; one that was to list what has a name, and found nothing in a whole list, says so."""
        reply = scope.reply
        is_whole = reply is not None and 200 <= reply.status < 300 and INCOMPLETE_HEADER not in reply.headers
        is_list = any(output.name == BEFORE for output in self.step.outputs)
        return {BEFORE: [], **found} if is_list and is_whole else found

    def _look_again(self, look: Mapping[str, Json], scope: Scope) -> None:
        if look.get("is_refused"):  # it is there, or nobody can tell: what the refusal says stands
            self.change(step=look["step"], look=None)
            self.end_failed(failure_before(self.key, look))
            return
        most, seconds = looks_of(self.step)
        self.change(look=look)
        self.look_elsewhere(scope.reply)
        if look["tries"] < most:
            self.waiting = "timer"
            self.commands.append(StartTimer(self.key, seconds))
        else:
            self._has_looked_in_vain(look, scope)

    def _may_be_its_end(self, scope: Scope) -> bool:
        """Whether the document cannot tell what is shown from what the change makes of the thing."""
        ends = (e for e in self.step.on_failure if e.outcome in ("unknown", "succeeded") and e.criteria)
        return any(all_hold(each.criteria, scope) for each in ends)

    def _has_looked_in_vain(self, look: Mapping[str, Json], scope: Scope) -> None:
        looked = self.step
        line = line_of(self.step, self.scope(), self.program.base_path)
        self.change(step=look["step"], look=None)
        failure = as_failure(self.key, look, f"{line} {shown_of(look)}")
        if look["has_seen"] and self._sends_again():
            return
        if look["is_partly_so"] or not look["has_seen"]:  # a part: it was made in part, or that was so before
            self.end_unknown(failure)
        elif look["status"] is None or self._may_be_under_way(look["status"]):
            text = f"{failure.message}, and it may still be under way"
            self.end_unknown(replace(failure, code=look["code"], message=text))
        else:
            self.end_not_made(failure, looked, scope.reply)

    def _may_be_under_way(self, status: int) -> bool:
        """Whether the device may be at what was answered with this status.

        A gateway that waited in vain (504) left it at it; one that got no good answer (502, RFC 9110, 15.6.3) says
        nothing of a job that the device may have begun.
        """
        waits = any(each.role == "wait" for each in self.flow.steps[self.frame.step + 1 :])
        return status == _GATEWAY_TIMEOUT or (status == _BAD_GATEWAY and waits)

    def end_not_made(self, failure: Failure, _looked: ProgramStep, _reply: Reply | None) -> None:
        """The change was not made, as the reply to the step `_looked` shows."""
        self.note_settled()
        self.end_failed(failure)

    def _sends_again(self) -> bool:
        """Once more, where that only sets again what it says: harmless whatever became of the first."""
        mark = f"{self.step.step_id}/again"
        if not self.step.is_idempotent or self.frame.jumps.get(mark):
            return False
        self.change(
            jumps={**self.frame.jumps, mark: 1}, attempt=1, waited_s=0.0, retries={}, pages=None, elsewhere=False
        )
        self.perform()
        return True

    def go_on_behind(self) -> None:
        """The change was made, though its answer is lost: on behind it."""
        self.note_done()
        if self.frame.resume is not None:
            self.change(**self.frame.resume, resume=None)
            self.perform()
            return
        number = step_after_doubt(self.flow, self.frame, self.scope(), self.program.base_path)
        if number < len(self.flow.steps):
            self.enter(number)
        else:
            self.finish_workflow("")

    def fate_found(self, has_happened: bool) -> None:
        """Somebody looked: on from behind the step, whose answer stays lost, or the step once more."""
        if self.frame.look is not None:
            self.change(step=self.frame.look["step"], look=None)
        self.note_settled()
        if has_happened and not self.step.is_safe:
            self.go_on_behind()
        else:  # not yet done, or a read that was to show it: it is asked once more
            self.perform()

    def unsendable(self, failure: Failure) -> None:
        """What a change's answer should have told is missing: the change is in doubt, whatever its status was."""
        number = change_without_a_trace(self.flow, self.frame, failure, self.done)
        if number is None:
            self.end_failed(failure)
            return
        if self._is_made_and_unnamed(number):
            self.note_unseen("its answer, 201, does not say by which id it is read")
            self.finish_workflow("")
            return
        self.change(step=number)
        self.note_not_done()
        text = f"{self.key} was answered without what goes on from it: whether it was carried out is not known"
        lost = Failure(self.key, "no_handle", f"{text} ({failure.message})")
        mark = f"{self.step.step_id}/lost"
        if self.frame.jumps.get(mark):
            self.note_doubt()
            self.end_unknown(lost)
        else:
            self.change(jumps={**self.frame.jumps, mark: 1})
            self.look(lost)

    def _is_made_and_unnamed(self, number: int) -> bool:
        """Whether the change was answered 201, and only reads of what it made are left, none of which can be asked."""
        is_made = f"{self.frame.prefix}{self.flow.steps[number].step_id}" in self.taken
        left = self.flow.steps[self.frame.step :]
        if not is_made or any(each.role != "read_back" for each in left):
            return False
        frame = replace(self.frame, step=number)
        tells = (deciding_step, telling_step)
        return all(find(self.flow, frame, self.scope(), self.program.base_path) is None for find in tells)

    def is_gone_meanwhile(self, reply: Reply) -> bool:
        """Whether a deletion finds nothing of what this run has seen: who stands between may have asked twice."""
        if reply.status not in (404, 410) or self.step.effect != "delete" or self.key in self.in_doubt:
            return False
        here, path = address_of(self.step.path_template), self.step.path_template
        # What hangs below things that were found was not seen with them: `/racks/{id}/alarms`, `…/alarms/{alarm}`.
        is_below = self.step.method == "DELETE" and "{" in here and not here.endswith("}")
        bound = self.step.request.parameters if self.step.request is not None else ()
        last = max(bound, key=lambda each: path.rfind(f"{{{each.name}}}"), default=None)
        owners = {each.owner for each in last.value.expressions} if last is not None and "{" in here else None
        before = [each for each in self.flow.steps[: self.frame.step] if each.role in SHOWING]
        seen = [
            each
            for each in before
            if address_of(each.path_template) == here or (not is_below and (owners is None or each.step_id in owners))
        ]
        return any(self.frame.outputs.get(each.step_id) for each in seen)

    def shows_nothing(self, reply: Reply) -> bool:
        """Whether a read was answered well, with an error, a page for people or nothing, not with what is there."""
        body, role = reply.body, self.step.role
        if role in SHOWING and isinstance(body, str) and is_page(body):
            return True
        is_empty = (
            role == "gone" and reply.status == _WITH_A_BODY and self.step.method != "HEAD" and body in (None, "", {})
        )
        return is_empty or (role != "wait" and is_refusal_alone(body))

    def is_refused_among_others(self, reply: Reply) -> bool:
        """Whether one of several things sent at once may be what was refused: servers keep the others, or do not."""
        sent = self.sent()
        things = sent.body if sent is not None and isinstance(sent.body, list) else []
        is_whole = self.step.request is not None and "json-patch" in self.step.request.content_type  # RFC 6902, 5
        if self.step.is_safe or is_whole or reply.status not in _REFUSES_VALUES or len(things) < _SEVERAL:
            return False
        refused = refuses_all(reply.body) or ()
        return len(refused) < len(things) and all(isinstance(each, Mapping) for each in things)

    def end_among_others(self, failure: Failure) -> None:
        """Nobody knows which of several things were taken: a read of any of them would show the rest of nothing."""
        text = f"{failure.message}; several things were sent at once, and it does not say whether the others were taken"
        self.note_doubt()
        self.end_unknown(replace(failure, code="answers_missing", message=text))

    def lacks_answers(self, reply: Reply) -> bool:
        """Whether fewer answers came than requests were sent at once: then nobody knows of the others, and it ends."""
        sent = self.sent()
        if sent is not None and self._leaves_out(reply, sent.body):
            return True
        if sent is not None and self._is_done_to_nothing(reply, sent):
            return True
        number = counted(reply.body, sent.body) if sent is not None else None
        if number is None or number[0] == number[1]:
            return False
        text = f"{number[0]} requests were sent at once, and {number[1]} answers came"
        if number[1] > number[0]:
            self.notes = (*self.notes, f"{text}.")
            return False
        self._end_unanswered(f"{text}: what became of the others is not known")
        return True

    @property
    def _is_last(self) -> bool:
        """Whether no later step looks."""
        return self.frame.step + 1 == len(self.flow.steps)

    def _leaves_out(self, reply: Reply, sent: Json) -> bool:
        """Whether the answer accounts for fewer things than were named, and no later step looks: then it ends.

        What became of the others nobody knows, unless the answer is a report of what was done and what was not.
        """
        found = left_out(reply.body, sent) if self._is_last else None
        if found is None:
            return False
        if tells_apart(reply.body):
            text = f"{found[0]} things were asked for at once, and the answer lists as done all but"
            text = f"{text} {', '.join(found[1][:_MOST_TOLD])}"
            self.end_run("partial", Failure(self.key, "partly_refused", text, reply.status, said=reply.said))
            return True
        others = f"of {', '.join(found[1][:_MOST_TOLD])}" if found[1] else "of the others"
        text = f"{found[0]} things were asked for at once, and the answer accounts for fewer"
        self._end_unanswered(f"{text}: what became {others} is not known", reply.said)
        return True

    def _is_done_to_nothing(self, reply: Reply, sent: Sent) -> bool:
        """Whether the answer says that what was asked for fits nothing, and no later step looks: then it ends.

        An order that says nothing of what it is for (clean up what is left over) is fulfilled all the same. An update
        or a creation may be answered with the thing; a report that lists what was done and what was not is none, nor is
        the page of a list with a total.
        """
        is_about = bool(sent.body or sent.query) and not any(methods_in(sent.body))
        is_told = self.step.effect in ("act", "delete") or tells_apart(reply.body) or is_empty_page(reply.body)
        if not (self._is_last and is_about and is_told and names_nothing(reply.body)):
            return False
        self.note_not_done()
        text = f"{self.key} was answered with {reply.status}, and the answer names nothing that it was done to"
        self.end_failed(Failure(self.key, "fits_nothing", text, reply.status, said=reply.said))
        return True

    def _end_unanswered(self, text: str, said: tuple[str, ...] = ()) -> None:
        self.note_doubt()
        self.end_unknown(Failure(self.key, "answers_missing", text, said=said))

    def note_how_it_was_taken(self, reply: Reply) -> None:
        """Notes that something was made or another part carried out, or that it was only accepted.

        201 says that something was made, whatever it looks like (RFC 9110, 15.3.2); 202 that it goes on (15.3.3), and
        that is all that is known where no later step waits for it or sees the thing gone.
        """
        has_made = reply.status == _CREATED and self.step.effect == "create"
        sent = self.sent()
        if has_made or (reply.said and takes_a_part(reply.body, sent.body if sent is not None else None)):
            self.taken = (*self.taken, self.key)
        later = self.flow.steps[self.frame.step + 1 :]
        if reply.status == _ACCEPTED and not any(each.role in ("wait", "gone") for each in later):
            self.accepted = (*self.accepted, self.key)

    def ends_with_job(self, reply: Reply) -> bool:
        """Notes what a job that ended well says of failed parts; whether it ends here, in force after a restart."""
        if not self._waits_for_job():
            return False
        failed = failed_parts(reply.body)
        self.refusals += (reply.said or failed) if failed else ()
        if warnings_of(reply.body) and reply.said and not failed:
            self.notes = (*self.notes, f"The device warns: “{quotable(' '.join(reply.said), _LONGEST)}”.")
        if failed or not waits_for_restart(reply.body) or self.frame.purpose != "run":
            return False
        told = f": “{quotable(' '.join(reply.said), _LONGEST)}”" if reply.said else ""
        self.finish_workflow(f"The device says that it is in force after a restart{told}.", "pending")
        return True

    def _waits_for_job(self) -> bool:
        """Whether the step waits for something of its own, and not for the thing that was changed."""
        if self.step.role != "wait":
            return False
        here, before = address_of(self.step.path_template), self.flow.steps[: self.frame.step]
        changed = [address_of(each.path_template) for each in before if not each.is_safe and each.path_template]
        return not any(f"{here}/".startswith(f"{each}/") or f"{each}/".startswith(f"{here}/") for each in changed)

    def end_unknown(self, failure: Failure) -> None:
        doubt = doubt_of(self.flow, self.frame, self.scope(), self.program.base_path)
        self.end_run("unknown", replace(failure, doubt=doubt))

    def finish_workflow(self, note: str, outcome: Outcome = "succeeded", following: str = "") -> None:
        """The current workflow has succeeded. What that means to whoever called it, the interpreter says."""
        raise NotImplementedError
