"""What agents see, over HTTP: the tools that are listed to them, what each costs in tokens, and what only search finds.

In the scope of whoever asks; admins can ask with the eyes of a token's holder or a user (`as`), and who sees everything
with those of somebody who there is not yet: a role, limited to APIs and classes. With `q` what a search answers such an
agent. And how it stands with each device that was spoken to.
Here never lives what is listed (`runtime.catalog.listing`).
"""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from governance.people.scopes import AccessScope as Reach
from governance.registry.targets import Target
from governance.transitions import may
from runtime.api.audit import NO_NUL
from runtime.api.parts import models
from runtime.api.parts.models import Json
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.auth.access import MCP_PATH, rule_for
from runtime.caller import Caller
from runtime.catalog.entries import Entry
from runtime.driver import DeviceState
from runtime.mcp.finding import searched
from runtime.problems import Problem
from runtime.service import Service
from runtime.visibility import targets_of
from workflow.budget import BYTES_A_TOKEN
from workflow.risks import RISKS

router = APIRouter(tags=["catalog"])
CLASSES = f"^(({'|'.join(RISKS)})(,|$))*$"
PORTS = {"http": 80, "https": 443}
MCP_ROLE: models.RoleName = rule_for("POST", MCP_PATH).role or "viewer"


@dataclass(frozen=True, slots=True)
class Eyes:
    """`name`: whose; else those of somebody with the role, limited to what is named."""

    name: str
    role: models.RoleName | None
    apis: tuple[str, ...]
    risks: tuple[str, ...]


async def eyes_of(
    name: Annotated[
        str, Query(alias="as", max_length=200, pattern=NO_NUL, description="A token's or a user's name.")
    ] = "",
    role: Annotated[models.RoleName | None, Query(description="Of somebody with this role.")] = None,
    api: Annotated[str, Query(max_length=2000, pattern=NO_NUL, description="Limited to these, by commas.")] = "",
    risk: Annotated[
        str, Query(max_length=40, pattern=CLASSES, description="Limited to these classes, by commas.")
    ] = "",
) -> Eyes:
    return Eyes(name, role, _parts(api), _parts(risk))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


EyesPart = Annotated[Eyes, Depends(eyes_of)]
NOBODYS = Eyes("", None, (), ())


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

    `hides_some`: the rest is reached by searching. `searched`: what a client is told of it. `may_call`: whether the
    role is let in by MCP. `operations`, `tokens_of_operations`: were each operation of the APIs a tool, at least; null
    for who is limited. `found`: what `search_workflows` answers to `q`, `tokens_found`: what that takes.
    """

    seen_by: str
    role: str
    may_call: bool
    tools: list[ListedTool]
    workflows: Annotated[int, Field(description="How many can be called, whatever `limit` says.")]
    listed: int
    tokens: int
    tokens_of_all: int
    hides_some: bool
    searched: str
    operations: int | None
    tokens_of_operations: int | None
    found: Annotated[dict[str, Json] | None, Field(description="The answer to `q`.")]
    tokens_found: int


class DeviceOut(BaseModel):
    """`inside`, `waiting`: requests under way and in line; `is_resting`: it failed too often and is left in peace.

    `failures`: how many requests in a row; `why`: of the last one. `is_full`: it opened no session a moment ago.
    """

    target: str
    device: str
    inside: int
    waiting: int
    is_resting: Annotated[bool, Field(description="Whether the breaker is open.")]
    rests_s: Annotated[float, Field(description="For how long yet.")]
    failures: int
    why: str
    sessions: Annotated[int, Field(description="Sessions of ours that are open there.")]
    is_full: bool


@router.get("/catalog", responses=problems(403, 404, 422))
async def show_catalog(
    service: ServicePart,
    caller: CallerPart,
    eyes: EyesPart,
    q: Annotated[str, Query(max_length=500, pattern=NO_NUL, description="What is searched.")] = "",
    limit: Annotated[int, Query(ge=1, le=10_000, description="At most so many tools, the listed ones first.")] = 10_000,
) -> CatalogOut:
    """The tools of an MCP client with these rights, listed ones first, and what they cost."""
    who = await _seen_with(service, caller, eyes)
    catalog = service.live.seen_by(who.scope)
    listed = {entry.name for entry in catalog.listed}
    entries = sorted(catalog.entries.values(), key=lambda each: (each.name not in listed, each.name))
    of_all = {entry.name: entry.prepared.tokens for entry in entries}
    found = await searched(service.finder, service.knowledge, who.scope, q, None, None) if q else None
    operations = await service.knowledge.as_tools() if who.scope.is_whole else (None, None)
    return CatalogOut(
        seen_by=who.name, role=who.role, may_call=may(who.role, MCP_ROLE),
        tools=[_tool(entry, is_listed=entry.name in listed) for entry in entries[:limit]], workflows=len(entries),
        listed=len(listed), tokens=sum(of_all[name] for name in listed), tokens_of_all=sum(of_all.values()),
        hides_some=catalog.hides_some, searched=catalog.searched, operations=operations[0],
        tokens_of_operations=operations[1], found=found,
        tokens_found=-(-len(orjson.dumps(found)) // BYTES_A_TOKEN) if found is not None else 0,
    )  # fmt: skip


def _tool(entry: Entry, *, is_listed: bool) -> ListedTool:
    return ListedTool(
        name=entry.name, workflow_id=entry.workflow_id, number=entry.number,
        title=str(entry.tool.get("title", "")), description=str(entry.tool.get("description", "")),
        api=entry.api, risk=entry.risk, tokens=entry.prepared.tokens, is_listed=is_listed,
    )  # fmt: skip


@router.get("/devices", responses=problems(409))
async def list_devices(service: ServicePart, caller: CallerPart) -> list[DeviceOut]:
    """How it stands with the devices behind targets in reach that this server has spoken to."""
    states = {each.device: each for each in service.driver.states()}
    found = [(target.name, states.get(_place(target))) for target in await targets_of(service, caller)]
    return [_device(service, name, at) for name, at in found if at is not None]


def _device(service: Service, target: str, at: DeviceState) -> DeviceOut:
    return DeviceOut(
        target=target, device=at.device, inside=at.inside, waiting=at.waiting, is_resting=at.is_resting,
        rests_s=round(at.rests_s, 1), failures=at.failures, why=service.vault.redact(at.why), sessions=at.sessions,
        is_full=at.is_full,
    )  # fmt: skip


def _place(target: Target) -> str:
    parts = urlsplit(target.base_url)
    return f"{parts.hostname}:{parts.port or PORTS.get(parts.scheme, 443)}"


async def _seen_with(service: Service, caller: Caller, eyes: Eyes) -> Caller:
    """Raises Problem for whoever may not know what others may."""
    if eyes.name:
        return await _standing(service, caller, eyes.name)
    if eyes == NOBODYS:
        return caller
    if not caller.scope.is_whole:
        raise Problem(403, "not allowed", "You see a part, and not what others might.", "leave out role, api and risk")
    role = eyes.role or "operator"
    return Caller(f"somebody with the role {role}", role, Reach(apis=eyes.apis, risks=eyes.risks))


async def _standing(service: Service, caller: Caller, name: str) -> Caller:
    if not (may(caller.role, "admin") and caller.scope.is_whole):
        raise Problem(403, "not allowed", "Only admins see with the eyes of others.", "leave out `as`")
    found = await service.authenticator.standing(name)
    if found is None:
        raise Problem(404, "not found", "There is no valid token and no user of that name.", "see `GET /tokens`")
    return found
