"""What makes one workflow better than another with the same words: its kind, how precise its name is, its rank.

Workflows of one kind (what they do, whether they only read, whether of all things) fit a question alike, so that is
found once a question. Pure. Called by `index`, which knows the words; here never lives a posting.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from workflow.search.findable import Findable, humps
from workflow.search.question import SearchQuestion
from workflow.search.stems import WORD, stems_of
from workflow.search.wishes import want_of
from workflow.search.words import EMPTY, FORMATS, LIGHT, TRYING

# How a workflow's intent fits what is wanted; what is not named: 1.
_FITS: Mapping[str, Mapping[str, float]] = {
    "know": {"find": 1.25, "describe": 1.1, "report": 1.1},
    "look": {"find": 1.25, "describe": 1.1, "report": 1.1},
    "create": {"create": 1.6, "ensure": 1.2, "update": 1.2, "delete": 0.5},
    "update": {"update": 1.5, "create": 0.7, "delete": 0.4},
    "delete": {"delete": 1.6, "create": 0.4, "update": 0.5, "ensure": 0.4},
    "set": {"update": 1.4, "create": 1.3, "ensure": 1.1, "delete": 0.5},
    "act": {"create": 0.9, "delete": 0.7},
    "name": {"find": 1.5, "describe": 1.4, "report": 1.3, "create": 0.9, "update": 0.8, "delete": 0.7},
}
# Words of looking stand in names of changes too ("check the consistency"): there the words decide.
_CHANGE_FOR_A_LOOK = 0.3
_READ_FOR_A_CHANGE = 0.35
_ALL_FOR_ONE = 0.5
# Of several things a list is wanted, not one of them.
_ONE_FOR_MANY = 0.9
# To take something out nothing is made; what is put in for good is taken out by removing it.
_FITS_UNDOING = {"create": 0.5, "ensure": 0.5, "delete": 1.0}
# Who says nothing of a trial wants none.
_TRIAL_UNASKED = 0.6
# Who only names a thing wants no change of what is called otherwise.
_BESIDE = 0.7
# What does more at once than is asked.
_MORE_UNASKED = 0.8
_SAYS_NOTHING = EMPTY | FORMATS
_JOINING = frozenset(("and", "with"))
# What a workflow is worth whose name says nothing of what is asked.
_VAGUE = 0.4


@dataclass(frozen=True, slots=True)
class Kind:
    """`does`: what it does, as wishes are called; `is_trial`: it only tries."""

    is_read: bool
    does: str
    is_of_all: bool
    is_trial: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What a workflow is weighed by, beside its words. `says`: how many telling stems its name has."""

    tool: str
    kind: Kind
    says: int
    weight: float
    does_several: bool = False


def facts_of(one: Findable) -> Facts:
    first, _, rest = one.name.partition("_")
    does = one.kind.intent
    if does == "act":
        does = want_of(rest.partition("_")[0] if first in LIGHT else first)
    said = frozenset(telling(one.name if does == "act" else rest))
    said = said - frozenset(_stems(one.kind.api)) or said
    is_trial = not TRYING.isdisjoint(one.name.split("_"))
    does_several = not one.kind.is_read and not _JOINING.isdisjoint(one.name.split("_"))
    kind = Kind(one.kind.is_read, does, "all" in said, is_trial)
    return Facts(one.tool, kind, len(said), 1 + one.rank / 2, does_several)


def most_of(one: Facts) -> tuple[float, float]:
    """What is at most worth: with words of its title asked for, and with none."""
    vague = _VAGUE + (1 - _VAGUE) * min(1.0, one.kind.is_of_all / (one.says or 1))
    return one.weight, (one.weight * 2 - 1) * vague


def best_fit(question: SearchQuestion) -> float:
    """No kind fits the question better."""
    return max(1.0, *_FITS[question.wants].values())


def fit(kind: Kind, question: SearchQuestion) -> float:
    """How well workflows of this kind fit what is asked."""
    wants = question.wants
    if wants in ("know", "look"):
        fits = 1.0 if kind.is_read else _CHANGE_FOR_A_LOOK
        fits *= _ONE_FOR_MANY if question.asks_many and kind.does == "describe" else 1.0
    else:
        fits = _READ_FOR_A_CHANGE if kind.is_read and wants != "name" else 1.0
    undone = _FITS_UNDOING.get(kind.does) if question.undoes else None
    fits *= _FITS[wants].get(kind.does, 1.0) if undone is None else undone
    if kind.is_of_all is not question.wants_all and not kind.is_read:
        fits *= _ALL_FOR_ONE
    return fits * _TRIAL_UNASKED if kind.is_trial and not question.is_of_a_trial else fits


def manner(one: Facts, named: int, question: SearchQuestion) -> float:
    """By what a workflow is better than another with the same words and of the same fit; at most `most_of` it. `named`:
    how many words of its title are asked for, verbs left out."""
    precise = min(1.0, (named + (one.kind.is_of_all and question.wants_all)) / (one.says or 1))
    # Of what is told of many things, that of the main thing is meant.
    weight = one.weight if named else one.weight * 2 - 1
    is_beside = question.wants == "name" and not (named or one.kind.is_read)
    unasked = (_BESIDE if is_beside else 1.0) * (_MORE_UNASKED if one.does_several and precise < 1 else 1.0)
    return (_VAGUE + (1 - _VAGUE) * precise) * weight * unasked


def telling(words: str) -> tuple[str, ...]:
    """The stems of those that say something."""
    each = WORD.findall(humps(words).lower())
    return tuple(stems_of(word for word in each if word == "all" or word not in _SAYS_NOTHING).values())


def _stems(text: str) -> tuple[str, ...]:
    return tuple(stems_of(WORD.findall(text.lower())).values())
