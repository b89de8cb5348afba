"""The database as the rest of the product sees it: open it, read in it, write in it, close it.

`read` and `write` take a function of a SQLAlchemy connection, run it in one transaction in a thread, and await its
result. Reads run beside each other and see one snapshot; writes of a process go through its one writer
(`governance.storage.writer`) and are on the disk when awaited, unless they say that they need not be. All stores are
built on these two; nobody else sees a connection.
Here never lives SQL of a store. SQLite and PostgreSQL differ in `governance.storage.connections` alone.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy import Connection

from governance.errors import GovernanceError, UnavailableError
from governance.outage import Outage
from governance.storage import schema
from governance.storage.connections import (
    FOREIGN,
    READERS,
    create_file,
    is_sqlite,
    lock_chain,
    parse_url,
    reader_engine,
    set_durability,
    sqlite_files,
    touch,
    translate,
)
from governance.storage.connections import writer_engine as make_writer_engine
from governance.storage.identifiers import Clock, moment, utc_now
from governance.storage.writer import Writer

T = TypeVar("T")
log = logging.getLogger("switchgear.governance")


class Database:
    """An open database. Usable from any event loop; `close` it, or use `open_database` as a context manager."""

    def __init__(self, address: str, clock: Clock = utc_now) -> None:
        url = parse_url(address)
        if is_sqlite(url):
            create_file(url)
        self.address = address
        self._files = tuple(map(str, sqlite_files(url)))
        self._clock = clock
        self._read_engine = reader_engine(url)
        self._write_engine = make_writer_engine(url)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="switchgear-read")
        self._writer = Writer(self._write_engine, set_durability, lock_chain)
        self._is_open = True
        self._outage = Outage(log, "the database")

    @property
    def trouble(self) -> str:
        """Why it takes no writes; empty after one that it took."""
        return self._outage.why

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._read_engine.dialect.name

    def stamp(self) -> tuple[int, ...] | None:
        """What differs after nearly every write to the file, by whichever process; None where there is no file to see.

        Free of any query: a look at two names in the file system. What falls into one tick of its clock with a write
        seen already can stay unnoticed, so that whoever trusts it looks for real now and then.
        """
        if not self._files:
            return None
        found: list[int] = []
        for file in self._files:
            try:
                told = os.stat(file)  # noqa: PTH116 a third of the time, twenty times a second
            except OSError:
                found.append(0)
            else:
                found += (told.st_mtime_ns, told.st_size, told.st_ino)
        return tuple(found)

    def now(self) -> str:
        """The moment, as it is stored."""
        return moment(self._clock())

    async def read(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` in one reading transaction. Raises UnavailableError, or what `work` raises."""
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Callable[[Connection], T], *, is_lasting: bool = True, is_small: bool = False) -> T:
        """The result of `work`, once it is committed and on the disk; not `is_lasting`: safe from the end of this
        process, however it ends, and on the disk with whatever is written next that has to be.

        `is_small`: a few statements that somebody waits for; what does not last either is then written without a thread
        between, where that needs no waiting.
        `work` must be repeatable and may be called more than once. When it raises, nothing of it is stored. If the
        awaiting task is cancelled, work that has begun is completed all the same.
        Raises UnavailableError (locked, full, read-only, unreachable), ConflictError (a constraint), or its own errors.
        """
        self._check_open()
        if is_small and not is_lasting and self._files and not self.trouble:
            done = self._writer.try_now(work)
            if done is not None:
                return done.result
        refusals = self._outage.refusals
        try:
            result = await asyncio.wrap_future(self._writer.submit(work, is_lasting=is_lasting))
        except FOREIGN as error:
            failed = translate(error)
            self._outage.begin(failed)
            raise failed from error
        self._outage.end(refusals)
        return result

    async def probe(self) -> None:
        """Tries whether it takes writes, by one that changes nothing of what is stored. What comes of it: `trouble`."""
        with suppress(GovernanceError):
            await self.write(touch)

    async def close(self) -> None:
        """Waits for the writes under way, then lets go of everything. Closing twice is allowed."""
        if self._is_open:
            self._is_open = False
            await asyncio.to_thread(self._shut)

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._read_engine.begin() as connection:
                return work(connection)
        except FOREIGN as error:
            raise translate(error) from error

    def _check_open(self) -> None:
        if not self._is_open:
            raise UnavailableError("the database is closed")

    def _check_schema(self) -> None:
        schema.ensure(self._read_engine, self.address)

    def _shut(self) -> None:
        self._writer.close()
        self._readers.shutdown()
        self._write_engine.dispose()
        self._read_engine.dispose()


class Opening:
    """What `open_database` answers: await it for the database, or enter it to have it closed at the end."""

    def __init__(self, address: str, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._database: Database | None = None

    def __await__(self) -> Generator[Any, None, Database]:
        return self._open().__await__()

    async def __aenter__(self) -> Database:
        self._database = await self._open()
        return self._database

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._database is not None:
            await self._database.close()

    async def _open(self) -> Database:
        database = await asyncio.to_thread(Database, self._address, self._clock)
        try:
            await asyncio.to_thread(database._check_schema)
        except BaseException:
            await database.close()
            raise
        return database


def open_database(address: str, clock: Clock = utc_now) -> Opening:
    """`database = await open_database(url)`, or `async with open_database(url) as database:`.

    A new SQLite file is made and migrated. Raises InvalidError (the address), OutdatedError (the schema),
    UnavailableError (it does not answer).
    """
    return Opening(address, clock)
