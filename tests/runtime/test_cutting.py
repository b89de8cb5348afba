"""What is left of big outputs is small, valid and honest about what is missing."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.mcp.cutting import cut, told_cuts

LIMIT = 1000


def anything(_outputs: Any) -> bool:
    return True


def size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def test_what_fits_is_left_alone() -> None:
    outputs = {"items": [1, 2, 3], "text": "x" * 500}
    shown = cut(outputs, anything, LIMIT)
    assert (shown.outputs, shown.whole_bytes, dict(shown.kept)) == (outputs, 0, {})


def test_lists_are_cut_before_texts_and_what_is_missing_is_told() -> None:
    outputs = {"items": [{"n": n} for n in range(400)], "text": "x" * 500}
    shown = cut(outputs, anything, LIMIT)
    assert shown.outputs["items"] == [{"n": n} for n in range(50)]
    assert shown.outputs["text"] == outputs["text"]
    assert shown.whole_bytes == size(outputs)
    assert "/items: 50 of 400 items" in told_cuts(shown, "switchgear://x")


def test_a_long_text_is_cut_when_lists_do_not_help() -> None:
    shown = cut({"file": "x" * 5000}, anything, LIMIT)
    assert shown.outputs == {"file": "x" * 200}
    assert dict(shown.kept) == {"/file": "200 of 5000 characters"}


def test_where_the_schema_forbids_a_shorter_list_a_whole_output_is_left_out() -> None:
    schema = {
        "type": "object",
        "properties": {"items": {"type": "array", "minItems": 400}, "state": {"type": "string"}},
        "required": ["state"],
    }
    accepts = jsonschema_rs.validator_for(schema).is_valid
    shown = cut({"items": list(range(400)), "state": "ok"}, accepts, LIMIT)
    assert shown.outputs == {"state": "ok"}
    assert dict(shown.kept) == {"/items": "nothing"}


def test_where_nothing_smaller_is_valid_the_whole_is_shown() -> None:
    outputs = {"items": list(range(400))}
    accepts = jsonschema_rs.validator_for({"properties": {"items": {"minItems": 400}}, "required": ["items"]}).is_valid
    shown = cut(outputs, accepts, LIMIT)
    assert (shown.outputs, shown.whole_bytes) == (outputs, 0)


def test_only_a_few_of_many_cuts_are_told() -> None:
    outputs = {"rows": [{"cells": list(range(30))} for _ in range(20)]}
    shown = cut(outputs, anything, LIMIT)
    told = told_cuts(shown, "switchgear://x")
    assert "more" in told
    assert len(told) < LIMIT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=60,
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(outputs=st.dictionaries(st.text(max_size=5), JSON, max_size=5))
def test_whatever_comes_out_fits_and_says_whether_it_is_whole(outputs: dict[str, Any]) -> None:
    shown = cut(outputs, anything, LIMIT)
    assert size(shown.outputs) <= LIMIT
    assert (shown.outputs == outputs) == (shown.whole_bytes == 0)
    assert bool(shown.kept) == bool(shown.whole_bytes)


@pytest.mark.parametrize("required", [True, False])
def test_the_order_of_items_and_members_stays(required: bool) -> None:
    outputs = {"b": list(range(500)), "a": [{"z": 1, "y": 2}] * 300}
    names = ["b", "a"] if required else []
    accepts = jsonschema_rs.validator_for({"required": names}).is_valid
    shown = cut(outputs, accepts, LIMIT)
    assert list(shown.outputs) == ["b", "a"]
    assert shown.outputs["b"] == list(range(len(shown.outputs["b"])))
