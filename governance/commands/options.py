"""What the commands of all rooms that use the database have in common: options, the open database, who it is.

`--db` wins over SWITCHGEAR_DATABASE_URL. Whoever may write the database decides here as `cli:<user>` with every role:
the roles of tokens guard the server. Here never lives a command.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from governance.accounts import account
from governance.errors import NotFoundError
from governance.names import explained
from governance.people.scopes import AccessScope
from governance.settings import Settings
from governance.storage.connections import require_file
from governance.storage.database import Database, open_database
from workflow.risks import RISKS

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def common(command: F) -> F:
    """The options that every command takes."""
    address = click.option("--db", metavar="URL", help="The database; default: SWITCHGEAR_DATABASE_URL.")
    return address(click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command))


def with_database(db: str | None, work: Callable[[Database], Awaitable[T]], *, makes: bool = False) -> T:
    """What `work` gives. `makes`: a file that is not there is made, for commands that put something into it.

    Raises NotFoundError for one that is not there, and with what is near for a name that is not.
    """

    async def opened() -> T:
        async with open_database(address_of(db) if makes else existing(db)) as database:
            try:
                return await work(database)
            except NotFoundError as error:
                raise await explained(database, error) from error

    return asyncio.run(opened())


def address_of(db: str | None) -> str:
    return db or Settings.read(os.environ).database


def existing(db: str | None) -> str:
    """The address of a database that is there already: who only looks makes none. Raises NotFoundError."""
    address = address_of(db)
    require_file(address)
    return address


def scope_options(command: F) -> F:
    """What limits a token or a user to a part; `scope_of` makes a scope of what was given."""
    options = (
        click.option("--api", "apis", multiple=True, help="Only workflows of this API."),
        click.option("--risk", "risks", multiple=True, type=click.Choice(RISKS), help="Only this class."),
        click.option(
            "--workflow", "workflows", multiple=True, help="Only this workflow; START* for all that begin so."
        ),
        click.option("--target", "targets", multiple=True, help="Only on this target."),
        click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Only on targets with this label."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def scope_of(named: dict[str, Any]) -> AccessScope:
    """The scope that the options say. Raises InvalidError."""
    pairs = {label.partition("=")[0]: label.partition("=")[2] for label in named["labels"]}
    return AccessScope.from_json({**named, "labels": pairs})


def actor_here() -> str:
    """Who decides on this command line."""
    return f"cli:{account()}"
