"""This process as one that carries out runs: its name, and the proof that it lives.

The name stands at every run that it carries out. It is held as a lock (`governance.storage.locks`) which falls the
moment the process dies, however it dies: whoever can take a name's lock knows that nobody of that name is at work, and
may take over its runs. Where a lock can be lost with a connection, its holder looks again and again and takes it back,
and the others wait for that long before they believe in a death; a run that is taken over all the same is fenced off by
its row.
A name is never used by two processes. One name is no process's: what is in the hands of `HUB` is for whichever one
sites come to. Here never lives what is done with a dead one's runs (`supervisor`).
"""

import asyncio
import logging
import os
import secrets
import socket

from governance.errors import UnavailableError
from governance.storage.locks import Locks

log = logging.getLogger("switchgear.runs")
# So long a hub gets to come back, before others take up its runs: only where sites come to, they can be asked.
HUB_MOURNED_S = 120.0
# In whose hands a run is that only the hub can carry out; and the lock that whoever is the hub holds (`sites.charge`).
HUB = "hub"
# Three of the rounds in which a living process takes its name back; what a dead one left is still adopted within 5 s.
MOURNED_S = 1.5


class Executor:
    def __init__(self, locks: Locks, *, is_hub: bool = False) -> None:
        # People read it in the list of runs; the third part makes it one of its kind.
        kind = f"/{HUB}" if is_hub else ""
        self.name = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}{kind}"
        self.is_hub = is_hub
        self._locks = locks
        self._is_here = False
        self._appearing = asyncio.Lock()
        self._free_since: dict[str, float] = {}

    async def appear(self) -> None:
        """Returns when the name is held, or was when somebody last looked. Raises UnavailableError."""
        # One at a time: nobody can hold a name twice, so the second of two would take itself for somebody else.
        async with self._appearing:
            if not self._is_here:
                if not await self._locks.hold(_life(self.name)):
                    message = "this process cannot show that it lives, and begins nothing"
                    raise UnavailableError(message, "try again in a moment; see the database")
                self._is_here = True

    async def stay(self) -> None:
        """Looks whether the name is held, and takes it back where it was lost. Raises UnavailableError: not yet."""
        if self._is_here and not await self._locks.holds(_life(self.name)):
            self._is_here = False
            log.warning("the lock on this process's name was lost with its connection, and is taken again")
        await self.appear()

    async def is_dead(self, name: str) -> bool:
        """Whether nobody of that name is at work, for so long that a living one would have shown itself.

        Raises UnavailableError.
        """
        if name == HUB:
            return self.is_hub
        if name == self.name or not await self._locks.hold(_life(name)):
            self._free_since.pop(name, None)
            return False
        await self._locks.release(_life(name))
        now, mourned_s = asyncio.get_running_loop().time(), MOURNED_S if self._locks.may_be_lost else 0.0
        if name.endswith(f"/{HUB}") and not self.is_hub:
            mourned_s = HUB_MOURNED_S
        return now - self._free_since.setdefault(name, now) >= mourned_s

    async def is_there_a_hub(self) -> bool:
        """Whether a process on this database is the hub. Raises UnavailableError."""
        if self.is_hub or not await self._locks.hold(HUB):
            return True
        await self._locks.release(HUB)
        return False


def _life(name: str) -> str:
    return f"executor:{name}"
