"""Places at a device across processes: who may speak to it, when several replicas share one database.

In one process the device's gate suffices (`driver.gate`). Replicas take, besides, one of as many locks as the device
stands connections, and close the connection before they let go: a device that takes two never sees three. A lock
falls with its process. Whoever finds none free tries again a moment later, and stops with its own deadline.
Used by `driver`; the locks are `governance.storage.locks`. Here never lives a request.
"""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from governance.errors import GovernanceError
from governance.storage.locks import Locks
from runtime.errors import NotSent

# Between two attempts: a request to such a device takes tens of milliseconds and more.
SHORTEST_S, LONGEST_S = 0.01, 0.04


@dataclass(frozen=True, slots=True)
class Leases:
    """`locks` None: this process is the only one, and may keep its connections open."""

    locks: Locks | None = None
    leaving: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    @property
    def are_shared(self) -> bool:
        """Whether other processes count on the places, so that no connection may stay open."""
        return self.locks is not None

    @asynccontextmanager
    async def place(self, device: str, limit: int, linger_s: float = 0.0) -> AsyncIterator[None]:
        """One of `limit` places at `device`, as long as the block runs and `linger_s` longer.

        Raises NotSent when locks cannot be had.
        """
        if self.locks is None:
            yield
            return
        try:
            name = await _held(self.locks, device, limit)
        except GovernanceError as error:
            raise NotSent(f"no place at {device} can be had: {error.message}", error.remedy) from error
        try:
            yield
        finally:
            self.leaving.add(leaving := asyncio.create_task(_released(self.locks, name, linger_s)))
            leaving.add_done_callback(self.leaving.discard)

    async def aclose(self) -> None:
        """Returns when every place is given back."""
        while self.leaving:
            await asyncio.wait(tuple(self.leaving))


async def _held(locks: Locks, device: str, limit: int) -> str:
    for number in itertools.count():
        name = f"device:{device}#{number % limit}"
        if await locks.hold(name):
            return name
        if number % limit == limit - 1:
            await asyncio.sleep(random.uniform(SHORTEST_S, LONGEST_S))  # noqa: S311  so that replicas take turns
    raise AssertionError("counting has no end")


async def _released(locks: Locks, name: str, linger_s: float) -> None:
    await asyncio.sleep(linger_s)
    # If the connection is lost, so is the lock.
    with contextlib.suppress(GovernanceError):
        await locks.release(name)
