"""Schemas as callers see them: self-contained, without references, read-only members and long texts.

A tool's schema travels without the API's components, so references are replaced by what they refer to, down to a
depth; below it, and where a schema contains itself, any value of the right kind is accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Schema
from compiler.ir.schemas import Schemas
from compiler.passes.words import first_sentence

_DEPTH = 4  # deeper structures have not been seen in requests that a person would write
_KEPT = (
    "enum", "const", "default", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "multipleOf", "contentEncoding",
)  # fmt: skip


@dataclass(slots=True)
class Room:
    """How many more members may be written out: wide schemas in wide schemas would multiply."""

    left: int = 1_000  # the widest body of a device that was seen writes out 300

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


def inline(schemas: Schemas, schema: Schema, depth: int = 0, room: Room | None = None) -> dict[str, Any]:
    """`schema` without references; members of objects with at most a sentence of description each.

    Where there is no `room` left any value of the right kind is accepted. `room` is that of all inputs of one body.
    """
    room = room or Room()
    found = schemas.resolve(schema)
    made: dict[str, Any] = {}
    kind = found.get("type") or schemas.kind(found)
    if kind:
        made["type"] = list(kind) if isinstance(kind, tuple) else kind
    made |= {key: found[key] for key in _KEPT if key in found}
    if "default" in schema:
        made["default"] = schema["default"]
    simple = schemas.kind(found)
    if simple == "object" and depth < _DEPTH and room.left >= len(schemas.members(found)):
        made |= _members(schemas, found, depth, room)
    elif simple == "array" and depth < _DEPTH and room.take():
        element = schemas.element(found)
        if element is not None:
            made["items"] = inline(schemas, element, depth + 1, room)
    return made


def _members(schemas: Schemas, found: Schema, depth: int, room: Room) -> dict[str, Any]:
    room.left -= len(schemas.members(found))
    properties: dict[str, Any] = {}
    for name, member in schemas.members(found).items():
        if schemas.resolve(member).get("readOnly") or member.get("readOnly"):
            continue
        made = inline(schemas, member, depth + 1, room)
        text = first_sentence(schemas.text(member))
        properties[name] = {**made, "description": text} if text else made
    parts: dict[str, Any] = {"properties": properties} if properties else {}
    required = [name for name in schemas.required(found) if name in properties]
    if required:
        parts["required"] = required
    extra = found.get("additionalProperties")
    if extra is False and properties:
        parts["additionalProperties"] = False
    elif isinstance(extra, Mapping) and extra:
        parts["additionalProperties"] = inline(schemas, extra, depth + 1, room)
    return parts
