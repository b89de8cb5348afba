"""What a device refuses in a body: unknown members, read-only ones, and what does not fit."""

from typing import Any

from compiler.ir.schemas import SharedSchemas
from compiler.twin.values.validation import SchemaView, Validation

PART = {"type": "object", "properties": {"size": {"type": "integer"}, "made": {"type": "string", "readOnly": True}}}
WHOLE: dict[str, Any] = {
    "allOf": [{"$ref": "#/components/schemas/Part"}, {"type": "object", "properties": {"name": {"type": "string"}}}],
    "properties": {"parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}},
    "required": ["name", "made"],
    "patternProperties": {"^x-": {}},
}
SHARED: dict[str, Any] = {"Part": PART, "Whole": WHOLE}
REF = {"$ref": "#/components/schemas/Whole"}


def validation() -> Validation:
    return Validation(SHARED, SharedSchemas(SHARED))


def test_unknown_members_are_found_at_any_depth() -> None:
    value = {"name": "a", "x-own": 1, "size": 2, "parts": [{"size": 1}, {"weight": 3}], "colour": "red"}
    assert list(validation().unknown_members(REF, value)) == ["/parts/1/weight", "/colour"]


def test_an_object_that_nobody_described_has_no_unknown_members() -> None:
    assert list(validation().unknown_members({"type": "object"}, {"a": 1})) == []


def test_an_open_object_has_no_unknown_members() -> None:
    schema = {"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "integer"}}
    assert list(validation().unknown_members(schema, {"b": 1})) == []


def test_read_only_members_are_found_through_references() -> None:
    assert list(validation().read_only_members(REF, {"made": "x", "parts": [{"made": "y"}]})) == [
        "/made",
        "/parts/0/made",
    ]


def test_a_read_only_member_is_not_required_in_a_request() -> None:
    assert validation().fault(REF, {"name": "a"}, SchemaView.REQUEST) == ""
    assert "made" in validation().fault(REF, {"name": "a"}, SchemaView.RESPONSE)


def test_a_patch_may_leave_anything_out_but_what_it_sends_has_to_fit() -> None:
    assert validation().fault(REF, {}, SchemaView.PATCH) == ""
    assert validation().fault(REF, {"name": 3}, SchemaView.PATCH).startswith("/name")


def test_what_is_required_inside_a_member_stays_required_in_a_patch() -> None:
    schema = {"type": "object", "properties": {"in": {"type": "object", "required": ["a"]}}, "required": ["b"]}
    assert validation().fits(schema, {"in": {"a": 1}}, SchemaView.PATCH)
    assert not validation().fits(schema, {"in": {}}, SchemaView.PATCH)


def test_a_format_is_part_of_fitting() -> None:
    assert not validation().fits({"type": "string", "format": "uuid"}, "web-01", SchemaView.REQUEST)


def test_a_reference_that_leads_nowhere_lets_everything_pass() -> None:
    assert validation().fits({"$ref": "#/components/schemas/Missing"}, {"a": 1}, SchemaView.REQUEST)


def test_a_pattern_in_another_dialect_lets_everything_pass() -> None:
    assert validation().fits({"type": "string", "pattern": "("}, "a", SchemaView.REQUEST)
