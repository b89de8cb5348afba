"""An output schema without what forbids to leave something out, for what is shown is often a part.

What is there still has the type that was approved. Outputs are judged by the whole schema before they are shown
(`calls`); clients judge what they are shown by this one. JSON Schema 2020-12. Pure.
"""

from collections.abc import Mapping
from typing import Any

Json = Any
_COMPLETE = frozenset(
    {"required", "additionalProperties", "unevaluatedProperties", "dependentRequired", "dependentSchemas"}
    | {
        "minItems",
        "minProperties",
        "contains",
        "minContains",
        "maxContains",
        "prefixItems",
        "not",
        "if",
        "then",
        "else",
    }
)
_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions"})


def lenient(schema: Json) -> Json:
    """`schema`, which every part of what it accepted fits as well."""
    if not isinstance(schema, Mapping):
        return schema
    loose: dict[str, Json] = {}
    for word, value in schema.items():
        if word in _BY_NAME and isinstance(value, Mapping):
            loose[word] = {name: lenient(each) for name, each in value.items()}
        elif word in ("anyOf", "oneOf", "allOf") and isinstance(value, list):
            loose["anyOf" if word == "oneOf" else word] = [lenient(each) for each in value]
        elif word == "items":
            loose[word] = lenient(value)
        elif word not in _COMPLETE:
            loose[word] = value
    return loose
