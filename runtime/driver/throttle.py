"""The gate before a device: so many at a time, so many a second, in the order in which they came.

Each who comes says how many the device stands, since that differs by target and may be changed at any time; the
smallest number among those inside holds. Waiting ends by the waiter's own deadline, which is not known here.
asyncio's semaphore would fix the number once and for all. No I/O. Used by `device_connection`, one gate an address.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Permit:
    """`linger_s`: how long it stays taken behind the one who leaves, for what the device has yet to notice."""

    linger_s: float = 0.0


class Throttle:
    def __init__(self) -> None:
        self._limits: list[int] = []  # of those inside
        self._line: deque[tuple[asyncio.Future[None], int]] = deque()
        self._next_start = 0.0

    @property
    def inside(self) -> int:
        return len(self._limits)

    @property
    def waiting(self) -> int:
        return sum(not turn.cancelled() for turn, _ in self._line)

    @asynccontextmanager
    async def place(self, limit: int) -> AsyncIterator["Permit"]:
        """A place as long as the block runs, in which never more than `limit` are inside."""
        await self._enter(limit)
        place = Permit()
        try:
            yield place
        finally:
            if place.linger_s:
                asyncio.get_running_loop().call_later(place.linger_s, self._leave, limit)
            else:
                self._leave(limit)

    async def pace(self, per_s: float | None) -> None:
        """Waits until the next request may start."""
        if per_s is None:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._next_start)
        self._next_start = start + 1 / per_s
        await asyncio.sleep(start - now)

    async def _enter(self, limit: int) -> None:
        if not self._line and self._has_room(limit):
            self._limits.append(limit)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((turn, limit))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._let_in()  # whoever stood behind may need less than this one did
            else:
                self._leave(limit)  # the place was given at the same moment
            raise

    def _has_room(self, limit: int) -> bool:
        return len(self._limits) < min((limit, *self._limits))

    def _leave(self, limit: int) -> None:
        self._limits.remove(limit)
        self._let_in()

    def _let_in(self) -> None:
        while self._line and (self._line[0][0].cancelled() or self._has_room(self._line[0][1])):
            turn, limit = self._line.popleft()
            if not turn.cancelled():
                self._limits.append(limit)
                turn.set_result(None)
