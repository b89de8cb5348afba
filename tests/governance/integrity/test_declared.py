"""Every table, column and trigger is declared: whose word counts, or why it does not matter. A new one fails here."""

import json
from pathlib import Path

from governance.integrity import objects
from governance.integrity.declared import TABLES
from governance.storage.models import METADATA

# What each trigger is there for; a trigger without a word here fails.
TRIGGERS = {
    "audit_unchanged": "rows of the audit are never changed",
    "audit_kept": "nor taken away",
    "revisions_kept": "revisions are never taken away",
    "revisions_unchanged": "their content is never changed",
    "bundles_kept": "what was imported is remembered",
    "bundles_unchanged": "as it was",
}
NOTICES = "_noticed"
"""Triggers that raise the catalog's version end so."""


def test_every_table_is_declared_and_none_that_is_not_there() -> None:
    assert set(TABLES) - {"alembic_version"} == set(METADATA.tables)


def test_every_open_column_is_there_and_has_a_reason() -> None:
    for name, declared in TABLES.items():
        assert declared.why, name
        assert all(declared.open.values()), name
        if declared.open:
            assert set(declared.open) <= {column.name for column in METADATA.tables[name].columns}, name


def test_every_trigger_is_declared() -> None:
    golden = json.loads(Path(objects.__file__).with_name("objects.json").read_text())
    names = {name for kind in golden.values() for what, name, *_ in kind if what == "trigger"}
    assert {name for name in names if not name.endswith(NOTICES)} <= set(TRIGGERS)
