"""How the two databases are spoken to: addresses, engines, and foreign errors translated once.

SQLite: WAL, so that readers never wait for the writer; `synchronous=FULL`, because an audit row must be on the disk
before the change it tells of is sent, and NORMAL for what only has to outlive the process (docs/DECISIONS.md);
`BEGIN IMMEDIATE` for writers, because a transaction that reads first and writes later can fail at once despite the busy
timeout.
PostgreSQL: psycopg; writers read committed rows behind the lock on the audit's head, readers see one snapshot.
Both are driven synchronously in threads (`governance.storage.database`): per statement that is six times cheaper than
handing each to aiosqlite, and one path serves both. Here never lives a table.
"""

import sqlite3
import time
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    MultipleResultsFound,
    NoResultFound,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from governance.errors import (
    ConflictError,
    GovernanceError,
    InvalidError,
    NotFoundError,
    TamperedError,
    UnavailableError,
)

LOCK_WAIT_S = 5
"""Longer than any write of ours holds the lock, shorter than a person waits for an answer."""
MIGRATION_WAIT_S = 120
"""Who opens a new database beside others waits for the one that makes its tables, on a slow machine for long."""
DURABILITY = "switchgear.durability"
"""Where a connection remembers what was asked of it last."""
CHECKPOINT_PAGES = 1000
"""SQLite's own choice."""
READERS = 4
"""Reads of one process at the same time; a read takes well under a millisecond, so more would only wait in line."""

FOREIGN = (SQLAlchemyError, sqlite3.Error, UnicodeError, OverflowError)
"""What comes from the libraries below: `translate` knows these. A driver's own where it prepares a connection."""

SQLITE = ("sqlite", "sqlite+aiosqlite", "sqlite+pysqlite")
POSTGRESQL = ("postgresql", "postgresql+psycopg")
ALLOWED = "give sqlite+aiosqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"


def parse_url(address: str) -> URL:
    """The address with the driver that we use. Raises InvalidError for other databases and for SQLite in memory."""
    try:
        url = make_url(address)
    except ArgumentError as error:
        is_file = bool(address) and "://" not in address and address.isprintable()
        meant = f"for the file {address} give sqlite+aiosqlite:///{address}" if is_file else ALLOWED
        raise InvalidError("the database's address is not a URL", meant) from error
    if url.drivername in POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in SQLITE:
        raise InvalidError(f"databases of the kind {url.drivername!r} are not supported", ALLOWED)
    if url.database in (None, "", ":memory:"):
        raise InvalidError("a SQLite database in memory cannot be shared with other processes", ALLOWED)
    return url.set(drivername="sqlite+pysqlite")


def is_sqlite(url: URL) -> bool:
    return url.drivername.startswith("sqlite")


def writer_engine(url: URL) -> Engine:
    if not is_sqlite(url):
        return _postgresql(url, pool_size=1)
    return _sqlite(url, "BEGIN IMMEDIATE", pool_size=1)


def migration_engine(url: URL) -> Engine:
    """A writer's that waits for another's migration to end."""
    if not is_sqlite(url):
        return _postgresql(url, pool_size=1, lock_wait_s=MIGRATION_WAIT_S)
    return _sqlite(url, "BEGIN IMMEDIATE", pool_size=1, lock_wait_s=MIGRATION_WAIT_S)


def beside_engine(url: URL, pool_size: int) -> Engine:
    """For writes of PostgreSQL's that queue behind no other (`storage.shared`)."""
    return _postgresql(url, pool_size)


def reader_engine(url: URL) -> Engine:
    if not is_sqlite(url):
        engine = _postgresql(url, pool_size=READERS)
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return _sqlite(url, "BEGIN", pool_size=READERS)


def create_file(url: URL) -> None:
    """Makes the SQLite file, if there is none, so that only its owner may read it: it names devices and callers."""
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"the database file {path} cannot be made: {error.strerror}") from error


def require_file(address: str) -> None:
    """Raises NotFoundError where the address is of a SQLite file that is not there, InvalidError where it is none."""
    url = parse_url(address)
    if is_sqlite(url) and not Path(url.database or "").exists():
        remedy = "correct --db or SWITCHGEAR_DATABASE_URL; `switchgear init` makes a new one there"
        raise NotFoundError(f"there is no database at {url.database}", remedy)


def sqlite_files(url: URL) -> tuple[Path, ...]:
    """The file and its write-ahead log, one of which every write touches; none for another database."""
    return (Path(url.database), Path(f"{url.database}-wal")) if is_sqlite(url) and url.database else ()


def set_durability(connection: Connection, *, is_lasting: bool, is_patient: bool) -> None:
    """Whether the next transaction of `connection` waits for the disk, and for whoever writes at the moment.

    PostgreSQL's always do.
    """
    wanted = (is_lasting, is_patient, LOCK_WAIT_S)
    if connection.dialect.name == "sqlite" and connection.info.get(DURABILITY) != wanted:
        # To the driver's connection: SQLAlchemy would begin a transaction first, in which this has no effect.
        driver = cast(Any, connection.connection.driver_connection)
        driver.execute(f"PRAGMA synchronous={'FULL' if is_lasting else 'NORMAL'}").close()
        driver.execute(f"PRAGMA busy_timeout={LOCK_WAIT_S * 1000 if is_patient else 0}").close()
        # What is brought from the log into the file waits for the disk: that is left to those who wait.
        driver.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES if is_patient else 0}").close()
        connection.info[DURABILITY] = wanted


def lock_chain(connection: Connection) -> None:
    """Makes this transaction the only writer. On SQLite `BEGIN IMMEDIATE` has done so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT seq FROM audit_head WHERE id = 1 FOR UPDATE"))


def touch(connection: Connection) -> None:
    """Writes, and changes nothing: a number of the file's head that stays as it is, or the id of a transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_current_xact_id()"))
        return
    number = int(connection.execute(text("PRAGMA user_version")).scalar_one())
    connection.execute(text(f"PRAGMA user_version = {number}"))


def translate(error: Exception) -> Exception:
    """Our error for a foreign one; others, our own among them, are answered as they are."""
    match error:
        case GovernanceError():
            return error
        case IntegrityError():
            return ConflictError(f"the database refused it: {_cause(error)}", "look at the present state and try again")
        case DataError() | UnicodeEncodeError() | OverflowError():
            return InvalidError("a value cannot be stored: a character or a size that the database does not take")
        case OperationalError() | InterfaceError() | PoolTimeoutError() | sqlite3.OperationalError():
            return UnavailableError(f"the database does not answer: {_cause(error)}", "try again; see the database")
        case DatabaseError() | sqlite3.Error() | UnicodeDecodeError():
            return UnavailableError(f"the database cannot be used: {_cause(error)}", "restore it from a good copy")
        case NoResultFound() | MultipleResultsFound():  # of what migrations put there, once and for all
            return TamperedError("a row that the database always has is missing", "restore it from a good copy")
        case StatementError() if isinstance(error.orig, FOREIGN):
            return translate(error.orig)
    return error


def _cause(error: Exception) -> str:
    """The driver's own first line: without the statement, whose values may be private."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]


def _sqlite(url: URL, begin: str, pool_size: int, lock_wait_s: int | None = None) -> Engine:
    wait_s = lock_wait_s or LOCK_WAIT_S
    engine = create_engine(url, pool_size=pool_size, max_overflow=0, connect_args={"timeout": wait_s})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say when a transaction begins, the driver does not guess
        write_ahead(connection, wait_s)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver = cast(Any, connection.connection.driver_connection)
        driver.execute(begin).close()

    return engine


def write_ahead(connection: Any, wait_s: float | None = None) -> None:
    """Of several that open a new file at once SQLite makes one wait and refuses the others at once, without waiting."""
    end = time.monotonic() + (wait_s or LOCK_WAIT_S)
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _postgresql(url: URL, pool_size: int, lock_wait_s: int | None = None) -> Engine:
    # pre_ping: a restarted server is noticed before a statement fails on a dead connection.
    engine = create_engine(url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = '{lock_wait_s or LOCK_WAIT_S}s'")
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")  # a stuck process must not hold the lock
        connection.commit()

    return engine
