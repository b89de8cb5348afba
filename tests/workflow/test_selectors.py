"""Selectors: what they select, and that no value put into one can change it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.samples import examples
from workflow.documents.document import ExpressionType, Selector
from workflow.documents.scope import Reply, Scope
from workflow.documents.selectors import compile_path, compile_selection, compile_selector
from workflow.errors import ExpressionError
from workflow.json.pointers import NOTHING

VMS = [{"name": "a", "uuid": "1"}, {"name": "b", "uuid": "2"}, {"name": "b", "uuid": "3"}]
HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(
        ["' || true || '", "'] | $..*", "\\' || @ == '", '" || 1 == 1 || "', "')]", "{$inputs.x}", ".*", "\\"]
    ),
)


def scope(body: Any = None, **inputs: Any) -> Scope:
    return Scope(inputs=inputs, reply=Reply(200, {}, body))


def select(selector: str, body: Any, kind: str = "jsonpath", **inputs: Any) -> Any:
    return compile_selector(Selector("$response.body", selector, kind)).evaluate(scope(body, **inputs))


def test_one_match_is_the_value_itself_several_are_the_list_and_none_is_nothing() -> None:
    lookup = "$[?@.name == '{$inputs.vm}' || @.uuid == '{$inputs.vm}'].uuid"
    assert select(lookup, VMS, vm="a") == "1"
    assert select(lookup, VMS, vm="3") == "3"
    assert select(lookup, VMS, vm="b") == ["2", "3"]
    assert select(lookup, VMS, vm="c") is NOTHING


def test_a_bare_expression_in_a_filter_keeps_its_type() -> None:
    assert select("$[?@ == {$inputs.n}]", [1, "1", True], n=1) == 1
    assert select("$[?@ == {$inputs.n}]", [1, "1", True], n="1") == "1"
    assert select("$[?@ == {$inputs.n}]", [1, {"a": 1}], n={"a": 1}) == {"a": 1}


def test_a_member_name_and_an_index_may_come_from_a_value() -> None:
    assert select("$['{$inputs.key}']", {"a'b": 1}, key="a'b") == 1
    assert select("$[{$inputs.at}]", [5, 6], at=1) == 6
    assert select("$[{$inputs.at}]", {"x": 7}, at="x") == 7
    assert select("$[?@['{$inputs.key}'] == '{$inputs.value}'].n", [{"k": "v", "n": 3}], key="k", value="v") == 3
    assert select("$[{$inputs.at}]", [5, 6], at=1.5) is NOTHING


def test_a_json_pointer_takes_values_as_single_tokens() -> None:
    assert select("/a~1b/{$inputs.key}", {"a/b": {"x/~y": 4}}, "jsonpointer", key="x/~y") == 4
    assert select("/a", {"b": 1}, "jsonpointer") is NOTHING
    assert select("/a", {"a": None}, "jsonpointer") is None


def test_a_value_that_is_not_there_selects_nothing_even_where_nothing_equals_nothing() -> None:
    assert select("$[?@.name == '{$inputs.vm}']", [{"uuid": 1}]) is NOTHING
    assert select("$[?@.name == {$inputs.vm}]", [{"uuid": 1}]) is NOTHING


def test_xpath_is_refused_by_name() -> None:
    with pytest.raises(ExpressionError, match="xpath"):
        compile_selection("xpath", "/a")
    with pytest.raises(ExpressionError, match="xpath"):
        compile_selector(Selector("$response.body", "/a", ExpressionType("xpath", "xpath-31")))


@pytest.mark.parametrize(
    "text",
    [
        "$[?@.a == switchgear_bound(0)]",
        "$.{$inputs.x}",
        "$[?@.a == '{$nope}']",
        "$[?@.a == 'x{$inputs.x}\\q']",
        "{$inputs.x}",
    ],
)
def test_a_query_that_makes_no_sense_is_refused_before_it_is_run(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_path(text)


@pytest.mark.parametrize(("given_id", "found"), [("7", ["7", 7, 7.0]), (7, ["7", 7, 7.0]), ("true", []), ("07", [])])
def test_an_id_is_found_by_its_value_whether_the_device_gives_a_number_or_a_text(
    given_id: Any, found: list[Any]
) -> None:
    body = [{"id": each} for each in ("7", 7, 7.0, 70, True, None, [7])]
    for query in ("@.id == '{$inputs.v}'", "'{$inputs.v}' == @.id"):
        assert compile_path(f"$[?{query}].id").find(body, scope(v=given_id)) == found
    others = compile_path("$[?@.id != '{$inputs.v}'].id").find(body, scope(v=given_id))
    assert len(others) == len(body) - len(found)  # type: ignore[arg-type]


@pytest.mark.parametrize("literal", ["'7'", "7"])
def test_a_literal_of_the_document_is_compared_with_its_type_as_the_standard_says(literal: str) -> None:
    found = compile_path(f"$[?@ == {literal}]").find(["7", 7], scope())
    assert found == ["7" if "'" in literal else 7]


@settings(max_examples=examples(400), deadline=None)
@given(HOSTILE, HOSTILE)
def test_a_value_in_a_quoted_literal_selects_only_what_equals_it(value: str, other: str) -> None:
    body = [{"name": value}, {"name": other}, {"name": "x" + value}, {"name": None}, {}]
    for quote in ("'", '"'):
        found = compile_path(f"$[?@.name == {quote}{{$inputs.v}}{quote}].name").find(body, scope(v=value))
        assert found == [each["name"] for each in body if each.get("name") == value]
        found = compile_path(f"$[?@.name == {quote}x{{$inputs.v}}{quote}].name").find(body, scope(v=value))
        assert found == [each["name"] for each in body if each.get("name") == "x" + value]


@settings(max_examples=examples(400), deadline=None)
@given(HOSTILE, HOSTILE)
def test_a_value_in_a_pattern_matches_itself_literally(value: str, other: str) -> None:
    body = [value, other, value + "z", "z" + value]
    query = compile_path("$[?match(@, '{$inputs.v}')]")
    assert query.find(body, scope(v=value)) == [each for each in body if each == value]
    query = compile_path("$[?match(@, {$inputs.v})]")
    assert query.find(body, scope(v=value)) == [each for each in body if each == value]
    query = compile_path("$[?search(@, 'z{$inputs.v}$')]")
    assert query.find(body, scope(v=value)) == [each for each in body if each.endswith("z" + value)]


@settings(max_examples=examples(400), deadline=None)
@given(HOSTILE, HOSTILE)
def test_a_value_as_a_member_name_is_that_name(value: str, other: str) -> None:
    body = {other: 1, "safe": 3, value: 2}
    for text in ("$['{$inputs.v}']", '$["{$inputs.v}"]', "$[{$inputs.v}]"):
        assert compile_path(text).find(body, scope(v=value)) == [2]


@settings(max_examples=examples(300), deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_a_bare_value_of_any_type_compares_as_that_value(value: Any) -> None:
    found = compile_path("$[?@ == {$inputs.v}]").find([value, "other"], scope(v=value))
    expected = [each for each in [value, "other"] if json.dumps(each) == json.dumps(value)]
    assert found == expected


@settings(max_examples=examples(300), deadline=None)
@given(HOSTILE)
def test_a_value_in_a_json_pointer_stays_one_token(value: str) -> None:
    query = compile_selection("jsonpointer", "/a/{$inputs.v}")
    assert query.find({"a": {value: 1}}, scope(v=value)) == [1]
