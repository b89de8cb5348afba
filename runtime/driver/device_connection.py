"""The line to one device: its gate, its breaker, its connections, and the sessions that are open on it.

One object an address, whatever number of targets and profiles lead there: a device with two connections counts all
who come. Sessions belong to a door (address, trust, credentials), so that no token is shown to anybody else.
Called by `attempt`; who is at the other end is decided by `tls` before the first byte of a request.
"""

import asyncio
from typing import TYPE_CHECKING

from runtime.driver import tls
from runtime.driver.breaker import Breaker
from runtime.driver.credentials.logins import Logins
from runtime.driver.endpoint import DeviceEndpoint, Remote
from runtime.driver.exchange import KEEP_ALIVE_S, ConnectionPool
from runtime.driver.leases import Leases
from runtime.driver.remote.connections import RemoteConnections
from runtime.driver.site_connections import SiteConnections, Sites
from runtime.driver.throttle import Throttle
from runtime.errors import NotSent, Refused, Resting
from runtime.secrets import Vault

if TYPE_CHECKING:
    from runtime.driver.remote.session import RemoteSession

# A closed connection counts until the device has noticed: until then nobody gets its place.
LINGER_S = 0.1
# Idle connections are closed while nobody is inside, a little before they would be when the next request comes.
IDLE_S = 0.75 * KEEP_ALIVE_S
Carrier = ConnectionPool | RemoteConnections | SiteConnections


class DeviceConnection:
    def __init__(self, leases: Leases, sites: Sites | None = None) -> None:
        self.leases = leases
        self._sites = sites
        self.gate = Throttle()
        self.breaker = Breaker()
        self._opening = asyncio.Lock()
        self._connections: dict[str, ConnectionPool] = {}
        self._logins: dict[object, Logins] = {}
        self._remote: RemoteSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    def logins(self, endpoint: DeviceEndpoint) -> Logins:
        """What is known of sessions behind this endpoint's door."""
        return self._logins.setdefault(endpoint.door, Logins())

    @property
    def all_logins(self) -> tuple[Logins, ...]:
        return tuple(self._logins.values())

    @property
    def sessions(self) -> int:
        """How many are open there: logins of ours, and that with an MCP server."""
        return sum(len(each.held) for each in self.all_logins) + (self._remote is not None)

    @property
    def is_full(self) -> bool:
        """Whether the device opened no session through all pauses, a moment ago."""
        return any(each.is_known_full for each in self.all_logins)

    def check(self, name: str) -> None:
        """Raises Resting while the device is left in peace."""
        rest_s = self.breaker.rests_for(asyncio.get_running_loop().time())
        if rest_s > 0:
            why = self.breaker.why.removeprefix(f"{name}: ")
            last = f" (at last: {why})" if why else ""
            message = (
                f"{name} has failed {self.breaker.failures} times in a row{last} and is not asked for {rest_s:.0f} s"
            )
            raise Resting(message, "see whether the device is on and reachable; the next request after that tries it")

    async def carrier(self, endpoint: DeviceEndpoint, vault: Vault) -> Carrier:
        """What takes a request there: connections, calls of an MCP server's tools, dispatches. Raises TargetError."""
        if endpoint.remote is None:
            return await self.connections(endpoint)
        if endpoint.remote.server.is_site:
            return SiteConnections(self.sites_for(endpoint), endpoint.remote)
        return RemoteConnections(await self.remote(endpoint, vault), endpoint.remote)

    async def remote(self, endpoint: DeviceEndpoint, vault: Vault) -> "RemoteSession":
        """The session with an MCP server, another one where the server is another one now. Raises Refused."""
        from runtime.driver.remote.session import RemoteSession

        wanted = _enabled(endpoint)
        async with self._opening:
            if self._remote is not None and not self._remote.is_of(wanted.server, endpoint.tls):
                await self._remote.aclose()
                self._remote = None
            if self._remote is None:
                self._remote = RemoteSession(endpoint.name, wanted.server, endpoint.tls, vault)
            return self._remote

    def sites_for(self, endpoint: DeviceEndpoint) -> Sites:
        """Where the site `endpoint` comes to. Raises Refused, NotSent."""
        _enabled(endpoint)
        if self._sites is None:
            raise NotSent(f"the site {endpoint.name} does not come to this process", "ask the hub's server")
        return self._sites

    @property
    def has_changed_tools(self) -> bool:
        """Whether an MCP server has other tools than before; asked once for each change."""
        return self._remote is not None and self._remote.take_change()

    async def connections(self, endpoint: DeviceEndpoint) -> ConnectionPool:
        """The connections; the first caller checks who is at the other end. Raises TargetError."""
        known = self._connections.get(endpoint.tls)
        if known is not None:
            return known
        async with self._opening:
            if endpoint.tls not in self._connections:
                address = endpoint.address
                is_plain = address.scheme == "http"
                verify = None if is_plain else await tls.context_for(endpoint.tls, address.host, address.port)
                self._connections[endpoint.tls] = ConnectionPool(verify, keeps_alive=not self.leases.are_shared)
            return self._connections[endpoint.tls]

    def was_used(self) -> None:
        """From now on connections are idle, unless somebody is inside or comes soon."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(IDLE_S, self._begin_closing)

    def _begin_closing(self) -> None:
        if self.gate.inside == 0:
            self._closing = asyncio.create_task(self._close_idle())

    async def _close_idle(self) -> None:
        async with self.gate.place(1) as place:
            place.linger_s = LINGER_S
            for each in self._connections.values():
                await each.aclose()

    async def aclose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._closing is not None:
            await self._closing
        if self._remote is not None:
            await self._remote.aclose()
        connections, self._connections = list(self._connections.values()), {}
        for each in connections:
            await each.aclose()


def _enabled(endpoint: DeviceEndpoint) -> Remote:
    """What is no device at `endpoint`. Raises Refused for what is disabled."""
    wanted = endpoint.remote
    assert wanted is not None, "it is one"
    if not wanted.server.is_enabled:
        remedy = f"an admin enables it: switchgear servers enable {endpoint.name}"
        raise Refused(f"the server {endpoint.name} is disabled", remedy)
    return wanted
