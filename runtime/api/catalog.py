"""What agents see, over HTTP: the tools that are listed to them, what each costs in tokens, and what only search finds.

In the scope of whoever asks; admins can ask with the eyes of a token's holder or a user (`as`). And how it stands with
each device that was spoken to: how many requests are under way and in line, whether it is left in peace for now.
Here never lives what is listed (`runtime.mcp.listing`).
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from governance.targets import Target
from governance.transitions import may
from runtime.api.part import CallerPart, ServicePart, problems
from runtime.gate.access import Caller
from runtime.problems import Problem
from runtime.reach import targets_of
from runtime.service import Service

router = APIRouter(tags=["catalog"])
Eyes = Annotated[
    str, Query(alias="as", max_length=200, pattern=r"^[^\x00]*$", description="Whose: a token's or a user's name.")
]
PORTS = {"http": 80, "https": 443}


class ListedTool(BaseModel):
    """`tokens`: what the tool takes of a model's context, about."""

    name: str
    workflow_id: str
    number: int
    title: str
    description: str
    api: str
    risk: str
    tokens: int
    is_listed: bool


class CatalogOut(BaseModel):
    """`tools`: what is listed first. `tokens`: of the listed ones together; `tokens_of_all`: one tool a workflow.

    `hides_some`: the rest is reached by searching. `searched`: what a client is told of it.
    """

    seen_by: str
    role: str
    tools: list[ListedTool]
    listed: int
    tokens: int
    tokens_of_all: int
    hides_some: bool
    searched: str


class DeviceOut(BaseModel):
    """`inside`, `waiting`: requests under way and in line; `is_resting`: it failed too often and is left in peace."""

    target: str
    device: str
    inside: int
    waiting: int
    is_resting: Annotated[bool, Field(description="Whether the breaker is open.")]


@router.get("/catalog", responses=problems(404, 422))
async def show_catalog(service: ServicePart, caller: CallerPart, eyes: Eyes = "") -> CatalogOut:
    """The tools of an MCP client with these rights, listed ones first, and what they cost."""
    who = await _eyes(service, caller, eyes) if eyes else caller
    catalog = service.live.seen_by(who.scope)
    listed = {entry.name for entry in catalog.listed}
    tools = [
        ListedTool(
            name=entry.name, workflow_id=entry.workflow_id, number=entry.number,
            title=str(entry.tool.get("title", "")), description=str(entry.tool.get("description", "")),
            api=entry.api, risk=entry.risk, tokens=entry.prepared.tokens, is_listed=entry.name in listed,
        )
        for entry in sorted(catalog.entries.values(), key=lambda each: (each.name not in listed, each.name))
    ]  # fmt: skip
    return CatalogOut(
        seen_by=who.name, role=who.role, tools=tools, listed=len(listed),
        tokens=sum(each.tokens for each in tools if each.is_listed),
        tokens_of_all=sum(each.tokens for each in tools), hides_some=catalog.hides_some, searched=catalog.searched,
    )  # fmt: skip


@router.get("/devices", responses=problems(409))
async def list_devices(service: ServicePart, caller: CallerPart) -> list[DeviceOut]:
    """How it stands with the devices behind targets in reach that this server has spoken to."""
    states = {each.device: each for each in service.driver.states()}
    found = [(target.name, states.get(_place(target))) for target in await targets_of(service, caller)]
    return [
        DeviceOut(target=name, device=at.device, inside=at.inside, waiting=at.waiting, is_resting=at.is_resting)
        for name, at in found
        if at is not None
    ]


def _place(target: Target) -> str:
    parts = urlsplit(target.base_url)
    return f"{parts.hostname}:{parts.port or PORTS.get(parts.scheme, 443)}"


async def _eyes(service: Service, caller: Caller, name: str) -> Caller:
    """Raises Problem for whoever may not know what others may."""
    if not (may(caller.role, "admin") and caller.scope.is_whole):
        raise Problem(403, "not allowed", "Only admins see with the eyes of others.", "leave out `as`")
    found = await service.doorkeeper.standing(name)
    if found is None:
        raise Problem(404, "not found", "There is no valid token and no user of that name.", "see `GET /tokens`")
    return found
