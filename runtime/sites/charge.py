"""One process is the hub: whose sites come to it, and who hands over what, one memory has to know.

Beside the same database a second one is refused at its start, with the reason. The name is a lock (`storage.locks`)
that falls when its holder dies, so that one which is started again and again takes over then. Where the lock is lost
with its connection it is taken back; if another process was faster, this one lets its sites go to that. Called by
`serve` and `service.watching`. Here never lives a dispatch (`hub`).
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
_REFUSED = "another process on this database is the hub already, and sites can come to one alone"
_REMEDY = (
    "start this one without SWITCHGEAR_HUB_KEY, or stop the other; a supervisor that starts it again makes it the hub "
    "when the other ends (docs/SITES.md)"
)


class HubCharge:
    def __init__(self, hub: Hub, locks: Locks) -> None:
        self._hub = hub
        self._locks = locks

    async def take(self) -> None:
        """This process is the hub from now on, if it is to be one. Raises StartRefused, UnavailableError."""
        if self._hub.is_one and not await self._held():
            raise StartRefused(_REFUSED, _REMEDY)

    async def watch(self) -> None:
        """Until cancelled, or another process is the hub."""
        while self._hub.is_one:
            try:
                if not await self._locks.holds(HUB) and not await self._held():
                    log.error("%s: it has no sites from now on; %s", _REFUSED, _REMEDY)
                    self._hub.let_go()
                    return
            except GovernanceError as error:  # nobody else can take it now, either
                log.warning("whether this process is the hub cannot be told: %s", error.message)
            await asyncio.sleep(POLL_S)

    async def _held(self) -> bool:
        for number in range(TRIES):
            if await self._locks.hold(HUB):
                return True
            await asyncio.sleep(PAUSE_S if number < TRIES - 1 else 0)
        return False
