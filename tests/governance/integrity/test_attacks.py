"""Whoever writes the database gains nothing: every column of every table, every row added, taken away or swapped.

After each attack nothing can be had that could not be had before (a right, a vote, a run, a message, an address), and
`doctor` says what was changed. By default some of the attacks are made, under `long` all of them.
"""

import itertools
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Engine, Table, create_engine, event, text

from governance.audit.log import verify_chain
from governance.integrity.declared import TABLES
from governance.integrity.survey import _found
from governance.storage.connections import parse_url
from governance.storage.database import Database
from governance.storage.models import METADATA
from tests.governance.integrity.furnished import FUTURE, PAST, Inside, furnish, had
from workflow.json.canonical import digest

COLUMNS = [(table, column.name) for table, known in METADATA.tables.items() for column in known.columns]
# What may follow from rows that are taken away, and why that is so: docs/THREATS.md.
UNTOLD_WHEN_GONE = {"plans", "sessions", "webhook_uses", "event_deliveries", "audit", "audit_head"}
# One row, or rows that are alike but for what tells them apart.
SINGLE = {"audit_head", "catalog_change", "apis", "profiles", "policies", "bundle_threshold", "bundles"}
SINGLE |= {"disabled_workflows", "webhook_uses", "event_deliveries"}
NO_KEYS = {"sqlite": "PRAGMA defer_foreign_keys=ON", "postgresql": "SET LOCAL session_replication_role = replica"}
# A value of the column's kind that gives more than the row had.
MORE: dict[str, list[Any]] = {
    "role": ["admin"], "scope": ["{}"], "also": ['["cli:ann"]'], "state": ["approved"], "outcome": [None, "unknown"],
    "used_at": [None], "applied_by": [None], "revoked_at": [None], "disabled_at": [None], "next_at": [PAST],
    "expires_at": [FUTURE], "ends_at": [FUTURE], "votes": ['["ann","eve"]', "[]"], "is_paused": [True],
    "signatures": [1],
    "cancel_by": ["eve"], "inputs": ['{"vm":"other"}'], "base_url": ["https://10.6.6.6"], "url": ["https://10.6.6.6"],
    "secret_ref": ["env:PATH"], "kinds": ["[]"], "apis": ['["toy"]'], "body": ['{"classes":{}}'], "part": [1],
    "resume": ['{"turn":{"number":9}}'], "mode": ["twin"], "is_default": [True, False], "labels": ['{"a":"b"}'],
    "limits": ['{"connections":9}'], "detail": ['{"a":1}'], "version": [99], "seq": [99], "number": [99],
    "id": ["x", 99],
    "status": [500], "tries": [5], "rank": [0.75], "duration_ms": [1.5], "is_core": [False], "is_durable": [False],
}  # fmt: skip


def values_for(column: Column[Any]) -> list[Any]:
    kind = column.type.python_type
    given = [each for each in MORE.get(column.name, []) if each is None or isinstance(each, kind)]
    usual: dict[type, Any] = {str: "x", int: 7, float: 0.125, bool: True}
    return [*given, usual[kind], *([None] if column.nullable else [])]


@pytest.fixture
async def furnished(database: Database, tmp_path: Path) -> dict[str, Any]:
    return await furnish(database, tmp_path)


@pytest.fixture
def engine(url: str, furnished: dict[str, Any]) -> Iterator[Engine]:
    made = create_engine(parse_url(url))
    if made.dialect.name == "sqlite":

        @event.listens_for(made, "connect")
        def _plain(connection: Any, _: object) -> None:
            connection.isolation_level = None

        @event.listens_for(made, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN")

    yield made
    made.dispose()


def unguarded(connection: Connection) -> None:
    """As whoever attacks leaves it: no trigger stands in the way, and no reference."""
    connection.execute(text(NO_KEYS[connection.dialect.name]))
    if connection.dialect.name == "sqlite":
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f"DROP TRIGGER {name}"))


def told(connection: Connection) -> list[str]:
    """What `doctor` says of rows: of the triggers that were dropped for the attack nothing is to be said here."""
    verdict = verify_chain(connection)
    objects = ("the trigger", "the index", "the table", "the constraint")
    found = [each for each in _found(connection) if not each.startswith(objects)]
    return found if verdict.ok else [verdict.reason, *found]


class Attacked:
    """One attack after the other on the same database, each rolled back."""

    def __init__(self, engine: Engine, known: dict[str, Any], now: str) -> None:
        self.engine, self.known, self.now = engine, known, now
        self.before: set[str] = set()

    async def by(self, statement: str, **values: Any) -> tuple[int, set[str], list[str]]:
        """How many rows it changed, what can be had now and could not before, and what is told of it."""
        with self.engine.connect() as connection, connection.begin() as whole:
            unguarded(connection)
            try:
                with connection.begin_nested():
                    changed = connection.execute(text(statement), values).rowcount if statement else 0
            except Exception:  # noqa: BLE001  the database itself refuses such a row
                whole.rollback()
                return 0, set(), []
            said = told(connection)
            now = await had(Inside(connection, self.now), self.known)
            whole.rollback()
        return changed, now - self.before, said


@pytest.fixture
async def attacked(engine: Engine, furnished: dict[str, Any], database: Database) -> Attacked:
    attack = Attacked(engine, furnished, database.now())
    _, attack.before, said = await attack.by("")
    assert said == []
    assert len(attack.before) > 40, "what can be had of an unharmed database"
    return attack


def attacks(step: int) -> Iterator[tuple[str, str, Any]]:
    made = [
        (table, name, value) for table, name in COLUMNS for value in values_for(METADATA.tables[table].columns[name])
    ]
    return itertools.islice(made, 0, None, step)


async def attack_columns(attacked: Attacked, step: int) -> int:
    count = 0
    for table, name, value in attacks(step):
        changed, gained, said = await attacked.by(
            f"UPDATE {table} SET {name} = :value WHERE {name} IS DISTINCT FROM :value", value=value
        )
        what = f"{table}.{name} = {value!r}"
        if changed:
            count += 1
            assert not gained, what
            assert said or name in TABLES[table].open, what
    return count


async def attack_rows(attacked: Attacked, step: int, attack: Callable[[Table], str], untold: Collection[str]) -> None:
    for known in itertools.islice(METADATA.tables.values(), 0, None, step):
        statement = attack(known)
        changed, gained, said = await attacked.by(statement) if statement else (0, set(), [])
        assert not gained, known.name
        assert said or not changed or known.name in untold, known.name


def added(table: Table) -> str:
    *_, last = (column.name for column in table.primary_key.columns)
    other = "900" if table.columns[last].type.python_type is int else "'zz-added'"
    unique = {"secret_hash": "'h'", "number": "900", "asked_key": "'k'", "is_default": "FALSE"} | {last: other}
    unique |= {"state": "'retired'"} if table.name == "revisions" else {}
    names = [column.name for column in table.columns]
    chosen = ", ".join(unique.get(name, name) for name in names)
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {chosen} FROM {table} LIMIT 1"


def taken_away(table: Table) -> str:
    return f"DELETE FROM {table}"


def swapped(table: Table) -> str:
    """All rows get what the first has, but for what tells them apart."""
    keys = [column.name for column in table.primary_key.columns]
    others = [
        column.name for column in table.columns if column.name not in (*keys, "number", "asked_key", "is_default")
    ]
    first = f"FROM {table} b ORDER BY {', '.join('b.' + key for key in keys)} LIMIT 1"
    sets = ", ".join(f"{name} = (SELECT b.{name} {first})" for name in others if not table.columns[name].unique)
    return f"UPDATE {table} SET {sets}" if sets else ""


ROWS = {"added": (added, ()), "taken away": (taken_away, UNTOLD_WHEN_GONE), "swapped": (swapped, SINGLE)}


@pytest.mark.slow
async def test_whatever_is_written_into_a_column_gives_nothing_and_is_told(attacked: Attacked) -> None:
    assert await attack_columns(attacked, step=20) > 10


@pytest.mark.parametrize("kind", ROWS)
async def test_a_row_that_is_added_taken_away_or_swapped_gives_nothing_and_is_told(
    attacked: Attacked, kind: str
) -> None:
    await attack_rows(attacked, 6, *ROWS[kind])


@pytest.mark.long
async def test_whatever_is_written_into_any_column_gives_nothing_and_is_told(attacked: Attacked) -> None:
    assert await attack_columns(attacked, step=1) > 250


@pytest.mark.long
@pytest.mark.parametrize("kind", ROWS)
async def test_a_row_of_any_table_that_is_added_taken_away_or_swapped_gives_nothing_and_is_told(
    attacked: Attacked, kind: str
) -> None:
    await attack_rows(attacked, 1, *ROWS[kind])


async def test_a_key_that_is_put_on_another_run_answers_for_nothing(attacked: Attacked) -> None:
    statement = "UPDATE runs SET asked_key = 'key-free', asked_print = :value WHERE id = 'ended'"
    forged = digest(["ended", attacked.known["start"].id, "lab", {"vm": "ended"}])
    changed, gained, said = await attacked.by(statement, value=forged)
    assert (changed, gained) == (1, set())
    assert "the key that it was asked for under was changed" in str(said)


async def test_a_plan_that_was_applied_twice_by_the_audit_is_told(attacked: Attacked) -> None:
    row = "(SELECT hash FROM audit_head)"
    statement = (
        "INSERT INTO audit (seq, at, actor, action, subject, detail, prev_hash, hash) "
        f"SELECT 1 + (SELECT seq FROM audit_head), at, actor, action, subject, detail, {row}, hash FROM audit "
        "WHERE action = 'plan.applied'"
    )
    changed, gained, said = await attacked.by(statement)
    assert (changed, gained) == (1, set())
    assert "the plan used was used twice" in said
