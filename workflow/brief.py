"""An input as a list of tools shows it: what a caller needs to fill it, since every list pays for each word of it.

How long a text may be is told by whoever refuses it, and so is which letters a member of an object may have; of an
optional object its required members are shown, of a large one, or of one of very many values, what it is for. The whole
schema, which calls are validated with, says all of it.
Called by `tool` alone; JSON Schema 2020-12.
"""

from collections.abc import Mapping
from typing import Any

from workflow.documents.schemas import as_json

Json = Any
_MOST_EXAMPLE = 40  # bytes, brackets included: ten tokens
_LENGTHS = ("minLength", "maxLength")
_WIDTHS = ("int32", "int64", "float", "double")  # how a server keeps a number: JSON has one kind
_MOST_STRUCTURE = 400  # bytes of an optional object or of its values: a hundred tokens, half of what a tool takes
_INNER = ("properties", "items")
_TEXTS = ("description", "examples", "pattern", "format", "maxItems", "minItems", "default")
_NAMED_VALUES = 3  # of too many to show


def brief(schema: Json, *, is_required: bool) -> Json:
    """The input's schema with an example where that is short and says what nothing else does."""
    if not isinstance(schema, Mapping):
        return schema
    schema = _without_lengths(schema)
    schema = _without_inner_texts(schema) if is_required else _in_outline(schema)
    if "examples" not in schema:
        return schema
    says_enough = "enum" in schema or "default" in schema or schema.get("type") == "boolean"
    if not says_enough and len(as_json(schema["examples"])) <= _MOST_EXAMPLE:
        return schema
    return {key: value for key, value in schema.items() if key != "examples"}


def shows_less(shown: Mapping[str, Json], whole: Mapping[str, Json]) -> bool:
    """Whether an input is shown without some of the members or values that it takes."""
    return any(len(shown.get(word, ())) < len(whole.get(word, ())) for word in ("properties", "enum"))


def _without_lengths(schema: Mapping[str, Json]) -> dict[str, Json]:
    plain = {key: value for key, value in schema.items() if key not in _LENGTHS and not _is_idle(schema, key)}
    if isinstance(plain.get("properties"), Mapping):
        plain["properties"] = {name: _plain(one) for name, one in plain["properties"].items()}
    if "items" in plain:
        plain["items"] = _plain(plain["items"])
    return plain


def _is_idle(schema: Mapping[str, Json], key: str) -> bool:
    """Whether a keyword says nothing of values of this type."""
    if key == "format":
        return schema[key] in _WIDTHS and schema.get("type") in ("integer", "number")
    return key == "uniqueItems" and isinstance(schema.get("type"), str) and schema["type"] != "array"


def _plain(schema: Json) -> Json:
    """A member of an input, also without its pattern."""
    if not isinstance(schema, Mapping):
        return schema
    return {key: value for key, value in _without_lengths(schema).items() if key != "pattern"}


def _without_inner_texts(schema: dict[str, Json]) -> dict[str, Json]:
    """A large structure with its members and their types alone: what each is for stands in the whole schema."""
    if len(as_json(schema)) <= _MOST_STRUCTURE:
        return schema
    return {key: _bare(value) if key in _INNER else value for key, value in schema.items()}


def _bare(schema: Json) -> Json:
    """A schema, or schemas by name, without texts, examples and lengths at any depth."""
    if not isinstance(schema, Mapping):
        return schema
    if isinstance(schema.get("type"), (str, list)):
        schema = {key: value for key, value in schema.items() if key not in _TEXTS}
        return {key: _bare(value) if key in _INNER else value for key, value in schema.items()}
    return {name: _bare(one) for name, one in schema.items()}


def _in_outline(schema: dict[str, Json]) -> dict[str, Json]:
    """An optional input without what would take too much room."""
    needed = schema.get("required")
    if needed and isinstance(schema.get("properties"), Mapping):
        kept = {name: one for name, one in schema["properties"].items() if name in needed}
        if len(kept) < len(schema["properties"]):
            open_ = {key: value for key, value in schema.items() if key != "additionalProperties"}
            schema = {**open_, "properties": kept}
    if len(as_json(schema)) <= _MOST_STRUCTURE:
        return schema
    said = str(schema.get("description", ""))
    if schema.get("type") == "object":
        return {"type": "object", "description": said}
    if "enum" in schema and "type" in schema:
        named = ", ".join(str(value) for value in schema["enum"][:_NAMED_VALUES])
        return {"type": schema["type"], "description": f"{said} One of {len(schema['enum'])}: {named}, …".strip()}
    return schema
