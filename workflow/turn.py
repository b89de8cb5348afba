"""One turn of the interpreter while it is taken: the state's parts, where the run is, and how it goes on or ends.

The lower half of `interpreter`, which alone uses it: what an event means and which action follows is decided there.
Here the current step is found, its request built and asked for, another workflow entered, the run ended.
"""

from collections.abc import Mapping
from dataclasses import replace

from workflow.document import Json
from workflow.ending import Course, end_of
from workflow.errors import InputError
from workflow.events import Command, Failure, Outcome, SendRequest
from workflow.pages import query_after
from workflow.planned import MAX_DEPTH, Plan, PlanStep, WorkflowPlan
from workflow.requests import Unsendable, arguments_of, build_request
from workflow.scope import Reply, Scope, Sent, nothing_sent
from workflow.state import Frame, State
from workflow.transforms import outputs_of
from workflow.values import Value

MAX_ENTERED = 10_000  # steps entered in one run; static checks bound every loop, this bounds what they cannot see


class Turn:
    """The parts of a state, changed by one event. `commands`: what is to be done then."""

    def __init__(self, plan: Plan, state: State) -> None:
        self.plan = plan
        self.commands: list[Command] = []
        self._waiting = state.waiting
        self._frames = list(state.frames)
        self._done = state.done
        self._in_doubt = state.in_doubt
        self._findings = state.findings
        self._refusals = state.refusals
        self._notes = state.notes
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
            in_doubt=self._in_doubt,
            findings=self._findings,
            refusals=self._refusals,
            notes=self._notes,
        )

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
        self._in_doubt = tuple(key for key in self._in_doubt if key != self._key)
        if self._key not in self._done:
            self._done = (*self._done, self._key)

    # Going on

    def _enter(self, number: int) -> None:
        self._entered += 1
        self._change(step=number, attempt=0, waited_s=0.0, retries={}, pages=None, last=None, watched=None)
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
                query=query_after(frame.pages, request.query),
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
            inputs = self.plan.workflows[workflow_id].inputs.check(arguments_of(arguments, self._scope()))
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

    def _end_failed(self, failure: Failure) -> None:
        """The current workflow has failed. What that means to whoever called it, the interpreter says."""
        raise NotImplementedError

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
        following: str = "",
    ) -> None:
        shown = self._outputs_so_far() if failure is not None else outputs or {}
        course = Course(self.plan, self._done, self._in_doubt, self._findings, self._refusals)
        end = end_of(course, outcome, failure, shown, note, following)
        self._waiting = "over"
        self._outcome = end.outcome
        self._frames = []
        self.commands.append(end)
