"""Whose call is begun next, while more want to begin than the processor stands: whoever has the fewest open.

Callers who begin hundreds at once would hold up everybody's next step, since one thread serves all. So one call at a
time is begun, and the others wait in line, each caller's in their own; of a caller who has no other one more may begin.
Those who flood with many credentials have long lines each, and whoever asks one thing at a time comes before them. A
call keeps its turn until it ends, or until it has run for a moment and the event loop is on time: then it waits for its
device, and costs nothing. While only crowds wait the moment of somebody's single call is longer: a step through the
database looks the same. Called by the gate (`access`), behind a place (`concurrency`). The clock is the loop's.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# More only make each slower: a call takes 5 ms of the one thread that serves all.
AT_A_TIME = 1
# Of those who have nothing else open, so many more: they need not wait for the one that is under way.
AHEAD = 1
# With devices that take their time 100 calls a second are begun, which is what one process can carry.
MOMENT_S = 0.01
# A timer that comes so late says that the loop has more to do than it can.
LATE_S = 0.002
# Of a single call while only those wait who have several: as long as a call takes on a busy machine.
SINGLE_S = 0.05
# However late it is: a call that waits for a slow device does not hold up the line.
MOST_MOMENTS = 25


class Turns:
    def __init__(self, at_a_time: int = AT_A_TIME, ahead: int = AHEAD) -> None:
        self._free, self._ahead = at_a_time, ahead
        self._begun: Counter[str] = Counter()
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Waits for a turn of `caller`, in the order in which they came."""
        await self._wait(caller)
        turn = _Turn(self, caller)
        try:
            yield
        finally:
            turn.end()

    async def _wait(self, caller: str) -> None:
        if self._free > 0 or (self._free > -self._ahead and not self._open(caller)):
            self._take(caller)
            return
        begins = asyncio.get_running_loop().create_future()
        self._lines.setdefault(caller, deque()).append(begins)
        try:
            await begins
        except asyncio.CancelledError:
            if begins.done() and not begins.cancelled():  # it was called up and is gone
                self.give_back(caller)
            raise

    def waiting(self, caller: str) -> int:
        """How many calls of `caller` have not begun."""
        return len(self._lines.get(caller, ()))

    def only_crowds_wait(self, caller: str) -> bool:
        """Whether `caller` has a single call open, and all who wait have several."""
        return self._open(caller) == 1 and bool(self._lines) and min(map(self._open, self._lines)) > 1

    def _take(self, caller: str) -> None:
        self._free -= 1
        self._begun[caller] += 1

    def give_back(self, caller: str) -> None:
        self._free += 1
        self._begun[caller] -= 1
        if not self._begun[caller]:
            del self._begun[caller]
        while self._free > 0 and self._lines:
            self._call_up(min(self._lines, key=self._open))

    def _open(self, caller: str) -> int:
        return self._begun[caller] + len(self._lines.get(caller, ()))

    def _call_up(self, caller: str) -> None:
        line = self._lines.pop(caller)
        begins = line.popleft()
        if line:
            self._lines[caller] = line  # behind all others: of those with as few under way the next comes first
        if not begins.done():
            self._take(caller)
            begins.set_result(None)


class _Turn:
    """One that is taken, until it is given back, once."""

    def __init__(self, turns: Turns, caller: str) -> None:
        self._turns = turns
        self._caller = caller
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._moments = 0
        self._watch()

    def _watch(self) -> None:
        due = self._loop.time() + MOMENT_S
        self._timer = self._loop.call_at(due, self._look, due)

    def _look(self, due: float) -> None:
        self._moments += 1
        is_late = self._loop.time() - due > LATE_S and self._moments < MOST_MOMENTS
        if is_late or (self._moments < SINGLE_S / MOMENT_S and self._turns.only_crowds_wait(self._caller)):
            self._watch()
        else:
            self._timer = None
            self._turns.give_back(self._caller)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._turns.give_back(self._caller)
