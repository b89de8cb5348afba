"""Statements of every run go to SQLite's driver as they are, and do there what SQLAlchemy would do."""

import pytest
from sqlalchemy import Connection, Engine, bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError

from governance.errors import ConflictError
from governance.storage.database import open_database
from governance.storage.models import DisabledRow, table_of
from governance.storage.statements import Statement

_D = table_of(DisabledRow)
ROWS = [{"workflow_id": name, "reason": "r", "disabled_at": "t", "disabled_by": "ann"} for name in ("a", "b")]
ADD = Statement(insert(_D))
ONE = Statement(select(_D.c.reason, _D.c.disabled_by).where(_D.c.workflow_id == bindparam("wanted")).limit(1))
ALL = Statement(select(_D.c.workflow_id).where(_D.c.disabled_by == "ann").order_by(_D.c.workflow_id))
SET = Statement(update(_D).where(_D.c.workflow_id == bindparam("which")).values(reason=bindparam("why")))


def used(connection: Connection) -> list[object]:
    ADD.each(connection, ROWS)
    changed = [SET.run(connection, {"which": which, "why": "s"}) for which in ("b", "c")]
    found = [tuple(row) for row in ALL.all(connection, {})]
    one, none = ONE.first(connection, {"wanted": "b"}), ONE.first(connection, {"wanted": "c"})
    return [changed, found, None if one is None else tuple(one), none]


EXPECTED = [[1, 0], [("a",), ("b",)], ("s", "ann"), None]


async def test_rows_are_added_changed_and_found(migrated_url: str) -> None:
    async with open_database(migrated_url) as database:
        assert await database.write(used) == EXPECTED


async def test_whoever_listens_to_what_is_executed_hears_of_it(migrated_url: str) -> None:
    heard: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        heard.append(statement.split()[0])

    async with open_database(migrated_url) as database:
        event.listen(Engine, "before_cursor_execute", note)
        try:
            assert await database.write(used) == EXPECTED
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    assert [word for word in heard if word in ("INSERT", "UPDATE", "SELECT")] == [
        "INSERT", "UPDATE", "UPDATE", "SELECT", "SELECT", "SELECT",
    ]  # fmt: skip


async def test_what_the_driver_refuses_is_told_as_by_sqlalchemy_and_nothing_is_stored(migrated_url: str) -> None:
    def twice(connection: Connection) -> None:
        ADD.run(connection, ROWS[0])
        with pytest.raises(IntegrityError):
            ADD.run(connection, ROWS[0])
        ADD.run(connection, ROWS[0])

    async with open_database(migrated_url) as database:
        with pytest.raises(ConflictError):
            await database.write(twice)
        assert await database.read(lambda c: ALL.all(c, {})) == []


async def test_a_value_that_is_left_out_is_an_error_and_no_null(migrated_url: str) -> None:
    async with open_database(migrated_url) as database:
        with pytest.raises(KeyError):
            await database.read(lambda c: ONE.first(c, {}))
