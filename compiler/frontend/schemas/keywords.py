"""What each keyword of JSON Schema 2020-12 may hold, and how older spellings are said in it.

Here live facts about single keywords; walking through schemas is in `schemas`. Pure functions and tables.
Descriptions break these rules often (`type: int`, `required: true`, Java regexes), and a validator refuses a whole
schema for one of them: so each keyword is checked alone, repaired where the meaning is plain, else left out and said.
JSON Schema 2020-12 (core, validation), OpenAPI 3.0.4 "Schema Object", Swagger 2.0 "Schema Object".
"""

from collections.abc import Callable, Mapping
from typing import Any

from compiler.frontend.schemas.shapes import MAX_INTEGER, plain

ONE_SCHEMA = frozenset(
    [
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
SCHEMA_LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
SCHEMA_MAPS = frozenset(("dependentSchemas", "patternProperties", "properties"))
# Identity and definitions: every schema that is referred to gets a name of its own, so these would only mislead.
LEFT_OUT = frozenset(
    [
        "$anchor",
        "$comment",
        "$defs",
        "$dynamicAnchor",
        "$id",
        "$recursiveAnchor",
        "$schema",
        "$vocabulary",
        "collectionFormat",
        "definitions",
        "id",
        "nullable",
        "x-nullable",
        "xml",
    ]
)
ANNOTATIONS = frozenset(
    ["default", "deprecated", "description", "example", "examples", "readOnly", "title", "writeOnly"]
)

_TYPES = frozenset(("array", "boolean", "integer", "null", "number", "object", "string"))
_TYPE_WORDS = {
    "any": "", "bool": "boolean", "char": "string", "date": "string", "datetime": "string", "date-time": "string",
    "dict": "object", "double": "number", "enum": "string", "float": "number", "int": "integer", "int32": "integer",
    "int64": "integer", "list": "array", "long": "integer", "map": "object", "none": "null", "str": "string",
    "text": "string", "uuid": "string",
}  # fmt: skip


class UnfitKeyword(ValueError):
    """A keyword holds what it cannot hold; the text says what."""


def _type(value: Any) -> Any:
    if isinstance(value, list):
        names = [name for name in (_type_name(one) for one in value) if name]
        if not names:
            raise UnfitKeyword("names no type")
        return names[0] if len(names) == 1 else list(dict.fromkeys(names))
    name = _type_name(value)
    if not name:
        raise UnfitKeyword("stands for any type")
    return name


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if not isinstance(value, str):
        raise UnfitKeyword("is not the name of a type")
    name = value if value in _TYPES else _TYPE_WORDS.get(value.lower(), value.lower())
    if name and name not in _TYPES:
        raise UnfitKeyword(f"{value[:40]!r} is not the name of a type")
    return name


def _enum(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise UnfitKeyword("is not a list of values")
    return [plain(one) for one in value]


def _required(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise UnfitKeyword("is not a list of names")
    return list(dict.fromkeys(one for one in value if isinstance(one, str)))


def _bound(value: Any) -> float | int:
    value = _number(value)
    # Beyond 2^53 a bound becomes the nearest double: canonical JSON has no larger integers, devices no such limits.
    return value if isinstance(value, float) or -MAX_INTEGER <= value <= MAX_INTEGER else float(value)


def _number(value: Any) -> float | int:
    if isinstance(value, str):
        try:
            value = float(value) if any(c in value for c in ".eE") else int(value)
        except ValueError as error:
            raise UnfitKeyword("is not a number") from error
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
        raise UnfitKeyword("is not a number")
    return value


def _multiple(value: Any) -> float | int:
    number = _bound(value)
    if number <= 0:
        raise UnfitKeyword("is not above zero")
    return number


def _count(value: Any) -> int:
    number = _number(value)
    if number < 0 or number != int(number):
        raise UnfitKeyword("is not a count")
    if number > MAX_INTEGER:
        raise UnfitKeyword("is beyond every length")
    return int(number)


def _reference(_value: Any) -> Any:
    # References that are text never come here: `schemas` follows them.
    raise UnfitKeyword("is not a reference")


def _flag(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise UnfitKeyword("is neither true nor false")
    return value


def _words(value: Any) -> str:
    if isinstance(value, bool | dict | list) or value is None:
        raise UnfitKeyword("is not text")
    return str(value)


def _dependent_required(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise UnfitKeyword("is not a mapping")
    return {key: _required(value[key]) for key in sorted(value)}


def _examples(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    return [plain(one) for one in value] if isinstance(value, list) else [plain(value)]


CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "$dynamicRef": _reference,
    "$recursiveRef": _reference,
    "$ref": _reference,
    "contentEncoding": _words,
    "contentMediaType": _words,
    "dependentRequired": _dependent_required,
    "deprecated": _flag,
    "description": _words,
    "enum": _enum,
    "examples": _examples,
    "exclusiveMaximum": _bound,
    "exclusiveMinimum": _bound,
    "format": _words,
    "maxContains": _count,
    "maxItems": _count,
    "maxLength": _count,
    "maxProperties": _count,
    "maximum": _bound,
    "minContains": _count,
    "minItems": _count,
    "minLength": _count,
    "minProperties": _count,
    "minimum": _bound,
    "multipleOf": _multiple,
    "readOnly": _flag,
    "required": _required,
    "title": _words,
    "type": _type,
    "uniqueItems": _flag,
    "writeOnly": _flag,
}
_OLD = frozenset(("additionalItems", "dependencies", "example", "exclusiveMaximum", "exclusiveMinimum", "items"))


def in_new_words(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """`schema`, one object without its subschemas, with the spellings of older drafts said in 2020-12."""
    if schema.get("type") == "file":
        schema = {**schema, "type": "string", "format": "binary"}
    if _OLD.isdisjoint(schema):
        return schema
    new = dict(schema)
    _exclusive(new, "exclusiveMinimum", "minimum")
    _exclusive(new, "exclusiveMaximum", "maximum")
    if "example" in new:
        example = new.pop("example")
        new.setdefault("examples", [example])
    if isinstance(new.get("items"), list):
        new["prefixItems"] = new.pop("items")
        if "additionalItems" in new:
            new["items"] = new["additionalItems"]
    new.pop("additionalItems", None)
    _dependencies(new)
    return new


def _exclusive(schema: dict[str, Any], exclusive: str, inclusive: str) -> None:
    flag = schema.get(exclusive)
    if isinstance(flag, bool):
        del schema[exclusive]
        if flag and inclusive in schema:
            schema[exclusive] = schema.pop(inclusive)


def _dependencies(schema: dict[str, Any]) -> None:
    old = schema.pop("dependencies", None)
    if isinstance(old, dict):
        lists = {key: value for key, value in old.items() if isinstance(value, list)}
        schema.setdefault("dependentRequired", lists)
        schema.setdefault("dependentSchemas", {key: value for key, value in old.items() if key not in lists})


def is_nullable(schema: Mapping[str, Any]) -> bool:
    """OpenAPI 3.0 says `nullable`, Swagger 2.0 authors `x-nullable`; both are met in 3.1 documents too."""
    return schema.get("nullable") is True or schema.get("x-nullable") is True


def allow_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The converted `schema`, also taking null; notes about it stay outermost, where readers look for them."""
    composed = "$ref" in schema or "allOf" in schema
    choice = next((keyword for keyword in ("anyOf", "oneOf") if keyword in schema), "")
    if composed:
        notes = {key: schema.pop(key) for key in list(schema) if key in ANNOTATIONS or key.startswith("x-")}
        # The same object stays inside: its reference gets its name later.
        return dict(sorted({**notes, "anyOf": [schema, {"type": "null"}]}.items()))
    if choice and "type" not in schema:
        schema[choice] = [*schema[choice], {"type": "null"}]
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        schema["type"] = list(dict.fromkeys([*kinds, "null"]))
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema
