"""One turn of the interpreter while it is taken: the state's parts, where the run is, and how it goes on or ends.

The lower half of `interpreter`, which alone uses it: what an event means and which action follows is decided there.
Here the current step is found, its request built and asked for, another workflow entered, the run ended.
"""

from collections.abc import Mapping
from dataclasses import replace

from workflow.documents.document import Json
from workflow.documents.scope import Reply, Scope, Sent, nothing_sent
from workflow.documents.values import Reference, Value
from workflow.errors import InputError
from workflow.json.pointers import parse_pointer, resolve
from workflow.programs.program import MAX_DEPTH, Program, ProgramStep, WorkflowProgram
from workflow.programs.state import Frame, State
from workflow.programs.transforms import outputs_of
from workflow.replies.expectations import ExpectationFinding, evaluated
from workflow.replies.pages import page_asked
from workflow.replies.unasked import asked_before, besides, kept, with_before
from workflow.requests.events import Command, Failure, Outcome, SendRequest
from workflow.requests.requests import BoundRequest, Request, Unsendable, arguments_of, build_request
from workflow.running.ending import Course, end_of
from workflow.running.uncertainty import doubt_of

MAX_ENTERED = 10_000  # steps entered in one run; static checks bound every loop, this bounds what they cannot see

_NOT_HERE = (404, 410)


class Turn:
    """The parts of a state, changed by one event. `commands`: what is to be done then."""

    def __init__(self, program: Program, state: State) -> None:
        self.program = program
        self.commands: list[Command] = []
        self.waiting = state.waiting
        self.frames = list(state.frames)
        self.done = state.done
        self.in_doubt = state.in_doubt
        self.findings = state.findings
        self.refusals = state.refusals
        self.taken = state.taken
        self.accepted = state.accepted
        self.notes = state.notes
        self.results = state.results
        self.entered = state.entered
        self.pending = state.pending_action
        self.outcome = state.outcome
        self.reply: Reply | None = None

    def after(self) -> State:
        return State(
            waiting=self.waiting,
            frames=tuple(self.frames),
            done=self.done,
            results=self.results,
            entered=self.entered,
            pending_action=self.pending,
            outcome=self.outcome,
            in_doubt=self.in_doubt,
            findings=self.findings,
            refusals=self.refusals,
            taken=self.taken,
            accepted=self.accepted,
            notes=self.notes,
        )

    # Where the run is

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    @property
    def flow(self) -> WorkflowProgram:
        return self.program.workflows[self.frame.workflow_id]

    @property
    def step(self) -> ProgramStep:
        return self.flow.steps[self.frame.step]

    @property
    def key(self) -> str:
        return self.frame.prefix + self.step.step_id if self.frames else ""

    @property
    def request(self) -> BoundRequest | None:
        """What the current step's request is made of, at the address where the thing is looked for now."""
        request = self.step.request
        return request.at_new_address(self.scope()) if request is not None and self.frame.elsewhere else request

    def look_elsewhere(self, reply: Reply | None) -> None:
        """Asks at the other address next, where a renaming may have moved the thing and it is not at this one."""
        request = self.step.request
        if reply is not None and reply.status in _NOT_HERE and request is not None and request.is_moved(self.scope()):
            self.change(elsewhere=not self.frame.elsewhere)

    def change(self, **members: Json) -> None:
        self.frames[-1] = replace(self.frame, **members)

    def scope(self, reply: Reply | None = None, outputs: Mapping[str, Json] | None = None) -> Scope:
        frame = self.frame
        return Scope(
            inputs=frame.inputs,
            steps=frame.outputs,
            outputs=outputs or {},
            workflows=self.results,
            sources=self.program.sources,
            self_uri=self.program.self_uri,
            reply=reply,
            sent=self.sent,
        )

    def sent(self) -> Sent | None:
        """The request that was sent, made again: it follows from the state. None for a call of a workflow."""
        request = self.request
        if request is None:
            return None
        return build_request(request, replace(self.scope(), sent=nothing_sent), self.program.base_path).sent

    def note_doubt(self) -> None:
        """Nobody knows what became of the step: it is the latest in doubt."""
        self.note_settled()
        self.in_doubt = (*self.in_doubt, self.key)

    def note_settled(self) -> None:
        self.in_doubt = tuple(key for key in self.in_doubt if key != self.key)

    def note_before(self, scope: Scope) -> None:
        """Keeps what the reply shows of a thing that is to be changed in part, for the step that reads it back."""
        keeps = self.step.keeps
        if keeps is None:
            return
        thing = keeps.thing.evaluate(scope) if keeps.thing is not None else None
        is_listed = isinstance(thing, Mapping)
        shown = {
            each.place: resolve(thing, parse_pointer(each.place)) if is_listed else evaluated(each.found, scope)
            for each in keeps.expects
            if each.found is not None and (is_listed or keeps.thing is None)
        }
        before = kept(keeps.expects, shown, keeps.schemas, scope)
        asked = asked_before(shown, keeps.expects, scope)
        self.change(
            before={**(self.frame.before or {}), keeps.back: before},
            asked_before={**(self.frame.asked_before or {}), keeps.back: asked},
        )

    def held_against_old(self, found: tuple[ExpectationFinding, ...]) -> tuple[ExpectationFinding, ...]:
        """The findings, with what was so before the change."""
        return with_before(found, (self.frame.asked_before or {}).get(self.step.step_id, {}))

    def moved_besides(self, scope: Scope) -> tuple[ExpectationFinding, ...]:
        """What the reply shows otherwise than before, though nobody asked for it."""
        before = (self.frame.before or {}).get(self.step.step_id, {})
        return tuple(besides(self.step.expects, before, scope))

    def keep_outputs(self, scope: Scope) -> None:
        """Keeps what a good end shows, though it is none of the answers that the step usually ends with."""
        if self.step.outputs and scope.reply is not None and self.step.step_id not in self.frame.outputs:
            made = outputs_of(self.step.outputs, scope)
            self.change(outputs={**self.frame.outputs, self.step.step_id: made})

    def note_unseen(self, why: str) -> None:
        """A good end that does not rest on what the step was to show, where there is a reason."""
        if why:
            self.findings = {**self.findings, self.key: (ExpectationFinding("", "unseen", why).to_json(),)}

    def note_not_done(self) -> None:
        """Takes back that the step took effect: its answer says otherwise, or leaves it open."""
        self.done = tuple(key for key in self.done if key != self.key)

    def note_done(self) -> None:
        self.note_settled()
        if self.key not in self.done:
            self.done = (*self.done, self.key)

    # Going on

    def stand_at(self, number: int) -> None:
        """The step of this number is the current one, and nothing of it was tried yet."""
        self.change(
            step=number, attempt=0, waited_s=0.0, retries={}, pages=None, last=None, watched=None, elsewhere=False
        )

    def enter(self, number: int) -> None:
        self.entered += 1
        self.stand_at(number)
        if self.entered > MAX_ENTERED:
            self.end_failed(Failure(self.key, "loop_limit", f"more than {MAX_ENTERED} steps were entered"))
        else:
            self.perform()

    def perform(self) -> None:
        """Sends the current step's request, or enters the workflow that it calls."""
        if self.step.workflow_id:
            self.call(self.step.workflow_id, self.step.arguments, "step")
        else:
            self.send()

    def send(self) -> None:
        step, frame, bound = self.step, self.frame, self.request
        assert bound is not None
        try:
            request = build_request(bound, self.scope(), self.program.base_path)
        except Unsendable as error:
            self.unsendable(Failure(self.key, error.code, error.message))
            return
        if self._sets_nothing(request):
            names = sorted({each.name for each in bound.payload.expressions}) if bound.payload is not None else []
            text = f"nothing to change was given: {step.key} can set {', '.join(names)}"
            self.end_failed(Failure(self.key, "nothing_given", text))
            return
        self.change(attempt=frame.attempt + 1)
        self.waiting = "response"
        query, body = page_asked(step.pages, frame.pages, request.query, request.body)
        self.commands.append(
            SendRequest(
                step_id=self.key,
                attempt=frame.attempt + 1,
                method=step.method,
                path=request.path,
                path_template=step.path_template,
                query=query,
                headers=request.headers,
                body=body,
                content_type=bound.content_type if body is not None else "",
                parts=request.parts,
                renamed=request.renamed,
                is_safe=step.is_safe,
                is_idempotent=step.is_idempotent,
                timeout_s=None if step.timeout_s is None else max(0.001, step.timeout_s - frame.waited_s),
            )
        )

    def _sets_nothing(self, request: Request) -> bool:
        """Whether a partial update, the only change of its workflow, would name no member: it asks for nothing."""
        step = self.step
        bound = step.request.payload if step.request is not None else None
        is_only = not any(not each.is_safe for each in self.flow.steps if each is not step)
        is_update = step.method == "PATCH" and step.effect == "update" and is_only
        has_members = bound is not None and bool(bound.expressions) and not isinstance(bound, Reference)
        return is_update and request.body == {} and has_members

    def call(self, workflow_id: str, arguments: tuple[tuple[str, Value], ...], purpose: str) -> None:
        """Enters another workflow; with the purpose `goto` it takes the place of the current one."""
        try:
            if len(self.frames) >= MAX_DEPTH:
                raise Unsendable("loop_limit", f"more than {MAX_DEPTH} workflows call each other")
            inputs = self.program.workflows[workflow_id].inputs.check(arguments_of(arguments, self.scope()))
        except InputError as error:
            self.end_failed(Failure(self.key, "invalid_input", f"{workflow_id}{error.pointer}: {error.message}"))
            return
        except Unsendable as error:
            self.end_failed(Failure(self.key, error.code, error.message))
            return
        prefix = f"{self.key}/"
        if purpose == "goto":
            self.frames[-1] = Frame(workflow_id, inputs, prefix=prefix, purpose=self.frame.purpose)
        else:
            self.frames.append(Frame(workflow_id, inputs, prefix=prefix, purpose=purpose))  # type: ignore[arg-type]
        self.enter(0)

    def unsendable(self, failure: Failure) -> None:
        """The current step cannot be sent. What that means where a change was made before, the interpreter says."""
        raise NotImplementedError

    def end_failed(self, failure: Failure) -> None:
        """The current workflow has failed. What that means to whoever called it, the interpreter says."""
        raise NotImplementedError

    def outputs_so_far(self) -> dict[str, Json]:
        """What the run can already tell, though it did not get to its end: the id of what it made, say."""
        main = self.frames[0] if self.frames else None
        if main is None or main.workflow_id != self.program.workflow_id:
            return {}
        scope = Scope(inputs=main.inputs, steps=main.outputs, workflows=self.results, sources=self.program.sources)
        return outputs_of(self.program.main.outputs, scope)

    def end_run(
        self,
        outcome: Outcome,
        failure: Failure | None,
        outputs: Mapping[str, Json] | None = None,
        note: str = "",
        following: str = "",
    ) -> None:
        shown = self.outputs_so_far() if failure is not None else outputs or {}
        found = (self.findings, self.refusals, self.taken, self.accepted)
        course = Course(self.program, self.done, self.in_doubt, *found)
        end = end_of(course, outcome, failure, shown, note, following)
        if end.outcome == "unknown" and end.failure is not None and end.failure.doubt is None and self.frames:
            doubt = doubt_of(self.flow, self.frame, self.scope(), self.program.base_path)
            end = replace(end, failure=replace(end.failure, doubt=doubt))
        self.waiting = "over"
        self.outcome = end.outcome
        self.frames = []
        self.commands.append(end)
