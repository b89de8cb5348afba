"""The session with one MCP server: opened when needed, kept, opened anew with growing pauses. FastMCP's client.

Foreign errors become ours here, once. Nothing of a caller goes along: what the server is shown comes from the
references of its own row, its process gets a few variables of ours (PATH, HOME) and those, and it is offered neither
sampling nor roots nor elicitation. What it sends is bounded: tools and pages of their list, bodies and events over
HTTP (`streams`), messages over stdio (`stdio`), notifications. The only file with an MCP client; what may be called
and what became of it is `connections`'. MCP 2025-11-25, "Lifecycle", "Transports".
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import anyio
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from mcp.shared.exceptions import MCPError

from governance.registry.servers import Server, reference_in
from runtime.driver import tls
from runtime.driver.remote.definitions import MOST_TOOLS
from runtime.driver.remote.streams import HTTP_ERRORS, http_client
from runtime.driver.stdio import BoundedStdio
from runtime.errors import BadReply, FateUnknown, NotSent, TargetError
from runtime.secrets import Vault
from workflow.visible import visible

Json = Any
# What starts a process and answers at once; `npx` and `uvx` may fetch it first.
OPEN_S = 60.0
LIST_S = 30.0
MOST_PAGES = 50
# Pauses before it is opened again after it could not be: 0.5, 1, 2 … s.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
LONGEST_WAIT_S = 2.0
# A server that says more than this in so many seconds says it to keep us busy.
MOST_NOTIFICATIONS, NOTIFICATIONS_IN_S = 2_000, 10.0
MOST_MESSAGE = 500
# What the client, its transports and their libraries raise.
_FOREIGN: tuple[type[Exception], ...] = (
    MCPError, *HTTP_ERRORS, RuntimeError, OSError, ValueError, ExceptionGroup,
    anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream,
)  # fmt: skip
# JSON-RPC 2.0, 5.1: what was asked was not begun; of these one says, over HTTP, that the session is over.
_NOT_BEGUN = frozenset({-32700, -32600, -32601, -32602})
_SESSION_OVER = -32600
# The SDK's own: the connection is closed, the time is over.
_LOST = frozenset({-32000, -32001})


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """`status`: 200 with a `result`; 400 for what was not begun, 500 for an error of the server, with its `message`."""

    status: int
    result: Mapping[str, Json] = field(default_factory=dict)
    message: str = ""


class RemoteSession:
    """One for a server in a process; calls may run at the same time."""

    def __init__(self, name: str, server: Server, tls_setting: str, vault: Vault) -> None:
        self._name = name
        self._server = server
        self._tls = tls_setting
        self._vault = vault
        self._client: Client[Any] | None = None
        self._opening = asyncio.Lock()
        self._failed = 0
        self._not_before = 0.0
        self._has_changed = False
        self._heard, self._heard_since = 0, 0.0
        self._closing: set[asyncio.Task[None]] = set()

    def is_of(self, server: Server, tls_setting: str) -> bool:
        return (self._server, self._tls) == (server, tls_setting)

    def note_change(self) -> None:
        """Its tools are not what they were: somebody has to look."""
        self._has_changed = True

    def take_change(self) -> bool:
        had, self._has_changed = self._has_changed, False
        return had

    async def listed(self) -> Mapping[str, Mapping[str, Json]]:
        """Its tools by name, as it tells of them now. Raises NotSent or Refused."""
        client = await self._opened()
        try:
            async with asyncio.timeout(LIST_S):
                return await self._all_tools(client)
        except TargetError:
            raise
        except _FOREIGN as error:
            await self._lost(client)
            raise NotSent(f"{self._name} does not list its tools: {self._said(error)}", _REMEDY) from error

    async def call(self, tool: str, arguments: Mapping[str, Json]) -> ToolAnswer:
        """What it answered. Raises FateUnknown where no answer came, BadReply where it cannot be read."""
        client = await self._opened()
        try:
            result = await client.call_tool_mcp(tool, dict(arguments))
        except _FOREIGN as error:
            return await self._judged(client, error)
        self._failed = 0
        return ToolAnswer(200, result.model_dump(by_alias=True, mode="json", exclude_none=True))

    async def aclose(self) -> None:
        """Ends the session, and the process of a stdio server."""
        client, self._client = self._client, None
        if client is not None:
            await _closed(client)
        for task in tuple(self._closing):
            await asyncio.wait((task,))

    async def _judged(self, client: Client[Any], error: BaseException) -> ToolAnswer:
        """What an error in a call says of it: an answer, or none."""
        code = error.code if isinstance(error, MCPError) else None
        if code == _SESSION_OVER:
            await self._lost(client)
        if code in _NOT_BEGUN:
            return ToolAnswer(400, message=self._said(error))
        if code is not None and code not in _LOST:
            return ToolAnswer(500, message=self._said(error))
        if code is None and isinstance(error, RuntimeError) and "output schema" in str(error):
            raise BadReply(f"{self._name}: the result is not what the tool's own schema promises") from error
        await self._lost(client)
        remedy = "look at what the server did before asking again"
        raise FateUnknown(f"{self._name} gave no answer: {self._said(error)}", remedy) from error

    def _said(self, error: BaseException) -> str:
        """Its words on one line, for people."""
        text = getattr(error, "message", "") or str(error) or type(error).__name__
        return " ".join(visible(str(self._vault.redact(str(text))), MOST_MESSAGE).split())

    async def _all_tools(self, client: Client[Any]) -> dict[str, Mapping[str, Json]]:
        found: dict[str, Mapping[str, Json]] = {}
        cursor = None
        for _ in range(MOST_PAGES):
            page = await client.list_tools_mcp(cursor=cursor)
            for tool in page.tools:
                if tool.name in found:
                    raise NotSent(f"{self._name} has two tools called {visible(tool.name, 64)!r}", _REMEDY)
                found[tool.name] = tool.model_dump(by_alias=True, mode="json", exclude_none=True)
            if len(found) > MOST_TOOLS:
                raise NotSent(f"{self._name} has more than {MOST_TOOLS} tools", _REMEDY)
            cursor = page.next_cursor
            if not cursor:
                return found
        raise NotSent(f"the list of the tools of {self._name} has more than {MOST_PAGES} pages", _REMEDY)

    # Opening and closing

    async def _opened(self) -> Client[Any]:
        async with self._opening:
            if self._client is not None and self._client.is_connected():
                return self._client
            await self._rested()
            client = await self._made()
            try:
                async with asyncio.timeout(OPEN_S):
                    await client.__aenter__()  # type: ignore[no-untyped-call]
            except _FOREIGN as error:
                self._pause()
                await _closed(client)
                raise NotSent(f"{self._name} cannot be reached: {self._said(error)}", _REMEDY) from error
            except BaseException:
                await _closed(client)
                raise
            self._client = client
            return client

    async def _rested(self) -> None:
        """Waits out a short pause. Raises NotSent in a long one: nobody is held up by a server that does not come."""
        rest_s = self._not_before - asyncio.get_running_loop().time()
        if rest_s <= LONGEST_WAIT_S:
            await asyncio.sleep(max(0.0, rest_s))
        else:
            message = f"{self._name} failed {self._failed} times in a row and is tried again in {rest_s:.1f} s"
            raise NotSent(message, _REMEDY)

    def _pause(self) -> None:
        """Each failure in a row doubles the pause before the next opening."""
        self._failed += 1
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failed - 1, 10))
        self._not_before = asyncio.get_running_loop().time() + pause_s

    async def _lost(self, client: Client[Any]) -> None:
        """The session is over: the next call opens another, after a pause."""
        if self._client is client:
            self._client = None
            self._pause()
            await _closed(client)

    async def _made(self) -> Client[Any]:
        return Client(
            await self._transport(),
            message_handler=self._heard_of,
            log_handler=_unheard,
            progress_handler=_unheard,
            init_timeout=OPEN_S,
            cache=False,
        )

    async def _transport(self) -> Any:
        server = self._server
        if server.transport == "stdio":
            env = {name: self._value(value) for name, value in server.env}
            return BoundedStdio(server.command, server.arguments, env)
        headers = {name: self._value(value) for name, value in server.headers}
        parts = urlsplit(server.url)
        verify: ssl.SSLContext | bool = False
        if parts.scheme == "https":
            verify = await tls.context_for(self._tls, parts.hostname or "", parts.port or 443)
        kind = StreamableHttpTransport if server.transport == "http" else SSETransport
        made_by: Any = partial(http_client, verify)
        return kind(server.url, headers=headers, httpx_client_factory=made_by)

    def _value(self, value: str) -> str:
        """Raises Refused for a reference that leads to nothing."""
        before, reference = reference_in(value)
        return before + self._vault.resolve(reference)

    # What it says unasked

    async def _heard_of(self, message: Any) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._heard_since > NOTIFICATIONS_IN_S:
            self._heard, self._heard_since = 0, now
        self._heard += 1
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self.note_change()
        if self._heard == MOST_NOTIFICATIONS and self._client is not None:
            task = asyncio.create_task(self._lost(self._client))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


_REMEDY = "see `switchgear servers test`"


async def _unheard(*_: Any) -> None:
    """Logs and progress of others are nobody's here."""


async def _closed(client: Client[Any]) -> None:
    with contextlib.suppress(*_FOREIGN):
        await client.close()  # type: ignore[no-untyped-call]
