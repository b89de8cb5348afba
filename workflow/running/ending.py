"""The end of a run as it is told: its outcome, what was done, not done or may have been done, and what was verified.

`interpreter` says how a run ends as far as its steps go; here that is held against what was found of what was asked
for. A success with differences is none: it is `partial` where something took, else `failed`. A run that ends while
something may have been done is `unknown`, whatever else ended it. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from workflow.documents.document import Json
from workflow.programs.program import Program, changes, step_of
from workflow.replies.expectations import ExpectationFinding, Verdict, told, told_moved, verdict_of
from workflow.replies.failures import NOT_SHOWN, after_failure
from workflow.requests.events import EndRun, Failure, Outcome

# Nothing speaks against what was accepted: a part was taken.
_STAYS_DONE = ("partly_taken", "partly_refused")
_ACCEPTED = "{}: the device has accepted it (202) and goes on; nothing here says how it ends."
# The device took a change on, and what it shows or says afterwards at a step of these roles does not bear it out.
_NOT_BORNE_OUT = ("wait", "read_back", "gone")
# Nobody waited to the end. What only shows a change that was answered for good says nothing against it by that.
_LEFT, _NOT_ENDED = ("cancelled", "deadline"), ("wait", "gone")


@dataclass(frozen=True, slots=True)
class Course:
    """What a run has come to. `done`: keys of steps that took effect; `in_doubt`: of those that may have.

    `refusals`: what the device said of parts that it refused, though it answered well; `taken`: keys of the steps whose
    answers say that something was made, or of another part that it was carried out; `accepted`: of those that go on,
    with nobody waiting for them.
    """

    program: Program
    done: tuple[str, ...]
    in_doubt: tuple[str, ...]
    findings: Mapping[str, tuple[Mapping[str, Json], ...]]
    refusals: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()


def end_of(
    course: Course,
    outcome: Outcome,
    failure: Failure | None,
    outputs: Mapping[str, Json],
    note: str = "",
    following: str = "",
) -> EndRun:
    """The command that ends the run."""
    found = tuple(ExpectationFinding(**each) for findings in course.findings.values() for each in findings)
    verdict = verdict_of(found)
    old = tuple(each.text for each in found if each.sight == "old")
    if failure is None and old:
        outcome, failure = "failed", _was_there(course, old, verdict)
    elif failure is None and verdict.differences:
        outcome, failure = _otherwise(course, verdict)
    elif failure is None and course.refusals and verdict.verified != "all":
        outcome, failure = _partly_refused(course)
    elif failure is None and outcome == "succeeded" and course.accepted and not _has_read(course, ("seen", "form")):
        outcome, note = "pending", " ".join(filter(None, (note, _ACCEPTED.format(", ".join(course.accepted)))))
    if failure is not None:
        outcome = "unknown" if course.in_doubt and outcome in ("failed", "cancelled") else outcome
        failure = _complete(course, failure, outcome)
    told_otherwise = (*verdict.differences, *verdict.besides)
    return EndRun(
        outcome, outputs, failure, note, verdict.verified, verdict.why, told_otherwise, following, course.done
    )


def _otherwise(course: Course, verdict: Verdict) -> tuple[Outcome, Failure]:
    """What is said where the device shows something else than what was asked for, though it refused nothing."""
    step_id = _step_with(course, "differs")
    texts = "; ".join(told(each) for each in verdict.differences)
    moved = f"; not asked for, and not as it was before: {told_moved(verdict.besides)}" if verdict.besides else ""
    if course.taken or _has_read(course, ("seen", "form"), is_new=True):
        text = f"the device took a part of it: {texts}{moved}"
        return "partial", Failure(step_id, "partly_taken", text, said=course.refusals)
    if moved:  # it was carried out, and did something else
        text = f"the device took nothing of it and changed something else: {texts}{moved}"
        return "partial", Failure(step_id, "partly_taken", text, said=course.refusals)
    text = f"the device accepted the change and shows otherwise: {texts}"
    remedy = "" if any(each["found"] is not None for each in verdict.differences) else NOT_SHOWN
    return "failed", Failure(step_id, "not_taken", text, said=course.refusals, remedy=remedy)


def _partly_refused(course: Course) -> tuple[Outcome, Failure]:
    """What is said where the device answered well, and that it refused a part: of the rest it may have said nothing."""
    text = "the device answered well and says that a part was not done"
    if course.taken or _has_read(course, ("seen", "form")):
        return "partial", Failure(course.done[-1], "partly_refused", text, said=course.refusals)
    text = f"{text}; nothing shows whether the rest of it changed anything"
    return "unknown", Failure(course.done[-1], "rest_unknown", text, said=course.refusals)


def _was_there(course: Course, old: tuple[str, ...], verdict: Verdict) -> Failure:
    """What is said where something was to be made, and the device shows what was there before."""
    texts = (*dict.fromkeys(old), *(told(each) for each in verdict.differences))
    text = f"no new one was made: {'; '.join(texts)}"
    return Failure(_step_with(course, "old"), "there_already", text, said=course.refusals)


def _step_with(course: Course, sight: str) -> str:
    return next(key for key, found in course.findings.items() if any(each["sight"] == sight for each in found))


def _has_read(course: Course, sights: tuple[str, ...], *, is_new: bool = False) -> bool:
    """Whether a read found it so: what a change's own answer repeats is no sign that a part of it was made.

    `is_new`: what was so before the change does not count.
    """
    return any(
        each["sight"] in sights and not (is_new and each.get("was_so"))
        for key, findings in course.findings.items()
        if _role_of(course.program, key) != "change"
        for each in findings
    )


def _complete(course: Course, failure: Failure, outcome: Outcome) -> Failure:
    """`failure` with the three words for every step that changes something, and a remedy."""
    done, open_ = course.done, course.in_doubt
    roles = _NOT_ENDED if failure.code in _LEFT else _NOT_BORNE_OUT
    is_open = failure.code in ("not_taken", "there_already") or _role_of(course.program, failure.step_id) in roles
    is_open = is_open or (failure.code in _LEFT and done[-1:] == course.accepted[-1:])
    is_open = is_open or (outcome == "unknown" and done[-1:] == (failure.step_id,))  # accepted, and nothing tells more
    if done and failure.code not in _STAYS_DONE and is_open:
        done, open_ = done[:-1], (*(key for key in open_ if key != done[-1]), done[-1])
    not_done = tuple(key for key in changes(course.program) if key not in (*done, *open_))
    is_doubt = outcome == "unknown" and failure.step_id in open_
    remedy = failure.remedy or after_failure(done, "unknown_fate" if is_doubt else failure.code)
    return replace(failure, done=done, not_done=not_done, may_be_done=open_, remedy=remedy)


def _role_of(program: Program, key: str) -> str:
    step = step_of(program, key)
    return step.role if step is not None else ""
