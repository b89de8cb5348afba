"""Whether a database may say something else than when it was last asked, found out without asking it.

Where it is a file, nobody writes without touching it: a look at two names of the file system is a fiftieth of a query.
What cannot be seen so (a database that is no file here, a write within one tick of the file system's clock beside one
that was seen) counts as touched. Those who ask many times a second ask here first. Here never lives who asks what.
"""

import time
from typing import Any

from sqlalchemy import Connection, Select

from governance.storage.database import Database

TICK_S = 0.03
"""Longer than a tick of any clock by which a file system says when a file was written."""
LOOKS_WITHOUT_A_TOUCH = 10
"""Of those who ask once or twice a second what is due."""
NEVER = "~"
"""Behind all moments, as they are stored."""


class Untouched:
    """One asker's memory of what the database looked like."""

    def __init__(self, database: Database, times: int) -> None:
        """`times`: the last of so many times in a row it is called touched whatever it looks like."""
        self._database = database
        self._times = times
        self._seen: tuple[int, ...] | None = None
        self._left = 0

    def since_last(self) -> bool:
        """Whether it says what it said when this was last asked and answered False: then there is nothing to ask."""
        seen = self._database.stamp()  # before the look: what comes after it is seen next time
        self._left -= 1
        if seen is not None and seen == self._seen and self._left > 0:
            return True
        self._seen = None if seen is None or _is_recent(seen) else seen
        self._left = self._times
        return False

    def forget(self) -> None:
        """What came of the last look is not known: the next one is for real."""
        self._seen = None


class Due:
    """One asker's memory of the moment when something is due next."""

    def __init__(self, database: Database, query: Select[Any]) -> None:
        """`query`: the next moment, as it is stored; nothing where none is known."""
        self._untouched = Untouched(database, LOOKS_WITHOUT_A_TOUCH)
        self._query = query
        self._next = ""

    def is_nothing(self, now: str) -> bool:
        """Whether nothing can be due at `now`; else it is to be asked, and `learn` with it."""
        if self._untouched.since_last() and now < self._next:
            return True
        self._next = ""  # until it is known
        return False

    def learn(self, connection: Connection) -> None:
        self._next = str(connection.execute(self._query).scalar() or NEVER)


def _is_recent(seen: tuple[int, ...]) -> bool:
    """Whether it was written so lately that another write may look the same."""
    now_ns = time.time_ns()
    return any(abs(now_ns - each) < TICK_S * 1e9 for each in seen)
