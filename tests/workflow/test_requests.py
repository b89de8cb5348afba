"""Requests: serialisation by style, and that no value leaves its place (C1)."""

import contextlib
import json
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.samples import examples
from tests.workflow.documents import inputs, parameter, program, step
from workflow.documents.scope import Scope
from workflow.json.pointers import NOTHING
from workflow.requests.requests import Request, Unsendable, build_request

ANY = st.one_of(
    st.text(),
    st.sampled_from(
        ["..", ".", "", "%2e%2e", "%2E.", "../x", "a/b", "a\\b", "a;b", "?x", "#x", "a\r\nb", "\x00", "．．"]
    ),
    st.sampled_from(["．．", "\ud800", "%00", "a b", "//", "a%2fb", "::", "é", "a&b=c", "\u2028"]),
)


def request(path: str = "/x", parameters: Any = (), given: Any = None, **members: Any) -> Request:
    known = given or {}
    schema = inputs(**{name: {} for name in known})
    made = program(step("s", "post", path, parameters=list(parameters), **members), inputs=schema)
    bound = made.steps[0].request
    assert bound is not None
    return build_request(bound, Scope(inputs=known))


@settings(max_examples=examples(800), deadline=None)
@given(ANY)
def test_a_path_value_is_one_segment_or_refused(value: str) -> None:
    bound = [parameter("id", "path", "$inputs.id")]
    try:
        path = request("/things/{id}/parts", bound, {"id": value}).path
    except Unsendable as error:
        assert error.code == "unsafe_value"
        return
    assert path.isascii()
    segments = path.split("/")
    assert len(segments) == 4
    assert (segments[1], segments[3]) == ("things", "parts")
    assert unquote(segments[2]) == value
    assert segments[2] not in ("", ".", "..")
    assert not set(segments[2]) & set("?#\\;\r\n\x00 ")


@pytest.mark.parametrize("value", ["", ".", "..", "a\rb", "a\nb", "a\x00b", "\x7f", "\ud800"])
def test_a_path_value_that_leads_elsewhere_is_refused(value: str) -> None:
    with pytest.raises(Unsendable, match="id"):
        request("/things/{id}", [parameter("id", "path", "$inputs.id")], {"id": value})


@settings(max_examples=examples(300), deadline=None)
@given(ANY, ANY)
def test_two_values_cannot_make_a_dot_segment_together(first: str, second: str) -> None:
    bound = [parameter("a", "path", "$inputs.a"), parameter("b", "path", "$inputs.b")]
    with contextlib.suppress(Unsendable):
        segments = request("/x/{a}{b}/.{a}", bound, {"a": first, "b": second}).path.split("/")
        assert len(segments) == 4
        assert not {unquote(segment) for segment in segments[1:]} & {"", ".", ".."}


def test_the_query_in_a_path_is_always_sent_and_is_no_part_of_the_address() -> None:
    bound = [parameter("id", "path", "$inputs.id"), parameter("force", "query", "$inputs.force")]
    made = request("/things/{id}?~action=start&now#x", bound, {"id": "a?b", "force": True})
    assert made.path == "/things/a%3Fb"
    assert made.query == (("~action", "start"), ("now", ""), ("force", "true"))
    assert made.sent.query == {"~action": "start", "now": "", "force": True}


def test_a_placeholder_in_the_query_of_a_path_fixes_nothing() -> None:
    assert request("/things?id={id}").query == ()


def test_an_empty_list_is_no_path_segment() -> None:
    with pytest.raises(Unsendable):
        request("/x/{a}", [parameter("a", "path", "$inputs.a")], {"a": []})


@pytest.mark.parametrize("value", [None, NOTHING])
def test_a_path_without_its_value_is_refused(value: Any) -> None:
    given_values = {} if value is NOTHING else {"id": value}
    with pytest.raises(Unsendable, match="needs id"):
        request("/x/{id}", [parameter("id", "path", "$inputs.id")], {"other": 1, **given_values})


def test_quoted_path_templates_stay_as_they_are() -> None:
    bound = [parameter("id", "path", "$inputs.id")]
    assert request("/Systems('{id}')/", bound, {"id": "a'b/c"}).path == "/Systems('a%27b%2Fc')/"


@settings(max_examples=examples(500), deadline=None)
@given(ANY)
def test_a_header_value_stays_in_its_header_or_is_refused(value: str) -> None:
    try:
        headers = request(parameters=[parameter("X-Note", "header", "$inputs.v")], given={"v": value}).headers
    except Unsendable as error:
        assert error.code == "unsafe_value"
        return
    assert headers == (("x-note", value),)
    assert value.isascii()
    assert not set(value) & {"\r", "\n", "\x00"}


@settings(max_examples=examples(500), deadline=None)
@given(ANY)
def test_a_cookie_value_stays_in_its_cookie(value: str) -> None:
    try:
        headers = request(parameters=[parameter("c", "cookie", "$inputs.v")], given={"v": value}).headers
    except Unsendable:
        assert "\ud800" in value
        return
    [(name, text)] = headers
    assert name == "cookie"
    assert text.startswith("c=")
    assert not set(text[2:]) & set(';, "\r\n\x00')
    assert unquote(text[2:]) == value


@settings(max_examples=examples(500), deadline=None)
@given(ANY)
def test_a_value_in_a_querystring_stays_in_its_place(value: str) -> None:
    query = "filter={$inputs.v}&limit=20"
    found = request(parameters=[parameter("q", "querystring", query)], given={"v": value}).query
    expected = value.encode("utf-8", "replace").decode("utf-8")
    assert found == (("filter", expected), ("limit", "20"))


@pytest.mark.parametrize(
    ("value", "extension", "pairs"),
    [
        ("a b", {}, (("q", "a b"),)),
        (True, {}, (("q", "true"),)),
        (1.5, {}, (("q", "1.5"),)),
        ([1, "b"], {}, (("q", "1"), ("q", "b"))),
        ([1, "b"], {"explode": False}, (("q", "1,b"),)),
        ([1, "b"], {"style": "pipeDelimited"}, (("q", "1|b"),)),
        ([1, "b"], {"style": "spaceDelimited"}, (("q", "1 b"),)),
        ({"a": 1, "b": "c"}, {}, (("a", "1"), ("b", "c"))),
        ({"a": 1, "b": "c"}, {"explode": False}, (("q", "a,1,b,c"),)),
        ({"a": 1}, {"style": "deepObject"}, (("q[a]", "1"),)),
        ({"a": [1]}, {"style": "json"}, (("q", '{"a":[1]}'),)),
        ("x", {"style": "json"}, (("q", '"x"'),)),
        ([], {}, ()),
        (None, {}, ()),
    ],
)
def test_query_values_follow_their_style(value: Any, extension: dict[str, Any], pairs: Any) -> None:
    bound = {**parameter("q", "query", "$inputs.v"), "x-switchgear": extension}
    assert request(parameters=[bound], given={"v": value}).query == pairs


def test_headers_and_paths_are_simple() -> None:
    bound = [parameter("h", "header", "$inputs.v"), parameter("p", "path", "$inputs.v")]
    made = request("/x/{p}", bound, {"v": ["a/", "b"]})
    assert made.headers == (("h", "a/,b"),)
    assert made.path == "/x/a%2F,b"
    exploded = {**parameter("h", "header", "$inputs.v"), "x-switchgear": {"explode": True}}
    assert request(parameters=[exploded], given={"v": {"a": 1}}).headers == (("h", "a=1"),)


def test_what_was_not_given_is_left_out_everywhere() -> None:
    bound = [parameter("q", "query", "$inputs.no"), parameter("h", "header", "$inputs.no")]
    payload = {"a": "$inputs.no", "b": ["$inputs.no", 1], "c": {"d": "$inputs.no"}, "e": "{$inputs.no}!", "f": "$5"}
    made = program(
        step("s", "post", parameters=bound, requestBody={"payload": payload}), inputs=inputs(no={"type": "string"})
    )
    assert made.steps[0].request is not None
    found = build_request(made.steps[0].request, Scope())
    assert (found.query, found.headers) == ((), ())
    assert found.body == {"b": [1], "c": {}, "f": "$5"}


def test_a_body_never_goes_without_a_value_that_a_step_should_have_made() -> None:
    first = step("first", outputs={"id": "$response.body#/id"})
    second = step("second", "post", requestBody={"payload": {"target": "$steps.first.outputs.id"}})
    made = program(first, second)
    assert made.steps[1].request is not None
    with pytest.raises(Unsendable, match=r"steps\.first\.outputs\.id"):
        build_request(made.steps[1].request, Scope())
    header = step("second", "post", parameters=[parameter("If-Match", "header", "$steps.first.outputs.id")])
    made = program(first, header)
    assert made.steps[1].request is not None
    assert build_request(made.steps[1].request, Scope()).headers == ()


JSON_TEXT = (
    '{"name": "{$inputs.v}", "note": "<{$inputs.v}>", "value": {$inputs.v}, "list": [{$inputs.n}, "{$inputs.n}"]}'
)


@settings(max_examples=examples(300), deadline=None)
@given(st.text())
def test_a_value_in_a_json_text_stays_in_its_place(value: str) -> None:
    body = {"contentType": "application/json", "payload": JSON_TEXT}
    found = request(given={"v": value, "n": 7}, requestBody=body).body
    assert found == {"name": value, "note": f"<{value}>", "value": value, "list": [7, "7"]}


def test_an_object_in_quotes_of_a_json_text_stays_an_object() -> None:
    body = {"contentType": "application/json", "payload": '{"customer": "{$inputs.v}"}'}
    assert request(given={"v": {"a": [1]}}, requestBody=body).body == {"customer": {"a": [1]}}


@settings(max_examples=examples(200), deadline=None)
@given(st.text())
def test_a_value_in_a_form_text_stays_in_its_field(value: str) -> None:
    body = {"contentType": "application/x-www-form-urlencoded", "payload": "a={$inputs.v}&b=1"}
    found = request(given={"v": value}, requestBody=body).body
    assert parse_qsl(str(found), keep_blank_values=True) == [("a", value), ("b", "1")]


def test_a_value_in_an_xml_text_stays_text() -> None:
    body = {"contentType": "application/xml", "payload": "<a b='{$inputs.v}'>{$inputs.v}</a>"}
    assert request(given={"v": "</a>'&"}, requestBody=body).body == (
        "<a b='&lt;/a&gt;&apos;&amp;'>&lt;/a&gt;&apos;&amp;</a>"
    )


def test_replacements_set_places_by_pointer_and_by_query() -> None:
    body = {
        "payload": {"items": [{"sku": "a", "n": 0}, {"sku": "b", "n": 0}], "x": 1},
        "replacements": [
            {"target": "/x", "value": "$inputs.v"},
            {"target": "/items/-", "value": "{$inputs.v}!"},
            {"target": "$.items[?@.sku == 'b'].n", "targetSelectorType": "jsonpath", "value": "$inputs.v"},
            {"target": "/y", "value": {"context": "$inputs.o", "selector": "$.k", "type": "jsonpath"}},
            {"target": "/z", "value": "$inputs.none"},
        ],
    }
    made = program(step("s", "post", requestBody=body), inputs=inputs(v={}, o={}, none={}))
    assert made.steps[0].request is not None
    found = build_request(made.steps[0].request, Scope(inputs={"v": 9, "o": {"k": "w"}}))
    assert found.body == {"items": [{"sku": "a", "n": 0}, {"sku": "b", "n": 9}, "9!"], "x": 9, "y": "w"}
    assert json.dumps(body["payload"]) == '{"items": [{"sku": "a", "n": 0}, {"sku": "b", "n": 0}], "x": 1}'


def test_a_replacement_without_its_place_is_refused() -> None:
    body = {"payload": {"a": 1}, "replacements": [{"target": "/b/c", "value": "x"}]}
    with pytest.raises(Unsendable, match="/b/c"):
        request(requestBody=body)


def addressed(told: Any, item: str = "b 1") -> Request:
    bound = [parameter("id", "path", "$inputs.id")]
    own = {"x-switchgear": {"address": "$inputs.told"}}
    return request("/boxes/{id}/Actions/Box.Go", bound, {"id": item, "told": told}, **own)


@pytest.mark.parametrize(
    "told",
    [
        "/boxes/b%201/Actions/Box.Go",
        "/boxes/b 1/Actions/Box.Go",
        "/boxes/b%201/Actions/Box.Go/",
        "https://elsewhere.example/boxes/b%201/Actions/Box.Go",
        None,
    ],
)
def test_a_request_goes_to_the_approved_path_when_the_device_names_the_same_or_nothing(told: Any) -> None:
    assert addressed(told).path == "/boxes/b%201/Actions/Box.Go"


@pytest.mark.parametrize("told", ["/boxes/b%201/Actions/Box.Stop", "/boxes/b2/Actions/Box.Go", "/", 7, {"a": 1}])
def test_a_request_whose_address_the_device_names_otherwise_is_not_made(told: Any) -> None:
    with pytest.raises(Unsendable, match="was approved") as refused:
        addressed(told)
    assert refused.value.code == "not_offered"


def renamed(told: Any, other: Any) -> Request:
    bound = [parameter("id", "path", "$inputs.id")]
    own = {"x-switchgear": {"address": "$inputs.told", "renamed": "$inputs.other"}}
    given = {"id": "b 1", "told": told, "other": other}
    return request("/boxes/{id}/Actions/Oem/Maker7.Go", bound, given, **own)


@pytest.mark.parametrize(
    ("told", "other"),
    [
        (None, "/boxes/b%201/Actions/Oem/Maker8.Go"),
        ("/boxes/b 1/Actions/Oem/Maker8.Go/", None),
        (None, "https://elsewhere.example/boxes/b%201/Actions/Oem/Maker8.Go"),
        (None, ["/boxes/b%201/Actions/Oem/Maker8.Go", "/boxes/b%201/Actions/Oem/Maker8.Go"]),
    ],
)
def test_an_action_is_called_by_the_name_that_the_device_has_for_it_where_the_ending_is_the_same(
    told: Any, other: Any
) -> None:
    made = renamed(told, other)
    assert (made.path, made.renamed) == ("/boxes/b%201/Actions/Oem/Maker8.Go", "Maker8.Go")


def test_an_action_that_the_device_has_as_it_was_approved_is_called_so() -> None:
    made = renamed("/boxes/b%201/Actions/Oem/Maker7.Go", "/boxes/b%201/Actions/Oem/Maker8.Go")
    assert (made.path, made.renamed) == ("/boxes/b%201/Actions/Oem/Maker7.Go", "")


@pytest.mark.parametrize(
    "other",
    [
        "/boxes/b%201/Actions/Oem/Maker8.Stop",
        "/boxes/b%201/Actions/Oem/Maker8.Stop.Go/Maker8.Stop",
        "/boxes/b%202/Actions/Oem/Maker8.Go",
        "/boxes/b%201/Actions/Maker8.Go",
        "/boxes/b%201/Actions/Oem/../Oem/Maker8.Go",
        "/boxes/b%201/Actions/Oem/%2e%2e%2fMaker8.Go",
        "/boxes/b%201/Actions/Oem/..Go",
        "/boxes/b%201/Actions/Oem/Maker8.Go;x=.Go",
        "/boxes/b%201/Actions/Oem/Go",
        ["/boxes/b%201/Actions/Oem/Maker8.Go", "/boxes/b%201/Actions/Oem/Maker9.Go"],
    ],
)
def test_no_other_address_is_one_of_an_action_with_the_same_ending(other: Any) -> None:
    with pytest.raises(Unsendable, match="was approved"):
        renamed(None, other)
