"""How many sessions of MCP one caller has: for one more, the one that was used least lately is ended.

Clients of handshake versions open one each and mostly never end it, and FastMCP keeps it for half an hour, with tasks
and buffers: so a caller who opens many would take memory without end, and one who opens them and says no more most of
all (how fast, is the matter of `openings`). What is being asked something, or listens, stays. A client whose session
was ended is answered 404 and opens another, as the specification has it. Stands between the gate and FastMCP and uses
the protocol alone: sessions are known by their header, and ended by DELETE. MCP 2025-11-25, Streamable HTTP, session
management.
"""

import asyncio
from collections import Counter, OrderedDict
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import Context

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.admission.openings import MOST_UNUSED, Openings
from runtime.caller import CALLER, LOCAL, Caller
from runtime.observing import metrics

SESSION_ID, VERSION = "mcp-session-id", b"mcp-protocol-version"
# A session takes about 0.1 MB. Where nobody has a credential all callers together are one.
MOST_OF_ONE, MOST_WITHOUT_CREDENTIAL = 32, 1_024
# Of those in which nothing was said since they were opened only the newest is waited for after so long.
UNUSED_S = 8.0


class McpSessions:
    """In front of `app`, which is FastMCP's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Since when nothing was said in it; 0 where something was since it was opened.
        self._of: dict[str, OrderedDict[str, float]] = {}
        self._in_use: Counter[str] = Counter()
        self._ending: set[asyncio.Task[None]] = set()
        self._looks: set[str] = set()  # callers of whom a look is due
        self._openings = Openings(self._unused)

    def opens(self, scope: Scope) -> bool:
        """Whether FastMCP makes a session for a request: for what names none, of a handshake version or of none."""
        if any(name == SESSION_ID.encode() for name, _ in scope["headers"]):
            return False
        version = next((value for name, value in scope["headers"] if name == VERSION), None)
        return version is None or version.decode("latin-1") in HANDSHAKE_PROTOCOL_VERSIONS

    def opening(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        """A place for one that does, as long as the block runs. Raises Problem."""
        caller: Caller = scope[CALLER]
        return nullcontext() if caller is LOCAL else self._openings.place(caller.name)

    def _unused(self, caller: str) -> list[float]:
        """Since when nothing was said in those of the caller's in which nothing was."""
        return [since for since in self._of.get(caller, {}).values() if since]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope[CALLER]
        own = self._of.setdefault(caller.name, OrderedDict())
        session = Headers(scope=scope).get(SESSION_ID, "")
        opened: list[str] = []

        async def watched(message: Message) -> None:
            if not session and message["type"] == "http.response.start" and message["status"] < 400:
                opened.extend(Headers(raw=message["headers"]).getlist(SESSION_ID))
            await send(message)

        if session in own:
            own[session] = 0.0
            own.move_to_end(session)
            self._in_use[session] += 1
            self._openings.note_use(caller.name)
        try:
            await self._app(scope, receive, watched)
        finally:
            if session in self._in_use:
                self._in_use[session] -= 1
                self._in_use += Counter()  # only what is above nothing stays
        own.update(dict.fromkeys(opened, asyncio.get_running_loop().time()))
        if opened and caller is not LOCAL:
            self._look_later(caller.name, UNUSED_S, {**scope, "headers": _host(scope)})
        oldest = self._one_too_many(
            own, *((MOST_WITHOUT_CREDENTIAL,) * 2 if caller is LOCAL else (MOST_OF_ONE, MOST_UNUSED))
        )
        if oldest is not None:
            await self._end(own, oldest, _deletes(scope, oldest))

    def _look_later(self, caller: str, pause_s: float, scope: Scope) -> None:
        """For each caller one look is due at a time, in no request's context: what waits holds nothing of those who
        are gone."""
        if caller not in self._looks:
            self._looks.add(caller)
            asyncio.get_running_loop().call_later(pause_s, self._look, caller, scope, context=Context())

    def _look(self, caller: str, scope: Scope) -> None:
        """Has what is unused for long ended, but for the newest."""
        self._looks.discard(caller)
        own, now = self._of[caller], asyncio.get_running_loop().time()
        unused = [each for each, since in own.items() if since][:-1]
        for session in unused:
            left_s = own[session] + UNUSED_S - now
            if left_s > 0:
                self._look_later(caller, left_s, scope)
                return
            ending = asyncio.create_task(self._end(own, session, _deletes(scope, session)))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    async def _end(self, own: OrderedDict[str, float], session: str, deletes: Scope) -> None:
        own.pop(session, None)
        metrics.turned_away("session: oldest")
        await self._app(deletes, _nothing, _to_nobody)

    def _one_too_many(self, own: OrderedDict[str, float], most: int, most_unused: int) -> str | None:
        unused = [each for each, since in own.items() if since]
        if len(unused) > most_unused:
            return unused[0]
        return next((each for each in own if each not in self._in_use), None) if len(own) > most else None


def _deletes(scope: Scope, session: str) -> Scope:
    """The request that ends a session of whoever sent the one with this scope."""
    return {**scope, "method": "DELETE", "headers": [(SESSION_ID.encode(), session.encode()), *_host(scope)]}


def _host(scope: Scope) -> list[tuple[bytes, bytes]]:
    return [each for each in scope["headers"] if each[0] == b"host"]


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _to_nobody(_message: Message) -> None:
    pass
