"""The commands `switchgear api search, describe, submit, call`: what is known of APIs, and one operation alone.

Whoever has the command line has the database, and sees all of it; to call an operation alone the policy has to name
`cli` all the same. Standard output is data. Here never lives a search (`runtime.knowledge`) or a right
(`runtime.raw_calls`).
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from governance.commands import shown
from governance.commands.completing import complete
from governance.commands.options import actor_here, common, existing
from governance.errors import InvalidError
from governance.people.scopes import WHOLE
from governance.settings import Settings

if TYPE_CHECKING:
    from runtime.service import Service

Json = Any
api_name = click.option("--api", shell_complete=complete("api"), help="Of this API alone.")


@click.group("api")
def api_group() -> None:
    """Look up what the compiled APIs can do: operations, fields, values, which workflows do it; call one alone."""


@api_group.command("search")
@click.argument("words", nargs=-1, required=True)
@api_name
@common
def api_search(words: tuple[str, ...], api: str | None, db: str | None, as_json: bool) -> None:
    """Find operations by what is to be done, to what."""
    told = _asked(db, lambda service: service.knowledge.search(" ".join(words), WHOLE, api=api))
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
    told = _asked(db, lambda service: service.knowledge.describe(operation, WHOLE, api=api))
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


@api_group.command("submit")
@click.argument("operation")
@api_name
@common
def api_submit(operation: str, api: str | None, db: str | None, as_json: bool) -> None:
    """Have an operation wait for approval, to be called alone by those whom the policy names."""

    async def submit(service: "Service") -> Json:
        from runtime.caller import Caller

        return (await service.raw.submit(operation, api, Caller(actor_here(), "admin"))).summary()

    told = _asked(db, submit)
    if as_json:
        shown.as_json(told)
        return
    shown.fields(told)
    exact = f"{told['workflow_id']}@{told['number']}"
    shown.note(f"Next: switchgear workflows show {exact}, then switchgear workflows approve {exact}")


@api_group.command("call")
@click.argument("operation")
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--body", help="The body, JSON; @FILE reads it from a file.")
@api_name
@click.option("--target", shell_complete=complete("target"), help="The device to act on, where there are several.")
@click.option("--plan", "is_plan", is_flag=True, help="Change nothing; show the request that would be sent.")
@click.option("--plan-id", default="", help="Carry out this plan, given the same inputs.")
@click.option("--yes", "is_confirmed", is_flag=True, help="Do not ask before something is interrupted or destroyed.")
@common
def api_call(
    operation: str, arguments: tuple[str, ...], body: str | None, api: str | None, target: str | None, is_plan: bool,
    plan_id: str, is_confirmed: bool, db: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Call one operation alone, without a workflow, and print what came back."""
    from runtime.call_options import CallOptions
    from runtime.commands.calling import ask_on_terminal, call_operation, printed
    from runtime.commands.ending import run_to_its_end

    options = CallOptions(is_plan, plan_id, is_confirmed)
    ask = ask_on_terminal if sys.stdin.isatty() and not as_json else None
    sent = None if body is None else _body(body)
    settings = Settings.read(os.environ)
    report = run_to_its_end(call_operation(settings, db, operation, api, arguments, sent, target, options, ask))
    return printed(report, options, is_json=as_json)


def _body(text: str) -> Json:
    """Raises InvalidError."""
    try:
        return json.loads(Path(text[1:]).read_text() if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise InvalidError(f"--body is no JSON: {error}", "give JSON, or @FILE") from error


def _asked(db: str | None, ask: "Callable[[Service], Awaitable[Json]]") -> Json:
    async def answer() -> Json:
        from runtime.service import open_service

        async with open_service(existing(db)) as service:
            return await ask(service)

    return asyncio.run(answer())
