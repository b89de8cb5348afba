"""Where a database is: so that a copy of it does not take itself for the installation that it was copied from.

Two servers that believe they are the same one would both fire its schedules, send its messages, carry on its open runs
and take its plans. The first server writes down where its database is, as an audit row; a file is known by its inode
and the moment that was made, which a move or a restart leaves and no copy has, a schema of PostgreSQL by its cluster
and numbers. A server elsewhere does none of these things until somebody says, with `switchgear db adopt`, that this is
the installation now. A clone of a whole machine, or of a cluster's files, cannot be told from it. Here never lives what
a server leaves undone (`runtime.service`).
"""

import ctypes
import os
import struct
from typing import Any

from sqlalchemy import Connection, text

from governance.audit.log import Event, append_entry, last_told
from governance.storage.database import Database
from governance.storage.identifiers import Json

SUBJECT = "installation:place"
PLACED, ADOPTED = "installation.placed", "installation.adopted"
REMEDY = "if this is the installation from now on, say so: `switchgear db adopt`, and start the server again"
# linux/stat.h: the call's arguments, and where in its answer inode and birth stand.
_AT_FDCWD, _STATX_INO, _STATX_BTIME = -100, 0x100, 0x800
_ANSWER_BYTES, _MASK, _INODE, _BIRTH = 256, "I", 32, 80

# Everybody may ask by default, unless an administrator took that away.
_MAY_ASK = "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')"
_CLUSTER = "SELECT system_identifier FROM pg_control_system()"
_NUMBERS = (
    "SELECT d.oid, n.oid, d.datname, n.nspname FROM pg_database d, pg_namespace n"
    " WHERE d.datname = current_database() AND n.nspname = current_schema()"
)


class PlaceStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def settle(self) -> str:
        """What is wrong with where the database is, empty where nothing is; the first to ask writes the place down."""
        found = await self._database.read(_told_and_here)
        if found[0] is None:
            await self._tell(PLACED, "runtime")
            return ""
        return place_fault(*found)

    async def adopt(self, actor: str) -> bool:
        """Says that the database's installation is where it is now. Whether it was elsewhere."""
        told, here = await self._database.read(_told_and_here)
        if told is not None and not place_fault(told, here):
            return False
        await self._tell(ADOPTED, actor)
        return True

    async def fault(self) -> str:
        """As `settle`, writing nothing."""
        return await self._database.read(fault_of_place)

    async def adopted_at(self) -> str:
        """Since when it is here and was elsewhere before; empty where it never was."""
        told = await self._database.read(lambda c: last_told(c, SUBJECT, (ADOPTED,)))
        return str(told["at"]) if isinstance(told, dict) else ""

    async def _tell(self, action: str, actor: str) -> None:
        now = self._database.now()

        def work(connection: Connection) -> None:
            append_entry(connection, Event(now, actor, action, SUBJECT, {**place_of(connection), "at": now}))

        await self._database.write(work)


def fault_of_place(connection: Connection) -> str:
    """What is wrong with where the database is; empty where nothing is, or nobody has served it yet."""
    return place_fault(*_told_and_here(connection))


def place_fault(told: Json, here: dict[str, Any]) -> str:
    if not isinstance(told, dict) or told.get("mark") == here["mark"]:
        return ""
    return f"this database is a copy of one that is served at {told.get('path')}: it is at {here['path']} now"


def place_of(connection: Connection) -> dict[str, Any]:
    """`mark`: what no copy has; `path`: for people."""
    if connection.dialect.name == "postgresql":
        return _place_in_postgresql(connection)
    path = os.path.realpath(str(connection.engine.url.database))
    return {"mark": _mark_of(path), "path": path}


def _told_and_here(connection: Connection) -> tuple[Json, dict[str, Any]]:
    return last_told(connection, SUBJECT), place_of(connection)


def _place_in_postgresql(connection: Connection) -> dict[str, Any]:
    may_ask = connection.execute(text(_MAY_ASK)).scalar()
    cluster = connection.execute(text(_CLUSTER)).scalar() if may_ask else ""
    database, schema, name, path = connection.execute(text(_NUMBERS)).one()
    return {"mark": f"{cluster}.{database}.{schema}", "path": f"{name}/{path}"}


def _mark_of(path: str) -> str:
    """Inode and birth. Where the system does not tell a file's birth, its inode alone."""
    answer = ctypes.create_string_buffer(_ANSWER_BYTES)
    statx = getattr(ctypes.CDLL(None, use_errno=True), "statx", None)
    if statx is None or statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_INO | _STATX_BTIME, answer):
        return str(os.stat(path).st_ino)  # noqa: PTH116
    (has,) = struct.unpack_from(_MASK, answer)
    (inode,), (second, nanosecond) = struct.unpack_from("Q", answer, _INODE), struct.unpack_from("qI", answer, _BIRTH)
    return f"{inode}.{second}.{nanosecond}" if has & _STATX_BTIME else str(inode)
