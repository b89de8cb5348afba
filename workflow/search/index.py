"""Which workflows fit a question, the best first: an index in memory, by the words of each workflow.

A word counts by how rare it is and by where it stands: in the name, among the things of the API, in the sentences that
its document says it is asked for with, in descriptions, among the inputs, in what a reply tells. What has more of the
question's ideas, whose name says little else, whose kind is what is wanted (a question is answered by no change) and
what is used daily, stands above the rest. An index grows with the catalog: words of a revision are taken in once. Here
never lives a catalog, a protocol or a right.
"""

import heapq
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from workflow.search.findable import Findable, humps
from workflow.search.question import Idea, SearchQuestion, of_a_name, understood, want_of
from workflow.search.stems import WORD, stems_of
from workflow.search.words import EMPTY

# Name and title, things of the API, sentences, the vendor's summary, description, inputs with their values, what a
# reply tells: found by the tuning half of tests/switchgear/sentences.yaml, an order of weights, not a measurement.
WEIGHTS = (3.0, 2.0, 1.6, 1.6, 1.2, 0.7, 0.9)
_TITLE = 0
_TELLS = len(WEIGHTS) - 1
# Only to them it matters what a reply tells.
_LOOKS = ("know", "look", "name")
# A word that means the same counts a little less than the one that was typed; of verbs, less: to wipe is to delete.
_OTHER, _OTHER_VERB = 0.9, 0.75
# How a workflow's intent fits what is wanted; what is not named: 1.
_FITS: Mapping[str, Mapping[str, float]] = {
    "know": {"find": 1.25, "describe": 1.1, "report": 1.1},
    "look": {"find": 1.25, "describe": 1.1, "report": 1.1},
    "create": {"create": 1.6, "ensure": 1.2, "delete": 0.5},
    "update": {"update": 1.5, "create": 0.7, "delete": 0.4},
    "delete": {"delete": 1.6, "create": 0.4, "update": 0.5, "ensure": 0.4},
    "act": {"create": 0.9, "delete": 0.7},
    "name": {"find": 1.5, "describe": 1.4, "create": 0.9, "update": 0.8, "delete": 0.7},
}
# Words of looking stand in names of changes too ("check the consistency"): there the words decide.
_CHANGE_FOR_A_LOOK = 0.3
# What is wanted is told by a workflow's intent as well as by its words.
_VERB = 0.7
_READ_FOR_A_CHANGE = 0.35
_ALL_FOR_ONE = 0.4
# What a workflow is worth whose name says nothing of what is asked.
_VAGUE = 0.4
_BEST_FIT = max(fits for kinds in _FITS.values() for fits in kinds.values())


@dataclass(frozen=True, slots=True)
class _Postings:
    """Where a stem stands: the places of its workflows, rising, and for each the best field."""

    places: "array[int]"
    fields: "array[int]"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a workflow is weighed by, beside its words. `kind`: what it does, as wishes are called; `says`: how many
    telling stems its name has."""

    tool: str
    api: str
    risk: str
    is_read: bool
    kind: str
    says: int
    is_of_all: bool
    weight: float


class Index:
    """Many workflows, ready to be searched. What is taken out leaves its place empty until the index is made anew."""

    def __init__(self, found: Iterable[Findable] = ()) -> None:
        self._kept: list[_Facts | None] = []
        self._postings: dict[str, _Postings] = {}
        self._places: dict[Findable, int] = {}
        self._counts: Counter[str] = Counter()  # of each API
        self._verbs: set[tuple[str, ...]] = set()  # with which names of changes begin
        # No workflow is better than its words by more than this.
        self._most_manner = 0.0
        self.take_in(found)

    @property
    def is_hollow(self) -> bool:
        """Whether most of it is empty, so that it had better be made anew."""
        return len(self._places) < len(self._kept) / 2

    def hold(self, found: Iterable[Findable]) -> "Index":
        """An index of just these: this one brought up to date, or a new one where too much of it is empty."""
        wanted = dict.fromkeys(found)
        if len(wanted) < len(self._kept) / 2:
            return Index(wanted)
        self.take_out([each for each in self._places if each not in wanted])
        self.take_in(each for each in wanted if each not in self._places)
        return self

    def take_out(self, found: Iterable[Findable]) -> None:
        for gone in found:
            self._kept[self._places.pop(gone)] = None
            self._counts[gone.kind.api] -= 1

    def take_in(self, found: Iterable[Findable]) -> None:
        for each in found:
            self._take(each)

    def _take(self, one: Findable) -> None:
        place = len(self._kept)
        best: dict[str, int] = {}
        for number, text in reversed([*enumerate(one.fields)]):
            best |= dict.fromkeys(_stems(text), number)
        for stem, number in best.items():
            postings = self._postings.setdefault(stem, _Postings(array("l"), array("b")))
            postings.places.append(place)
            postings.fields.append(number)
        first, _, rest = one.name.partition("_")
        kind = want_of(first) if one.kind.intent == "act" else one.kind.intent
        said = frozenset(_telling(one.name if kind == "act" else rest))
        said = said - frozenset(_stems(one.kind.api)) or said
        if not one.kind.is_read:
            self._verbs.add(tuple(_stems(first)))
        weight, is_read = 1 + one.rank / 2, one.kind.is_read
        facts = _Facts(one.tool, one.kind.api, one.kind.risk, is_read, kind, len(said), "all" in said, weight)
        self._kept.append(facts)
        self._most_manner = max(self._most_manner, (weight * 2 - 1) * _BEST_FIT)
        self._places[one] = place
        self._counts[one.kind.api] += 1

    def search(self, text: str, *, api: str | None = None, risk: str | None = None) -> list[str]:
        """The names of the tools of all that match, the best first."""
        return self.best(text, api=api, risk=risk)[0]

    def best(
        self, text: str, *, most: int | None = None, api: str | None = None, risk: str | None = None
    ) -> tuple[list[str], int]:
        """The names of the tools that match best, at most so many, and how many match."""
        question = understood(text)
        if question.wants == "act" and not self._wants_a_change(question):
            question = replace(question, wants="name")
        scores, named, weighed = self._scored(question, api)
        fitting = [place for place in scores if self._fits(place, api, risk)]
        if question.wants == "know" and any(self._is_read(place) for place in fitting):
            fitting = [place for place in fitting if self._is_read(place)]
        by_words = sorted(((scores[place], place) for place in fitting), reverse=True)
        ranked: list[tuple[float, str]] = []
        bars: list[float] = []  # the ranks of the best of them, the least first
        for score, place in by_words:
            worth = score * (score / weighed if weighed else 1.0)
            if len(bars) == most and worth * self._most_manner < bars[0]:
                break  # neither this one nor any that says less of what is asked comes before those
            facts = self._kept[place]
            assert facts is not None
            rank = worth * _manner(facts, named.get(place, 0), question)
            ranked.append((-rank, facts.tool))
            if most is not None:
                (heapq.heappush if len(bars) < most else heapq.heappushpop)(bars, rank)
        return [name for _, name in sorted(ranked)[:most]], len(fitting)

    def _wants_a_change(self, question: SearchQuestion) -> bool:
        """Whether it begins with a verb: one by which some change here is called, or one by what stands behind it. "Fan
        speed" wants none."""
        first = question.ideas[0] if question.ideas else Idea(())
        is_called = any(phrase[:1] in self._verbs for phrase in (first.said, *first.others))
        return question.is_order or first.is_verb or is_called

    def _scored(self, question: SearchQuestion, api: str | None) -> tuple[dict[int, float], dict[int, int], float]:
        """How much of what is asked each one says, how many words of its title do, verbs left out, and the most. A word
        is rare or not among the workflows of `api`, where one is given."""
        scores: dict[int, float] = {}
        named: dict[int, int] = {}
        weighed = 0.0
        count = len(self._places) if api is None else self._counts[api]
        least = len(WEIGHTS) if question.wants in _LOOKS else _TELLS
        for idea in question.ideas:
            found = self._matching(idea, least)
            name = None if found else of_a_name(idea)
            if name is not None:
                idea, found = name, self._matching(name, least)
            if api is not None:
                found = {place: hit for place, hit in found.items() if self._fits(place, api, None)}
            rarity = math.log(1 + count / (1 + len(found))) if found else 0.0
            rarity *= idea.share * (_VERB if idea.is_verb else 1.0)
            weighed += rarity
            for place, (worth, in_title) in found.items():
                scores[place] = scores.get(place, 0.0) + worth * rarity
                if in_title and not idea.is_verb:
                    named[place] = named.get(place, 0) + in_title
        return scores, named, weighed

    def _fits(self, place: int, api: str | None, risk: str | None) -> bool:
        one = self._kept[place]
        return one is not None and api in (None, one.api) and risk in (None, one.risk)

    def _is_read(self, place: int) -> bool:
        one = self._kept[place]
        return one is not None and one.is_read

    def _matching(self, idea: Idea, least: int) -> dict[int, tuple[float, int]]:
        """Each workflow that has the idea: its worth by the best word and field, and how many words of its title that
        are."""
        best: dict[int, tuple[float, int]] = {}
        other = _OTHER_VERB if idea.is_verb else _OTHER
        for phrase in (idea.said, *idea.others):
            factor = 1.0 if phrase == idea.said else other
            hits = [(factor * weight, 0) for weight in WEIGHTS]
            hits[_TITLE] = (factor * WEIGHTS[_TITLE], len(phrase))
            for place, field in self._having(phrase):
                hit = hits[field]
                if field < least and (place not in best or hit[0] > best[place][0]):
                    best[place] = hit
        return best

    def _having(self, phrase: tuple[str, ...]) -> Iterable[tuple[int, int]]:
        """The places that have every word of the phrase, with the field of the one that tells least."""
        first, *others = (self._postings.get(stem) for stem in phrase)
        if first is None or None in others:
            return ()
        if not others:
            return zip(first.places, first.fields, strict=True)
        found = dict(zip(first.places, first.fields, strict=True))
        for postings in others:
            assert postings is not None
            mine = dict(zip(postings.places, postings.fields, strict=True))
            found = {place: max(field, mine[place]) for place, field in found.items() if place in mine}
        return found.items()


def _manner(one: _Facts, named: int, question: SearchQuestion) -> float:
    """By what a workflow is better than another with the same words."""
    wants, wants_all = question.wants, question.wants_all
    precise = min(1.0, (named + (one.is_of_all and wants_all)) / (one.says or 1))
    if wants in ("know", "look"):
        fits = 1.0 if one.is_read else _CHANGE_FOR_A_LOOK
    else:
        fits = _READ_FOR_A_CHANGE if one.is_read and wants != "name" else 1.0
    fits *= _FITS[wants].get(one.kind, 1.0)
    if one.is_of_all is not wants_all and not one.is_read:
        fits *= _ALL_FOR_ONE
    # Of what is told of many things, that of the main thing is meant.
    weight = one.weight if named else one.weight * 2 - 1
    return (_VAGUE + (1 - _VAGUE) * precise) * weight * fits


def _stems(text: str) -> Iterable[str]:
    return stems_of(WORD.findall(text.lower())).values()


def _telling(words: str) -> Iterable[str]:
    """The stems of those that say something."""
    each = WORD.findall(humps(words).lower())
    return stems_of(word for word in each if word not in EMPTY or word == "all").values()
