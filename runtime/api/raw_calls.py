"""Single operations over HTTP, for those whom the policy names: called as the tool `call_api` is, and submitted.

An approver has an operation wait for its approval by name; it is decided on where all workflows are
(`POST /workflows/{ref}/approve`). Who may call, and how it becomes a workflow, `runtime.raw_calls` says.
"""

from typing import Any

from fastapi import APIRouter, Response

from runtime.api.agents.tools import RUN_PROBLEMS
from runtime.api.parts import models
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.api.workflows import GOES_ON, Key, answer_of, summary_of
from runtime.call_options import manner_of
from runtime.calls.under_way import Wanted
from runtime.raw_calls import inputs_of
from runtime.results.view import WHOLE, view_of

Json = Any
router = APIRouter()


@router.post("/tools/call_api", tags=["tools"], responses={202: GOES_ON, **RUN_PROBLEMS})
async def call_api(
    body: models.RawCall, service: ServicePart, caller: CallerPart, response: Response, idempotency_key: Key = ""
) -> models.RunResult:
    """Calls one operation alone, without a workflow: nothing is looked up, waited for or read back."""
    options = manner_of({"plan": body.plan, "plan_id": body.plan_id}, "plan", "plan_id")
    view = view_of(body.select, body.where)
    entry = await service.raw.entry(body.operation, body.api, caller)
    inputs = inputs_of(entry, body.arguments, body.body)
    ended = await service.under_way.call(Wanted(entry, inputs, body.target, caller, options, idempotency_key))
    return answer_of(ended, view if entry.risk == "read" else WHOLE, response, is_wanted=options.is_plan)


@router.post("/knowledge/operation/submit", tags=["knowledge"], responses=problems(404, 409, 422))
async def submit_operation(body: models.NamedOperation, service: ServicePart, caller: CallerPart) -> models.Workflow:
    """Has an operation wait for approval, to be called alone by those whom the policy names."""
    revision = await service.raw.submit(body.operation, body.api, caller)
    return models.Workflow(**summary_of(revision))
