"""Lists whose elements have to differ: as JSON, however they are written."""

from typing import Any

import pytest

from workflow.errors import DocumentError
from workflow.json.members import MemberPlace, anything, elements


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": {"c": [1, 2]}}, {"b": {"c": [1, 2]}, "a": 1.0}),
        ([1, {"x": None}], [1.0, {"x": None}]),
        ("s", "s"),
        (1, 1.0),
        ({}, {}),
    ],
)
def test_elements_that_are_equal_as_json_are_refused_at_the_second(one: Any, other: Any) -> None:
    with pytest.raises(DocumentError) as refused:
        elements(MemberPlace([one, "between", other], "case", "/list"), anything)
    assert refused.value.pointer == "/list/2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": {"c": [1, 2]}}, {"a": 1, "b": {"c": [2, 1]}}),
        ([1, 2], [2, 1]),
        (True, 1),
        ("1", 1),
        ({"a": None}, {"a": "x"}),
        ({"a": False}, {"a": 0}),
    ],
)
def test_elements_that_differ_in_any_depth_are_read(one: Any, other: Any) -> None:
    assert elements(MemberPlace([one, other], "case", "/list"), anything) == (one, other)
