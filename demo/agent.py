"""The agent's side: a real MCP client over HTTP, and what it is told.

One connection for the whole demonstration, on the newest protocol version that both sides speak. MCP, Streamable HTTP.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastmcp import Client
from mcp.client.subscriptions import ToolsListChanged, listen
from mcp.shared.exceptions import MCPError

from demo.children import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answered. `run` is the id of the run's record, None where nothing was run."""

    is_error: bool
    text: str
    outputs: Mapping[str, Any]
    run: str | None
    outcome: str
    seconds: float


class Agent:
    def __init__(self, client: Client[Any]) -> None:
        self._client = client

    @property
    def protocol(self) -> str:
        return str(self._client.session.protocol_version)

    async def tools(self) -> list[dict[str, Any]]:
        return [
            tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in await self._client.list_tools()
        ]

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        begin = time.monotonic()
        try:
            result = await self._client.call_tool(tool, dict(arguments), raise_on_error=False)
        except MCPError as error:  # of the protocol: there is no such tool any more
            return Answer(True, str(error), {}, None, "failed", time.monotonic() - begin)
        seconds = time.monotonic() - begin
        told = (result.meta or {}).get("switchgear", {})
        text = "\n".join(getattr(part, "text", "") for part in result.content)
        outcome = told.get("outcome", "failed" if result.is_error else "succeeded")
        return Answer(result.is_error, text, result.structured_content or {}, told.get("run"), outcome, seconds)

    @contextlib.asynccontextmanager
    async def told_of_changes(self) -> AsyncIterator[asyncio.Future[float]]:
        """While the block runs, the server is listened to; the future holds when it said that its tools changed."""
        heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        async def follow() -> None:
            async with listen(self._client.session, tools_list_changed=True) as changes:
                ready.set()
                async for change in changes:
                    if isinstance(change, ToolsListChanged) and not heard.done():
                        heard.set_result(time.monotonic())

        ready = asyncio.Event()
        following = asyncio.create_task(follow())
        try:
            await asyncio.wait_for(ready.wait(), PATIENCE_S)
            yield heard
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following


@contextlib.asynccontextmanager
async def connected(url: str, token: str) -> AsyncIterator[Agent]:
    """An agent connected to the MCP endpoint `url` with a bearer token."""
    async with Client(url, auth=token, timeout=PATIENCE_S) as client:
        yield Agent(client)
