"""Revisions over HTTP: what there is, what one would do, the decisions on it, and running what is approved.

A decision names the digest that was looked at; `governance` applies it with its audit row, and the catalog is loaded
at once, so that connected clients are told. A run that does not succeed is a problem document with the run's members.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Response

from governance.approval.dossier import dossier, in_short
from governance.approval.outlooks import Outlook, Outlooks
from governance.approval.revision_search import RevisionSearch, RevisionsWanted
from governance.approval.revisions import Revision
from governance.origins import Origin, origin_of
from governance.transitions import State
from runtime.api.audit import NO_NUL, TimesPart
from runtime.api.parts import models
from runtime.api.parts.pages import COUNTED, TOTAL, Limit, Number, skipped, told_page
from runtime.api.parts.part import CallerPart, Json, ServicePart, problems
from runtime.api.parts.tags import SHOWS_TAG, tag_of
from runtime.call_options import CallOptions
from runtime.caller import Caller
from runtime.calls.messages import failure_of, told, told_plan, told_running
from runtime.calls.selection import Selection, run_on
from runtime.calls.under_way import Running, Wanted
from runtime.catalog.entries import Entry
from runtime.engines.engine import Ended
from runtime.errors import BadInput
from runtime.observing import observed
from runtime.problems import Problem
from runtime.results.shaping import shaped
from runtime.results.view import WHOLE, View, view_of
from runtime.service import Service
from runtime.visibility import revision_of, scope_of
from workflow.requests.events import to_json
from workflow.risks import RiskName

router = APIRouter(prefix="/workflows", tags=["workflows"])
Key = Annotated[str, Header(max_length=200, description="Stands for this wish: the same key, the same run.")]
Choice = Literal["approve", "reject", "retire"]
After = Annotated[str | None, Query(description="The id of the last revision of the page before.", max_length=64)]
StateQuery = Annotated[State | None, Query(description="Where it stands.")]
Core = Annotated[bool | None, Query(description="Whether it is in the default catalog of its API.")]
Question = Annotated[
    str | None, Query(description="What is to be done, in an operator's words.", max_length=500, pattern=NO_NUL)
]
Ids = Annotated[
    str, Query(alias="id", max_length=7_400, pattern=NO_NUL, description="Only these revisions, separated by commas.")
]
Requests = Annotated[bool, Query(description="Also what each would send, operation by operation, and why its class.")]
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


async def filters_of(
    times: TimesPart,
    api: Annotated[str | None, Query(max_length=128, pattern=NO_NUL)] = None,
    risk: Annotated[RiskName | None, Query(description="Its class.")] = None,
    resource: Annotated[
        str | None, Query(max_length=300, pattern=NO_NUL, description="The thing that it acts on.")
    ] = None,
    by: Annotated[str | None, Query(max_length=300, pattern=NO_NUL, description="Who submitted it.")] = None,
    how: Annotated[Origin | None, Query(description="How it came about.")] = None,
    workflow: Annotated[
        str | None, Query(max_length=200, pattern=NO_NUL, description="All revisions of this one.")
    ] = None,
    core: Core = None,
) -> RevisionsWanted:
    since, until = times.get("since", ""), times.get("until", "")
    return RevisionsWanted(
        api=api, risk=risk, resource=resource, by=by, how=how, workflow=workflow, core=core, since=since, until=until
    )


FiltersPart = Annotated[RevisionsWanted, Depends(filters_of)]
LISTED = {"links": {"show": {"operationId": "show_workflow", "parameters": {"ref": "$response.body#/0/id"}}}}
GOES_ON: dict[str, Json] = {"model": models.RunResult, "description": "It takes longer than a call may, and goes on."}
OUTCOME_STATUSES = {"failed": 409, "partial": 409, "unknown": 504, "cancelled": 503}
# A failure says something of the state of things, unless its code is one of these: then the device, or the inputs.
CODE_STATUSES = {
    **dict.fromkeys(("unexpected_status", "unexpected_reply", "unreachable", "refused", "bad_outputs"), 502),
    **dict.fromkeys(("timeout", "deadline", "retries_exhausted"), 504),
    **dict.fromkeys(("invalid_input", "unsafe_value"), 422),
    **dict.fromkeys(("unrecorded", "unable"), 503),  # ours, and no fault of the device
}


@router.get("", responses={200: {**LISTED, **COUNTED}, **problems(422)})
async def list_workflows(
    service: ServicePart,
    caller: CallerPart,
    response: Response,
    filters: FiltersPart,
    state: StateQuery = None,
    q: Question = None,
    limit: Limit = 100,
    after: After = None,
    page: Number = None,
) -> list[models.Workflow]:
    """Revisions in the order of their submission; what is given besides chooses among them.

    With `q` the approved workflows that have to do with its words, the best first, on one page; of
    another `state` those in whose names all of its words are.
    """
    if q is None or state not in (None, "approved"):
        wanted = replace(filters, state=state, words=q or "")
        return await _page(service, caller, response, wanted, limit, after, page)
    if after is not None or page not in (None, 1):
        detail = "What is approved is searched by what it does, and all that is found is one page."
        raise Problem(422, "bad request", detail, "leave out `after` and `page`, or `q`")
    return await _found(service, caller, response, q, filters, limit)


@router.get("/pending", responses={200: {**LISTED, **COUNTED}, **problems(422)})
async def list_pending(
    service: ServicePart,
    caller: CallerPart,
    response: Response,
    filters: FiltersPart,
    q: Question = None,
    ids: Ids = "",
    requests: Requests = False,
    limit: Limit = 100,
    after: After = None,
    page: Number = None,
) -> list[models.Workflow]:
    """What waits for a decision; `q`: words in its name, `id`: only these, `requests`: with what each would send."""
    wanted = replace(filters, state="pending", words=q or "", ids=tuple(filter(None, ids.split(","))))
    return await _page(service, caller, response, wanted, limit, after, page, has_state=False, tells_requests=requests)


@router.get("/counts", responses=problems(422))
async def count_workflows(
    service: ServicePart, caller: CallerPart, filters: FiltersPart, state: StateQuery = None, q: Question = None
) -> models.WorkflowCounts:
    """How many revisions fit, by state, API, class and submitter; each group as if its own filter were not given."""
    wanted = replace(filters, state=state, words=q or "", scope=await scope_of(service, caller))
    return models.WorkflowCounts.model_validate(await RevisionSearch(service.database).counts(wanted))


@router.get("/{ref}", responses={200: {**SHOWS_TAG, **DECISIONS}, **problems(404, 409, 422)})
async def show_workflow(
    ref: str, service: ServicePart, caller: CallerPart, response: Response
) -> models.WorkflowDetail:
    """One revision with all that it would do. `ref`: an id, `workflow@number`, or a workflow for its newest one."""
    revision = await revision_of(service, caller, ref)
    in_use = await service.revisions.in_use(revision.workflow_id)
    disabled = await service.disabled.get(revision.workflow_id)
    response.headers["etag"] = tag_of(revision.summary())
    seen = await Outlooks(service.database).of((revision,), actor=caller.name, role=caller.role)
    return models.WorkflowDetail(
        **summary_of(revision),
        **_outlook(seen.get(revision.id)),
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
    options = CallOptions(body.plan, body.plan_id)
    view = view_over_rest(entry, body.select, body.where)
    wanted = Wanted(entry, body.inputs, body.target, caller, options, idempotency_key)
    return answer_of(await service.under_way.call(wanted), view, response, is_wanted=body.plan)


@router.post("/{ref}/run-selection", responses=problems(404, 409, 422))
async def run_selection(
    ref: str, body: models.SelectionRequest, service: ServicePart, caller: CallerPart
) -> models.SelectionResult:
    """Runs what is approved on every target that has the labels. A failure on one is told in its result."""
    entry, options = service.live.seen_by(caller.scope).find(ref), CallOptions(body.plan)
    selection = Selection(body.labels, body.parallel, body.stop_on_failure)
    results = await run_on(service.calls, entry, body.inputs, selection, caller, options)
    good = sum(result.is_good(options) for result in results)
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
    return models.RunResult(run_id=running.run_id, outcome=running.outcome, outputs={}, note=note, done=[])


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
    return models.Workflow(**summary_of(revision))


async def _page(
    service: Service,
    caller: Caller,
    response: Response,
    wanted: RevisionsWanted,
    limit: int,
    after: str | None,
    page: int | None,
    *,
    has_state: bool = True,
    tells_requests: bool = False,
) -> list[models.Workflow]:
    """`has_state`: whether the route takes the state as a parameter."""
    wanted = replace(wanted, scope=await scope_of(service, caller))
    found = await RevisionSearch(service.database).page(
        wanted, limit=limit, after=after, skip=skipped(page, limit, after)
    )
    revisions = found.survey.revisions
    behind = {"after": revisions[-1].id} if len(revisions) == limit else {}
    asked = _query_of(wanted if has_state else replace(wanted, state=None))
    told_page(response, asked, total=found.total, limit=limit, page=page, behind=behind)
    return await _told(service, caller, revisions, tells_requests=tells_requests)


async def _told(
    service: Service, caller: Caller, revisions: Sequence[Revision], *, tells_requests: bool
) -> list[models.Workflow]:
    """As one finds them who asks: with what those that are pending still take."""
    seen = await Outlooks(service.database).of(revisions, actor=caller.name, role=caller.role)
    more = in_short if tells_requests else _nothing_more
    return [models.Workflow(**summary_of(each), **_outlook(seen.get(each.id)), **more(each)) for each in revisions]


def _nothing_more(_: Revision) -> dict[str, list[str]]:
    return {}


def _outlook(seen: Outlook | None) -> dict[str, Json]:
    if seen is None:
        return {}
    return {
        "votes_needed": seen.needed,
        "votes_counted": seen.counted,
        "not_yours": seen.refusal,
        "votes_not_of": [*seen.not_of],
    }


def _query_of(wanted: RevisionsWanted) -> dict[str, Json]:
    """The parameters that ask for it again."""
    names = ("state", "api", "risk", "resource", "workflow", "core", "by", "how", "since", "until")
    return {**{name: getattr(wanted, name) for name in names}, "q": wanted.words}


async def _found(
    service: Service, caller: Caller, response: Response, q: str, filters: RevisionsWanted, limit: int
) -> list[models.Workflow]:
    await service.finder.ready()
    asked = (filters.core, filters.resource, filters.by, filters.how, filters.workflow)
    is_plain = asked == (None,) * 5 and not (filters.since or filters.until)
    most = limit if is_plain else sys.maxsize
    entries, count = service.finder.best(q, most, api=filters.api, risk=filters.risk, scope=caller.scope)
    revisions = await service.revisions.get_all([entry.revision_id for entry in entries if _has(entry, filters)])
    kept = [each for each in revisions if filters.resource in (None, each.resource)]
    kept = [each for each in kept if filters.by in (None, each.created_by)]
    kept = [each for each in kept if filters.how in (None, origin_of(each.api, each.created_by))]
    kept = [each for each in kept if filters.workflow in (None, each.workflow_id)]
    kept = [each for each in kept if each.created_at >= filters.since]
    kept = [each for each in kept if not filters.until or each.created_at < filters.until]
    response.headers[TOTAL] = str(count if is_plain else len(kept))
    return [models.Workflow(**summary_of(each)) for each in kept[:limit]]


def _has(entry: Entry, filters: RevisionsWanted) -> bool:
    return filters.core in (None, entry.is_core)


def summary_of(revision: Revision) -> dict[str, Json]:
    """A revision as lists tell it."""
    tool, how = revision.content.tool, origin_of(revision.api, revision.created_by)
    words = {"title": tool.get("title", ""), "description": tool.get("description", "")}
    return {**revision.summary(), **words, "how": how}
