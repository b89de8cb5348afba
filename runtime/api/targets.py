"""Targets over HTTP: the devices and mocks that workflows may act on, looked at, kept and tested.

Everybody sees those in reach; admins keep them. Credentials are references, shown to admins alone. So that whoever
holds an admin's token cannot have any file or any secret of this server sent to an address of their own, `file:`
references and Switchgear's own variables are taken here only where the inventory has them already: for the rest there
is the command line. Here never lives a rule about a target (`governance.registry.targets`).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from governance.errors import NotFoundError
from governance.names import check_api
from governance.registry.targets import Target, TargetLimits
from governance.transitions import may
from runtime.api.parts import models
from runtime.api.parts.pages import After, Limit, page_of
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.api.parts.references import check_reference
from runtime.api.parts.tags import SHOWS_TAG, IfMatch, check_tag, show_tag, tag_of
from runtime.caller import Caller
from runtime.diagnosis import DiagnosedStep, diagnose, last_test
from runtime.problems import Problem
from runtime.service import Service
from runtime.visibility import target_of, targets_of

router = APIRouter(prefix="/targets", tags=["targets"])
NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
LABEL = r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?)?$"
URL = r"^https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~%/-]*)?$"
Mode = Literal["twin", "prism", "live"]
Responses = Literal["", "report", "refuse", "off"]
Name = Annotated[str, Path(max_length=64)]
Ref = Annotated[str | None, Field(max_length=500, description="env:NAME, file:/path or keyring:service/name.")]
Labels = dict[Annotated[str, Field(pattern=LABEL)], Annotated[str, Field(pattern=LABEL_VALUE)]]
REFERENCES = ("username_ref", "password_ref", "token_ref")


class LimitsRequest(models.Taken):
    """What this device stands, where that is not what its vendor's profile says."""

    connections: Annotated[int | None, Field(ge=1, le=10_000)] = None
    requests_per_s: Annotated[float | None, Field(gt=0, le=1e6)] = None
    total_timeout_s: Annotated[float | None, Field(gt=0, le=1e6)] = None
    max_body_bytes: Annotated[int | None, Field(ge=1024, le=2**40)] = None


NO_LABELS: dict[str, str] = {}


class TargetChange(models.Taken):
    """The whole target but its name: what is left out is as if nothing were said."""

    api: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f]+$")]
    base_url: Annotated[str, Field(max_length=2000, pattern=URL, description="Scheme, host, perhaps a port, a path.")]
    mode: Mode = "live"
    username_ref: Ref = None
    password_ref: Ref = None
    token_ref: Ref = None
    tls: Annotated[str, Field(max_length=1000, description="verify, ca:/path or pin:<sha256>.")] = "verify"
    is_default: Annotated[bool, Field(description="Calls that name no target go here.")] = False
    labels: Labels = NO_LABELS
    limits: LimitsRequest = LimitsRequest()
    responses: Responses = ""


class TargetRequest(TargetChange):
    name: Annotated[str, Field(pattern=NAME)]


class TargetOut(BaseModel):
    """A target. `references`: where its credentials are found, for admins who look at this one; else null."""

    name: str
    api: str
    base_url: str
    mode: Mode
    tls: str
    is_default: bool
    has_credentials: bool
    labels: dict[str, str]
    limits: dict[str, float]
    responses: Responses
    references: dict[str, str | None] | None = None


@router.get("", responses=problems(409, 422))
async def list_targets(
    service: ServicePart,
    caller: CallerPart,
    response: Response,
    api: Annotated[str | None, Query(max_length=128)] = None,
    limit: Limit = 1000,
    after: After = "",
) -> list[TargetOut]:
    """The devices that workflows may act on, by name."""
    found = [each for each in await targets_of(service, caller) if api in (None, each.api)]
    page = page_of(found, lambda each: each.name, limit, after, response, {"api": api})
    return [_told(each) for each in page]


LINKS = {
    "links": {
        "show": {"operationId": "show_target", "parameters": {"name": "$response.body#/name"}},
        "change": {
            "operationId": "change_target",
            "parameters": {"name": "$response.body#/name", "If-Match": "$response.header.ETag"},
        },
        "remove": {
            "operationId": "remove_target",
            "parameters": {"name": "$response.body#/name", "If-Match": "$response.header.ETag"},
        },
    }
}


@router.post("", status_code=201, responses={201: {**SHOWS_TAG, **LINKS}, **problems(403, 409, 422)})
async def add_target(body: TargetRequest, service: ServicePart, caller: CallerPart, response: Response) -> TargetOut:
    """Adds a target; the first one of an API becomes its default."""
    wanted = _target(body.name, body)
    await check_api(service.database, wanted.api)
    await _check_references(service, wanted)
    stored = await service.targets.add(wanted, actor=caller.name)
    await service.live.reload()
    return _shown(stored, caller, response)


@router.get("/{name}", responses={200: {**SHOWS_TAG, **LINKS}, **problems(404, 409, 422)})
async def show_target(name: Name, service: ServicePart, caller: CallerPart, response: Response) -> TargetOut:
    """One target."""
    return _shown(await target_of(service, caller, name), caller, response)


@router.put("/{name}", responses={200: SHOWS_TAG, **problems(404, 409, 412, 422, 428)})
async def change_target(
    name: Name,
    body: TargetChange,
    service: ServicePart,
    caller: CallerPart,
    response: Response,
    if_match: IfMatch = None,
) -> TargetOut:
    """Makes a target what is sent. Runs under way go on as they began."""
    seen = await _seen(service, caller, name, if_match)
    if seen.server is not None:
        raise Problem(409, "conflict", f"{name} is an MCP server.", "remove it, or change it by /servers")
    wanted = _target(name, body)
    if wanted.api != seen.api:
        await check_api(service.database, wanted.api)
    await _check_references(service, wanted)
    stored = await service.targets.replace(seen, wanted, actor=caller.name)
    await service.live.reload()
    return _shown(stored, caller, response)


@router.delete("/{name}", status_code=204, responses=problems(404, 409, 412, 422, 428))
async def remove_target(name: Name, service: ServicePart, caller: CallerPart, if_match: IfMatch = None) -> None:
    """Forgets a target; its runs and the audit stay."""
    seen = await _seen(service, caller, name, if_match)
    await service.targets.remove(name, actor=caller.name, seen=seen)
    await service.live.reload()


@router.post("/{name}/test", responses=problems(404, 409, 422))
async def check_target(name: Name, service: ServicePart, caller: CallerPart) -> models.TargetTest:
    """Says step by step whether a target can be used: name, port, certificate, credentials, version."""
    await target_of(service, caller, name)
    return _tested(name, await diagnose(service, name, caller.name))


@router.get("/{name}/test", responses=problems(404, 409, 422))
async def show_target_test(name: Name, service: ServicePart, caller: CallerPart) -> models.TargetTest:
    """What came of the last test of a target, whoever asked for it; 404 where there was none."""
    await target_of(service, caller, name)
    kept = await last_test(service, name)
    if kept is None:
        raise NotFoundError(f"nobody has tested {name} yet", f"test it: `POST /targets/{name}/test`")
    return _tested(name, kept.findings).model_copy(update={"at": kept.at, "by": kept.by})


def _tested(name: str, findings: Sequence[DiagnosedStep]) -> models.TargetTest:
    told = [models.TargetFinding(**finding.to_json()) for finding in findings]
    return models.TargetTest(target=name, is_good=all(each.outcome != "bad" for each in told), findings=told)


async def _seen(service: Service, caller: Caller, name: str, if_match: str | None) -> Target:
    seen = await target_of(service, caller, name)
    check_tag(if_match, tag_of(seen.to_json()))
    return seen


async def _check_references(service: Service, wanted: Target) -> None:
    """Raises Problem for a reference that leads to what is this server's own."""
    known = {getattr(each, field) for each in await service.targets.list_targets() for field in REFERENCES}
    for field in REFERENCES:
        check_reference(field, getattr(wanted, field), known, "switchgear targets add")


def _target(name: str, body: TargetChange) -> Target:
    told: dict[str, Any] = body.model_dump(exclude={"name", "labels", "limits"})
    return Target(name, labels=tuple(body.labels.items()), limits=TargetLimits(**body.limits.model_dump()), **told)


def _shown(target: Target, caller: Caller, response: Response) -> TargetOut:
    show_tag(response, target.to_json())
    is_keeper = may(caller.role, "admin") and caller.scope.is_whole
    references = {field: getattr(target, field) for field in REFERENCES} if is_keeper else None
    return _told(target).model_copy(update={"references": references})


def _told(target: Target) -> TargetOut:
    told = {name: value for name, value in target.to_json().items() if name not in REFERENCES}
    return TargetOut(has_credentials=bool(target.password_ref or target.token_ref), **told)
