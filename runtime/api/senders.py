"""What comes from elsewhere, over HTTP, looked at alone: whose signed messages decide, and which bundles were brought.

Both are added on the server, where their secrets and keys are. Of a secret the reference is told. docs/WEBHOOKS.md,
docs/BUNDLES.md. Here never lives a message (`webhooks`) or a signature.
"""

from fastapi import APIRouter
from pydantic import BaseModel

from governance.bundles.importing import BundleStore
from runtime.api.models import Json
from runtime.api.part import ServicePart, problems

router = APIRouter(tags=["events"])


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


@router.get("/bundles", responses=problems())
async def list_bundles(service: ServicePart) -> list[dict[str, Json]]:
    """Which bundles were brought here, oldest first, and who signed them."""
    return [dict(each) for each in await BundleStore(service.database).list_bundles()]
