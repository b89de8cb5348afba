"""Two tools that answer what an API can do, whatever is approved of it: search_api and describe_operation.

They read what the compiler understood and send nothing. They are listed where the whole catalog is and something is
known: there is room then, since no tools to search are listed. Elsewhere they are called by their names, and
`search_workflows` tells of what no workflow does. Their answers are `runtime.knowledge`'s. Called by `app`.
"""

from collections.abc import Callable
from typing import Any

from fastmcp.tools import ToolResult
from pydantic import PrivateAttr

from runtime.caller import Caller
from runtime.catalog.snapshot import KNOWING_NAMES
from runtime.knowledge import Knowledge
from runtime.mcp.finding import READS, TEXT, FindingTool, said

Json = Any
SEARCH_API, DESCRIBE_OPERATION = KNOWING_NAMES


class SearchApiTool(FindingTool):
    _knowledge: Knowledge = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        wanted = self.checked(arguments)
        return said(await self._knowledge.search(wanted["query"], self._asking().scope, api=wanted.get("api")))


class DescribeOperationTool(FindingTool):
    _knowledge: Knowledge = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        wanted = self.checked(arguments)
        return said(await self._knowledge.describe(wanted["operation"], self._asking().scope, api=wanted.get("api")))


def knowing_tools(knowledge: Knowledge, asking: Callable[[], Caller]) -> list[FindingTool]:
    """`asking`: who sent the request that is being served."""
    search = SearchApiTool.define(
        SEARCH_API,
        "What an API can do with a thing: operations, the workflows that do them, and why none does.",
        {"query": TEXT, "api": TEXT},
        "query",
        annotations=READS,
    )
    describe = DescribeOperationTool.define(
        DESCRIBE_OPERATION,
        "One operation: its fields with their values, its risk, its workflows.",
        {"operation": {**TEXT, "description": "METHOD /path"}, "api": TEXT},
        "operation",
        annotations=READS,
    )
    for tool in (search, describe):
        tool._knowledge, tool._asking = knowledge, asking
    return [search, describe]
