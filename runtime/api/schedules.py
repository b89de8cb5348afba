"""Schedules over HTTP: added by whoever may run the workflow, seen and changed by them and by approvers without limits.

A schedule is fired with the rights that its owner has then, so that nothing is gained by adding one. Roles stand in
`access.RULES`; what a firing is, in `scheduling`.
"""

from fastapi import APIRouter

from governance.runs.schedules import Schedule
from runtime.api.parts import models
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.visibility import schedule_of, schedules_of

router = APIRouter(prefix="/schedules", tags=["schedules"])


@router.get("", responses=problems())
async def list_schedules(service: ServicePart, caller: CallerPart) -> list[models.Schedule]:
    """The caller's schedules, for approvers without limits everybody's, with what came of the last firing."""
    return [models.Schedule(**each.to_json()) for each in await schedules_of(service, caller)]


@router.post("", status_code=201, responses=problems(404, 409, 422))
async def add_schedule(body: models.ScheduleRequest, service: ServicePart, caller: CallerPart) -> models.Schedule:
    """Has a workflow run at the moments of a cron expression, as the caller, without anybody being asked."""
    wish = Schedule(
        name=body.name,
        workflow_id=body.workflow,
        cron=body.cron,
        zone=body.zone,
        created_by=caller.name,
        next_at="",
        target=body.target,
        labels=body.labels,
        inputs=body.inputs,
    )
    return models.Schedule(**(await service.scheduler.add(wish, caller)).to_json())


@router.get("/{schedule}", responses=problems(404))
async def show_schedule(schedule: str, service: ServicePart, caller: CallerPart) -> models.Schedule:
    """One schedule, with what came of the last firing."""
    return models.Schedule(**(await schedule_of(service, caller, schedule)).to_json())


@router.post("/{schedule}/pause", responses=problems(404))
async def pause_schedule(schedule: str, service: ServicePart, caller: CallerPart) -> models.Schedule:
    """Fires no more until it is resumed; a run under way goes on."""
    found = await schedule_of(service, caller, schedule)
    await service.schedules.set_paused(found.name, None, actor=caller.name)
    return models.Schedule(**(await service.schedules.get(found.name)).to_json())


@router.post("/{schedule}/resume", responses=problems(404, 422))
async def resume_schedule(schedule: str, service: ServicePart, caller: CallerPart) -> models.Schedule:
    """Goes on with the next moment from now."""
    found = await schedule_of(service, caller, schedule)
    await service.schedules.set_paused(found.name, service.scheduler.next_of(found), actor=caller.name)
    return models.Schedule(**(await service.schedules.get(found.name)).to_json())


@router.delete("/{schedule}", status_code=204, responses=problems(404))
async def remove_schedule(schedule: str, service: ServicePart, caller: CallerPart) -> None:
    """Forgets it; its runs and the audit stay."""
    found = await schedule_of(service, caller, schedule)
    await service.schedules.remove(found.name, actor=caller.name)
