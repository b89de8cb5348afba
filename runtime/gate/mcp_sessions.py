"""How many sessions of MCP one caller has: for one more, the one that was used least lately is ended.

Clients of handshake versions open one each and mostly never end it, and FastMCP keeps it for half an hour, with tasks
and buffers: so a caller who opens many would take memory without end, and one who opens them and says no more most of
all. What is being asked something, or listens, stays. A client whose session was ended is answered 404 and opens
another, as the specification has it. Stands between the gate and FastMCP and uses the protocol alone: sessions are
known by their header, and ended by DELETE. MCP 2025-11-25, Streamable HTTP, session management.
"""

from collections import Counter, OrderedDict

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.gate.access import CALLER, LOCAL, Caller
from runtime.observing import metrics

SESSION_ID = "mcp-session-id"
# A session takes about 0.1 MB. Where nobody has a credential all callers together are one.
MOST_OF_ONE, MOST_WITHOUT_CREDENTIAL = 32, 1_024
# Of those in which nothing was said since they were opened: a client says at once that it is ready.
MOST_UNUSED = 4


class McpSessions:
    """In front of `app`, which is FastMCP's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._of: dict[str, OrderedDict[str, bool]] = {}  # whether anything was said in it since it was opened
        self._in_use: Counter[str] = Counter()

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
            own[session] = True
            own.move_to_end(session)
            self._in_use[session] += 1
        try:
            await self._app(scope, receive, watched)
        finally:
            if session in self._in_use:
                self._in_use[session] -= 1
                self._in_use += Counter()  # only what is above nothing stays
        own.update(dict.fromkeys(opened, False))
        oldest = self._one_too_many(
            own, *((MOST_WITHOUT_CREDENTIAL,) * 2 if caller is LOCAL else (MOST_OF_ONE, MOST_UNUSED))
        )
        if oldest is not None:
            del own[oldest]
            metrics.turned_away("session: oldest")
            headers = [
                (SESSION_ID.encode(), oldest.encode()),
                *(each for each in scope["headers"] if each[0] == b"host"),
            ]
            await self._app({**scope, "method": "DELETE", "headers": headers}, _nothing, _to_nobody)

    def _one_too_many(self, own: OrderedDict[str, bool], most: int, most_unused: int) -> str | None:
        unused = [each for each, is_used in own.items() if not is_used]
        if len(unused) > most_unused:
            return unused[0]
        return next((each for each in own if each not in self._in_use), None) if len(own) > most else None


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _to_nobody(_message: Message) -> None:
    pass
