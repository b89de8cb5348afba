"""Finding workflows by an operator's words: an index in memory, ranked by BM25 with stemming.

The ranking is SQLite's own (FTS5): it weighs a title above a description and this above the names of inputs, and it
is there wherever Python is. A question is cut into ideas; an idea is one word, or a group of words that mean the same
(`search_words`), or the vendor's noun and the operator's word for it, which stand side by side in the index. What has
all ideas of the question stands above what has some. Here never lives a catalog, a protocol or a right.
"""

import re
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.search_words import ALIKE, EMPTY
from workflow.calls import pointer_of
from workflow.revision import RevisionContent

Json = Any
WORD = re.compile(r"[^\W_]+")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# A question is a sentence; what is longer is cut, so that nobody makes the index work for minutes.
MOST_WORDS = 24
# title and name, description, nouns of the API, inputs with their values
WEIGHTS = (8.0, 3.0, 2.0, 0.5)
"""Found by the questions in tests/switchgear/test_search.py: an order of weights, not a measurement."""


@dataclass(frozen=True, slots=True)
class Findable:
    """One workflow as the index sees it: its words, by how much they tell."""

    name: str
    api: str
    risk: str
    rank: float
    title: str
    description: str
    nouns: str
    inputs: str


class Index:
    """Many workflows, ready to be searched. Made once, read often."""

    def __init__(self, found: Iterable[Findable]) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._database.close)
        self._database.execute(
            "CREATE VIRTUAL TABLE found USING fts5"
            "(title, description, nouns, inputs, name UNINDEXED, api UNINDEXED, risk UNINDEXED, rank_ UNINDEXED,"
            " tokenize = 'porter unicode61')"
        )
        rows = ((f.title, f.description, f.nouns, f.inputs, f.name, f.api, f.risk, f.rank) for f in found)
        self._database.executemany("INSERT INTO found VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def search(self, question: str, *, api: str | None = None, risk: str | None = None) -> list[str]:
        """The names of all that match, the best first; of equals, the highest rank first."""
        ideas = list(ideas_of(question))
        told: dict[str, list[float]] = {}
        ranks: dict[str, float] = {}
        for idea in ideas:
            for name, score, rank in self._matching(idea, api, risk):
                told.setdefault(name, []).append(score)
                ranks[name] = rank
        # Of what has as much to do with the question, what is used day by day is meant more often.
        scores = {n: sum(ones) * len(ones) / len(ideas) * (1 + ranks[n] / 2) for n, ones in told.items()}
        return sorted(scores, key=lambda name: (-scores[name], name))

    def _matching(self, idea: Sequence[str], api: str | None, risk: str | None) -> list[tuple[str, float, float]]:
        """Name, score and rank of what has the idea, each by the word of it that fits best."""
        weights = ", ".join(map(str, WEIGHTS))
        query = (
            f"SELECT name, -bm25(found, {weights}), rank_ FROM found WHERE found MATCH ? "  # noqa: S608  ours alone
            "AND (? IS NULL OR api = ?) AND (? IS NULL OR risk = ?)"
        )
        best: dict[str, tuple[str, float, float]] = {}
        for word in idea:
            # Quoted, so that nothing in it is an operator.
            for row in self._database.execute(query, (f'"{word}"', api, api, risk, risk)):
                if row[0] not in best or row[1] > best[row[0]][1]:
                    best[row[0]] = row
        return list(best.values())


def findable(content: RevisionContent, vocabulary: Mapping[str, str], *, api: str, risk: str, rank: float) -> Findable:
    """The words of one workflow. `vocabulary`: the API's noun → the operator's word."""
    tool = content.tool
    workflow = content.document["workflows"][0]
    waits = {step.get("operationPath", "").partition("#")[2] for step in workflow["steps"] if _is_wait(step)}
    # Jobs are what most changes wait for.
    asked = [key for key in content.operations if pointer_of(*key.split(" ", 1)) not in waits]
    nouns = {segment for key in asked for segment in key.split("/")[1:] if segment and segment[0] != "{"}
    called = {vocabulary[noun] for noun in nouns if noun in vocabulary}
    nouns |= {noun for noun, word in vocabulary.items() if word in called}  # of one thing, by another name of its API
    schemas = (workflow.get("inputs"), content.document.get("components", {}).get("inputs"))
    return Findable(
        name=str(tool["name"]),
        api=api,
        risk=risk,
        rank=rank,
        # Without the API's name in front, which all have: where it is meant, it stands once more.
        title=_apart(f"{tool.get('title', '')} {str(tool['name']).removeprefix(f'{api}_')}"),
        description=_apart(str(tool.get("description", ""))),
        nouns=_once(_apart(" ".join((*sorted(nouns), *sorted(called))))),
        inputs=_once(_apart(" ".join(_words_of(schemas)))),
    )


def _is_wait(step: Mapping[str, Any]) -> bool:
    return bool(step.get("x-switchgear", {}).get("role") == "wait")


def ideas_of(question: str) -> Iterator[tuple[str, ...]]:
    """What is asked for, idea by idea: all words that mean it. Words that say nothing are left out, unless all do."""
    words = WORD.findall(question.lower())[:MOST_WORDS]
    told = False
    at = 0
    while at < len(words):
        length, group = _phrase_at(words, at)
        if group or words[at] not in EMPTY:
            told = True
            yield group or (words[at],)
        at += length
    if not told:
        yield from ((word,) for word in words)


def _phrase_at(words: Sequence[str], at: int) -> tuple[int, tuple[str, ...]]:
    """How many words the longest known phrase at this place has, and all that mean the same."""
    for length in range(_LONGEST, 0, -1):
        group = _GROUPS.get(_singular(words[at : at + length]))
        if group:
            return min(length, len(words) - at), group
    return 1, ()


def _singular(words: Sequence[str]) -> str:
    return " ".join(word.removesuffix("s") for word in words)


_GROUPS = {_singular(phrase.split()): group for group in ALIKE for phrase in group}
_LONGEST = max(len(phrase.split()) for phrase in _GROUPS)


def _words_of(schema: Json) -> Iterator[str]:
    """Names, descriptions and values of inputs, however deep."""
    if isinstance(schema, Mapping):
        yield from schema.get("properties") or {} if isinstance(schema.get("properties"), Mapping) else ()
        yield from (schema[key] for key in ("description", "title") if isinstance(schema.get(key), str))
        yield from (value for value in schema.get("enum") or () if isinstance(value, str))
        schema = tuple(schema.values())
    if isinstance(schema, (list, tuple)):
        for each in schema:
            yield from _words_of(each)


def _once(text: str) -> str:
    """Each word once: that a schema says one a hundred times tells nothing."""
    return " ".join(dict.fromkeys(text.split()))


def _apart(text: str) -> str:
    """`text` with the parts of its joined names beside the names: `VirDomain`, `vm_name`."""
    return f"{text} {_humps(text)}" if _humps(text) != text else text


def _humps(text: str) -> str:
    return _HUMPS.sub(" ", text).replace("_", " ").replace(".", " ")
