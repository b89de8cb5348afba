"""All that is not as we made it, in sentences: what `switchgear doctor` and `switchgear audit verify` tell.

Reads everything once, in one snapshot, so it takes as long as the database is big; nothing that serves waits for it.
"""

from collections.abc import Iterator

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from governance.audit.log import Event, append_entry
from governance.errors import GovernanceError
from governance.integrity import objects
from governance.integrity.declared import TABLES
from governance.storage.database import Database


async def alterations(database: Database) -> tuple[str, ...]:
    """What was changed behind our back: objects of the database, then rows by table. The chain is `AuditLog.verify`'s.

    Raises UnavailableError.
    """
    return await database.read(lambda connection: tuple(_found(connection)))


async def altered_objects(database: Database) -> tuple[str, ...]:
    """The objects alone: as quick as opening."""
    return await database.read(lambda connection: tuple(map(str, objects.differences(connection))))


async def mended(database: Database, *, actor: str) -> tuple[str, ...]:
    """Puts back the guards that were changed, with an audit row; what was done. Raises UnavailableError."""

    now = database.now()

    def work(connection: Connection) -> tuple[str, ...]:
        done = objects.mend(connection)
        if done:
            append_entry(connection, Event(now, actor, "database.mended", "database:objects", {"done": list(done)}))
        return done

    return await database.write(work)


def _found(connection: Connection) -> Iterator[str]:
    yield from map(str, objects.differences(connection))
    for table, declared in TABLES.items():
        try:
            yield from declared.faults(connection)
        except (GovernanceError, SQLAlchemyError, ValueError, TypeError, KeyError) as error:
            yield f"the table {table} cannot be read: {str(error).splitlines()[0]}"
