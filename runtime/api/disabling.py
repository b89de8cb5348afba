"""Taking a workflow out of use for now over HTTP, and putting it back: what was approved stays approved.

Counts at once: the catalog is loaded before the answer, and connected clients are told. Here never lives the rule of
what a disabled workflow may still do (`governance.approval.disabling`).
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from runtime.api.parts.models import Taken
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.visibility import revision_of, scope_of

router = APIRouter(prefix="/workflows", tags=["workflows"])


class DisableRequest(Taken):
    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]


class DisabledWorkflow(BaseModel):
    workflow_id: str
    reason: str
    disabled_at: str
    disabled_by: str


class EnabledWorkflow(BaseModel):
    workflow_id: str


@router.get("/disabled", responses=problems())
async def list_disabled(service: ServicePart, caller: CallerPart) -> list[DisabledWorkflow]:
    """What is taken out of use for now, by workflow."""
    scope = await scope_of(service, caller)
    told = []
    for each in await service.disabled.list_disabled():
        revision = await service.revisions.get(each.workflow_id)
        if scope.admits(revision.api, revision.risk, revision.workflow_id):
            told.append(DisabledWorkflow(**each.to_json()))
    return told


@router.post("/{ref}/disable", responses=problems(404, 409, 422))
async def disable(ref: str, body: DisableRequest, service: ServicePart, caller: CallerPart) -> DisabledWorkflow:
    """Takes a workflow out of use until it is enabled, whatever of it is approved. Runs under way go on."""
    revision = await revision_of(service, caller, ref)
    disabled = await service.disabled.disable(revision.workflow_id, actor=caller.name, reason=body.reason)
    await service.live.reload()
    return DisabledWorkflow(**disabled.to_json())


@router.post("/{ref}/enable", responses=problems(404, 409))
async def enable(ref: str, service: ServicePart, caller: CallerPart) -> EnabledWorkflow:
    """Puts it back into use: what is approved of it is served again."""
    revision = await revision_of(service, caller, ref)
    workflow_id = await service.disabled.enable(revision.workflow_id, actor=caller.name)
    await service.live.reload()
    return EnabledWorkflow(workflow_id=workflow_id)
