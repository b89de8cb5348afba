"""The tool that takes up a run: waits for the end of one that outlasted its call, and tells it as the call would have.

It waits as long as a call waits (`under_way`) and reports progress meanwhile; what lasts longer is asked for again.
Of a call that a person has to let through it tells how that stands, and once it was carried out, how it ended.
Seen are the runs that `reach` shows the caller. It changes nothing: a run is ended over REST or the command line.
Listed beside any workflow, for each may outlast a call. Called by `app`.
"""

from collections.abc import Callable
from typing import Any

from fastmcp.tools import ToolResult
from pydantic import PrivateAttr

from runtime.calls.asking import taken_up
from runtime.catalog import RUN_NAME
from runtime.gate.access import Caller
from runtime.mcp.asking import wish_of_request
from runtime.mcp.finding import READS, FindingTool
from runtime.mcp.tools import META, result_for
from runtime.reach import run_seen
from runtime.results.view import READABLE
from runtime.service import Service

Json = Any
RUN_ID = {"type": "string", "minLength": 1, "maxLength": 64}


class RunTool(FindingTool):
    _service: Service = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        run_id, caller, service = self.checked(arguments)["run"], self._asking(), self._service
        seen = await run_seen(service, caller, run_id)
        if seen is not None and seen.outcome == "planned":
            run_id = await taken_up(service.asks, run_id)
            seen = await run_seen(service, caller, run_id)
        async with wish_of_request() as wish:
            ended = await service.under_way.look(run_id, caller, seen, wish.told)
        run = await run_seen(service, caller, run_id)
        entry = service.live.seen_by(caller.scope).by_revision.get(run.revision_id) if run is not None else None
        prepared, view = (entry.prepared, READABLE if entry.risk == "read" else None) if entry else (None, None)
        return _told(result_for(run.digest if run else "", prepared, ended, view), ended.run_id)


def _told(result: ToolResult, run_id: str) -> ToolResult:
    """`result` as that of a run, whatever its workflow promises of outputs."""
    outcome = (result.meta or {})[META]["outcome"]
    told: dict[str, Json] = {"run_id": run_id, "outcome": outcome}
    shown = result.structured_content or {}
    told |= shown.get("running", {}) if outcome == "running" else {}
    told |= shown if outcome == "planned" else {}
    told |= {"outputs": shown} if outcome in ("succeeded", "pending") else {}
    return ToolResult(content=result.content, structured_content=told, meta=result.meta, is_error=result.is_error)


def run_tool(service: Service, asking: Callable[[], Caller]) -> FindingTool:
    """`asking`: who sent the request that is being served."""
    tool: FindingTool = RunTool.define(
        RUN_NAME,
        "Waits for the end of a run that was still running, and tells its result.",
        {"run": RUN_ID},
        "run",
        annotations=READS,
    )
    assert isinstance(tool, RunTool)
    tool._service, tool._asking = service, asking
    return tool
