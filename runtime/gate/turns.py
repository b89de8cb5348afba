"""Whose call is begun next, while more want to begin than the processor stands: whoever has the fewest under way.

One caller who begins hundreds at once would hold up everybody's next step, since one thread serves all. So a few begin
at a time, the others wait in line, each caller in their own. A call keeps its turn until it ends, or until it has run
for a moment and the event loop is on time: then it waits for its device, and costs nothing. Without a crowd nobody
waits. Called by the gate (`access`), behind a place (`concurrency`). The clock is the loop's.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# More only make each slower: a call takes 5 ms of the processor, and waits for the database and a device in between.
AT_A_TIME = 6
# With a device that takes its time 150 calls a second are begun, which is what one process can carry.
MOMENT_S = 0.04
# A timer that comes so late says that the loop has more to do than it can.
LATE_S = 0.01


class Turns:
    def __init__(self, at_a_time: int = AT_A_TIME) -> None:
        self._free = at_a_time
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
        if self._free > 0:
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

    def _take(self, caller: str) -> None:
        self._free -= 1
        self._begun[caller] += 1

    def give_back(self, caller: str) -> None:
        self._free += 1
        self._begun[caller] -= 1
        if not self._begun[caller]:
            del self._begun[caller]
        while self._free > 0 and self._lines:
            self._call_up(min(self._lines, key=self._begun.__getitem__))

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
        self._watch()

    def _watch(self) -> None:
        due = self._loop.time() + MOMENT_S
        self._timer = self._loop.call_at(due, self._look, due)

    def _look(self, due: float) -> None:
        if self._loop.time() - due > LATE_S:
            self._watch()
        else:
            self._timer = None
            self._turns.give_back(self._caller)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._turns.give_back(self._caller)
