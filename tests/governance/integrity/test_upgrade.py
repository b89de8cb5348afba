"""An upgrade seals what was believed as it stood: rows of the version before count after it, and nothing is altered."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text

from governance.audit.log import GENESIS, AuditRow, Event, append_entries, read_row
from governance.integrity.survey import alterations
from governance.storage import schema
from governance.storage.connections import parse_url
from governance.storage.database import Database, open_database
from tests.governance.integrity.furnished import Inside, furnish, had

# What rows of before did not say, and audit rows that there were not.
OLD_ACTIONS = (
    "knowledge.stored",
    "event.queued",
    "webhook.used",
    "effect.taken",
    "effect.returned",
    "responses.stored",
    "schedule.taken",
)
NEW_WORDS = {"run.started": ("key", "durable"), "run.finished": ("ended", "journal", "left")}
SEALED_SINCE = ("schedule.", "plan.")


def as_before(row: AuditRow) -> Event | None:
    if row.action in OLD_ACTIONS:
        return None
    left_out = (*NEW_WORDS.get(row.action, ()), *(("seal",) if row.action.startswith(SEALED_SINCE) else ()))
    detail = {name: value for name, value in row.detail.items() if name not in left_out}
    return Event(row.at, row.actor, row.action, row.subject, detail)


def set_back(connection: Connection) -> None:
    """Leaves the audit as the version before wrote it."""
    guards = {"sqlite": ("audit_kept",), "postgresql": ("audit_unchanged ON audit",)}[connection.dialect.name]
    for guard in guards:
        connection.execute(text(f"DROP TRIGGER {guard}"))
    rows = [read_row(row) for row in connection.execute(text("SELECT * FROM audit ORDER BY seq"))]
    connection.execute(text("DELETE FROM audit"))
    connection.execute(text("UPDATE audit_head SET seq = 0, hash = :genesis"), {"genesis": GENESIS})
    append_entries(connection, [event for event in map(as_before, rows) if event])
    connection.execute(text("ALTER TABLE targets DROP COLUMN server"))
    for table in ("knowledge", "sites", "site_dispatches"):
        connection.execute(text(f"DROP TABLE {table}"))
    connection.execute(text("UPDATE alembic_version SET version_num = '0017'"))


async def test_what_stood_in_the_tables_before_counts_after_the_upgrade(
    url: str, database: Database, tmp_path: Path
) -> None:
    known: dict[str, Any] = await furnish(database, tmp_path)
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        before = await had(Inside(connection, database.now()), known)
        connection.rollback()
    with engine.begin() as connection:
        set_back(connection)
    assert schema.upgrade(url) == "0017"
    with engine.connect() as connection:
        now = await had(Inside(connection, database.now()), known)
        connection.rollback()
    engine.dispose()
    # What is known of an API has a table since; compiling once more writes it.
    assert now == {each for each in before if " has [" not in each}
    async with open_database(url) as upgraded:
        found = await alterations(upgraded)
    assert [each for each in found if "trigger" not in each] == []
