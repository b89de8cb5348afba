"""Ends of runs that only read: recorded a moment after their answers, several in one commit.

Each commit waits for the disk, and the next run's first record would wait behind it; what is known of a read's end
can come a little later, since its requests are on record before they were sent. What a database that is locked or
full does not take is offered again until it does. A crash in between leaves such a run open, and the next start closes
it. Called by `direct`. Ends of runs that change something never come here.
"""

import asyncio
import contextlib
import logging

from governance.errors import GovernanceError, UnavailableError
from runtime.engines.engine import Ended
from runtime.engines.journal import Journal

log = logging.getLogger("switchgear.runs")
# Long enough that calls in a row share a commit, too short for a person to notice in a list of runs.
DELAY_S = 0.05
# More than this in waiting: the database is slow, and callers wait for their own record.
MAX_WAITING = 64
# Between two attempts to write what the database does not take at the moment.
PAUSE_S = 0.5


class Ends:
    def __init__(self) -> None:
        self._waiting: list[tuple[Journal, Ended]] = []
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._pause_s = DELAY_S

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < MAX_WAITING

    def add(self, journal: Journal, ended: Ended) -> None:
        """`ended` will be recorded soon."""
        self._waiting.append((journal, ended))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._after_a_moment())

    async def settle(self) -> None:
        """Returns when everything added so far is on record, or the database has not taken it once more."""
        await self._write()
        if self._task is not None and not self._waiting:
            await self._task

    async def close(self) -> None:
        """As `settle`; what the database does not take even now is left to the next start."""
        await self.settle()
        if self._task is not None and self._waiting:
            log.error("the ends of %d runs are not recorded, the next start closes them", len(self._waiting))
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _after_a_moment(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._pause_s)
            await self._write()

    async def _write(self) -> None:
        async with self._writing:
            waiting, self._waiting = self._waiting, []
            # Handed over together, they share a transaction of governance's one writer.
            writes = (journal.finish(ended) for journal, ended in waiting)
            outcomes = await asyncio.gather(*writes, return_exceptions=True)
            left = [one for one, outcome in zip(waiting, outcomes, strict=True) if _is_for_later(outcome)]
            self._waiting = left + self._waiting
            self._pause_s = PAUSE_S if left else DELAY_S


def _is_for_later(outcome: BaseException | None) -> bool:
    """Whether this end is to be offered again. Raises what is neither an end on record nor the database's refusal."""
    if isinstance(outcome, GovernanceError):
        log.error("the end of a run is not recorded: %s", outcome.message)
        return isinstance(outcome, UnavailableError)
    if outcome is not None:
        raise outcome
    return False
