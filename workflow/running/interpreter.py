"""The interpreter: what a workflow does next, as a pure function of its program, its state and one event.

No I/O, clock, randomness or globals: the same program, state and event give the same state and commands, so that a run
can be stored after any event, resumed elsewhere and replayed. Waiting is a command and its end an event. After a
change whose fate is open (a lost or broken answer, a server's error) the run looks at the device where a later step
decides it (`looking`), and ends as `unknown` elsewhere; only what sets what it says is ever sent again. What was asked
for is held against what the device shows (`expectations`), and the end says so (`ending`). Order of control follows
Arazzo 1.1: success criteria, outputs, then the first action whose criteria hold, a retry until its limit is used up,
else the next step or the end.
"""

from dataclasses import replace

from workflow.documents.criteria import all_hold
from workflow.documents.scope import Reply, Scope
from workflow.errors import EventError, InputError
from workflow.programs.program import Program, ProgramAction
from workflow.programs.state import Frame, State
from workflow.programs.transforms import outputs_of
from workflow.replies.allowed import refusal
from workflow.replies.answers import complains_alone, may_be_otherwise, refuses_all
from workflow.replies.expectations import looked_at
from workflow.replies.failures import code_of, leads_to, said
from workflow.replies.pages import (
    PageError,
    Pages,
    is_past_the_end,
    position_in,
    query_after,
    told_of_pages,
    walked,
)
from workflow.replies.retry_after import seconds_asked_for
from workflow.replies.shortfalls import Shortfall, is_enough, is_evidence, told_unfound
from workflow.requests.events import (
    Cancelled,
    Command,
    DeadlinePassed,
    Event,
    Failure,
    FateFound,
    Outcome,
    RequestFailed,
    ResponseArrived,
    RunStarted,
    StartTimer,
    TimerFired,
)
from workflow.requests.requests import build_request
from workflow.requests.versions import VersionRefused, version_outputs
from workflow.running.compared import ComparedTurn, is_vague
from workflow.running.findings import explained, seen_now, with_last
from workflow.running.looking import leaves_open
from workflow.running.other_things import told_other
from workflow.running.wrapped import as_described


def advance(program: Program, state: State, event: Event) -> tuple[State, tuple[Command, ...]]:
    """The state after `event`, and what is to be done now: one command, or none once the run is over.

    Each SendRequest is to be answered with ResponseArrived or RequestFailed, each StartTimer with TimerFired;
    DeadlinePassed and Cancelled may come at any time. Raises EventError for an event that the state does not wait for.
    """
    if state.is_over:
        return state, ()
    turn = _Turn(program, state)
    turn.take(event)
    return turn.after(), tuple(turn.commands)


class _Turn(ComparedTurn):
    """One call of `advance`: what the event means, and which action follows."""

    # What happened

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._start(event)
            case ResponseArrived():
                self._expect("response", event.step_id)
                self._answered(Reply(event.status, event.headers, event.body, event.said))
            case RequestFailed():
                self._expect("response", event.step_id)
                self._unanswered(event)
            case TimerFired():
                self._expect("timer", event.step_id)
                self._try_again()
            case DeadlinePassed():
                self._stopped("failed", "deadline", "the time set for the whole run is over", event.is_sent)
            case Cancelled():
                self._stopped("cancelled", "cancelled", "the run was cancelled", event.is_sent)
            case FateFound():
                self._expect("response", event.step_id)
                self.fate_found(event.has_happened)

    def _expect(self, waiting: str, key: str) -> None:
        if self.waiting != waiting or key != self.key:
            current = f"{self.waiting} of {self.key}" if self.frames else self.waiting
            raise EventError(f"an event for {key!r} came while the run waits for {current}; report this")

    def _start(self, event: RunStarted) -> None:
        if self.waiting != "start":
            raise EventError("a run is started once; make a new state for a new run")
        try:
            inputs = self.program.main.inputs.check(event.inputs)
        except InputError as error:
            self.end_run("failed", Failure("", "invalid_input", error.message))
            return
        self.frames.append(Frame(self.program.workflow_id, inputs))
        self.enter(0)

    def _answered(self, reply: Reply) -> None:
        step = self.step
        short: Shortfall | None = None
        is_page = 200 <= reply.status < 300 or is_past_the_end(step.pages, self.frame.pages, reply.status)
        if step.pages is not None and is_page:
            paged = self._with_pages(step.pages, reply)
            if paged is None:
                return
            reply, short = paged
        self.reply = reply = as_described(step, reply)
        scope = self.scope(reply)
        is_good = 200 <= reply.status < 300
        has_succeeded = all_hold(step.success, scope) if step.success else is_good
        if is_good and step.is_safe and self.shows_nothing(reply):
            text = f"{step.key} was answered with {reply.status}, and the answer shows nothing of what was asked for"
            self._no_list(Failure(self.key, "nothing_shown", text, reply.status, said=reply.said))
            return
        other = told_other(step, scope) if is_good and step.is_safe else ""
        if other:
            self._shows_another(Failure(self.key, "another_thing", other, reply.status, said=reply.said))
            return
        if self.frame.look is not None:
            self.has_looked(scope, has_succeeded)
            return
        if is_good and not step.is_safe and self._is_refused_well(reply, scope, has_succeeded):
            return
        if not step.is_safe and (has_succeeded or is_good):
            self.note_done()
            self.refusals += reply.said
            self.note_how_it_was_taken(reply)
            if self.lacks_answers(reply):
                return
        if short is not None and not self._is_told_by(short, scope, has_succeeded):
            self.end_failed(Failure(self.key, short.code, told_unfound(self.key, short), reply.status))
            return
        if has_succeeded:
            if not self.ends_with_job(reply):
                self._succeeded(scope)
            return
        led = f"{told_of_pages(self.frame.pages)}{leads_to(reply.status, reply.headers)}"
        text = f"{step.key} was answered with {reply.status}{led}, and the step's conditions are not met"
        failure = Failure(self.key, code_of(reply.status), text, reply.status, said=reply.said)
        if self.is_gone_meanwhile(reply) and not self._is_explained(scope):
            text = f"{step.key} was answered with {reply.status}, though it was there a moment before"
            self.note_doubt()
            self.end_unknown(replace(failure, code="gone_meanwhile", message=text))
        elif not step.is_safe and leaves_open(reply.status) and not self._is_explained(scope):
            self.look(failure)
        elif self.is_refused_among_others(reply) and not self._is_explained(scope):
            self.end_among_others(failure)
        elif (
            not step.is_safe
            and is_vague(reply.status)
            and self.looks_what_it_left(self._worded(failure, scope, None), scope)
        ):
            return
        elif not self.look_once(failure, scope):
            self._failed(scope, failure)

    def _is_refused_well(self, reply: Reply, scope: Scope, has_succeeded: bool) -> bool:
        """Whether a change was answered well, and the answer says that nothing of it was done: then the run is over.

        One that only complains leaves that open.
        What the document itself says of such an answer goes before.
        """
        is_complaint = complains_alone(reply.body)
        statuses = () if is_complaint else refuses_all(reply.body)
        if statuses is None or (self.step.success and has_succeeded) or self._is_explained(scope):
            return False
        parts = f" of each of its {len(statuses)} parts" if len(statuses) > 1 else ""
        text = f"{self.step.key} was answered with {reply.status}, and the answer says{parts} that it was refused"
        failure = Failure(self.key, "refused_within", text, reply.status, said=reply.said)
        is_open = is_complaint or may_be_otherwise(reply.body)
        if is_open or any(leaves_open(status) for status in statuses):
            self.look(failure)
        else:
            self.end_failed(failure)
        return True

    def _shows_another(self, failure: Failure) -> None:
        """Another thing's values say nothing of the one that was asked for: it is read again, as long as may be."""
        if self.frame.look is not None:
            self.has_looked(self.scope(), False)
            return
        if self._is_read_again(self.scope(self.reply)):
            return
        if self.done and self.step.role in ("read_back", "gone", "wait"):
            self.end_unknown(failure)
        else:
            self.end_failed(failure)

    def _is_explained(self, scope: Scope) -> bool:
        """Whether the document itself says what this answer to a change means."""
        return any(action.type != "retry" and self._applies(action, scope) for action in self.step.on_failure)

    def _is_told_by(self, short: Shortfall, scope: Scope, has_succeeded: bool) -> bool:
        """Whether a list that is not whole tells what the step is to find out; notes that it is not whole."""
        step = self.step
        if has_succeeded:
            found, is_read_only = outputs_of(step.outputs, scope), self.program.is_read_only
            is_told = is_enough(step.role, found, self.frame.inputs, is_read_only=is_read_only)
        else:
            is_told = is_evidence(next((each for each in step.on_failure if self._applies(each, scope)), None))
        if (is_told or not short.is_short) and short.text not in self.notes:
            self.notes = (*self.notes, short.text)
        return is_told or not short.is_short

    def _with_pages(self, pages: Pages, reply: Reply) -> tuple[Reply, Shortfall | None] | None:
        """The reply with the whole list; None while there is another page to ask for, or none that may be."""
        step, frame = self.step, self.frame
        assert step.request is not None, "only requests have replies"
        request = build_request(step.request, self.scope(), self.program.base_path)
        query = query_after(frame.pages, position_in(pages, request.query, request.body))
        try:
            known, read = walked(pages, frame.pages, reply, query, request.path, request.sent.url)
        except PageError as error:
            self._no_list(Failure(self.key, error.code, f"{step.key}: {error}", reply.status, said=reply.said))
            return None
        self.change(pages=None if read else known)
        if read is None:
            self.send()
        return read

    def _no_list(self, failure: Failure) -> None:
        """What came is no list. Right after a change devices answer oddly: the step's own actions say what to do."""
        self.change(pages=None)
        if self.frame.look is not None:
            self.has_looked(self.scope(), False)
        elif self.step.role in ("read_back", "wait", "gone"):
            self._failed(self.scope(), failure)
        else:
            self.end_failed(failure)

    def _unanswered(self, event: RequestFailed) -> None:
        step = self.step
        if self.frame.look is not None:
            self.has_looked(self.scope(), False)
        elif event.reason in ("refused", "unrecorded", "unable"):
            self.end_failed(Failure(self.key, event.reason, event.message or f"{step.key} was {event.reason}"))
        elif event.reason == "unknown_fate" and not step.is_safe:
            text = f"{step.key} was sent and not answered: whether it was carried out is not known"
            self.look(Failure(self.key, "unknown_fate", _joined(text, event.message)))
        elif event.reason == "bad_reply" and not step.is_safe:
            text = f"{step.key} was answered, and its answer cannot be used: whether it was carried out is not known"
            self.look(Failure(self.key, "bad_reply", _joined(text, event.message)))
        elif event.reason == "bad_reply":
            text = f"{step.key} was answered with what cannot be used"
            self._failed(self.scope(), Failure(self.key, "bad_reply", _joined(text, event.message)))
        else:
            text = _joined(f"{step.key} got no answer", event.message)
            self._failed(self.scope(), Failure(self.key, "unreachable", text))

    def _stopped(self, outcome: Outcome, code: str, text: str, is_sent: bool) -> None:
        if not self.frames:
            self.end_run(outcome, Failure("", code, text))
        elif self.waiting == "response" and is_sent and not self.step.is_safe:
            self.note_doubt()
            text = f"{text} while {self.step.key} was under way: whether it was carried out is not known"
            self.end_unknown(Failure(self.key, "unknown_fate", text))
        elif self.step.role == "wait" and self.done and outcome == "failed":
            self.end_unknown(with_last(Failure(self.key, code, text), self.frame.last))
        else:
            self.end_run(outcome, with_last(Failure(self.key, code, text), self.frame.last))

    def _succeeded(self, scope: Scope) -> None:
        step, frame = self.step, self.frame
        refused = refusal(step.allows, scope)
        if refused:
            self.end_failed(Failure(self.key, "not_allowed", refused))
            return
        if step.expects and not self._shows_what_was_asked(scope):
            return
        if step.outputs:
            made = self.with_nothing_before(outputs_of(step.outputs, scope), scope)
            if step.version is not None and scope.reply is not None:
                # On a detour this is the second reading, for a write that was refused for the first one's version.
                before = frame.outputs.get(step.step_id) if frame.resume is not None else None
                try:
                    made |= version_outputs(step.version, scope.reply, before)
                except VersionRefused as error:
                    self._refuse_version(error)
                    return
            self.change(outputs={**frame.outputs, step.step_id: made})
            scope.steps = self.frame.outputs
        self.note_before(scope)
        self.remember(scope)
        if frame.resume is not None:  # a detour is through: back to the step that waits for another attempt
            self.change(**frame.resume, resume=None)
            self.perform()
            return
        action = next((each for each in step.on_success if self._applies(each, scope)), None)
        if action is not None:
            self._act(action, scope, None)
        elif frame.step + 1 < len(self.flow.steps):
            self.enter(frame.step + 1)
            self.keep_state(step, scope)
        else:
            self.finish_workflow("")

    def _shows_what_was_asked(self, scope: Scope) -> bool:
        """Notes what the reply shows of what was asked for. False: it is read once more, or the run is over."""
        step = self.step
        found = self.held_against_old(self.held_against_before(looked_at(step.expects, scope), scope))
        moved = self.moved_besides(scope)
        is_early = any(each.is_to_come for each in found) or (moved and not self.frame.retries)
        if step.is_safe and is_early and self._is_read_again(scope):
            return False
        self.findings = {**self.findings, self.key: tuple(each.to_json() for each in (*found, *moved))}
        if any(each.is_otherwise for each in found) and self._is_change_ahead():
            self.end_run("succeeded", None, self.outputs_so_far())  # which the differences make another outcome
            return False
        return True

    def _is_change_ahead(self) -> bool:
        return any(not step.is_safe for step in self.flow.steps[self.frame.step + 1 :])

    def _refuse_version(self, error: VersionRefused) -> None:
        """Back from the detour to the write that was refused, which is not sent again."""
        self.change(**(self.frame.resume or {}), resume=None)
        text = f"{self.step.key} was refused for the version that it names (412, Precondition Failed): {error.message}"
        self.end_failed(Failure(self.key, error.code, text, 412))

    def _applies(self, action: ProgramAction, scope: Scope) -> bool:
        if action.limit is not None and self.frame.jumps.get(self._jump(action), 0) >= action.limit:
            return False
        return all_hold(action.criteria, scope)

    def _jump(self, action: ProgramAction) -> str:
        return f"{self.step.step_id}/{action.name}"

    def _failed(self, scope: Scope, failure: Failure) -> None:
        """Takes the first failure action that applies and is not used up; none: the run fails with `failure`."""
        for action in self.step.on_failure:
            if not self._applies(action, scope):
                continue
            if action.type != "retry":
                self._act(action, scope, failure)
                return
            if self._retries(action, scope):
                return
            failure = self._used_up(action, scope, failure)
            if action.outcome or action.code:  # what it means is said; a later action would say less
                self._end_as(action, scope, explained(failure, self.step, scope, self.frame.last))
                return
        self.end_failed(self._worded(failure, scope, None))

    def _used_up(self, action: ProgramAction, scope: Scope, failure: Failure) -> Failure:
        tries = f"{failure.message} (given up after {self.frame.attempt} attempts)"
        message = said(action.message, scope) if action.message else tries
        return replace(failure, code=action.code or "retries_exhausted", message=message)

    def _worded(self, failure: Failure, scope: Scope, action: ProgramAction | None) -> Failure:
        """`failure` in the document's words, and with what was found."""
        return explained(self._named(failure, scope, action), self.step, scope, self.frame.last)

    def _named(self, failure: Failure, scope: Scope, action: ProgramAction | None) -> Failure:
        """`failure` in the words of the action, else of the step, where the document has some."""
        if action is not None and (action.code or action.message):
            message = said(action.message, scope) if action.message else failure.message
            return replace(failure, code=action.code or failure.code, message=message)
        if self.step.message is not None and failure.code in ("unexpected_status", "unexpected_reply", "unreachable"):
            return replace(failure, message=said(self.step.message, scope))
        return failure

    def _retries(self, action: ProgramAction, scope: Scope) -> bool:
        """Whether another attempt is made, at once or after a wait."""
        frame, reply = self.frame, scope.reply
        if self.has_stalled(scope):
            return True
        used = frame.retries.get(action.name, 0)
        seconds = max(action.retry_after_s, seconds_asked_for(reply.headers) if reply else 0.0)
        limit_s = self.step.timeout_s
        if used >= action.retry_limit or (limit_s is not None and frame.waited_s + seconds > limit_s):
            return False
        last = seen_now(self.step, scope) if reply else frame.last
        self.change(retries={**frame.retries, action.name: used + 1}, waited_s=frame.waited_s + seconds, last=last)
        self.look_elsewhere(reply)
        self.pending = action.name
        if seconds > 0:
            self.waiting = "timer"
            self.commands.append(StartTimer(self.key, seconds))
        else:
            self._try_again()
        return True

    def _is_read_again(self, scope: Scope) -> bool:
        """Whether the step's own retry is made, though its conditions are met."""
        retry = next((a for a in self.step.on_failure if a.type == "retry" and self._applies(a, scope)), None)
        return retry is not None and self._retries(retry, scope)

    def _try_again(self) -> None:
        """Another attempt at the current step, after the detour that its retry action may name."""
        frame = self.frame
        if frame.look is not None:
            self.perform()
            return
        action = next(each for each in self.step.on_failure if each.name == self.pending)
        self.pending = ""
        if action.workflow_id:
            self.call(action.workflow_id, action.arguments, "detour")
        elif action.step is not None and action.step != frame.step and frame.resume is None:
            resume = {"step": frame.step, "attempt": frame.attempt, "waited_s": frame.waited_s}
            self.change(resume={**resume, "retries": frame.retries})
            self.enter(action.step)
        else:
            self.perform()

    def _act(self, action: ProgramAction, scope: Scope, failure: Failure | None) -> None:
        """An end or a goto; `failure` is what led here, None after a success."""
        if action.type == "goto":
            if action.message and failure is None:  # which way was taken, told with a good end
                self.notes = (*self.notes, said(action.message, scope))
            jumps = self.frame.jumps
            if action.limit is not None:
                jumps = {**jumps, self._jump(action): jumps.get(self._jump(action), 0) + 1}
            self.change(jumps=jumps, resume=None)
            if action.step is None:
                self.call(action.workflow_id, action.arguments, "goto")
            else:
                self.enter(action.step)
        else:
            self._end_as(action, scope, failure)

    def _end_as(self, action: ProgramAction, scope: Scope, failure: Failure | None) -> None:
        """The end that the document wants here, else that which follows from what led here."""
        outcome = action.outcome or ("failed" if failure is not None else "succeeded")
        text = said(action.message, scope) if action.message else ""
        if outcome in ("succeeded", "pending"):
            self.note_unseen(text if failure is not None and self.step.expects else "")
            self.keep_outputs(scope)
            self.finish_workflow(text, outcome, action.next)
            return
        failure = failure or Failure(self.key, "unexpected_reply", f"{self.step.key} was answered otherwise")
        if outcome == "unknown":
            self.end_unknown(self._worded(failure, scope, action))
        elif outcome in ("partial", "cancelled"):  # of the run, whoever called this workflow
            self.end_run(outcome, self._worded(failure, scope, action))
        else:
            self.end_failed(self._worded(failure, scope, action))

    # Ends

    def finish_workflow(self, note: str, outcome: Outcome = "succeeded", following: str = "") -> None:
        """The current workflow has succeeded: its outputs go to whoever called it."""
        frame = self.frame
        outputs = outputs_of(self.flow.outputs, self.scope())
        if len(self.program.workflows) > 1:
            self.results = {**self.results, frame.workflow_id: {"inputs": frame.inputs, "outputs": outputs}}
        if frame.purpose == "run":
            self.end_run(outcome, None, outputs, " ".join(text for text in (note, *self.notes) if text), following)
            return
        self.frames.pop()
        if frame.purpose == "detour":
            self.perform()
            return
        scope = self.scope(self.reply, outputs)  # the step's reply is the last one of the workflow it called
        if all_hold(self.step.success, scope):
            self._succeeded(scope)
        else:
            text = f"the workflow {frame.workflow_id} ended, and the step's conditions are not met"
            self._failed(scope, Failure(self.key, "unexpected_reply", text))

    def end_failed(self, failure: Failure) -> None:
        """The current workflow has failed: so has the step that called it, unless one of its actions says otherwise."""
        purpose = self.frame.purpose
        if purpose == "run":
            self.end_run("failed", failure)
            return
        self.frames.pop()
        if purpose == "step":
            self._failed(self.scope(self.reply), failure)
        else:
            self.end_failed(failure)


def _joined(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text
