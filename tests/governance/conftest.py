"""An empty, migrated database of each kind, for the contract that both must keep; and one SQLite file for the rest."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from governance import schema
from governance.database import Database, open_database


def sqlite_url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'switchgear.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    address: str = request.getfixturevalue("postgres_url")
    schema.upgrade(address)
    return address


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url) as opened:
        yield opened


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(sqlite_url(tmp_path)) as opened:
        yield opened
