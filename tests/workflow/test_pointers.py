"""JSON Pointer by RFC 6901: its own examples, writing, and that what is written is found again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import ExpressionError
from workflow.json.pointers import NOTHING, child, parse_pointer, replaced, resolve

DOCUMENT: dict[str, Any] = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "m~n": 8, " ": 7, 'k"l': 6}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        *(("", DOCUMENT), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2)),
        *(("/m~0n", 8), ("/ ", 7), ('/k"l', 6), ("/foo/2", NOTHING), ("/foo/-", NOTHING), ("/foo/01", NOTHING)),
        *(("/foo/٠", NOTHING), ("/foo/bar/x", NOTHING), ("/none", NOTHING)),
    ],
)
def test_a_pointer_leads_where_rfc_6901_says(pointer: str, value: Any) -> None:
    assert resolve(DOCUMENT, parse_pointer(pointer)) == value


@pytest.mark.parametrize("pointer", ["foo", "/a~", "/a~2", "#/a"])
def test_text_that_is_no_pointer_is_refused(pointer: str) -> None:
    with pytest.raises(ExpressionError):
        parse_pointer(pointer)


@given(st.lists(st.text()))
def test_a_pointer_built_token_by_token_reads_as_these_tokens(parts: list[str]) -> None:
    pointer = ""
    for part in parts:
        pointer = child(pointer, part)
    assert parse_pointer(pointer) == tuple(parts)


@given(JSON, st.lists(st.text(max_size=3), max_size=3), JSON)
def test_what_is_set_is_found_there_and_nothing_else_changes(value: Any, parts: list[str], new: Any) -> None:
    before = repr(value)
    found = replaced(value, tuple(parts), new)
    assert repr(value) == before
    if found is not NOTHING and parts[-1:] != ["-"]:
        assert resolve(found, tuple(parts)) == new


def test_a_member_may_be_new_and_an_element_must_exist_or_be_appended() -> None:
    assert replaced({"a": [1]}, ("b",), 2) == {"a": [1], "b": 2}
    assert replaced({"a": [1]}, ("a", "-"), 2) == {"a": [1, 2]}
    assert replaced({"a": [1]}, ("a", "1"), 2) is NOTHING
    assert replaced({"a": [1]}, ("b", "c"), 2) is NOTHING
