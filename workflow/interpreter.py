"""The interpreter: what a workflow does next, as a pure function of its plan, its state and one event.

No I/O, clock, randomness or globals: the same plan, state and event give the same state and commands, so that a run
can be stored after any event, resumed elsewhere and replayed. Waiting is a command and its end an event. A request
that is neither safe nor idempotent and whose fate is not known ends the run as `unknown` and is never sent again.
Order of control follows Arazzo 1.1: success criteria, outputs, then the first action whose criteria hold, a retry
until its limit is used up, else the next step or the end.
"""

from collections.abc import Mapping
from dataclasses import replace

from workflow.criteria import all_hold
from workflow.document import Json
from workflow.doubt import doubt_of, step_after_doubt
from workflow.errors import EventError, InputError
from workflow.events import (
    Cancelled,
    Command,
    DeadlinePassed,
    EndRun,
    Event,
    Failure,
    FateFound,
    Outcome,
    Pairs,
    RequestFailed,
    ResponseArrived,
    RunStarted,
    SendRequest,
    StartTimer,
    TimerFired,
)
from workflow.failures import after_failure, code_of, leads_to, said
from workflow.findings import explained, seen_now, with_last
from workflow.pages import PageError, Pages, turned, whole
from workflow.planned import MAX_DEPTH, Plan, PlannedAction, PlanStep, WorkflowPlan, changes
from workflow.pointers import NOTHING
from workflow.requests import Unsendable, build_request
from workflow.retry_after import seconds_asked_for
from workflow.scope import Reply, Scope, Sent, nothing_sent
from workflow.state import Frame, State
from workflow.transforms import outputs_of
from workflow.values import Missing, Value
from workflow.versions import VersionRefused, version_outputs

MAX_ENTERED = 10_000  # steps entered in one run; static checks bound every loop, this bounds what they cannot see


def advance(plan: Plan, state: State, event: Event) -> tuple[State, tuple[Command, ...]]:
    """The state after `event`, and what is to be done now: one command, or none once the run is over.

    Each SendRequest is to be answered with ResponseArrived or RequestFailed, each StartTimer with TimerFired;
    DeadlinePassed and Cancelled may come at any time. Raises EventError for an event that the state does not wait for.
    """
    if state.is_over:
        return state, ()
    turn = _Turn(plan, state)
    turn.take(event)
    return turn.after(), tuple(turn.commands)


class _Turn:
    """One call of `advance`: the state's parts while they change."""

    def __init__(self, plan: Plan, state: State) -> None:
        self.plan = plan
        self.commands: list[Command] = []
        self._waiting = state.waiting
        self._frames = list(state.frames)
        self._done = state.done
        self._results = state.results
        self._entered = state.entered
        self._pending = state.pending_action
        self._outcome = state.outcome
        self._reply: Reply | None = None

    def after(self) -> State:
        return State(
            waiting=self._waiting,
            frames=tuple(self._frames),
            done=self._done,
            results=self._results,
            entered=self._entered,
            pending_action=self._pending,
            outcome=self._outcome,
        )

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
                self._found(event.has_happened)

    def _expect(self, waiting: str, key: str) -> None:
        if self._waiting != waiting or key != self._key:
            current = f"{self._waiting} of {self._key}" if self._frames else self._waiting
            raise EventError(f"an event for {key!r} came while the run waits for {current}; report this")

    def _start(self, event: RunStarted) -> None:
        if self._waiting != "start":
            raise EventError("a run is started once; make a new state for a new run")
        try:
            inputs = self.plan.main.inputs.check(event.inputs)
        except InputError as error:
            self._end_run("failed", Failure("", "invalid_input", f"{error.pointer or 'inputs'}: {error.message}"))
            return
        self._frames.append(Frame(self.plan.workflow_id, inputs))
        self._enter(0)

    def _answered(self, reply: Reply) -> None:
        step = self._step
        if step.pages is not None and 200 <= reply.status < 300:
            paged = self._with_pages(step.pages, reply)
            if paged is None:
                return
            reply = paged
        self._reply = reply
        scope = self._scope(reply)
        is_good = 200 <= reply.status < 300
        has_succeeded = all_hold(step.success, scope) if step.success else is_good
        if not step.is_safe and (has_succeeded or is_good):
            self._note_done()
        if has_succeeded:
            self._succeeded(scope)
            return
        code = code_of(reply.status)
        led = leads_to(reply.status, reply.headers)
        text = f"{step.key} was answered with {reply.status}{led}, and the step's conditions are not met"
        self._failed(scope, Failure(self._key, code, text, reply.status, said=reply.said))

    def _with_pages(self, pages: Pages, reply: Reply) -> Reply | None:
        """The reply with the whole list; None while there is another page to ask for, or none that may be."""
        step, frame = self._step, self._frame
        assert step.request is not None, "only requests have replies"
        request = build_request(step.request, self._scope(), self.plan.base_path)
        query = _pairs(frame.pages["query"]) if frame.pages else request.query
        try:
            known = turned(pages, frame.pages, reply, query, request.path)
        except PageError as error:
            self._end_failed(Failure(self._key, "page_elsewhere", str(error)))
            return None
        if known["query"] is None or (known["pages"] >= pages.most and pages.is_cut):
            self._change(pages=None)
            return whole(pages, known, reply)
        if known["pages"] >= pages.most:
            told = f"{step.key} lists more than {len(known['items'])} items on {pages.most} pages"
            self._end_failed(Failure(self._key, "too_many", f"{told}; what lies beyond was not looked at"))
            return None
        self._change(pages=known)
        self._send()
        return None

    def _unanswered(self, event: RequestFailed) -> None:
        step = self._step
        if event.reason == "refused":
            self._end_failed(Failure(self._key, "refused", event.message or f"{step.key} was refused"))
        elif event.reason == "unknown_fate" and not step.is_idempotent:
            text = f"{step.key} was sent and not answered: whether it was carried out is not known"
            self._end_unknown(_joined(text, event.message))
        elif event.reason == "bad_reply" and not step.is_safe:
            self._note_done()
            text = _joined(f"{step.key} was carried out, but its answer cannot be used", event.message)
            self._end_run("failed", Failure(self._key, "bad_reply", text))  # whoever called it: not once more
        elif event.reason == "bad_reply":
            text = f"{step.key} was answered with what cannot be used"
            self._failed(self._scope(), Failure(self._key, "bad_reply", _joined(text, event.message)))
        else:
            may_be_done = event.reason == "unknown_fate" and not step.is_safe
            text = f"{step.key} got no answer" + (" and may have been carried out; again is harmless" * may_be_done)
            self._failed(self._scope(), Failure(self._key, "unreachable", _joined(text, event.message)))

    def _found(self, has_happened: bool) -> None:
        """Somebody looked: on from behind the step, whose answer stays lost, or the step once more."""
        if not has_happened:
            self._perform()
            return
        self._note_done()
        if self._frame.resume is not None:
            self._change(**self._frame.resume, resume=None)
            self._perform()
            return
        number = step_after_doubt(self._flow, self._frame, self._scope(), self.plan.base_path)
        if number < len(self._flow.steps):
            self._enter(number)
        else:
            self._finish_workflow("")

    def _stopped(self, outcome: Outcome, code: str, text: str, is_sent: bool) -> None:
        if not self._frames:
            self._end_run(outcome, Failure("", code, text))
        elif self._waiting == "response" and is_sent and not self._step.is_idempotent:
            self._end_unknown(f"{text} while {self._step.key} was under way: whether it was carried out is not known")
        else:
            self._end_run(outcome, with_last(Failure(self._key, code, text), self._frame.last))

    # Where the run is

    @property
    def _frame(self) -> Frame:
        return self._frames[-1]

    @property
    def _flow(self) -> WorkflowPlan:
        return self.plan.workflows[self._frame.workflow_id]

    @property
    def _step(self) -> PlanStep:
        return self._flow.steps[self._frame.step]

    @property
    def _key(self) -> str:
        return self._frame.prefix + self._step.step_id if self._frames else ""

    def _change(self, **members: Json) -> None:
        self._frames[-1] = replace(self._frame, **members)

    def _scope(self, reply: Reply | None = None, outputs: Mapping[str, Json] | None = None) -> Scope:
        frame = self._frame
        return Scope(
            inputs=frame.inputs,
            steps=frame.outputs,
            outputs=outputs or {},
            workflows=self._results,
            sources=self.plan.sources,
            self_uri=self.plan.self_uri,
            reply=reply,
            sent=self._sent,
        )

    def _sent(self) -> Sent | None:
        """The request that was sent, made again: it follows from the state. None for a call of a workflow."""
        request = self._step.request
        if request is None:
            return None
        return build_request(request, replace(self._scope(), sent=nothing_sent), self.plan.base_path).sent

    def _note_done(self) -> None:
        if self._key not in self._done:
            self._done = (*self._done, self._key)

    # Going on

    def _enter(self, number: int) -> None:
        self._entered += 1
        self._change(step=number, attempt=0, waited_s=0.0, retries={}, pages=None, last=None)
        if self._entered > MAX_ENTERED:
            self._end_failed(Failure(self._key, "loop_limit", f"more than {MAX_ENTERED} steps were entered"))
        else:
            self._perform()

    def _perform(self) -> None:
        """Sends the current step's request, or enters the workflow that it calls."""
        if self._step.workflow_id:
            self._call(self._step.workflow_id, self._step.arguments, "step")
        else:
            self._send()

    def _send(self) -> None:
        step, frame = self._step, self._frame
        assert step.request is not None
        try:
            request = build_request(step.request, self._scope(), self.plan.base_path)
        except Unsendable as error:
            self._end_failed(Failure(self._key, error.code, error.message))
            return
        self._change(attempt=frame.attempt + 1)
        self._waiting = "response"
        self.commands.append(
            SendRequest(
                step_id=self._key,
                attempt=frame.attempt + 1,
                method=step.method,
                path=request.path,
                path_template=step.path_template,
                query=_pairs(frame.pages["query"]) if frame.pages else request.query,
                headers=request.headers,
                body=request.body,
                content_type=step.request.content_type if request.body is not None else "",
                parts=request.parts,
                is_safe=step.is_safe,
                is_idempotent=step.is_idempotent,
                timeout_s=None if step.timeout_s is None else max(0.001, step.timeout_s - frame.waited_s),
            )
        )

    def _call(self, workflow_id: str, arguments: tuple[tuple[str, Value], ...], purpose: str) -> None:
        """Enters another workflow; with the purpose `goto` it takes the place of the current one."""
        try:
            if len(self._frames) >= MAX_DEPTH:
                raise Unsendable("loop_limit", f"more than {MAX_DEPTH} workflows call each other")
            inputs = self.plan.workflows[workflow_id].inputs.check(_arguments(arguments, self._scope()))
        except InputError as error:
            self._end_failed(Failure(self._key, "invalid_input", f"{workflow_id}{error.pointer}: {error.message}"))
            return
        except Unsendable as error:
            self._end_failed(Failure(self._key, error.code, error.message))
            return
        prefix = f"{self._key}/"
        if purpose == "goto":
            self._frames[-1] = Frame(workflow_id, inputs, prefix=prefix, purpose=self._frame.purpose)
        else:
            self._frames.append(Frame(workflow_id, inputs, prefix=prefix, purpose=purpose))  # type: ignore[arg-type]
        self._enter(0)

    def _succeeded(self, scope: Scope) -> None:
        step, frame = self._step, self._frame
        if step.outputs:
            made = outputs_of(step.outputs, scope)
            if step.version is not None and scope.reply is not None:
                # On a detour this is the second reading, for a write that was refused for the first one's version.
                before = frame.outputs.get(step.step_id) if frame.resume is not None else None
                try:
                    made |= version_outputs(step.version, scope.reply, before)
                except VersionRefused as error:
                    self._refuse_version(error)
                    return
            self._change(outputs={**frame.outputs, step.step_id: made})
            scope.steps = self._frame.outputs
        if frame.resume is not None:  # a detour is through: back to the step that waits for another attempt
            self._change(**frame.resume, resume=None)
            self._perform()
            return
        action = next((each for each in step.on_success if self._applies(each, scope)), None)
        if action is not None:
            self._act(action, scope, None)
        elif frame.step + 1 < len(self._flow.steps):
            self._enter(frame.step + 1)
        else:
            self._finish_workflow("")

    def _refuse_version(self, error: VersionRefused) -> None:
        """Back from the detour to the write that was refused, which is not sent again."""
        self._change(**(self._frame.resume or {}), resume=None)
        text = f"{self._step.key} was refused for the version that it names (412, Precondition Failed): {error.message}"
        self._end_failed(Failure(self._key, error.code, text, 412))

    def _applies(self, action: PlannedAction, scope: Scope) -> bool:
        if action.limit is not None and self._frame.jumps.get(self._jump(action), 0) >= action.limit:
            return False
        return all_hold(action.criteria, scope)

    def _jump(self, action: PlannedAction) -> str:
        return f"{self._step.step_id}/{action.name}"

    def _failed(self, scope: Scope, failure: Failure) -> None:
        """Takes the first failure action that applies and is not used up; none: the run fails with `failure`."""
        for action in self._step.on_failure:
            if not self._applies(action, scope):
                continue
            if action.type != "retry":
                self._act(action, scope, failure)
                return
            if self._retries(action, scope):
                return
            failure = self._used_up(action, scope, failure)
        self._end_failed(self._worded(failure, scope, None))

    def _used_up(self, action: PlannedAction, scope: Scope, failure: Failure) -> Failure:
        tries = f"{failure.message} (given up after {self._frame.attempt} attempts)"
        message = said(action.message, scope) if action.message else tries
        return replace(failure, code=action.code or "retries_exhausted", message=message)

    def _worded(self, failure: Failure, scope: Scope, action: PlannedAction | None) -> Failure:
        """`failure` in the document's words, and with what was found."""
        return explained(self._named(failure, scope, action), self._step, scope, self._frame.last)

    def _named(self, failure: Failure, scope: Scope, action: PlannedAction | None) -> Failure:
        """`failure` in the words of the action, else of the step, where the document has some."""
        if action is not None and (action.code or action.message):
            message = said(action.message, scope) if action.message else failure.message
            return replace(failure, code=action.code or failure.code, message=message)
        if self._step.message is not None and failure.code in ("unexpected_status", "unexpected_reply", "unreachable"):
            return replace(failure, message=said(self._step.message, scope))
        return failure

    def _retries(self, action: PlannedAction, scope: Scope) -> bool:
        """Whether another attempt is made, at once or after a wait."""
        frame, reply = self._frame, scope.reply
        used = frame.retries.get(action.name, 0)
        seconds = max(action.retry_after_s, seconds_asked_for(reply.headers) if reply else 0.0)
        limit_s = self._step.timeout_s
        if used >= action.retry_limit or (limit_s is not None and frame.waited_s + seconds > limit_s):
            return False
        last = seen_now(self._step, scope) if reply else frame.last
        self._change(retries={**frame.retries, action.name: used + 1}, waited_s=frame.waited_s + seconds, last=last)
        self._pending = action.name
        if seconds > 0:
            self._waiting = "timer"
            self.commands.append(StartTimer(self._key, seconds))
        else:
            self._try_again()
        return True

    def _try_again(self) -> None:
        """Another attempt at the current step, after the detour that its retry action may name."""
        frame = self._frame
        action = next(each for each in self._step.on_failure if each.name == self._pending)
        self._pending = ""
        if action.workflow_id:
            self._call(action.workflow_id, action.arguments, "detour")
        elif action.step is not None and action.step != frame.step and frame.resume is None:
            resume = {"step": frame.step, "attempt": frame.attempt, "waited_s": frame.waited_s}
            self._change(resume={**resume, "retries": frame.retries})
            self._enter(action.step)
        else:
            self._perform()

    def _act(self, action: PlannedAction, scope: Scope, failure: Failure | None) -> None:
        """An end or a goto; `failure` is what led here, None after a success."""
        if action.type == "goto":
            jumps = self._frame.jumps
            if action.limit is not None:
                jumps = {**jumps, self._jump(action): jumps.get(self._jump(action), 0) + 1}
            self._change(jumps=jumps, resume=None)
            if action.step is None:
                self._call(action.workflow_id, action.arguments, "goto")
            else:
                self._enter(action.step)
        elif failure is None or action.is_success:
            self._finish_workflow(said(action.message, scope) if action.message else "")
        else:
            self._end_failed(self._worded(failure, scope, action))

    # Ends

    def _finish_workflow(self, note: str) -> None:
        """The current workflow has succeeded: its outputs go to whoever called it."""
        frame = self._frame
        outputs = outputs_of(self._flow.outputs, self._scope())
        if len(self.plan.workflows) > 1:
            self._results = {**self._results, frame.workflow_id: {"inputs": frame.inputs, "outputs": outputs}}
        if frame.purpose == "run":
            self._end_run("succeeded", None, outputs, note)
            return
        self._frames.pop()
        if frame.purpose == "detour":
            self._perform()
            return
        scope = self._scope(self._reply, outputs)  # the step's reply is the last one of the workflow it called
        if all_hold(self._step.success, scope):
            self._succeeded(scope)
        else:
            text = f"the workflow {frame.workflow_id} ended, and the step's conditions are not met"
            self._failed(scope, Failure(self._key, "unexpected_reply", text))

    def _end_failed(self, failure: Failure) -> None:
        """The current workflow has failed: so has the step that called it, unless one of its actions says otherwise."""
        purpose = self._frame.purpose
        if purpose == "run":
            self._end_run("failed", failure)
            return
        self._frames.pop()
        if purpose == "step":
            self._failed(self._scope(self._reply), failure)
        else:
            self._end_failed(failure)

    def _end_unknown(self, text: str) -> None:
        doubt = doubt_of(self._flow, self._frame, self._scope(), self.plan.base_path)
        self._end_run("unknown", Failure(self._key, "unknown_fate", text, doubt=doubt))

    def _outputs_so_far(self) -> dict[str, Json]:
        """What the run can already tell, though it did not get to its end: the id of what it made, say."""
        main = self._frames[0] if self._frames else None
        if main is None or main.workflow_id != self.plan.workflow_id:
            return {}
        scope = Scope(inputs=main.inputs, steps=main.outputs, workflows=self._results, sources=self.plan.sources)
        return outputs_of(self.plan.main.outputs, scope)

    def _end_run(
        self,
        outcome: Outcome,
        failure: Failure | None,
        outputs: Mapping[str, Json] | None = None,
        note: str = "",
    ) -> None:
        if failure is not None:
            not_done = tuple(key for key in changes(self.plan) if key not in self._done)
            remedy = failure.remedy or after_failure(self._done, failure.code)
            failure = replace(failure, done=self._done, not_done=not_done, remedy=remedy)
            outputs = self._outputs_so_far()
        self._waiting = "over"
        self._outcome = outcome
        self._frames = []
        self.commands.append(EndRun(outcome, outputs or {}, failure, note))


def _pairs(query: Json) -> Pairs:
    return tuple((str(name), str(value)) for name, value in query)


def _joined(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text


def _arguments(arguments: tuple[tuple[str, Value], ...], scope: Scope) -> dict[str, Json]:
    """The inputs for a workflow. Raises Unsendable if a value that a step should have made is not there."""
    try:
        found = {name: value.evaluate(scope) for name, value in arguments}
    except Missing as missing:
        raise Unsendable("missing_value", f"{missing.text} is needed and not there") from missing
    return {name: value for name, value in found.items() if value is not NOTHING}
