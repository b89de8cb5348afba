"""What `switchgear call` does: one run in this process, a question on the terminal where one is due, and a report.

Standard output is data: outputs, or the plan that was asked for. The question, and what did not succeed, go to standard
error. A plan that nobody could be asked about ends with exit code 1: nothing was changed. Called by `commands`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from governance.commands.options import existing, with_database
from governance.errors import NotFoundError
from governance.runs.runs import RunStore
from governance.settings import Settings
from runtime.call_options import CallOptions
from runtime.caller import Caller
from runtime.calls.confirmation import Confirmation
from runtime.calls.messages import told, told_plan, verified_line
from runtime.calls.selection import Result, Selection, run_on
from runtime.catalog.entries import Entry
from runtime.commands.serving import parsed_inputs
from runtime.engines.conformance import policy_of
from runtime.engines.engine import Ended
from runtime.errors import BadInput, NotApproved, TargetError, UnknownWorkflow
from runtime.raw_calls import inputs_of
from runtime.service import Service, ServiceOptions, open_service
from workflow.requests.events import to_json

Json = Any
Ask = Callable[[Ended], bool]
MOST_TOLD = 64  # as many as one command carries out at a time
ME = Caller("cli", "admin")  # whoever has the command line has the database, and sees every run in it


def tell_of_runs(db: str | None, began: str) -> None:
    """After an interruption: what became of the runs that were begun here since then, and what goes on."""
    runs = with_database(db, lambda d: RunStore(d).find(caller=ME.name, limit=MOST_TOLD))
    begun = [run for run in runs if run.started_at >= began]
    for run in begun:
        if run.outcome is None:
            told = "has not ended: the next server or call on this database goes on with it"
            then = f"`switchgear runs watch {run.id}` follows it, `switchgear runs cancel {run.id}` ends it"
        else:
            told, then = f"ended as {run.outcome}", f"`switchgear runs show {run.id}` says what was done"
        click.echo(f"The run {run.id} on {run.target} {told}; {then}.", err=True)
    if not begun:
        click.echo("No run was begun: nothing was sent.", err=True)


async def call_once(
    settings: Settings, db: str | None, workflow: str, typed: Sequence[str], target: str | None, options: CallOptions,
    ask: Ask | None,
) -> dict[str, Json]:  # fmt: skip
    """How it ended, for a program. `ask`: whether the person here says yes to a plan; None: nobody is there."""
    asks = Confirmation.of(settings)
    url, policy = existing(db), policy_of(settings)
    async with open_service(url, options=ServiceOptions(confirmation=asks, responses=policy)) as service:
        entry = await _found(service, workflow)
        inputs = fitted(entry, typed)
        return await _carried_out(service, entry, inputs, target, options, ask)


async def _carried_out(
    service: Service,
    entry: Entry,
    inputs: Mapping[str, Json],
    target: str | None,
    options: CallOptions,
    ask: Ask | None,
) -> dict[str, Json]:
    try:
        ended = await service.calls.call(entry, inputs, target, ME, options)
    except BadInput as error:
        error.remedy = f"{error.remedy}; `switchgear workflows show {entry.workflow_id}` lists its inputs"
        raise
    if ended.outcome == "planned" and not options.is_plan and ask is not None and ask(ended):
        ended = await service.calls.call(entry, inputs, target, ME, CallOptions(plan_id=ended.outputs["plan_id"]))
    return _report(ended, options)


async def call_operation(
    settings: Settings, db: str | None, operation: str, api: str | None, typed: Sequence[str], body: Json,
    target: str | None, options: CallOptions, ask: Ask | None,
) -> dict[str, Json]:  # fmt: skip
    """How the call of one operation alone ended, for a program. `ask`: as for `call_once`."""
    asks, policy = Confirmation.of(settings), policy_of(settings)
    async with open_service(existing(db), options=ServiceOptions(confirmation=asks, responses=policy)) as service:
        entry = await service.raw.entry(operation, api, ME)
        inputs = inputs_of(entry, fitted(entry, typed), body)
        return await _carried_out(service, entry, inputs, target, options, ask)


async def _found(service: Service, workflow: str) -> Entry:
    """The workflow that is served. Raises UnknownWorkflow, which says of one that waits for a decision that it does."""
    try:
        return service.live.now.find(workflow)
    except UnknownWorkflow:
        with suppress(NotFoundError):
            revision = await service.revisions.get(workflow)
            if revision.state == "pending":
                exact = f"{revision.workflow_id}@{revision.number}"
                remedy = (
                    f"look at it with `switchgear workflows show {exact}`, then `switchgear workflows approve {exact}`"
                )
                raise UnknownWorkflow(f"{exact} is pending: nobody has approved it yet", remedy) from None
        raise


def fitted(entry: Entry, typed: Sequence[str]) -> dict[str, Json]:
    """The inputs that were typed; a number or a truth for an input that takes texts alone is the text as it stands."""
    declared = entry.program.inputs_schema.get("properties") or {}
    texts = {name: text for name, _, text in (pair.partition("=") for pair in typed)}

    def is_text(name: str, value: Json) -> bool:
        schema = declared.get(name)
        return isinstance(value, int | float) and isinstance(schema, dict) and schema.get("type") == "string"

    return {name: texts[name] if is_text(name, value) else value for name, value in parsed_inputs(typed).items()}


def _report(ended: Ended, options: CallOptions) -> dict[str, Json]:
    is_plan = ended.outcome == "planned"
    text = told_plan(ended, is_wanted=options.is_plan) if is_plan else told(ended)
    return {
        "run_id": ended.run_id,
        "outcome": ended.outcome,
        "outputs": {} if is_plan else dict(ended.outputs),
        "plan": dict(ended.outputs) if is_plan else None,
        "failure": to_json(ended.failure) if ended.failure else None,
        **ended.verdict,
        "misfits": ended.misfits,
        "told": "" if ended.outcome == "succeeded" else text,
        "verified_line": verified_line(ended),
    }


def ask_on_terminal(planned: Ended) -> bool:
    """Shows the plan and waits for a yes."""
    click.echo(told_plan(planned, is_wanted=True), err=True)
    return click.confirm("Carry this out?", err=True)


def printed(report: Mapping[str, Json], options: CallOptions, *, is_json: bool) -> int:
    """Prints the report and answers the exit code."""
    is_done = report["outcome"] in ("succeeded", "pending") or (report["outcome"] == "planned" and options.is_plan)
    if is_json:
        click.echo(json.dumps(report))
    elif report["outcome"] in ("succeeded", "pending"):
        click.echo(json.dumps(report["outputs"], indent=2, ensure_ascii=False))
        click.echo(
            report["told"] or report["verified_line"], err=True, nl=bool(report["told"] or report["verified_line"])
        )
    else:
        click.echo(report["told"], err=not is_done)
    if is_done:
        return 0
    return NotApproved.exit_code if report["outcome"] == "planned" else TargetError.exit_code


async def call_on_selection(
    settings: Settings, db: str | None, workflow: str, typed: Sequence[str], selection: Selection, options: CallOptions
) -> tuple[Result, ...]:
    """What came of each target. Nobody is asked: without --yes, what asks first answers with a plan for each."""
    asks, policy = Confirmation.of(settings), policy_of(settings)
    async with open_service(existing(db), options=ServiceOptions(confirmation=asks, responses=policy)) as service:
        entry = await _found(service, workflow)
        return await run_on(service.calls, entry, fitted(entry, typed), selection, ME, options)


def printed_results(results: tuple[Result, ...], options: CallOptions, *, is_json: bool) -> int:
    """Prints a line, or a JSON object, for each target, and answers the exit code."""
    told_results = [result.to_json() for result in results]
    if is_json:
        click.echo(json.dumps({"results": told_results}))
    for result in () if is_json else told_results:
        click.echo(f"{result['target']}: {result['outcome']}" + (f" (run {result['run_id']})" * bool(result["run_id"])))
        if result["told"]:
            click.echo(result["told"], err=not options.is_plan)
    if all(result.is_good(options) for result in results):
        return 0
    is_unasked = all(result["outcome"] in ("planned", "succeeded", "pending") for result in told_results)
    return NotApproved.exit_code if is_unasked else TargetError.exit_code
