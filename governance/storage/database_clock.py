"""The clock that all who share a database can agree on: the database's own, whatever a process takes the time to be.

PostgreSQL is asked. A SQLite file has no clock, but it has one machine: that of its kernel counts, and not what a
process was told (containers with a time of their own, a library that fakes it). Called by the runtime's `scheduling`
and by `doctor`. Here never lives what follows from a clock that is off.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from governance.storage.database import Database
from governance.storage.identifiers import utc_now

TOLERANCE = timedelta(seconds=5)
"""Clocks that are kept right differ by less; the kernel tells its own to a second."""


async def database_now(database: Database) -> datetime:
    """The moment by the database's clock. Raises UnavailableError."""
    if database.kind == "postgresql":
        found: datetime = await database.read(lambda c: c.execute(select(func.clock_timestamp())).scalar_one())
        return found.astimezone(UTC)
    return _kernel_now() or utc_now()


def clock_fault(own: datetime, theirs: datetime) -> str:
    """What is wrong with a process's clock beside the database's; empty where nothing is."""
    off = own - theirs
    if abs(off) <= TOLERANCE:
        return ""
    where = "ahead of" if off > timedelta() else "behind"
    return f"this server's clock is {abs(off).total_seconds():.0f} s {where} the database's"


def _kernel_now() -> datetime | None:
    """By when it started and how long it has been up, which no process changes. None where it does not say."""
    try:
        started = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
        up_s = float(Path("/proc/uptime").read_text().split()[0])
        return datetime.fromtimestamp(int(started.split()[1]) + up_s, UTC)
    except (OSError, StopIteration, ValueError):
        return None
