"""Alembic's entry: on the connection that `governance.storage.schema` hands in, or on the address in the settings.

The first is how the product migrates, in a transaction it owns. The second is for developers who write the next
migration: `alembic revision --autogenerate -m "…"`. Migrating without a database (SQL to a file) is not offered.
"""

import os
from typing import Any

from alembic import context
from sqlalchemy import Connection

from governance.settings import Settings
from governance.storage.connections import migration_engine, parse_url
from governance.storage.models import METADATA


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()


def _run() -> None:
    given: Any = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    engine = migration_engine(parse_url(Settings.read(os.environ).database))
    with engine.begin() as connection:
        _migrate(connection)
    engine.dispose()


_run()
