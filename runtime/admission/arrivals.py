"""Whose bytes are read next, while more arrive than are read in a moment: whoever has the fewest connections waiting.

Reading a request, finding out whose it is and refusing it take a millisecond of the one thread that serves all: two
thousand that come at once would keep everybody's next step waiting for seconds. So in each turn of the event loop one
arrival is read, and while others are there, too, of a line in which several wait only one in a while; calls under way
go on between them. Of whoever has many calls that wait for their turn nothing more is read: what waits with the kernel
costs a twentieth. Each caller has a line, each address of strangers another, so that who floods waits behind
themselves; an admin who wants something, and who asks how the server is, come before all. Without a crowd nobody waits.
Called by `connections` and `accepting`. Here never lives a place for a request (`concurrency`), nor whose call is begun
next (`turns`).
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

# Of a crowd one is read in so long: of the one thread a refusal takes a quarter of it, and the rest is everybody's.
PAUSE_S = 0.004
# Whoever was read so long ago is still there.
THERE_S = 1.0
# Of a caller so many calls wait for their turn before the next one is read: they are begun one at a time.
MOST_UNBEGUN = 4
# So many of a line may come first: an admin asks one thing at a time, and floods nobody.
FEW = 4


class Arriving(Protocol):
    """A connection: in which line it waits, and what reads its bytes."""

    @property
    def line(self) -> str:
        """Who is known to have sent it, or from where it came."""

    @property
    def comes_first(self) -> bool:
        """Whether others wait for it, while it is one of few."""

    def read(self, data: bytes) -> None:
        """Takes what has arrived."""


def _nothing(_line: str) -> int:
    return 0


class Arrivals:
    def __init__(
        self,
        unbegun: Callable[[str], int] = _nothing,
        soon: Callable[[Callable[[], None]], object] | None = None,
        later: Callable[[float, Callable[[], None]], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`unbegun`: how many calls of a line's caller wait for their turn.

        `soon`: has something done in the next turn of the loop; `later`: after so many seconds.
        """
        self._unbegun = unbegun
        self._clock = clock
        # The last two lines that were read, and when.
        self._read_of: dict[str, float] = {}
        self._soon = soon or (lambda what: asyncio.get_running_loop().call_soon(what))
        self._later = later or (lambda delay, what: asyncio.get_running_loop().call_later(delay, what))
        self._lines: dict[str, dict[Arriving, bytes]] = {}
        self._line_of: dict[Arriving, str] = {}
        self._has_read = False
        self._is_due = False
        self._crowd_rests = False

    def take(self, connection: Arriving, data: bytes) -> bool:
        """Has `connection` read `data` now, or when it is its turn. Whether it was now."""
        name = self._line_of.get(connection)
        if name is not None:
            self._lines[name][connection] += data
        elif self._has_read or connection.line in self._lines or self._is_held_up(connection.line):
            self._line_of[connection] = connection.line
            self._lines.setdefault(connection.line, {})[connection] = data
            self._have_next()
        else:
            self._read(connection, data)
            return True
        return False

    def waits(self, connection: Arriving) -> bool:
        return connection in self._line_of

    def forget(self, connection: Arriving) -> None:
        """It is closed."""
        if connection in self._line_of:
            self._pop(connection)

    def _read(self, connection: Arriving, data: bytes) -> None:
        self._has_read = True
        self._have_next()
        self._note(connection.line)
        connection.read(data)

    def _note(self, line: str) -> None:
        self._read_of.pop(line, None)
        self._read_of[line] = self._clock()
        if len(self._read_of) > 2:
            del self._read_of[next(iter(self._read_of))]

    def _others_are_there(self, line: str) -> bool:
        since = self._clock() - THERE_S
        return any(name != line and at > since for name, at in self._read_of.items())

    def _have_next(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._soon(self._next)

    def _next(self) -> None:
        self._is_due = self._has_read = False
        line = min((each for name, each in self._lines.items() if not self._is_held_up(name)), key=_rank, default=None)
        if line is None:
            if self._lines:
                self._rest()
            return
        connection = next(iter(line))
        if _rank(line) > (True, 1) and (self._crowd_rests or self._others_are_there(self._line_of[connection])):
            if self._crowd_rests:
                return
            self._rest()
        self._read(connection, self._pop(connection))

    def _is_held_up(self, line: str) -> bool:
        return self._unbegun(line) >= MOST_UNBEGUN

    def _rest(self) -> None:
        if not self._crowd_rests:
            self._crowd_rests = True
            self._later(PAUSE_S, self._rested)

    def _rested(self) -> None:
        self._crowd_rests = False
        self._have_next()

    def _pop(self, connection: Arriving) -> bytes:
        name = self._line_of.pop(connection)
        line = self._lines[name]
        data = line.pop(connection)
        if not line:
            del self._lines[name]
        return data


def _rank(line: dict[Arriving, bytes]) -> tuple[bool, int]:
    return (len(line) > FEW or not next(iter(line)).comes_first, len(line))
