"""After a change whose fate is open: which read of the workflow decides it, and how long it is asked.

A change may have been made although its answer was lost, broken, or a server's error. Where a later step shows what
was asked for (`decides` in the document), the run looks there at once and goes on, or not, by what it finds. A creation
is looked for among the things of its name, where these were listed before; elsewhere only `uncertainty` names a read.
Nothing is sent from here: `interpreter` does, and keeps in `Frame.look` what is known.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from workflow.documents.document import Json
from workflow.documents.scope import Scope
from workflow.json.pointers import parse_pointer
from workflow.programs.program import ProgramStep, WorkflowProgram
from workflow.programs.state import Frame
from workflow.replies.expectations import ExpectationFinding
from workflow.requests.events import Failure
from workflow.running.uncertainty import is_buildable

BEFORE = "before"  # the output of a read that lists the ids of what has the name that a creation is to give
LOOKS = 6
LOOK_EVERY_S = 2.0
LONGEST_LOOK_S = 60.0  # of a state that takes minutes nobody knows so much longer; the run says that it is unknown
# The server knows no such thing, or not this version of HTTP: it has done nothing (RFC 9110, 15.6).
_DONE_NOTHING = frozenset({501, 505})
_TIMED_OUT = 408
# What stands against a request may be met half way (RFC 9110, 15.5.1 and 15.5.10).
MET_ON_THE_WAY = frozenset({400, 409})
# What the server did is to be seen elsewhere, or it wants a login first: they look alike (RFC 9110, 15.4.3 and 15.4.4).
_SEE_ELSEWHERE = frozenset({302, 303})


def leaves_open(status: int) -> bool:
    """Whether an answer of this status to a change leaves open if it was made (RFC 9110, 15.5 and 15.6)."""
    return status == _TIMED_OUT or status in _SEE_ELSEWHERE or (status >= 500 and status not in _DONE_NOTHING)


def deciding_step(flow: WorkflowProgram, frame: Frame, scope: Scope, base_path: str) -> int | None:
    """The number of the nearest later step that decides it and can be asked; None where there is none.

    A further change in between has to be made first, so that what lies behind it decides nothing.
    """
    for number in range(frame.step + 1, len(flow.steps)):
        step = flow.steps[number]
        if step.decides and is_buildable(step, scope, base_path):
            return number
        if not step.is_safe:
            return None
    return None


def telling_step(flow: WorkflowProgram, frame: Frame, scope: Scope, base_path: str) -> int | None:
    """The number of the read that listed, before this creation, what of its name was there; None where none did.

    Asked once more it shows what is new. Another change in between may have made that.
    """
    if flow.steps[frame.step].effect != "create":
        return None
    for number in range(frame.step - 1, -1, -1):
        step = flow.steps[number]
        if any(output.name == BEFORE for output in step.outputs):
            was_read = BEFORE in frame.outputs.get(step.step_id, {})  # a list that was refused has told nothing
            return number if was_read and is_buildable(step, scope, base_path) else None
        if not step.is_safe:
            return None
    return None


def new_since(before: Json, now: Json) -> list[Json]:
    """The ids that were not there before; each is one id or a list of them, None where there was none."""
    known = before if isinstance(before, list) else [before]
    found = now if isinstance(now, list) else [] if now is None else [now]
    return [each for each in found if each not in known]


def change_without_a_trace(flow: WorkflowProgram, frame: Frame, failure: Failure, done: Iterable[str]) -> int | None:
    """The number of the nearest change that was made before a step that lacks a value; None where none was made.

    Its answer was to tell the value (an id, a handle) and was unreadable or did without.
    """
    if failure.code != "missing_value":
        return None
    made = {key.removeprefix(frame.prefix) for key in done}
    numbers = range(frame.step - 1, -1, -1)
    return next((n for n in numbers if not flow.steps[n].is_safe and flow.steps[n].step_id in made), None)


def evidence_in(found: Iterable[ExpectationFinding], doubted: ProgramStep, sent: Json) -> list[ExpectationFinding]:
    """What speaks for a change in doubt, which has `sent` this: that it is seen, or the thing there, or gone.

    By what the thing was found (its name, in an `ensure`) says nothing of an update, nor that nothing is where nothing
    was asked for.
    """
    names = frozenset(_names_in(sent) if doubted.effect == "update" else ())
    return [
        each
        for each in found
        if each.sight in ("seen", "form")
        and not each.is_of_nothing
        and (not each.place or not names or not names.isdisjoint(parse_pointer(each.place)))
    ]


def _names_in(sent: Json) -> Iterator[str]:
    for value in sent.values() if isinstance(sent, Mapping) else sent if isinstance(sent, list) else ():
        yield from _names_in(value)
    yield from sent if isinstance(sent, Mapping) else ()


def looks_of(step: ProgramStep) -> tuple[int, float]:
    """How often the step is asked, and seconds in between: as long as it waits for a change that was answered."""
    waits = [(action.retry_limit, action.retry_after_s) for action in step.on_failure if action.type == "retry"]
    limit, seconds = max(waits, default=(LOOKS, LOOK_EVERY_S), key=lambda wait: wait[0] * wait[1])
    seconds = max(seconds, 0.5)
    return max(LOOKS, min(limit, round(LONGEST_LOOK_S / seconds))), seconds


def begun(step: int, failure: Failure) -> dict[str, Json]:
    """What is known when the look begins. `step`: number of the change; `status` is None where its answer is lost."""
    told = {"code": failure.code, "text": failure.message, "status": failure.status, "said": list(failure.said)}
    return {"step": step, **told, "tries": 0, "has_seen": False, "is_partly_so": False}


def failure_before(key: str, look: Mapping[str, Json]) -> Failure:
    """What the change at `key` had ended with when the look began."""
    return Failure(key, look["code"], look["text"], look["status"], said=tuple(look["said"]))


def as_failure(key: str, look: Mapping[str, Json], found: str) -> Failure:
    """What the change at `key` ended with, after a look in vain."""
    is_known = look["has_seen"] and not look["is_partly_so"] and look["status"] is not None
    code = "not_carried_out" if is_known else look["code"]
    return replace(failure_before(key, look), code=code, message=f"{look['text']}; {found}")


def shown_of(look: Mapping[str, Json]) -> str:
    """What a look in vain showed, as a person reads it."""
    if look["is_partly_so"]:
        return "shows a part of it, and not the rest"
    if look["has_seen"]:
        return "does not show it"
    return "does not tell" if look.get("was_read") else "cannot be read"


def with_try(look: Mapping[str, Json], has_seen: bool, is_partly_so: bool, was_read: bool) -> dict[str, Json]:
    """After one more look; `has_seen`: the device answered it with what there is, `is_partly_so`: with a part of it.

    `was_read`: it was answered, though what it shows may not tell.
    """
    found = {"has_seen": has_seen, "is_partly_so": is_partly_so, "was_read": was_read}
    return {**look, "tries": look["tries"] + 1, **found}
