"""Words that are written wrong by one letter, put right where that makes a word that somebody here has.

Looked for are the stems that one letter left out, put in, changed or exchanged with its neighbour makes. Pure; what is
known is told by the caller. A name ("Marta"), a short word and one that is known stay as they are.
"""

import re
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from string import ascii_lowercase

from workflow.search.question import MOST_WORDS
from workflow.search.stems import stems_of

# Of shorter words too many are one letter apart; longer ones are rather put together than written wrong.
_LENGTHS = range(5, 21)
# Each takes a third of a millisecond: who types more of them wrong has to ask again.
_MOST_WRONG = 4
_LETTERS = re.compile(r"[^\W_]+")


def spelt(
    text: str, is_known: Callable[[str], bool], heard: Collection[str], is_made: Callable[[str], bool] = lambda _: False
) -> str:
    """`text` with words that are neither known, as stems, nor `heard` as the nearest one that is. `is_made`: whether
    another form of a stem is known ("scrape" is written right where there is a scraper)."""
    words = [found[0] for found in islice(_LETTERS.finditer(text), MOST_WORDS)]
    plain = [word for number, word in enumerate(words) if _may_be_wrong(word, is_first=number == 0)]
    stems = stems_of(word.lower() for word in plain)
    of = {word: stems[word.lower()] for word in dict.fromkeys(plain)}
    strange = (word for word, stem in of.items() if not (stem in heard or is_known(stem) or is_made(stem)))
    near = {word: _nearest(word.lower(), stems[word.lower()], is_known, heard) for word in islice(strange, _MOST_WRONG)}
    right = {word: found for word, found in near.items() if found}
    return _LETTERS.sub(lambda found: right.get(found[0], found[0]), text) if right else text


def _may_be_wrong(word: str, *, is_first: bool) -> bool:
    return len(word) in _LENGTHS and word.isascii() and word.isalpha() and (is_first or word.islower())


def _nearest(word: str, stem: str, is_known: Callable[[str], bool], heard: Collection[str]) -> str:
    """The likeliest stem that is one letter away, one that is heard before one that is known; "" where none is."""
    near = [each for base in dict.fromkeys((stem, word.removesuffix("e"))) for each in _near(base)]
    return next((each for each in near if each in heard), "") or next(filter(is_known, near), "")


def _near(stem: str) -> Iterator[str]:
    """All that one letter behind the first makes of it, the likeliest first."""
    parts = [(stem[:at], stem[at:]) for at in range(1, len(stem) + 1)]
    yield from (before + after[1] + after[0] + after[2:] for before, after in parts if len(after) > 1)
    yield from (before + after[1:] for before, after in parts if after)
    yield from (before + letter + after for before, after in parts for letter in ascii_lowercase)
    yield from (before + letter + after[1:] for before, after in parts if after for letter in ascii_lowercase)
