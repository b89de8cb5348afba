"""How much work it is to judge one value by one schema, counted without doing it, so that nobody waits for too much.

A validator tries each alternative (anyOf, oneOf, allOf, not, if) on the same value, and alternatives inside of
alternatives multiply: thirty levels of two are a thousand million tries for a value of two hundred bytes. What has no
such choice is linear in the value and needs no counting. Called by `runtime.large_values`; never judges anything.
JSON Schema 2020-12.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from workflow.errors import ExpressionError
from workflow.json.pointers import NOTHING, parse_pointer, resolve

Json = Any
_CHOICES = ("anyOf", "oneOf", "allOf")
_ALONE = ("not", "if", "then", "else", "contains", "propertyNames")
_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,), "boolean": (bool,), "array": (list,), "object": (dict,), "integer": (int, float),
    "number": (int, float),
}  # fmt: skip
_TEXT_A_STEP = 20  # characters of a text that a pattern is searched in, in the time of one step


def tries_alternatives(schema: Json) -> bool:
    """Whether some value may be tried more than once by what a schema holds."""
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if any(len(one.get(word) or ()) > 1 for word in _CHOICES) or not one.keys().isdisjoint(_ALONE):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def steps(root: Json, value: Json, most: int) -> int:
    """How many times a schema is held against a part of `value`, at least; counted no further than `most`."""
    waiting: list[tuple[Json, Json]] = [(root, value)]
    count = 0
    while waiting and count < most:
        schema, part = waiting.pop()
        count += 1
        if isinstance(schema, Mapping) and _is_of_kind(schema.get("type"), part):
            if isinstance(schema.get("$ref"), str):
                waiting.append((_referred(root, schema["$ref"]), part))
            waiting += ((one, part) for one in _applied(schema))
            if isinstance(part, dict):
                waiting += _members(schema, part)
            elif isinstance(part, list):
                waiting += _items(schema, part)
            elif isinstance(part, str) and "pattern" in schema:
                count += len(part) // _TEXT_A_STEP
    return count


def _applied(schema: Mapping[str, Json]) -> Iterator[Json]:
    """What is tried on the very same value."""
    for word in _CHOICES:
        yield from schema.get(word) or ()
    yield from (schema[word] for word in ("not", "if", "then", "else") if word in schema)
    dependent = schema.get("dependentSchemas")
    yield from dependent.values() if isinstance(dependent, Mapping) else ()


def _members(schema: Mapping[str, Json], value: dict[str, Json]) -> Iterator[tuple[Json, Json]]:
    declared, patterns = schema.get("properties") or {}, schema.get("patternProperties") or {}
    more = schema.get("additionalProperties", schema.get("unevaluatedProperties"))
    for name, part in value.items():
        if name in declared:
            yield declared[name], part
        elif isinstance(more, Mapping):
            yield more, part
        yield from ((one, part) for one in patterns.values())


def _items(schema: Mapping[str, Json], value: list[Json]) -> Iterator[tuple[Json, Json]]:
    first = schema.get("prefixItems") or []
    yield from zip(first, value, strict=False)
    for word in ("items", "contains"):
        if isinstance(schema.get(word), Mapping):
            yield from ((schema[word], part) for part in value[len(first) if word == "items" else 0 :])


def _is_of_kind(kinds: Json, value: Json) -> bool:
    """False where the type alone refuses the value, and nothing else is tried."""
    named = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(named, list) or value is None:
        return True
    return any(kind not in _KINDS or isinstance(value, _KINDS[kind]) for kind in named if kind != "null")


def _referred(root: Json, reference: str) -> Json:
    try:
        found = resolve(root, parse_pointer(reference.removeprefix("#")))
    except ExpressionError:
        return None
    return None if found is NOTHING else found
