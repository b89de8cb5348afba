"""Messages posted to addresses that an admin has named: no device, no session, no second try here.

It is in the driver because this is the room with an HTTP client (`exchange`): no redirect, no proxy of the environment,
nothing of the reply's body is read, a total time limit. Who is at the other end is decided by `runtime.driver.tls`
before a byte is sent. Called by `runtime.background.delivering`. Here never lives what is sent, nor when it is tried
again.
"""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from runtime.driver import tls
from runtime.driver.exchange import ConnectionPool
from runtime.errors import FateUnknown, TargetError

# A receiver has to note the message, not to act on it; Standard Webhooks asks senders for 15 to 30 s.
DEADLINE_S = 15.0


class Poster:
    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._connections: dict[tuple[str, str], ConnectionPool] = {}

    async def post(
        self, url: str, trust: str, headers: Mapping[str, str], body: bytes, name: str
    ) -> tuple[int, Mapping[str, str]]:
        """Status and fields of the reply. `name` is how messages call the receiver. Raises TargetError."""
        try:
            async with asyncio.timeout(self._deadline_s):
                connections = await self._to(url, trust)
                return await connections.post(url, headers, body, name)
        except TimeoutError as error:
            raise FateUnknown(f"{name} did not answer in {self._deadline_s:g} s") from error
        except TargetError:
            self._connections.pop((url, trust), None)  # with the certificate that was trusted: it may be another now
            raise

    async def aclose(self) -> None:
        connections, self._connections = list(self._connections.values()), {}
        for each in connections:
            await each.aclose()

    async def _to(self, url: str, trust: str) -> ConnectionPool:
        if (url, trust) not in self._connections:
            parts = urlsplit(url)
            is_plain = parts.scheme == "http"
            verify = None if is_plain else await tls.context_for(trust, parts.hostname or "", parts.port or 443)
            self._connections[url, trust] = ConnectionPool(verify, keeps_alive=False)
        return self._connections[url, trust]
