"""The commands `switchgear webhooks add|list|remove`: whose signed messages may approve and reject.

Each parses, calls one store, prints. See docs/WEBHOOKS.md for what a message looks like. Here never lives a secret:
only the reference to one is given and shown.
"""

from typing import Any

import click

from governance.commands import shown
from governance.commands.options import actor_here, common, with_database
from governance.people.scopes import AccessScope
from governance.storage.database import Database
from governance.webhooks import Webhook, WebhookStore
from workflow.risks import RISKS


@click.group("webhooks")
def webhooks_group() -> None:
    """Say whose signed messages may approve and reject, and who is told of events."""


@webhooks_group.command("add")
@click.argument("name")
@click.option("--secret-ref", required=True, help="env:NAME or file:/path of its secret (whsec_…), for the server.")
@click.option("--api", "apis", multiple=True, help="It decides on this API's workflows only.")
@click.option("--risk", "risks", multiple=True, type=click.Choice(RISKS), help="On this class only.")
@click.option("--workflow", "workflows", multiple=True, help="On this workflow only; START* for all that begin so.")
@common
def webhooks_add(name: str, secret_ref: str, db: str | None, as_json: bool, **named: Any) -> None:
    """Let messages to /webhooks/NAME, signed with this secret, decide as an approver."""
    scope = AccessScope.from_json(named)
    made = with_database(
        db, lambda d: WebhookStore(d).add(name, secret_ref, scope=scope, actor=actor_here()), makes=True
    )
    if as_json:
        shown.as_json(made.to_json())
    else:
        shown.fields(made.to_json())


@webhooks_group.command("list")
@common
def webhooks_list(db: str | None, as_json: bool) -> int:
    """List them; of a secret only where it is found. Ends with 1 when one is not as the audit says."""
    found, faults = with_database(db, _survey)
    columns = ("name", "secret_ref", "scope", "created_at", "created_by")
    return shown.held("webhooks", [each.to_json() for each in found], columns, faults, as_json=as_json)


async def _survey(database: Database) -> tuple[tuple[Webhook, ...], tuple[str, ...]]:
    store = WebhookStore(database)
    return await store.list_webhooks(), await store.faults()


@webhooks_group.command("remove")
@click.argument("name")
@common
def webhooks_remove(name: str, db: str | None, as_json: bool) -> None:
    """Let nothing that it signs count from now on."""
    with_database(db, lambda d: WebhookStore(d).remove(name, actor=actor_here()))
    if as_json:
        shown.as_json({"removed": name})
