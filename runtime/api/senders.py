"""Whose signed messages decide, over HTTP.

Senders are kept by admins; of a secret the reference is taken and told. docs/WEBHOOKS.md.
Here never lives a message (`webhooks`) or a signature.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from governance.people.scopes import AccessScope
from runtime.api.parts.models import Json, Taken, TokenScope
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.api.parts.references import check_reference

router = APIRouter(tags=["events"])
Name = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$")]


class SenderRequest(Taken):
    """Whose messages are to decide, signed with which secret, on what."""

    name: Annotated[str, Field(max_length=64)]
    secret_ref: Annotated[str, Field(max_length=500, description="`env:NAME` of a secret `whsec_…`, for the server.")]
    scope: TokenScope = TokenScope()


class SenderOut(BaseModel):
    """Somebody whose signed messages approve, reject, let through and refuse, within `scope`."""

    name: str
    secret_ref: str
    scope: dict[str, Json]
    created_at: str
    created_by: str


class Senders(BaseModel):
    """`faults`: rows that are not as the audit says; such a sender counts for nothing."""

    senders: list[SenderOut]
    faults: list[str]


@router.get("/webhooks", responses=problems())
async def list_senders(service: ServicePart) -> Senders:
    """Whose messages decide here, by name."""
    found = [SenderOut(**each.to_json()) for each in await service.webhooks.list_webhooks()]
    return Senders(senders=found, faults=list(await service.webhooks.faults()))


@router.post("/webhooks", status_code=201, responses=problems(403, 409, 422))
async def add_sender(body: SenderRequest, service: ServicePart, caller: CallerPart) -> SenderOut:
    """From now on messages to /webhooks/NAME that are signed with this secret decide as an approver."""
    known = {each.secret_ref for each in await service.webhooks.list_webhooks()}
    check_reference("secret_ref", body.secret_ref, known, "switchgear webhooks add")
    scope = AccessScope.from_json(body.scope.model_dump())
    made = await service.webhooks.add(body.name, body.secret_ref, scope=scope, actor=caller.name)
    return SenderOut(**made.to_json())


@router.delete("/webhooks/{sender}", status_code=204, responses=problems(404, 422))
async def remove_sender(sender: Name, service: ServicePart, caller: CallerPart) -> None:
    """From now on nothing that it signs counts."""
    await service.webhooks.remove(sender, actor=caller.name)
