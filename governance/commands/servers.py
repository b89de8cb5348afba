"""Commands about MCP servers that need the database alone: add, list, show, enable, disable, remove, import,
export.

`servers test`, `sync` and `classify` ask the server, or make revisions of what it said, and are the runtime's
(`runtime.commands.servers`). Each parses, calls one store, prints. Here never lives a rule or a statement.
"""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from governance.approval.disabling import DisabledStore
from governance.approval.revisions import Revision, RevisionStore
from governance.commands import shown
from governance.commands.options import actor_here, common, with_database
from governance.errors import InvalidError, NotFoundError
from governance.registry.server_files import FORMS, Form, read_servers, server_target, written_servers
from governance.registry.servers import TRANSPORTS, Server, Transport, check_server, pairs
from governance.registry.targets import Target, TargetLimits, TargetStore
from governance.storage.database import Database

Json = Any


@click.group("servers")
def servers_group() -> None:
    """Keep MCP servers of others, whose tools are approved and called like workflows."""


def _pairs(what: str, given: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    if not all("=" in each for each in given):
        raise InvalidError(f"{what} is NAME=REFERENCE", "for example TOKEN=env:TOKEN")
    return pairs({name: value for name, _, value in (each.partition("=") for each in given)})


def _given(
    transport: Transport | None, url: str, command: tuple[str, ...], env: tuple[str, ...], headers: tuple[str, ...],
    **_: Any,
) -> Server:  # fmt: skip
    kind = transport or ("http" if url else "stdio")
    return Server(kind, "".join(command[:1]), command[1:], _pairs("--env", env), url, _pairs("--header", headers))


@servers_group.command("add")
@click.argument("name")
@click.option("--transport", type=click.Choice(TRANSPORTS), help="Default: http with --url, else stdio.")
@click.option("--url", default="", help="Of its MCP endpoint.")
@click.option("--header", "headers", multiple=True, metavar="NAME=REFERENCE", help="`Bearer env:TOKEN` is one, too.")
@click.option("--env", multiple=True, metavar="NAME=REFERENCE", help="A variable for the command.")
@click.option("--tls", default="verify", show_default=True, help="verify, ca:/path or pin:<sha256>.")
@click.option("--timeout-s", type=click.FloatRange(0, min_open=True), help="What one call may take.")
@click.option("--connections", type=click.IntRange(1), help="How many calls at a time.")
@click.argument("command", nargs=-1)
@common
def servers_add(name: str, db: str | None, as_json: bool, **given: Any) -> None:
    """Add a server: by --url, or by the command that starts it (behind --). Nothing is started yet."""
    server = _given(**given)
    check_server(name, server)
    limits = TargetLimits(given["connections"], total_timeout_s=given["timeout_s"])
    target = server_target(name, server, tls=given["tls"], limits=limits)
    added = with_database(db, lambda d: TargetStore(d).add(target, actor=actor_here()), makes=True)
    _show(_told(added), as_json=as_json)
    shown.note(f"Next: switchgear servers sync {name}, then approve what it has (workflows list --state pending)")


@servers_group.command("list")
@common
def servers_list(db: str | None, as_json: bool) -> None:
    """List the servers."""
    rows = [_told(target) for target in with_database(db, _servers)]
    if as_json:
        shown.as_json({"servers": rows})
    else:
        shown.table([{**row, "reached": _reached(row)} for row in rows], ("name", "transport", "reached", "is_enabled"))


@servers_group.command("show")
@click.argument("name")
@common
def servers_show(name: str, db: str | None, as_json: bool) -> None:
    """Show a server and what is known of its tools."""

    async def work(database: Database) -> tuple[Target, tuple[Revision, ...]]:
        target = await _server(database, name)
        return target, await RevisionStore(database).find(api=target.api, limit=10_000)

    target, revisions = with_database(db, work)
    newest = {each.workflow_id: each for each in revisions}
    tools = [{"workflow": w, "number": r.number, "state": r.state, "risk": r.risk} for w, r in sorted(newest.items())]
    if as_json:
        shown.as_json({**_told(target), "tools": tools})
    else:
        shown.fields(_told(target))
        shown.table(tools, ("workflow", "number", "state", "risk"))


def _switched(name: str, db: str | None, *, is_enabled: bool) -> Target:
    async def work(database: Database) -> Target:
        seen = await _server(database, name)
        assert seen.server is not None
        wanted = replace(seen, server=replace(seen.server, is_enabled=is_enabled))
        return await TargetStore(database).replace(seen, wanted, actor=actor_here())

    return with_database(db, work)


@servers_group.command("disable")
@click.argument("name")
@click.option("--tool", "workflow", default="", help="Only this tool, by its workflow.")
@click.option("--reason", default="switched off", show_default=True, help="Why, for a tool.")
@common
def servers_disable(name: str, workflow: str, reason: str, db: str | None, as_json: bool) -> None:
    """Let no call go to a server, or to one of its tools, until it is enabled."""
    if workflow:
        with_database(db, lambda d: DisabledStore(d).disable(workflow, actor=actor_here(), reason=reason))
    _show(_told(_switched(name, db, is_enabled=False)) if not workflow else {"disabled": workflow}, as_json=as_json)


@servers_group.command("enable")
@click.argument("name")
@click.option("--tool", "workflow", default="", help="Only this tool, by its workflow.")
@common
def servers_enable(name: str, workflow: str, db: str | None, as_json: bool) -> None:
    """Let calls go to a server, or to one of its tools, again."""
    if workflow:
        with_database(db, lambda d: DisabledStore(d).enable(workflow, actor=actor_here()))
    _show(_told(_switched(name, db, is_enabled=True)) if not workflow else {"enabled": workflow}, as_json=as_json)


@servers_group.command("remove")
@click.argument("name")
@common
def servers_remove(name: str, db: str | None, as_json: bool) -> None:
    """Forget a server. What was approved of it stays approved, and cannot be run without it."""

    async def work(database: Database) -> None:
        seen = await _server(database, name)
        await TargetStore(database).remove(name, actor=actor_here(), seen=seen)

    with_database(db, work)
    _show({"removed": name}, as_json=as_json)


@servers_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common
def servers_import(file: Path, db: str | None, as_json: bool) -> None:
    """Take over a list of servers of Claude, VS Code, Cursor or Switchgear: all of it, or none."""
    reading = read_servers(file.read_text("utf-8"))
    done = with_database(db, lambda d: TargetStore(d).apply(reading.targets, actor=actor_here()), makes=True)
    if as_json:
        shown.as_json({"servers": done, "notes": reading.notes})
        return
    shown.table([{"name": name, "what": what} for name, what in done.items()], ("name", "what"))
    for each in reading.notes:
        shown.note(each)


@servers_group.command("export")
@click.option("--form", type=click.Choice(FORMS), default="switchgear", show_default=True, help="Whose.")
@common
def servers_export(form: Form, db: str | None, as_json: bool) -> None:  # noqa: ARG001  it is JSON in any case
    """Print the servers as a client keeps them; there are references in it and no secret."""
    click.echo(json.dumps(written_servers(with_database(db, _servers), form), indent=2))


async def _servers(database: Database) -> list[Target]:
    return [target for target in await TargetStore(database).list_targets() if target.server is not None]


async def _server(database: Database, name: str) -> Target:
    """Raises NotFoundError for what is no server."""
    with suppress(NotFoundError):
        target = await TargetStore(database).get(name)
        if target.server is not None:
            return target
    raise NotFoundError(f"there is no server {name}", "see `switchgear servers list`", kind="server", name=name)


def _told(target: Target) -> dict[str, Json]:
    assert target.server is not None
    return {"name": target.name, **target.server.to_json(), "tls": target.tls, "limits": target.limits.to_json()}


def _reached(row: dict[str, Json]) -> str:
    if row["transport"] == "site":
        return "it comes by itself" if row["key"] else f"invited until {row['invited_until']}"
    return str(row.get("url") or " ".join([row["command"], *row["arguments"]]))


def _show(told: dict[str, Json], *, as_json: bool) -> None:
    if as_json:
        shown.as_json(told)
    else:
        shown.fields(told)
