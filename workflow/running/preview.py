"""What a run would do from its first change on: the requests as they would be sent, the rest in words.

Made from the state in which the first change is about to be sent. What only the reply to a change can give is not yet
known: a later request is shown with a mark in that place. Which changes follow for certain is told, and which only if
the device answers so. Pure: nothing is asked for. Called by `runtime`, which renders it. DESIGN.md, "Plan, then apply".
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from workflow.documents.scope import Scope
from workflow.programs.control import edges, reachable
from workflow.programs.program import MAX_DEPTH, Program, ProgramStep, WorkflowProgram
from workflow.programs.state import Frame, State
from workflow.requests.events import SendRequest
from workflow.requests.requests import Unsendable, build_request


@dataclass(frozen=True, slots=True)
class PreviewedChange:
    """One request that changes something. `request` is None where too little is known to write it down.

    `unknown`: what stands in the request for a value that is not known yet → what that is. `is_certain`: it is sent
    if everything before it succeeds, whatever the replies say.
    """

    step_id: str
    description: str
    method: str
    path_template: str
    request: SendRequest | None
    unknown: Mapping[str, str] = field(default_factory=dict)
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class RunPreview:
    """`changes` in the order of the document, `then`: the other steps after the first change, in words."""

    changes: tuple[PreviewedChange, ...]
    then: tuple[str, ...]


def foreseen(program: Program, state: State, first: SendRequest) -> RunPreview:
    """All that can be said of what follows from `state`, whose command is `first`."""
    view = _View(program, state)
    step = view.current
    changes = [PreviewedChange(first.step_id, said_of(step), first.method, first.path_template, first)]
    then: list[str] = []
    for frame in reversed(state.frames):
        flow = program.workflows[frame.workflow_id]
        for number, is_certain in _following(flow, frame.step):
            following = flow.steps[number]
            then += [] if _changes(program, following) else [said_of(following)]
            changes += view.changes_of(following, frame, is_certain)
    return RunPreview(tuple(changes), tuple(then))


def said_of(step: ProgramStep) -> str:
    """What the step does, in the document's words."""
    return step.description.rstrip(".") or step.key or f"run the workflow {step.workflow_id}"


class _View:
    """The state with a mark wherever a value is not known yet."""

    def __init__(self, program: Program, state: State) -> None:
        self._program = program
        self._state = state
        # A mark that no input can hold, so that nobody passes a value of his own off as unknown.
        told = json.dumps([dict(frame.inputs) for frame in state.frames], sort_keys=True, default=str)
        self._salt = hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def current(self) -> ProgramStep:
        frame = self._state.frames[-1]
        return self._program.workflows[frame.workflow_id].steps[frame.step]

    def changes_of(
        self, step: ProgramStep, frame: Frame, is_certain: bool, depth: int = 0
    ) -> Iterator[PreviewedChange]:
        """The step's own change, or those of the workflow that it calls."""
        if not step.workflow_id:
            if not step.is_safe:
                yield self._change(step, frame, is_certain)
            return
        called = self._program.workflows[step.workflow_id]
        for inner in called.steps if depth < MAX_DEPTH else ():
            if _changes(self._program, inner):
                inside = Frame(called.workflow_id, {}, prefix=f"{frame.prefix}{step.step_id}/")
                yield from self.changes_of(inner, inside, False, depth + 1)

    def _change(self, step: ProgramStep, frame: Frame, is_certain: bool) -> PreviewedChange:
        key = frame.prefix + step.step_id
        marks = self._marks(frame)
        steps = {owner: dict(made) for owner, made in frame.outputs.items()}
        for mark, (owner, name) in marks.items():
            steps.setdefault(owner, {})[name] = mark
        scope = Scope(
            inputs=frame.inputs,
            steps=steps,
            workflows=self._state.results,
            sources=self._program.sources,
            self_uri=self._program.self_uri,
        )
        request = _request(step, key, scope, self._program.base_path)
        told = {mark: f"{name} of {of}" for mark, (of, name) in marks.items() if request and mark in repr(request)}
        return PreviewedChange(key, said_of(step), step.method, step.path_template, request, told, is_certain)

    def _marks(self, frame: Frame) -> dict[str, tuple[str, str]]:
        """A mark for each output of what is still to come → (step, output)."""
        flow = self._program.workflows[frame.workflow_id]
        coming = [flow.steps[number] for number in sorted(reachable(_graph(flow), frame.step))]
        wanted = ((step.step_id, output.name) for step in coming for output in step.outputs)
        return {f"unknown{self._salt}n{number}x": each for number, each in enumerate(wanted)}


def _request(step: ProgramStep, key: str, scope: Scope, base_path: str) -> SendRequest | None:
    assert step.request is not None, "only requests change something"
    try:
        request = build_request(step.request, scope, base_path)
    except Unsendable:
        return None
    return SendRequest(
        step_id=key,
        attempt=1,
        method=step.method,
        path=request.path,
        path_template=step.path_template,
        query=request.query,
        headers=request.headers,
        body=request.body,
        content_type=step.request.content_type if request.body is not None else "",
    )


def _changes(program: Program, step: ProgramStep, depth: int = 0) -> bool:
    if not step.workflow_id:
        return not step.is_safe
    inner = program.workflows[step.workflow_id].steps if depth < MAX_DEPTH else ()
    return any(_changes(program, each, depth + 1) for each in inner)


def _graph(flow: WorkflowProgram, *, after_success: bool = False) -> dict[int, set[int]]:
    graph: dict[int, set[int]] = {}
    for edge in edges(flow):
        if edge.after_success or not after_success:
            graph.setdefault(edge.source, set()).add(edge.target)
    return graph


def _following(flow: WorkflowProgram, start: int) -> Iterator[tuple[int, bool]]:
    """The steps that can come after number `start`, in the document's order, and whether each of them must."""
    end = len(flow.steps)
    good = _graph(flow, after_success=True)
    for number, step in enumerate(flow.steps):
        if number + 1 == end or any(action.type == "end" for action in step.on_success):
            good.setdefault(number, set()).add(end)
    for number in sorted(reachable(_graph(flow), start) - {start}):
        around = {source: targets - {number} for source, targets in good.items()}
        yield number, end not in reachable(around, start)
