"""Subscriptions to single resources: a run that goes on, a workflow's schema, the APIs; told when they are others.

Of handshake versions by `resources/subscribe`, of 2026-07-28 within `subscriptions/listen`. Heard is only what the
caller may read. Whether something changed is looked up while somebody listens, so that a run of another process is
told as well: so many a second, and as many of each caller's. Told is that it changed, never what it is. MCP
2025-11-25, resources; SEP-2575. Called by `list_changed`.
"""

import asyncio
import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import islice
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
# Of one caller's stream or session; more is looked up by its address. So many are looked at to find as many.
MOST_OF_ONE, MOST_ASKED = 64, 256
# In one round, of all together: a look takes a millisecond of the one thread that serves all.
MOST_LOOKED_AT = 64
# A client that does not read must not keep the others waiting for the news.
TELL_TIMEOUT_S = 2.0
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
        # By whose they are.
        self._streams: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._sessions: WeakKeyDictionary[Connection, tuple[str, set[str]]] = WeakKeyDictionary()
        self._looked_at: dict[str, str] = {}  # the last one of each caller's
        self._marks: dict[str, str] = {}
        self._watch: asyncio.Task[None] | None = None

    async def readable(self, uris: Iterable[str]) -> list[str]:
        """Those of which the caller may hear, as many as one may have."""
        caller, found = self._asking(), list[str]()
        for uri in islice(dict.fromkeys(uris), MOST_ASKED):
            if len(found) < MOST_OF_ONE and await self._is_readable(uri, caller):
                found.append(uri)
        return found

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

    @contextlib.asynccontextmanager
    async def followed(self, uris: Sequence[str]) -> AsyncIterator[None]:
        """Looks after them as long as the block runs, from how they are now."""
        caller = self._asking().name
        self._streams[caller].update(uris)
        try:
            for uri in uris:
                await self._noted(uri)
            yield
        finally:
            self._leave(caller, uris)

    def _leave(self, caller: str, uris: Sequence[str]) -> None:
        self._streams[caller].subtract(uris)
        self._streams[caller] = +self._streams[caller]
        if not self._streams[caller]:
            del self._streams[caller]

    async def subscribe(self, ctx: Context, params: SubscribeRequestParams) -> EmptyResult:
        """A handshake client wants to hear of a resource. Raises MCPError for what it cannot read."""
        _, own = self._sessions.setdefault(self._connection_of(ctx), (self._asking().name, set()))
        if not await self.readable([params.uri]) or (len(own) >= MOST_OF_ONE and params.uri not in own):
            raise MCPError(INVALID_PARAMS, "there is no such resource, or there are too many subscriptions")
        own.add(params.uri)
        await self._noted(params.uri)
        return EmptyResult()

    async def unsubscribe(self, ctx: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        self._sessions.get(self._connection_of(ctx), ("", set()))[1].discard(params.uri)
        return EmptyResult()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _noted(self, uri: str) -> None:
        if uri not in self._marks:
            self._marks[uri] = await self._mark(uri)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watched())

    def _followed(self) -> dict[str, set[str]]:
        """By whose they are."""
        kept: defaultdict[str, set[str]] = defaultdict(set)
        for caller, uris in (*self._streams.items(), *self._sessions.values()):
            kept[caller].update(uris)
        return {caller: uris for caller, uris in kept.items() if uris}

    def _due(self, followed: dict[str, set[str]]) -> Iterator[str]:
        """What is looked at in this round: of each caller's the next ones after those of the last round."""
        share = max(1, MOST_LOOKED_AT // len(followed))
        for caller, uris in followed.items():
            last = self._looked_at.get(caller, "")
            due = sorted(uris, key=lambda uri: (uri <= last, uri))[:share]
            self._looked_at[caller] = due[-1]
            yield from due

    async def _watched(self) -> None:
        """As long as somebody listens: looks again and tells what is not as it was."""
        while followed := self._followed():
            await asyncio.sleep(POLL_S)
            for uri in dict.fromkeys(self._due(followed)):
                with contextlib.suppress(GovernanceError):  # the next look finds it
                    mark = await self._mark(uri)
                    if mark != self._marks.get(uri):
                        self._marks[uri] = mark
                        await self._tell(uri)
            followed = self._followed()
            kept = set().union(*followed.values())
            self._marks = {uri: mark for uri, mark in self._marks.items() if uri in kept}
            self._looked_at = {caller: uri for caller, uri in self._looked_at.items() if caller in followed}

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
        for connection, (_, own) in list(self._sessions.items()):
            if uri in own:
                try:
                    async with asyncio.timeout(TELL_TIMEOUT_S):
                        await connection.send_resource_updated(uri)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError, RuntimeError, TimeoutError) as error:
                    log.debug("a client is gone, or does not listen: %r", error)
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
        async with self._subscriptions.followed(uris):
            return await super().__call__(ctx, params.model_copy(update={"notifications": kept}))


def _workflow_in(uri: str) -> str:
    """The workflow whose schema an address is; empty for another one."""
    is_one = uri.startswith(_SCHEMA) and uri.endswith(_SCHEMA_END)
    return unquote(uri.removeprefix(_SCHEMA).removesuffix(_SCHEMA_END)) if is_one else ""


def _run_in(uri: str) -> str:
    return uri.removeprefix(_RUN) if uri.startswith(_RUN) else ""
