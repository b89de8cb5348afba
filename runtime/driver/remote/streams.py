"""What an MCP server says over HTTP, bounded and in portions: no server holds up anybody else's call.

As with devices (`runtime.driver.streams`): what comes before a reply is bounded, a reply in tiny pieces rests between
them and is given up. Of events the library takes all lines of a portion in one go, comments and empty ones too, so
they come to it in small portions; it bounds the single event, here is bounded what comes of all of them on one stream.
Nothing is taken from the environment, and nothing is inflated. The only file with this library. Called by `session`.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2

from runtime.driver.streams import HEAD, Head, Pieces, PortionedStream
from runtime.errors import BadReply

MOST_HTTP_BYTES = 16 * 1024 * 1024
# A line of an event takes 0.0005 ms, and has one byte at least.
EVENTS_AT_ONCE = 1_000


HTTP_ERRORS: tuple[type[Exception], ...] = (httpx2.HTTPError, httpx2.StreamError)


def http_client(verify: ssl.SSLContext | bool, **given: Any) -> httpx2.AsyncClient:
    """A client that takes nothing from the environment and no more than a bounded body."""
    return httpx2.AsyncClient(
        headers={**(given.get("headers") or {}), "accept-encoding": "identity"},
        timeout=given.get("timeout") or httpx2.Timeout(30.0, read=300.0),
        auth=given.get("auth"),
        transport=_BoundedTransport(verify),
        trust_env=False,
        follow_redirects=False,
    )


class _BoundedTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        super().__init__(verify=verify, trust_env=False)
        # It has no public way to be told how bytes are read (`tests/runtime/test_remote_floods.py` holds it).
        pool: Any = self._pool
        pool._network_backend = _Backend(pool._network_backend)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        head = Head(httpx2.RemoteProtocolError)

        async def noted(event: str, _info: dict[str, Any]) -> None:
            head.note(event)

        request.extensions = {**request.extensions, "trace": noted}
        HEAD.set(head)
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise httpx2.ReadError("the answer is compressed, which was not asked for", request=request)
        are_events = response.headers.get("content-type", "").strip().lower().startswith("text/event-stream")
        response.stream = _Body(response.stream, EVENTS_AT_ONCE if are_events else MOST_HTTP_BYTES)
        return response


class _Body(httpx2.AsyncByteStream):
    """A body that ends with an error where it is too large, or mostly framing. `most`: how much is told at once."""

    def __init__(self, stream: Any, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size, pieces = 0, Pieces()
        async for piece in self._stream:
            size += len(piece)
            if size > MOST_HTTP_BYTES:
                raise httpx2.ReadError(f"the answer is larger than {MOST_HTTP_BYTES} bytes")
            for part in _parts(piece, self._most):
                try:
                    await pieces.take(part)
                except BadReply as error:
                    raise httpx2.ReadError(error.message) from error
                yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


def _parts(piece: bytes, most: int) -> Iterator[bytes]:
    return (piece[at : at + most] for at in range(0, len(piece), most))


class _Backend:
    """Connects as `inner` does."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def connect_tcp(self, *where: Any, **how: Any) -> PortionedStream:
        return PortionedStream(await self._inner.connect_tcp(*where, **how))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
