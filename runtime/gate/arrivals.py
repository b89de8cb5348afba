"""Whose bytes are read next, while more arrive than are read in a moment: whoever has the fewest connections waiting.

Reading a request, finding out whose it is and refusing it take a millisecond of the one thread that serves all: two
thousand that come at once would keep everybody's next step waiting for seconds. So in each turn of the event loop one
arrival is read, and calls under way go on between them. Owners have a line each, so that who floods waits behind
themselves; strangers are one owner. Without a crowd nobody waits. Called by `connections`. Here never lives a place for
a request (`concurrency`), nor whose call is begun next (`turns`).
"""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Arriving(Protocol):
    """A connection: whose it is, and what reads its bytes."""

    owner: str

    def read(self, data: bytes) -> None:
        """Takes what has arrived."""


class Arrivals:
    def __init__(self, soon: Callable[[Callable[[], None]], object] | None = None) -> None:
        """`soon`: has something done in the next turn of the loop."""
        self._soon = soon or (lambda what: asyncio.get_running_loop().call_soon(what))
        self._lines: dict[str, dict[Arriving, bytes]] = {}
        self._has_read = False

    def take(self, connection: Arriving, data: bytes) -> None:
        """Has `connection` read `data` now, or when it is its turn."""
        held = self._line_of(connection)
        if held is not None:
            held[connection] += data
        elif self._has_read:
            self._lines.setdefault(connection.owner, {})[connection] = data
        else:
            self._has_read = True
            self._soon(self._next)
            connection.read(data)

    def forget(self, connection: Arriving) -> None:
        """It is closed."""
        held = self._line_of(connection)
        if held is not None:
            self._pop(held, connection)

    def _next(self) -> None:
        self._has_read = bool(self._lines)
        if self._has_read:
            self._soon(self._next)
            line = min(self._lines.values(), key=len)
            connection = next(iter(line))
            connection.read(self._pop(line, connection))

    def _line_of(self, connection: Arriving) -> dict[Arriving, bytes] | None:
        """Where it waits. Whose it is may have changed since it came."""
        return next((line for line in self._lines.values() if connection in line), None)

    def _pop(self, line: dict[Arriving, bytes], connection: Arriving) -> bytes:
        data = line.pop(connection)
        if not line:
            self._lines = {owner: each for owner, each in self._lines.items() if each}
        return data
