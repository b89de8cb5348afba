"""The line to one device: its gate, its breaker, its connections, and the sessions that are open on it.

One object an address, whatever number of targets and profiles lead there: a device with two connections counts all
who come. Sessions belong to a door (address, trust, credentials), so that no token is shown to anybody else.
Called by `journey`; who is at the other end is decided by `tls` before the first byte of a request.
"""

import asyncio

from runtime import tls
from runtime.driver.breaker import Breaker
from runtime.driver.endpoint import Endpoint
from runtime.driver.exchange import Connections
from runtime.driver.gate import Gate
from runtime.driver.logins import Logins
from runtime.errors import Resting


class Line:
    def __init__(self) -> None:
        self.gate = Gate()
        self.breaker = Breaker()
        self._opening = asyncio.Lock()
        self._connections: dict[str, Connections] = {}
        self._logins: dict[object, Logins] = {}

    def logins(self, endpoint: Endpoint) -> Logins:
        """What is known of sessions behind this endpoint's door."""
        return self._logins.setdefault(endpoint.door, Logins())

    @property
    def all_logins(self) -> tuple[Logins, ...]:
        return tuple(self._logins.values())

    def check(self, name: str) -> None:
        """Raises Resting while the device is left in peace."""
        rest_s = self.breaker.rests_for(asyncio.get_running_loop().time())
        if rest_s > 0:
            message = f"{name} has failed {self.breaker.failures} times in a row and is not asked for {rest_s:.0f} s"
            raise Resting(message, "see whether the device is on and reachable; the next request after that tries it")

    async def connections(self, endpoint: Endpoint) -> Connections:
        """The connections; the first caller checks who is at the other end. Raises TargetError."""
        known = self._connections.get(endpoint.tls)
        if known is not None:
            return known
        async with self._opening:
            if endpoint.tls not in self._connections:
                address = endpoint.address
                is_plain = address.scheme == "http"
                verify = False if is_plain else await tls.context_for(endpoint.tls, address.host, address.port)
                self._connections[endpoint.tls] = Connections(verify)
            return self._connections[endpoint.tls]

    async def aclose(self) -> None:
        connections, self._connections = list(self._connections.values()), {}
        for each in connections:
            await each.aclose()
