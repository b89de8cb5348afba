"""Schemas as callers see them: self-contained, without references, read-only members and long texts.

A tool's schema travels without the API's components, so references are replaced by what they refer to, down to a
depth; below it, and where a schema contains itself, any value of the right kind is accepted. What joins schemas
(allOf, anyOf, oneOf, dependentRequired) stays and is enforced at the call; where something had to be cut, an exclusive
choice becomes a plain one, so that nothing is forbidden which the device takes. JSON Schema 2020-12.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from compiler.ir.model import Schema
from compiler.ir.schemas import SharedSchemas, joined
from compiler.passes.names.words import first_sentence
from workflow.documents.schemas import as_json

_DEPTH = 4  # deeper structures have not been seen in requests that a person would write
_MOST_OPTIONS = 24  # written out of one choice; the longest one that was seen by which people choose has 19
_MOST_VERBATIM = 2_000  # bytes of a condition taken as it stands
_KEPT = (
    "enum", "const", "default", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "multipleOf", "contentEncoding",
    "minProperties", "maxProperties",
)  # fmt: skip
_CONDITIONS = ("not", "if", "then", "else", "dependentSchemas")


@dataclass(slots=True)
class Room:
    """How many more members may be written out: wide schemas in wide schemas would multiply. `cuts`: how often one
    was not."""

    left: int = 1_000  # the widest body of a device that was seen writes out 300
    cuts: int = 0

    def take(self, count: int = 1) -> bool:
        self.left -= count
        return self.left >= 0

    def cut(self) -> None:
        self.cuts += 1


def inline(schemas: SharedSchemas, schema: Schema, depth: int = 0, room: Room | None = None) -> dict[str, Any]:
    """`schema` without references; members of objects with at most a sentence of description each.

    Where there is no `room` left any value of the right kind is accepted. `room` is that of all inputs of one body.
    """
    made = _inlined(schemas, schemas.flat(schema), depth, room or Room())
    if "default" in made and not _takes(made, made["default"]):
        del made["default"]  # it would be put in for the caller, and refused
    return made


def _takes(made: Mapping[str, Any], value: Any) -> bool:
    """Whether a default is one of the values that are taken; of texts and numbers the front end has seen to it."""
    if isinstance(value, (str, int, float)) and made.get("type") is not None:
        return True
    try:
        return jsonschema_rs.is_valid(dict(made), value)
    except ValueError:  # a pattern that cannot be run here
        return False


def _inlined(schemas: SharedSchemas, found: Schema, depth: int, room: Room) -> dict[str, Any]:
    """`inline` of a flat schema."""
    word, options, takes_null = schemas.choice(found)
    if not word:
        return _plain(schemas, found, depth, room)
    own = {key: value for key, value in found.items() if key not in ("anyOf", "oneOf")}
    one = options[0] if len(options) == 1 else schemas.newest(options)
    if one is not None or not options:
        made = _plain(schemas, joined(schemas.flat(one or {}), own), depth, room)
        return with_null(made) if takes_null else made
    made = _plain(schemas, own, depth, room)
    choice = _choice(schemas, word, options, depth, room)
    if not choice:
        return made
    if choice.keys() == {"type"}:
        return with_null({**made, **choice}) if takes_null else {**made, **choice}
    if takes_null:
        keyword, parts = next(iter(choice.items()))
        choice = {keyword: [*parts, {"type": "null"}]}
    for member in made.get("properties", {}).values():
        member.pop("default", None)  # what is put in for the caller would choose for them
    return {**made, **choice}


def without_defaults(made: Mapping[str, Any]) -> dict[str, Any]:
    """A written schema that puts nothing in for the caller, in objects within it neither."""
    plain = {key: value for key, value in made.items() if key != "default"}
    if isinstance(plain.get("properties"), Mapping):
        plain["properties"] = {name: without_defaults(member) for name, member in plain["properties"].items()}
    return plain


def with_null(made: dict[str, Any]) -> dict[str, Any]:
    """A written schema that takes null as well."""
    kinds = made.get("type")
    if kinds is not None:
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        made = {**made, "type": kinds if "null" in kinds else [*kinds, "null"]}
    if "enum" in made and None not in made["enum"]:
        made = {**made, "enum": [*made["enum"], None]}
    return made


def _choice(schemas: SharedSchemas, word: str, options: Sequence[Schema], depth: int, room: Room) -> dict[str, Any]:
    """The alternatives, written out; empty where one of them takes anything, or there is no room for all."""
    cuts = room.cuts
    if depth >= _DEPTH or len(options) > _MOST_OPTIONS or not room.take(len(options)):
        room.cut()
        return {}
    parts = [inline(schemas, option, depth + 1, room) for option in options]
    parts = [part for number, part in enumerate(parts) if part not in parts[:number]]
    if {} in parts:
        return {}
    if all(part.keys() == {"type"} and isinstance(part["type"], str) for part in parts):
        return {"type": [part["type"] for part in parts]}
    is_exact = word == "oneOf" and room.cuts == cuts and are_apart(parts)
    return {"oneOf" if is_exact else "anyOf": parts}


def are_apart(parts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each of these alternatives can be had without another one holding as well.

    What is written as "exactly one" is often meant as "one of": `{a}` beside `{a, b}` could never be `{a, b}`.
    """
    if any(part.get("type", "object") != "object" for part in parts):
        return False
    demanded = [set(part.get("required", ())) for part in parts]
    told = [_telling(part) for part in parts]
    pairs = ((a, b) for a in range(len(parts)) for b in range(a))
    return all(
        not (demanded[a] <= demanded[b] or demanded[b] <= demanded[a]) or _exclude(told[a], told[b]) for a, b in pairs
    )


def _telling(part: Mapping[str, Any]) -> dict[str, Any]:
    """The members by whose value an alternative is chosen."""
    members = part.get("properties", {})
    required = part.get("required", ())
    values = {n: m.get("enum", [m["const"]] if "const" in m else None) for n, m in members.items() if m is not False}
    return {name: value for name, value in values.items() if value is not None and name in required}


def _exclude(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return any(not any(value in other[name] for value in one[name]) for name in one.keys() & other.keys())


def _plain(schemas: SharedSchemas, found: Schema, depth: int, room: Room) -> dict[str, Any]:
    """What has no alternatives: `found` is flat."""
    made: dict[str, Any] = {}
    kind = found.get("type") or schemas.kind(found)
    if kind:
        made["type"] = list(kind) if isinstance(kind, tuple) else kind
    made |= {key: found[key] for key in _KEPT if key in found}
    simple = schemas.kind(found)
    if simple == "object":
        if depth < _DEPTH and room.left >= len(schemas.members(found)):
            made |= _members(schemas, found, depth, room)
        elif schemas.members(found):
            room.cut()
    elif simple == "array":
        element = schemas.element(found)
        if element is not None and depth < _DEPTH and room.take():
            made["items"] = inline(schemas, element, depth + 1, room)
        elif element is not None:
            room.cut()
    more = [inline(schemas, part, depth, room) for part in found.get("allOf", ()) if depth < _DEPTH]
    if more := [part for part in more if part]:
        made["allOf"] = more
    return made


def _members(schemas: SharedSchemas, found: Schema, depth: int, room: Room) -> dict[str, Any]:
    room.left -= len(schemas.members(found))
    properties: dict[str, Any] = {}
    for name, member in schemas.members(found).items():
        if schemas.is_read_only(member):
            continue
        made = inline(schemas, member, depth + 1, room)
        text = first_sentence(schemas.text(member))
        properties[name] = {**made, "description": text} if text else made
    parts: dict[str, Any] = {"properties": properties} if properties else {}
    required = [name for name in schemas.required(found) if name in properties]
    if required:
        parts["required"] = required
    return {**parts, **_further(schemas, found, depth, room), **_between(found, properties)}


def _further(schemas: SharedSchemas, found: Schema, depth: int, room: Room) -> dict[str, Any]:
    """What is said of members without a name. One that joins others is open to what those name."""
    extra = found.get("additionalProperties")
    is_joined = any(word in found for word in ("anyOf", "oneOf", "allOf", "patternProperties"))
    if extra is False and not is_joined and schemas.members(found):
        return {"additionalProperties": False}
    if isinstance(extra, Mapping) and extra and not is_joined:
        return {"additionalProperties": inline(schemas, extra, depth + 1, room)}
    return {}


def _between(found: Schema, properties: Mapping[str, Any]) -> dict[str, Any]:
    """What holds between the members: those that need others, and conditions that stand for themselves."""
    parts = {word: found[word] for word in _CONDITIONS if word in found and is_whole(found[word])}
    if "if" not in parts:
        parts = {word: part for word, part in parts.items() if word not in ("then", "else")}
    needs = found.get("dependentRequired")
    known = {
        name: [other for other in others if other in properties]
        for name, others in (needs.items() if isinstance(needs, Mapping) else ())
        if name in properties
    }
    if known := {name: others for name, others in known.items() if others}:
        parts["dependentRequired"] = known
        for name in (*known, *(other for others in known.values() for other in others)):
            properties[name].pop("default", None)
    return parts


def is_whole(condition: Any) -> bool:
    """Whether a condition can be taken as it stands: it refers to nothing, and is small."""
    written = as_json(condition)
    return b'"$ref"' not in written and len(written) <= _MOST_VERBATIM
