"""The twin over HTTP: an ASGI application, and the loop that serves it.

`/_twin/…` are the switches and the record of requests, in JSON; everything below the description's base path goes to
`Twin.handle`. Loopback only unless told otherwise: a twin takes well-known credentials. Requests are handled one after
another, so the record is the order in which the device saw them. Called by `switchgear mock` and end-to-end tests.
"""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from compiler.errors import CompilerError
from compiler.twin.behaviours.acting import CLOSED
from compiler.twin.machine import Twin
from compiler.twin.requests.messages import TwinReply, TwinRequest

Json = Any
_LINE = "switchgear.line"
MAX_BODY_BYTES = 64 * 1024 * 1024  # an upload of an image in a test; more would only fill the memory


def application(twin: Twin) -> Starlette:
    """The ASGI application over `twin`."""
    device = _Device(twin)
    switches = [
        Route("/_twin/requests", device.requests, methods=["GET"]),
        Route("/_twin/reset", device.reset, methods=["POST"]),
        Route("/_twin/fail-next-job", device.fail_next_job, methods=["POST"]),
        Route("/_twin/expire-sessions", device.expire_sessions, methods=["POST"]),
        Route("/_twin/change-etag", device.change_etag, methods=["POST"]),
    ]
    return Starlette(routes=[*switches, Route("/{path:path}", _OfAnyMethod(device.answer))])


class _Device:
    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    async def answer(self, request: Request) -> Response:
        body = await _body_of(request)
        if body is None:
            return JSONResponse({"message": f"more than {MAX_BODY_BYTES} bytes"}, 413)
        raw = request.scope.get("raw_path", request.url.path.encode()).partition(b"?")[0].decode("latin-1")
        base = self._twin.base_path
        if base and raw != base and not raw.startswith(base + "/"):
            return JSONResponse({"message": f"the API is at {base}"}, 404)
        reply = self._twin.handle(_asked(request, raw[len(base) :] or "/", body))
        if reply.status == CLOSED:
            await _hang_up(request)
            return Response(status_code=204)  # nobody is there to read it
        return _answered(reply)

    async def requests(self, _: Request) -> Response:
        return JSONResponse([recorded.to_json() for recorded in self._twin.requests])

    async def reset(self, _: Request) -> Response:
        self._twin.reset()
        return Response(status_code=204)

    async def fail_next_job(self, request: Request) -> Response:
        self._twin.fail_next_job(request.query_params.get("message", "the device could not do it"))
        return Response(status_code=204)

    async def expire_sessions(self, _: Request) -> Response:
        self._twin.expire_sessions()
        return Response(status_code=204)

    async def change_etag(self, request: Request) -> Response:
        path = request.query_params.get("path", "")
        if not path.startswith("/"):
            return JSONResponse({"message": "say what has changed: ?path=/…"}, 400)
        self._twin.set_etag_changed(path.removeprefix(self._twin.base_path))
        return Response(status_code=204)


class _OfAnyMethod:
    """An answer to requests of every method: a function would be asked for those alone that are listed."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)


class _WithLine:
    """The application, whose requests know the connection that they came over: a device may hang up."""

    def __init__(self, twin: Twin) -> None:
        self._application = application(twin)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope[_LINE] = getattr(getattr(send, "__self__", None), "transport", None)
        await self._application(scope, receive, send)


async def _hang_up(request: Request) -> None:
    transport = request.scope.get(_LINE)
    if transport is not None:
        transport.close()
        await asyncio.sleep(0)  # the server hears of it in the next turn of the loop, and sends nothing then


async def _body_of(request: Request) -> bytes | None:
    """The whole body, None when it is longer than the limit."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MAX_BODY_BYTES:
            return None
    return bytes(chunks)


def _asked(request: Request, path: str, body: bytes) -> TwinRequest:
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw)
    media = (request.headers.get("content-type") or "application/json").partition(";")[0].strip().lower()
    query = tuple((name, value) for name, value in request.query_params.multi_items())
    return TwinRequest(request.method, path, query, headers, _parsed(media, body), has_body=bool(body))


def _parsed(media: str, body: bytes) -> Json:
    """JSON as values, anything else (and what only says that it is JSON) as it came."""
    if not body:
        return None
    if not media.endswith("json"):
        return body
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body


def _answered(reply: TwinReply) -> Response:
    headers = {"cache-control": "no-store", **dict(reply.headers)}
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, headers, media_type="application/octet-stream")
    return Response(orjson.dumps(reply.body), reply.status, headers, media_type="application/json")


class AddressError(CompilerError):
    """The address cannot be listened on."""

    exit_code = 2
    remedy = "give another --host or --port; --port 0 takes a free one"


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises AddressError when the address is not ours or taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen()  # from here on clients wait instead of being refused
    except OSError as error:
        bound.close()
        raise AddressError(f"{host} port {port}: {error.strerror or error}") from error
    return bound


def url_of(bound: socket.socket, base_path: str) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}{base_path}" if ":" in host else f"http://{host}:{port}{base_path}"


def announce(kind: str, url: str, *, as_json: bool, write: Callable[[str], object] | None = None) -> None:
    """One line on standard error that says where the mock is."""
    said = json.dumps({"mock": kind, "url": url}) if as_json else f"{kind} listening on {url}"
    (write or sys.stderr.write)(said + "\n")
    sys.stderr.flush()


async def serve(twin: Twin, bound: socket.socket) -> None:
    """Serves until the process is told to stop. The socket is closed at the end."""
    config = uvicorn.Config(_WithLine(twin), log_level="warning", access_log=False, lifespan="off")
    with bound:
        await uvicorn.Server(config).serve(sockets=[bound])


@contextlib.asynccontextmanager
async def running(twin: Twin, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """The twin served in this event loop while the block runs; gives its URL. For tests and demonstrations."""
    bound = listen(host, port)
    config = uvicorn.Config(_WithLine(twin), log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield url_of(bound, twin.base_path)
    finally:
        server.should_exit = True
        await task
        bound.close()
