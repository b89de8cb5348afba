"""From a call of a tool to its answer without FastMCP's way between, which costs more than our tools need of it.

FastMCP looks a tool up through providers, transforms and rules of visibility, wraps the call in its middleware and its
extensions and enriches its span. Of all that a tool of ours needs its context and, where the run goes on, a task in the
place of the result. So what the catalog holds is called at once; whatever is not of the plainest kind (a version named,
somebody tracing, results that are no objects, a name that is nobody's) goes FastMCP's own way, and is answered alike.
Called by FastMCP, in whose public `call_tool`'s place this stands; made by `app`.
"""

from collections.abc import Callable
from typing import Any, Protocol

from fastmcp import FastMCP
from fastmcp.server.context import Context
from fastmcp.server.extensions import ToolCallOutcome
from fastmcp.tools import ToolResult
from fastmcp.utilities.versions import VersionSpec
from opentelemetry.trace import get_current_span

from runtime.mcp.tools import GuardedTool

Json = Any


class Tasks(Protocol):
    def in_place_of(self, outcome: ToolResult, name: str, context: Context) -> ToolCallOutcome:
        """What is answered to a call of the tool `name` that came to `outcome`."""


class ShortWay(FastMCP[Any]):
    """`find`: the tool of a name, for whoever sent the request that is being served."""

    def __init__(self, name: str, *, find: Callable[[str], GuardedTool | None], tasks: Tasks, **settings: Any) -> None:
        super().__init__(name, **settings)
        self._find_tool, self._tasks = find, tasks

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Json] | None = None,
        *,
        version: VersionSpec | None = None,
        run_middleware: bool = True,
    ) -> Any:
        """As FastMCP's. Raises what that raises."""
        tool = None if version is not None or not run_middleware else self._find_tool(name)
        if tool is None or not tool.answers_objects or get_current_span().is_recording():
            return await super().call_tool(name, arguments, version=version, run_middleware=run_middleware)
        async with Context(fastmcp=self) as context:
            return self._tasks.in_place_of(await tool.run(arguments or {}), name, context)
