"""Which workflows fit a question, the best first: an index in memory, by the words of each workflow.

A word counts by how rare it is and by where it stands: in the name, among the things of the API, in the sentences that
its document says it is asked for with, in descriptions, among the inputs, in what a reply tells. What has more of the
question's ideas, whose name says little else, whose kind is what is wanted (a question is answered by no change) and
what is used daily, stands above the rest. An index grows with the catalog: words of a revision are taken in once. Here
never lives a catalog, a protocol or a right.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from workflow.search.findable import Findable
from workflow.search.forms import forms_of
from workflow.search.names import with_names
from workflow.search.postings import Hit, Hits, Postings, best_hits
from workflow.search.question import Idea, SearchQuestion, heard, learn_words, of_a_name, understood
from workflow.search.ranking import Matches, Shelf, ranked
from workflow.search.spelling import spelt
from workflow.search.stems import WORD, stems_of
from workflow.search.words import EMPTY
from workflow.search.worth import facts_of

# Name and title, things of the API, sentences, the vendor's summary, description, inputs with their values, what a
# reply tells: found by the tuning half of tests/switchgear/sentences.yaml, an order of weights, not a measurement.
WEIGHTS = (3.0, 2.0, 1.6, 1.6, 1.2, 0.7, 0.9)
_TITLE = 0
_TELLS = len(WEIGHTS) - 1
# Only to them it matters what a reply tells.
_LOOKS = ("know", "look", "name")
# A word that means the same counts a little less than the one that was typed; of verbs, less: to wipe is to delete.
_OTHER, _OTHER_VERB = 0.9, 0.75
# What is wanted is told by a workflow's intent as well as by its words.
_VERB = 0.7
_COMMON, _MOST_KNOWN = 200, 128
_NOTHING = Idea((), share=0.0)


class Index:
    """Many workflows, ready to be searched. What is taken out leaves its place empty until the index is made anew."""

    def __init__(self, found: Iterable[Findable] = ()) -> None:
        self._shelf = Shelf()
        self._postings = Postings(len(WEIGHTS))
        self._places: dict[Findable, int] = {}
        self._of_api: dict[str, set[int]] = {}
        self._of_risk: dict[str, set[int]] = {}
        self._gone: set[int] = set()
        # What is common is looked up again and again, and is what takes longest; until the catalog is another one.
        self._known: dict[object, Hits] = {}
        self._verbs: set[tuple[str, ...]] = set()  # with which names of changes begin
        self._initials: dict[str, tuple[str, ...]] = {}  # of names of things, as they are written short
        self._joined: dict[str, tuple[str, ...]] = {}  # names of things, as they are written in one word
        learn_words()
        self.take_in(found)

    @property
    def is_hollow(self) -> bool:
        """Whether most of it is empty, so that it had better be made anew."""
        return len(self._places) < len(self._shelf.facts) / 2

    def hold(self, found: Iterable[Findable]) -> "Index":
        """An index of just these: this one brought up to date, or a new one where too much of it is empty."""
        wanted = dict.fromkeys(found)
        if len(wanted) < len(self._shelf.facts) / 2:
            return Index(wanted)
        self.take_out([each for each in self._places if each not in wanted])
        self.take_in(each for each in wanted if each not in self._places)
        return self

    def take_out(self, found: Iterable[Findable]) -> None:
        for gone in found:
            place = self._places.pop(gone)
            self._shelf.facts[place] = None
            self._gone.add(place)
            self._of_api[gone.kind.api].discard(place)
            self._of_risk[gone.kind.risk].discard(place)

    def take_in(self, found: Iterable[Findable]) -> None:
        for each in found:
            self._take(each)

    def _take(self, one: Findable) -> None:
        self._known.clear()
        place = len(self._shelf.facts)
        best: dict[str, int] = {}
        for number, text in reversed([*enumerate(one.fields)]):
            best |= dict.fromkeys(_stems(text), number)
        self._postings.add(place, best.items())
        self._initials.update(_initials(one))
        self._joined.update(_joined(one))
        if not one.kind.is_read:
            self._verbs.add(tuple(_stems(one.name.partition("_")[0])))
        self._shelf.add(facts_of(one))
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
        named = with_names(text, self._postings.__contains__, heard())
        question = understood(spelt(named, self._postings.__contains__, heard(), self._has_another_form))
        if question.wants == "act" and not self._wants_a_change(question):
            question = replace(question, wants="name")
        is_shown = question.wants == "look" and question.only_shows and not self._is_called_so(question.ideas[0])
        if is_shown or (question.wants == "name" and question.only_tells):
            question = replace(question, wants="know")
        matches = self._matches(question, api)
        fitting = self._fitting(matches, question, risk)
        found = sorted(ranked(self._shelf, question, matches, fitting, most))
        return [name for _, name in found[:most]], len(fitting)

    def _fitting(self, matches: Sequence[Matches], question: SearchQuestion, risk: str | None) -> set[int]:
        """All that have an idea of what is asked and may be meant."""
        fitting = set().union(*(each.of for each in matches)) - self._gone
        if risk is not None:
            fitting &= self._of_risk.get(risk, set())
        reads = fitting & self._of_risk.get("read", set()) if question.wants == "know" else set()
        return reads or fitting

    def _wants_a_change(self, question: SearchQuestion) -> bool:
        """Whether it begins with a verb: one by which some change here is called, or one by what stands behind it. "Fan
        speed" wants none."""
        first = question.ideas[0] if question.ideas else Idea(())
        is_called = self._is_called_so(first) or (len(first.said) == 1 and self._is_only_made(first.said[0]))
        return question.is_order or first.is_verb or is_called

    def _is_called_so(self, idea: Idea) -> bool:
        """Whether the name of some change here begins with it."""
        return any(phrase[:1] in self._verbs for phrase in (idea.said, *idea.others))

    def _matches(self, question: SearchQuestion, api: str | None) -> list[Matches]:
        """What has which idea. A word is rare or not among the workflows of `api`, where one is given."""
        of_api = None if api is None else self._of_api.get(api, set())
        count = len(self._places) if of_api is None else len(of_api)
        least = len(WEIGHTS) if question.wants in _LOOKS else _TELLS
        found: list[Matches] = []
        told = _NOTHING  # the thing just before: in "server web01" what is named is told already
        for said in map(self._written_apart, question.ideas):
            idea, hits = said, self._hits(said, least)
            meant = None if hits.of else self._written_short(said)
            if meant is None and not hits.of:
                meant = self._in_another_form(said)
            if meant is None and not hits.of and said.share != told.share:
                meant = of_a_name(said, is_main=question.main_name == said.said)
            if meant is not None:
                idea, hits = meant, self._hits(meant, least)
            told = said if hits.titled and not said.is_verb else _NOTHING
            of = hits.of if of_api is None else {place: hits.of[place] for place in of_api.intersection(hits.of)}
            rarity = math.log(1 + count / (1 + len(of))) if of else 0.0
            rarity *= idea.share * (_VERB if idea.is_verb else 1.0)
            found.append(Matches(of, hits.titled, rarity, rarity * hits.best, idea.is_verb))
        return found

    def _written_short(self, idea: Idea) -> Idea | None:
        """What a word means that is made of the initials of a thing here: a PVC."""
        phrase = self._initials.get(idea.said[0]) if len(idea.said) == 1 else None
        return replace(idea, others=(*idea.others, phrase)) if phrase else None

    def _in_another_form(self, idea: Idea) -> Idea | None:
        """What a word may mean that nobody here has, by another form of it."""
        found = [(form,) for form in forms_of(idea.said[0]) if form in self._postings] if len(idea.said) == 1 else []
        return replace(idea, others=(*idea.others, *found)) if found else None

    def _is_only_made(self, stem: str) -> bool:
        """Whether things here are called by who does it: nobody has a "scrape", but a scraper."""
        return stem not in self._postings and (f"{stem}r" in self._postings or f"{stem}er" in self._postings)

    def _has_another_form(self, stem: str) -> bool:
        return any(form in self._postings for form in forms_of(stem))

    def _written_apart(self, idea: Idea) -> Idea:
        """The same, also by the name of a thing here that is written in two words: a filesystem."""
        phrase = self._joined.get(idea.said[0]) if len(idea.said) == 1 else None
        return replace(idea, others=(*idea.others, phrase)) if phrase and phrase not in idea.others else idea

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


def _stems(text: str) -> Iterable[str]:
    return stems_of(WORD.findall(text.lower())).values()


def _initials(one: Findable) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Of the names of two to four words that its own name has behind its verb."""
    words = [word for word in one.name.split("_")[1:] if word not in EMPTY]
    for length in (2, 3, 4):
        for at in range(len(words) - length + 1):
            part = words[at : at + length]
            yield "".join(word[0] for word in part), tuple(_stems(" ".join(part)))


def _joined(one: Findable) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The stem of each two words behind its verb as one word, and theirs."""
    words = one.name.split("_")[1:]
    for first, second in pairwise(words):
        whole = first + second
        yield stems_of((whole,))[whole], tuple(_stems(f"{first} {second}"))
