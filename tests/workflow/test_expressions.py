"""Runtime expressions by the grammar of Arazzo 1.1: what is one, what it gives, and that types stay."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.documents.expressions import looks_like_expression, parse_expression
from workflow.documents.scope import Reply, Scope, Sent
from workflow.errors import ExpressionError
from workflow.json.pointers import NOTHING

SENT = Sent("POST", "/v1/vms", {"id": 7}, {"q": ["a"]}, {"if-match": "e"}, {"name": "n"})
SCOPE = Scope(
    inputs={"vm": "web-01", "a.b": 1, "a": {"b": 2, "c": [3, None]}, "none": None},
    steps={"find": {"uuid": "u-1", "list": [{"x/y": {"~": 5}}]}},
    outputs={"order": 9},
    workflows={"other": {"inputs": {"i": 1}, "outputs": {"o": {"p": True}}}},
    sources={"api": {"name": "api", "url": "https://x/api.yaml"}},
    self_uri="https://me/doc.yaml",
    reply=Reply(202, {"location": "/Jobs/1"}, {"items": [1.5], "ok": False}),
    sent=lambda: SENT,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$statusCode", 202),
        ("$method", "POST"),
        ("$url", "/v1/vms"),
        ("$self", "https://me/doc.yaml"),
        ("$inputs.vm", "web-01"),
        ("$inputs.none", None),
        ("$inputs.a.b", 1),
        ("$inputs.a.c#/0", 3),
        ("$inputs.a#/c/1", None),
        ("$inputs.missing", NOTHING),
        ("$steps.find.outputs.uuid", "u-1"),
        ("$steps.find.outputs.list#/0/x~1y/~0", 5),
        ("$steps.other.outputs.uuid", NOTHING),
        ("$outputs.order", 9),
        ("$workflows.other.inputs.i", 1),
        ("$workflows.other.outputs.o#/p", True),
        ("$sourceDescriptions.api.url", "https://x/api.yaml"),
        ("$response.header.Location", "/Jobs/1"),
        ("$response.header.X-None", NOTHING),
        ("$response.body", {"items": [1.5], "ok": False}),
        ("$response.body#/items/0", 1.5),
        ("$response.body#/items/00", NOTHING),
        ("$response.payload#/ok", False),
        ("$response.query.q", NOTHING),
        ("$request.path.id", 7),
        ("$request.query.q", ["a"]),
        ("$request.header.If-Match", "e"),
        ("$request.body#/name", "n"),
        ("$components.parameters.p", NOTHING),
        ("$message.payload", NOTHING),
    ],
)
def test_an_expression_gives_the_value_with_its_type(text: str, value: Any) -> None:
    found = parse_expression(text).evaluate(SCOPE)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "inputs.vm",
            "$",
            "$inputs",
            "$inputs.",
            "$inputs.a b",
            "$statusCode.x",
            "$statuscode",
            "$response.body.x",
        ),
        *("$response.headers.Location", "$response.header.", "$steps.find.uuid", "$steps.fi.nd.x", "$steps..outputs.x"),
        *("$inputs.a#b", "$inputs.a#/~2", "$inputs.a#/{x}", "$workflows.w.steps.x", "$components.inputs.x", "$urls"),
        *("$request.query.{x}", "$sourceDescriptions.api", "$sourceDescriptions.a b.url", "$inputs.vm ", " $inputs.vm"),
    ],
)
def test_what_the_grammar_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression(text)


def test_before_any_request_there_is_neither_request_nor_reply() -> None:
    for text in ("$statusCode", "$response.body", "$request.body", "$method", "$self"):
        assert parse_expression(text).evaluate(Scope()) is NOTHING


@pytest.mark.parametrize(("text", "is_one"), [("$inputs", True), ("$inputsx", False), ("$5", False), ("a $url", False)])
def test_text_that_starts_like_an_expression_is_told_from_other_text(text: str, is_one: bool) -> None:
    assert looks_like_expression(text) is is_one


@given(st.from_regex(r"[A-Za-z0-9_.-]+", fullmatch=True), st.one_of(st.integers(), st.text(), st.none(), st.booleans()))
def test_any_name_of_the_grammar_finds_the_input_of_that_name(name: str, value: Any) -> None:
    found = parse_expression(f"$inputs.{name}").evaluate(Scope(inputs={name: value}))
    assert found == value
    assert type(found) is type(value)


@given(st.text())
def test_parsing_any_text_gives_an_expression_or_an_expression_error(text: str) -> None:
    for start in ("$", "$inputs.", "$response.", "$request.query.", "$sourceDescriptions.a."):
        with contextlib.suppress(ExpressionError):
            assert parse_expression(start + text).text == start + text
