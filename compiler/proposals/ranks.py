"""Which workflows are done more often: asked of neighbours alone, so that no answer moves one far.

Two rounds over the order that the planner gave, near the end of the default catalog, where it matters: in each, who
stands side by side may change places. No workflow moves by more than two places; what disrupts or destroys is never
lifted; what a person has pinned is not asked about. The ranks stay what they are and change hands. First a model is
asked what everybody knows, the first workflows against the last; whoever is wrong about that is asked no more. Pure but
for the asking. Called by `compiler.proposing` when workflows are proved.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from compiler.ir.model import Flow
from compiler.proposer.proposer import Asker
from compiler.proposer.question import ModelAnswer, Question, QuestionKind, fault_of, misled, without_information
from compiler.proposer.record import RecordedAnswer
from compiler.proposer.wording import clean
from workflow.risks import Risk

MOST_PLACES = 2
_ABOUT_THE_END = 12  # places before and behind the end of the catalog
_KNOWN = 4  # by chance, one in sixteen is right about all of them
_LEAST_TO_KNOW = 12
_DANGEROUS = (Risk.DISRUPT, Risk.DESTROY)


@dataclass(frozen=True, slots=True)
class Ranked:
    """`ranks` by the flow's id, for those that have another one now."""

    ranks: Mapping[str, float]
    entries: tuple[RecordedAnswer, ...]


def ranked(flows: Sequence[Flow], pins: Collection[str], asker: Asker) -> Ranked:
    """The ranks after asking; as they were where the answers tell nothing together. `flows`: with `is_core` known."""
    before = sorted((flow for flow in flows if flow.id not in pins), key=lambda flow: (-flow.rank, flow.id))
    end = sum(flow.is_core for flow in before)
    known = known_of(before)
    order, answers = list(before), asker.ask(known)
    nothing = misled(answers, known)
    for number in range(MOST_PLACES if not nothing else 0):
        answers += asker.ask(_between_neighbours(order, number % 2, end))
        nothing = without_information(answers)
        if nothing:
            break
        order = _moved(order, answers)
    entries = tuple(RecordedAnswer(one, nothing or fault_of(one)) for one in answers)
    if nothing:
        return Ranked({}, entries)
    moved = {flow.id: old.rank for flow, old in zip(order, before, strict=True) if flow.rank != old.rank}
    return Ranked(moved, entries)


def known_of(order: Sequence[Flow]) -> list[Question]:
    """The first against the last of those that harm nobody: of an API with enough of them to be sure."""
    tame = [flow for flow in order if flow.risk not in _DANGEROUS]
    if len(tame) < _LEAST_TO_KNOW:
        return []
    pairs = [pair for at in range(_KNOWN) if _may_swap(*(pair := (tame[at], tame[-1 - at])))]
    turned = [pair if at % 2 else pair[::-1] for at, pair in enumerate(pairs)]  # not always the first is right
    asked = zip(pairs, turned, strict=True)
    return [replace(_question(*two), expected=clean(first.title, 80)) for (first, _), two in asked]


def _between_neighbours(order: Sequence[Flow], first: int, end: int) -> list[Question]:
    """Those nearest the end of the catalog first."""
    near = range(max(0, end - _ABOUT_THE_END), min(len(order) - 1, end + _ABOUT_THE_END))
    pairs = [(order[at], order[at + 1]) for at in near if at % 2 == first]
    asked = [_question(*pair) for pair in pairs if _may_swap(*pair)]
    places = {flow.id: at for at, flow in enumerate(order)}
    return sorted(asked, key=lambda one: abs(places[one.subject.partition("|")[0]] - end))


def _may_swap(upper: Flow, lower: Flow) -> bool:
    return lower.risk not in _DANGEROUS and clean(upper.title, 80) != clean(lower.title, 80)


def _question(upper: Flow, lower: Flow) -> Question:
    options = (clean(upper.title, 80), clean(lower.title, 80))
    return Question(QuestionKind.RANK, f"{upper.id}|{lower.id}", {}, options)


def _moved(order: Sequence[Flow], answers: Sequence[ModelAnswer]) -> list[Flow]:
    """The order with neighbours swapped where the lower one is done more often."""
    lifted = {one.subject for one in answers if one.agreed and one.agreed == one.options[-1]}
    moved = list(order)
    at = 0
    while at + 1 < len(moved):
        if f"{moved[at].id}|{moved[at + 1].id}" in lifted:
            moved[at], moved[at + 1] = moved[at + 1], moved[at]
            at += 1
        at += 1
    return moved
