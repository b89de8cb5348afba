"""No shape of a description can raise anything but a SpecError, and one bad place costs no other operation."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.errors import SpecError
from compiler.frontend import load_api
from compiler.ir.verifier import verify
from tests.samples import examples

from .test_determinism import SMALL

KEPT = {"/kept": {"get": {"responses": {"200": {"description": "ok"}}}}}
SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Small", "version": "1"},
    "basePath": "/v1",
    "consumes": ["application/json"],
    "paths": {
        "/a/{id}": {
            "post": {
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"name": "id", "in": "path", "type": "string", "required": True},
                    {"name": "f", "in": "formData", "type": "file"},
                    {"name": "q", "in": "query", "type": "array", "items": {"type": "string"}},
                ],
                "responses": {"200": {"description": "ok", "schema": {"$ref": "#/definitions/A"}, "examples": {}}},
            },
            "put": {"parameters": [{"name": "b", "in": "body", "schema": {"$ref": "#/definitions/A"}}]},
        }
    },
    "definitions": {"A": {"type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}, "required": ["a"]}},
    "securityDefinitions": {"k": {"type": "apiKey", "in": "header", "name": "K"}},
}
WORDS = st.sampled_from(
    ["", "$ref", "#/x", "#", "a.yaml#/b", "object", "type", "properties", "200", "default", "application/json", "in"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS
JUNK = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [way]
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*way, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            found += places(one, (*way, number))
    return found


def replaced(data: Any, way: tuple[Any, ...], junk: Any) -> Any:
    data = copy.deepcopy(data)
    parent = data
    for step in way[:-1]:
        parent = parent[step]
    parent[way[-1]] = junk
    return data


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_at_any_place_is_survived_or_refused_by_name(data: st.DataObject, tmp_path: Path) -> None:
    original = data.draw(st.sampled_from([SMALL, SWAGGER]))
    spec = {**original, "paths": {**original["paths"], **KEPT}}
    way = data.draw(st.sampled_from([way for way in places(spec) if way and way[:2] != ("paths", "/kept")]))
    path = tmp_path / "api.json"
    path.write_text(json.dumps(replaced(spec, way, data.draw(JUNK))))

    try:
        api = load_api(path).api
    except SpecError:
        assert way[0] in ("openapi", "swagger")
        return
    verify(api)
    if way != ("paths",):
        assert "GET /kept" in {one.key for one in api.operations}


@pytest.mark.slow
@given(schema=JUNK)
@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_schema_of_the_ir_is_one_that_validators_take(schema: Any, tmp_path: Path) -> None:
    keywords = ("type", "enum", "required", "minimum", "maxLength", "pattern", "items", "allOf", "properties", "not")
    for keyword in keywords:
        reply = {"description": "ok", "content": {"application/json": {"schema": {keyword: schema}}}}
        spec = {**SMALL, "paths": {"/x": {"get": {"responses": {"200": reply}}}}}
        (tmp_path / "api.json").write_text(json.dumps(spec))
        api = load_api(tmp_path / "api.json").api
        (operation,) = api.operations
        assert operation.responses[0].schema is not None
        whole = {**operation.responses[0].schema, "components": {"schemas": api.schemas}}
        jsonschema_rs.validator_for(json.loads(json.dumps(whole)))


@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_refused_by_name(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_bytes(raw)

    with pytest.raises(SpecError):
        load_api(tmp_path / "api.yaml")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "not a mapping"),
        ({"asyncapi": "3.0.0"}, "AsyncAPI"),
        ({"arazzo": "1.0.0"}, "Arazzo"),
        ({"overlay": "1.0.0"}, "--overlay"),
        ({"swagger": "1.2"}, "1.2"),
        ({"openapi": "4.0.0"}, "4.0.0"),
        ({"openapi": {}}, "neither"),
        ({"info": {}}, "neither"),
    ],
)
def test_what_is_no_description_is_refused_with_what_it_is(data: Any, says: str, tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps(data))

    with pytest.raises(SpecError, match=says) as refusal:
        load_api(tmp_path / "api.json")
    assert refusal.value.exit_code == 3
    assert refusal.value.remedy
