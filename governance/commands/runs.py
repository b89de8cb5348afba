"""The commands `switchgear runs list|show|cancel`: what was run, and ending what has not.

Each parses, calls one store, prints and answers its exit code. Here never lives a rule or a statement.
`replay` interprets documents, and is in `replaying`; `resolve` may speak to a device: `runtime.commands.resolving`.
"""

from collections.abc import Awaitable
from typing import get_args

import click

from governance.commands import shown
from governance.commands.options import actor_here, common, with_database
from governance.database import Database
from governance.identifiers import Json
from governance.open_runs import OpenRuns
from governance.runs import Outcome, RunStore


@click.group("runs")
def runs_group() -> None:
    """What was run."""


@runs_group.command("list")
@click.option("--outcome", type=click.Choice(get_args(Outcome)), help="Only these.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@common
def runs_list(outcome: Outcome | None, limit: int, db: str | None, as_json: bool) -> None:
    """List runs, newest first."""
    rows = [run.to_json() for run in with_database(db, lambda d: RunStore(d).find(outcome=outcome, limit=limit))]
    if as_json:
        shown.as_json({"runs": rows})
    else:
        shown.table(rows, ("id", "started_at", "outcome", "target", "caller"))


@runs_group.command("show")
@click.argument("run_id")
@common
def runs_show(run_id: str, db: str | None, as_json: bool) -> None:
    """Show a run and each of its requests."""
    show_run(with_database(db, lambda d: RunStore(d).get(run_id)).to_json(), as_json)


@runs_group.command("cancel")
@click.argument("run_id")
@common
def runs_cancel(run_id: str, db: str | None, as_json: bool) -> None:
    """Ask for the end of a run; whoever carries it out stops between two requests."""
    run = with_database(db, lambda d: _then_shown(d, run_id, OpenRuns(d).ask_cancel(run_id, actor=actor_here())))
    show_run(run, as_json)


async def _then_shown(database: Database, run_id: str, act: Awaitable[None]) -> Json:
    await act
    return (await RunStore(database).get(run_id)).to_json()


def show_run(run: Json, as_json: bool) -> None:
    """Prints a run with its requests."""
    if as_json:
        shown.as_json(run)
        return
    steps = run.pop("steps")
    shown.fields(run)
    shown.table(steps, ("seq", "step_id", "phase", "method", "path", "status", "duration_ms"))
