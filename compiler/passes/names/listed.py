"""Lists of words in a text: `start`, `stop` and `restart` of “State change action (start, stop, restart)”.

Pure text. What “e.g.” begins is an example and no list. Used where a description says in prose what an enumeration
would say: what can be ordered, and in which states a thing can be.
"""

import re
from collections.abc import Iterator

_QUOTED = re.compile(r"</?code>|[`'\"“”‘’*]")
_FIRST_POINT, _POINT = re.compile(r"(?<=:)\s*[*-]\s+"), re.compile(r"\s+[*-]\s+")
_WORD = r"[A-Za-z][A-Za-z0-9_-]{1,30}"
_BETWEEN = r"(?:\s*,\s*(?:or\s+|and\s+)?|\s+or\s+|\s+and\s+|\s*[|/]\s*)"
_LIST = rf"(?P<list>{_WORD}(?:{_BETWEEN}{_WORD})+)"
_PLACES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^{_LIST}\.?$",
        rf"\(\s*{_LIST}\s*\)",
        rf"\b(?:one of|either)\b(?: the following)?(?: values)?:?\s+{_LIST}",
        rf"\b(?:actions|values|options|commands|operations|states)\b(?: are)?:?\s+{_LIST}",
        rf"\b(?:can|may|must|should) be:?\s+{_LIST}",
        rf":\s+{_LIST}(?=[.;]|$)",
    )
)
_READ = 2_000  # characters of a text


def lists_in(text: str) -> Iterator[tuple[str, ...]]:
    """The lists of at least two words, most certain first; words that stand twice in one are none."""
    points = _POINT.sub(", ", _FIRST_POINT.sub(" ", text[:_READ]))
    plain = " ".join(_QUOTED.sub(" ", points).split())
    for place in _PLACES:
        for found in place.finditer(plain):
            listed = tuple(re.split(_BETWEEN, found["list"]))
            if len({word.lower() for word in listed}) == len(listed):
                yield listed
