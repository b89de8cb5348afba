"""Which of the known names somebody may have meant: one rule for commands, workflows, targets, APIs and inputs.

What is suggested is what whoever asks may see: the caller gives the names. Names are compared letter by letter only
where they share words or are about as long, since a server is asked for what there is not by whoever likes. Pure;
called by all rooms where they refuse a name.
"""

import difflib
from collections.abc import Iterable

MOST = 3
"""Suggestions: more are a list, and there are commands for lists."""
_COMPARED = 40
"""Names that are compared by letters; of a thousand the choice of these takes as long as their comparison."""


def nearest(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those that are like `word`, the likest first: letters mistaken, or a part of the name left out."""
    wanted = _words(word)
    if not wanted:
        return ()
    known = {name: _words(name) for name in names}
    likely = sorted(known, key=lambda name: (-len(wanted & known[name]), abs(len(name) - len(word))))[:_COMPARED]
    folded = {name.lower(): name for name in likely}
    close = difflib.get_close_matches(word.lower(), folded, n=MOST, cutoff=0.7)
    has_all = [name for name in likely if wanted <= known[name]]
    far = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.55)
    found = dict.fromkeys([*(folded[name] for name in close), *has_all, *(folded[name] for name in far)])
    return tuple(found)[:MOST]


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """A question to put behind a sentence, with a space before it; empty where nothing is near."""
    found = nearest(word, names)
    return f" Did you mean {' or '.join(found)}?" if found else ""


def _words(name: str) -> frozenset[str]:
    return frozenset(name.lower().replace("-", "_").replace(".", "_").split("_")) - {""}
