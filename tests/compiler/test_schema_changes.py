"""The comparison of two descriptions' schemas is bounded: shared ones once, each pair once, and no pair without end."""

from typing import Any

import pytest

from compiler.changes import schema_changes
from compiler.changes.schema_changes import SchemaChanges
from compiler.ir.model import Api
from compiler.twin.values.validation import SchemaView

Json = Any


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def linked(count: int, leaf: Json, text: str = "") -> Api:
    """Schemas in a circle, one of which says `leaf`."""
    schemas = {
        f"C{n}": {"type": "object", "description": text, "properties": {"next": ref(f"C{(n + 1) % count}")}}
        for n in range(count)
    }
    schemas["C0"]["properties"]["leaf"] = leaf
    schemas["Alone"] = {"type": "string"}
    return Api("a", "A", "1", "sha256:" + "0" * 64, "", (), schemas)


def test_what_reaches_nothing_that_differs_says_the_same_and_nobody_looks_closer() -> None:
    changes = SchemaChanges(linked(5, {"type": "string"}), linked(5, {"type": "integer"}))
    assert changes.are_same(ref("Alone"), ref("Alone"))
    assert not changes.are_same(ref("C3"), ref("C3"))  # three references away from it
    assert not changes.are_same(ref("Alone"), {"type": "string"})


def test_each_pair_is_decided_once_however_many_operations_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Json] = []

    def counted(wide: Json, narrow: Json) -> bool | None:
        asked.append((wide, narrow))
        return True

    monkeypatch.setattr(schema_changes, "_covers", counted)
    changes = SchemaChanges(linked(5, {"type": "string"}), linked(5, {"type": "integer"}))
    assert [changes.takes_no_less(ref("C1"), ref("C1"), SchemaView.REQUEST) for _ in range(50)] == [True] * 50
    assert len(asked) == 1
    changes.takes_no_less(ref("C1"), ref("C1"), SchemaView.RESPONSE)
    assert len(asked) == 2


def test_a_pair_that_reaches_too_much_is_left_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_changes, "_covers", lambda _wide, _narrow: pytest.fail("it was looked at"))
    old, new = (linked(300, {"type": kind}, "x" * 500) for kind in ("string", "integer"))
    changes = SchemaChanges(old, new)
    assert changes.takes_no_less(ref("C1"), ref("C1"), SchemaView.REQUEST) is None
