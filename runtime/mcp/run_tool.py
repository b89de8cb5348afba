"""Two tools about a run that outlasted its call: one waits for its end and tells it, the other one ends it.

The first waits as long as a call waits (`under_way`) and reports progress meanwhile; what lasts longer is asked for
again, and told as the call would have told it. Of a call that a person has to let through it tells how that stands, and
once it was carried out, how it ended. It changes nothing, and is listed beside any workflow, for each may outlast a
call. The second asks for the end, which comes between two requests, and waits for it likewise; it is listed where there
is room, and reached by `run_workflow` elsewhere. Seen are the runs that `visibility` shows the caller. Called by `app`.
"""

from collections.abc import Callable
from typing import Any

from fastmcp.tools import ToolResult
from pydantic import PrivateAttr

from runtime.caller import Caller
from runtime.calls.asking import taken_up
from runtime.calls.under_way import Running
from runtime.catalog.snapshot import CANCEL_NAME, RUN_NAME
from runtime.engines.engine import Ended
from runtime.mcp.asking import wish_of_request
from runtime.mcp.finding import READS, RUNS, FindingTool
from runtime.mcp.tools import META, result_for
from runtime.results.view import READABLE
from runtime.service import Service
from runtime.visibility import run_of, run_seen

Json = Any
RUN_ID = {"type": "string", "minLength": 1, "maxLength": 64}


class GetRunTool(FindingTool):
    _service: Service = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        return await self._end_of(self.checked(arguments)["run"])

    async def _end_of(self, run_id: str) -> ToolResult:
        caller, service = self._asking(), self._service
        seen = await run_seen(service, caller, run_id)
        if seen is not None and seen.outcome == "planned":
            run_id = await taken_up(service.asks, run_id)
            seen = await run_seen(service, caller, run_id)
        async with wish_of_request() as wish:
            ended = await service.under_way.look(run_id, caller, seen, wish.told)
        return _told(await result_of_run(service, caller, ended), ended.run_id)


class CancelTool(GetRunTool):
    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        run_id = self.checked(arguments)["run"]
        await asked_to_end(self._service, self._asking(), run_id)
        result = await self._end_of(run_id)
        if (result.meta or {})[META]["outcome"] == "cancelled":  # which is what was asked for
            result.is_error = False
        return result


async def result_of_run(service: Service, caller: Caller, ended: Ended | Running) -> ToolResult:
    """How a run stands that the caller sees, as its call would have been answered, with what people read of a read."""
    run = await run_seen(service, caller, ended.run_id)
    entry = service.live.seen_by(caller.scope).by_revision.get(run.revision_id) if run is not None else None
    prepared, view = (entry.prepared, READABLE if entry.risk == "read" else None) if entry else (None, None)
    return result_for(run.digest if run else "", prepared, ended, view)


async def asked_to_end(service: Service, caller: Caller, run_id: str) -> None:
    """Asks for the end of a run that the caller sees. Raises NotFoundError, or TransitionError where it has ended."""
    await run_of(service, caller, run_id)
    await service.open_runs.ask_cancel(run_id, actor=caller.name)


def _told(result: ToolResult, run_id: str) -> ToolResult:
    """`result` as that of a run, whatever its workflow promises of outputs."""
    outcome = (result.meta or {})[META]["outcome"]
    told: dict[str, Json] = {"run_id": run_id, "outcome": outcome}
    shown = result.structured_content or {}
    told |= shown.get("running", {}) if outcome in ("running", "waiting") else {}
    told |= shown if outcome == "planned" else {}
    told |= {"outputs": shown} if outcome in ("succeeded", "pending") else {}
    return ToolResult(content=result.content, structured_content=told, meta=result.meta, is_error=result.is_error)


def run_tools(service: Service, asking: Callable[[], Caller]) -> tuple[FindingTool, FindingTool]:
    """The one that waits, and the one that ends. `asking`: who sent the request that is being served."""
    waits = "Waits for the end of a run that was still running, and tells its result."
    ends = "Ends a run that is still running: it stops between two requests, what was done stays done."
    waiting = GetRunTool.define(RUN_NAME, waits, {"run": RUN_ID}, "run", annotations=READS)
    ending = CancelTool.define(CANCEL_NAME, ends, {"run": RUN_ID}, "run", annotations=RUNS)
    for tool in (waiting, ending):
        tool._service, tool._asking = service, asking
    return waiting, ending
