"""What a JSON Schema says about a place in a value: whether it is declared, of which types, with which schema.

Here lives following pointers and queries through schemas, for the static checks; validation is jsonschema-rs's. The
answer is three-valued: declared (schemas), not declared (no schema), or UNKNOWN where the schema does not say enough.
References are `#/components/schemas/NAME` of an API or `#/components/inputs/NAME` of a document; cycles are safe.
"""

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

import orjson
from jsonpath import selectors as kinds
from jsonpath.segments import JSONPathRecursiveDescentSegment

from workflow.documents.queries import BOUND_NAME
from workflow.json.pointers import Parts

Schema = Mapping[str, Any]
_ALTERNATIVES = ("allOf", "anyOf", "oneOf")
_DEPTH = 12  # nested references and alternatives followed; deeper ones count as unknown


def as_json(schema: Any, *, is_sorted: bool = False) -> bytes:
    """A schema as JSON, also with numbers and texts that orjson has no form for. `is_sorted`: by its content alone."""
    try:
        return orjson.dumps(schema, default=dict, option=orjson.OPT_SORT_KEYS if is_sorted else None)
    except TypeError:
        return json.dumps(schema, default=dict, sort_keys=is_sorted).encode()


class Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN
Places = tuple[Schema, ...] | Unknown


class Schemas:
    """Shared schemas by name, and the questions."""

    def __init__(self, shared: Mapping[str, Schema]) -> None:
        self._shared = shared

    def resolve(self, schema: Any) -> Schema:
        """`schema`, or what its `$ref` names; `{}` for true, for a circle and for nothing."""
        for _ in range(_DEPTH):
            if not isinstance(schema, Mapping) or "$ref" not in schema:
                break
            schema = self._shared.get(str(schema["$ref"]).rpartition("/")[2], {})
        return schema if isinstance(schema, Mapping) and "$ref" not in schema else {}

    def variants(self, schema: Any, depth: int = 0) -> tuple[Schema, ...]:
        """The schema and all that its allOf, anyOf and oneOf join, resolved."""
        resolved = self.resolve(schema)
        if depth >= _DEPTH:
            return (resolved,)
        inner = (each for name in _ALTERNATIVES for each in resolved.get(name) or ())
        return (resolved, *(found for each in inner for found in self.variants(each, depth + 1)))

    def follow(self, schema: Any, parts: Parts) -> Places:
        """The schemas at the end of a pointer."""
        places: Places = (schema,)
        for part in parts:
            if places is UNKNOWN:
                return UNKNOWN
            places = _joined(self._member(place, part) for place in places)
        return places

    def query(self, schema: Any, segments: Iterable[Any]) -> Places:
        """The schemas of what a JSONPath (its segments, as python-jsonpath parses them) selects."""
        places: Places = (schema,)
        for segment in segments:
            if places is UNKNOWN or isinstance(segment, JSONPathRecursiveDescentSegment):
                return UNKNOWN
            places = _joined(self._selected(place, selector) for place in places for selector in segment.selectors)
        return places

    def types(self, places: Places) -> frozenset[str] | None:
        """The JSON types that values at these places may have; None where that is not known."""
        if places is UNKNOWN or not places:
            return None
        found: set[str] = set()
        for place in places:
            own = self._types(place)
            if own is None:
                return None
            found |= own
        return frozenset(found)

    def properties(self, schema: Any) -> dict[str, Schema]:
        """All declared members, those of joined schemas included; what several say of one is an `anyOf` of it."""
        said: dict[str, list[Schema]] = {}
        for each in self.variants(schema):
            for name, inner in (each.get("properties") or {}).items():
                told = said.setdefault(name, [])
                if inner not in told:
                    told.append(inner)
        return {name: told[0] if len(told) == 1 else {"anyOf": told} for name, told in said.items()}

    def required(self, schema: Any, depth: int = 0) -> tuple[str, ...]:
        """The members that are required whatever alternative is taken."""
        resolved = self.resolve(schema)
        names = list(resolved.get("required") or ())
        if depth < _DEPTH:
            names += [name for each in resolved.get("allOf") or () for name in self.required(each, depth + 1)]
        return tuple(dict.fromkeys(names))

    def is_closed(self, schema: Any) -> bool:
        """Whether further members are ruled out."""
        resolved = self.resolve(schema)
        return resolved.get("additionalProperties") is False and not any(name in resolved for name in _ALTERNATIVES)

    def _types(self, schema: Any) -> frozenset[str] | None:
        resolved = self.resolve(schema)
        declared = resolved.get("type")
        if isinstance(declared, str):
            return frozenset((declared,)) | ({"null"} if resolved.get("nullable") is True else set())
        if isinstance(declared, list):
            return frozenset(declared)
        values = [resolved["const"]] if "const" in resolved else resolved.get("enum")
        if values:
            return frozenset(type_of(value) for value in values)
        return None

    def _member(self, schema: Any, name: str) -> Places:
        return self._inside(schema, lambda each: _own_member(each, name))

    def _selected(self, schema: Any, selector: Any) -> Places:
        if isinstance(selector, kinds.NameSelector) and selector.name.startswith(BOUND_NAME):
            return UNKNOWN
        if isinstance(selector, kinds.NameSelector):
            return self._inside(schema, lambda each: _own_named(each, selector.name))
        return self._inside(schema, _own_children)

    def _inside(self, schema: Any, look: Any) -> Places:
        """What `look` finds in the schema's variants: all that declare it; UNKNOWN if one leaves it open."""
        variants = self.variants(schema)
        found = [look(each) for each in variants]
        declared = tuple(place for each in found if isinstance(each, tuple) for place in each)
        if declared:
            return declared
        is_silent = all(name in _SAYS_NOTHING or name.startswith("x-") for each in variants for name in each)
        return UNKNOWN if is_silent or any(each is UNKNOWN for each in found) else ()


_SAYS_NOTHING = {"description", "title", "example", "examples", "deprecated", "readOnly", "nullable", "default"}


def type_of(value: Any) -> str:
    """The JSON type of a value, by its narrowest name."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if value == value // 1 else "number"
    names = ((str, "string"), (Mapping, "object"), (list, "array"))
    return next((name for kind, name in names if isinstance(value, kind)), "null")


def fits(given: frozenset[str] | None, wanted: frozenset[str] | None) -> bool:
    """Whether a value of the types `given` can be one of `wanted`; unknown types fit."""
    if given is None or wanted is None:
        return True
    wide = wanted | ({"integer"} if "number" in wanted else set())
    wide |= {"number"} if "integer" in wanted else set()
    return bool(given & wide)


def _joined(found: Iterable[Places]) -> Places:
    """All places, each once: alternatives that lead to the same one would multiply at every step."""
    places: dict[int, Schema] = {}
    for each in found:
        if each is UNKNOWN:
            return UNKNOWN
        for place in each:
            places.setdefault(id(place), place)
    return tuple(places.values())


def _own_member(schema: Schema, name: str) -> Places:
    if name.isdigit() and ("items" in schema or schema.get("type") == "array"):
        return _own_items(schema)
    return _own_named(schema, name)


def _own_named(schema: Schema, name: str) -> Places:
    properties = schema.get("properties") or {}
    if name in properties:
        return (properties[name],)
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping) and more:
        return (more,)
    is_free_object = schema.get("type") == "object" and not properties and more is not False
    is_open = more in (True, {}) or "patternProperties" in schema or is_free_object
    return UNKNOWN if is_open else ()


def _own_items(schema: Schema) -> Places:
    items = schema.get("items")
    return (items,) if isinstance(items, Mapping) and items else UNKNOWN


def _own_children(schema: Schema) -> Places:
    """Whatever an index, a slice, a wildcard or a filter may select."""
    if "items" in schema or schema.get("type") == "array":
        return _own_items(schema)
    more = schema.get("additionalProperties")
    properties = tuple((schema.get("properties") or {}).values())
    if schema.get("type") == "object" or properties:
        return (*properties, more) if isinstance(more, Mapping) and more else properties or UNKNOWN
    return ()
