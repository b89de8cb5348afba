"""How many requests are worked on at once, and by whose: what is more is told to come back, before it costs anything.

Strangers (whoever needs no credential: a login, a signed message), callers, and event streams each have places of their
own, a caller has a share of them, and some are left for what only admins do: whoever floods the server, with a
credential or without, keeps nobody from revoking it. Whoever is on this machine while nobody has a credential has no
share: it is all theirs. Called by the gate (`access`) and by `app`. Here never lives how often somebody asks (`rates`),
nor how many connections there are (`connections`). RFC 6585, 429; RFC 9110, 503 and Retry-After.
"""

import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from runtime.observing import metrics
from runtime.problems import Problem

# A waiting call takes about 0.1 MB; with more in line the last would wait for longer than its run may take.
MOST_AT_ONCE = 1_200
# Four who flood together are needed to fill the server.
PARTS = 4
# A login takes half a second of a processor; a message's signature next to nothing.
MOST_STRANGERS = 32
# An agent listens once, a chat server for many of them a few times. A stream takes 0.1 MB.
MOST_STREAMS, STREAMS_OF_ONE = 128, 16
# So many a caller gets whatever others have.
ENSURED: dict["Kind", int] = {"call": 8, "stream": 1}
# For what only admins do, when all else is full.
RESERVED = 16
# Database, devices, libraries.
FILES_OF_OUR_OWN = 128
# More than any line of callers here; a limit without end would make the kernel's table of them large.
MOST_FILES = 65_536
# A site waits with one message and answers with others, of which each says what became of a call here.
MOST_OF_SITES, OF_ONE_SITE = 1_024, 16
# What goes through all of the database keeps one of its four readers for seconds: the others are everybody's.
MOST_SURVEYS, SURVEYS_OF_ONE = 2, 1
Kind = Literal["stranger", "call", "stream", "admin", "site", "survey"]


class Concurrency:
    """`most`: calls at a time, of all callers together."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most: dict[Kind, int] = {
            "stranger": MOST_STRANGERS,
            "call": most,
            "stream": min(MOST_STREAMS, max(1, most // 2)),
            "admin": RESERVED,
            "site": MOST_OF_SITES,
            "survey": MOST_SURVEYS,
        }
        self._of_one: dict[Kind, int] = {
            "call": max(1, most // PARTS),
            "stream": STREAMS_OF_ONE,
            "site": OF_ONE_SITE,
            "survey": SURVEYS_OF_ONE,
        }
        self._inside: Counter[Kind] = Counter()
        self._shares: Counter[tuple[Kind, str]] = Counter()

    @contextmanager
    def place(self, kind: Kind, caller: str | None) -> Iterator[None]:
        """A place as long as the block runs. `caller`: who has a share, None for whoever has none.

        Raises Problem when there is no place: 503 where all are taken, 429 where this caller has theirs. What is of the
        kind `admin` takes a place among the calls while there is one.
        """
        if kind == "admin" and not self._is_full("call", caller):
            kind = "call"
        self._check(kind, caller)
        share = (kind, caller or "")
        self._inside[kind] += 1
        self._shares[share] += 1
        try:
            yield
        finally:
            self._inside[kind] -= 1
            self._shares[share] -= 1
            if not self._shares[share]:
                del self._shares[share]

    def _is_full(self, kind: Kind, caller: str | None) -> bool:
        return self._has_all(kind, caller) or self._none_is_left(kind, caller)

    def _none_is_left(self, kind: Kind, caller: str | None) -> bool:
        is_ensured = caller is not None and self._shares[kind, caller] < ENSURED.get(kind, 0)
        return self._inside[kind] >= self._most[kind] * (2 if is_ensured else 1)

    def _has_all(self, kind: Kind, caller: str | None) -> bool:
        most = self._of_one.get(kind)
        return caller is not None and most is not None and self._shares[kind, caller] >= most

    def _check(self, kind: Kind, caller: str | None) -> None:
        # The connection is closed with the answer: thousands that only wait take memory too.
        again = (("retry-after", "1"), ("connection", "close"))
        if self._has_all(kind, caller):
            metrics.turned_away(f"{kind}: share")
            told = f"{self._of_one[kind]} of your {kind}s are open, and one caller has no more at a time."
            raise Problem(429, "too many of yours", told, "end one, or ask again in a moment; nothing was done", again)
        if self._none_is_left(kind, caller):
            metrics.turned_away(f"{kind}: full")
            told = f"There are {self._inside[kind]} requests under way, and this server takes no more at a time."
            raise Problem(503, "too many at once", told, "ask again in a moment; nothing was done", again)


def most_files() -> int:
    """How many files this process may have open, after it took all that it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(soft, files)


def most_at_once() -> int:
    """How many requests this process can work on: each is a connection here, and may be one to a device."""
    return max(1, min(MOST_AT_ONCE, (most_files() - FILES_OF_OUR_OWN) // 2))
