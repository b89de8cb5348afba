"""Values that a schema names (`default`, `enum`, `examples`), brought to the type that it names beside them.

Here lives the repair of single values; which keywords a schema may hold is in `keywords`. Called by `schemas`.
Descriptions are written by people and made by tools: `default: "10"` of an integer means 10, `enum: [8, 16]` of a
string means "8" and "16". What has no plain reading is left out and said, so that nobody is offered what is refused.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema_rs

_NOTHING = object()
_BOUNDS = frozenset(
    [
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maximum",
        "maxItems",
        "maxLength",
        "minimum",
        "minItems",
        "minLength",
        "multipleOf",
        "pattern",
    ]
)
_TRUTHS = {"true": True, "false": False}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}


def repair_values(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Brings the values in `schema`, one converted object, into their type; gives (keyword, what was done)."""
    kinds = _kinds(schema)
    if kinds:
        yield from _repaired_enum(schema, kinds)
        yield from _repaired_default(schema, kinds)
        yield from _repaired_examples(schema, kinds)
        yield from _against_the_rest(schema)


def coerced(value: Any, kinds: tuple[str, ...]) -> Any:
    """`value` as one of the types, where its plain reading is one; raises ValueError for what has none."""
    if fits_type(value, kinds):
        return value
    readings = (_as(kind, value) for kind in kinds)
    found = next((reading for reading in readings if reading is not _NOTHING), _NOTHING)
    if found is _NOTHING:
        raise ValueError
    return found


def fits_type(value: Any, kinds: tuple[str, ...]) -> bool:
    """Whether the value is of one of the types of JSON Schema; 1.0 is an integer there."""
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, float) and value.is_integer() and "integer" in kinds:
        return True
    return any(isinstance(value, _TYPES[kind]) for kind in kinds if kind in _TYPES)


def _kinds(schema: dict[str, Any]) -> tuple[str, ...]:
    kind = schema.get("type")
    return (kind,) if isinstance(kind, str) else tuple(kind) if isinstance(kind, list) else ()


def _as(kind: str, value: Any) -> Any:
    if kind == "string":
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int | float) else _NOTHING
    if kind == "boolean" and isinstance(value, str):
        return _TRUTHS.get(value.strip().lower(), _NOTHING)
    if kind in ("integer", "number") and isinstance(value, str):
        try:
            return int(value) if kind == "integer" or value.strip().lstrip("+-").isdigit() else float(value)
        except ValueError:
            return _NOTHING
    return _NOTHING


def _repaired_enum(schema: dict[str, Any], kinds: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    values = schema.get("enum")
    if not values or all(value is None or fits_type(value, kinds) for value in values):
        return
    items = schema.get("items")
    if kinds == ("array",) and isinstance(items, dict) and "$ref" not in items and "enum" not in items:
        items["enum"] = schema.pop("enum")
        yield "enum", "the values are of the list's elements, and taken so"
        return
    kept = []
    for value in values:
        try:
            kept.append(value if value is None else coerced(value, kinds))
        except ValueError:
            continue
    schema["enum"] = [value for number, value in enumerate(kept) if value not in kept[:number]]
    lost = len(values) - len(kept)
    if not any(value is not None for value in kept):
        del schema["enum"]
    yield "enum", f"values of another type than {' or '.join(kinds)} are " + ("left out" if lost else "taken as such")


def _repaired_default(schema: dict[str, Any], kinds: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    value = schema.get("default")
    if value is None:
        if "null" not in kinds:
            schema.pop("default", None)
        return
    try:
        schema["default"] = coerced(value, kinds)
    except ValueError:
        del schema["default"]
        yield "default", f"is not of the type {' or '.join(kinds)}; left out"
        return
    if not fits_type(value, kinds):
        yield "default", f"is not of the type {' or '.join(kinds)}; taken as such"
    if schema.get("enum") and schema["default"] not in schema["enum"]:
        del schema["default"]
        yield "default", "is none of the values that are allowed; left out"


def _against_the_rest(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A default that breaks its own format shows that the format is not meant so; one beyond other bounds goes."""
    default, bounds = schema.get("default"), _BOUNDS & schema.keys()
    if default is None or not (bounds or "format" in schema):
        return
    if not _allows(schema, bounds, default):
        del schema["default"]
        yield "default", "is beyond the bounds beside it; left out"
    elif "format" in schema and not _allows(schema, {"format"}, default):
        del schema["format"]
        yield "format", "is broken by the default beside it; left out"


def _allows(schema: dict[str, Any], keywords: Iterable[str], value: Any) -> bool:
    bounded = {key: schema[key] for key in keywords}
    try:
        validator = jsonschema_rs.Draft202012Validator(bounded, validate_formats=True, ignore_unknown_formats=True)
        return bool(validator.is_valid(value))
    except ValueError:  # a pattern of another dialect judges nothing
        return True


def _repaired_examples(schema: dict[str, Any], kinds: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    shown = schema.get("examples")
    if not isinstance(shown, list) or all(one is None or fits_type(one, kinds) for one in shown):
        return
    kept = []
    for one in shown:
        try:
            kept.append(one if one is None else coerced(one, kinds))
        except ValueError:
            continue
    schema["examples"] = kept
    if not kept:
        del schema["examples"]
    if len(kept) < len(shown):
        yield "examples", f"one is not of the type {' or '.join(kinds)}; left out"
