"""Both engines behind the one port: reads run directly, everything that changes something durably.

Which one it is follows from the plan, so that nobody chooses the weaker one; reads that were asked for with a key have
to be found again and are durable, too, and so are those that another process carries out, to which a site comes. The
keeper watches over the runs of both as long as the server serves; a command that runs one workflow needs none. Called
by `calls` and by `app`.
"""

import asyncio
import contextlib

from runtime.driver import Driver
from runtime.engines.direct import DirectEngine
from runtime.engines.durable import DurableEngine
from runtime.engines.durable_run import DurableRun
from runtime.engines.engine import Ended, Order, Told
from runtime.engines.executor import Executor
from runtime.engines.journal import RunRecords
from runtime.engines.restore import Restorer
from runtime.engines.supervisor import RunSupervisor


class Engines:
    """`keep_days`: how long a run that has ended can be looked up."""

    def __init__(
        self, driver: Driver, books: RunRecords, executor: Executor, restorer: Restorer, keep_days: int
    ) -> None:
        carrier = DurableRun(driver, books, executor, restorer)
        self._executor = executor
        self._direct = DirectEngine(driver, books, executor)
        self._durable = DurableEngine(books, executor, carrier)
        self._keeper = RunSupervisor(books, executor, self._direct, self._durable, carrier, keep_days)
        self._watching: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Under which runs say who carries them out."""
        return self._executor.name

    @property
    def trouble(self) -> str:
        """Why runs that change something cannot be carried out; empty where they can."""
        return self._durable.trouble

    async def probe(self) -> None:
        await self._durable.probe()

    async def run(self, order: Order, told: Told | None = None) -> Ended:
        is_elsewhere = order.endpoint.is_asked_by_id and not self._executor.is_hub
        is_direct = order.is_plan or (order.program.is_read_only and not order.key and not is_elsewhere)
        engine = self._direct if is_direct else self._durable
        return await engine.run(order, told)

    async def settle(self) -> None:
        await self._direct.settle()

    async def recover(self) -> tuple[str, ...]:
        return await self._keeper.look()

    def watch(self, adopted_at: str | None = "") -> None:
        """From now on open runs are looked after; `adopted_at`: see `RunSupervisor`."""
        self._keeper.adopted_at = adopted_at
        self._watching = asyncio.create_task(self._keeper.watch())

    async def park(self) -> None:
        await self._stop_watching()
        await asyncio.gather(self._direct.park(), self._durable.park())

    async def close(self) -> None:
        await self._stop_watching()
        await asyncio.gather(self._direct.close(), self._durable.close())

    async def _stop_watching(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
