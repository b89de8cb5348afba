"""What an operation's card says of calling it alone: how each value is written, and what each has to be.

The runtime makes a workflow of one step of it (`workflow.raw_calls`) and never sees the description; of an operation
that no workflow uses it is told here what replies promise (of the others: `proofs.promises`). What is further away in a
schema than a bound takes any value. Not called alone are logins, which the driver makes, and what has no form in which
a caller could give it. Called by `knowledge`. OpenAPI 3.1, 4.8.12.
"""

import re
from collections.abc import Mapping
from typing import Any

from compiler.ir.model import CONNECTION_HEADERS, Api, ApiParameter, Body, Effect, Operation
from compiler.proofs.promises import promised
from compiler.twin.values.validation import SchemaView, Validation
from workflow.documents.operations import is_method
from workflow.documents.schemas import as_json
from workflow.requests.multipart import is_multipart
from workflow.tool import free_name

Json = Any
OURS, THEIRS = "#/components/inputs/", "#/components/schemas/"
# Of one body or parameter; the whole of the largest would make a card of a megabyte.
_MOST_BYTES = 8 * 1024
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")


def callable_of(api: Api, operation: Operation, validation: Validation, *, is_used: bool) -> dict[str, Json]:
    """`call`, or `not_callable` with the reason, for the card of an operation. `is_used`: by a workflow."""
    why = _why_not(operation)
    if why:
        return {"not_callable": why}
    shared: dict[str, Json] = {}
    call: dict[str, Json] = {
        "digest": operation.digest,
        "base_path": api.base_path,
        "effect": (operation.effect or Effect.ACT).value,
        "idempotent": operation.is_idempotent,
        "safe": operation.is_safe,
        "parameters": _parameters(operation, validation, shared),
    }
    if operation.body is not None:
        view = SchemaView.PATCH if operation.method == "PATCH" else SchemaView.REQUEST
        schema = _taken(validation.self_contained(operation.body.schema, view, _MOST_BYTES), shared)
        call["body"] = {"media_type": operation.body.media_type, "schema": schema}
        call["body"] |= {"required": True} if operation.body.is_required else {}
        call["body"] |= {"parts": _parts(operation.body)} if is_multipart(operation.body.media_type) else {}
    replies = {} if is_used else promised(operation, validation, _MOST_BYTES)
    small = {status: schema for status, schema in replies.items() if len(as_json(schema)) <= 2 * _MOST_BYTES}
    call |= {"replies": small} if small else {}
    return {"call": {**call, "shared": shared} if shared else call}


def _why_not(operation: Operation) -> str:
    if operation.effect is Effect.SESSION:
        return "it opens or ends a session, which the driver does"
    if not is_method(operation.method):
        return f"requests of the method {operation.method} are not sent"
    if operation.body is not None and is_multipart(operation.body.media_type) and not _parts(operation.body):
        return f"its body is {operation.body.media_type}, and the description names no part of it"
    return ""


def _parts(body: Body) -> dict[str, str]:
    """The parts of a multipart body that the description names, with their media types; empty: plain text."""
    named = body.schema.get("properties") if isinstance(body.schema, Mapping) else None
    return {str(name): body.parts.get(name, "") for name in named or ()}


def _parameters(operation: Operation, validation: Validation, shared: dict[str, Json]) -> dict[str, Json]:
    """By the name of the input: the parameter's own in plain letters, unless another one has it."""
    found: dict[str, Json] = {}
    for each in operation.parameters:
        if each.location == "header" and each.name.lower() in CONNECTION_HEADERS:
            continue  # the driver's own
        plain = _NOT_IN_NAMES.sub("", each.name) or "value"
        name = f"{each.location}_{plain}" if plain in found else plain
        found[free_name(name, frozenset(found))] = _parameter(each, validation, shared)
    return found


def _parameter(each: ApiParameter, validation: Validation, shared: dict[str, Json]) -> dict[str, Json]:
    schema = _taken(validation.self_contained(each.schema, SchemaView.REQUEST, _MOST_BYTES), shared)
    told: dict[str, Json] = {"name": each.name, "in": each.location, "schema": schema}
    told |= {"required": True} if each.is_required else {}
    usual = "form" if each.location in ("query", "cookie") else "simple"
    is_usual = (each.style, each.explode) == (usual, usual == "form")
    return told if is_usual else {**told, "written": {"style": each.style, "explode": each.explode}}


def _taken(schema: Json, shared: dict[str, Json]) -> Json:
    """`schema` with references to what is put into `shared`."""
    if not isinstance(schema, Mapping):
        return schema if isinstance(schema, bool) else {}
    components = schema.get("components", {}).get("schemas", {})
    own = _moved({word: value for word, value in schema.items() if word != "components"})
    if len(as_json(own)) > _MOST_BYTES:
        return {"type": own["type"]} if "type" in own else {}
    for name, part in components.items():
        shared.setdefault(name, _moved(part))
    return own


def _moved(value: Json) -> Json:
    if isinstance(value, (list, tuple)):
        return [_moved(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    reference = value.get("$ref")
    moved = {name: _moved(each) for name, each in value.items()}
    if isinstance(reference, str) and reference.startswith(THEIRS):
        moved["$ref"] = OURS + reference.removeprefix(THEIRS)
    return moved
