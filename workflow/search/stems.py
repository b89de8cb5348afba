"""Words brought to their stems, by SQLite's own Porter stemmer (FTS5), which is there wherever Python is.

Each distinct word is stemmed once in a process. Here never lives what a word means (`words`) or ranking (`index`).
"""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache

WORD = re.compile(r"[^\W_]+")


def stems_of(words: Iterable[str]) -> Mapping[str, str]:
    """Each of `words`, which are runs of letters and digits in lower case, with its stem."""
    return _stemmer().stems(frozenset(words))


@cache
def _stemmer() -> "_Stemmer":
    return _Stemmer()


class _Stemmer:
    """One table that a word goes into, and one that tells what became of it."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._database.execute("CREATE VIRTUAL TABLE said USING fts5(word, tokenize = 'porter unicode61')")
        self._database.execute("CREATE VIRTUAL TABLE heard USING fts5vocab(said, 'instance')")
        self._known: dict[str, str] = {}

    def stems(self, words: frozenset[str]) -> Mapping[str, str]:
        fresh = sorted(word for word in words if word not in self._known)
        if fresh:
            rows = list(enumerate(fresh, start=1))
            self._database.executemany("INSERT INTO said(rowid, word) VALUES (?, ?)", rows)
            found = dict(self._database.execute("SELECT doc, term FROM heard WHERE offset = 0"))
            self._database.execute("DELETE FROM said")
            self._known |= {word: found.get(number, word) for number, word in rows}
        return {word: self._known[word] for word in words}
