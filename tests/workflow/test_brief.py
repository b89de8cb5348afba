"""Inputs as a list of tools shows them: what is needed to fill them, and a word where there is more."""

from workflow.brief import brief, shows_less

RACK = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 100},
        "note": {"type": "string", "maxLength": 200},
    },
    "required": ["name"],
    "additionalProperties": False,
}
MANY = {"type": "string", "enum": [f"kind number {number}" for number in range(60)], "description": "What it is."}


def test_no_length_is_shown_however_deep_and_a_member_called_so_is() -> None:
    lengths = {"type": "object", "properties": {"maxLength": {"type": "integer"}}, "maxLength": 3}
    listed = {"type": "array", "items": {"type": "string", "minLength": 1}}
    assert brief(lengths, is_required=True) == {"type": "object", "properties": {"maxLength": {"type": "integer"}}}
    assert brief(listed, is_required=True) == {"type": "array", "items": {"type": "string"}}


def test_of_an_optional_object_its_required_members_are_shown_and_nothing_forbids_the_others() -> None:
    shown = brief(RACK, is_required=False)
    assert shown["properties"] == {"name": {"type": "string"}}
    assert "additionalProperties" not in shown
    assert shows_less(shown, RACK)
    whole = brief(RACK, is_required=True)
    assert list(whole["properties"]) == ["name", "note"]
    assert not shows_less(whole, RACK)


def test_of_very_many_values_a_few_are_named_and_all_where_one_has_to_be_given() -> None:
    shown = brief(MANY, is_required=False)
    assert shown == {
        "type": "string",
        "description": "What it is. One of 60: kind number 0, kind number 1, kind number 2, …",
    }
    assert shows_less(shown, MANY)
    assert brief(MANY, is_required=True) == MANY


def test_what_says_nothing_of_a_value_in_json_is_not_shown() -> None:
    member = {"type": "string", "pattern": "^[a-z]+$"}
    whole = {"type": "object", "properties": {"slug": member, "size": {"type": "integer", "format": "int64"}}}
    shown = brief(whole, is_required=True)["properties"]
    assert shown == {"slug": {"type": "string"}, "size": {"type": "integer"}}
    assert brief({"type": "boolean", "uniqueItems": True}, is_required=True) == {"type": "boolean"}
    kept = ({"type": "array", "uniqueItems": True}, member, {"type": "string", "format": "date"})
    assert [brief(one, is_required=True) for one in kept] == list(kept)
