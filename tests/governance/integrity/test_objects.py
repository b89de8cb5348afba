"""Every trigger, index, table and function is as migrations make it, or is told; guards are put back."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text

from governance.integrity import objects
from governance.integrity.objects import Made, differences, mend, printed
from governance.integrity.survey import alterations, altered_objects
from governance.storage.connections import parse_url
from governance.storage.database import Database

GOLDEN = Path(objects.__file__).with_name("objects.json")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(parse_url(url))
    if made.dialect.name == "sqlite":  # so that what defines tables is rolled back too

        @event.listens_for(made, "connect")
        def _plain(connection: Any, _: object) -> None:
            connection.isolation_level = None

        @event.listens_for(made, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN")

    yield made
    made.dispose()


def test_the_golden_objects_are_those_of_a_database_that_was_made_anew(engine: Engine) -> None:
    told = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    with engine.connect() as connection:
        found = printed(connection)
        if os.environ.get("SWITCHGEAR_REWRITE_GOLDEN"):
            told[engine.dialect.name] = found
            GOLDEN.write_text(json.dumps(dict(sorted(told.items())), indent=1) + "\n")
            objects._expected.cache_clear()
        assert found == told[engine.dialect.name]
        assert differences(connection) == ()


HARM = {"sqlite": "BEGIN UPDATE principals SET role = 'admin'; END", "postgresql": "EXECUTE FUNCTION harm()"}


def dropping(made: Made, kind: str) -> str:
    return f"DROP {made.kind} {made.name}" + (
        f" ON {made.place}" if (kind, made.kind) == ("postgresql", "trigger") else ""
    )


def guards(kind: str) -> list[Made]:
    told = [Made(*each) for each in json.loads(GOLDEN.read_text())[kind]]
    return [each for each in told if each.kind in ("trigger", "index")]


def attacked(connection: Connection, statement: str) -> list[str]:
    connection.execute(text(statement))
    return [str(each) for each in differences(connection)]


async def test_what_doctor_and_audit_verify_ask_tells_of_a_trigger_that_is_gone(
    database: Database, engine: Engine
) -> None:
    made = next(each for each in guards(engine.dialect.name) if each.kind == "trigger")
    with engine.begin() as connection:
        connection.execute(text(dropping(made, engine.dialect.name)))
    told = f"the trigger {made.name} of {made.place} is gone"
    assert told in await alterations(database)
    assert told in await altered_objects(database)


def test_each_trigger_and_index_that_is_dropped_is_told_and_put_back(engine: Engine) -> None:
    found = guards(engine.dialect.name)
    assert len(found) > 25
    for made in found:
        with engine.connect() as connection, connection.begin() as whole:
            told = attacked(connection, dropping(made, engine.dialect.name))
            assert told == [f"the {made.kind} {made.name} of {made.place} is gone"]
            assert mend(connection) == tuple(told)
            assert differences(connection) == ()
            whole.rollback()


def test_each_index_that_was_made_another_is_told_and_put_back(engine: Engine) -> None:
    for made in guards(engine.dialect.name):
        if made.kind != "index":
            continue
        with engine.connect() as connection, connection.begin() as whole:
            connection.execute(text(dropping(made, engine.dialect.name)))
            column = "hash" if made.place == "audit" else "created_at"
            is_there = column in {each["name"] for each in inspect(connection).get_columns(made.place)}
            if is_there:
                told = attacked(connection, f"CREATE INDEX {made.name} ON {made.place} ({column})")
                assert told == [f"the index {made.name} of {made.place} was changed"]
                mend(connection)
                assert differences(connection) == ()
            whole.rollback()


def test_a_trigger_and_an_index_that_are_added_to_any_table_are_told_and_taken_away(engine: Engine) -> None:
    kind = engine.dialect.name
    for table in inspect(engine).get_table_names():
        with engine.connect() as connection, connection.begin() as whole:
            if kind == "postgresql":
                connection.execute(text(FUNCTION))
            connection.execute(text(f"CREATE TRIGGER harm AFTER INSERT ON {table} FOR EACH ROW {HARM[kind]}"))
            first = inspect(connection).get_columns(table)[0]["name"]
            told = attacked(connection, f"CREATE INDEX more ON {table} ({first})")
            assert {f"the trigger harm of {table} was added", f"the index more of {table} was added"} <= set(told)
            mend(connection)
            assert differences(connection) == ()
            whole.rollback()


FUNCTION = (
    "CREATE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN UPDATE principals SET role = 'admin'; RETURN NULL; END $$"
)
OTHERS = {
    "sqlite": (
        ("CREATE TABLE more (id INTEGER)", "the table more was added"),
        ("ALTER TABLE plans ADD COLUMN more TEXT", "the table plans was changed"),
        ("CREATE VIEW more AS SELECT 1", "the view more was added"),
    ),
    "postgresql": (
        ("ALTER TABLE audit DISABLE TRIGGER audit_unchanged", "the trigger audit_unchanged of audit was changed"),
        ("ALTER TABLE plans ADD COLUMN more TEXT", "the table plans was changed"),
        ("ALTER TABLE plans ALTER COLUMN digest DROP NOT NULL", "the table plans was changed"),
        (
            "ALTER TABLE plans DROP CONSTRAINT fk_plans_revision_id",
            "the constraint fk_plans_revision_id of plans is gone",
        ),
        ("ALTER TABLE plans ENABLE ROW LEVEL SECURITY", "the table plans was changed"),
        ("CREATE RULE more AS ON DELETE TO plans DO INSTEAD NOTHING", "the rule more of plans was added"),
        (
            "CREATE OR REPLACE FUNCTION switchgear_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN NULL; END $$",
            "the function switchgear_refuse was changed",
        ),
    ),
}


def test_whatever_else_was_made_otherwise_is_told(engine: Engine) -> None:
    for statement, wanted in OTHERS[engine.dialect.name]:
        with engine.connect() as connection, connection.begin() as whole:
            assert attacked(connection, statement) == [wanted]
            whole.rollback()
