"""Who is told of events, and what could not be told: endpoints and dead letters, for admins.

An address comes from an admin, by this API or the command line, and from nowhere else. Of a secret only the reference
is taken and shown. Here never lives a rule of what is allowed: the stores refuse, in the words that the command line
has. docs/EVENTS.md.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from governance.events.endpoints import Endpoint
from governance.events.outbox import Kind
from runtime.api.parts.models import Names
from runtime.api.parts.part import CallerPart, ServicePart, problems

router = APIRouter(tags=["events"])
Text = Annotated[str, Field(min_length=1, max_length=2048)]
Name = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$")]


class EndpointRequest(BaseModel):
    """Where to send, signed with which secret; `kinds` and `apis`: of what, empty for all."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=64)]
    url: Text
    secret_ref: Annotated[Text, Field(description="`env:NAME` or `file:/path` of a secret `whsec_…`, for the server.")]
    kinds: list[Kind] = []
    apis: Names = []
    tls: Annotated[Text, Field(description="`verify`, `ca:<file>` or `pin:<sha256>`.")] = "verify"
    allow_http: Annotated[bool, Field(description="Plain HTTP beyond this machine is meant.")] = False


class EndpointOut(BaseModel):
    """`disabled_why`: since then nothing is sent."""

    name: str
    url: str
    secret_ref: str
    kinds: list[str]
    apis: list[str]
    tls: str
    created_at: str
    created_by: str
    disabled_at: str | None
    disabled_why: str | None


class DeadLetterOut(BaseModel):
    """A message that was not heard, after so many tries; `error`: of the last one."""

    id: str
    endpoint: str
    kind: str
    made_at: str
    tries: int
    error: str
    error_at: str


@router.get("/events/endpoints", responses=problems())
async def list_endpoints(service: ServicePart) -> list[EndpointOut]:
    """Who is told, by name."""
    return [EndpointOut(**each.to_json()) for each in await service.endpoints.list_endpoints()]


@router.post("/events/endpoints", status_code=201, responses=problems(409, 422))
async def add_endpoint(body: EndpointRequest, service: ServicePart, caller: CallerPart) -> EndpointOut:
    """From now on events are sent there."""
    wish = Endpoint(body.name, body.url, body.secret_ref, tuple(body.kinds), tuple(body.apis), body.tls)
    made = await service.endpoints.add(wish, actor=caller.name, allow_http=body.allow_http)
    return EndpointOut(**made.to_json())


@router.delete("/events/endpoints/{endpoint}", status_code=204, responses=problems(404, 422))
async def remove_endpoint(endpoint: Name, service: ServicePart, caller: CallerPart) -> None:
    """Nothing is sent there any more; what waits is dropped."""
    await service.endpoints.remove(endpoint, actor=caller.name)


@router.post("/events/endpoints/{endpoint}/enable", responses=problems(404, 422))
async def enable_endpoint(endpoint: Name, service: ServicePart, caller: CallerPart) -> EndpointOut:
    """Tells an endpoint again that had answered that it wants no more."""
    return EndpointOut(**(await service.endpoints.enable(endpoint, actor=caller.name)).to_json())


@router.get("/events/dead", responses=problems(422))
async def list_dead_letters(
    service: ServicePart,
    endpoint: Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]+$")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]+$")] = None,
) -> list[DeadLetterOut]:
    """What was not heard, oldest first, behind the id `after`."""
    found = await service.deliveries.dead(endpoint=endpoint, limit=limit, after=after)
    return [DeadLetterOut(**each.to_json()) for each in found]


@router.post("/events/dead/{letter}/resend", status_code=202, responses=problems(404, 422))
async def resend_dead_letter(letter: Name, service: ServicePart, caller: CallerPart) -> None:
    """Sends it again, with all its tries, under the same id."""
    await service.deliveries.resend(letter, actor=caller.name)
