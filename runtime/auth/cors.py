"""Web pages of other origins that may call this server from a browser: those that a setting names, with a token alone.

In front of the gate, which refuses every other foreign origin. What such a page sends carries no cookie to the gate,
and without a credential it is nobody, also where this machine needs none: a page is not a person at this machine. A
preflight is answered here and reaches nothing. Fetch standard, CORS protocol. Called by `app`.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.auth.access import check_addresses, rule_for
from runtime.errors import StartRefused
from runtime.problems import Problem, respond

METHODS = "GET, POST, PUT, PATCH, DELETE"
# What our own clients and MCP's send, and what they read.
TAKES = "authorization, content-type, accept, idempotency-key, if-match, if-none-match, last-event-id, " + (
    "mcp-session-id, mcp-protocol-version, mcp-method, mcp-name"
)
SHOWS = "location, link, etag, retry-after, www-authenticate, mcp-session-id, mcp-protocol-version"
# So long a browser remembers the answer: an origin that is taken out of the setting is out soon.
LASTS_S = 600
_HELD_BACK = (b"origin", b"cookie")


def origins_in(setting: str) -> frozenset[str]:
    """The origins that a setting names. Raises StartRefused for what is none."""
    found = [each.strip().rstrip("/").lower() for each in setting.split(",") if each.strip()]
    for origin in found:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
            remedy = "name origins as browsers send them, separated by commas: https://chat.example:8443"
            raise StartRefused(f"{origin!r} in SWITCHGEAR_CORS_ORIGINS is no origin", remedy)
    return frozenset(found)


class Cors:
    """In front of `app`, the gate. `hosts`: see `Gate`."""

    def __init__(self, app: ASGIApp, origins: Iterable[str], hosts: frozenset[str] | None) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin", "").lower() if scope["type"] == "http" else ""
        if origin not in self._origins:
            await self._app(scope, receive, send)
            return
        told = [(b"access-control-allow-origin", origin.encode()), (b"vary", b"origin")]

        async def allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                shows = (b"access-control-expose-headers", SHOWS.encode())
                message = {**message, "headers": [*message["headers"], *told, shows]}
            await send(message)

        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._preflight(scope, receive, allowed)
        elif "authorization" not in headers and rule_for(scope["method"], scope["path"]).role is not None:
            await respond(_nobody())(scope, receive, allowed)
        else:
            kept = [each for each in scope["headers"] if each[0] not in _HELD_BACK]
            await self._app({**scope, "headers": kept}, receive, allowed)

    async def _preflight(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(raw=[each for each in scope["headers"] if each[0] not in _HELD_BACK])
        try:
            check_addresses(headers, self._hosts, str(scope.get("scheme", "http")))
        except Problem as problem:
            await respond(problem)(scope, receive, send)
            return
        takes = {"access-control-allow-methods": METHODS, "access-control-allow-headers": TAKES}
        await Response(status_code=204, headers={**takes, "access-control-max-age": str(LASTS_S)})(scope, receive, send)


def _nobody() -> Problem:
    challenge = (("www-authenticate", 'Bearer realm="switchgear"'),)
    return Problem(
        401, "no valid token", "A page of another origin needs a token.", "send it as a bearer token", challenge
    )
