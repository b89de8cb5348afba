"""Criteria of all kinds: what holds, what does not, and that values cannot change them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.samples import examples
from workflow.documents.criteria import compile_criterion
from workflow.documents.document import Criterion, ExpressionType
from workflow.documents.scope import Reply, Scope
from workflow.errors import ExpressionError

BODY = {"count": 3, "data": None, "state": "Running", "text": "12", "a": {"b": [1, {"c d": 2}]}, "no": False, "": 0}
SCOPE = Scope(inputs={"n": 5, "s": "Abc", "list": [{"a": 1}], "q": "it's"}, reply=Reply(200, {"x-count": "12"}, BODY))


def holds(condition: str, context: str | None = None, kind: Any = None, scope: Scope = SCOPE) -> bool:
    return compile_criterion(Criterion(condition, context, kind)).holds(scope)


@pytest.mark.parametrize(
    "condition",
    [
        *("$statusCode == 200", "$statusCode==200&&$inputs.n>4", "$statusCode != 404", "!($statusCode == 404)"),
        *("$response.body.count > 2", "$response.body#/a/b[0] == 1", "$response.body#/a/b/1['c d'] == 2", "true"),
        *("$response.body#/state == 'RUNNING'", "$inputs.s == 'aBC'", "'a' < 'B'", "$inputs.q == 'it''s'"),
        *("$response.header.X-Count >= 12", "$response.body#/text == 12", "12 == '12'", "1 == 1.0", "-1.5e1 == -15"),
        *("$response.body#/missing == null", "$response.body#/data == null", "null == null", "$inputs.s != null"),
        *("$inputs.list[0].a == 1", "$response.body.a.b", "$inputs.s == '{$inputs.s}'", "{$inputs.n} == 5", "(((1)))"),
        *("false || true && true", "true || false && false", "$response.body#/no == false", "!$response.body#/no"),
        *("$inputs.n <= 5 && $inputs.n >= 5", "$statusCode == 200 || $statusCode == 404", " $statusCode  ==  200 "),
    ],
)
def test_a_simple_condition_holds(condition: str) -> None:
    assert holds(condition)


@pytest.mark.parametrize(
    "condition",
    [
        *("$statusCode == 404", "$response.body#/data != null", "null <= null", "null < 1", "$response.body#/no"),
        *("$response.body#/missing", "0", "''", "false", "null", "!true", "1 == true", "'true' == true", "'a' == 1"),
        *("$response.body#/a == 1", "'x' < 1", "(true || true) && false", "$inputs.n > 'abc'"),
    ],
)
def test_a_simple_condition_does_not_hold(condition: str) -> None:
    assert not holds(condition)


@pytest.mark.parametrize(
    "condition",
    [
        *("", "$statusCode ==", "== 200", "$statusCode = 200", "$nope == 1", "1 == 1 == 1", "(1", "1)", "a", "'a"),
        *("$statusCode == 200 &&", "$inputs.l[x] == 1", "$inputs.l[", "1 2", "{$nope}", "'{$nope}'", "'a' + 'b'"),
        "(" * 1000 + "1" + ")" * 1000,
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_before_it_is_run(condition: str) -> None:
    with pytest.raises(ExpressionError):
        compile_criterion(Criterion(condition))


def test_a_regular_expression_searches_the_text_of_its_context() -> None:
    assert holds(r"^2\d{2}$", "$statusCode", "regex")
    assert holds("run", "$response.body#/state", "regex") is False
    assert holds("(?i)run", "$response.body#/state", "regex")
    for context in ("$response.body#/missing", "$response.body#/data", "$response.body#/a"):
        assert not holds(".*", context, "regex")


def test_a_jsonpath_criterion_holds_when_anything_is_selected() -> None:
    assert holds("$.a.b[?@ == 1]", "$response.body", "jsonpath")
    assert holds("$.a.b[?@ == 1]", "$response.body", ExpressionType("jsonpath", "rfc9535"))
    assert not holds("$.a.b[?@ == 2]", "$response.body", "jsonpath")
    assert not holds("$", "$response.body#/data", "jsonpath")
    assert not holds("$", "$response.body#/missing", "jsonpath")


def test_the_lookup_idiom_tells_none_one_and_many() -> None:
    def counted(body: Any, comparison: str) -> bool:
        text = f"$[?count($[?@.name == '{{$inputs.vm}}' || @.uuid == '{{$inputs.vm}}']) {comparison}]"
        scope = Scope(inputs={"vm": "web"}, reply=Reply(200, {}, body))
        return holds(text, "$response.body", "jsonpath", scope)

    one, two, none = [{"name": "web"}, {"name": "db"}], [{"name": "web"}, {"uuid": "web"}], [{"name": "db"}]
    assert counted(one, "== 1")
    assert not counted(two, "== 1")
    assert counted(two, "> 1")
    assert not counted(none, "== 1")
    assert not counted([], "== 1")


def test_xpath_is_refused_by_name() -> None:
    with pytest.raises(ExpressionError, match="xpath"):
        compile_criterion(Criterion("/a", "$response.body", "xpath"))


@pytest.mark.parametrize("kind", ["regex", "jsonpath"])
def test_a_value_that_is_not_there_fails_the_criterion(kind: str) -> None:
    condition = "^{$inputs.missing}$" if kind == "regex" else "$[?@ == '{$inputs.missing}']"
    assert not holds(condition, "$response.body#/state", kind)


@settings(max_examples=examples(400), deadline=None)
@given(st.one_of(st.text(), st.sampled_from([".*", "a|b", "^", "$", "[", "\\", "(?i)", "{2}"])), st.text())
def test_a_value_in_a_regular_expression_matches_itself_only(value: str, other: str) -> None:
    scope = Scope(inputs={"v": value, "w": other})
    assert holds("^{$inputs.v}$", "$inputs.w", "regex", scope) is (value == other)
    assert holds("^{$inputs.v}$", "$inputs.v", "regex", scope)
    assert holds("^(x|{$inputs.v})+$", "$inputs.w", "regex", Scope(inputs={"v": value, "w": "x" + value + value}))


@settings(max_examples=examples(400), deadline=None)
@given(st.text(), st.text())
def test_a_value_in_a_simple_condition_is_compared_and_never_read(value: str, other: str) -> None:
    scope = Scope(inputs={"v": value, "w": other})
    same = value.casefold() == other.casefold()
    for condition in ("$inputs.v == $inputs.w", "'{$inputs.v}' == '{$inputs.w}'", "{$inputs.v} == $inputs.w"):
        assert holds(condition, scope=scope) is same
    assert holds("'{$inputs.v}' == 'x' || true", scope=scope)
    assert not holds("'{$inputs.v}' == $inputs.w && false", scope=scope)
