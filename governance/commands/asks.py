"""The commands `switchgear asks list|show|let-through|refuse`: calls that wait for a person, by the policy's `ask`.

Each parses, calls one store, prints. Who lets a call through here is the system's account, and the policy may say that
a command line does not. Here never lives a rule (`governance.runs.asks`). Called by `switchgear/main.py`.
"""

import click

from governance.commands import shown
from governance.commands.options import actor_here, common, with_database
from governance.runs.asks import Answer, AskStore
from governance.runs.runs import RunStore
from governance.storage.database import Database
from governance.storage.identifiers import Json

COLUMNS = ("id", "workflow_id", "target", "caller", "state", "expires_at")


@click.group("asks")
def asks_group() -> None:
    """Answer calls that wait for a person."""


@asks_group.command("list")
@common
def asks_list(db: str | None, as_json: bool) -> None:
    """List the calls of the last days that asked, newest first."""
    rows = [each.to_json() for each in with_database(db, lambda d: AskStore(d).recent())]
    if as_json:
        shown.as_json({"asks": rows})
    else:
        shown.table(rows, COLUMNS)


@asks_group.command("show")
@click.argument("ask")
@common
def asks_show(ask: str, db: str | None, as_json: bool) -> None:
    """Show one call with the requests that it would send. ASK is the id of its plan."""
    told = with_database(db, lambda d: _with_plan(d, ask))
    if as_json:
        shown.as_json(told)
        return
    shown.fields({name: value for name, value in told.items() if name != "plan"})
    for change in (told["plan"] or {}).get("changes", ()):
        click.echo(shown.plain(f"{change.get('method')} {change.get('address')}"))
        if "body" in change:
            click.echo(shown.plain(f"  {shown.plain(change['body'])}"))


@asks_group.command("let-through")
@click.argument("ask")
@click.option("--reason", default="", help="Why.")
@common
def asks_let_through(ask: str, reason: str, db: str | None, as_json: bool) -> None:
    """Let a call through, once, as it was planned; its caller makes it again."""
    _answer("let through", ask, reason, db, as_json=as_json)


@asks_group.command("refuse")
@click.argument("ask")
@click.option("--reason", default="", help="Why; its caller is told.")
@common
def asks_refuse(ask: str, reason: str, db: str | None, as_json: bool) -> None:
    """Refuse a call for good; --reason says why, and its caller is told."""
    _answer("refuse", ask, reason, db, as_json=as_json)


def _answer(answer: Answer, ask: str, reason: str, db: str | None, *, as_json: bool) -> None:
    done = with_database(
        db, lambda d: AskStore(d).answer(ask, answer, actor=actor_here(), role="admin", reason=reason)
    ).to_json()
    if as_json:
        shown.as_json(done)
    else:
        shown.table([done], COLUMNS)


async def _with_plan(database: Database, ask: str) -> dict[str, Json]:
    found = await AskStore(database).get(ask)
    return {**found.to_json(), "plan": (await RunStore(database).get(found.run_id)).outputs}
