"""What is to be said of a request whose fate is not known: what it may have done, and which read would tell.

The read is taken from the program itself: the nearest later step that looks at the thing (read back, shown to be
gone, or a wait for its state), else the nearest earlier one (a check, a lookup), among those whose request can be
built from what the run knows. Nothing is sent from here. Called by `interpreter` when a run ends as `unknown`.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from workflow.documents.document import Json
from workflow.documents.scope import Scope, nothing_sent
from workflow.programs.program import ProgramStep, WorkflowProgram
from workflow.programs.state import Frame
from workflow.requests.events import Doubt
from workflow.requests.requests import Request, Unsendable, build_request

MAY: Mapping[str, str] = {
    "create": "the thing may have been created",
    "update": "the change may have been made",
    "delete": "the thing may be gone",
    "act": "the action may have been carried out, or may still be under way",
}
# A job's state tells, too, but its handle was in the answer that was lost; these look at the thing itself first.
LATER = ("read_back", "gone", "wait", "read")
EARLIER = ("check", "lookup", "read")


def doubt_of(flow: WorkflowProgram, frame: Frame, scope: Scope, base_path: str) -> Doubt:
    """About the step at which `frame` stands, which has a request; of a read, about the change before it."""
    scope.sent = nothing_sent
    number = _change_before(flow, frame.step)
    step = flow.steps[number]
    built = _built(step, scope, base_path)
    at = [flow.steps[frame.step]] if number != frame.step else []
    looks = ((each.method, _built(each, scope, base_path)) for each in (*at, *_candidates(flow, number)))
    look = next((_line(method, found) for method, found in looks if found is not None), "")
    return Doubt(_line(step.method, built), MAY.get(step.effect, "it may have been carried out"), look)


def step_after_doubt(flow: WorkflowProgram, frame: Frame, scope: Scope, base_path: str) -> int:
    """The number of the step at which a run goes on whose request in doubt had been carried out.

    What waits for a job cannot be asked for when the job's handle was in the lost answer: it is left out, and what is
    read back later tells.
    """
    scope.sent = nothing_sent
    first = behind = frame.step + 1
    while behind < len(flow.steps) and flow.steps[behind].role == "wait":
        behind += 1
    # The last view of the job needs its handle alone; what stands above the job may be found on the way.
    is_known = behind > first and _built(flow.steps[behind - 1], scope, base_path) is not None
    return first if is_known else behind


def _change_before(flow: WorkflowProgram, number: int) -> int:
    """The change that is in doubt at the step: itself, or the nearest one before a wait or a read-back."""
    return next((n for n in range(number, -1, -1) if not flow.steps[n].is_safe), number)


def is_buildable(step: ProgramStep, scope: Scope, base_path: str) -> bool:
    """Whether the step's request can be made of what the run knows."""
    scope.sent = nothing_sent
    return _built(step, scope, base_path) is not None


def body_of(step: ProgramStep, scope: Scope, base_path: str) -> Json:
    """The body of the step's request, None where it has none or cannot be made."""
    scope.sent = nothing_sent
    made = _built(step, scope, base_path)
    return made.body if made is not None else None


def line_of(step: ProgramStep, scope: Scope, base_path: str) -> str:
    """The step's request in one line, for people."""
    scope.sent = nothing_sent
    return _line(step.method, _built(step, scope, base_path))


def _candidates(flow: WorkflowProgram, number: int) -> Iterator[ProgramStep]:
    for roles, steps in ((LATER, flow.steps[number + 1 :]), (EARLIER, flow.steps[:number][::-1])):
        for role in roles:
            yield from (step for step in steps if step.role == role and step.is_safe and not _is_on_the_way(step))


def _is_on_the_way(step: ProgramStep) -> bool:
    """Whether it lists what stands above a job, so that the job can be asked for: of the thing it tells nothing."""
    return step.role == "wait" and step.pages is not None


def _built(step: ProgramStep, scope: Scope, base_path: str) -> Request | None:
    try:
        return build_request(step.request, scope, base_path) if step.request else None
    except Unsendable:
        return None


def _line(method: str, request: Request | None) -> str:
    if request is None:
        return method
    query = f"?{urlencode(request.query)}" if request.query else ""
    return f"{method} {request.path}{query}"
