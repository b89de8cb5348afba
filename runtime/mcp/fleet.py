"""Three tools over sites: which can do something, having as many do it as are wanted, having all do it.

Listed where a workflow of a site is in the caller's reach, and never else: they cost nothing where there are no sites.
What they do is `runtime.sites.fleet`'s, each run one like any other. Called by `app`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastmcp.tools import ToolResult
from pydantic import PrivateAttr

from runtime.caller import Caller
from runtime.calls.selection import MOST_AT_ONCE
from runtime.catalog.snapshot import FLEET_NAMES
from runtime.mcp.finding import READS, RUNS, TEXT, FindingTool, said
from runtime.service import Service
from runtime.sites import fleet
from runtime.sites.fleet import Doing, SiteSelection

Json = Any
SELECT, SATISFY, DISPATCH = FLEET_NAMES
LABELS: dict[str, Json] = {"type": "object", "additionalProperties": {"type": "string"}}
CHOICE: dict[str, Json] = {
    "workflow": {**TEXT, "description": "By the sites' own name, without site_NAME_."},
    "sites": {"type": "array", "items": TEXT},
    "labels": LABELS,
    "target_labels": {**LABELS, "description": "Of a device there."},
    "prefer": {"type": "array", "items": TEXT, "description": "LABEL=VALUE or idle, the first counts most."},
}
DOING: dict[str, Json] = {
    "inputs": {"type": "object"},
    "parallel": {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE},
    "stop_on_failure": {"type": "boolean"},
    "plan": {"type": "boolean"},
}


class FleetTool(FindingTool):
    """A tool over sites; `_told` is what it does."""

    _service: Service = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        return said(await self._told(self.checked(arguments), self._asking()))

    async def _told(self, wanted: Mapping[str, Json], caller: Caller) -> dict[str, Json]:
        raise NotImplementedError


class SelectTool(FleetTool):
    async def _told(self, wanted: Mapping[str, Json], caller: Caller) -> dict[str, Json]:
        return (await fleet.select(self._service, SiteSelection.of(wanted), caller)).to_json()


class SatisfyTool(FleetTool):
    async def _told(self, wanted: Mapping[str, Json], caller: Caller) -> dict[str, Json]:
        count = wanted.get("count", 1)
        return await fleet.satisfy(self._service, SiteSelection.of(wanted), Doing.of(wanted), count, caller)


class DispatchTool(FleetTool):
    async def _told(self, wanted: Mapping[str, Json], caller: Caller) -> dict[str, Json]:
        return await fleet.dispatch(self._service, SiteSelection.of(wanted), Doing.of(wanted), caller)


def fleet_tools(service: Service, asking: Callable[[], Caller]) -> tuple[FleetTool, ...]:
    """`asking`: who sent the request that is being served."""
    count = {"count": {"type": "integer", "minimum": 1, "maximum": 1000}}
    tools: tuple[FleetTool, ...] = (
        SelectTool.define(
            SELECT,
            "Which sites can do a workflow, the best first, and why the others cannot. Changes nothing.",
            CHOICE,
            "workflow",
            annotations=READS,
        ),
        SatisfyTool.define(
            SATISFY,
            "Has `count` sites do a workflow: the best first, the next for each that surely has not done it.",
            {**CHOICE, **DOING, **count},
            "workflow",
            annotations=RUNS,
        ),
        DispatchTool.define(
            DISPATCH,
            "Has every site do a workflow that can, some at a time; a result for each.",
            {**CHOICE, **DOING},
            "workflow",
            annotations=RUNS,
        ),
    )
    for tool in tools:
        tool._service, tool._asking = service, asking
    return tools
