"""Revisions over HTTP: what there is, what one would do, the decisions on it, and running what is approved.

A decision names the digest that was looked at; `governance` applies it with its audit row, and the catalog is loaded
at once, so that connected clients are told. A run that does not succeed is a problem document with the run's members.
"""

import sys
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Response

from governance.dossier import dossier
from governance.revisions import Revision
from governance.transitions import State
from runtime.api import models
from runtime.api.part import CallerPart, Json, ServicePart, problems
from runtime.api.tags import SHOWS_TAG, tag_of
from runtime.calls.manner import Manner
from runtime.calls.selection import Selection, run_on
from runtime.calls.telling import failure_of, told, told_plan, told_running
from runtime.calls.under_way import Running, Wanted
from runtime.engines.engine import Ended
from runtime.entries import Entry
from runtime.errors import BadInput
from runtime.gate.access import Caller
from runtime.observing import observed
from runtime.problems import Problem
from runtime.reach import revision_of, scope_of
from runtime.results.shaping import shaped
from runtime.results.view import WHOLE, View, view_of
from runtime.service import Service
from workflow.events import to_json

router = APIRouter(prefix="/workflows", tags=["workflows"])
Limit = Annotated[int, Query(ge=1, le=1000)]
Key = Annotated[str, Header(max_length=200, description="Stands for this wish: the same key, the same run.")]
Choice = Literal["approve", "reject", "retire"]
After = Annotated[str | None, Query(description="The id of the last revision of the page before.", max_length=64)]
Core = Annotated[bool | None, Query(description="Whether it is in the default catalog of its API.")]
Question = Annotated[str | None, Query(description="What is to be done, in an operator's words.", max_length=500)]
NAMED = {"digest": "$response.body#/digest", "reason": "because"}
DECISIONS = {
    "links": {
        name: {"operationId": name, "parameters": {"ref": "$response.body#/id"}, "requestBody": NAMED}
        for name in ("approve", "reject", "retire")
    }
    | {
        name: {"operationId": name, "parameters": {"ref": "$response.body#/workflow_id"}}
        for name in ("disable", "enable", "run")
    }
}
LISTED = {"links": {"show": {"operationId": "show_workflow", "parameters": {"ref": "$response.body#/0/id"}}}}
GOES_ON: dict[str, Json] = {"model": models.RunResult, "description": "It takes longer than a call may, and goes on."}
OUTCOME_STATUSES = {"failed": 409, "partial": 409, "unknown": 504, "cancelled": 503}
# A failure says something of the state of things, unless its code is one of these: then the device, or the inputs.
CODE_STATUSES = {
    **dict.fromkeys(("unexpected_status", "unexpected_reply", "unreachable", "refused", "bad_outputs"), 502),
    **dict.fromkeys(("timeout", "deadline", "retries_exhausted"), 504),
    **dict.fromkeys(("invalid_input", "unsafe_value"), 422),
    "unrecorded": 503,  # ours, and no fault of the device
}


@router.get("", responses={200: LISTED, **problems(422)})
async def list_workflows(
    service: ServicePart,
    caller: CallerPart,
    response: Response,
    state: State | None = None,
    api: Annotated[str | None, Query(max_length=128)] = None,
    core: Core = None,
    q: Question = None,
    limit: Limit = 100,
    after: After = None,
) -> list[models.Workflow]:
    """Revisions in the order of their submission; `state`, `api` and `core` choose among them.

    With `q` the approved workflows that have to do with its words, the best first, on one page.
    """
    if q is None:
        return await _page(service, caller, response, {"state": state, "api": api, "core": core}, limit, after)
    if state not in (None, "approved") or after is not None:
        detail = "Only what is approved is searched, and all that is found is one page."
        raise Problem(422, "bad request", detail, "leave out `state` and `after`, or `q`")
    return await _found(service, caller, q, api, core, limit)


@router.get("/pending", responses={200: LISTED, **problems(422)})
async def list_pending(
    service: ServicePart, caller: CallerPart, response: Response, limit: Limit = 100, after: After = None
) -> list[models.Workflow]:
    """What waits for a decision."""
    return await _page(service, caller, response, {"state": "pending"}, limit, after)


@router.get("/{ref}", responses={200: {**SHOWS_TAG, **DECISIONS}, **problems(404, 409, 422)})
async def show_workflow(
    ref: str, service: ServicePart, caller: CallerPart, response: Response
) -> models.WorkflowDetail:
    """One revision with all that it would do. `ref`: an id, `workflow@number`, or a workflow for its newest one."""
    revision = await revision_of(service, caller, ref)
    in_use = await service.revisions.in_use(revision.workflow_id)
    disabled = await service.disabled.get(revision.workflow_id)
    response.headers["etag"] = tag_of(revision.summary())
    return models.WorkflowDetail(
        **_summary(revision),
        content=revision.content.to_json(),
        proof=revision.proof,
        **dossier(revision, in_use),
        disabled=disabled and disabled.to_json(),
    )


@router.post("/{ref}/approve", responses=problems(404, 409, 422))
async def approve(ref: str, body: models.Decision, service: ServicePart, caller: CallerPart) -> models.Workflow:
    """Lets it be served. Only the content with this digest, and only while it is pending."""
    return await decided(service, ref, "approve", body, caller)


@router.post("/{ref}/reject", responses=problems(404, 409, 422))
async def reject(ref: str, body: models.Decision, service: ServicePart, caller: CallerPart) -> models.Workflow:
    """Turns a pending revision down; takes a reason."""
    return await decided(service, ref, "reject", body, caller)


@router.post("/{ref}/retire", responses=problems(404, 409, 422))
async def retire(ref: str, body: models.Decision, service: ServicePart, caller: CallerPart) -> models.Workflow:
    """Stops serving an approved revision; takes a reason."""
    return await decided(service, ref, "retire", body, caller)


@router.post("/{ref}/run", responses={202: GOES_ON, **problems(404, 409, 422, 428, 500, 502, 504)})
async def run(
    ref: str,
    body: models.RunRequest,
    service: ServicePart,
    caller: CallerPart,
    response: Response,
    idempotency_key: Key = "",
) -> models.RunResult:
    """Runs what is approved. `ref`: a workflow, `workflow@number`, a tool's name or a revision's id.

    What lasts longer than a call may is answered with 202 and goes on; `GET /runs/{run_id}?wait=…` waits for its end.
    With an idempotency key the run goes on when the connection is lost, and asking again is answered by the same run.
    """
    entry = service.live.seen_by(caller.scope).find(ref)
    manner = Manner(body.plan, body.plan_id)
    view = view_over_rest(entry, body.select, body.where)
    wanted = Wanted(entry, body.inputs, body.target, caller, manner, idempotency_key)
    return answer_of(await service.under_way.call(wanted), view, response, is_wanted=body.plan)


@router.post("/{ref}/run-selection", responses=problems(404, 409, 422))
async def run_selection(
    ref: str, body: models.SelectionRequest, service: ServicePart, caller: CallerPart
) -> models.SelectionResult:
    """Runs what is approved on every target that has the labels. A failure on one is told in its result."""
    entry, manner = service.live.seen_by(caller.scope).find(ref), Manner(body.plan)
    selection = Selection(body.labels, body.parallel, body.stop_on_failure)
    results = await run_on(service.calls, entry, body.inputs, selection, caller, manner)
    good = sum(result.is_good(manner) for result in results)
    return models.SelectionResult(succeeded=good, results=[result.to_json() for result in results])


def view_over_rest(entry: Entry, select: Json, where: Json, unasked: View = WHOLE) -> View:
    """What is to be shown; of what changes something, the whole alone. Raises BadInput."""
    if entry.risk == "read":
        return view_of(select, where, unasked)
    if select is None and where is None:
        return WHOLE
    raise BadInput("only of reads a part can be shown", "/select", "leave select and where out")


def answer_of(ended: Ended | Running, view: View, response: Response, *, is_wanted: bool) -> models.RunResult:
    """What came of a call. `is_wanted`: a plan was asked for. Raises Problem for what did not succeed; BadInput."""
    if isinstance(ended, Running):
        return _running(ended, response)
    if ended.outcome == "planned":
        return _planned(ended, is_wanted=is_wanted)
    if not ended.is_good:
        raise problem_of(ended)
    part = shaped(ended.outputs, view)
    return models.RunResult(
        run_id=ended.run_id,
        outcome=ended.outcome,
        outputs=part.outputs,
        shown=part.shown,
        misfits=ended.misfits,
        **ended.verdict,
    )


def _running(running: Running, response: Response) -> models.RunResult:
    """The run goes on; where it is asked after."""
    where = f"/runs/{running.run_id}?wait={running.wait_s:g}"
    response.status_code, response.headers["location"] = 202, where
    note = told_running(running, how=f"GET {where}")
    return models.RunResult(run_id=running.run_id, outcome="running", outputs={}, note=note, done=[])


def _planned(ended: Ended, *, is_wanted: bool) -> models.RunResult:
    """The plan that was asked for; one that stands in the place of a change is a problem."""
    plan = dict(ended.outputs)
    if is_wanted:
        return models.RunResult(run_id=ended.run_id, outcome="planned", outputs={}, plan=plan)
    remedy = "look at the plan, then call again with the same inputs and its plan_id"
    more = {"run_id": ended.run_id, "outcome": ended.outcome, "plan": plan}
    raise Problem(428, "confirmation needed", told_plan(ended, is_wanted=False), remedy, (), more)


def problem_of(ended: Ended) -> Problem:
    """A run that did not succeed, in the form of an error."""
    failure = failure_of(ended)
    status = OUTCOME_STATUSES[ended.outcome]
    if ended.outcome == "failed":
        status = CODE_STATUSES.get(failure.code, status)
    more = {"run_id": ended.run_id, "outcome": ended.outcome, "failure": to_json(failure), **ended.verdict}
    return Problem(status, f"run {ended.outcome}", told(ended), failure.remedy, (), more)


async def decided(service: Service, ref: str, action: Choice, body: models.Decision, caller: Caller) -> models.Workflow:
    """Applies a decision and has it served at once."""
    seen = await revision_of(service, caller, ref)
    revision = await service.revisions.decide(
        seen.id,
        action,
        actor=caller.name,
        role=caller.role,
        reason=body.reason,
        digest=body.digest,
    )
    observed.decision(revision, action, caller.name)
    await service.live.reload()
    return models.Workflow(**_summary(revision))


async def _page(
    service: Service, caller: Caller, response: Response, chosen: dict[str, Json], limit: int, after: str | None
) -> list[models.Workflow]:
    found = await service.revisions.find(limit=limit, after=after, scope=await scope_of(service, caller), **chosen)
    if len(found) == limit:
        kept = {name: str(value).lower() for name, value in chosen.items() if value is not None}
        more = urlencode({**kept, "after": found[-1].id, "limit": limit})
        response.headers["link"] = f'<?{more}>; rel="next"'
    return [models.Workflow(**_summary(revision)) for revision in found]


async def _found(
    service: Service, caller: Caller, q: str, api: str | None, core: bool | None, limit: int
) -> list[models.Workflow]:
    await service.finder.ready()
    most = limit if core is None else sys.maxsize
    entries, _ = service.finder.best(q, most, api=api, scope=caller.scope)
    wanted = [entry.revision_id for entry in entries if core in (None, entry.is_core)][:limit]
    return [models.Workflow(**_summary(each)) for each in await service.revisions.get_all(wanted)]


def _summary(revision: Revision) -> dict[str, Json]:
    tool = revision.content.tool
    return {**revision.summary(), "title": tool.get("title", ""), "description": tool.get("description", "")}
