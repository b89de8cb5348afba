"""Redirects of reads, followed within the device: some answer an address without a slash by one with a slash.

Never followed: what changes something, what leads to another scheme, host or port or out of the target's own path, and
what is not written plainly. Such a reply goes to the workflow as it is, and so does one that only leads to a page for
people. Each hop is a request like any other, noted and bounded. Pure but for the requests. RFC 9110, 15.4; THREATS.md
C2, C3. Called by `admission` for the requests of steps.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from runtime.driver.wire import Address, WireReply, checked_path
from runtime.errors import Refused
from workflow.requests.events import SendRequest

FOLLOWED = frozenset({301, 302, 307, 308})
# A slash, a newer version, a canonical name: three. More is a circle.
MOST_HOPS = 5
METHODS = frozenset({"GET", "HEAD"})
Send = Callable[[SendRequest, Address], Awaitable[WireReply]]


@dataclass(frozen=True, slots=True)
class Hop:
    """The request that a redirect asks for, and the address below which its path is."""

    command: SendRequest
    address: Address


async def followed(command: SendRequest, address: Address, send: Send) -> WireReply:
    """The reply to `command`, or to what it is redirected to; the redirect itself where that may not be followed."""
    first = reply = await send(command, address)
    for _ in range(MOST_HOPS):
        hop = next_hop(command, address, reply)
        if hop is None:
            break
        command, address = hop.command, hop.address
        reply = await send(command, address)
    return first if reply is not first and _is_page(reply) else reply


def next_hop(command: SendRequest, address: Address, reply: WireReply) -> Hop | None:
    """Where `reply` to `command` leads on; None where it leads nowhere that we go."""
    location = reply.header("location") or ""
    if reply.status not in FOLLOWED or command.method not in METHODS or not command.is_safe or command.body is not None:
        return None
    path, query = _own_place(location, address)
    if not path.startswith(f"{address.root}/"):
        return None
    base = address.prefix if path.startswith(f"{address.prefix}/") else address.root
    inner = path.removeprefix(base)
    try:
        checked_path(inner, inner)
    except Refused:
        return None
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    is_slash = inner.rstrip("/") == command.path.rstrip("/") and base == address.prefix
    # Who only wants a slash means the same question, though some forget to repeat it.
    asked = pairs if query or not is_slash else command.query
    onward = replace(command, path=inner, path_template=inner, query=asked)
    return Hop(onward, replace(address, prefix=base))


def _own_place(location: str, address: Address) -> tuple[str, str]:
    """Path and query that `location` names on this device, written without doubt; empty where it does not."""
    if not location.isascii() or any(mark in location for mark in "\\ \t{}"):
        return "", ""
    try:
        parts = urlsplit(location)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", ""
    is_here = (parts.scheme, parts.hostname, port) == (address.scheme, address.host.lower(), address.port)
    is_whole = location.lower().startswith(f"{address.scheme}://") and is_here and "@" not in parts.netloc
    is_path = location.startswith("/") and not location.startswith("//")
    if not (is_whole or is_path) or "//" in parts.path:
        return "", ""
    return parts.path, parts.query


def _is_page(reply: WireReply) -> bool:
    """Whether it is for a person's eyes: a form to log in, say, which is no answer to what was asked."""
    return 200 <= reply.status < 300 and "html" in (reply.header("content-type") or "").lower()
