"""Waiting for a job: polled until it has ended, however the device behaves meanwhile.

A device may be away while its own job runs, show a new job late, or have forgotten a finished one. Each of these is
waited for within a bound of the profile; then another view of the job is tried, and behind all waits the flow's own
read-back decides, where it can (`expectations`). Used by `changes` and the compositions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from compiler.ir.model import EMPTY, FlowStep, Job, JobView, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import address, noun_of
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.expectations import NOT_THERE
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.names.paths import item_prefixes, last_parameter, parent

_ELSEWHERE = "wait_elsewhere"  # the step, and the label at its place
# Compared without letter case (Arazzo 1.1, "simple" conditions).
_WELL = ("completed", "complete", "succeeded", "finished", "done")
_BADLY = ("failed", "error", "aborted", "cancelled", "canceled", "rejected", "timedout", "exception")
# What says nothing of the job: no answer at all, and what stands before the device or in it (RFC 9110, 15.5 and 15.6).
_AWAY = (401, 403, 408, 409, 423, 425, 429, 500, 502, 503, 504)


def wait(
    builder: Builder,
    job: Job,
    handle: str,
    where: list[tuple[str, str, Any]] | None,
    tries_elsewhere: bool = False,
    following: Mapping[str, Any] = EMPTY,
) -> FlowStep:
    """Polls the job that the expression `handle` names; a failed job ends the run with the job's own message.

    `where`: what stands above the job in its address, from `poll_parameters`; None: what `is_found_later` is looked up
    now. `tries_elsewhere`: a job that is not found is looked for in its other view; the caller leads what needs no wait
    past both. `following`: what a job that
    waits for somebody is to be told with.
    """
    elsewhere = job.elsewhere if tries_elsewhere else None
    operation = builder.operation(job.poll)
    where = _find_above(builder, job) if where is None else where
    state = f"$response.body#{job.state}"
    # By a rule of the profile whoever runs the workflow reads it, with its places filled: the device's own words.
    told = f": {{$response.body#{job.message}}}" if job.message and not builder.context.profile.jobs else ""
    outputs: dict[str, Any] = {"state": state}
    ended_well, ended_badly = (*job.succeeded, *_usual(job, _WELL)), (*job.failed, *_usual(job, _BADLY))
    has_result = job.result is not None and not job.result_view
    if has_result:
        outputs["result"] = _result(job)
    step = FlowStep(
        id=builder.free_step_id("wait"),
        operation=operation.key,
        role=Role.WAIT,
        description=f"Wait for the {job.name}.",
        parameters=(*where, (job.parameter, "path", handle)),
        outputs=outputs,
        success=(queries.OK, *_ended_well(job, state, ended_well)),
        branches=({"name": "ended", "stepId": "@after"},) if elsewhere else (),
        failures=_failures(job, state, ended_well, ended_badly, told, bool(elsewhere), following),
        watches=tuple(f"$response.body#{place}" for place in (job.state, job.progress) if place),
        stalls_after_s=job.stalled_s,
    )
    builder.add_step(step, f"the change answers a handle of a {job.name}, which goes on after the reply")
    if elsewhere is not None:
        _wait_elsewhere(builder, job, elsewhere, handle)
    if has_result:
        builder.add_output("result", f"$steps.{step.id}.outputs.result", {})
    elif job.result_view:
        _read_result(builder, job, handle)
    return step


def _usual(job: Job, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Words that mean an end everywhere, beside those that are told: who waits on after them waits for nothing."""
    told = {each.lower() for each in (*job.succeeded, *job.failed, *job.waiting, *job.pending)}
    return tuple(word for word in usual if word not in told)


def _wait_elsewhere(builder: Builder, job: Job, view: JobView, handle: str) -> None:
    state = f"$response.body#{view.state}"
    builder.label(name := builder.free_step_id(_ELSEWHERE))
    step = FlowStep(
        id=name,
        operation=view.poll,
        role=Role.WAIT,
        description=f"Wait for the {job.name} where else it is shown.",
        parameters=((view.parameter, "path", handle),),
        success=(queries.OK, *_ended_well(job, state, view.succeeded)),
        failures=_failures(job, state, view.succeeded, view.failed, "", False),
    )
    builder.add_step(step, f"where the {job.name} is not known at its usual address")


def _ended_well(job: Job, state: str, succeeded: tuple[str, ...]) -> list[dict[str, Any]]:
    """The state says so, and no other member says otherwise."""
    signs = [f"$response.body#{at} != {queries.simple_quoted(v)}" for at, values in job.failed_if for v in values]
    return [
        queries.simple(queries.one_of_states(state, succeeded)),
        *([queries.simple(queries.all_of(signs))] if signs else []),
        *([queries.simple(f"$response.body#{job.fault} == null")] if job.fault else []),
        *(queries.simple(queries.one_of_states(f"$response.body#{at}", well)) for at, well in job.succeeded_if),
    ]


def _failures(
    job: Job,
    state: str,
    succeeded: tuple[str, ...],
    failed: tuple[str, ...],
    told: str,
    goes_elsewhere: bool,
    following: Mapping[str, Any] = EMPTY,
) -> tuple[dict[str, Any], ...]:
    """What a poll that shows no good end means, in order."""
    bad_end = {"code": "job_failed", "message": f"The {job.name} failed{told}"}
    running = [f"{state} != null", *(f"{state} != {queries.simple_quoted(s)}" for s in (*succeeded, *failed))]
    found: list[dict[str, Any]] = []
    if failed:  # a description may name no state in which it has failed
        found.append(_end("job_failed", queries.one_of_states(state, failed), bad_end))
    if job.failed_if:
        signs = [queries.one_of_states(f"$response.body#{at}", values) for at, values in job.failed_if]
        over = queries.one_of_states(state, succeeded)
        found.append(_end("ended_badly", queries.all_of([over, queries.any_of(signs)]), bad_end))
    if job.fault:
        over = queries.one_of_states(state, succeeded)
        found.append(_end("ended_badly", queries.all_of([over, f"$response.body#{job.fault} != null"]), bad_end))
    for at, well in job.succeeded_if:
        found += _ended_otherwise(job, f"$response.body#{at}", well, queries.one_of_states(state, succeeded), bad_end)
    if job.pending:
        text = f"The {job.name} waits at {{{state}}}{told}"
        pending = {"outcome": "pending", "code": "waits", "message": text, **following}
        found.append(_again("waits", job, job.pending_s, queries.one_of_states(state, job.pending), pending))
    for at, kinds in job.used:
        open_ = queries.all_of([*running, f"({queries.one_of_states(f'$response.body#{at}', kinds)})"])
        text = f"The {job.name} goes on until what it shows is used ({{$response.body#{at}}}): it is not waited for."
        found.append(_end("to_be_used", open_, {"outcome": "pending", "code": "to_be_used", "message": text}))
    late = f"The {job.name} had not ended after {job.timeout_s:g} s{told}"
    found.append(_again("still_running", job, job.timeout_s, queries.all_of(running), _open_end("still_running", late)))
    away = queries.any_of(["$statusCode == null", *(f"$statusCode == {status}" for status in _AWAY)])
    gone = f"The device did not say for {job.away_s:g} s how the {job.name} stands."
    found.append(_again("away", job, job.away_s, away, _open_end("device_away", gone)))
    unknown = queries.any_of(["$statusCode == 404", f"({queries.all_of(['$statusCode == 200', f'{state} == null'])})"])
    lost = f"The device knows no such {job.name}: it does not tell how it ended."
    lost_end = {} if goes_elsewhere else _open_end("job_forgotten", lost)
    found.append(_again(NOT_THERE, job, job.appears_s, unknown, lost_end))
    if goes_elsewhere:
        found.append({"name": "elsewhere", "type": "goto", "stepId": "@next", "criteria": [queries.simple(unknown)]})
    return tuple(found)


def _ended_otherwise(
    job: Job, shown: str, well: tuple[str, ...], over: str, bad_end: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """What a job that is over means where it does not say that all is well: a warning and silence are no failure."""
    untold = queries.any_of([f"{shown} == null", f"{shown} == ''"])
    silent = f"The {job.name} is over, and does not tell how it ended."
    yield _end("end_untold", queries.all_of([over, untold]), _open_end("end_untold", silent))
    warned = f"The {job.name} is over, with warnings: {{{shown}}}"
    warning = {"context": shown, "condition": "(?i)^warn", "type": "regex"}
    ends: dict[str, Any] = {"name": "ended_with_warnings", "type": "end", "criteria": [queries.simple(over), warning]}
    yield {**ends, "x-switchgear": _open_end("ended_with_warnings", warned)}
    others = [f"{shown} != {queries.simple_quoted(value)}" for value in well]
    yield _end("ended_badly", queries.all_of([over, *others]), bad_end)


def _end(name: str, condition: str, told: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "type": "end", "criteria": [queries.simple(condition)], "x-switchgear": told}


def _again(name: str, job: Job, seconds: float, condition: str, told: dict[str, Any]) -> dict[str, Any]:
    limit = max(1, round(seconds / job.interval_s))
    retry = {"name": name, "type": "retry", "retryAfter": job.interval_s, "retryLimit": limit}
    return {**retry, "criteria": [queries.simple(condition)], **({"x-switchgear": told} if told else {})}


def _open_end(code: str, text: str) -> dict[str, Any]:
    return {"outcome": "unknown", "code": code, "message": text}


def _result(job: Job) -> str:
    return f"$response.body#{job.result}" if job.result else "$response.body"


def _read_result(builder: Builder, job: Job, handle: str) -> None:
    """What a finished job produced, where another view of the job than the polled one shows it."""
    operation = builder.operation(job.result_view)
    last = last_parameter(operation.path)
    step = FlowStep(
        id=builder.free_step_id("read_result"),
        operation=operation.key,
        role=Role.READ,
        description=f"Read what the {job.name} produced.",
        parameters=((last, "path", handle),),
        outputs={"result": _result(job)},
        success=(queries.OK,),
    )
    builder.add_step(step, f"the finished {job.name} holds its result in this view")
    builder.add_output("result", f"$steps.{step.id}.outputs.result", {})


def poll_parameters(builder: Builder, job: Job) -> list[tuple[str, str, Any]]:
    """What stands above the job in its address, found before the change is made."""
    above = _above(builder, job)
    owner = replace(builder.operation(job.poll), path=above)
    return path_parameters(builder, owner) if "{" in above else []


def _above(builder: Builder, job: Job) -> str:
    """The address in which the job stands: `/nodes/{id}/tasks` of `/nodes/{id}/tasks/{task}/status`."""
    path = builder.operation(job.poll).path
    own = next((prefix for prefix, name in item_prefixes(path) if name == job.parameter), path)
    return parent(own)


def is_asked(step: FlowStep) -> bool:
    """Whether the step asks for the job itself: what only finds where it is to be seen says nothing of its end."""
    return step.role is Role.WAIT and any(action["name"] == NOT_THERE for action in step.failures)


def is_found_later(builder: Builder, job: Job) -> bool:
    """Whether what stands above the job is looked up when there is a job: where there usually is one of its kind, that
    the flow needs for nothing else, and another view of the job does without it. So nobody has to name it.
    """
    owner = _owner_above(builder, job)
    if owner is None or job.elsewhere is None or not builder.context.is_single(owner):
        return False
    is_listed = bool(owner.list) and "{" not in builder.operation(owner.list).path
    return is_listed and (address(owner), "") not in builder.known


def _owner_above(builder: Builder, job: Job) -> Resource | None:
    """The one thing in whose address the job stands; None where there is none, or several."""
    above = list(item_prefixes(_above(builder, job)))
    return builder.context.needed_by(job.poll, f"path.{above[0][1]}") if len(above) == 1 else None


def _find_above(builder: Builder, job: Job) -> list[tuple[str, str, Any]]:
    """Finds the one that there is; of none or several, and of a list that does not come, the other view is asked."""
    owner = _owner_above(builder, job)
    assert owner is not None, "asked for by is_found_later"
    ((_, name),) = item_prefixes(_above(builder, job))
    base = queries.listed(owner)
    each = f"{base}[*]"
    step = FlowStep(
        id=builder.free_step_id(f"find_{noun_of(owner)}"),
        operation=owner.list,
        role=Role.WAIT,
        description=f"Find the {owner.name} that shows the {job.name}.",
        outputs={"id": queries.selector(f"{each}{queries.of_listed(owner, owner.id_field)}")},
        success=(queries.OK, queries.jsonpath(queries.counted(base, each, "== 1"))),
        failures=({"name": "not_one", "type": "goto", "stepId": f"@{builder.free_step_id(_ELSEWHERE)}"},),
        transforms={"id": "last_path_segment"} if owner.references else {},
    )
    builder.add_step(step, f"the {job.name} stands below the {owner.name}, of which there usually is one")
    return [(name, "path", f"$steps.{step.id}.outputs.id")]
