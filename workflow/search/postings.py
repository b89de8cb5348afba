"""Where a stem stands: the places of workflows, by the field in which it tells most. Read and filled by `index`.

Here a question of thousands of workflows is answered in few steps: places are taken in whole rows, and what a phrase
has in common is looked up from its rarest word. Here never lives what a workflow is worth.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

# Of more places it is sooner told together than one by one which of them have another word.
_MANY = 50
# Kept of what was looked up lately: the fields of stems, and where phrases stand.
_MOST_KNOWN, _MOST_PHRASES = 128, 1024
Hit = tuple[float, int]
"""What a workflow has of an idea: its worth by the best word and field, and how many words of its title that are."""


class Postings:
    """Of many stems; `fields`: how many there are, the first tells most."""

    def __init__(self, fields: int) -> None:
        self._fields = fields
        self._rows: dict[str, tuple[array[int], ...]] = {}
        self._known: dict[str, dict[int, int]] = {}
        self._phrases: dict[tuple[str, ...], Sequence[tuple[int, Sequence[int]]]] = {}

    def add(self, place: int, stems: Iterable[tuple[str, int]]) -> None:
        """The stems of a workflow with their fields; places only grow."""
        self._known.clear()
        self._phrases.clear()
        for stem, field in stems:
            rows = self._rows.get(stem)
            if rows is None:
                rows = self._rows[stem] = tuple(array("l") for _ in range(self._fields))
            rows[field].append(place)

    def __contains__(self, stem: str) -> bool:
        return stem in self._rows

    def having(self, phrase: tuple[str, ...]) -> Iterable[tuple[int, Sequence[int]]]:
        """The places that have every word of the phrase, by the field of the one that tells least."""
        rows = [self._rows.get(stem, ()) for stem in phrase]
        if not all(rows):
            return ()
        if len(rows) == 1:
            return [(field, row) for field, row in enumerate(rows[0]) if row]
        known = self._phrases.get(phrase)
        if known is None:
            _make_room(self._phrases, _MOST_PHRASES)
            common: dict[int, list[int]] = {}
            for place, least in self._together(phrase, rows):
                if least < self._fields:
                    common.setdefault(least, []).append(place)
            known = self._phrases[phrase] = tuple(common.items())
        return known

    def _together(self, phrase: Sequence[str], rows: Sequence[Sequence[Sequence[int]]]) -> Iterator[tuple[int, int]]:
        """The places of the phrase's rarest word, each with the field of its word that tells least."""
        first = min(rows, key=lambda each: sum(map(len, each)))
        if sum(map(len, first)) <= _MANY:
            for place in chain.from_iterable(first):
                yield place, max(_field_of(place, each) for each in rows)
            return
        fields, *others = sorted((self._fields_of(stem) for stem in phrase), key=len)
        for place, field in fields.items():
            least = field
            for each in others:
                other = each.get(place, self._fields)
                least = other if other > least else least
            yield place, least

    def _fields_of(self, stem: str) -> Mapping[int, int]:
        """The field of each place of a stem, kept for those that were asked for lately."""
        known = self._known.get(stem)
        if known is None:
            _make_room(self._known, _MOST_KNOWN)
            known = self._known[stem] = {}
            for field, row in enumerate(self._rows[stem]):
                known.update(dict.fromkeys(row, field))
        return known


def _field_of(place: int, rows: Sequence[Sequence[int]]) -> int:
    """The field in which a word stands there; one more than there are where it does not."""
    for field, row in enumerate(rows):
        at = bisect_left(row, place)
        if at < len(row) and row[at] == place:
            return field
    return len(rows)


def _make_room(known: dict[Any, Any], most: int) -> None:
    while len(known) >= most:
        del known[next(iter(known))]


@dataclass(frozen=True, slots=True)
class Hits:
    """What each place that has an idea has of it, and how many words of its title that is; `best`: the best of all."""

    of: Mapping[int, float]
    titled: Mapping[int, int]
    best: float


def best_hits(found: Iterable[tuple[Hit, Sequence[int]]]) -> Hits:
    """Each place with the best of its hits."""
    rising = sorted(found, key=lambda each: each[0])
    best: dict[int, float] = {}
    titled: dict[int, int] = {}
    for (worth, words), places in rising:
        best.update(dict.fromkeys(places, worth))
        if words:
            titled.update(dict.fromkeys(places, words))
    return Hits(best, titled, rising[-1][0][0] if rising else 0.0)
