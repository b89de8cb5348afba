"""Which schema the database has, and bringing it to the one that this version needs.

The migrations ship as the package `migrations`. Alembic is imported only when there is something to migrate: opening
an up-to-date database costs one query. A new SQLite file is migrated on first use; for anything else a person runs
`switchgear db upgrade`, because somebody else's database is not changed by surprise.
Here never lives a table's shape.
"""

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, select, text

from governance.errors import OutdatedError
from governance.storage.connections import FOREIGN, create_file, is_sqlite, migration_engine, parse_url, translate
from governance.storage.models import METADATA

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0024"
"""The newest migration; a test compares it with what the folder says."""

UPGRADE = "run `switchgear db upgrade` with the same --db, after a backup"

RESTORE = "restore the backup that was made before the upgrade"


def ensure(engine: Engine, address: str) -> None:
    """Returns when the schema is the one we need. Raises OutdatedError, or UnavailableError if it cannot be read."""
    try:
        with engine.connect() as connection:
            found, is_empty = _found(connection)
        if found is None and is_empty and is_sqlite(parse_url(address)):
            upgrade(address)
            return
    except FOREIGN as error:
        raise translate(error) from error
    if found is None:
        raise OutdatedError("the database has no tables of Switchgear", UPGRADE)
    _check_known(found)
    if found != HEAD:
        raise OutdatedError(f"the database has schema {found}, this version needs {HEAD}", UPGRADE)


def upgrade(address: str) -> str:
    """Brings the database to HEAD in one transaction and answers the schema that it had before, or "".

    Raises OutdatedError for a schema that this version does not know: nothing is done to it then. Safe when several
    processes do it at once: the second finds nothing left to do.
    """
    url = parse_url(address)
    if is_sqlite(url):
        create_file(url)
    engine = migration_engine(url)
    try:
        with engine.begin() as connection:
            return _migrate(connection)
    except FOREIGN as error:
        raise translate(error) from error
    finally:
        engine.dispose()


def knows(level: str) -> bool:
    """Whether this version has the migration `level`: what comes from a newer one cannot be judged here."""
    from alembic.script import ScriptDirectory

    return level in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _migrate(connection: Connection) -> str:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7306366)"))
    found, _ = _found(connection)
    if found is None:
        _check_free(connection)
    else:
        _check_known(found)
    if found != HEAD:
        _run_alembic(connection)
    return found or ""


def _check_free(connection: Connection) -> None:
    """Raises OutdatedError where somebody else has a table that is called as one of ours."""
    taken = sorted(METADATA.tables.keys() & set(inspect(connection).get_table_names()))
    if taken:
        message = f"the database has a table {taken[0]} that is not Switchgear's"
        raise OutdatedError(message, "give --db a database, or on PostgreSQL a schema, of its own; nothing was changed")


def _check_known(found: str) -> None:
    """Raises OutdatedError for a schema that no upgrade of this version begins at or ends with."""
    if not (found.isascii() and found.isdecimal()) or len(found) != len(HEAD) or int(found) == 0:
        raise OutdatedError(
            f"the database says that it has schema {found}, which no version of Switchgear has", RESTORE
        )
    if found > HEAD:
        message = f"the database was brought to schema {found} by a newer Switchgear; this version knows {HEAD} at most"
        raise OutdatedError(message, f"use that newer version, or {RESTORE}")


def _found(connection: Connection) -> tuple[str | None, bool]:
    """The schema's version, if it ever had one, and whether the database holds no tables at all.

    No row, or several, say a version that nobody knows: migrations end with one.
    """
    names = inspect(connection).get_table_names()
    if "alembic_version" not in names:
        return None, not names
    versions = connection.execute(select(text("version_num")).select_from(text("alembic_version"))).scalars()
    return ", ".join(sorted(map(str, versions))), False


def _run_alembic(connection: Connection) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
