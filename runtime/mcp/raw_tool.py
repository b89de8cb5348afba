"""The MCP tool `call_api`: one operation of an API alone, for those whom the policy names (`runtime.raw_calls`).

It is a call like any other from there on: plans, confirmation, what is shown of a read. Listed to those who may, as
soon as the policy names them; what it costs is taken from what workflows may cost. Called by `app`.
"""

from collections.abc import Callable
from typing import Any

from fastmcp.tools import ToolResult
from pydantic import PrivateAttr

from runtime.call_options import manner_of
from runtime.caller import Caller
from runtime.calls.under_way import UnderWay, Wanted
from runtime.catalog.snapshot import CALL_API
from runtime.mcp.finding import RUNS, TEXT, FindingTool
from runtime.mcp.tools import carried_out
from runtime.raw_calls import RawCalls, inputs_of
from runtime.results.view import view_of

Json = Any


class RawTool(FindingTool):
    _raw: RawCalls = PrivateAttr()
    _under_way: UnderWay = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        wanted, caller = dict(self.checked(arguments)), self._asking()
        options = manner_of(wanted, "plan", "plan_id")
        view = view_of(wanted.get("select"), wanted.get("where"))
        entry = await self._raw.entry(wanted["operation"], wanted.get("api"), caller)
        inputs = inputs_of(entry, wanted.get("arguments", {}), wanted.get("body"))
        asked = Wanted(entry, inputs, wanted.get("target"), caller, options)
        return await carried_out(asked, view if entry.risk == "read" else None, self._under_way)


def raw_tool(raw: RawCalls, under_way: UnderWay, asking: Callable[[], Caller]) -> FindingTool:
    """`asking`: who sent the request that is being served."""
    tool: FindingTool = RawTool.define(
        CALL_API,
        "Calls one operation alone, without a workflow: nothing is looked up, waited for or read back. "
        "search_api finds it, describe_operation tells what it takes.",
        {
            "operation": {**TEXT, "description": "METHOD /path/{template}"},
            "arguments": {"type": "object", "description": "Parameters by name."},
            "body": {},
            "api": TEXT,
            "target": TEXT,
            "plan": {"type": "boolean"},
            "plan_id": {"type": "string"},
            "select": {"type": "string"},
            "where": {"type": "object"},
        },
        "operation",
        annotations=RUNS,
    )
    assert isinstance(tool, RawTool)
    tool._raw, tool._under_way, tool._asking = raw, under_way, asking
    return tool
