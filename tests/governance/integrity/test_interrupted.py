"""What interrupts or mixes up a database: kill -9 in an upgrade, the WAL of another database, two set-ups at once."""

import asyncio
import os
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from governance.audit.log import AuditLog
from governance.commands.database import _first_token
from governance.errors import GovernanceError
from governance.integrity.survey import alterations
from governance.people.principals import PrincipalStore
from governance.storage import schema
from governance.storage.database import open_database
from tests.governance.integrity.furnished import furnish

STATEMENTS = 150
"""About as many as an upgrade from nothing takes; where one takes fewer, it is not killed."""


def killed_at(url: str, statement: int) -> bool:
    """Upgrades in a process of its own that is killed before that statement; whether it was."""
    child = os.fork()
    if child == 0:
        count = iter(range(statement))

        @event.listens_for(Engine, "before_cursor_execute")
        def _count(*_: Any) -> None:
            if next(count, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            schema.upgrade(url)
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


async def whole(url: str) -> bool:
    async with open_database(url) as database:
        return await alterations(database) == () and (await AuditLog(database).verify()).ok


async def killed_and_upgraded_again(tmp_path: Path, step: int) -> int:
    count = 0
    for statement in range(1, STATEMENTS, step):
        url = f"sqlite+aiosqlite:///{tmp_path / f'{statement}.db'}"
        count += killed_at(url, statement)
        schema.upgrade(url)
        assert await whole(url), statement
    return count


@pytest.mark.slow
async def test_an_upgrade_that_is_killed_between_two_statements_is_made_again_from_where_it_began(
    tmp_path: Path,
) -> None:
    assert await killed_and_upgraded_again(tmp_path, 40) >= 3


@pytest.mark.long
async def test_an_upgrade_that_is_killed_at_any_statement_is_made_again_from_where_it_began(tmp_path: Path) -> None:
    assert await killed_and_upgraded_again(tmp_path, 1) > 100


async def test_with_the_wal_of_another_database_beside_the_file_nothing_is_believed(
    migrated_url: str, tmp_path: Path
) -> None:
    mine, other = tmp_path / "switchgear.db", tmp_path / "other.db"
    shutil.copyfile(mine, other)
    async with open_database(migrated_url) as database:
        _, secret = await PrincipalStore(database).create_token("ann", "viewer")
    (tmp_path / "keys").mkdir()
    async with open_database(f"sqlite+aiosqlite:///{other}") as database:
        await furnish(database, tmp_path / "keys")
        _, foreign = await PrincipalStore(database).create_token("eve", "admin")
        with sqlite3.connect(mine) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.copyfile(f"{other}-wal", f"{mine}-wal")
    try:
        async with open_database(migrated_url) as database:
            holds = [await PrincipalStore(database).authenticate(each) is not None for each in (secret, foreign)]
            is_whole = (await AuditLog(database).verify()).ok and not await alterations(database)
    except GovernanceError:
        return
    # All of the one database or all of the other, or it is told.
    assert holds != [True, True]
    assert not is_whole or holds in ([True, False], [False, True])


async def test_of_two_set_ups_at_once_one_makes_the_first_token(migrated_url: str) -> None:
    async with open_database(migrated_url) as one, open_database(migrated_url) as two:
        made = await asyncio.gather(_first_token(one), _first_token(two))
        assert sum(each is not None for each in made) == 1
        assert len(await PrincipalStore(one).list_tokens()) == 1
