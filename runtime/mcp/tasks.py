"""Runs as tasks of MCP, for clients that say that they take them: a call that lasts is answered with a task.

A task is a run under its own id, and nothing more: who may see the run may ask for the task and end it, it outlives the
session and the process, and `get_run` and REST tell the same of it. Asked for again and again by `tasks/get`; nothing
is asked of a client meanwhile, so that `tasks/update` changes nothing. Of MCP 2026-07-28 alone: on the wire of older
versions the SDK has no form for it. Called by `app`. SEP-2663 (`io.modelcontextprotocol/tasks`), SEP-2133.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from fastmcp.server.context import Context
from fastmcp.server.dependencies import get_context, get_http_request
from fastmcp.server.extensions import MethodBinding, ServerExtension, ToolCallContinuation, ToolCallOutcome
from fastmcp.tools import ToolResult
from fastmcp.utilities.tasks import TASKS_EXTENSION_ID
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolRequestParams,
    CallToolResult,
    RequestParams,
    Result,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import Field

from governance.errors import GovernanceError, NotFoundError, TransitionError
from governance.runs.runs import Run
from governance.storage.identifiers import moment, utc_now
from runtime.caller import Caller
from runtime.calls.messages import told_running
from runtime.calls.under_way import Running
from runtime.catalog.snapshot import CANCEL_NAME, RUN_NAME
from runtime.engines.engine import Ended
from runtime.mcp.asking import takes_tasks
from runtime.mcp.run_tool import asked_to_end, result_of_run
from runtime.mcp.tools import META, refused
from runtime.problems import KNOWN
from runtime.service import Service
from runtime.visibility import run_seen

Json = Any
RequestContext = ServerRequestContext[Any, Any]
# Longer than any run may last; runs are kept for months.
TTL_MS = 24 * 3600 * 1000
POLL_MS = 2_000
_CAPABILITY: dict[str, Json] = {"requiredCapabilities": {"extensions": {TASKS_EXTENSION_ID: {}}}}


class TaskParams(RequestParams):
    task_id: str


class UpdateParams(TaskParams):
    input_responses: dict[str, Json] = Field(default_factory=dict)


class CreatedTask(Result):
    """The answer to a call whose run goes on."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: Literal["working"] = "working"
    status_message: str
    created_at: str
    last_updated_at: str
    ttl_ms: int = TTL_MS
    poll_interval_ms: int = POLL_MS


class RunTasks(ServerExtension):
    identifier = TASKS_EXTENSION_ID

    def __init__(self, service: Service, asking: Callable[[], Caller]) -> None:
        """`asking`: who sent the request that is being served."""
        self._service = service
        self._asking = asking

    def methods(self) -> Sequence[MethodBinding]:
        modern = frozenset(MODERN_PROTOCOL_VERSIONS)
        return (
            MethodBinding("tasks/get", TaskParams, self._get, modern),
            MethodBinding("tasks/update", UpdateParams, self._update, modern),
            MethodBinding("tasks/cancel", TaskParams, self._cancel, modern),
        )

    async def intercept_tool_call(
        self, params: CallToolRequestParams, context: Context, call_next: ToolCallContinuation
    ) -> ToolCallOutcome:
        outcome = await call_next()
        return self.in_place_of(outcome, params.name, context) if isinstance(outcome, ToolResult) else outcome

    def in_place_of(self, outcome: ToolResult, name: str, context: Context) -> ToolCallOutcome:
        """The result, or a task where the run goes on and the client takes one. `name`: of the tool."""
        run_id = _going_on(outcome)
        if not run_id or name in (RUN_NAME, CANCEL_NAME) or not takes_tasks(context):
            return outcome
        now = moment(utc_now())
        return CreatedTask(task_id=run_id, status_message=_text_of(outcome), created_at=now, last_updated_at=now)

    async def _get(self, _ctx: RequestContext, params: TaskParams) -> dict[str, Json]:
        caller = self._checked(params.task_id)
        seen = await self._seen(params.task_id, caller)
        try:
            ended = await self._service.under_way.look(params.task_id, caller, seen, wait_s=0.0)
        except NotFoundError as error:
            raise _unknown(params.task_id) from error
        except KNOWN as error:  # which is how its call would have been answered
            return _told(params.task_id, seen, "completed", result=_wire_form(refused(error)))
        if isinstance(ended, Running):
            return _told(params.task_id, seen, "working", statusMessage=told_running(ended, how="tasks/get"))
        return await self._end_of(ended, caller, params.task_id)

    async def _end_of(self, ended: Ended, caller: Caller, task_id: str) -> dict[str, Json]:
        seen, result = await self._seen(task_id, caller), await result_of_run(self._service, caller, ended)
        if ended.outcome == "cancelled":
            return _told(task_id, seen, "cancelled", statusMessage=_text_of(result))
        return _told(task_id, seen, "completed", result=_wire_form(result))

    async def _update(self, _ctx: RequestContext, params: UpdateParams) -> dict[str, Json]:
        """Nothing was asked of the client, so that no answer of it counts."""
        await self._known(params.task_id, self._checked(params.task_id))
        return {}

    async def _cancel(self, _ctx: RequestContext, params: TaskParams) -> dict[str, Json]:
        """Asks for the end; a run that has ended stays as it is."""
        caller = self._checked(params.task_id)
        await self._known(params.task_id, caller)
        try:
            await asked_to_end(self._service, caller, params.task_id)
        except TransitionError:
            pass
        except GovernanceError as error:
            raise MCPError(INVALID_PARAMS, error.message) from error
        return {}

    async def _known(self, task_id: str, caller: Caller) -> None:
        if await self._seen(task_id, caller) is None:
            raise _unknown(task_id)

    async def _seen(self, task_id: str, caller: Caller) -> Run | None:
        """The run that the caller sees; None where there is no record yet. Raises MCPError for one out of reach."""
        try:
            return await run_seen(self._service, caller, task_id)
        except NotFoundError as error:
            raise _unknown(task_id) from error

    def _checked(self, task_id: str) -> Caller:
        """Who asks. Raises MCPError for a client that does not say that it takes tasks, or names another one in its
        header."""
        if not takes_tasks(get_context()):
            message = f"the request does not say that its client takes tasks ({TASKS_EXTENSION_ID})"
            raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, message, _CAPABILITY)
        try:
            named = get_http_request().headers.get(MCP_NAME_HEADER)
        except RuntimeError:  # not over HTTP
            named = None
        if named is not None and decode_header_value(named) != task_id:
            raise MCPError(HEADER_MISMATCH, f"the header {MCP_NAME_HEADER} names another task than the request")
        return self._asking()


def _unknown(task_id: str) -> MCPError:
    return MCPError(INVALID_PARAMS, f"there is no task {task_id}")


def _going_on(result: ToolResult) -> str:
    """The run that goes on by itself after such an answer; empty where there is none."""
    told = (result.meta or {}).get(META, {})
    return str(told["run"]) if told.get("outcome") in ("running", "waiting") and "run" in told else ""


def _text_of(result: ToolResult) -> str:
    return "\n".join(str(getattr(each, "text", "")) for each in result.content)


def _told(task_id: str, run: Run | None, status: str, **more: Json) -> dict[str, Json]:
    now = moment(utc_now())
    created, updated = (run.started_at, run.finished_at) if run is not None else (now, None)
    times = {"createdAt": created, "lastUpdatedAt": updated or now}
    return {"taskId": task_id, "status": status, **times, "ttlMs": TTL_MS, "pollIntervalMs": POLL_MS, **more}


def _wire_form(result: ToolResult) -> Json:
    told = result.to_mcp_result()
    assert isinstance(told, CallToolResult), "each of ours says something beside its content"
    return told.model_dump(by_alias=True, exclude_none=True, mode="json")
