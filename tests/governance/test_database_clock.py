"""The clock that counts is the database's: of PostgreSQL, and of a SQLite file's machine."""

from datetime import timedelta

from governance.storage.database import open_database
from governance.storage.database_clock import TOLERANCE, clock_fault, database_now
from governance.storage.identifiers import utc_now


async def test_the_databases_clock_is_near_ours_and_does_not_ask_the_process(migrated_url: str) -> None:
    async with open_database(migrated_url, clock=lambda: utc_now() + timedelta(hours=1)) as database:
        assert abs(await database_now(database) - utc_now()) <= TOLERANCE


def test_what_is_off_is_told_with_its_direction() -> None:
    now = utc_now()
    assert clock_fault(now + timedelta(seconds=3), now) == ""
    assert "3600 s ahead of" in clock_fault(now + timedelta(hours=1), now)
    assert "3600 s behind" in clock_fault(now - timedelta(hours=1), now)
