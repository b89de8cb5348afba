"""The commands `switchgear users add|list|change|disable|enable|password`: people, and the names they are known under.

Each parses, calls one store, prints. A password comes from the terminal, unseen and twice, or from a file or standard
input (`--password-file`, `-`); never from an argument, which others on the machine could read. docs/ACCESS.md.
Here never lives a rule of what a password is (`passwords`).
"""

import sys
from pathlib import Path
from typing import Any

import click

from governance.commands import shown
from governance.commands.options import actor_here, common, scope_of, scope_options, with_database
from governance.people.passwords import check_password, read_password
from governance.people.user_rows import User
from governance.people.users import UserStore
from governance.transitions import ROLES, Role

LISTED = ("name", "role", "scope", "also", "has_password", "created_at", "disabled_at")
ALSO = click.option(
    "--also", multiple=True, metavar="NAME", help="The same person: a token's name, cli:NAME or jwt:SUBJECT."
)
FILE = click.option("--password-file", metavar="FILE", help="Its first line is the password; - for standard input.")


@click.group("users")
def users_group() -> None:
    """Keep people with passwords, and who is who."""


@users_group.command("add")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), required=True, help="What they may do; each may what those before may."
)
@ALSO
@FILE
@click.option("--no-password", is_flag=True, help="They log in nowhere here: known by tokens or a company's login.")
@scope_options
@common
def users_add(
    name: str, role: Role, also: tuple[str, ...], password_file: str | None, no_password: bool, db: str | None,
    as_json: bool, **named: Any,
) -> None:  # fmt: skip
    """Add a user. Options that limit may be given several times."""
    password = None if no_password else _password(name, password_file)
    more: dict[str, Any] = {"password": password, "scope": scope_of(named), "also": also, "actor": actor_here()}
    _show(with_database(db, lambda d: UserStore(d).add(name, role, **more), makes=True), as_json)


@users_group.command("list")
@common
def users_list(db: str | None, as_json: bool) -> int:
    """List users; ends with 1 when one is not as the audit says."""
    survey = with_database(db, lambda d: UserStore(d).survey())
    rows = [user.to_json() for user in survey.users]
    return shown.held("users", rows, LISTED, survey.faults, as_json=as_json)


@users_group.command("change")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), help="Another role.")
@ALSO
@scope_options
@common
def users_change(
    name: str, role: Role | None, also: tuple[str, ...], db: str | None, as_json: bool, **named: Any
) -> None:
    """Change a user. What is not given stays; --also and what limits replace all there was of it."""
    scope = scope_of(named) if any(named.values()) else None
    _show(
        with_database(
            db, lambda d: UserStore(d).change(name, role=role, scope=scope, also=also or None, actor=actor_here())
        ),
        as_json,
    )


@users_group.command("disable")
@click.argument("name")
@common
def users_disable(name: str, db: str | None, as_json: bool) -> None:
    """Keep a user out at once: sessions, tokens and a company's login under any of their names."""
    _show(with_database(db, lambda d: UserStore(d).disable(name, actor=actor_here())), as_json)


@users_group.command("enable")
@click.argument("name")
@common
def users_enable(name: str, db: str | None, as_json: bool) -> None:
    """Let a disabled user in again."""
    _show(with_database(db, lambda d: UserStore(d).enable(name, actor=actor_here())), as_json)


@users_group.command("password")
@click.argument("name")
@FILE
@common
def users_password(name: str, password_file: str | None, db: str | None, as_json: bool) -> None:
    """Give a user another password; all their sessions end."""
    password = _password(name, password_file)
    _show(with_database(db, lambda d: UserStore(d).set_password(name, password, actor=actor_here())), as_json)


def _password(name: str, file: str | None) -> str:
    """What was given in a file, or is typed now. Raises InvalidError, UsageError."""
    if file == "-":
        password = sys.stdin.readline().rstrip("\r\n")
    elif file is not None:
        password = read_password(Path(file))
    elif sys.stdin.isatty():
        password = click.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise click.UsageError("nobody is there to type a password: give --password-file FILE, or - for standard input")
    check_password(password, name)
    return str(password)


def _show(user: User, as_json: bool) -> None:
    if as_json:
        shown.as_json(user.to_json())
    else:
        shown.fields(user.to_json())
