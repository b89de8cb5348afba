"""The best of what an index found: scores by the words, then by what a workflow is worth (`worth`).

Of thousands only those are weighed that can be among the best: first those that have one of the rarer ideas, and of
these the ones whose words and kind promise most. Pure; called by `index`, which knows what stands where.
"""

import heapq
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from workflow.search.question import SearchQuestion
from workflow.search.worth import Facts, Kind, best_fit, fit, manner, most_of

# Who has none of the rarer ideas has at most this share of all: then few of them can be among the best.
_OF_MOST = 0.45
# Of more a few are weighed first, so that most others need not be.
_MANY = 300
# What is reckoned in another order differs in the last digit.
_NEARLY = 1 - 1e-9
Ranked = list[tuple[float, str]]
"""Tools by their ranks, negated: the best is the least."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The workflows that have an idea, each with what it has of it. `titled`: how many words of its title that are;
    `rarity`: what the idea counts; `most`: no workflow has more of it."""

    of: Mapping[int, float]
    titled: Mapping[int, int]
    rarity: float
    most: float
    is_verb: bool


class Shelf:
    """What is weighed, by place. What is gone leaves its place empty. `kinds`: their numbers; `mosts`, `vagues`: what
    is at most worth, with words of its title asked for and with none; `most`, `most_vague`: no other is worth more."""

    def __init__(self) -> None:
        self.facts: list[Facts | None] = []
        self.kinds: list[int] = []
        self.mosts: list[float] = []
        self.vagues: list[float] = []
        self.numbers: dict[Kind, int] = {}
        self.most, self.most_vague = 0.0, 0.0

    def add(self, one: Facts) -> None:
        most, vague = most_of(one)
        self.facts.append(one)
        self.kinds.append(self.numbers.setdefault(one.kind, len(self.numbers)))
        self.mosts.append(most)
        self.vagues.append(vague)
        self.most, self.most_vague = max(self.most, most, vague), max(self.most_vague, vague)


def ranked(
    shelf: Shelf, question: SearchQuestion, matches: Sequence[Matches], fitting: set[int], most: int | None
) -> Ranked:
    """Of the places that fit all of which `most` may be the best, and maybe others, in no order; of None, all."""
    weighing = _Weighing(shelf, question, matches)
    if most is None:
        return weighing.all_of(fitting)
    common = sorted(matches, key=lambda each: len(each.of))
    rarer: set[int] = set()
    least = _OF_MOST * sum(each.most for each in common)
    while common and (len(rarer) < most or sum(each.most for each in common) > least):
        rarer |= fitting.intersection(common.pop(0).of)
    best = weighing.best_of(matches, rarer, most)
    bar = -best[most - 1][0] if len(best) >= most else 0.0
    manner_of_common = shelf.most_vague if all(each.is_verb for each in common) else shelf.most
    enough = math.sqrt(bar * weighing.weighed / (manner_of_common * best_fit(question) or 1.0))
    if sum(each.most for each in common) < enough:
        return best
    return [*best, *weighing.best_of(common, fitting - rarer, most, bar)]


class _Weighing:
    """Of one question."""

    def __init__(self, shelf: Shelf, question: SearchQuestion, matches: Sequence[Matches]) -> None:
        self._shelf, self._question, self._matches = shelf, question, matches
        self._fits = [fit(kind, question) for kind in shelf.numbers]
        self._named_at: set[int] = set().union(*(each.titled for each in matches if not each.is_verb))
        self.weighed = sum(each.rarity for each in matches) or 1.0

    def all_of(self, places: set[int]) -> Ranked:
        return [self._weigh(place, score) for place, score in _scores(self._matches, places).items()]

    def best_of(self, matches: Sequence[Matches], places: set[int], most: int, bar: float = 0.0) -> Ranked:
        """Those that may be among the best, sorted; `matches`: all ideas that any of the places has."""
        scores = _scores(matches, places)
        if len(scores) > max(
            _MANY, most
        ):  # of those that say most of it most others are worth less, at whatever they promise
            sample = heapq.nlargest(most, scores, key=scores.__getitem__)
            worst = max(self._weigh(place, scores[place])[0] for place in sample)
            bar = max(bar, -worst)
        promised = self._promised(scores, bar)
        first = heapq.nlargest(most, promised)
        found = sorted(self._weigh(place, scores[place]) for _, place in first)
        bar = max(bar, -found[most - 1][0]) if len(found) >= most else bar
        weighed = {place for _, place in first}
        rest = (place for promise, place in promised if promise >= bar * _NEARLY and place not in weighed)
        return sorted((*found, *(self._weigh(place, scores[place]) for place in rest)))

    def _promised(self, scores: Mapping[int, float], bar: float) -> list[tuple[float, int]]:
        """What each is at most worth, of those that come up to the bar."""
        fits, kinds, named = self._fits, self._shelf.kinds, self._named_at
        mosts, vagues, weighed = self._shelf.mosts, self._shelf.vagues, self.weighed
        enough = math.sqrt(bar * weighed / (self._shelf.most * best_fit(self._question) or 1.0)) * _NEARLY
        return [
            (score * score / weighed * fits[kinds[place]] * (mosts if place in named else vagues)[place], place)
            for place, score in scores.items()
            if score >= enough
        ]

    def _weigh(self, place: int, score: float) -> tuple[float, str]:
        facts = self._shelf.facts[place]
        assert facts is not None
        worth = score * score / self.weighed * self._fits[self._shelf.kinds[place]]
        return -worth * manner(facts, self._named(place), self._question), facts.tool

    def _named(self, place: int) -> int:
        """How many words of its title are asked for, verbs left out."""
        return sum(each.titled.get(place, 0) for each in self._matches if not each.is_verb)


def _scores(matches: Iterable[Matches], places: Collection[int]) -> dict[int, float]:
    """How much of what is asked each of the places says."""
    scores = dict.fromkeys(places, 0.0)
    for each in matches:
        of, rarity = each.of, each.rarity
        if len(of) < len(scores):
            for place, worth in of.items():
                if place in scores:
                    scores[place] += worth * rarity
        else:
            for place in scores:
                if place in of:
                    scores[place] += of[place] * rarity
    return scores
