"""The commands `switchgear audit list|export|stats|verify`: what happened, in order, and in figures.

Each parses, calls one store, prints and answers its exit code. The filters are those of `search.AuditWanted`. An
export is JSON lines on standard output, in the order of the writing, each line one row as its hash covers it.
Here never lives a statement. Called by `switchgear/main.py`.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, get_args

import click

from governance.audit.log import AuditLog, AuditVerdict
from governance.audit.search import AuditSearch, AuditWanted
from governance.commands import shown
from governance.commands.options import common, with_database
from governance.integrity.survey import alterations
from governance.runs.run_stats import GROUPS, PERCENTILES, RunStats
from governance.runs.runs import Outcome
from governance.storage.database import Database
from governance.storage.identifiers import moment

F = TypeVar("F", bound=Callable[..., Any])
FILTERS = (
    click.option("--actor", default="", help="Only what they did."),
    click.option("--action", default="", help="Only this, `run.finished` say."),
    click.option("--subject", default="", help="Only about this: KIND:ID."),
    click.option("--target", default="", help="Only about this target and runs on it."),
    click.option("--digest", default="", help="Only about this content and its runs."),
    click.option("--outcome", default="", type=click.Choice(("", *get_args(Outcome))), help="Only runs' ends such."),
)


def _moment(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> str:
    """As the audit has it; the clock on the wall is UTC."""
    return "" if value is None else moment(value.replace(tzinfo=UTC))


TIMES = (
    click.option("--since", type=click.DateTime(), callback=_moment, help="From then on (UTC)."),
    click.option("--until", type=click.DateTime(), callback=_moment, help="Before then (UTC)."),
)


def _with(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorated(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


@click.group("audit")
def audit_group() -> None:
    """Look at what happened, in order, and verify it."""


@audit_group.command("verify")
@common
def audit_verify(db: str | None, as_json: bool) -> int:
    """Recompute the chain of hashes and hold the database against it; ends with 1 when something is otherwise."""
    verdict, altered = with_database(db, _verified)
    if as_json:
        shown.as_json({**verdict.to_json(), "ok": verdict.ok and not altered, "altered": altered})
        return 1 if altered or not verdict.ok else 0
    click.echo(f"{verdict.rows} rows, whole" if verdict.ok else f"broken at row {verdict.first_bad}: {verdict.reason}")
    for each in altered:
        shown.note(f"altered: {each}")
    return 1 if altered or not verdict.ok else 0


async def _verified(database: Database) -> tuple[AuditVerdict, tuple[str, ...]]:
    return await AuditLog(database).verify(), await alterations(database)


@audit_group.command("list")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many of the newest.")
@_with(*FILTERS, *TIMES)
@common
def audit_list(limit: int, db: str | None, as_json: bool, **filters: str) -> None:
    """List the newest rows that fit, oldest of them first."""
    found = with_database(db, lambda d: AuditSearch(d).newest(AuditWanted(**filters), limit))
    rows = [row.to_json() for row in found]
    if as_json:
        shown.as_json({"audit": rows})
    else:
        shown.table(rows, ("seq", "at", "actor", "action", "subject"))


@audit_group.command("export")
@_with(*FILTERS, *TIMES)
@common
def audit_export(db: str | None, as_json: bool, **filters: str) -> None:  # noqa: ARG001  it is JSON in any case
    """Print all rows that fit as JSON lines, in the order of their writing."""
    with_database(db, lambda d: _print_lines(d, AuditWanted(**filters)))


async def _print_lines(database: Database, wanted: AuditWanted) -> None:
    async for row in AuditSearch(database).all(wanted):
        click.echo(json.dumps(row.to_json()))


@audit_group.command("stats")
@_with(*TIMES)
@common
def audit_stats(db: str | None, as_json: bool, **times: str) -> None:
    """Count the runs that are kept, by workflow, caller, target and outcome, with how long they took."""
    told = with_database(db, lambda d: RunStats(d).of(since=times["since"], until=times["until"]))
    if as_json:
        shown.as_json(told)
        return
    named = [(group, *each) for group in GROUPS for each in told[f"by_{group}"].items()]
    rows = [{"by": group, "name": name, **figures} for group, name, figures in named]
    shown.table(rows, ("by", "name", "runs", *(f"p{each}_ms" for each in PERCENTILES)))
