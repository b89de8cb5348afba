"""The reader against the official cases and the official schema, and what the schema cannot show."""

import copy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.samples import examples
from tests.workflow.official import FOLDER, IS_THERE, cases, load, needs_official_cases
from workflow.documents.reader import read_document
from workflow.documents.writer import write_document
from workflow.errors import DocumentError

MINIMAL: dict[str, Any] = {
    "arazzo": "1.1.0",
    "info": {"title": "t", "version": "1"},
    "sourceDescriptions": [{"name": "api", "url": "api.yaml", "type": "openapi"}],
    "workflows": [{"workflowId": "w", "steps": [{"stepId": "s", "operationId": "op"}]}],
}


def is_read(data: Any) -> bool:
    try:
        read_document(data, "case")
    except DocumentError as error:
        assert error.pointer == "" or error.pointer.startswith("/")
        return False
    return True


@pytest.mark.parametrize("file", cases("pass") + cases("examples"))
def test_every_official_document_is_read_and_written_back(file: Path) -> None:
    data = load(file)
    document = read_document(data, file.name)
    written = write_document(document)
    assert read_document(written, file.name) == document
    assert written == data


@pytest.mark.parametrize("file", cases("fail"))
def test_every_official_failing_case_is_refused_with_a_pointer_that_exists(file: Path) -> None:
    data = load(file)
    with pytest.raises(DocumentError) as caught:
        read_document(data, file.name)
    for token in caught.value.pointer.split("/")[1:]:
        data = data[int(token)] if isinstance(data, list) else data[token]


@needs_official_cases
def test_the_official_cases_are_all_there() -> None:
    assert (len(cases("pass")), len(cases("fail")), len(cases("examples"))) >= (35, 27, 6)


PASSING = [load(param.values[0]) for param in cases("pass")] if IS_THERE else [{}]
FAILING = [load(param.values[0]) for param in cases("fail")] if IS_THERE else []
DOCUMENTS = [*PASSING, *PASSING, *PASSING, *FAILING]
SCHEMA = jsonschema_rs.validator_for(load(FOLDER / "schema-1.1.yaml")) if IS_THERE else None
JUNK: list[Any] = [
    *(None, True, 0, 1.0, 1.5, -1, "", "$x", "a b", "goto", "retry", "end", "jsonpath", "xpath", "rfc9535", "header"),
    *([], {}, ["a", "a"], [1, 1.0], [3], {"x-a": None}, [{"condition": "x"}], {"condition": "true"}),
    {"type": "xpath", "version": "xpath-10", "more": 1},
    {"reference": "$c", "value": 1},
    {"context": "$response.body", "selector": "$", "type": "jsonpath"},
    {"name": "n", "type": "goto", "stepId": "s"},
    {"name": "n", "in": "query", "value": 1},
]
NAMES = [
    *("x-note", "in", "value", "name", "type", "workflowId", "stepId", "operationId", "operationPath", "channelPath"),
    *("action", "correlationId", "timeout", "dependsOn", "parameters", "successCriteria", "onSuccess", "onFailure"),
    *("outputs", "criteria", "retryLimit", "retryAfter", "requestBody", "context", "condition", "reference", "extra"),
    *("inputs", "components", "$self", "replacements", "targetSelectorType", "version", "selector"),
]


def _containers(value: Any) -> list[Any]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) else []
    return own + [inner for item in below for inner in _containers(item)]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """An official case, mostly a passing one, with one to three members changed, added, removed or doubled."""
    data = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        place = draw(st.sampled_from(_containers(data) or [data]))
        change = draw(st.sampled_from(["remove", "put", "add", "double", "note", "reword", "reword"]))
        if isinstance(place, list) and place:
            _mutate_list(draw, place, change)
        elif isinstance(place, dict):
            _mutate_object(draw, place, change)
    return data


def _mutate_list(draw: st.DrawFn, place: list[Any], change: str) -> None:
    at = draw(st.integers(0, len(place) - 1))
    if change == "remove":
        del place[at]
    elif change == "double":
        place.append(copy.deepcopy(place[at]))
    elif change in ("put", "add"):
        place[at] = copy.deepcopy(draw(st.sampled_from(JUNK)))


def _mutate_object(draw: st.DrawFn, place: dict[str, Any], change: str) -> None:
    words = [name for name, value in place.items() if isinstance(value, str)]
    if change == "reword" and words:
        place[draw(st.sampled_from(words))] = draw(st.sampled_from([each for each in JUNK if isinstance(each, str)]))
        return
    name = draw(st.sampled_from(NAMES if change == "add" or not place else sorted(place)))
    if change == "remove":
        place.pop(name, None)
    else:
        place["x-note" if change == "note" else name] = copy.deepcopy(draw(st.sampled_from(JUNK)))


@pytest.mark.slow
@needs_official_cases
@settings(max_examples=examples(1500), deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.data())
def test_the_verdict_is_that_of_the_official_schema(data: st.DataObject) -> None:
    case = data.draw(mutated())
    version = case.get("arazzo") if isinstance(case, dict) else None
    if isinstance(version, str) and version.startswith("1.0"):
        return
    assert SCHEMA is not None
    assert is_read(case) == SCHEMA.is_valid(case)


@needs_official_cases
@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.data())
def test_what_is_read_is_written_back(data: st.DataObject) -> None:
    case = data.draw(mutated())
    if is_read(case):
        document = read_document(case, "case")
        assert read_document(write_document(document), "case") == document


def changed(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(MINIMAL), **members}


def with_step(**members: Any) -> dict[str, Any]:
    data = copy.deepcopy(MINIMAL)
    data["workflows"][0]["steps"][0].update(members)
    return data


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (with_step(timeout="soon"), "/workflows/0/steps/0/timeout"),
        (with_step(extra=1), "/workflows/0/steps/0/extra"),
        (
            with_step(onFailure=[{"name": "again", "type": "retry", "retryLimit": -1}]),
            "/workflows/0/steps/0/onFailure/0/retryLimit",
        ),
        (changed(components={"parameters": {"a b": {"name": "n", "value": 1}}}), "/components/parameters/a b"),
        (changed(components={"parameters": {"a/b": {"name": "n", "value": 1}}}), "/components/parameters/a~1b"),
        (
            changed(
                workflows=[{"workflowId": "w", "steps": [{"stepId": "s", "operationId": "o"}], "inputs": {"type": "x"}}]
            ),
            "/workflows/0/inputs/type",
        ),
        (changed(arazzo="1.2.0"), "/arazzo"),
    ],
)
def test_a_fault_is_named_where_it_stands(data: dict[str, Any], pointer: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(data, "file.yaml")
    assert caught.value.pointer == pointer
    assert caught.value.source == "file.yaml"


def test_a_member_of_1_1_is_refused_in_a_document_of_1_0_by_name() -> None:
    with pytest.raises(DocumentError, match=r"timeout came with Arazzo 1\.1"):
        read_document({**with_step(timeout=5), "arazzo": "1.0.1"}, "old")
    assert is_read({**with_step(), "arazzo": "1.0.1"})


def test_a_criterion_of_1_0_may_carry_its_version_beside_its_type() -> None:
    criterion = {
        "context": "$response.body",
        "condition": "$.a",
        "type": "jsonpath",
        "version": "draft-goessner-dispatch-jsonpath-00",
    }
    data = with_step(successCriteria=[criterion])
    assert not is_read(data)
    document = read_document({**data, "arazzo": "1.0.0"}, "old")
    assert write_document(document)["workflows"][0]["steps"][0]["successCriteria"] == [criterion]


def test_a_document_nested_beyond_reason_is_refused_and_not_a_crash() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DocumentError, match="nested too deeply"):
        read_document(changed(workflows=[deep]), "deep")
    while deep:  # taken apart step by step: freeing it at once would recurse in the interpreter
        deep = deep.pop()
