"""A small write that need not last is made where it is asked for while nobody else writes, else by the writer."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, text

from governance.errors import InvalidError
from governance.storage.connections import parse_url
from governance.storage.database import Database, open_database

ADD = text("INSERT INTO disabled_workflows VALUES (:name, 'r', 't', 'a')")
COUNT = text("SELECT count(*) FROM disabled_workflows")


def added(name: str, error: Exception | None = None) -> object:
    def work(connection: Connection) -> str:
        connection.execute(ADD, {"name": name})
        if error is not None:
            raise error
        return threading.current_thread().name

    return work


async def small(database: Database, name: str, error: Exception | None = None) -> str:
    return await database.write(added(name, error), is_lasting=False, is_small=True)  # type: ignore[arg-type]


async def count(database: Database) -> int:
    return int(await database.read(lambda c: c.execute(COUNT).scalar_one()))


@contextmanager
def somebody_writing(url: str) -> Iterator[None]:
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.isolation_level = None
        driver.execute("BEGIN IMMEDIATE")
        yield
        driver.execute("ROLLBACK")
    engine.dispose()


async def test_it_is_made_in_the_thread_that_asks(migrated_url: str) -> None:
    async with open_database(migrated_url) as database:
        assert await small(database, "a") == threading.current_thread().name
        assert await database.write(added("b")) == "switchgear-writer"  # type: ignore[arg-type]
        assert await count(database) == 2


async def test_while_another_process_writes_nobody_waits_but_the_writer(migrated_url: str) -> None:
    async with open_database(migrated_url) as database:
        with somebody_writing(migrated_url):
            waiting = asyncio.create_task(small(database, "a"))
            await asyncio.sleep(0.1)  # the loop is not held up: this returns
            assert not waiting.done()
        assert await waiting == "switchgear-writer"
        assert await count(database) == 1


async def test_what_raises_leaves_nothing_and_the_next_is_made(migrated_url: str) -> None:
    async with open_database(migrated_url) as database:
        with pytest.raises(InvalidError):
            await small(database, "a", InvalidError("no"))
        await small(database, "a")
        assert await count(database) == 1


async def test_many_at_once_and_those_that_last_beside_them_are_all_stored(migrated_url: str) -> None:
    async with open_database(migrated_url) as database:
        both = [small(database, f"s{n}") if n % 2 else database.write(added(f"l{n}")) for n in range(60)]  # type: ignore[arg-type]
        await asyncio.gather(*both)
        assert await count(database) == 60
