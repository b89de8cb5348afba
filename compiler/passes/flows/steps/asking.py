"""What is sent to a list that is asked for by POST: how much of it is wanted, and nothing that would narrow it.

A step that gives out a list carries the caller's own filters already; a lookup asks for everything, and selects in
what comes back. Called by `builder` for each step that reads such a list.
"""

from dataclasses import replace
from typing import Any

from compiler.ir.model import FlowStep, Operation, Resource
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.post_lists import HOW_MANY, WHERE, is_asked_by_post
from workflow.json.pointers import escape, parse_pointer

_SIZE = 100  # items, where the description wants a number and nobody knows better


def asked_for(step: FlowStep, operation: Operation, listed: Resource, schemas: SharedSchemas) -> FlowStep:
    """The step with a body, where its list is asked for by one."""
    body = operation.body
    if not is_asked_by_post(operation) or body is None:
        return step
    paging = listed.paging
    payload: dict[str, Any] = dict(step.payload or {})
    if paging is not None and paging.is_in_body and paging.size_parameter:
        payload = _put(payload, paging.size_parameter, paging.size)
    members = schemas.members(body.schema)
    for name in schemas.required(body.schema):
        if words.joined(name) in WHERE | HOW_MANY and name not in payload:
            payload = _put(
                payload, f"/{escape(name)}", _number(members[name], schemas, is_place=words.joined(name) in WHERE)
            )
    return replace(step, payload=payload, content_type=body.media_type)


def _put(payload: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """The payload with the value there, unless something is there already."""
    first, *rest = (str(part) for part in parse_pointer(pointer))
    if not rest:
        return {**payload, first: payload.get(first, value)}
    inner = payload.get(first, {})
    return {**payload, first: _put(inner, f"/{escape(rest[0])}", value)} if isinstance(inner, dict) else payload


def _number(schema: Any, schemas: SharedSchemas, *, is_place: bool) -> int:
    """The beginning of a list, or a size that is allowed."""
    told = schemas.flat(schema)
    least, most = told.get("minimum", 0), told.get("maximum", _SIZE)
    if is_place:
        return least if isinstance(least, int) else 0
    return min(_SIZE, most) if isinstance(most, int) else _SIZE
