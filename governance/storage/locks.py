"""Names that one process at a time may hold, and that are free at once when it dies: however it dies.

Beside a SQLite file these are files under an exclusive `flock`; in PostgreSQL they are advisory locks on a connection
of their own. Both belong to the holder and not to the machine's clock, so that no jump of it frees or keeps any.
`hold` never waits. Used for the lives of executors and for places at a device; here never lives what a name means.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from governance.errors import UnavailableError
from governance.storage.connections import FOREIGN, is_sqlite, parse_url, translate


class Locks(Protocol):
    may_be_lost: bool
    """Whether a name can become free while its holder lives: then the holder takes it again, and others wait."""

    async def hold(self, name: str) -> bool:
        """Whether the name is ours from now on; not, if anybody holds it, this object included.

        Raises UnavailableError; then everything that was held may be lost.
        """

    async def share(self, name: str) -> bool:
        """As `hold`, beside others who share it; beside a SQLite file nobody does. Raises UnavailableError."""

    async def is_alone(self, name: str) -> bool:
        """Whether nobody else shares a name that we share, at this moment. Raises UnavailableError."""

    async def holds(self, name: str) -> bool:
        """Whether a name is still ours. Raises UnavailableError."""

    async def release(self, name: str) -> None:
        """Lets go of a name that is held."""

    async def close(self) -> None:
        """Lets go of all."""


def locks_of(address: str) -> Locks:
    """Those of the database at `address`."""
    url = parse_url(address)
    return FileLocks(Path(f"{url.database}-locks")) if is_sqlite(url) else PostgresLocks(url)


class FileLocks:
    """One file a name. It is removed when it is let go, so that the folder does not grow."""

    may_be_lost = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    async def hold(self, name: str) -> bool:
        try:
            return name not in self._held and self._take(name)
        except OSError as error:
            message = f"no lock can be taken in {self._folder}: {error.strerror}"
            raise UnavailableError(message, "see what the disk and this process lack") from error

    async def share(self, name: str) -> bool:
        return await self.hold(name)

    async def is_alone(self, name: str) -> bool:
        return name in self._held

    def _take(self, name: str) -> bool:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._path(name)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = _is_at(handle, path)
        except BlockingIOError:
            os.close(handle)
            return False
        except OSError:
            os.close(handle)
            raise
        if not is_there:  # removed by its last holder between our two calls
            os.close(handle)
            return self._take(name)
        self._held[name] = handle
        return True

    async def holds(self, name: str) -> bool:
        return name in self._held

    async def release(self, name: str) -> None:
        handle = self._held.pop(name)
        self._path(name).unlink(missing_ok=True)
        os.close(handle)

    async def close(self) -> None:
        for name in tuple(self._held):
            await self.release(name)

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()[:32]


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


class PostgresLocks:
    """Advisory locks by the name's hash. A lost connection loses all of them; the next `hold` dials again."""

    may_be_lost = True

    def __init__(self, url: URL) -> None:
        self._engine: Engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None
        self._held: set[str] = set()
        self._shared: set[str] = set()
        self._turn = asyncio.Lock()

    async def hold(self, name: str) -> bool:
        async with self._turn:
            if name in self._held or not await asyncio.to_thread(self._ask, "pg_try_advisory_lock", name):
                return False
            self._held.add(name)
            self._shared.discard(name)
            return True

    async def share(self, name: str) -> bool:
        async with self._turn:
            if name in self._held or not await asyncio.to_thread(self._ask, "pg_try_advisory_lock_shared", name):
                return False
            self._held.add(name)
            self._shared.add(name)
            return True

    async def is_alone(self, name: str) -> bool:
        async with self._turn:
            if not await asyncio.to_thread(self._ask, "pg_try_advisory_lock", name):
                return False
            await asyncio.to_thread(self._ask, "pg_advisory_unlock", name)
            return True

    async def holds(self, name: str) -> bool:
        async with self._turn:
            # As long as the connection that asked for it answers, its session has it.
            return name in self._held and await asyncio.to_thread(self._is_connected)

    async def release(self, name: str) -> None:
        async with self._turn:
            self._held.discard(name)
            way = "pg_advisory_unlock_shared" if name in self._shared else "pg_advisory_unlock"
            self._shared.discard(name)
            await asyncio.to_thread(self._ask, way, name)

    async def close(self) -> None:
        async with self._turn:
            self._forget()
            await asyncio.to_thread(self._let_go)

    def _forget(self) -> None:
        self._held.clear()
        self._shared.clear()

    def _let_go(self) -> None:
        """Unlocks, then hangs up: the server frees what a closed connection held only when it notices."""
        with contextlib.suppress(*FOREIGN):
            if self._connection is not None:
                self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
        self._hang_up()

    def _is_connected(self) -> bool:
        try:
            return self._connection is not None and self._connection.execute(text("SELECT 1")).scalar() == 1
        except FOREIGN:
            self._forget()
            self._hang_up()
            return False

    def _ask(self, function: str, name: str) -> bool:
        number = int.from_bytes(hashlib.sha256(f"switchgear:{name}".encode()).digest()[:8], "big", signed=True)
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            return bool(self._connection.execute(text(f"SELECT {function}(:number)"), {"number": number}).scalar())
        except FOREIGN as error:
            self._forget()
            self._hang_up()
            raise translate(error) from error

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
        self._engine.dispose()
