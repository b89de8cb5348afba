"""Bundles over HTTP: what was brought here, whether one would be taken, bringing one, and making one to be signed.

The body is the file. What is brought counts by the signatures that are trusted on the server and by the policy here:
who holds an admin's token can bring nothing that these refuse, and says over HTTP neither whose key counts nor how many
it takes. What is made here is unsigned, since private keys are elsewhere (`switchgear bundle sign`). docs/BUNDLES.md.
Here never lives a signature or a rule (`governance.bundles`).
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from governance.bundles.exporting import ExportOrder, export
from governance.bundles.importing import BundleStore, ImportVerdict
from governance.storage.identifiers import moment, utc_now
from runtime.api.parts.models import Taken
from runtime.api.parts.part import CallerPart, ServicePart, problems

Json = Any
router = APIRouter(prefix="/bundles", tags=["bundles"])
BYTES = "application/octet-stream"
FILE: dict[str, Json] = {BYTES: {"schema": {"type": "string", "format": "binary"}}}
BODY = {"requestBody": {"required": True, "content": FILE}}
DAYS = 90
NO_NAMES: list[str] = []


class BundleWanted(Taken):
    """A bundle of all that is approved, or of these APIs. `version`: higher than every one before of that name."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    apis: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=100)] = NO_NAMES
    days: Annotated[int, Field(ge=1, le=3650, description="How long it can be imported.")] = DAYS


class BundleVerdict(BaseModel):
    """What a bundle brings, or has brought. `known`: it was imported last; `pending`: so many wait for people."""

    name: str
    version: int
    created_at: str
    expires_at: str
    catalog: str
    digest: str
    apis: list[str]
    signed_by: list[dict[str, str]]
    known: bool
    added: int
    kept: int
    retired: int
    pending: int


@router.get("", responses=problems())
async def list_bundles(service: ServicePart) -> list[dict[str, Json]]:
    """Which bundles were brought here, oldest first, and who signed them."""
    return [dict(each) for each in await BundleStore(service.database).list_bundles()]


@router.post("/verify", openapi_extra=BODY, responses=problems(409, 422))
async def verify_bundle(request: Request, service: ServicePart) -> BundleVerdict:
    """Whether a bundle would be taken here, and what it would change. Changes nothing."""
    with _as_file(await request.body()) as file:
        return _told(await BundleStore(service.database).verify(file))


@router.post("", openapi_extra=BODY, responses=problems(409, 422))
async def import_bundle(request: Request, service: ServicePart, caller: CallerPart) -> BundleVerdict:
    """Makes what a bundle holds the workflows of its APIs, approved as far as the policy here is content."""
    with _as_file(await request.body()) as file:
        verdict = await BundleStore(service.database).bring_in(file, actor=caller.name, role=caller.role)
    await service.live.reload()
    return _told(verdict)


@router.post("/export", response_class=Response, responses={200: {"content": FILE}, **problems(404, 409, 422)})
async def export_bundle(body: BundleWanted, service: ServicePart, caller: CallerPart) -> Response:
    """All that is approved, with its profiles, as an unsigned bundle: sign it where the key is."""
    order = ExportOrder(body.name, body.version, tuple(body.apis), moment(utc_now()), body.days)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made.bundle"
        manifest = await export(service.database, order, (), file, actor=caller.name)
        data = await asyncio.to_thread(file.read_bytes)
    named = f'attachment; filename="{manifest.name}-{manifest.version}.bundle"'
    return Response(data, media_type=BYTES, headers={"content-disposition": named, "x-content-type-options": "nosniff"})


@contextmanager
def _as_file(data: bytes) -> Iterator[Path]:
    """As the file that a bundle is read from: bounded there, and gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sent.bundle"
        file.write_bytes(data)
        yield file


def _told(verdict: ImportVerdict) -> BundleVerdict:
    return BundleVerdict(**verdict.to_json())
