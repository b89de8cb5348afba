"""Which processes are the hub: beside a SQLite file one, on a PostgreSQL database all that have the hub's key.

The name is a lock (`storage.locks`) that falls when its holder dies. Beside a SQLite file the first has it, and another
is refused at its start with the reason, so that one which is started again and again takes over then. On PostgreSQL
replicas share it, and what sites say and are told is in rows (`shared_hub`); refused is a process with another key than
theirs, since sites trust one. Where the lock is lost with its connection it is taken back. Called by `serve` and
`service.watching`. Here never lives a dispatch (`hub`).
"""

import asyncio
import logging

from governance.errors import GovernanceError
from governance.storage.locks import Locks
from runtime.engines.executor import HUB
from runtime.errors import StartRefused
from runtime.sites.hub import Hub

log = logging.getLogger("switchgear.sites")
POLL_S = 1.0
# Who only wants to know whether there is a hub holds the name for a moment.
TRIES, PAUSE_S = 3, 0.2
_TAKEN = (
    "another process on this SQLite file is the hub already, and sites can come to one alone",
    "start this one without SWITCHGEAR_HUB_KEY, or stop the other; a supervisor that starts it again makes it the hub "
    "when the other ends; a hub of several processes takes PostgreSQL (docs/SITES.md)",
)
_OTHER_KEY = (
    "the hub's other processes on this database have another key, and sites trust theirs",
    "give this one the same file: SWITCHGEAR_HUB_KEY (docs/SITES.md)",
)


class HubCharge:
    def __init__(self, hub: Hub, locks: Locks) -> None:
        self._hub = hub
        self._locks = locks

    async def take(self) -> None:
        """This process is the hub from now on, if it is to be one. Raises StartRefused, UnavailableError."""
        if not self._hub.is_one:
            return
        if refused := await self._refused():
            raise StartRefused(*refused)
        await self._hub.refresh()

    async def watch(self) -> None:
        """Until cancelled, or this process may not be the hub any more."""
        while self._hub.is_one:
            try:
                if not await self._locks.holds(HUB) and (refused := await self._refused()):
                    log.error("%s: it has no sites from now on; %s", *refused)
                    self._hub.let_go()
                    return
            except GovernanceError as error:  # nobody else can take it now, either
                log.warning("whether this process is the hub cannot be told: %s", error.message)
            await asyncio.sleep(POLL_S)

    async def _refused(self) -> tuple[str, str] | None:
        """Why this process may not be the hub, and what to do; None: it is."""
        key = f"{HUB} {self._hub.signer().name}"  # held before HUB is: who sees the second has to see the first
        for number in range(TRIES):
            if await self._locks.share(key):
                if await self._locks.share(HUB):
                    return await self._with_others(key)
                await self._locks.release(key)
            await asyncio.sleep(PAUSE_S if number < TRIES - 1 else 0)
        return _TAKEN

    async def _with_others(self, key: str) -> tuple[str, str] | None:
        if await self._locks.is_alone(HUB) or not await self._locks.is_alone(key):
            return None
        for each in (HUB, key):
            await self._locks.release(each)
        return _OTHER_KEY
