"""Rows that processes on one PostgreSQL database share beside the audit, and word of it when one of them changes.

What stands in them is nobody's record: it is on its way from one process to another. So these transactions do not queue
behind the lock on the audit's head, as every other write does (`database`); they lock the rows that they touch. Word is
PostgreSQL's own (LISTEN, NOTIFY), sent with the commit; it can be lost with a connection, so that whoever listens looks
by itself now and then. Called by `governance.site_exchange`. Here never lives what a row means.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, Engine, func, select

from governance.errors import UnavailableError
from governance.storage.connections import FOREIGN, beside_engine, parse_url, translate

T = TypeVar("T")
# A transaction takes a few milliseconds, most of them the disk's.
AT_ONCE = 4
# An end of the connection that nobody told of is found out so soon.
LISTENS_S = 30.0
NOW = func.to_char(func.timezone("UTC", func.clock_timestamp()), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
"""The moment by the database's clock, as moments are stored."""


class SharedRows:
    """`address`: of a PostgreSQL database. Nothing is connected before it is used."""

    def __init__(self, address: str) -> None:
        self._url = parse_url(address)
        self._engine: Engine = beside_engine(self._url, AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="switchgear-shared")
        self._channel = ""

    async def change(self, work: Callable[[Connection], T]) -> T:
        """The result of `work`, in a transaction that is on the disk when this returns. Where whoever waits is
        cancelled, it is completed all the same. Raises UnavailableError, ConflictError, or what `work` raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._change, work)

    def tell(self, connection: Connection, word: str) -> None:
        """Has everybody who listens told, once this transaction is committed."""
        connection.execute(select(func.pg_notify(self._channel_of(connection), word)))

    async def words(self) -> AsyncIterator[str]:
        """What others tell, as long as the connection lasts; an empty word first. Raises UnavailableError."""
        channel = await self.change(self._channel_of)
        words, known = self._engine.dialect.create_connect_args(self._url)
        try:
            async with await psycopg.AsyncConnection.connect(*words, autocommit=True, **known) as connection:
                await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
                yield ""
                while True:
                    async for told in connection.notifies(timeout=LISTENS_S):
                        yield told.payload
                    await connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise UnavailableError("the database tells nothing of other processes", "see the database") from error

    async def close(self) -> None:
        await asyncio.to_thread(self._shut)

    def _change(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except FOREIGN as error:
            raise translate(error) from error

    def _channel_of(self, connection: Connection) -> str:
        """One for each schema: a database may hold several installations."""
        if not self._channel:
            schema = str(connection.execute(select(func.current_schema())).scalar_one())
            self._channel = f"switchgear_{hashlib.sha256(schema.encode()).hexdigest()[:16]}"
        return self._channel

    def _shut(self) -> None:
        self._threads.shutdown()
        self._engine.dispose()
