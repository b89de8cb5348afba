"""Opening, migrating, failing and recovering."""

import asyncio
import contextlib
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from governance.audit.log import AuditLog
from governance.errors import ConflictError, InvalidError, OutdatedError, UnavailableError
from governance.storage import schema
from governance.storage.connections import parse_url, write_ahead
from governance.storage.database import Database, open_database
from governance.storage.models import METADATA
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
DIES = """
import asyncio, os, signal, sys
from sqlalchemy import text
from governance.storage.database import open_database

async def main():
    async with open_database(sys.argv[1]) as database:
        change = text("UPDATE catalog_change SET version = 4711")
        await database.write(lambda c: c.execute(change).rowcount, is_lasting=False)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
OPENER = """
import asyncio, sys
from governance.audit.log import AuditLog
from governance.storage.database import open_database

async def main():
    async with open_database(sys.argv[1]) as database:
        await AuditLog(database).append("child", "opened", "x:1", {})

asyncio.run(main())
"""
FILLER = """
import asyncio, resource, signal, sys
from governance.audit.log import AuditLog
from governance.storage.database import open_database
from governance.errors import UnavailableError

async def main():
    async with open_database(sys.argv[1]) as database:
        log = AuditLog(database)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
        stored = 0
        try:
            while True:
                await log.append("child", "filled", "x:1", {"text": "x" * 1000})
                stored += 1
        except UnavailableError as error:
            print(error.message, file=sys.stderr)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await log.append("child", "recovered", "x:1", {})
        verdict = await log.verify()
        print(stored, verdict.ok, verdict.rows)

asyncio.run(main())
"""


def _file(url: str) -> Path:
    return Path(str(parse_url(url).database))


def _child(program: str, url: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-W", "error", "-c", program, url], env=environment)


async def test_a_new_sqlite_file_is_made_migrated_and_for_its_owner_alone(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new' / 'folder' / 'a.db'}"
    async with open_database(url) as database:
        assert database.kind == "sqlite"
        await AuditLog(database).append("ann", "looked", "x:1", {})
        modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in _file(url).parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(_file(url).parent.stat().st_mode) == 0o700


async def test_the_database_can_be_awaited_and_closed_twice(sqlite_url: str) -> None:
    database = await open_database(sqlite_url)
    await database.close()
    await database.close()
    with pytest.raises(UnavailableError, match="closed"):
        await AuditLog(database).last()


async def test_what_was_written_is_there_after_opening_again(url: str) -> None:
    async with open_database(url) as database:
        row = await AuditLog(database).append("ann", "looked", "x:1", {})
    async with open_database(url) as database:
        assert await AuditLog(database).last() == (row,)


async def test_an_empty_postgresql_database_is_not_changed_by_surprise(postgres_url: str) -> None:
    with pytest.raises(OutdatedError) as refused:
        await open_database(postgres_url)
    assert "switchgear db upgrade" in refused.value.remedy
    assert schema.upgrade(postgres_url) == ""
    assert schema.upgrade(postgres_url) == schema.HEAD
    await (await open_database(postgres_url)).close()


async def test_another_schema_is_refused_with_the_command_to_run(
    url: str, database: Database, behind: Callable[..., None]
) -> None:
    behind("UPDATE alembic_version SET version_num = '0016'")
    with pytest.raises(OutdatedError, match="0016") as refused:
        await open_database(url)
    assert "switchgear db upgrade" in refused.value.remedy


@pytest.mark.parametrize(("level", "says"), [("0999", "newer"), ("0000", "no version"), ("x", "no version")])
async def test_a_schema_that_this_version_does_not_know_is_left_alone_with_the_right_advice(
    url: str, database: Database, behind: Callable[..., None], level: str, says: str
) -> None:
    behind("UPDATE alembic_version SET version_num = :level", level=level)
    for opening in (open_database(url), asyncio.to_thread(schema.upgrade, url)):
        with pytest.raises(OutdatedError, match=says) as refused:
            await opening
        assert "db upgrade" not in refused.value.remedy
        assert "restore the backup" in refused.value.remedy
        assert ("newer version" in refused.value.remedy) == (says == "newer")


def test_a_database_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "theirs.db")) as theirs:
        theirs.execute("CREATE TABLE audit (at TEXT)")
        with pytest.raises(OutdatedError, match="a table audit that is not Switchgear's") as refused:
            schema.upgrade(f"sqlite+aiosqlite:///{tmp_path}/theirs.db")
        assert "of its own" in refused.value.remedy
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("audit",)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM alembic_version",
        "INSERT INTO alembic_version VALUES ('0999')",
        "UPDATE alembic_version SET version_num = '-001'",
        "UPDATE alembic_version SET version_num = '00١1'",
    ],
)
async def test_a_schema_without_one_known_version_is_not_upgraded_into_itself(
    url: str, database: Database, behind: Callable[..., None], statement: str
) -> None:
    behind(statement)
    for opening in (open_database(url), asyncio.to_thread(schema.upgrade, url)):
        with pytest.raises(OutdatedError, match="no version") as refused:
            await opening
        assert "db upgrade" not in refused.value.remedy


async def test_somebody_elses_sqlite_file_is_left_alone(sqlite_url: str) -> None:
    with sqlite3.connect(_file(sqlite_url)) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    with pytest.raises(OutdatedError, match="no tables of Switchgear"):
        await open_database(sqlite_url)


@pytest.mark.parametrize(
    "address",
    ["", "sqlite://", "sqlite+aiosqlite:///:memory:", "mysql://x/y", "postgresql+asyncpg://x/y"],
)
async def test_other_addresses_are_refused_with_what_to_give(address: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await open_database(address)
    assert "sqlite+aiosqlite:///FILE" in refused.value.remedy


async def test_of_a_bare_path_the_address_is_told() -> None:
    with pytest.raises(InvalidError) as refused:
        await open_database("switchgear.db")
    assert refused.value.remedy == "for the file switchgear.db give sqlite+aiosqlite:///switchgear.db"


async def test_a_file_that_is_no_database_is_unavailable(sqlite_url: str) -> None:
    _file(sqlite_url).write_bytes(b"not a database at all" * 100)
    with pytest.raises(UnavailableError, match="not a database"):
        await open_database(sqlite_url)


async def test_a_server_that_is_not_there_is_unavailable_and_its_password_is_not_told() -> None:
    with pytest.raises(UnavailableError) as refused:
        await open_database("postgresql+psycopg://switchgear:hunter2@127.0.0.1:1/switchgear")
    assert "hunter2" not in str(refused.value)


@pytest.mark.slow
async def test_processes_that_open_a_new_file_at_once_all_succeed(
    sqlite_url: str, python_environment: dict[str, str]
) -> None:
    children = [_child(OPENER, sqlite_url, python_environment) for _ in range(3)]
    assert [await asyncio.to_thread(child.wait) for child in children] == [0, 0, 0]
    async with open_database(sqlite_url) as database:
        assert (await AuditLog(database).verify()).rows == 3


async def test_a_new_file_that_somebody_else_is_making_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    with (
        contextlib.closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other,
        contextlib.closing(sqlite3.connect(file, 0, check_same_thread=False)) as own,
    ):
        other.execute("BEGIN EXCLUSIVE")
        waiting = asyncio.create_task(asyncio.to_thread(write_ahead, own))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        other.execute("ROLLBACK")
        await waiting
        assert own.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_tables_that_somebody_else_is_making_are_waited_for_longer_than_a_write(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.storage.connections.LOCK_WAIT_S", 0.1)
    with contextlib.closing(sqlite3.connect(_file(sqlite_url), isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(asyncio.to_thread(schema.upgrade, sqlite_url))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        other.execute("ROLLBACK")
        assert await waiting == ""


async def test_the_models_and_the_migrations_say_the_same(url: str, database: Database) -> None:
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_the_newest_migration_is_the_schema_that_the_code_needs() -> None:
    config = Config(Path(schema.__file__).parents[2] / "alembic.ini")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


async def test_a_lock_held_by_another_is_waited_for(sqlite_url: str) -> None:
    async with open_database(sqlite_url) as database:
        other = sqlite3.connect(_file(sqlite_url), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(AuditLog(database).append("ann", "looked", "x:1", {}))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        assert await AuditLog(database).last() == ()  # readers do not wait
        other.execute("ROLLBACK")
        other.close()
        assert (await waiting).seq == 1


@pytest.mark.slow
async def test_a_lock_held_too_long_is_said_and_all_is_well_after_it(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.storage.connections.LOCK_WAIT_S", 1)
    async with open_database(sqlite_url) as database:
        other = sqlite3.connect(_file(sqlite_url), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        appends = (AuditLog(database).append("ann", "looked", f"x:{at}", {}) for at in range(20))
        answers = await asyncio.gather(*appends, return_exceptions=True)
        assert [type(answer) for answer in answers] == [UnavailableError] * 20
        other.execute("ROLLBACK")
        other.close()
        assert (await AuditLog(database).append("ann", "looked", "x:1", {})).seq == 1


@pytest.mark.slow
def test_a_full_disk_is_said_and_nothing_is_lost_when_there_is_room_again(
    sqlite_url: str, python_environment: dict[str, str]
) -> None:
    command = [sys.executable, "-c", FILLER, sqlite_url]
    child = subprocess.run(command, env=python_environment, capture_output=True, text=True, check=True)
    stored, is_whole, rows = child.stdout.split()
    assert int(stored) > 10
    assert (is_whole, int(rows)) == ("True", int(stored) + 1)
    assert "database does not answer" in child.stderr


async def test_a_connection_that_the_server_ended_is_replaced(postgres_url: str) -> None:
    schema.upgrade(postgres_url)
    async with open_database(postgres_url) as database:
        log = AuditLog(database)
        await log.append("ann", "looked", "x:1", {})
        engine = create_engine(parse_url(postgres_url))
        with engine.begin() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            connection.execute(text(f"{ended} AND pid <> pg_backend_pid()"))
        engine.dispose()
        assert (await log.append("ann", "looked", "x:1", {})).seq == 2
        assert len(await log.last()) == 2


@pytest.mark.slow
async def test_a_writer_stuck_elsewhere_on_postgresql_is_said(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.storage.connections.LOCK_WAIT_S", 1)
    schema.upgrade(postgres_url)
    async with open_database(postgres_url) as database:
        engine = create_engine(parse_url(postgres_url))
        with engine.connect() as connection:
            connection.execute(text("SELECT * FROM audit_head FOR UPDATE"))
            with pytest.raises(UnavailableError, match="lock timeout"):
                await AuditLog(database).append("ann", "looked", "x:1", {})
        engine.dispose()
        assert (await AuditLog(database).append("ann", "looked", "x:1", {})).seq == 1


async def test_work_that_fails_stores_nothing_and_disturbs_nobody(database: Database) -> None:
    def insert(connection: Connection, version: int) -> int:
        connection.execute(text("UPDATE catalog_change SET version = version + 1"))
        if version % 10 == 0:
            raise ConflictError("every tenth")
        return version

    answers = await asyncio.gather(
        *(database.write(lambda c, n=n: insert(c, n)) for n in range(40)),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert [answer for answer in answers if isinstance(answer, int)] == [n for n in range(40) if n % 10]
    stored = await database.read(lambda c: c.execute(text("SELECT version FROM catalog_change")).scalar_one())
    assert stored == 36


async def test_readers_cannot_write_on_postgresql(postgres_url: str) -> None:
    schema.upgrade(postgres_url)
    async with open_database(postgres_url) as database:
        with pytest.raises(UnavailableError, match="read-only"):
            await database.read(lambda c: c.execute(text("UPDATE catalog_change SET version = 7")).rowcount)


async def test_writes_of_a_cancelled_task_are_whole_or_absent(database: Database) -> None:
    log = AuditLog(database)
    tasks = [asyncio.ensure_future(log.append("ann", "looked", f"x:{at}", {})) for at in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    stored = {row.subject for row in await log.last()}
    assert {f"x:{at}" for at in range(1, 50, 2)} <= stored
    assert (await log.verify()).ok


async def test_what_lasts_waits_for_the_disk_also_beside_what_need_not(sqlite_url: str) -> None:
    """SQLite's own word: 2 is FULL, each commit is synced; 1 is NORMAL, it outlives the process and not the power."""

    def kind(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    async with open_database(sqlite_url) as database:
        assert await database.write(kind) == 2
        assert await database.write(kind, is_lasting=False) == 1
        assert await database.write(kind) == 2
        all_wait = threading.Event()
        held = asyncio.gather(database.write(lambda _: all_wait.wait(PATIENCE_S)), *together(database, kind))
        await asyncio.sleep(0.05)
        all_wait.set()
        assert set((await held)[1:]) == {2}, "what is committed together lasts when any of it has to"


def together(database: Database, kind: Callable[[Connection], int]) -> list[Awaitable[int]]:
    """Writes that wait behind another one, and so share a commit."""
    return [database.write(kind, is_lasting=number == 3) for number in range(5)]


async def test_what_need_not_last_is_there_when_its_process_was_killed(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'killed.db'}"
    schema.upgrade(url)
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", DIES, url], check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    async with open_database(url) as database:
        stored = await database.read(lambda c: c.execute(text("SELECT version FROM catalog_change")).scalar_one())
        assert stored == 4711
