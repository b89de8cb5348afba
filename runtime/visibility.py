"""What one caller finds of what is recorded: revisions, runs and targets within their scope; the rest is not there.

A route asks here instead of asking a store, so that what is forbidden is answered by the very words of what does not
exist. Runs are seen by whoever ran them, and by approvers and admins whose scope holds the workflow and the target.
Here never lives the rule of what a scope admits (`governance.people.scopes`). Called by the REST routes.
"""

from dataclasses import replace

from governance.approval.revisions import Revision
from governance.errors import NotFoundError
from governance.people.scopes import AccessScope
from governance.registry.targets import Target
from governance.runs.run_search import RunSearch, RunsWanted
from governance.runs.runs import Run
from governance.runs.schedules import Schedule
from governance.transitions import may
from runtime.caller import Caller
from runtime.service import Service


async def scope_of(service: Service, caller: Caller) -> AccessScope:
    """The caller's scope with the targets that it has now."""
    if not caller.scope.limits_targets:
        return caller.scope
    return caller.scope.on(await service.targets.list_targets())


async def targets_of(service: Service, caller: Caller) -> tuple[Target, ...]:
    """Those that the caller may act on, by name."""
    return tuple(each for each in await service.targets.list_targets() if caller.scope.admits_target(each))


async def revision_of(service: Service, caller: Caller, ref: str) -> Revision:
    """Raises NotFoundError for what is not there and for what is out of reach alike."""
    revision = await service.revisions.get(ref)
    scope = await scope_of(service, caller)
    if not scope.admits(revision.api, revision.risk, revision.workflow_id):
        raise NotFoundError(f"there is no revision {ref}", "see `switchgear workflows list`")
    return revision


async def run_of(service: Service, caller: Caller, run_id: str) -> Run:
    """Likewise for a run with its steps."""
    run = await service.runs.get(run_id)
    if not await _sees(service, caller, run):
        raise NotFoundError(f"there is no run {run_id}", "see `switchgear runs list`")
    return run


async def run_seen(service: Service, caller: Caller, run_id: str) -> Run | None:
    """As `run_of`; None for one that has no record, or none yet."""
    try:
        run = await service.runs.get(run_id)
    except NotFoundError:
        return None
    if not await _sees(service, caller, run):
        raise NotFoundError(f"there is no run {run_id}", "see `switchgear runs list`")
    return run


async def runs_of(
    service: Service, caller: Caller, wanted: RunsWanted, *, limit: int, before: str | None, skip: int = 0
) -> tuple[tuple[Run, ...], int]:
    """The caller's own, or for approvers and admins all in reach: newest first, without their steps; and how many."""
    wanted = replace(wanted, scope=await scope_of(service, caller))
    if not may(caller.role, "approver"):
        if wanted.caller not in ("", caller.name):
            return (), 0
        wanted = replace(wanted, caller=caller.name)
    search = RunSearch(service.database)
    return await search.page(wanted, limit=limit, before=before, skip=skip), await search.count(wanted)


async def target_of(service: Service, caller: Caller, name: str) -> Target:
    """Raises NotFoundError for a target that is out of reach, as for one that is not there."""
    for target in await targets_of(service, caller):
        if target.name == name:
            return target
    raise NotFoundError(f"there is no target {name}", "see `switchgear targets list`")


async def schedules_of(service: Service, caller: Caller) -> tuple[Schedule, ...]:
    """The caller's own, or for approvers and admins without limits all of them, by name."""
    return tuple(each for each in await service.schedules.list_schedules() if _keeps(caller, each))


async def schedule_of(service: Service, caller: Caller, name: str) -> Schedule:
    """Raises NotFoundError for what is not there and for somebody else's alike."""
    schedule = await service.schedules.get(name)
    if not _keeps(caller, schedule):
        raise NotFoundError(f"there is no schedule {name}", "see `switchgear schedules list`")
    return schedule


def _keeps(caller: Caller, schedule: Schedule) -> bool:
    return schedule.created_by == caller.name or (may(caller.role, "approver") and caller.scope.is_whole)


async def _sees(service: Service, caller: Caller, run: Run) -> bool:
    is_own = run.caller == caller.name
    if not is_own and not may(caller.role, "approver"):
        return False
    if caller.scope.is_whole:
        return True
    scope = await scope_of(service, caller)
    revision = await service.revisions.get(run.revision_id)
    is_there = not scope.targets or run.target in scope.targets
    return is_there and scope.admits(revision.api, revision.risk, revision.workflow_id)
