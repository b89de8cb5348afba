"""The commands `switchgear tokens create|list|revoke`: who may speak to the server, and how far they reach.

Each parses, calls one store, prints. A secret is shown once, when it is made. Here never lives a rule or a statement.
"""

from typing import Any

import click

from governance.commands import shown
from governance.commands.options import actor_here, common, scope_of, scope_options, with_database
from governance.people.principals import PrincipalStore
from governance.transitions import ROLES, Role


@click.group("tokens")
def tokens_group() -> None:
    """Say who may speak to the server."""


@tokens_group.command("create")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), required=True, help="What they may do; each may what those before may."
)
@click.option("--days", type=click.IntRange(1), help="How long it is valid; default: until revoked.")
@scope_options
@common
def tokens_create(name: str, role: Role, days: int | None, db: str | None, as_json: bool, **named: Any) -> None:
    """Make a token and show it, this once. Options that limit may be given several times."""
    ttl_s, scope = None if days is None else days * 86_400, scope_of(named)
    principal, secret = with_database(
        db,
        lambda d: PrincipalStore(d).create_token(name, role, scope=scope, ttl_s=ttl_s, actor=actor_here()),
        makes=True,
    )
    if as_json:
        shown.as_json({"principal": principal.to_json(), "token": secret})
    else:
        shown.note(f"Token of {name} ({role}), shown this once:")
        click.echo(secret)


@tokens_group.command("list")
@common
def tokens_list(db: str | None, as_json: bool) -> int:
    """List whose tokens there are and were; ends with 1 when one is not as the audit says."""
    survey = with_database(db, lambda d: PrincipalStore(d).survey())
    rows = [principal.to_json() for principal in survey.principals]
    columns = ("id", "name", "role", "scope", "created_at", "expires_at", "revoked_at")
    return shown.held("tokens", rows, columns, survey.faults, as_json=as_json)


@tokens_group.command("revoke")
@click.argument("ref")
@common
def tokens_revoke(ref: str, db: str | None, as_json: bool) -> None:
    """End the token with this id or of this name, at once."""
    principal = with_database(db, lambda d: PrincipalStore(d).revoke(ref, actor=actor_here()))
    if as_json:
        shown.as_json(principal.to_json())
    else:
        shown.fields(principal.to_json())
