"""Sites over HTTP: invited by admins, looked at by those in whose reach they are, and the two doors for sites.

A site joins by its invitation, and comes from then on with messages that it signs (`runtime.sites`); both doors look
alike to whoever has neither. What is done on sites are runs of workflows like any other, and what is chosen among them
is in `fleet`. A site is disabled, enabled and removed as a server (`servers`). Here never lives a rule.
"""

import asyncio
import base64
import hashlib
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from governance.errors import NotFoundError, RefusedError
from governance.registry.targets import Target
from runtime.api.parts import models
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.api.servers import NAME
from runtime.auth.access import SITE
from runtime.caller import Caller
from runtime.problems import Problem
from runtime.service import Service
from runtime.sites.hub import NO_HUB
from runtime.sites.outgoing import SentBundle, send_bundle
from runtime.visibility import targets_of

Json = Any
router = APIRouter(prefix="/sites", tags=["sites"])
Name = Annotated[str, Path(max_length=64)]
Label = Annotated[str, Field(max_length=64)]
Why = Annotated[str, Field(max_length=2_000)]
NONE: dict[str, str] = {}
NO_NAMES: list[str] = []
NO_REASONS: dict[str, str] = {}


class Invitation(models.Taken):
    """`minutes`: for so long somebody may join with it, once."""

    name: Annotated[str, Field(pattern=NAME)]
    labels: dict[Label, Label] = NONE
    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 60


class Invited(BaseModel):
    """`invitation` is shown this once: `switchgear site join INVITATION --hub …`."""

    name: str
    invitation: str
    until: str


class SiteOut(BaseModel):
    """`is_well`: calls can go there; else `why` not. `heard_of_s`: seconds since it said something, null: not yet.

    `catalog`: digest of what it has; `running`: what it does for this hub; `under_way`: what this hub waits for.
    """

    name: str
    labels: dict[str, str]
    is_well: bool
    why: str
    heard_of_s: float | None
    version: str
    catalog: str
    workflows: list[str]
    running: int
    under_way: int


class Joining(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=NAME)]
    secret: Annotated[str, Field(max_length=200)]
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class Joined(BaseModel):
    """The hub's public key, which the invitation names by its fingerprint."""

    hub_key: str


class Message(BaseModel):
    """What a site says of itself, with answers to dispatches. `workflows` and `targets`: where the hub lacks them.

    `has`: dispatches under way there; `waits`: why some of them wait for a person."""

    model_config = ConfigDict(extra="forbid")

    process: Annotated[str, Field(max_length=64)]
    version: Annotated[str, Field(max_length=64)]
    catalog: Annotated[str, Field(max_length=100)]
    workflows: Annotated[list[dict[str, Json]], Field(max_length=1_000)] | None = None
    targets: Annotated[list[dict[str, Json]], Field(max_length=1_000)] | None = None
    running: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    has: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=1_000)] = []
    waits: Annotated[dict[Annotated[str, Field(max_length=200)], Why], Field(max_length=1_000)] = NO_REASONS
    answers: Annotated[list[dict[str, Json]], Field(max_length=100)] = []
    wait_s: Annotated[float, Field(ge=0, le=60)] = 0


class Work(BaseModel):
    """Dispatches, each signed, with its inputs; what is to end, signed; whether the hub wants to know what the site
    has."""

    dispatches: list[dict[str, Json]]
    ends: list[str] = NO_NAMES
    wants_workflows: bool


class BundleOut(models.Taken):
    """A bundle (base64) for the sites of these names, or that have these labels; neither: for all."""

    bundle: Annotated[str, Field(max_length=12 * 1024 * 1024)]
    sites: Annotated[list[Label], Field(max_length=1_000)] = NO_NAMES
    labels: dict[Label, Label] = NONE


@router.get("", responses=problems())
async def list_sites(service: ServicePart, caller: CallerPart) -> list[SiteOut]:
    """The sites in reach, by name, and how it stands with each."""
    return [_shown(service, each) for each in await _reachable(service, caller)]


@router.post("", status_code=201, responses=problems(403, 404, 409, 422))
async def invite_site(body: Invitation, service: ServicePart, caller: CallerPart) -> Invited:
    """Lets a site join once, within a time. What it has waits for an approver then."""
    if not service.hub.is_one:
        raise NO_HUB
    lasts = timedelta(minutes=body.minutes)
    secret, until = await service.sites.invite(body.name, labels=body.labels.items(), lasts=lasts, actor=caller.name)
    await service.live.reload()
    return Invited(name=body.name, invitation=f"{body.name}.{secret}.{service.hub.signer().name}", until=until)


@router.get("/{name}", responses=problems(404, 422))
async def show_site(name: Name, service: ServicePart, caller: CallerPart) -> SiteOut:
    """One site."""
    for each in await _reachable(service, caller):
        if each.name == name:
            return _shown(service, each)
    raise NotFoundError(f"there is no site {name}", "see `switchgear site list`")


@router.post("/bundles", responses=problems(403, 404, 409, 422))
async def send_bundle_to_sites(
    body: BundleOut, service: ServicePart, caller: CallerPart
) -> dict[str, list[SentBundle]]:
    """Has sites import a bundle, by the keys that each of them trusts and by its own policy; a result for each."""
    try:
        data = base64.b64decode(body.bundle, validate=True)
    except ValueError:
        raise Problem(422, "bad request", "The bundle is no base64.", "see docs/SITES.md") from None
    sites = [
        each for each in await _reachable(service, caller)
        if (not body.sites or each.name in body.sites) and each.has_labels(body.labels.items())
    ]  # fmt: skip
    return {"results": list(await send_bundle(service, [each.name for each in sites], data, caller))}


@router.post("/join", responses=problems(404, 422))
async def join(body: Joining, request: Request, service: ServicePart) -> Joined:
    """A site's first word: its invitation, and the key by which it is known from now on."""
    from runtime.sites.statements import is_public

    if not service.hub.is_one:
        raise NO_HUB
    try:
        if not is_public(body.key):
            raise RefusedError("no key")
        await service.sites.join(body.name, body.secret, body.key)
    except RefusedError as error:
        await service.refusals.note("site.refused", "site:unknown", {"address": _address(request)})
        detail = "No invitation that is open fits this."
        raise Problem(401, "no valid invitation", detail, "ask an admin of the hub for one", _CHALLENGE) from error
    await service.live.reload()
    return Joined(hub_key=service.hub.signer().public)


@router.post("/exchange", responses=problems(404, 409, 422))
async def exchange(body: Message, request: Request, service: ServicePart) -> Work:
    """A site's signed message; answered with work for it, when there is some or after a while."""
    name, signed = request.scope[SITE]
    if hashlib.sha256(await request.body()).hexdigest() != signed:
        raise Problem(401, "no valid statement", "This was signed for another message.", "see docs/SITES.md")
    exchanging = asyncio.create_task(service.hub.exchange(name, body.model_dump()))
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait((exchanging, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not exchanging.done():  # nothing is handed to whoever is gone
            raise Problem(503, "gone", "The site went away.", "")
        return Work(**exchanging.result())
    finally:
        leaving.cancel()
        exchanging.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


_CHALLENGE = (("www-authenticate", "Invitation"),)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _reachable(service: Service, caller: Caller) -> list[Target]:
    return [each for each in await targets_of(service, caller) if each.server is not None and each.server.is_site]


def _shown(service: Service, target: Target) -> SiteOut:
    return SiteOut(**service.hub.state_of(target).to_json())
