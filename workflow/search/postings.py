"""Where a stem stands: the places of workflows, by the field in which it tells most. Read and filled by `index`.

Here a question of thousands of workflows is answered in few steps: places are taken in whole rows, and what a phrase
has in common is looked up from its rarest word. Here never lives what a workflow is worth.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

# Of more places it is sooner told together than one by one which of them have another word.
_MANY = 50
Hit = tuple[float, int]
"""What a workflow has of an idea: its worth by the best word and field, and how many words of its title that are."""


class Postings:
    """Of many stems; `fields`: how many there are, the first tells most."""

    def __init__(self, fields: int) -> None:
        self._fields = fields
        self._rows: dict[str, tuple[array[int], ...]] = {}

    def add(self, place: int, stems: Iterable[tuple[str, int]]) -> None:
        """The stems of a workflow with their fields; places only grow."""
        for stem, field in stems:
            rows = self._rows.get(stem)
            if rows is None:
                rows = self._rows[stem] = tuple(array("l") for _ in range(self._fields))
            rows[field].append(place)

    def having(self, phrase: Sequence[str]) -> Iterator[tuple[int, Sequence[int]]]:
        """The places that have every word of the phrase, by the field of the one that tells least."""
        rows = [self._rows.get(stem, ()) for stem in phrase]
        if not all(rows):
            return
        if len(rows) == 1:
            yield from ((field, row) for field, row in enumerate(rows[0]) if row)
            return
        first, *others = sorted(rows, key=lambda each: sum(map(len, each)))
        places = set(chain.from_iterable(first))
        for each in others:
            if len(places) > _MANY:
                places.intersection_update(chain.from_iterable(each))
        common: dict[int, list[int]] = {}
        for place in places:
            least = max(_field_of(place, each) for each in rows)
            if least < self._fields:
                common.setdefault(least, []).append(place)
        yield from common.items()


def _field_of(place: int, rows: Sequence[Sequence[int]]) -> int:
    """The field in which a word stands there; one more than there are where it does not."""
    for field, row in enumerate(rows):
        at = bisect_left(row, place)
        if at < len(row) and row[at] == place:
            return field
    return len(rows)


@dataclass(frozen=True, slots=True)
class Hits:
    """The places that have an idea, each with its best hit; `best`: what the best of all is worth."""

    of: Mapping[int, Hit]
    best: float


def best_hits(found: Iterable[tuple[Hit, Sequence[int]]]) -> Hits:
    """Each place with the best of its hits."""
    rising = sorted(found, key=lambda each: each[0])
    best: dict[int, Hit] = {}
    for hit, places in rising:
        best.update(dict.fromkeys(places, hit))
    return Hits(best, rising[-1][0][0] if rising else 0.0)
