"""Messages to a hub, of its sites and of the command line: JSON to one address, and the JSON that comes back.

It is in the driver because this is the room with an HTTP client (`exchange`): no redirect, no proxy of the environment,
a bounded reply, a total time limit, and `tls` decides who is at the other end before a byte is sent. Called by
`runtime.sites.edge`. Here never lives what is said.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from runtime.driver import tls
from runtime.driver.exchange import ConnectionPool, Flight
from runtime.driver.wire import WireReply, WireRequest, address_of
from runtime.errors import FateUnknown, TargetError

Json = Any
MOST_REPLY_BYTES = 32 * 1024 * 1024


class HubClient:
    """`url`: of the hub's server, with a leading path perhaps. Raises Refused for one that is none."""

    def __init__(self, url: str, trust: str) -> None:
        self._address = address_of(url, "")
        self._trust = trust
        self._connections: ConnectionPool | None = None

    async def ask(
        self, method: str, path: str, body: Mapping[str, Json] | None, bearer: str, limit_s: float
    ) -> WireReply:
        """Raises TargetError."""
        return await self.send(method, path, b"" if body is None else orjson.dumps(body), bearer, limit_s)

    async def send(self, method: str, path: str, body: bytes, bearer: str, limit_s: float) -> WireReply:
        """Raises TargetError. `body`: JSON; `bearer`: what is shown, if anything."""
        address = self._address
        fields = {"host": address.authority, "content-type": "application/json", "content-length": str(len(body))}
        fields |= {"accept": "application/json"} | ({"authorization": f"Bearer {bearer}"} if bearer else {})
        headers = tuple((name.encode(), value.encode()) for name, value in fields.items())
        wire = WireRequest(method, f"{address.prefix}{path}".encode(), headers, body)
        try:
            async with asyncio.timeout(limit_s):
                connections = await self._connected()
                return await connections.over(wire, address.origin, "the hub", Flight(), MOST_REPLY_BYTES)
        except TimeoutError as error:
            raise FateUnknown(f"the hub did not answer in {limit_s:g} s") from error
        except TargetError:
            await self.aclose()  # with the certificate that was trusted: it may be another now
            raise

    async def aclose(self) -> None:
        connections, self._connections = self._connections, None
        if connections is not None:
            await connections.aclose()

    async def _connected(self) -> ConnectionPool:
        if self._connections is None:
            address = self._address
            is_plain = address.scheme == "http"
            verify = None if is_plain else await tls.context_for(self._trust, address.host, address.port)
            self._connections = ConnectionPool(verify, keeps_alive=True)
        return self._connections
