"""The audit over HTTP: a page of it, all of it as JSON lines, the figures of the runs, and whether it is whole.

Rows and figures take the same times; a page and an export the filters of `governance.audit.search.Wanted`. An export
ends with the row that was the last one when it began. Ends of runs on their way to the disk are waited for.
Here never lives who may ask (`access`): it tells of everything, so that a limited token may not.
"""

import re
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, BeforeValidator

from governance.audit.search import AuditSearch, AuditWanted
from governance.integrity.survey import alterations
from governance.runs.run_stats import RunStats
from governance.runs.runs import Outcome
from governance.storage.identifiers import moment
from runtime.api.parts import models
from runtime.api.parts.part import ServicePart, problems
from runtime.problems import Problem

router = APIRouter(prefix="/audit", tags=["records"])


def _is_dated(given: object) -> object:
    """A number would be taken for seconds since 1970, which no document says. Raises ValueError."""
    if isinstance(given, str) and not re.match(r"\d{4}-", given):
        raise ValueError("give a moment as 2026-11-20T10:07:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_is_dated)]
Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[int, Query(ge=0, lt=2**53, description="The number of the last row of the page before.")]
# PostgreSQL has no text with a NUL in it.
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, Query(max_length=300, pattern=NO_NUL)]
Since = Annotated[Moment | None, Query(description="From then on.")]
Until = Annotated[Moment | None, Query(description="Before then.")]
Sample = Annotated[int | None, Query(ge=1, le=1_000_000, description="Times of so many of the newest runs alone.")]
Times = dict[str, str]


class AuditVerdictOut(BaseModel):
    """`first_bad`: the row at which the chain breaks. `altered`: what is not as the audit says."""

    ok: bool
    rows: int
    first_bad: int | None
    reason: str
    altered: list[str]


class JsonLines(StreamingResponse):
    media_type = "application/x-ndjson"


async def times_of(since: Since = None, until: Until = None) -> Times:
    """Both as the database has them. Raises Problem for moments that are none in UTC."""
    try:
        given = {"since": since and moment(since), "until": until and moment(until)}
    except (OverflowError, ValueError) as error:
        raise Problem(422, "bad request", "A moment is out of range.", "give one of our time") from error
    return {name: text for name, text in given.items() if text}


TimesPart = Annotated[Times, Depends(times_of)]


async def wanted_of(
    times: TimesPart,
    actor: Text = "",
    action: Text = "",
    subject: Text = "",
    target: Text = "",
    digest: Text = "",
    outcome: Outcome | None = None,
) -> AuditWanted:
    return AuditWanted(actor, action, subject, target, digest, outcome or "", **times)


WantedPart = Annotated[AuditWanted, Depends(wanted_of)]


@router.get("", responses=problems(422))
async def list_audit(
    service: ServicePart,
    request: Request,
    response: Response,
    wanted: WantedPart,
    after: After = 0,
    limit: Limit = 100,
    newest: Annotated[bool, Query(description="The last ones that fit, in place of the first.")] = False,
) -> list[models.AuditEntry]:
    """The rows that fit, in the order of their writing, beginning behind number `after`."""
    await service.engine.settle()
    if newest:
        last = await AuditSearch(service.database).newest(wanted, limit)
        return [models.AuditEntry(**row.to_json()) for row in last]
    rows = await AuditSearch(service.database).find(wanted, after=after, limit=limit)
    if len(rows) == limit:
        more = urlencode({**request.query_params, "after": rows[-1].seq, "limit": limit})
        response.headers["link"] = f'<?{more}>; rel="next"'
    return [models.AuditEntry(**row.to_json()) for row in rows]


@router.get("/export", responses=problems(422), response_class=JsonLines)
async def export_audit(service: ServicePart, wanted: WantedPart) -> JsonLines:
    """All rows that fit, one JSON object a line."""
    await service.engine.settle()

    async def lines() -> AsyncIterator[bytes]:
        async for row in AuditSearch(service.database).all(wanted):
            yield orjson.dumps(row.to_json(), option=orjson.OPT_APPEND_NEWLINE)

    return JsonLines(lines())


@router.get("/verify", responses=problems())
async def verify_audit(service: ServicePart) -> AuditVerdictOut:
    """Recomputes the chain of hashes, and holds the database against it."""
    await service.engine.settle()
    verdict = await service.audit.verify()
    altered = await alterations(service.database)
    return AuditVerdictOut(**{**verdict.to_json(), "ok": verdict.ok and not altered}, altered=list(altered))


@router.get("/stats", responses=problems(422))
async def show_stats(service: ServicePart, times: TimesPart, sample: Sample = None) -> models.Stats:
    """Runs that are still kept and began within these times: how many, how they ended, how long they took."""
    await service.engine.settle()
    since, until = times.get("since", ""), times.get("until", "")
    return models.Stats.model_validate(await RunStats(service.database).of(since=since, until=until, sample=sample))
