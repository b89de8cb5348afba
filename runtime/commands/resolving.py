"""The command `switchgear runs resolve RUN`: what became of the request in doubt, as a person says or a look shows.

It stands in governance's group of commands (`switchgear.main`), because with `--look` it asks the device and they do
not. Errors leave as exceptions and are rendered in one place, as for every command.
"""

import asyncio

import click

from governance.commands.options import actor_here, common, existing, with_database
from governance.commands.runs import RUN, show_run, told_run
from governance.runs.open_runs import OpenRuns, RunFinding
from governance.storage.database import Database
from governance.storage.identifiers import Json


@click.command("resolve")
@RUN
@click.option("--happened/--did-not-happen", default=None, help="What you found when you looked at the device.")
@click.option("--look", is_flag=True, help="Make the reads that tell, and resolve the run where they do.")
@click.option("--go-on", is_flag=True, help="Go on from there; a server carries the run out.")
@click.option("--note", default="", help="How you know.")
@common
def resolve_command(
    run_id: str, happened: bool | None, look: bool, go_on: bool, note: str, db: str | None, as_json: bool
) -> None:
    """Say what became of the request in doubt of an unknown run; it stays ended, or goes on."""
    if look == (happened is not None) or (look and go_on):
        raise click.UsageError("say --happened or --did-not-happen, having looked at the device; or --look alone")
    if happened is None:
        run = asyncio.run(_looked(existing(db), run_id))
    else:
        finding = RunFinding(happened, go_on, note)
        run = with_database(db, lambda database: _said(database, run_id, finding))
    show_run(run, as_json)


async def _said(database: Database, run_id: str, finding: RunFinding) -> Json:
    await OpenRuns(database).resolve(run_id, finding, actor=actor_here())
    return await told_run(database, run_id)


async def _looked(url: str, run_id: str) -> Json:
    from runtime.caller import Caller
    from runtime.service import open_service

    async with open_service(url) as service:
        await service.calls.same_effects.look(run_id, Caller(actor_here(), "admin"))
        return await told_run(service.database, run_id)
