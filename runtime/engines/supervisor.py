"""Who looks after open runs: hands on a wish to cancel, finds orphans and has them taken up or closed, sweeps old ones.

A round is one small query. An orphan is an open run whose executor is dead, or nobody's: durable ones are carried on,
here or in whichever living process DBOS hands them to; reads, and what nobody can carry on, are closed. Every process
that serves has a keeper; two that see the same orphan do no harm, since a run is in one process's hands at a time.
Called by `choice`.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from governance.runs.open_runs import OpenRun
from governance.storage.identifiers import moment
from runtime.engines.dbos_process import workflow_id
from runtime.engines.direct import DirectEngine
from runtime.engines.durable import DurableEngine
from runtime.engines.durable_run import DurableRun
from runtime.engines.executor import Executor
from runtime.engines.journal import RunRecords
from runtime.engines.recovery import verdict_elsewhere
from runtime.observing.rounds import Rounds

log = logging.getLogger("switchgear.runs")
# An orphan is taken up within five seconds: this wait, mourning (`executor`), and DBOS's own second.
ROUND_S = 0.5
# Where no run is open and the database is a file that nobody touched, it is asked in every tenth round.
ROUNDS_WITHOUT_A_TOUCH = 10
ROUNDS_BETWEEN_SWEEPS = 120
NOT_CARRIED_ON = "runs that only read are not carried on"
LEFT_ELSEWHERE = "it was open when the database was copied, and the other installation may have gone on with it"
LOST = "it was lost inside the server: see its log"


class RunSupervisor:
    def __init__(
        self,
        books: RunRecords,
        executor: Executor,
        direct: DirectEngine,
        durable: DurableEngine,
        carrier: DurableRun,
        keep_days: int,
    ) -> None:
        self._books = books
        self._executor = executor
        self._direct = direct
        self._durable = durable
        self._carrier = carrier
        self._keep_days = keep_days
        self._rounds = Rounds(log, "open runs cannot be looked after")
        self._untouched = books.open_runs.untouched(ROUNDS_WITHOUT_A_TOUCH)
        self._has_some = True
        self.adopted_at: str | None = ""
        """Runs of before are another installation's, of which this database is a copy: they are closed, not carried on.
        None: it is a copy, and nothing of what it holds is this server's."""

    async def watch(self) -> None:
        """Until cancelled."""
        number = 0
        while True:
            with self._rounds.one():
                await self.look()
            if number % ROUNDS_BETWEEN_SWEEPS == 0:
                with self._rounds.one():
                    await self.sweep()
            number += 1
            await asyncio.sleep(ROUND_S)

    async def look(self) -> tuple[str, ...]:
        """One round; the ids of the orphans that it found. Raises GovernanceError."""
        await self._executor.stay()
        if self._untouched.since_last() and not self._has_some:
            return ()
        self._has_some = True  # until it is known
        found = await self._books.open_runs.look()
        self._has_some = bool(found)
        for run in found:
            if run.cancel_by is not None and run.executor == self._executor.name:
                self._direct.cancel(run.id)
                self._durable.cancel(run.id)
            elif run.is_durable and run.executor == self._executor.name and run.id not in self._durable.under_way:
                await self._carrier.give_up(await self._books.runs.get(run.id), LOST)
        orphans = () if self.adopted_at is None else await self._orphans(found)
        kept = tuple([(run.id, run.part) for run in orphans if await self._goes_on(run)])
        if kept:
            dead = {run.executor for run in orphans if run.executor is not None}
            await self._durable.take_over(tuple(sorted(dead)), kept)
        return tuple(run.id for run in orphans)

    async def _goes_on(self, orphan: OpenRun) -> bool:
        """Whether it may be carried on; if not, it is closed."""
        run = await self._books.runs.get(orphan.id)
        if orphan.is_durable and self.adopted_at is not None and run.started_at > self.adopted_at:
            return True
        if orphan.is_durable:
            await self._carrier.give_up(run, LEFT_ELSEWHERE, verdict_elsewhere)
        else:
            await self._carrier.give_up(run, NOT_CARRIED_ON)
        return False

    async def _orphans(self, found: tuple[OpenRun, ...]) -> tuple[OpenRun, ...]:
        names = {run.executor for run in found if run.executor is not None}
        dead = {name for name in sorted(names) if await self._executor.is_dead(name)}
        under_way = self._durable.under_way
        return tuple(run for run in found if run.id not in under_way and (run.executor is None or run.executor in dead))

    async def sweep(self) -> None:
        """Forgets what is old, and the checkpoints of what is over. Raises GovernanceError."""
        before = moment(datetime.now(UTC) - timedelta(days=self._keep_days))
        await self._durable.forget()
        while swept := await self._books.open_runs.sweep(before):
            log.info("%d old runs are forgotten; the audit keeps what they did", len(swept))
            await self._durable.forget(tuple(workflow_id(run.id, n) for run in swept for n in range(run.parts)))
