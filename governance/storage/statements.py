"""Statements that every run executes, without what SQLAlchemy does around each: on SQLite the driver's own.

A small SELECT through SQLAlchemy takes ten times what SQLite takes for it, and a run's records are a dozen statements.
So the text is compiled once for each set of columns and handed to the driver of the connection, in the transaction that
is open on it; a driver's error leaves as SQLAlchemy's, as it would there. Elsewhere than on SQLite, where the way to
the server costs more than this, and where somebody listens to what is executed, SQLAlchemy executes it.
Here never lives a table: what is executed is the stores', and takes and gives plain values alone (no column whose type
SQLAlchemy would convert, but for booleans, which SQLite has as 0 and 1).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Executable
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

Values = Mapping[str, Any]


class Statement:
    """One statement, executed with values by the names of its parameters or columns."""

    def __init__(self, clause: Executable) -> None:
        self._clause = clause
        self._texts: dict[tuple[str, ...], _Text] = {}

    def first(self, connection: Connection, values: Values) -> Sequence[Any] | None:
        """The first row, without names; None where there is none."""
        if not _is_short(connection):
            return connection.execute(self._clause, dict(values)).first()
        with _errors(connection) as driver:
            return cast("Sequence[Any] | None", driver.execute(*self._said(connection.dialect, values)).fetchone())

    def all(self, connection: Connection, values: Values) -> Sequence[Sequence[Any]]:
        """Each row, without names."""
        if not _is_short(connection):
            return connection.execute(self._clause, dict(values)).all()
        with _errors(connection) as driver:
            return cast("list[Any]", driver.execute(*self._said(connection.dialect, values)).fetchall())

    def run(self, connection: Connection, values: Values) -> int:
        """Executes it. The number of rows that it changed."""
        if not _is_short(connection):
            return connection.execute(self._clause, dict(values)).rowcount
        with _errors(connection) as driver:
            return cast(int, driver.execute(*self._said(connection.dialect, values)).rowcount)

    def each(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Executes it for each of one or more `rows`, which have the same names."""
        if not _is_short(connection):
            connection.execute(self._clause, [dict(row) for row in rows])
            return
        text = self._text(connection.dialect, rows[0])
        with _errors(connection) as driver:
            driver.executemany(text.sql, [text.ordered(row) for row in rows]).close()

    def _said(self, dialect: Dialect, values: Values) -> tuple[str, list[Any]]:
        text = self._text(dialect, values)
        return text.sql, text.ordered(values)

    def _text(self, dialect: Dialect, values: Values) -> "_Text":
        key = tuple(values)
        if key not in self._texts:
            compiled: Any = cast(ClauseElement, self._clause).compile(dialect=dialect, column_keys=list(key))
            own = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
            self._texts[key] = _Text(compiled.string, tuple(compiled.positiontup or ()), own)
        return self._texts[key]


@dataclass(frozen=True, slots=True)
class _Text:
    """With a question mark for each parameter. `names`: theirs, in order; `own`: values that the statement brings."""

    sql: str
    names: tuple[str, ...]
    own: Values

    def ordered(self, values: Values) -> list[Any]:
        return [values[name] if name in values else self.own[name] for name in self.names]


def _is_short(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite" and not connection.dispatch.before_cursor_execute


@contextmanager
def _errors(connection: Connection) -> Iterator[Any]:
    """The driver's connection; what it raises leaves as SQLAlchemy's."""
    driver: Any = connection.connection.driver_connection
    dialect: Any = connection.dialect
    try:
        yield driver
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
