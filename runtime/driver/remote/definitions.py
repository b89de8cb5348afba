"""A tool as an MCP server tells of it: pinned by a digest, bounded, cleaned; or refused, with the reason.

What a server says of its tools is hostile input: it ends before an approver and in a model's context. The digest is
over the definition as it was sent (name, title, description, schemas, annotations), so that a change in a character
that nobody sees is a change. Schemas are taken only where judging a value by them is bounded: references that lead
out of them, that lead to themselves in place, or that multiply are refused. Pure. MCP 2025-11-25, "Tools"; JSON
Schema 2020-12.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from workflow.errors import WorkflowError
from workflow.json.canonical import digest
from workflow.visible import hides, visible

Json = Any
# A server with more is no toolbox; each costs an approver a look.
MOST_TOOLS = 500
# Where the operations of tools stand: a tool is called by a path of its own.
TOOLS = "/tools/"
# The largest published definitions have some 20 kB.
MOST_BYTES = 64 * 1024
MOST_NESTED = 24
# Of schemas with all references put in: what judging one value may come to.
MOST_PARTS = 5_000
MOST_TITLE, MOST_DESCRIPTION = 120, 2_000
# MCP: 1 to 128 of these; what clients take is a matter of our own name for it (`contents`).
_NAME = re.compile(r"[A-Za-z0-9_./-]{1,128}")
# As expressions name inputs (`workflow.documents.expressions`).
_INPUT = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REFERENCE = re.compile(r"#/(?:\$defs|definitions)/([A-Za-z0-9._-]+)")
_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "dependentSchemas")
_PINNED = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
# Keywords that change what a reference means.
_ELSEWHERE = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "id")
_SELECTOR = {"context", "selector", "type"}  # an object of these is a selector in Arazzo


class UnfitDefinition(Exception):
    """A definition that is not taken. The text says why, in words of ours."""


@dataclass(frozen=True, slots=True)
class Definition:
    """`digest`: of what was sent. `inputs`: the properties' schema; `shared`: what they refer to, by name.

    `said`: what the server claims in its annotations, for the approver: nothing follows from it.
    """

    name: str
    digest: str
    title: str
    description: str
    inputs: Mapping[str, Json]
    shared: Mapping[str, Json]
    said: Mapping[str, bool]


def pin_of(sent: Mapping[str, Json]) -> str:
    """The digest of a definition as it was sent. Raises UnfitDefinition for what has no canonical form."""
    try:
        return digest({name: sent[name] for name in _PINNED if sent.get(name) is not None})
    except WorkflowError as error:
        raise UnfitDefinition("it is no JSON that has one form") from error


def definition_of(sent: Mapping[str, Json]) -> Definition:
    """What is taken of it. Raises UnfitDefinition."""
    name = sent.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UnfitDefinition("its name is none by MCP's rules (1 to 128 of A-Z a-z 0-9 _ - . /)")
    try:
        if len(orjson.dumps(sent)) > MOST_BYTES:
            raise UnfitDefinition(f"its definition is larger than {MOST_BYTES} bytes")
    except TypeError:
        raise UnfitDefinition("its definition is no JSON") from None
    schema, shared = _inputs(sent.get("inputSchema"))
    annotations = sent.get("annotations")
    told = annotations if isinstance(annotations, Mapping) else {}
    return Definition(
        name,
        pin_of(sent),
        visible(str(sent.get("title") or told.get("title") or name), MOST_TITLE),
        visible(str(sent.get("description") or ""), MOST_DESCRIPTION),
        schema,
        shared,
        {key: value for key, value in told.items() if key.endswith("Hint") and isinstance(value, bool)},
    )


def _inputs(sent: Json) -> tuple[dict[str, Json], dict[str, Json]]:
    """The schema of the arguments, and what it refers to. Raises UnfitDefinition."""
    if not isinstance(sent, Mapping) or sent.get("type", "object") != "object":
        raise UnfitDefinition("its arguments are no object")
    shared = {**(sent.get("definitions") or {}), **(sent.get("$defs") or {})}
    schema = {key: value for key, value in sent.items() if key not in ("$defs", "definitions", "$schema", "$comment")}
    _check_bounded(schema, shared)
    properties = schema.get("properties") or {}
    if not isinstance(properties, Mapping) or not all(map(_INPUT.fullmatch, properties)):
        raise UnfitDefinition("an argument's name is none that we can send (A-Z a-z 0-9 . _ -)")
    if properties.keys() == _SELECTOR:
        raise UnfitDefinition("its arguments are called as the parts of a selector are")
    if not set(schema.get("required") or ()) <= properties.keys():
        raise UnfitDefinition("it requires arguments that it does not describe")
    if hides([*properties, *(schema.get("required") or ())]):
        raise UnfitDefinition("an argument's name has characters that cannot be seen")
    # What is not described is not sent: whoever approves knows all that can be.
    schema = {**schema, "type": "object", "properties": dict(properties), "additionalProperties": False}
    moved: dict[str, Json] = _moved(schema)
    return moved, {name: _moved(each) for name, each in shared.items()}


def _moved(schema: Json) -> Json:
    """With references that lead where an Arazzo document has shared schemas."""
    if isinstance(schema, list):
        return [_moved(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    moved = {key: _moved(value) for key, value in schema.items() if key not in ("$schema", "$comment")}
    if isinstance(schema.get("$ref"), str) and (found := _REFERENCE.fullmatch(schema["$ref"])):
        moved["$ref"] = f"#/components/inputs/{found[1]}"
    return moved


def _check_bounded(schema: Mapping[str, Json], shared: Mapping[str, Json]) -> None:
    if not all(isinstance(each, Mapping | bool) for each in shared.values()):
        raise UnfitDefinition("what its schema shares are no schemas")
    for part in (schema, *shared.values()):
        for each in _parts(part):
            if any(word in each for word in _ELSEWHERE if isinstance(each.get(word), str)):
                raise UnfitDefinition("its schema changes what references mean")
            if "$ref" in each and _shared_name(each) not in shared:
                raise UnfitDefinition("its schema refers to what is not in it")
    _check_circles(shared)
    sizes: dict[str, int] = {}
    if _size(schema, shared, sizes, frozenset()) > MOST_PARTS:
        raise UnfitDefinition(f"its schema comes to more than {MOST_PARTS} parts")


def _parts(schema: Json, depth: int = 0) -> Iterator[Mapping[str, Json]]:
    """All objects in it. Raises UnfitDefinition for what is nested too deeply."""
    if depth > MOST_NESTED:
        raise UnfitDefinition(f"its schema is nested deeper than {MOST_NESTED}")
    if isinstance(schema, Mapping):
        yield schema
    for each in schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ():
        yield from _parts(each, depth + 1)


def _shared_name(schema: Mapping[str, Json]) -> str:
    found = _REFERENCE.fullmatch(str(schema["$ref"]))
    return found[1] if found else ""


def _in_place(schema: Json) -> Iterator[str]:
    """The shared schemas that the same value is judged by."""
    if not isinstance(schema, Mapping):
        return
    if "$ref" in schema:
        yield _shared_name(schema)
    for word in _IN_PLACE:
        inner = schema.get(word)
        some = inner if isinstance(inner, list) else inner.values() if word == "dependentSchemas" and inner else [inner]
        for each in some:
            yield from _in_place(each)


def _check_circles(shared: Mapping[str, Json]) -> None:
    """Raises UnfitDefinition where judging one value by a schema comes back to the same schema and the same value."""
    leads = {name: set(_in_place(schema)) for name, schema in shared.items()}
    done: set[str] = set()
    while ready := [name for name in leads if name not in done and leads[name] <= done]:
        done.update(ready)
    if len(done) < len(leads):
        raise UnfitDefinition("its schema refers to itself without an end")


def _size(schema: Json, shared: Mapping[str, Json], sizes: dict[str, int], inside: frozenset[str]) -> int:
    """How many parts it has with references put in; what refers to itself deeper down counts once."""
    if isinstance(schema, list):
        return sum(_size(each, shared, sizes, inside) for each in schema)
    if not isinstance(schema, Mapping):
        return 0
    size = 1 + sum(_size(each, shared, sizes, inside) for each in schema.values())
    name = _shared_name(schema) if "$ref" in schema else ""
    if not name or name in inside:
        return size
    if name not in sizes:
        sizes[name] = _size(shared[name], shared, sizes, inside | {name})
    return size + sizes[name]
