"""What happened, over HTTP: runs with their requests, and the targets that requests may go to.

Ends of runs that are still on their way to the disk are waited for, so that what was answered a moment ago can be
looked up. Of a target's credentials nothing is shown but whether there are references to any.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from governance.open_runs import Finding
from runtime import reach
from runtime.api import models
from runtime.api.part import CallerPart, ServicePart, problems
from runtime.diagnosis import diagnose
from runtime.reach import run_of, runs_of, targets_of

router = APIRouter(tags=["records"])
Limit = Annotated[int, Query(ge=1, le=1000)]
Outcome = Literal["succeeded", "failed", "unknown", "cancelled", "planned"]


@router.get("/runs", responses=problems(422))
async def list_runs(
    service: ServicePart,
    caller: CallerPart,
    outcome: Outcome | None = None,
    limit: Limit = 100,
    before: Annotated[str | None, Query(max_length=64)] = None,
) -> list[models.Run]:
    """The caller's runs, for approvers everybody's: newest first, without their requests."""
    await service.engine.settle()
    return [
        models.Run(**run.to_json())
        for run in await runs_of(service, caller, outcome=outcome, limit=limit, before=before)
    ]


@router.get("/runs/{run_id}", responses=problems(404))
async def show_run(run_id: str, service: ServicePart, caller: CallerPart) -> models.Run:
    """One run with every request that it sent."""
    await service.engine.settle()
    return models.Run(**(await run_of(service, caller, run_id)).to_json())


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
    await run_of(service, caller, run_id)
    await service.open_runs.ask_cancel(run_id, actor=caller.name)
    return await show_run(run_id, service, caller)


@router.post("/runs/{run_id}/resolve", responses=problems(404, 409, 422))
async def resolve_run(run_id: str, body: models.Finding, service: ServicePart, caller: CallerPart) -> models.Run:
    """Says what was found out about a request in doubt; the run goes on from there, or stays ended."""
    await run_of(service, caller, run_id)
    finding = Finding(body.has_happened, body.goes_on, body.note)
    await service.open_runs.resolve(run_id, finding, actor=caller.name)
    return await show_run(run_id, service, caller)


@router.get("/targets", responses=problems())
async def list_targets(service: ServicePart, caller: CallerPart) -> list[models.TargetOut]:
    """The devices that workflows may act on."""
    return [
        models.TargetOut(
            name=target.name,
            api=target.api,
            base_url=target.base_url,
            mode=target.mode,
            tls=target.tls,
            is_default=target.is_default,
            has_credentials=bool(target.password_ref or target.token_ref),
            labels=dict(target.labels),
            limits=target.limits.to_json(),
            responses=target.responses,
        )
        for target in await targets_of(service, caller)
    ]


@router.post("/targets/{name}/test", responses=problems(404))
async def check_target(name: str, service: ServicePart, caller: CallerPart) -> models.TargetTest:
    """Says step by step whether a target can be used: name, port, certificate, credentials, version."""
    await reach.check_target(service, caller, name)
    findings = await diagnose(service, name, caller.name)
    told = [models.TargetFinding(**finding.to_json()) for finding in findings]
    return models.TargetTest(target=name, is_good=all(each.outcome != "bad" for each in told), findings=told)
