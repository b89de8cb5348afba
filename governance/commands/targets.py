"""The commands about targets that need the database alone: add, list, remove, apply, export.

`targets test` asks the device and is the runtime's (`runtime.commands.target_test`). Each parses, calls one
store, prints, and answers its exit code. Here never lives a rule or a statement.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from governance.commands import shown
from governance.commands.completing import complete
from governance.commands.options import actor_here, common, with_database
from governance.errors import InvalidError
from governance.names import check_api
from governance.registry.inventory import read_inventory, written
from governance.registry.responses import POLICIES
from governance.registry.targets import MODES, Mode, Target, TargetLimits, TargetStore
from governance.storage.database import Database

Labels = tuple[tuple[str, str], ...]
label = click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="May be given several times.")


def _labels(pairs: tuple[str, ...]) -> Labels:
    """Raises InvalidError for what is not NAME=VALUE."""
    if not all("=" in pair for pair in pairs):
        raise InvalidError("a label is NAME=VALUE", "for example --label site=oslo")
    return tuple((name, value) for name, _, value in (pair.partition("=") for pair in pairs))


@click.group("targets")
def targets_group() -> None:
    """Keep the devices and mocks that workflows may be run on."""


@targets_group.command("add")
@click.argument("name")
@click.option("--api", required=True, shell_complete=complete("api"), help="The API that it speaks.")
@click.option("--url", "base_url", required=True, help="https://HOST[:PORT][/PATH]")
@click.option("--mode", type=click.Choice(MODES), default="live", show_default=True, help="What answers there.")
@click.option("--username-ref", help="env:NAME, file:/path or keyring:service/name.")
@click.option("--password-ref", help="Likewise.")
@click.option("--token-ref", help="Likewise.")
@click.option("--tls", default="verify", show_default=True, help="verify, ca:/path or pin:<sha256>.")
@click.option(
    "--responses", type=click.Choice(POLICIES), help="Of replies that are not as described; else as the setting says."
)
@click.option("--default", "is_default", is_flag=True, help="Calls that name no target go here.")
@label
@click.option("--connections", type=click.IntRange(1), help="How many it takes at a time; else as the profile says.")
@click.option("--requests-per-s", type=click.FloatRange(0, min_open=True), help="Likewise.")
@common
def targets_add(db: str | None, as_json: bool, mode: Mode, labels: tuple[str, ...], **given: Any) -> None:
    """Add a target; the first one of an API becomes its default."""
    limits = TargetLimits(given.pop("connections"), given.pop("requests_per_s"))
    given["responses"] = given["responses"] or ""
    target = Target(mode=mode, labels=_labels(labels), limits=limits, **given)
    added = with_database(db, lambda d: _added(d, target), makes=True)
    if as_json:
        shown.as_json(added.to_json())
    else:
        shown.fields(added.to_json())


async def _added(database: Database, target: Target) -> Target:
    await check_api(database, target.api)
    return await TargetStore(database).add(target, actor=actor_here())


async def _applied(database: Database, wanted: Sequence[Target], prune: bool) -> Mapping[str, str]:
    for api in sorted({each.api for each in wanted}):
        await check_api(database, api)
    return await TargetStore(database).apply(wanted, prune=prune, actor=actor_here())


@targets_group.command("list")
@click.option("--api", help="Only this API's.")
@label
@common
def targets_list(api: str | None, labels: tuple[str, ...], db: str | None, as_json: bool) -> None:
    """List targets; with --label only those that have them all."""
    wanted = _labels(labels)
    found = with_database(db, lambda d: TargetStore(d).list_targets(api))
    rows = [target.to_json() for target in found if target.has_labels(wanted)]
    if as_json:
        shown.as_json({"targets": rows})
    else:
        shown.table(rows, ("name", "api", "mode", "base_url", "tls", "is_default", "labels"))


@targets_group.command("remove")
@click.argument("name", shell_complete=complete("target"))
@common
def targets_remove(name: str, db: str | None, as_json: bool) -> None:
    """Remove a target."""
    with_database(db, lambda d: TargetStore(d).remove(name, actor=actor_here()))
    if as_json:
        shown.as_json({"removed": name})


@targets_group.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--prune", is_flag=True, help="Remove targets that the file does not name.")
@common
def targets_apply(file: Path, prune: bool, db: str | None, as_json: bool) -> None:
    """Make the inventory hold what FILE (YAML) says: all of it, or none when something in it is wrong."""
    wanted = read_inventory(file)
    done = with_database(db, lambda d: _applied(d, wanted, prune), makes=True)
    if as_json:
        shown.as_json({"targets": done})
    else:
        shown.table([{"name": name, "what": what} for name, what in done.items()], ("name", "what"))


@targets_group.command("export")
@click.option("--api", help="Only this API's.")
@common
def targets_export(api: str | None, db: str | None, as_json: bool) -> None:
    """Print the inventory as a file for `targets apply`; it holds references and no secret."""
    found = with_database(db, lambda d: TargetStore(d).list_targets(api))
    if as_json:
        shown.as_json({"targets": [target.to_json() for target in found]})
    else:
        click.echo(written(found), nl=False)
