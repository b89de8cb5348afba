"""Everything that needs private attributes of FastMCP, pinned in pyproject.toml and held by a contract test.

Two things that it does not do by itself, and has no public way for (4.2): telling clients of both protocol eras that
the list of tools changed (handshake versions by a notification on each open connection, 2026-07-28 by
`subscriptions/listen`, a method of the specification, which extensions may not bind); and building that list once per
catalog, not once per request. Called by `app` when it puts the server together, and by `watcher` after each swap.
MCP 2026-07-28, SEP-2575.
"""

import logging
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import anyio
from fastmcp import FastMCP
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from mcp.server.connection import Connection
from mcp.server.context import CallNext as WireCallNext
from mcp.server.context import HandlerResult, ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)

from runtime.caller import Caller
from runtime.catalog.snapshot import Catalog
from runtime.catalog.watcher import LiveCatalog
from runtime.mcp.subscriptions import Listen, Subscriptions
from runtime.service import Service

log = logging.getLogger("switchgear.tools")
# Pages of one list and protocol versions, for one catalog: far fewer than this.
MAX_LISTS = 64
# A client that does not read must not keep the others waiting for the news.
TELL_TIMEOUT_S = 2.0


class ListChanged(Middleware):
    """Knows every client that wants to hear of changes, and tells them."""

    def __init__(
        self,
        mcp: FastMCP[Any],
        service: Service,
        asking: Callable[[], Caller],
        knows: Callable[[str], bool],
        is_expert: Callable[[Caller], bool],
    ) -> None:
        """`asking`: who sent the request that is being served; `knows`: whether there is a tool for them; `is_expert`:
        whether a caller is listed more than others with the same catalog."""
        self._sessions: WeakSet[Connection] = WeakSet()
        self._bus = InMemorySubscriptionBus()
        self._subscriptions = Subscriptions(service, asking, self._bus, _connection_of)
        self._listeners = Listen(self._bus, self._subscriptions)
        live, server = service.live, mcp._mcp_server
        server.add_request_handler("resources/subscribe", SubscribeRequestParams, self._subscriptions.subscribe)
        server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._subscriptions.unsubscribe)
        server.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, self._listeners)
        server.middleware.append(KeptLists(live, asking, is_expert))
        server.middleware.append(UnknownTools(knows))
        # Nothing is told that way, which is deprecated (SEP-2577): it must not be declared either.
        server._request_handlers.pop("logging/setLevel", None)
        mcp.add_middleware(self)

    async def on_initialize(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """Remembers the connection of a handshake client; it is forgotten when the session is gone."""
        result = await call_next(context)
        if context.fastmcp_context is not None:
            self._sessions.add(context.fastmcp_context.session._connection)
        return result

    async def tell(self) -> None:
        """Tells all clients, all at once. Returns when each was told or did not take it."""
        await self._bus.publish(ToolsListChanged())
        await self._bus.publish(PromptsListChanged())  # they are made of what the tools are
        async with anyio.create_task_group() as group:
            for connection in list(self._sessions):
                group.start_soon(self._tell_one, connection)

    async def _tell_one(self, connection: Connection) -> None:
        try:
            with anyio.move_on_after(TELL_TIMEOUT_S):
                await connection.send_tool_list_changed()
                await connection.send_prompt_list_changed()
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, RuntimeError) as error:
            log.debug("a client is gone: %r", error)
            self._sessions.discard(connection)

    def close(self) -> None:
        """Ends the open streams in order, so that clients learn that it was meant."""
        self._listeners.close()
        self._subscriptions.close()


def _connection_of(ctx: ServerRequestContext[Any, Any]) -> Connection:
    return ctx.session._connection


class KeptLists:
    """The wire form of `tools/list`, kept as long as the catalog is the same; one for each list that somebody sees."""

    def __init__(self, live: LiveCatalog, asking: Callable[[], Caller], is_expert: Callable[[Caller], bool]) -> None:
        self._live = live
        self._asking = asking
        self._is_expert = is_expert
        self._catalog: Catalog | None = None
        self._kept: dict[tuple[str, bool, str, str], dict[str, Any]] = {}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: WireCallNext) -> HandlerResult:
        if ctx.method != "tools/list":
            return await call_next(ctx)
        caller = self._asking()
        is_expert = self._is_expert(caller)
        catalog = self._live.now
        if catalog is not self._catalog:
            self._kept, self._catalog = {}, catalog
        # The version is made of what is listed: whose list is another one has another version.
        version = self._live.seen_by(caller.scope).version
        key = (version, is_expert, ctx.protocol_version, str((ctx.params or {}).get("cursor")))
        if key not in self._kept:
            result = await call_next(ctx)
            if not isinstance(result, dict) or catalog is not self._live.now or len(self._kept) >= MAX_LISTS:
                return result
            self._kept[key] = result
        return dict(self._kept[key])


class UnknownTools:
    """A call of what there is not for the caller is an error of the protocol, as the specification has it: FastMCP
    answers one that looks like a tool that failed."""

    def __init__(self, knows: Callable[[str], bool]) -> None:
        self._knows = knows

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: WireCallNext) -> HandlerResult:
        name = (ctx.params or {}).get("name")
        if ctx.method == "tools/call" and isinstance(name, str) and not self._knows(name):
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {name!r}")
        return await call_next(ctx)
