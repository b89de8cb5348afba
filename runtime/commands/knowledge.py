"""The commands `switchgear api search, describe`: what is known of compiled APIs, without their descriptions.

Whoever has the command line has the database, and sees all of it. Standard output is data. Here never lives a search
(`runtime.knowledge`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from governance.commands import shown
from governance.commands.completing import complete
from governance.commands.options import common, existing
from governance.people.scopes import WHOLE

if TYPE_CHECKING:
    from runtime.knowledge import Knowledge

Json = Any
api_name = click.option("--api", shell_complete=complete("api"), help="Of this API alone.")


@click.group("api")
def api_group() -> None:
    """Look up what the compiled APIs can do: operations, fields, values, which workflows do it."""


@api_group.command("search")
@click.argument("words", nargs=-1, required=True)
@api_name
@common
def api_search(words: tuple[str, ...], api: str | None, db: str | None, as_json: bool) -> None:
    """Find operations by what is to be done, to what."""
    told = _asked(db, lambda knowledge: knowledge.search(" ".join(words), WHOLE, api=api))
    if as_json:
        shown.as_json(told)
        return
    for line in told["operations"]:
        reached = ", ".join(line.get("workflows", ())) or f"no workflow: {line['none_because']}"
        click.echo(f"{shown.plain(line['operation'])}  ({line['risk']})")
        click.echo(f"    {shown.plain(line['does'])}\n    {shown.plain(reached)}")
    click.echo(told.get("hint", ""), err=True, nl="hint" in told)


@api_group.command("describe")
@click.argument("operation")
@api_name
@common
def api_describe(operation: str, api: str | None, db: str | None, as_json: bool) -> None:
    """Show one operation, named METHOD /path: its fields, values, risk, workflows."""
    told = _asked(db, lambda knowledge: knowledge.describe(operation, WHOLE, api=api))
    if as_json:
        shown.as_json(told)
        return
    lists = ("takes", "tells")
    shown.fields({name: value for name, value in told.items() if name not in lists})
    for name in lists:
        click.echo(f"{name}:")
        for field in told[name]:
            values = " | ".join(str(value) for value in field.get("values", ()))
            parts = (
                field["name"],
                field.get("in", ""),
                "required" * field.get("required", False),
                field.get("type", ""),
            )
            click.echo("    " + shown.plain("  ".join(filter(None, (*parts, values, field.get("text", ""))))))


def _asked(db: str | None, ask: "Callable[[Knowledge], Awaitable[Json]]") -> Json:
    async def answer() -> Json:
        from runtime.service import open_service

        async with open_service(existing(db)) as service:
            return await ask(service.knowledge)

    return asyncio.run(answer())
