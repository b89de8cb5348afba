"""Our evaluation of JSONPath against the library's, and the corners of RFC 9535.

The comparison leaves out booleans and slices: the library orders booleans and cuts strings, which RFC 9535 does not.
"""

import json
from typing import Any

import jsonpath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.samples import examples
from workflow.documents.queries import compile_query
from workflow.errors import ExpressionError

NAMES = ("a", "b", "name")
JSON = st.recursive(
    st.none() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "", "a", "b", "ab"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=15,
)
LITERAL = st.sampled_from(["1", "0", "-1", "0.5", "'a'", '"b"', "null", "1.0"])
SEGMENT = st.sampled_from(
    [".a", ".b", "['name']", "[0]", "[-1]", "[5]", "[*]", ".*", "..a", "..*", "..[0]", "['a','b']", "[0,1,0]"]
)
SINGULAR = st.lists(st.sampled_from([".a", ".b", "[0]", "[-1]", "['name']"]), max_size=2).map("".join)


@st.composite
def comparable(draw: st.DrawFn) -> str:
    root = draw(st.sampled_from("@$"))
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return draw(LITERAL)
    if kind == 1:
        return f"length({root}{draw(SINGULAR)})"
    if kind == 2:
        return f"count({root}{draw(SEGMENT)})"
    if kind == 3:
        return f"value({root}{draw(SEGMENT)})"
    return root + draw(SINGULAR)


@st.composite
def test_text(draw: st.DrawFn, depth: int = 0) -> str:
    kind = draw(st.integers(0, 6 if depth < 2 else 3))
    if kind <= 1:
        operator = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
        return f"{draw(comparable())} {operator} {draw(comparable())}"
    if kind == 2:
        return draw(st.sampled_from("@$")) + draw(SEGMENT)
    if kind == 3:
        return f"{draw(st.sampled_from(['match', 'search']))}(@{draw(SINGULAR)}, 'a.?|b')"
    if kind == 4:
        return f"!({draw(test_text(depth + 1))})"
    if kind == 5:
        return f"count($[?{draw(test_text(depth + 1))}]) == {draw(st.integers(0, 2))}"
    joined = draw(st.sampled_from([" && ", " || "]))
    return f"({draw(test_text(depth + 1))}{joined}{draw(test_text(depth + 1))})"


@st.composite
def query(draw: st.DrawFn) -> str:
    parts = draw(st.lists(SEGMENT, max_size=2))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), f"[?{draw(test_text())}]")
    return "$" + "".join(parts)


test_text.__test__ = False  # type: ignore[attr-defined]  # a strategy, no test


@pytest.mark.slow
@settings(max_examples=examples(1500), deadline=None)
@given(query(), st.one_of(st.lists(JSON, max_size=4), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3)))
def test_a_query_selects_what_the_library_selects(text: str, root: Any) -> None:
    try:
        expected = jsonpath.compile(text, strict=True).findall(root)
    except jsonpath.JSONPathError:
        with pytest.raises(ExpressionError):
            compile_query(text)
        return
    assume("value(" not in text or "..*" not in text)
    assert json.dumps(compile_query(text).find(root)) == json.dumps(expected)


@pytest.mark.parametrize(
    ("text", "root", "found"),
    [
        ("$[1:]", [1, 2, 3], [2, 3]),
        ("$[::-1]", [1, 2, 3], [3, 2, 1]),
        ("$[-3:-1]", [1, 2, 3, 4], [2, 3]),
        ("$[5:0:-2]", [0, 1, 2, 3, 4, 5], [5, 3, 1]),
        ("$[::0]", [1, 2], []),
        ("$[0:1]", "text", []),  # the library cuts strings too, which RFC 9535, 2.3.4.2.2, does not
        ("$[0][0:1]", ["text"], []),
        ("$[?@ == 1]", [1, True, 1.0, "1"], [1, 1.0]),
        ("$[?@.a == @.b]", [{"x": 1}, {"a": None}], [{"x": 1}]),
        ("$[?@ <= true]", [True, 1, False], [True]),
        ("$[?@ == $[0]]", [[1, {"a": 2}], [1, {"a": 2.0}], [True]], [[1, {"a": 2}], [1, {"a": 2.0}]]),
        ("$[?length(@) == 2]", ["ab", [1, 2], {"a": 1, "b": 2}, 2], ["ab", [1, 2], {"a": 1, "b": 2}]),
        ("$[?match(@, 'a.c')]", ["abc", "a\nc", "a\rc", "xabc"], ["abc"]),
        ("$[?search(@, '(')]", ["("], []),
        ("$", "text", ["text"]),
        ("$.a", '{"a": 1}', []),
        ("$..a", {"a": {"a": 1}}, [{"a": 1}, 1]),
    ],
)
def test_the_corners_of_rfc_9535_are_kept(text: str, root: Any, found: list[Any]) -> None:
    assert json.dumps(compile_query(text).find(root)) == json.dumps(found)


@pytest.mark.parametrize(
    "text", ["", "a", " $", "$ ", "$.a | $.b", "$[?@.a = 1]", "$[?length(@.*) == 1]", "$[01]", "$[?nope(@)]"]
)
def test_what_is_no_query_by_rfc_9535_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_query(text)


def test_a_lookup_among_a_thousand_things_looks_at_each_once() -> None:
    """The inner query on the root is evaluated once, not once for every element: else this takes a million steps."""
    things = [{"name": f"vm-{number}"} for number in range(3_000)]
    text = "$[?count($[?@.name == 'vm-7']) == 1]"
    assert len(compile_query(text).find(things)) == 3_000
