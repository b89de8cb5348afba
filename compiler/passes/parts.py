"""Multipart bodies as values: what stands in each part, however the description says it.

Before: operations as read; `Body.parts` holds what the description's `encoding` says. After: the body's schema is an
object whose members are what callers give (a file in base64, JSON as itself instead of as a string that holds it),
and `Body.parts` has the media type of each part that is not plain text. An example of such a body shows something
else than values, so it goes. A body that is neither JSON nor a form is one text, or one file in base64. Called first
in the pipeline. OpenAPI 3.1 "Encoding Object", JSON Schema 2020-12, 8.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from compiler.ir.model import EMPTY, Api, Body, Operation, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.outcome import Options, PassOutcome
from workflow.requests.multipart import JSON, MEDIA_TYPE, PartKind, is_multipart, is_textual

FILE = "application/octet-stream"
_KEPT = ("description", "deprecated", "readOnly", "title")


def run(api: Api, _options: Options) -> PassOutcome:
    schemas = SharedSchemas(api.schemas)
    return PassOutcome(replace(api, operations=tuple(_with_parts(schemas, one) for one in api.operations)))


def _with_parts(schemas: SharedSchemas, operation: Operation) -> Operation:
    body = operation.body
    if body is None or not is_multipart(body.media_type):
        return operation if body is None or _is_structured(schemas, body) else replace(operation, body=_as_one(body))
    members = schemas.members(body.schema)
    parts = {name: _media_type(schemas, member, body.parts.get(name, "")) for name, member in members.items()}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _value(schemas, member, parts[name]) for name, member in members.items()},
        "additionalProperties": False,
    }
    required = [name for name in schemas.required(body.schema) if name in members]
    told = {name: media_type for name, media_type in sorted(parts.items()) if media_type}
    made = Body(
        media_type=body.media_type,
        schema={**schema, "required": required} if required else schema,
        is_required=body.is_required,
        description=body.description,
        parts=told,
    )
    return replace(operation, body=made)


def _is_structured(schemas: SharedSchemas, body: Body) -> bool:
    """Whether a body is written from members: JSON, or a form whose fields are known."""
    kind = body.media_type.partition(";")[0].strip().lower()
    is_form = kind == "application/x-www-form-urlencoded" and bool(schemas.members(body.schema))
    return is_form or "json" in kind or kind.startswith("multipart/")


def _as_one(body: Body) -> Body:
    """A body of another type as callers give it: its text, or a file in base64."""
    is_text = is_textual(body.media_type)
    schema = {"type": "string"} if is_text else {"type": "string", "contentEncoding": "base64"}
    example = body.example if is_text and isinstance(body.example, str) else None
    return replace(body, schema=schema, example=example)


def _media_type(schemas: SharedSchemas, member: Schema, said: str) -> str:
    """What the description says, else what OpenAPI takes for such a member; empty for plain text."""
    schema = schemas.element(member) or member
    found = schemas.resolve(schema)
    told = said or str(schema.get("contentMediaType") or found.get("contentMediaType") or "")
    first = told.partition(",")[0].partition(";")[0].strip().lower()
    if first:
        return first if MEDIA_TYPE.fullmatch(first) and "*" not in first else FILE
    if schemas.kind(found) == "object":
        return JSON
    return FILE if found.get("format") == "binary" else ""


def _value(schemas: SharedSchemas, member: Schema, media_type: str) -> Schema:
    """The member as callers give it. A list is as many parts of one name."""
    element = schemas.element(member)
    if element is not None:
        kept = {key: member[key] for key in (*_KEPT, "minItems", "maxItems") if key in member}
        return {"type": "array", "items": _value(schemas, element, media_type), **kept}
    found = schemas.resolve(member)
    told = {key: value for key in _KEPT if (value := member.get(key, found.get(key))) is not None}
    kind = PartKind("", media_type)
    if kind.is_file:
        return {"type": "string", "contentEncoding": "base64", **told}
    if kind.is_json and schemas.kind(found) == "string":
        inner = found.get("contentSchema")
        return {**(inner if isinstance(inner, Mapping) else EMPTY), **told}
    return member
