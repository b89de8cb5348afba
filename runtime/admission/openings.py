"""How fast one caller opens sessions of MCP: the next when one of the last was used, which takes a client a moment.

To open a session takes as long as some calls, and all the longer to end it again when nothing is ever said in it. So
while a caller has some in which nothing was said yet, the next one waits until one of them is used, or has had its
time; few wait, and whoever floods is refused before anything is made for them. Thirty clients that share a token and
begin at once are let in one after the other. Called by `mcp_sessions`, for the gate, before a request has a turn.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from runtime.observing import metrics
from runtime.problems import Problem

# Sessions of one caller in which nothing was said since they were opened: a client says at once that it is ready.
MOST_UNUSED = 4
# So long the oldest of them has: a slow round trip.
PATIENT_S = 2.0
MOST_WAITING = 8


class _Line:
    """Of one caller's: how many are being opened and how many wait, one behind the other."""

    __slots__ = ("begun", "changed", "order", "waiting")

    def __init__(self) -> None:
        self.begun = self.waiting = 0
        self.order = asyncio.Lock()
        self.changed = asyncio.Event()


class Openings:
    def __init__(self, unused: Callable[[str], Sequence[float]]) -> None:
        """`unused`: since when a caller's sessions are open in which nothing was said yet, by the loop's clock."""
        self._unused = unused
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)

    @asynccontextmanager
    async def place(self, caller: str) -> AsyncIterator[None]:
        """Waits until `caller` may open one more; it is being opened as long as the block runs. Raises Problem where
        too many wait."""
        line = self._lines[caller]
        if line.waiting >= MOST_WAITING:
            metrics.turned_away("session: too fast")
            told = f"In {MOST_UNUSED} sessions that you opened nothing was said yet, and {line.waiting} more wait."
            again = (("retry-after", str(round(PATIENT_S))), ("connection", "close"))
            raise Problem(429, "too many of yours", told, "use those that are open; nothing was done", again)
        line.waiting += 1
        is_begun = False
        try:
            async with line.order:
                await self._wait(caller, line)
                line.begun, is_begun = line.begun + 1, True
            line.waiting -= 1
            yield
        finally:
            if is_begun:
                line.begun -= 1
                line.changed.set()
            else:
                line.waiting -= 1
            if not line.begun and not line.waiting:
                self._lines.pop(caller, None)

    def note_use(self, caller: str) -> None:
        """To be called whenever something is said in a session of the caller's."""
        if caller in self._lines:
            self._lines[caller].changed.set()

    async def _wait(self, caller: str, line: _Line) -> None:
        while (rest_s := self._too_soon_s(caller, line)) > 0:
            line.changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await line.changed.wait()

    def _too_soon_s(self, caller: str, line: _Line) -> float:
        """For how long the next session has to wait, unless one is used meanwhile."""
        now = asyncio.get_running_loop().time()
        new = [since for since in self._unused(caller) if since + PATIENT_S > now]
        return 0.0 if len(new) + line.begun < MOST_UNUSED else min(new, default=now) + PATIENT_S - now
