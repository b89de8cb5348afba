"""The fleet over HTTP: the three tools over sites, under their names as tools.

What they do, and in whose rights, is `runtime.sites.fleet`'s. Here never lives a choice among sites.
"""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from runtime.api.parts import models
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.calls.selection import MOST_AT_ONCE
from runtime.sites import fleet
from runtime.sites.fleet import Doing, SiteSelection

Json = Any
router = APIRouter(tags=["sites"])
Word = Annotated[str, Field(min_length=1, max_length=500)]
NONE: dict[str, Any] = {}
NO_WORDS: list[str] = []


class SiteChoice(models.Taken):
    """Which sites: `workflow` by their own name for it; `prefer`: LABEL=VALUE or `idle`, the first counts most."""

    workflow: Word
    sites: Annotated[list[Word], Field(max_length=1_000)] = NO_WORDS
    labels: dict[str, str] = NONE
    target_labels: Annotated[dict[str, str], Field(description="Of a device there.")] = NONE
    prefer: Annotated[list[Word], Field(max_length=20)] = NO_WORDS


class SiteDispatch(SiteChoice):
    """What they do, and how many at a time."""

    inputs: dict[str, Json] = NONE
    parallel: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = 4
    stop_on_failure: bool = False
    plan: bool = False


class SiteSatisfy(SiteDispatch):
    """`count`: on how many sites it is to be done."""

    count: Annotated[int, Field(ge=1, le=1_000)] = 1


@router.post("/tools/select_sites", responses=problems(422))
async def select_sites(body: SiteChoice, service: ServicePart, caller: CallerPart) -> dict[str, Json]:
    """Which sites can do a workflow, the best first, and why the others cannot."""
    return (await fleet.select(service, SiteSelection.of(body.model_dump()), caller)).to_json()


@router.post("/tools/satisfy", responses=problems(404, 409, 422))
async def satisfy(body: SiteSatisfy, service: ServicePart, caller: CallerPart) -> dict[str, Json]:
    """Has as many sites do a workflow as are wanted: the next for each that surely has not done it."""
    given = body.model_dump()
    return await fleet.satisfy(service, SiteSelection.of(given), Doing.of(given), body.count, caller)


@router.post("/tools/dispatch", responses=problems(404, 409, 422))
async def dispatch(body: SiteDispatch, service: ServicePart, caller: CallerPart) -> dict[str, Json]:
    """Has every site do a workflow that can; a result for each."""
    given = body.model_dump()
    return await fleet.dispatch(service, SiteSelection.of(given), Doing.of(given), caller)
