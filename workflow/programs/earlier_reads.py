"""Which reads before an update show the thing as it was, so that its read-back can be held against them.

Made with the program, from its steps alone, as `known_ids` is: no request is made for it. A step is such a read where
one PATCH or PUT stands between it and a step that reads back what its own address names, and it reads that address too,
or found the thing's id in the list above it; or where both find the thing in one list (an `ensure`). Used by
`program_making`; what is kept of the reply and what follows from it is in `workflow.replies.unasked`.
"""

from collections.abc import Sequence
from dataclasses import replace

from workflow.documents.document import Json
from workflow.documents.path_queries import address_of
from workflow.documents.queries import Query
from workflow.documents.selectors import CompiledSelector, PathQuery
from workflow.documents.values import Selected, Value
from workflow.programs.known_ids import finder_of, source_of
from workflow.programs.program import EarlierRead, ProgramOutput, ProgramStep
from workflow.replies.unasked import is_comparable


def with_earlier_reads(steps: Sequence[ProgramStep], schemas: Json) -> tuple[ProgramStep, ...]:
    """The steps, those that show a thing as it was before with what of it is kept. `schemas`: those of the inputs."""
    found = list(steps)
    for number, back in enumerate(steps):
        change = _only_change(steps, number) if back.role == "read_back" else None
        if change is None or not _is_partial(steps[change]):
            continue
        expects = tuple(each for each in back.expects if is_comparable(each))
        if expects and _address(steps[change]) != _address(back):
            listed = _shown_in_list(steps, change, back)
            if listed is not None:
                n, where = listed
                found[n] = replace(steps[n], keeps=EarlierRead(back.step_id, expects, where, schemas))
            continue
        for n in _before(steps, change) if expects else ():
            is_same = _address(steps[n]) == _address(back)
            thing = None if is_same else _thing(steps, back, steps[n])
            if is_same or thing is not None:
                member = back.which.member if back.which is not None else ""
                about = tuple(each for each in expects if each.place != f"/{member}")
                found[n] = replace(steps[n], keeps=EarlierRead(back.step_id, about, thing, schemas))
    return tuple(found)


def with_compared_reads(steps: Sequence[ProgramStep]) -> tuple[ProgramStep, ...]:
    """The steps; compared is the last read before a change that shows the thing at the change's address, or around it.

    No list is: others change what is in it.
    """
    found = list(steps)
    for number, change in enumerate(steps):
        if change.is_safe or change.workflow_id:
            continue
        nearest = next((n for n in reversed(_before(steps, number)) if _is_around(steps[n], change)), None)
        if nearest is not None:
            found[nearest] = replace(found[nearest], is_compared=True)
    return tuple(found)


def _is_around(read: ProgramStep, change: ProgramStep) -> bool:
    here, there = _address(read), _address(change)
    above, below = (address_of(each.path_template).split("/") for each in (read, change))
    is_one = above[-1].startswith("{") or above == below
    return is_one and read.pages is None and below[: len(above)] == above and set(here[1]) <= set(there[1])


def _shown_in_list(steps: Sequence[ProgramStep], change: int, back: ProgramStep) -> tuple[int, CompiledSelector] | None:
    """The step that found in a list what is changed, where that list is read back, and where the thing stands there."""
    made = finder_of(steps, steps[change])
    if made is None or made[0] not in _before(steps, change) or _address(steps[made[0]]) != _address(back):
        return None
    thing = _holder(made[1])
    return (made[0], thing) if thing is not None else None


def _only_change(steps: Sequence[ProgramStep], back: int) -> int | None:
    """The number of the last step before `back` that changes something."""
    return next((n for n in range(back - 1, -1, -1) if not steps[n].is_safe or steps[n].workflow_id), None)


def _before(steps: Sequence[ProgramStep], change: int) -> range:
    """The numbers of the reads right before the change: behind any other one."""
    other = _only_change(steps, change)
    return range(0 if other is None else other + 1, change)


def _is_partial(change: ProgramStep) -> bool:
    """Whether it may leave members of the thing unsaid: of a PUT that does so, servers empty these or put them back."""
    return change.method in ("PATCH", "PUT") and change.effect == "update"


def _address(step: ProgramStep) -> tuple[str, tuple[tuple[str, Value], ...]]:
    bound = step.request.parameters if step.request is not None else ()
    return step.path_template, tuple((each.name, each.value) for each in bound if each.location == "path")


def _thing(steps: Sequence[ProgramStep], back: ProgramStep, read: ProgramStep) -> CompiledSelector | None:
    """Where the thing stands in the list in which `read` found its id."""
    made = source_of(steps, back) if back.which is not None and back.which.asked.owner == read.step_id else None
    return _holder(made) if made is not None else None


def _holder(made: ProgramOutput) -> CompiledSelector | None:
    """What the output is a member of."""
    if made.transform or not isinstance(made.value, Selected):
        return None
    selection = made.value.selection
    if not isinstance(selection.query, PathQuery) or len(selection.query.query.segments) < 2:
        return None
    holder = Query(selection.query.query.segments[:-1])
    return CompiledSelector(selection.context, PathQuery(holder, selection.query.slots))
