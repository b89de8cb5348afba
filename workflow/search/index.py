"""Which workflows fit a question, the best first: an index in memory, by the words of each workflow.

A word counts by how rare it is and by where it stands: in the name, among the things of the API, in the sentences that
its document says it is asked for with, in descriptions, among the inputs, in what a reply tells. What has more of the
question's ideas, whose name says little else, whose kind is what is wanted (a question is answered by no change) and
what is used daily, stands above the rest. An index grows with the catalog: words of a revision are taken in once. Here
never lives a catalog, a protocol or a right.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from workflow.search.findable import Findable, humps
from workflow.search.postings import Hit, Hits, Postings, best_hits
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
    "name": {"find": 1.5, "describe": 1.4, "report": 1.3, "create": 0.9, "update": 0.8, "delete": 0.7},
}
# Words of looking stand in names of changes too ("check the consistency"): there the words decide.
_CHANGE_FOR_A_LOOK = 0.3
# What is wanted is told by a workflow's intent as well as by its words.
_VERB = 0.7
_READ_FOR_A_CHANGE = 0.35
_ALL_FOR_ONE = 0.4
# What a workflow is worth whose name says nothing of what is asked.
_VAGUE = 0.4
# Who has none of the rarer ideas has at most this share of all: then few of them can be among the best.
_OF_MOST = 0.45
_COMMON, _MOST_KNOWN = 200, 128


@dataclass(frozen=True, slots=True)
class _Matches:
    """The workflows that have an idea; `rarity`: what it counts, `most`: no workflow has more of it."""

    hits: Mapping[int, Hit]
    rarity: float
    is_verb: bool
    most: float


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
        self._postings = Postings(len(WEIGHTS))
        self._places: dict[Findable, int] = {}
        self._of_api: dict[str, set[int]] = {}
        self._of_risk: dict[str, set[int]] = {}
        self._gone: set[int] = set()
        # What is common is looked up again and again, and is what takes longest; until the catalog is another one.
        self._known: dict[object, Hits] = {}
        self._verbs: set[tuple[str, ...]] = set()  # with which names of changes begin
        # No workflow is better than its words by more than this.
        self._most_manner = 0.0
        self._most_vague = 0.0  # where no word of its title is asked for
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
            place = self._places.pop(gone)
            self._kept[place] = None
            self._gone.add(place)
            self._of_api[gone.kind.api].discard(place)
            self._of_risk[gone.kind.risk].discard(place)

    def take_in(self, found: Iterable[Findable]) -> None:
        for each in found:
            self._take(each)

    def _take(self, one: Findable) -> None:
        self._known.clear()
        place = len(self._kept)
        best: dict[str, int] = {}
        for number, text in reversed([*enumerate(one.fields)]):
            best |= dict.fromkeys(_stems(text), number)
        self._postings.add(place, best.items())
        first, _, rest = one.name.partition("_")
        kind = want_of(first) if one.kind.intent == "act" else one.kind.intent
        said = frozenset(_telling(one.name if kind == "act" else rest))
        said = said - frozenset(_stems(one.kind.api)) or said
        if not one.kind.is_read:
            self._verbs.add(tuple(_stems(first)))
        weight, is_read = 1 + one.rank / 2, one.kind.is_read
        facts = _Facts(one.tool, one.kind.api, one.kind.risk, is_read, kind, len(said), "all" in said, weight)
        self._kept.append(facts)
        vague = _VAGUE + (1 - _VAGUE) * facts.is_of_all / (facts.says or 1)
        self._most_manner = max(self._most_manner, weight * 2 - 1)
        self._most_vague = max(self._most_vague, (weight * 2 - 1) * vague)
        self._places[one] = place
        self._of_api.setdefault(one.kind.api, set()).add(place)
        self._of_risk.setdefault(one.kind.risk, set()).add(place)

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
        matches = self._matches(question, api)
        fitting = self._fitting(matches, question, risk)
        ranked = self._ranked(question, matches, fitting, most)
        return [name for _, name in sorted(ranked)[:most]], len(fitting)

    def _fitting(self, matches: Sequence[_Matches], question: SearchQuestion, risk: str | None) -> set[int]:
        """All that have an idea of what is asked and may be meant."""
        fitting = set().union(*(each.hits for each in matches)) - self._gone
        if risk is not None:
            fitting &= self._of_risk.get(risk, set())
        reads = fitting & self._of_risk.get("read", set()) if question.wants == "know" else set()
        return reads or fitting

    def _ranked(
        self, question: SearchQuestion, matches: Sequence[_Matches], fitting: set[int], most: int | None
    ) -> list[tuple[float, str]]:
        """All of which `most` may be the best, each with its rank, the best the least: first those that have one of the
        rarer ideas, then of the others those that may come before."""
        if most is None:
            return self._weighed(question, matches, fitting, most)
        common = sorted(matches, key=lambda each: len(each.hits))
        rarer: set[int] = set()
        least = _OF_MOST * sum(each.most for each in common)
        while common and (len(rarer) < most or sum(each.most for each in common) > least):
            rarer |= fitting.intersection(common.pop(0).hits)
        ranked = sorted(self._weighed(question, matches, rarer, most))
        bar = -ranked[most - 1][0] if len(ranked) >= most else 0.0
        manner = self._most_vague if all(each.is_verb for each in common) else self._most_manner
        enough = math.sqrt(bar * (sum(each.rarity for each in matches) or 1.0) / (manner * _best_fit(question) or 1.0))
        if sum(each.most for each in common) < enough:
            return ranked
        others = {place for place, score in _scores(common, fitting - rarer).items() if score >= enough}
        return [*ranked, *self._weighed(question, matches, others, most, bar)]

    def _weighed(
        self,
        question: SearchQuestion,
        matches: Sequence[_Matches],
        places: set[int],
        most: int | None,
        bar: float = 0.0,
    ) -> list[tuple[float, str]]:
        """The best of the places whose ranks are not below the bar."""
        weighed = sum(each.rarity for each in matches)
        best_manner = self._most_manner * _best_fit(question)
        by_words = sorted(((score, place) for place, score in _scores(matches, places).items()), reverse=True)
        ranked: list[tuple[float, str]] = []
        bars: list[float] = []  # the ranks of the best of them, the least first
        for score, place in by_words:
            worth = score * (score / weighed if weighed else 1.0)
            if worth * best_manner < (max(bar, bars[0]) if len(bars) == most else bar):
                break  # neither this one nor any that says less of what is asked comes before those
            facts = self._kept[place]
            assert facts is not None
            rank = worth * _manner(facts, _named(matches, place), question)
            ranked.append((-rank, facts.tool))
            if most is not None:
                (heapq.heappush if len(bars) < most else heapq.heappushpop)(bars, rank)
        return ranked

    def _wants_a_change(self, question: SearchQuestion) -> bool:
        """Whether it begins with a verb: one by which some change here is called, or one by what stands behind it. "Fan
        speed" wants none."""
        first = question.ideas[0] if question.ideas else Idea(())
        is_called = any(phrase[:1] in self._verbs for phrase in (first.said, *first.others))
        return question.is_order or first.is_verb or is_called

    def _matches(self, question: SearchQuestion, api: str | None) -> list[_Matches]:
        """What has which idea. A word is rare or not among the workflows of `api`, where one is given."""
        of_api = None if api is None else self._of_api.get(api, set())
        count = len(self._places) if of_api is None else len(of_api)
        least = len(WEIGHTS) if question.wants in _LOOKS else _TELLS
        found = []
        for said in question.ideas:
            idea, hits = said, self._hits(said, least)
            name = None if hits.of else of_a_name(said)
            if name is not None:
                idea, hits = name, self._hits(name, least)
            of = hits.of if of_api is None else {place: hits.of[place] for place in of_api.intersection(hits.of)}
            rarity = math.log(1 + count / (1 + len(of))) if of else 0.0
            rarity *= idea.share * (_VERB if idea.is_verb else 1.0)
            found.append(_Matches(of, rarity, idea.is_verb, rarity * hits.best))
        return found

    def _hits(self, idea: Idea, least: int) -> Hits:
        """Each workflow that has the idea in one of the fields before `least`."""
        key = (idea.said, idea.others, idea.is_verb, least)
        known = self._known.get(key)
        if known is not None:
            return known
        found: list[tuple[Hit, Sequence[int]]] = []
        other = _OTHER_VERB if idea.is_verb else _OTHER
        for phrase in (idea.said, *idea.others):
            factor = 1.0 if phrase == idea.said else other
            for field, places in self._postings.having(phrase):
                if field < least:
                    found.append(((factor * WEIGHTS[field], len(phrase) if field == _TITLE else 0), places))
        hits = best_hits(found)
        if len(hits.of) > _COMMON:
            while len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[key] = hits
        return hits


def _best_fit(question: SearchQuestion) -> float:
    return max(1.0, *_FITS[question.wants].values())


def _scores(matches: Iterable[_Matches], places: set[int]) -> dict[int, float]:
    """How much of what is asked each of the places says."""
    scores = dict.fromkeys(places, 0.0)
    for each in matches:
        hits, rarity = each.hits, each.rarity
        for place in places.intersection(hits):
            scores[place] += hits[place][0] * rarity
    return scores


def _named(matches: Iterable[_Matches], place: int) -> int:
    """How many words of its title are asked for, verbs left out."""
    return sum(each.hits[place][1] for each in matches if not each.is_verb and place in each.hits)


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
