"""The tools of MCP over plain HTTP: one operation each, with a flat body, for agents that speak OpenAPI.

`POST /tools/NAME` takes what the tool NAME takes and answers how the run ended; search, describe, run and get_run are
there under the names that they have in MCP, and so are the lists. Each call is one through `UnderWay`, as over MCP:
same rights, plans, record. What is shown of a read is by default what people read of it. A failure is a problem.
Here never lives a description of these operations (`description`).
"""

from typing import Any

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import JSONResponse

from runtime.api.parts import models
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.api.workflows import GOES_ON, Key, answer_of
from runtime.caller import Caller
from runtime.calls.asking import taken_up
from runtime.calls.messages import told
from runtime.calls.under_way import Running, Wanted
from runtime.catalog.entries import Entry, TakenApart
from runtime.mcp.finding import description_of, searched
from runtime.mcp.run_tool import asked_to_end
from runtime.results.view import READABLE, WHOLE
from runtime.service import Service
from runtime.visibility import run_seen

Json = Any
router = APIRouter(tags=["tools"])
RUN_PROBLEMS = problems(404, 409, 422, 428, 500, 502, 504)
Arguments = Body(default={}, description="What the tool takes.")


@router.get("/tools/list", responses=problems())
async def list_tools(request: Request, caller: CallerPart) -> JSONResponse:
    """What an MCP client of this caller is listed, as `tools/list` has it."""
    tools = await request.app.state.provider.listed_to(caller)
    return JSONResponse({"tools": [wire_form(tool.to_mcp_tool()) for tool in tools]})


@router.get("/prompts/list", responses=problems())
async def list_prompts(request: Request, caller: CallerPart) -> JSONResponse:
    """The prompts for an MCP client of this caller, as `prompts/list` has it."""
    prompts = request.app.state.provider.prompts_for(caller.scope)
    return JSONResponse({"prompts": [wire_form(prompt.to_mcp_prompt()) for prompt in prompts]})


@router.get("/resources/list", responses=problems())
async def list_resources(request: Request, caller: CallerPart) -> JSONResponse:  # noqa: ARG001  who asks must be somebody
    """What an MCP client can read, as `resources/list` and `resources/templates/list` have it."""
    mcp = request.app.state.mcp
    resources = [wire_form(each.to_mcp_resource()) for each in await mcp.list_resources()]
    templates = [wire_form(each.to_mcp_template()) for each in await mcp.list_resource_templates()]
    return JSONResponse({"resources": resources, "resourceTemplates": templates})


def wire_form(told: Any) -> Json:
    """A value of MCP as its clients get it, without the server's own notes for itself."""
    return told.model_dump(by_alias=True, exclude_none=True, mode="json")


@router.post("/tools/search_workflows", responses=problems(422))
async def search_workflows(body: models.Search, service: ServicePart, caller: CallerPart) -> dict[str, Json]:
    """Finds approved workflows by what is to be done, to what; answers names, best first."""
    return await searched(service.finder, service.knowledge, caller.scope, body.query, body.api, body.risk)


@router.post("/tools/describe_workflow", responses=problems(404, 422))
async def describe_workflow(body: models.Named, service: ServicePart, caller: CallerPart) -> dict[str, Json]:
    """One workflow: all its inputs, its steps, its risk, its outputs."""
    return description_of(service.live.seen_by(caller.scope).find(body.name))


@router.post("/tools/run_workflow", responses={202: GOES_ON, **RUN_PROBLEMS})
async def run_workflow(
    body: models.RunByName, service: ServicePart, caller: CallerPart, response: Response, idempotency_key: Key = ""
) -> models.RunResult:
    """Runs one workflow, as the operation of that name would."""
    entry = service.live.seen_by(caller.scope).find(body.name)
    given = entry.taken_apart(body.arguments)
    return await _answered(service, entry, given, body.target or given.target, caller, response, idempotency_key)


@router.post("/tools/get_run", responses={202: GOES_ON, **RUN_PROBLEMS})
async def get_run(body: models.RunId, service: ServicePart, caller: CallerPart, response: Response) -> models.RunResult:
    """Waits for the end of a run that was still running, and tells its result."""
    run_id, seen = body.run, await run_seen(service, caller, body.run)
    if seen is not None and seen.outcome == "planned":
        run_id = await taken_up(service.asks, run_id)
        seen = await run_seen(service, caller, run_id)
    ended = await service.under_way.look(run_id, caller, seen)
    entry = service.live.seen_by(caller.scope).by_revision.get(seen.revision_id) if seen is not None else None
    view = READABLE if entry is not None and entry.risk == "read" else WHOLE
    return answer_of(ended, view, response, is_wanted=True)


@router.post("/tools/cancel_run", name="cancel_by_tool", responses={202: GOES_ON, **RUN_PROBLEMS})
async def cancel_run(
    body: models.RunId, service: ServicePart, caller: CallerPart, response: Response
) -> models.RunResult:
    """Ends a run that is still running: it stops between two requests, what was done stays done."""
    await asked_to_end(service, caller, body.run)
    ended = await service.under_way.look(body.run, caller, await run_seen(service, caller, body.run))
    if isinstance(ended, Running) or ended.outcome != "cancelled":
        return answer_of(ended, WHOLE, response, is_wanted=True)
    verdict = {**ended.verdict, "note": told(ended)}
    return models.RunResult(run_id=ended.run_id, outcome="cancelled", outputs={}, **verdict)


@router.post("/tools/{name}", responses={202: GOES_ON, **RUN_PROBLEMS})
async def call_tool(
    name: str, service: ServicePart, caller: CallerPart, response: Response,
    arguments: dict[str, Json] = Arguments, idempotency_key: Key = "",
) -> models.RunResult:  # fmt: skip
    """Runs the workflow whose tool is called so."""
    entry = service.live.seen_by(caller.scope).find(name)
    given = entry.taken_apart(arguments)
    return await _answered(service, entry, given, given.target, caller, response, idempotency_key)


async def _answered(
    service: Service, entry: Entry, given: TakenApart, target: str | None, caller: Caller, response: Response, key: str
) -> models.RunResult:
    wanted = Wanted(entry, given.inputs, target, caller, given.options, key)
    ended = await service.under_way.call(wanted)
    return answer_of(ended, given.view or WHOLE, response, is_wanted=given.options.is_plan)
