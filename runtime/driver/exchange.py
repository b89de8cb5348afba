"""One request over one connection, and its reply: the only file with httpx.

Nothing of the environment counts (no proxies, no netrc), no redirect is followed, no cookie is kept; bodies are bounded
after inflating. Foreign errors become ours here, once: whether bytes of the request may have left decides between
«not sent» and «fate unknown». Time limits are the caller's. Called by `device_connection`, `attempt` and `posting`. RFC
9110, 9112.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx

from runtime.driver.means import REMEDY, lack_of
from runtime.driver.streams import HEAD, Backend, Head, Pieces
from runtime.driver.wire import Inflater, WireReply, WireRequest, read_body
from runtime.errors import BadReply, FateUnknown, NotSent, Refused, TargetError, Unable

CONNECT_TIMEOUT_S = 10.0
# A management controller frees an idle connection after seconds; a request on one that it just closed is lost.
KEEP_ALIVE_S = 4.0


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


class ConnectionPool:
    """Connections to one address under one way of trusting it. How many there are is bounded by the gate."""

    def __init__(self, verify: ssl.SSLContext | None, *, keeps_alive: bool) -> None:
        """`verify`: None where nothing is encrypted. `keeps_alive`: connections stay open for a while; not where other
        processes have their turn meanwhile."""
        idle = None if keeps_alive else 0
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=idle, keepalive_expiry=KEEP_ALIVE_S)
        self._transport = httpx.AsyncHTTPTransport(verify=verify or False, trust_env=False, limits=limits)
        # It has no public way to be told how bytes are read (`tests/runtime/test_hostile_replies.py` holds it).
        self._transport._pool._network_backend = Backend()

    async def aclose(self) -> None:
        """Closes all; a later request opens anew."""
        await self._transport.aclose()

    async def over(self, wire: WireRequest, origin: str, name: str, flight: Flight, max_body_bytes: int) -> WireReply:
        """The reply to `wire`. `name` is how messages call the device. Raises TargetError."""
        request = httpx.Request(
            wire.method,
            _parsed(origin),
            headers=list(wire.headers),
            content=wire.body or None,
            extensions={"target": wire.target, "trace": flight.trace, "timeout": {"connect": CONNECT_TIMEOUT_S}},
        )
        HEAD.set(flight.head)
        try:
            response = await self._transport.handle_async_request(request)
            reply = await _received(response, max_body_bytes)
            is_old = response.extensions.get("http_version") == b"HTTP/1.0"
            flight.is_kept = not is_old and "close" not in response.headers.get("connection", "").lower()
            return reply
        except BadReply as error:
            error.message = f"{name}: {error.message}"
            raise
        except (httpx.HTTPError, httpx.StreamError, ssl.SSLError) as error:
            raise _judged(error, name, flight) from error

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, name: str) -> tuple[int, Mapping[str, str]]:
        """Status and fields of the reply to a posted message; of its body nothing is read. Raises TargetError."""
        flight = Flight(may_have_left=True)
        extensions = {"timeout": {"connect": CONNECT_TIMEOUT_S}, "trace": flight.trace}
        request = httpx.Request("POST", _parsed(url), headers=dict(headers), content=body, extensions=extensions)
        HEAD.set(flight.head)
        try:
            response = await self._transport.handle_async_request(request)
            await response.aclose()
        except (httpx.HTTPError, httpx.StreamError, ssl.SSLError) as error:
            raise _judged(error, name, flight) from error
        return response.status_code, {key.lower(): value for key, value in response.headers.items()}


async def _received(response: httpx.Response, max_body_bytes: int) -> WireReply:
    try:
        body = Inflater(response.headers.get("content-encoding", "").strip(), max_body_bytes)
        pieces = Pieces()
        async for piece in response.aiter_raw():
            await pieces.take(piece)
            body.feed(piece)
    finally:
        await response.aclose()
    fields = tuple((key.decode("ascii").lower(), value.decode("latin-1")) for key, value in response.headers.raw)
    content_type = response.headers.get("content-type", "")
    return WireReply(response.status_code, fields, read_body(response.status_code, content_type, body.whole()))


def _judged(error: Exception, name: str, flight: Flight) -> TargetError:
    """What an error of the transport says of the request."""
    text = f"{name}: {_SENT.sub('', str(error)) or type(error).__name__}"
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
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
def _parsed(origin: str) -> httpx.URL:
    return httpx.URL(origin)
