"""The commands `switchgear runs list|show|watch|cancel`: what was run and what it did, and ending what has not ended.

Each parses, calls one store, prints and answers its exit code. Here never lives a rule or a statement.
`replay` interprets documents, and is in `replaying`; `resolve` may speak to a device: `runtime.commands.resolving`.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, get_args

import click

from governance.approval.revisions import Revision, RevisionStore
from governance.commands import shown
from governance.commands.completing import complete
from governance.commands.options import actor_here, common, scope_of, scope_options, with_database
from governance.errors import NotFoundError
from governance.runs.open_runs import OpenRuns
from governance.runs.runs import Outcome, Run, RunStore
from governance.storage.database import Database
from governance.storage.identifiers import Json

LISTED = ("run", "began", "workflow", "target", "outcome", "did")
LOOK_S = 0.5
"""Between two looks of `watch`: what a person takes for at once, and nothing to the database."""
RUN = click.argument("run_id", metavar="RUN", shell_complete=complete("run"))


@click.group("runs")
def runs_group() -> None:
    """Look at what was run, and end what has not ended."""


@runs_group.command("list")
@click.option("--outcome", type=click.Choice(get_args(Outcome)), help="Only these.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many of the newest.")
@scope_options
@common
def runs_list(outcome: Outcome | None, limit: int, db: str | None, as_json: bool, **named: Any) -> None:
    """List runs with their workflow and what they did, newest first."""
    scope = scope_of(named)
    told = with_database(db, lambda d: _told(d, lambda store: store.find(outcome=outcome, limit=limit, scope=scope)))
    if as_json:
        shown.as_json({"runs": [{**run.to_json(), **_named(revision)} for run, revision in told]})
        return
    shown.table([_row(run, revision) for run, revision in told], LISTED)
    if not told:
        shown.note("nothing was run yet" if scope.is_whole and outcome is None else "nothing fits")


@runs_group.command("show")
@RUN
@common
def runs_show(run_id: str, db: str | None, as_json: bool) -> None:
    """Show a run: its workflow, what it did, and each of its requests."""
    show_run(with_database(db, lambda d: told_run(d, run_id)), as_json)


@runs_group.command("watch")
@click.argument("run_id", metavar="[RUN]", required=False, shell_complete=complete("run"))
@common
def runs_watch(run_id: str | None, db: str | None, as_json: bool) -> int:
    """Follow a run, request by request, until it has ended; without RUN the newest one. Ends with 4 for a failure.

    Ctrl-C ends the watching alone: the run goes on.
    """
    outcome = with_database(db, lambda d: _watched(d, run_id, as_json))
    return 0 if outcome in ("succeeded", "pending", "planned") else 4


@runs_group.command("cancel")
@RUN
@common
def runs_cancel(run_id: str, db: str | None, as_json: bool) -> None:
    """Ask for the end of a run; whoever carries it out stops between two requests."""
    run = with_database(db, lambda d: _then_shown(d, run_id, OpenRuns(d).ask_cancel(run_id, actor=actor_here())))
    show_run(run, as_json)


async def _then_shown(database: Database, run_id: str, act: Awaitable[None]) -> Json:
    await act
    return await told_run(database, run_id)


async def told_run(database: Database, run_id: str) -> Json:
    """A run as JSON, with its workflow and what it did. Raises NotFoundError."""
    run = await RunStore(database).get(run_id)
    revision = (await RevisionStore(database).whole((run.revision_id,))).get(run.revision_id)
    return {**_named(revision), "did": did(run, revision), **run.to_json()}


async def _told(database: Database, find: Any) -> list[tuple[Run, Revision | None]]:
    runs: Sequence[Run] = await find(RunStore(database))
    revisions = await RevisionStore(database).whole({run.revision_id for run in runs})
    return [(run, revisions.get(run.revision_id)) for run in runs]


def _named(revision: Revision | None) -> dict[str, Json]:
    """Which workflow it was; nothing where its revision is not there or not whole."""
    if revision is None:
        return {"workflow_id": None, "number": None}
    return {"workflow_id": revision.workflow_id, "number": revision.number}


def _row(run: Run, revision: Revision | None) -> dict[str, Json]:
    named = f"{revision.workflow_id}@{revision.number}" if revision else None
    began = run.started_at[:19].replace("T", " ")
    return {**run.to_json(), "run": run.id, "began": began, "workflow": named, "did": did(run, revision)}


def did(run: Run, revision: Revision | None) -> str:
    """What a run did, in a line: what its workflow is for, which steps took effect, what went wrong."""
    title = str(revision.content.tool.get("title") or revision.workflow_id) if revision else "unknown workflow"
    verdict: dict[str, Json] = run.verdict or {}
    if run.failure:
        return f"{title}: {run.failure.get('message') or run.failure.get('code')}"
    done = verdict.get("done") or ()
    if run.outcome is None:
        return f"{title}: under way"
    return f"{title}: done, by {', '.join(done)}" if done else f"{title}: read, nothing was changed"


async def _watched(database: Database, run_id: str | None, as_json: bool) -> str:
    """Prints what is new until the run has ended; answers how."""
    store = RunStore(database)
    if run_id is None:
        newest = await store.find(limit=1)
        if not newest:
            raise NotFoundError("nothing was run yet", "run something: `switchgear call WORKFLOW`")
        run_id = newest[0].id
    told = 0
    while True:
        run = await store.get(run_id)
        for step in run.steps[told:]:
            _print_step(step.to_json(), as_json)
        told = len(run.steps)
        if run.outcome is not None:
            show_run(await told_run(database, run_id), as_json, is_brief=True)
            return run.outcome
        await asyncio.sleep(LOOK_S)


def _print_step(step: Json, as_json: bool) -> None:
    if as_json:
        shown.json_line(step)
    else:
        click.echo(_request_line(step))


def _request_line(step: Json) -> str:
    """One event of a request: when, of which step, what was sent, and what became of it."""
    took = f"{step['duration_ms']:.0f} ms" if step["duration_ms"] is not None else None
    told = " ".join(str(each) for each in (step["phase"], step["status"], took) if each is not None)
    line = f"{step['at'][11:19]}  {step['step_id']}  {step['method']} {step['path']}  {told}"
    return shown.hung(shown.plain(line), "", 10)


def show_run(run: Json, as_json: bool, *, is_brief: bool = False) -> None:
    """Prints a run with its requests and what it gave; `is_brief`: without the requests, which were printed."""
    if as_json:
        shown.json_line(run) if is_brief else shown.as_json(run)
        return
    steps, outputs = run.pop("steps"), run.pop("outputs", None)
    shown.fields({name: value for name, value in _for_people(run).items() if value not in ([], {})})
    for step in () if is_brief else _ended(steps):
        click.echo(_request_line(step))
    if outputs:
        shown.as_json(outputs)


def _ended(steps: Sequence[dict[str, Json]]) -> list[dict[str, Json]]:
    """Of each request the last that is on record: what became of it, or that it was begun."""
    return list({step["seq"]: step for step in steps}.values())


def _for_people(run: dict[str, Json]) -> dict[str, Json]:
    """The run with what went wrong and what was verified as words in place of their members."""
    failure, verdict = run.pop("failure", None) or {}, run.pop("verdict", None) or {}
    told = {"the device said": " ".join(f"“{sentence}”" for sentence in failure.get("said") or ())}
    told |= {name: ", ".join(failure.get(name.replace(" ", "_")) or ()) for name in ("done", "not done", "may be done")}
    told["what to do"] = failure.get("remedy") or ""
    why = verdict.get("verified_why")
    told["verified"] = f"{verdict['verified']}{f' ({why})' if why else ''}" if verdict.get("verified") else ""
    return {**run, **told, "differences": verdict.get("differences") or []}
