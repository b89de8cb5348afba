"""Which steps have certainly succeeded before a given one, on whatever path the run came.

The paths are walked with what is known on them: a criterion that reads only inputs and outputs of finished steps is
the same wherever it stands, so that a second branch on it follows the first (`job != null` here, `job == null` nowhere
after). Pure; called by `uses`. Retries of a step through another one come back, so that they make nothing sure.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from workflow.documents.conditions import Condition
from workflow.documents.criteria import CompiledCriterion
from workflow.programs.program import ProgramAction, ProgramStep, WorkflowProgram

Made = frozenset[str]
Facts = frozenset[tuple[str, bool]]  # a condition's text, and whether it holds
_PLACES = 2_000  # distinct places walked through with all that is known; beyond that, see `_on_edges`


@dataclass(frozen=True, slots=True)
class _Place:
    """A step about to be entered, on some path."""

    step: int
    made: Made = frozenset()
    facts: Facts = frozenset()


def made_before(program: WorkflowProgram) -> tuple[Made, ...]:
    """For each step, by number, the ids of the steps that have succeeded on every path to it.

    Of a step that cannot be reached everything is said to be made.
    """
    made = _on_paths(program) or _on_edges(program)
    for number, step in enumerate(program.steps):
        for target in _detours(step, number):
            made[target] &= made[number]
    return tuple(made)


def _everything(program: WorkflowProgram) -> list[Made]:
    everything: Made = frozenset(step.step_id for step in program.steps)
    return [everything] * len(program.steps)


def _on_paths(program: WorkflowProgram) -> list[Made] | None:
    """By walking the paths; None where there are too many."""
    made = _everything(program)
    seen = {_Place(0)}
    waiting = [_Place(0)]
    while waiting:
        place = waiting.pop()
        made[place.step] &= place.made
        for following in _following(program, place):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
        if len(seen) > _PLACES:
            return None
    return made


def _on_edges(program: WorkflowProgram) -> list[Made]:
    """By narrowing step by step, with nothing known of conditions: never more is said to be made than on the paths."""
    made = _everything(program)
    made[0] = frozenset()
    waiting = list(range(len(program.steps)))
    while waiting:
        number = waiting.pop()
        for following in _following(program, _Place(number, made[number])):
            if not made[following.step] <= following.made:
                made[following.step] &= following.made
                waiting.append(following.step)
    return made


def _detours(step: ProgramStep, number: int) -> Iterator[int]:
    """The steps that are entered between two attempts; they see what this one sees."""
    for action in step.on_failure:
        if action.type == "retry" and action.step is not None and action.step != number:
            yield action.step


def _following(program: WorkflowProgram, place: _Place) -> Iterator[_Place]:
    """Where a run can go on from a place: after the step's success, and after its failure."""
    step = program.steps[place.step]
    known = frozenset(fact for fact in place.facts if f"$steps.{step.step_id}.outputs." not in fact[0])
    made = place.made | {step.step_id}
    is_decided, facts = yield from _taken(step.on_success, known, made)
    if not is_decided and place.step + 1 < len(program.steps):
        yield _Place(place.step + 1, made, facts)
    yield from _taken(step.on_failure, known, place.made)


def _taken(actions: tuple[ProgramAction, ...], facts: Facts, made: Made) -> Generator[_Place, None, tuple[bool, Facts]]:
    """The targets of the gotos that can be taken, in order.

    Returns whether one of the actions surely is taken, and what is known if none is.
    """
    for action in actions:
        truths = [_truth(criterion, facts) for criterion in action.criteria]
        if False in truths:
            continue
        if action.type == "goto" and action.step is not None:
            yield _Place(action.step, made, facts | {(text, True) for text in _stable(action.criteria)})
        if action.type == "retry" or action.limit is not None:
            continue  # it may be used up
        if all(truth is True for truth in truths):
            return True, facts
        if len(truths) == 1:
            facts |= {(text, False) for text in _stable(action.criteria)}
    return False, facts


def _truth(criterion: CompiledCriterion, facts: Facts) -> bool | None:
    """What is known of a criterion; None for nothing."""
    for holds in (True, False):
        if isinstance(criterion, Condition) and (criterion.text, holds) in facts:
            return holds
    return None


def _stable(criteria: tuple[CompiledCriterion, ...]) -> Iterator[str]:
    """The texts of the conditions whose truth stays as it is until one of their steps runs again."""
    for criterion in criteria:
        if isinstance(criterion, Condition) and all(each.root in ("inputs", "steps") for each in criterion.expressions):
            yield criterion.text
