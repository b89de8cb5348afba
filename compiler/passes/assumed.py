"""Bodies that a description forgets: an update without anything to say changes nothing.

Before: resources. After: an update of a thing that can be read, and a creation in a collection, have a body where the
description declares none, one whose file is missing, or a patch of which it says nothing: the members of the thing
itself that are not read-only, none of them required and others allowed. Told as one note, because nobody has promised
that the device takes it. A `PUT` on what can't be read (a membership, a tag) has no body where the description says
nothing of one. What is sent as JSON Patch is a list of operations (RFC 6902), however it is described. Called by the
pipeline between resources and jobs.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from compiler.frontend.schemas.reading import MISSING
from compiler.ir.model import Api, Body, Diagnostic, Operation, Resource, Schema, Severity
from compiler.ir.schemas import SharedSchemas
from compiler.passes.identity import is_server_made, picks_by_query, says_id
from compiler.passes.names.paths import GROUPING, item_prefixes
from compiler.passes.outcome import Options, PassOutcome

_DEPTH = 1  # what lies deeper is another resource's business more often than not
_GROUPS = frozenset({*GROUPING, "links"})  # what is there and what can be done, nothing to set
_SAYING = frozenset({"properties", "allOf", "anyOf", "oneOf", "patternProperties", "const", "enum"})
_ANY: tuple[Any, ...] = (None, True, {})  # of `additionalProperties`
_ANY_OBJECT: Mapping[str, Any] = {"type": "object"}
_JSON_PATCH: Mapping[str, Any] = {
    "type": "array",
    "minItems": 1,
    "description": "What is changed, as JSON Patch (RFC 6902): operations that are made in order.",
    "items": {
        "type": "object",
        "required": ["op", "path"],
        "properties": {
            "op": {"type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"]},
            "path": {"type": "string", "description": "Where, as a JSON pointer: /name."},
            "value": {"description": "What is to stand there."},
            "from": {"type": "string", "description": "Where it is taken from, to be moved or copied."},
        },
    },
    "example": [{"op": "replace", "path": "/name", "value": "new name"}],
}


def run(api: Api, _options: Options) -> PassOutcome:
    schemas = SharedSchemas(api.schemas)
    wanted: dict[str, Mapping[str, Any]] = {}
    known = {o.key for o in api.operations if o.body is not None}
    for resource in api.resources:
        for key in (resource.update if resource.read else "", resource.create):
            if key:
                wanted[key] = _members_of(schemas, resource, key.startswith("PATCH ") and key in known)
    wanted = {**_of_replacements(api, schemas), **wanted}
    api = _as_meant(api, schemas)
    forgotten = [
        o for o in api.operations if o.key in wanted and not o.left_out and _is_unknown(schemas, o, wanted[o.key])
    ]
    if not forgotten:
        return PassOutcome(api)
    keys = {o.key for o in forgotten}
    operations = tuple(_with_body(o, wanted[o.key]) if o.key in keys else o for o in api.operations)
    note = Diagnostic(
        "body-assumed",
        Severity.NOTE,
        "#/paths",
        f"{len(forgotten)} updates and creations have no readable body; assumed that they take the thing's own members",
        "declare the bodies, in the description or in an overlay",
    )
    return PassOutcome(replace(api, operations=operations), (note,))


def _of_replacements(api: Api, schemas: SharedSchemas) -> dict[str, Mapping[str, Any]]:
    """For patches the members of what a PUT at the same address takes (`PATCH /nodes/{name}/status`)."""
    put = {o.path: o.body for o in api.operations if o.method == "PUT" and o.body is not None}
    found: dict[str, Mapping[str, Any]] = {}
    for operation in api.operations:
        body = put.get(operation.path) if operation.method == "PATCH" else None
        members = schemas.members(body.schema) if body is not None else {}
        if members:
            schema = {"type": "object", "properties": dict(members), "additionalProperties": True}
            found[operation.key] = schema
    return found


def _as_meant(api: Api, schemas: SharedSchemas) -> Api:
    """JSON Patch as the list that it is; what is put where nothing can be read without a body that nobody described."""
    unread = {r.update for r in api.resources if r.update.startswith("PUT ") and not (r.read or r.create)}
    operations = tuple(
        replace(o, body=replace(o.body, schema=_JSON_PATCH))
        if o.body is not None and _is_unsaid_patch(schemas, o.body)
        else replace(o, body=None)
        if o.key in unread and o.body is not None and not o.body.is_required and _is_silent(schemas, o.body)
        else o
        for o in api.operations
    )
    return replace(api, operations=operations)


def _is_unsaid_patch(schemas: SharedSchemas, body: Body) -> bool:
    return "json-patch" in body.media_type and not schemas.members(schemas.element(body.schema))


def _is_silent(schemas: SharedSchemas, body: Body) -> bool:
    return _is_of_members(body.media_type) and _is_free(schemas, body.schema)


def _is_unknown(schemas: SharedSchemas, operation: Operation, assumed: Mapping[str, Any]) -> bool:
    body = operation.body
    if body is None and operation.method == "POST" and picks_by_query(operation):
        return False  # `POST /hosts?names=h1` says in its query what is made
    if body is None or ("json" in body.media_type and MISSING in schemas.resolve(body.schema)):
        return True
    is_changed = operation.method == "PATCH" or (operation.method == "PUT" and "properties" in assumed)
    return is_changed and _is_silent(schemas, body)


def _is_of_members(media_type: str) -> bool:
    """Whether what is sent are the members that change (RFC 7396), and no list of commands (RFC 6902)."""
    return "json" in media_type and "json-patch" not in media_type


def _is_free(schemas: SharedSchemas, schema: Schema) -> bool:
    """Whether an object may hold anything, as far as anybody said."""
    found = schemas.flat(schema)
    return found.get("type") == "object" and not _SAYING & found.keys() and found.get("additionalProperties") in _ANY


def _with_body(operation: Operation, schema: Mapping[str, Any]) -> Operation:
    body = operation.body
    media_type = body.media_type if body is not None and "json" in body.media_type else "application/json"
    return replace(operation, body=Body(media_type, schema, "properties" in schema, description="assumed"))


def _members_of(schemas: SharedSchemas, resource: Resource, is_merged: bool) -> Mapping[str, Any]:
    """What can be set of the thing, as a schema without required members; any object where nothing is known."""
    members = _settable(schemas, resource.schema, 0, is_merged)
    if says_id(resource.id_field):
        members.pop(resource.id_field, None)
    in_address = {name for _, name in item_prefixes(resource.item or resource.collection)}
    members = {n: m for n, m in members.items() if not is_server_made(n) and not (says_id(n) and n in in_address)}
    return {"type": "object", "properties": members, "additionalProperties": True} if members else _ANY_OBJECT


def _settable(schemas: SharedSchemas, schema: Schema | None, depth: int, is_merged: bool) -> dict[str, Schema]:
    """The members that are not read-only; objects are opened as deep as people change them, lists only of values."""
    found: dict[str, Schema] = {}
    for name, member in schemas.members(schema).items():
        behind = schemas.resolve(member)
        if member.get("readOnly") or behind.get("readOnly") or "@" in name or name.lower() in _GROUPS:
            continue
        element = schemas.element(member)
        if schemas.members(member):
            inner = _settable(schemas, member, depth + 1, is_merged) if depth < _DEPTH else {}
            if inner:
                found[name] = {"type": "object", "properties": inner, "description": schemas.text(member)}
            elif is_merged and depth == 0:
                found[name] = member  # it holds lists of things alone, which are sent as a whole
        elif element is None or not schemas.members(element):
            found[name] = member
    return found
