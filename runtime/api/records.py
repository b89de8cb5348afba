"""What happened, over HTTP: runs with their requests.

Ends of runs that are still on their way to the disk are waited for, so that what was answered a moment ago can be
looked up. Here never lives who sees which run (`runtime.visibility`).
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from governance.runs.open_runs import RunFinding
from governance.runs.run_search import RunSearch, RunsWanted
from governance.runs.runs import Outcome, Run
from runtime.api.audit import NO_NUL, Text, TimesPart
from runtime.api.parts import models
from runtime.api.parts.pages import COUNTED, Limit, Number, skipped, told_page
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.caller import Caller
from runtime.calls.under_way import progress_json, recorded_progress
from runtime.errors import BadInput
from runtime.mcp.run_tool import asked_to_end
from runtime.service import Service
from runtime.visibility import run_of, run_seen, runs_of

router = APIRouter(tags=["records"])
Wait = Annotated[float, Query(ge=0, le=600, description="Seconds to wait for the end, where the run goes on.")]


@router.get("/runs", responses={200: COUNTED, **problems(422)})
async def list_runs(
    service: ServicePart,
    caller: CallerPart,
    response: Response,
    times: TimesPart,
    workflow: Text = "",
    target: Text = "",
    by: Annotated[str, Query(alias="caller", max_length=300, pattern=NO_NUL)] = "",
    outcome: Outcome | Literal["under way"] | None = None,
    limit: Limit = 100,
    before: Annotated[str | None, Query(max_length=64)] = None,
    page: Number = None,
) -> list[models.Run]:
    """The caller's runs, for approvers everybody's: newest first, without their requests. `workflow`: of which."""
    await service.engine.settle()
    since, until = times.get("since", ""), times.get("until", "")
    wanted = RunsWanted(workflow, "", target, by, outcome or "", since, until)
    found, total = await runs_of(service, caller, wanted, limit=limit, before=before, skip=skipped(page, limit, before))
    asked = {"workflow": workflow, "target": target, "caller": by, "outcome": outcome, **times}
    behind = {"before": found[-1].id} if len(found) == limit else {}
    told_page(response, asked, total=total, limit=limit, page=page, behind=behind)
    return await _told(service, found)


@router.get("/runs/{run_id}", responses=problems(404, 422))
async def show_run(run_id: str, service: ServicePart, caller: CallerPart, wait: Wait = 0) -> models.Run:
    """One run with every request that it sent; with `wait` its end is waited for, as long as a call waits at most."""
    if wait:
        seen = await run_seen(service, caller, run_id)
        await service.under_way.look(run_id, caller, seen, wait_s=wait)
    return await _shown(service, caller, run_id)


async def _shown(service: Service, caller: Caller, run_id: str) -> models.Run:
    await service.engine.settle()
    run = await run_of(service, caller, run_id)
    at = None if run.outcome is not None else service.under_way.progress_of(run_id) or recorded_progress(run)
    (told,) = await _told(service, (run,))
    return told.model_copy(update={"progress": at and progress_json(at)})


@router.get("/runs/{run_id}/journal", responses=problems(404, 422))
async def show_journal(run_id: str, service: ServicePart, caller: CallerPart) -> models.RunJournal:
    """What happened in an ended run and what was done about each, without secrets; 422 says why there is none."""
    await service.engine.settle()
    await run_of(service, caller, run_id)
    turns = await service.journals.get(run_id)
    return models.RunJournal(run=run_id, turns=list(turns))


@router.post("/runs/{run_id}/cancel", responses=problems(404, 409))
async def cancel_run(run_id: str, service: ServicePart, caller: CallerPart) -> models.Run:
    """Asks for the end of a run: between two requests it stops, what was done stays done."""
    await asked_to_end(service, caller, run_id)
    return await _shown(service, caller, run_id)


@router.post("/runs/{run_id}/resolve", responses=problems(404, 409, 422))
async def resolve_run(run_id: str, body: models.Finding, service: ServicePart, caller: CallerPart) -> models.Run:
    """Says what was found out about a request in doubt; the run goes on from there, or stays ended. Or looks."""
    await run_of(service, caller, run_id)
    if body.look == (body.has_happened is not None):
        raise BadInput("say what has happened, or have a look made", "/has_happened", "give has_happened or look")
    if body.has_happened is None:
        await service.calls.same_effects.look(run_id, caller)
    else:
        finding = RunFinding(body.has_happened, body.goes_on, body.note)
        await service.open_runs.resolve(run_id, finding, actor=caller.name)
    return await _shown(service, caller, run_id)


async def _told(service: Service, runs: Sequence[Run]) -> list[models.Run]:
    """With the workflow that each is of."""
    names = await RunSearch(service.database).workflows([run.revision_id for run in runs])
    told = [(run, *names.get(run.revision_id, ("", 0))) for run in runs]
    return [
        models.Run(workflow_id=workflow, number=number, **run.to_json(), progress=None)
        for run, workflow, number in told
    ]
