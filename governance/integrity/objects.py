"""The database's tables, triggers, indexes, functions as migrations make them; what is otherwise, and mending it.

What should be there stands in `objects.json`; the test that compares it with a database that was made anew writes it,
like every golden file. An object that was dropped, changed, disabled or added is told in a
sentence. `mend` puts guards back as they were made and takes away what is not ours; a table that was changed takes a
backup. Called by `survey`, the server at its start and `switchgear db mend`. Here never lives a row.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sqlalchemy import Connection, text

from governance.storage.models import METADATA

MADE_ANEW = ("trigger", "index", "function")
"""Kinds whose text makes them again."""
_SPACE = re.compile(r"\s+")
_SQLITE = "SELECT type AS kind, name, tbl_name AS place, sql AS body FROM sqlite_master WHERE sql IS NOT NULL"
_POSTGRESQL = (
    "SELECT 'trigger' AS kind, t.tgname AS name, c.relname AS place, pg_get_triggerdef(t.oid, true)"
    " || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' -- is disabled, or fires at other times' END AS body"
    " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE NOT t.tgisinternal AND n.nspname = current_schema()",
    "SELECT 'index', i.indexname, i.tablename, i.indexdef FROM pg_indexes i WHERE i.schemaname = current_schema()"
    " AND NOT EXISTS (SELECT 1 FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace"
    " WHERE k.conname = i.indexname AND n.nspname = current_schema())",
    "SELECT 'constraint', k.conname, c.relname, pg_get_constraintdef(k.oid, true)"
    " || CASE WHEN EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')"
    " THEN ' -- is disabled' ELSE '' END FROM pg_constraint k"
    " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE k.contype <> 'n' AND n.nspname = current_schema()",
    "SELECT 'table', c.relname, c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)"
    " || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END"
    " || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ''), ', ' ORDER BY a.attname)"
    " || CASE WHEN c.relrowsecurity THEN ' -- has row security' ELSE '' END"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname = current_schema() GROUP BY c.oid, c.relname, c.relrowsecurity",
    "SELECT 'rule', r.rulename, r.tablename, r.definition FROM pg_rules r WHERE r.schemaname = current_schema()"
    " AND r.rulename <> '_RETURN'",
    "SELECT DISTINCT 'function', p.proname, '', pg_get_functiondef(p.oid) FROM pg_proc p"
    " LEFT JOIN pg_trigger t ON t.tgfoid = p.oid AND NOT t.tgisinternal LEFT JOIN pg_class c ON c.oid = t.tgrelid"
    " LEFT JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_namespace own ON own.oid = p.pronamespace"
    " WHERE n.nspname = current_schema()"
    " OR (own.nspname = current_schema() AND p.proname LIKE 'switchgear!_%' ESCAPE '!')",
)


@dataclass(frozen=True, slots=True)
class Made:
    """An object as the database tells it; `place`: the table it belongs to."""

    kind: str
    name: str
    place: str
    body: str

    @property
    def key(self) -> str:
        where = "" if self.kind in ("table", "function") else f"{self.place}."
        return f"{self.kind} {where}{self.name}"


@dataclass(frozen=True, slots=True)
class ObjectDifference:
    """`wanted` is None for what is not ours, `found` for what is gone."""

    wanted: Made | None
    found: Made | None

    def __str__(self) -> str:
        one = self.wanted or self.found
        assert one is not None
        state = "was added" if self.wanted is None else "is gone" if self.found is None else "was changed"
        return f"the {one.kind} {one.name}{f' of {one.place}' if one.place not in ('', one.name) else ''} {state}"

    @property
    def can_be_mended(self) -> bool:
        one = self.wanted or self.found
        return one is not None and (one.kind in MADE_ANEW or (self.wanted is None and one.kind == "rule"))


def differences(connection: Connection) -> tuple[ObjectDifference, ...]:
    """What is not as migrations make it, in the order of kinds and names."""
    wanted, found = _expected(connection.dialect.name), {each.key: each for each in _found(connection)}
    keys = sorted({*wanted, *found})
    return tuple(ObjectDifference(wanted.get(key), found.get(key)) for key in keys if wanted.get(key) != found.get(key))


def mend(connection: Connection) -> tuple[str, ...]:
    """Puts triggers, indexes and functions back as they were made, within a writing transaction; what was done."""
    todo = [each for each in differences(connection) if each.can_be_mended]
    for each in todo:
        if each.found is not None and (each.found.kind != "function" or each.wanted is None):
            connection.execute(text(_dropping(connection, each.found)))
    for made in sorted((each.wanted for each in todo if each.wanted), key=lambda made: made.kind != "function"):
        connection.exec_driver_sql(made.body)
    return tuple(map(str, todo))


def _dropping(connection: Connection, made: Made) -> str:
    quoted = connection.dialect.identifier_preparer.quote
    cascade = " CASCADE" if made.kind == "function" else ""
    is_of_table = connection.dialect.name == "postgresql" and made.kind in ("trigger", "rule")
    where = f" ON {quoted(made.place)}" if is_of_table else ""
    return f"DROP {made.kind.upper()} IF EXISTS {quoted(made.name)}{where}{cascade}"


def _found(connection: Connection) -> Iterator[Made]:
    is_sqlite = connection.dialect.name == "sqlite"
    ours = {*METADATA.tables, "alembic_version"}
    schema = "" if is_sqlite else str(connection.execute(text("SELECT current_schema()")).scalar())
    for statement in (_SQLITE,) if is_sqlite else _POSTGRESQL:
        for row in connection.execute(text(statement)):
            kind, name, place, body = map(str, row)
            if place in ours or kind == "function" or (is_sqlite and not name.startswith("sqlite_")):
                yield Made(kind, name, place, _plain(body, schema))


def _plain(body: str, schema: str) -> str:
    """Without what differs between two databases that were made alike: spaces, and the schema's name."""
    if schema:
        body = re.sub(rf'(?<![\w"])"?{re.escape(schema)}"?\.', "", body)
    return _SPACE.sub(" ", body).strip()


@cache
def _expected(kind: str) -> Mapping[str, Made]:
    told = json.loads(files("governance.integrity").joinpath("objects.json").read_text())
    return {each.key: each for each in (Made(*one) for one in told[kind])}


def printed(connection: Connection) -> list[list[str]]:
    """What stands in `objects.json` for this kind of database."""
    found = sorted(_found(connection), key=lambda each: each.key)
    return [[each.kind, each.name, each.place, each.body] for each in found]
