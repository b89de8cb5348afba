"""MCP servers of others over HTTP: looked at, kept, asked for their tools, whose classes approvers say.

Everybody sees those in reach; admins keep them, approvers have tools wait and say how grave they are; approving is
done as for every workflow. A command that this machine would start is not taken here, nor are references to what is
this server's own: whoever holds an admin's token would have a shell by it. For both there is the command line. Here
never lives a rule about a server (`governance.registry.servers`) or its tools (`runtime.remotes`).
"""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from governance.errors import NotFoundError
from governance.registry.server_files import Form, server_target, servers_of, written_servers
from governance.registry.servers import Server, pairs
from governance.registry.targets import Target, TargetLimits
from governance.settings import PREFIX
from governance.transitions import may
from runtime.api.parts import models
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.api.targets import LimitsRequest
from runtime.caller import Caller
from runtime.problems import Problem
from runtime.remotes.contents import Class
from runtime.remotes.syncing import Look
from runtime.service import Service
from runtime.visibility import targets_of
from workflow.risks import RiskName

Json = Any
router = APIRouter(prefix="/servers", tags=["servers"])
NAME = r"^[a-z][a-z0-9-]{0,23}$"
URL = r"^https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~%/-]*)?$"
Name = Annotated[str, Path(max_length=64)]
References = dict[
    Annotated[str, Field(max_length=128)],
    Annotated[str, Field(max_length=500, description="`env:NAME` or the like, a word before it at most.")],
]
NONE: dict[str, str] = {}


class ServerRequest(models.Taken):
    """One that is reached over HTTP."""

    name: Annotated[str, Field(pattern=NAME)]
    transport: Literal["http", "sse"] = "http"
    url: Annotated[str, Field(max_length=2000, pattern=URL)]
    headers: References = NONE
    tls: Annotated[str, Field(max_length=1000, description="verify, ca:/path or pin:<sha256>.")] = "verify"
    limits: LimitsRequest = LimitsRequest()


class ServerOut(BaseModel):
    """`reached`: the command, its variables and the header fields, with references, for admins; else null."""

    name: str
    transport: Literal["stdio", "http", "sse", "site"]
    url: str
    is_enabled: bool
    tls: str
    limits: dict[str, float]
    reached: dict[str, Json] | None = None


class ServerTool(BaseModel):
    name: str
    workflow: str
    state: str
    why: str


class ServerLook(BaseModel):
    """What a server has: how long it took to say so, and which tools are new, changed, the same, gone or refused."""

    server: str
    took_ms: float
    tools: list[ServerTool]


class ClassRequest(models.Taken):
    """`is_idempotent`: once more changes no more, so that it may be sent again."""

    risk: RiskName
    is_idempotent: bool = False
    is_open_world: bool = True


class Classified(BaseModel):
    workflow_id: str
    number: int
    state: str
    risk: str
    digest: str


class Imported(BaseModel):
    """`notes`: what was not taken as it stood."""

    servers: dict[str, str]
    notes: list[str]


@router.get("", responses=problems())
async def list_servers(service: ServicePart, caller: CallerPart) -> list[ServerOut]:
    """The MCP servers whose tools can be called, by name."""
    return [_shown(each, caller) for each in await _reachable(service, caller)]


@router.post("", status_code=201, responses=problems(403, 409, 422))
async def add_server(body: ServerRequest, service: ServicePart, caller: CallerPart) -> ServerOut:
    """Adds a server that is reached over HTTP. Nothing of it can be called until somebody approved it."""
    server = Server(body.transport, url=body.url, headers=pairs(body.headers))
    wanted = server_target(body.name, server, tls=body.tls, limits=TargetLimits(**body.limits.model_dump()))
    await _check_references(service, wanted)
    stored = await service.targets.add(wanted, actor=caller.name)
    await service.live.reload()
    return _shown(stored, caller)


@router.post("/import", responses=problems(403, 409, 422))
async def import_servers(body: dict[str, Json], service: ServicePart, caller: CallerPart) -> Imported:
    """Takes over a list of servers of Claude, VS Code, Cursor or Switchgear: all of it, or none."""
    reading = servers_of(body)
    for each in reading.targets:
        if each.server is not None and each.server.transport == "stdio":
            detail = f"{each.name} is started by a command."
            raise Problem(403, "not allowed", detail, "import it on the server: `switchgear servers import`")
        await _check_references(service, each)
    done = await service.targets.apply(reading.targets, actor=caller.name)
    await service.live.reload()
    return Imported(servers=dict(done), notes=reading.notes)


@router.get("/export", responses=problems(422))
async def export_servers(service: ServicePart, form: Annotated[Form, Query()] = "switchgear") -> dict[str, Json]:
    """The servers as a client keeps them; there are references in it and no secret."""
    return written_servers(await service.targets.list_targets(), form)


@router.get("/{name}", responses=problems(404, 422))
async def show_server(name: Name, service: ServicePart, caller: CallerPart) -> ServerOut:
    """One server."""
    return _shown(await _server(service, caller, name), caller)


@router.delete("/{name}", status_code=204, responses=problems(404, 409, 422))
async def remove_server(name: Name, service: ServicePart, caller: CallerPart) -> None:
    """Forgets a server; what was approved of it stays approved, and cannot be run without it."""
    seen = await _server(service, caller, name)
    await service.targets.remove(name, actor=caller.name, seen=seen)
    await service.live.reload()


@router.post("/{name}/disable", responses=problems(404, 409, 422))
async def disable_server(name: Name, service: ServicePart, caller: CallerPart) -> ServerOut:
    """Lets no call go there until it is enabled; its tools are not listed meanwhile."""
    return await _switched(service, caller, name, is_enabled=False)


@router.post("/{name}/enable", responses=problems(404, 409, 422))
async def enable_server(name: Name, service: ServicePart, caller: CallerPart) -> ServerOut:
    """Lets calls go there again."""
    return await _switched(service, caller, name, is_enabled=True)


@router.post("/{name}/test", responses=problems(404, 409, 422, 502))
async def check_server(name: Name, service: ServicePart, caller: CallerPart) -> ServerLook:
    """Asks it for its tools, and changes nothing."""
    return _told(await service.remotes.look(await _server(service, caller, name)))


@router.post("/{name}/sync", responses=problems(404, 409, 422, 502))
async def sync_server(name: Name, service: ServicePart, caller: CallerPart) -> ServerLook:
    """Has its new tools wait for an approver, and takes away those that changed since they were approved."""
    return _told(await service.remotes.sync(await _server(service, caller, name), caller.name))


@router.post("/{name}/tools/{tool}/classify", responses=problems(404, 409, 422, 502))
async def classify_tool(
    name: Name, tool: Annotated[str, Path(max_length=128)], body: ClassRequest, service: ServicePart, caller: CallerPart
) -> Classified:
    """Submits a tool, by its name or its workflow's, with the class of risk that it has; it is pending then."""
    chosen = Class(body.risk, body.is_idempotent or body.risk == "read", body.is_open_world, caller.name)
    made = await service.remotes.classify(await _server(service, caller, name), tool, chosen, caller.name)
    return Classified(**{each: getattr(made, each) for each in Classified.model_fields})


async def _reachable(service: Service, caller: Caller) -> list[Target]:
    return [each for each in await targets_of(service, caller) if each.server is not None]


async def _server(service: Service, caller: Caller, name: str) -> Target:
    """Raises NotFoundError for what is not there, is out of reach, or is no server, alike."""
    for each in await _reachable(service, caller):
        if each.name == name:
            return each
    raise NotFoundError(f"there is no server {name}", "see `switchgear servers list`")


async def _switched(service: Service, caller: Caller, name: str, *, is_enabled: bool) -> ServerOut:
    seen = await _server(service, caller, name)
    assert seen.server is not None, "it is one"
    wanted = replace(seen, server=replace(seen.server, is_enabled=is_enabled))
    stored = await service.targets.replace(seen, wanted, actor=caller.name)
    await service.live.reload()
    return _shown(stored, caller)


async def _check_references(service: Service, wanted: Target) -> None:
    """Raises Problem for a reference that leads to what is this server's own."""
    known = {ref for each in await service.targets.list_targets() if each.server for ref in each.server.references}
    for reference in _readable(wanted):
        if reference.startswith(("file:", f"env:{PREFIX}")) and reference not in known:
            detail = "A header names a file or a variable of this server that no server refers to yet."
            raise Problem(403, "not allowed", detail, "add it on the server: `switchgear servers add`")


def _readable(target: Target) -> tuple[str, ...]:
    """Its references; none where a value is none, which the store refuses by name."""
    assert target.server is not None, "it is one"
    try:
        return target.server.references
    except ValueError:
        return ()


def _shown(target: Target, caller: Caller) -> ServerOut:
    server = target.server
    assert server is not None, "it is one"
    told = server.to_json()
    is_keeper = may(caller.role, "admin") and caller.scope.is_whole
    reached = {name: told[name] for name in ("command", "arguments", "env", "headers") if name in told}
    return ServerOut(
        name=target.name,
        transport=server.transport,
        url=server.url,
        is_enabled=server.is_enabled,
        tls=target.tls,
        limits=target.limits.to_json(),
        reached=reached if is_keeper else None,
    )


def _told(found: Look) -> ServerLook:
    return ServerLook.model_validate(found.to_json())
