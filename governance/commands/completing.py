"""What a shell completes: names of workflows, targets, runs and APIs, out of the database that the command would use.

Called by click while somebody types: it says nothing where anything is wrong, makes no database and waits for none.
Files and options are the shell's and click's own business.
"""

import asyncio
from collections.abc import Callable

import click

from governance.errors import GovernanceError

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def complete(kind: str) -> Complete:
    """The names of this kind (`governance.names`) that begin with what was typed."""

    def names(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        try:
            return [name for name in _names(context.params.get("db"), kind) if name.startswith(begun)]
        except (GovernanceError, OSError):
            return []

    return names


def _names(db: str | None, kind: str) -> tuple[str, ...]:
    # Here and not above: who only parses a command line needs no database.
    from governance.commands.options import existing
    from governance.names import names_of
    from governance.storage.database import open_database

    async def work() -> tuple[str, ...]:
        async with open_database(existing(db)) as database:
            return await names_of(database, kind)

    return asyncio.run(work())
