"""Subscriptions to single resources: a run that goes on, a workflow's schema, the APIs; told when they are others.

Of handshake versions by `resources/subscribe`, of 2026-07-28 within `subscriptions/listen`. Heard is only what the
caller may read. Whether something changed is looked up while somebody listens, so that a run of another process is
told as well; told is that it changed, never what it is. MCP 2025-11-25, resources; SEP-2575. Called by `list_changed`.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote
from weakref import WeakKeyDictionary

import anyio
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import ListenHandler, ResourceUpdated, SubscriptionBus
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from governance.errors import GovernanceError
from runtime.caller import Caller
from runtime.mcp.resources import APIS_URI, RUN_URI, SCHEMA_URI
from runtime.service import Service
from runtime.visibility import run_seen

log = logging.getLogger("switchgear.tools")
Context = ServerRequestContext[Any, Any]
# A person looks at a run about as often.
POLL_S = 1.0
# Of one caller's stream or session; more is looked up by its address.
MOST_OF_ONE = 64
_RUN = RUN_URI.partition("{")[0]
_SCHEMA, _, _SCHEMA_END = SCHEMA_URI.partition("{name}")


class Subscriptions:
    """`asking`: who sent the request that is being served; `bus`: where streams of 2026-07-28 hear of events;
    `connection_of`: over which a handshake client hears of them."""

    def __init__(
        self,
        service: Service,
        asking: Callable[[], Caller],
        bus: SubscriptionBus,
        connection_of: Callable[[Context], Connection],
    ) -> None:
        self._service = service
        self._asking = asking
        self._bus = bus
        self._connection_of = connection_of
        self._streams: Counter[str] = Counter()
        self._sessions: WeakKeyDictionary[Connection, set[str]] = WeakKeyDictionary()
        self._marks: dict[str, str] = {}
        self._watch: asyncio.Task[None] | None = None

    async def readable(self, uris: Iterable[str]) -> list[str]:
        """Those of which the caller may hear, as many as one may have."""
        caller = self._asking()
        return [uri for uri in dict.fromkeys(uris) if await self._is_readable(uri, caller)][:MOST_OF_ONE]

    async def _is_readable(self, uri: str, caller: Caller) -> bool:
        if uri == APIS_URI:
            return True
        name = _workflow_in(uri)
        if name:
            return self._service.live.seen_by(caller.scope).get(name) is not None
        try:
            return bool(_run_in(uri)) and await run_seen(self._service, caller, _run_in(uri)) is not None
        except GovernanceError:
            return False

    async def follow(self, uris: Iterable[str]) -> None:
        """Begins to look after them, as they are now."""
        for uri in uris:
            self._streams[uri] += 1
            await self._noted(uri)

    def leave(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self._streams[uri] -= 1

    async def subscribe(self, ctx: Context, params: SubscribeRequestParams) -> EmptyResult:
        """A handshake client wants to hear of a resource. Raises MCPError for what it cannot read."""
        own = self._sessions.setdefault(self._connection_of(ctx), set())
        if not await self.readable([params.uri]) or (len(own) >= MOST_OF_ONE and params.uri not in own):
            raise MCPError(INVALID_PARAMS, "there is no such resource, or there are too many subscriptions")
        own.add(params.uri)
        await self._noted(params.uri)
        return EmptyResult()

    async def unsubscribe(self, ctx: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        self._sessions.get(self._connection_of(ctx), set()).discard(params.uri)
        return EmptyResult()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _noted(self, uri: str) -> None:
        if uri not in self._marks:
            self._marks[uri] = await self._mark(uri)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watched())

    def _followed(self) -> set[str]:
        kept = {uri for uri, count in self._streams.items() if count > 0}
        return kept.union(*self._sessions.values()) if self._sessions else kept

    async def _watched(self) -> None:
        """As long as somebody listens: looks again and tells what is not as it was."""
        while followed := self._followed():
            await asyncio.sleep(POLL_S)
            for uri in sorted(followed):
                with contextlib.suppress(GovernanceError):  # the next look finds it
                    mark = await self._mark(uri)
                    if mark != self._marks.get(uri):
                        self._marks[uri] = mark
                        await self._tell(uri)
            self._streams = +self._streams
            self._marks = {uri: mark for uri, mark in self._marks.items() if uri in self._followed()}

    async def _mark(self, uri: str) -> str:
        """Another one where the resource is another one."""
        catalog = self._service.live.now
        if uri == APIS_URI:
            return f"{catalog.version} {len(catalog.entries)}"
        name = _workflow_in(uri)
        if name:
            entry = catalog.get(name)
            return "" if entry is None else f"{entry.digest} {entry.target_argument and entry.target_schema}"
        run = await self._service.runs.get(_run_in(uri))
        return f"{run.outcome} {len(run.steps)}"

    async def _tell(self, uri: str) -> None:
        await self._bus.publish(ResourceUpdated(uri))
        for connection, own in list(self._sessions.items()):
            if uri in own:
                try:
                    await connection.send_resource_updated(uri)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError, RuntimeError) as error:
                    log.debug("a client is gone: %r", error)
                    self._sessions.pop(connection, None)


class Listen(ListenHandler):
    """Streams of 2026-07-28, with those resources alone that the caller may read."""

    def __init__(self, bus: SubscriptionBus, subscriptions: Subscriptions) -> None:
        super().__init__(bus)
        self._subscriptions = subscriptions

    async def __call__(self, ctx: Context, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
        """Serves one stream, until it ends."""
        wanted = params.notifications.resource_subscriptions or []
        uris = await self._subscriptions.readable(wanted)
        kept = params.notifications.model_copy(update={"resource_subscriptions": uris or None})
        await self._subscriptions.follow(uris)
        try:
            return await super().__call__(ctx, params.model_copy(update={"notifications": kept}))
        finally:
            self._subscriptions.leave(uris)


def _workflow_in(uri: str) -> str:
    """The workflow whose schema an address is; empty for another one."""
    is_one = uri.startswith(_SCHEMA) and uri.endswith(_SCHEMA_END)
    return unquote(uri.removeprefix(_SCHEMA).removesuffix(_SCHEMA_END)) if is_one else ""


def _run_in(uri: str) -> str:
    return uri.removeprefix(_RUN) if uri.startswith(_RUN) else ""
