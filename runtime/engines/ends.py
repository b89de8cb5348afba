"""Ends of runs that only read: recorded a moment after their answers, several in one commit.

Each commit waits for the disk, and the next run's first record would wait behind it; what is known of a read's end
can come a little later, since its requests are on record before they were sent. A crash in between leaves such a run
open, and the next start closes it. Called by `direct`. Ends of runs that change something never come here.
"""

import asyncio
import logging

from governance.errors import GovernanceError
from runtime.engines.engine import Ended
from runtime.engines.journal import Journal

log = logging.getLogger("switchgear.runs")
# Long enough that calls in a row share a commit, too short for a person to notice in a list of runs.
DELAY_S = 0.05
# More than this in waiting: the database is slow, and callers wait for their own record.
MAX_WAITING = 64


class Ends:
    def __init__(self) -> None:
        self._waiting: list[tuple[Journal, Ended]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < MAX_WAITING

    def add(self, journal: Journal, ended: Ended) -> None:
        """`ended` will be recorded soon."""
        self._waiting.append((journal, ended))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._after_a_moment())

    async def settle(self) -> None:
        """Returns when everything added so far is on record."""
        waiting, self._waiting = self._waiting, []
        await self._write(waiting)
        if self._task is not None:
            await self._task

    async def _after_a_moment(self) -> None:
        while self._waiting:
            await asyncio.sleep(DELAY_S)
            waiting, self._waiting = self._waiting, []
            await self._write(waiting)

    async def _write(self, waiting: list[tuple[Journal, Ended]]) -> None:
        # Handed over together, they share a transaction of governance's one writer.
        outcomes = await asyncio.gather(*(journal.finish(ended) for journal, ended in waiting), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, GovernanceError):
                log.error("the end of a run is not recorded, the next start closes it: %s", outcome.message)
            elif isinstance(outcome, BaseException):
                raise outcome
