"""From a path to an operation, and JSON Pointers with stars."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.ir.model import Operation
from compiler.twin.requests.messages import TwinRequest
from compiler.twin.requests.routes import Routes, canonical, encode, fill
from compiler.twin.values import pointers
from workflow.json.pointers import escape

PATHS = ["/a", "/a/mine", "/a/{id}", "/a/{id}/b/{other}", "/a/{key}/c", "/f/{name}.json", "/g/{x}:{y}", "/g/{z}"]


def routes() -> Routes:
    return Routes(tuple(Operation("GET", path, "", "") for path in PATHS))


@pytest.mark.parametrize(
    ("path", "template", "values"),
    [
        ("/a", "/a", ()),
        ("/a/", "/a", ()),
        ("/a/mine", "/a/mine", ()),
        ("/a/yours", "/a/{id}", ("yours",)),
        ("/a/1/b/2", "/a/{id}/b/{other}", ("1", "2")),
        ("/a/mine/c", "/a/{key}/c", ("mine",)),
        ("/a/web%2F01", "/a/{id}", ("web/01",)),
        ("/f/list.json", "/f/{name}.json", ("list",)),
        ("/g/1:2", "/g/{x}:{y}", ("1", "2")),
        ("/g/1", "/g/{z}", ("1",)),
    ],
)
def test_the_most_literal_template_is_found(path: str, template: str, values: tuple[str, ...]) -> None:
    found = routes().match(path)
    assert found is not None
    assert (found.template, found.values) == (template, values)


@pytest.mark.parametrize("path", ["/", "/b", "/a/1/b", "/a//c", "/a/1/b/2/3", "/f/list"])
def test_a_path_that_nobody_describes_is_nowhere(path: str) -> None:
    assert routes().match(path) is None


ASKED = ["/a/{id}", "/a/{id}?start", "/a/{id}?act=stop", "/a/{id}?act=stop&now=1", "/a?id={id}", "/b#Go=X", "/b#Go=Y"]


@pytest.mark.parametrize(
    ("path", "query", "headers", "template"),
    [
        ("/a/1", (), (), "/a/{id}"),
        ("/a/1", (("act", "go"),), (), "/a/{id}"),
        ("/a/1", (("start", ""),), (), "/a/{id}?start"),
        ("/a/1", (("act", "stop"), ("why", "x")), (), "/a/{id}?act=stop"),
        ("/a/1", (("now", "1"), ("act", "stop")), (), "/a/{id}?act=stop&now=1"),
        ("/a", (("id", "7"),), (), "/a?id={id}"),
        ("/b", (), (("go", "Y"),), "/b#Go=Y"),
        ("/b", (("Go", "Y"),), (), "/b#Go=Y"),
        ("/a/%3Fstart", (), (), "/a/{id}"),
    ],
)
def test_a_query_in_a_path_is_met_by_requests_that_ask_all_of_it(
    path: str, query: Any, headers: Any, template: str
) -> None:
    described = Routes(tuple(Operation("POST", each, "", "") for each in ASKED))
    found = described.of(TwinRequest("POST", path, query, headers))
    assert found is not None
    assert found.template == template


def test_nothing_is_at_an_address_where_all_is_asked_by_a_query() -> None:
    described = Routes((Operation("POST", "/a?act=stop", "", ""),))
    assert described.of(TwinRequest("POST", "/a")) is None


@given(st.text(min_size=1))
def test_any_value_survives_a_path(value: str) -> None:
    path = fill("/a/{id}", {"id": value})
    found = routes().match(path)
    assert canonical(path) == path
    if value == "mine":
        return
    assert found is not None
    assert found.values == (value,)
    assert "/" not in encode(value)


VALUE: Any = {"list": [{"a": 1}, {"a": 2}], "~/": {"deep": [3]}}


def test_a_star_stands_for_every_element() -> None:
    assert list(pointers.each(VALUE, "/list/*/a")) == [(("0",), 1), (("1",), 2)]
    assert pointers.bind("/list/*/b", ("1",)) == "/list/1/b"


def test_a_pointer_that_leads_nowhere_is_missing_and_not_null() -> None:
    assert pointers.get(VALUE, "/list/9/a") is pointers.MISSING
    assert pointers.get({"a": None}, "/a") is None
    assert pointers.get(VALUE, "/~0~1/deep/0") == 3


def test_put_makes_what_is_missing_and_changes_nothing_in_place() -> None:
    before = str(VALUE)
    assert pointers.put(None, "/a/0/b", 1) == {"a": [{"b": 1}]}
    assert pointers.put(VALUE, "/list/1/a", 9)["list"] == [{"a": 1}, {"a": 9}]
    assert str(VALUE) == before


TREES = st.recursive(
    st.integers(), lambda t: st.dictionaries(st.sampled_from(["a", "b/", "c~"]), t, max_size=3), max_leaves=6
)


@given(TREES, st.lists(st.sampled_from(["a", "b/", "c~"]), max_size=3))
def test_what_was_put_is_got(tree: Any, path: list[str]) -> None:
    pointer = "".join("/" + escape(part) for part in path)
    assert pointers.get(pointers.put(tree, pointer, "new"), pointer) == "new"
