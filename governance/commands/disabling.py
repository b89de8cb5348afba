"""The commands `switchgear workflows disable|enable|disabled`: out of use for now, and back, without a new approval.

They stand in the group of `commands` (`switchgear.main`). As there: each parses, calls one store, prints. Here never
lives a rule (`disabling`) or a statement.
"""

import click

from governance.approval.disabling import DisabledStore
from governance.commands import shown
from governance.commands.completing import complete
from governance.commands.options import actor_here, common, with_database


@click.command("disable")
@click.argument("ref", shell_complete=complete("workflow"))
@click.option("--reason", default="", help="Why.")
@common
def disable_command(ref: str, reason: str, db: str | None, as_json: bool) -> None:
    """Take a workflow out of use until it is enabled; --reason says why. What is approved stays approved."""
    told = with_database(db, lambda d: DisabledStore(d).disable(ref, actor=actor_here(), reason=reason)).to_json()
    if as_json:
        shown.as_json(told)
    else:
        shown.fields(told)


@click.command("enable")
@click.argument("ref", shell_complete=complete("workflow"))
@common
def enable_command(ref: str, db: str | None, as_json: bool) -> None:
    """Put a disabled workflow back into use."""
    workflow_id = with_database(db, lambda d: DisabledStore(d).enable(ref, actor=actor_here()))
    if as_json:
        shown.as_json({"workflow_id": workflow_id})
    else:
        click.echo(f"{workflow_id} is in use again")


@click.command("disabled")
@common
def disabled_command(db: str | None, as_json: bool) -> None:
    """List what is taken out of use for now."""
    rows = [each.to_json() for each in with_database(db, lambda d: DisabledStore(d).list_disabled())]
    if as_json:
        shown.as_json({"workflows": rows})
    else:
        shown.table(rows, ("workflow_id", "disabled_at", "disabled_by", "reason"))
