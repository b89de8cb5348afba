"""The commands `switchgear init` and `switchgear db upgrade|mend|adopt`: a database that is ready, and its first token.

Each parses, calls one function, prints. Here never lives a statement: `governance.storage.schema` and the stores have
them.
"""

import click

from governance.audit.place import PlaceStore
from governance.commands import shown
from governance.commands.options import actor_here, address_of, common, with_database
from governance.errors import ConflictError
from governance.integrity.survey import altered_objects, mended
from governance.people.principals import PrincipalStore
from governance.storage import schema
from governance.storage.connections import parse_url
from governance.storage.database import Database
from governance.storage.identifiers import Json


@click.command("init")
@common
def init_command(db: str | None, as_json: bool) -> None:
    """Make the database ready and give the first token, shown this once."""
    schema.upgrade(address_of(db))
    made = with_database(db, _first_token, makes=True)
    where = parse_url(address_of(db)).render_as_string(hide_password=True)
    if as_json:
        shown.as_json({"database": where, "principal": made and made[0], "token": made and made[1]})
        return
    shown.note(f"Database: {where}")
    shown.note(
        "Token of the administrator, shown this once:" if made else "There are tokens already: `switchgear tokens`"
    )
    if made:
        click.echo(made[1])


async def _first_token(database: Database) -> tuple[Json, str] | None:
    store = PrincipalStore(database)
    if await store.any_tokens():
        return None
    try:
        principal, secret = await store.create_token("admin", "admin", actor=actor_here())
    except ConflictError:  # somebody else sets up at the same moment, and has shown it
        return None
    return principal.to_json(), secret


@click.group("db")
def db_group() -> None:
    """Bring the database up to date, or put back what was changed in it."""


@db_group.command("upgrade")
@common
def db_upgrade(db: str | None, as_json: bool) -> None:
    """Bring the database to the schema that this version needs."""
    before = schema.upgrade(address_of(db))
    if as_json:
        shown.as_json({"before": before or None, "now": schema.HEAD})
    else:
        click.echo(f"schema {schema.HEAD}, before: {before or 'none'}")


@db_group.command("mend")
@common
def db_mend(db: str | None, as_json: bool) -> int:
    """Put triggers and indexes back as they were made; ends with 1 where something is left that only a backup mends."""
    done, left = with_database(db, _mended)
    if as_json:
        shown.as_json({"mended": done, "left": left})
    else:
        for each in (*(f"mended: {one}" for one in done), *(f"left: {one}" for one in left)):
            click.echo(each)
        click.echo(f"{len(done)} put back" if done or left else "all is as it was made")
    return 1 if left else 0


@db_group.command("adopt")
@common
def db_adopt(db: str | None, as_json: bool) -> None:
    """Say that a copied or restored database is the installation from now on; runs open in it are closed."""
    was_elsewhere = with_database(db, _adopted)
    if as_json:
        shown.as_json({"adopted": was_elsewhere})
    else:
        click.echo("this is the installation from now on" if was_elsewhere else "it is where it was served before")


async def _adopted(database: Database) -> bool:
    return await PlaceStore(database).adopt(actor_here())


async def _mended(database: Database) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return await mended(database, actor=actor_here()), await altered_objects(database)
