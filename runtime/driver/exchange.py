"""One request over one connection, and its reply: the only file with an HTTP client, which is httpcore.

It carries a request as it is given and does nothing besides: no proxies of the environment, no netrc, no redirect, no
cookie, no header of its own. Bodies are bounded after inflating. Foreign errors become ours here, once: whether bytes
of the request may have left decides between «not sent» and «fate unknown». Time limits are the caller's. Called by
`line`, `journey` and `posting`. RFC 9110, 9112.
"""

import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpcore

from runtime.driver.means import REMEDY, lack_of
from runtime.driver.streams import HEAD, Backend, Head, Pieces
from runtime.driver.wire import Inflater, Reply, WireRequest, read_body
from runtime.errors import BadReply, FateUnknown, NotSent, Refused, TargetError, Unable

CONNECT_TIMEOUT_S = 10.0
# A management controller frees an idle connection after seconds; a request on one that it just closed is lost.
KEEP_ALIVE_S = 4.0
FOREIGN = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    ssl.SSLError,
)


@dataclass(slots=True)
class Flight:
    """Whether bytes of the request may have left (told by the transport's trace); whether the connection is kept."""

    may_have_left: bool = False
    is_kept: bool = False
    head: Head = field(default_factory=Head)

    async def trace(self, name: str, _info: dict[str, Any]) -> None:
        self.head.note(name)
        if name.endswith("send_request_headers.started"):
            self.may_have_left = True


class Connections:
    """Connections to one address under one way of trusting it. How many there are is bounded by the gate."""

    def __init__(self, verify: ssl.SSLContext | None, *, keeps_alive: bool) -> None:
        """`verify`: None where nothing is encrypted. `keeps_alive`: connections stay open for a while; not where other
        processes have their turn meanwhile."""
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=None,
            max_keepalive_connections=None if keeps_alive else 0,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=Backend(),
        )

    async def aclose(self) -> None:
        """Closes all; a later request opens anew."""
        await self._pool.aclose()

    async def over(self, wire: WireRequest, origin: str, name: str, flight: Flight, max_body_bytes: int) -> Reply:
        """The reply to `wire`. `name` is how messages call the device. Raises TargetError."""
        request = httpcore.Request(
            wire.method,
            _parsed(origin),
            headers=list(wire.headers),
            content=wire.body,
            extensions={"target": wire.target, "trace": flight.trace, "timeout": {"connect": CONNECT_TIMEOUT_S}},
        )
        HEAD.set(flight.head)
        try:
            response = await self._pool.handle_async_request(request)
            reply = await _received(response, max_body_bytes)
            is_old = response.extensions.get("http_version") == b"HTTP/1.0"
            flight.is_kept = not is_old and "close" not in _field(reply.headers, "connection").lower()
            return reply
        except BadReply as error:
            error.message = f"{name}: {error.message}"
            raise
        except FOREIGN as error:
            raise _judged(error, name, flight) from error

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, name: str) -> tuple[int, Mapping[str, str]]:
        """Status and fields of the reply to a posted message; of its body nothing is read. Raises TargetError."""
        flight = Flight(may_have_left=True)
        extensions = {"timeout": {"connect": CONNECT_TIMEOUT_S}, "trace": flight.trace}
        told = {"host": urlsplit(url).netloc.rpartition("@")[2], **headers, "content-length": str(len(body))}
        request = httpcore.Request(
            "POST", _parsed(url), headers=list(told.items()), content=body, extensions=extensions
        )
        HEAD.set(flight.head)
        try:
            response = await self._pool.handle_async_request(request)
            await response.aclose()
        except FOREIGN as error:
            raise _judged(error, name, flight) from error
        return response.status, dict(_fields(response))


def _fields(response: httpcore.Response) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("ascii").lower(), value.decode("latin-1")) for name, value in response.headers)


async def _received(response: httpcore.Response, max_body_bytes: int) -> Reply:
    fields = _fields(response)
    try:
        body = Inflater(_field(fields, "content-encoding").strip(), max_body_bytes)
        pieces = Pieces()
        async for piece in response.aiter_stream():
            await pieces.take(piece)
            body.feed(piece)
    finally:
        await response.aclose()
    return Reply(response.status, fields, read_body(response.status, _field(fields, "content-type"), body.whole()))


def _field(fields: Iterable[tuple[str, str]], name: str) -> str:
    """All values of that name, as RFC 9110, 5.3 joins them."""
    return ", ".join(value for key, value in fields if key == name)


def _judged(error: Exception, name: str, flight: Flight) -> TargetError:
    """What an error of the transport says of the request."""
    text = f"{name}: {_SENT.sub('', str(error)) or type(error).__name__}"
    if isinstance(error, httpcore.LocalProtocolError | httpcore.UnsupportedProtocol):
        return Refused(text, "the request is not valid HTTP")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Refused(text, "the device is not who it was: somebody must look before its tls setting is changed")
    if flight.may_have_left:
        return FateUnknown(text, "look at the device before asking again")
    if lack := lack_of(error):
        return Unable(f"{name} could not be connected to: this server {lack}", REMEDY)
    return NotSent(text, "check that the device is on and can be reached from here")


# What the device sent, as h11 prints it: no news to anybody, and it may repeat what it was told.
_SENT = re.compile(r":?\s*(?:bytearray\()?\bb['\"].*", re.DOTALL)


@lru_cache(maxsize=1024)
def _parsed(origin: str) -> httpcore.URL:
    return httpcore.URL(origin)
