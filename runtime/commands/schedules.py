"""The commands `switchgear schedules add, list, pause, resume, remove`.

A schedule that is added here runs as `cli:<user>`: whoever may write the database has every right. `add` asks the
catalog whether the workflow can be run so; the others need the database alone. Here never lives a rule.
"""

import asyncio
import os
from typing import Any

import click

from governance.commands import shown
from governance.commands.completing import complete
from governance.commands.options import actor_here, common, existing, with_database
from governance.runs.schedules import Schedule, ScheduleStore
from governance.settings import Settings
from governance.storage.database import Database
from governance.storage.identifiers import utc_now
from runtime.commands.serving import parsed_inputs, parsed_labels

LISTED = ("name", "workflow_id", "cron", "zone", "created_by", "is_paused", "next_at", "last")


@click.group("schedules")
def schedules_group() -> None:
    """Have approved workflows run by themselves, at the moments of a cron expression."""


@schedules_group.command("add")
@click.argument("name")
@click.argument("workflow", shell_complete=complete("workflow"))
@click.argument("inputs", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--cron", required=True, help="Minute hour day month weekday, for example '30 2 * * 1-5'.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of these: Europe/Oslo, …")
@click.option("--target", shell_complete=complete("target"), help="The device to act on, where there are several.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="On all targets that have it.")
@common
def schedules_add(
    db: str | None, as_json: bool, inputs: tuple[str, ...], labels: tuple[str, ...], **given: Any
) -> None:
    """Run WORKFLOW by itself, as NAME, while a server serves."""
    pairs = parsed_labels(labels, given["target"]) if labels else {}
    known = {"workflow_id": given.pop("workflow"), "created_by": "", "next_at": ""}
    wish = Schedule(labels=pairs, inputs=parsed_inputs(inputs), **known, **given)
    _show(asyncio.run(_add(db, wish)), as_json=as_json)


async def _add(db: str | None, wish: Schedule) -> Schedule:
    from runtime.background.scheduling import scheduled_risks
    from runtime.caller import Caller
    from runtime.service import ServiceOptions, open_service

    settings = Settings.read(os.environ)
    async with open_service(existing(db), options=ServiceOptions(scheduled=scheduled_risks(settings))) as service:
        return await service.scheduler.add(wish, Caller(actor_here(), "operator"))


@schedules_group.command("list")
@common
def schedules_list(db: str | None, as_json: bool) -> None:
    """List schedules with their next moment and what came of the last."""
    rows = [each.to_json() for each in with_database(db, lambda d: ScheduleStore(d).list_schedules())]
    if as_json:
        shown.as_json({"schedules": rows})
    else:
        shown.table(rows, LISTED)


@schedules_group.command("pause")
@click.argument("name")
@common
def schedules_pause(name: str, db: str | None, as_json: bool) -> None:
    """Fire it no more until it is resumed."""
    _show(with_database(db, lambda d: _set_paused(d, name, is_paused=True)), as_json=as_json)


@schedules_group.command("resume")
@click.argument("name")
@common
def schedules_resume(name: str, db: str | None, as_json: bool) -> None:
    """Go on with the next moment from now."""
    _show(with_database(db, lambda d: _set_paused(d, name, is_paused=False)), as_json=as_json)


@schedules_group.command("remove")
@click.argument("name")
@common
def schedules_remove(name: str, db: str | None, as_json: bool) -> None:
    """Forget it; its runs and the audit stay."""
    with_database(db, lambda d: ScheduleStore(d).remove(name, actor=actor_here()))
    if as_json:
        shown.as_json({"removed": name})


async def _set_paused(database: Database, name: str, *, is_paused: bool) -> Schedule:
    from runtime.background.cron import next_moment

    store = ScheduleStore(database)
    found = await store.get(name)
    next_at = None if is_paused else next_moment(found.cron, found.zone, utc_now())
    await store.set_paused(name, next_at, actor=actor_here())
    return await store.get(name)


def _show(schedule: Schedule, *, as_json: bool) -> None:
    if as_json:
        shown.as_json(schedule.to_json())
    else:
        shown.fields(schedule.to_json())
