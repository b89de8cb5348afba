"""Values for schemas: they fit, they are the same each time, and recursion ends."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.ir.schemas import SharedSchemas
from compiler.twin.values.sampler import Sampler, Want
from compiler.twin.values.validation import SchemaView, Validation
from tests.samples import examples

TREE = {"type": "object", "required": ["name"], "properties": {
    "name": {"type": "string"}, "left": {"$ref": "#/components/schemas/Tree"},
    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}  # fmt: skip
PET = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]}
CAT = {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}}
DOG = {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "dog"}, "name": {"type": "string"}}}
LOOP = {"anyOf": [{"$ref": "#/components/schemas/Loop"}, {"type": "integer"}]}
SHARED: dict[str, Any] = {"Tree": TREE, "Pet": PET, "Cat": CAT, "Dog": DOG, "Loop": LOOP}
CASES: dict[str, Any] = {
    "recursive": {"$ref": "#/components/schemas/Tree"},
    "one of": {"$ref": "#/components/schemas/Pet"},
    "a loop with a way out": {"$ref": "#/components/schemas/Loop"},
    "all of": {"allOf": [CAT, {"type": "object", "required": ["colour"], "properties": {"colour": {"enum": ["red"]}}}]},
    "null or text": {"type": ["string", "null"], "minLength": 3},
    "a range": {"type": "integer", "minimum": 10, "maximum": 12},
    "an open range": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "a multiple": {"type": "integer", "minimum": 7, "multipleOf": 5},
    "a short text": {"type": "string", "maxLength": 2},
    "a long text": {"type": "string", "minLength": 40},
    "a pattern": {"type": "string", "pattern": "^[A-Z]{3}[0-9]{2}$"},
    "a pattern and a length": {"type": "string", "pattern": "^[a-z]+$", "minLength": 6, "maxLength": 9},
    "several": {"type": "array", "minItems": 3, "maxItems": 3, "items": {"type": "string"}, "uniqueItems": True},
    "a tuple": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2},
    "a map": {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
    "required and unknown": {"type": "object", "required": ["it"]},
    "an example that does not fit": {"type": "string", "examples": [["not text"]]},
    "a default that does not fit": {"type": "integer", "default": "none"},
    "anything": {},
}
FORMATS = ["uuid", "date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference",
           "json-pointer", "regex", "byte", "password"]  # fmt: skip


def sampler() -> tuple[Sampler, Validation]:
    schemas = SharedSchemas(SHARED)
    validation = Validation(SHARED, schemas)
    return Sampler(schemas, validation), validation


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("is_full", [True, False])
def test_a_sample_fits_its_schema(name: str, is_full: bool) -> None:
    made, validation = sampler()
    value = made.fitting(CASES[name], Want(SchemaView.RESPONSE, 1, is_full))
    assert validation.fault(CASES[name], value, SchemaView.RESPONSE) == ""


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("number", [1, 2, 30])
def test_a_sample_has_the_format_asked_for(form: str, number: int) -> None:
    made, validation = sampler()
    schema = {"type": "string", "format": form}
    assert validation.fits(schema, made.value(schema, Want(SchemaView.RESPONSE, number)), SchemaView.RESPONSE)


def test_several_samples_of_one_schema_differ() -> None:
    made, _ = sampler()
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid"}}}
    assert made.value(schema, Want(SchemaView.RESPONSE, 1)) != made.value(schema, Want(SchemaView.RESPONSE, 2))


def test_a_request_leaves_out_what_is_read_only_and_a_reply_what_is_write_only() -> None:
    made, validation = sampler()
    members = {"id": {"type": "string", "readOnly": True}, "key": {"type": "string", "writeOnly": True}}
    schema = {"type": "object", "required": ["id", "key"], "properties": members}
    assert list(made.value(schema, Want(SchemaView.REQUEST))) == ["key"]
    assert list(made.value(schema, Want(SchemaView.RESPONSE))) == ["id"]
    assert validation.fits(schema, {"key": "k"}, SchemaView.REQUEST)
    assert validation.fits(schema, {"id": "i"}, SchemaView.RESPONSE)
    assert not validation.fits(schema, {"id": "i"}, SchemaView.REQUEST)


def _between(kind: str, names: tuple[str, str]) -> st.SearchStrategy[Any]:
    low, high = names
    return st.tuples(st.integers(0, 30), st.integers(1, 9)).map(lambda p: {"type": kind, low: p[0], high: p[0] + p[1]})


SCALARS = st.one_of(
    _between("integer", ("minimum", "maximum")),
    _between("number", ("exclusiveMinimum", "exclusiveMaximum")),
    _between("string", ("minLength", "maxLength")),
    st.lists(st.integers(), min_size=1, max_size=4).map(lambda values: {"enum": values}),
    st.just({"type": "boolean"}),
    st.sampled_from([{"type": "string", "format": form} for form in FORMATS]),
)


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(st.sampled_from("abcdef"), inner, min_size=1, max_size=4).map(
        lambda members: {"type": "object", "properties": members, "required": sorted(members)[:2]}
    )
    arrays = st.builds(lambda items, low: {"type": "array", "items": items, "minItems": low}, inner, st.integers(0, 3))
    return st.one_of(objects, arrays, st.builds(lambda a: {"anyOf": [a, {"type": "null"}]}, inner))


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.recursive(SCALARS, _grown, max_leaves=8))
def test_whatever_is_built_from_the_usual_parts_has_a_sample_that_fits(schema: Any) -> None:
    made, validation = sampler()
    assert validation.fault(schema, made.fitting(schema, Want(SchemaView.RESPONSE)), SchemaView.RESPONSE) == ""


def test_a_reply_that_is_well_tells_of_no_error() -> None:
    made, validation = sampler()
    text = {"type": "string"}
    told = {"type": "object", "required": ["message"], "properties": {"message": {"type": ["string", "null"]}}}
    members = {"id": text, "errors": {"type": "array", "items": text}, "error": told, "Error": text}
    schema = {"type": "object", "required": ["id", "error"], "properties": members}
    assert made.fitting(schema, Want(SchemaView.RESPONSE)).keys() == {"id", "error"}
    assert made.fitting(schema, Want(SchemaView.RESPONSE))["error"] == {"message": None}
    assert made.fitting(schema, Want(SchemaView.RESPONSE, is_well=False)).keys() == members.keys()
    demanding = {
        "type": "object",
        "required": ["errors"],
        "properties": {"errors": {**members["errors"], "minItems": 1}},
    }
    assert validation.fits(demanding, made.fitting(demanding, Want(SchemaView.RESPONSE)), SchemaView.RESPONSE)


def test_a_report_that_is_well_lists_nothing_that_was_not_done() -> None:
    made, _ = sampler()
    texts = {"type": "array", "items": {"type": "string"}}
    report = {"type": "object", "required": ["failed"], "properties": {"failed": texts, "succeeded": texts}}
    well = made.fitting(report, Want(SchemaView.RESPONSE))
    assert well["failed"] == []
    assert well["succeeded"]
    alone = {"type": "object", "properties": {"failed": texts, "name": {"type": "string"}}}
    assert made.fitting(alone, Want(SchemaView.RESPONSE))["failed"]
