"""What the device refuses before it does anything: requests that do not fit the description or the vendor's rules.

Each check raises RefusalError with the status a device answers. A mock that agrees with whatever it is sent proves
nothing, so these follow the schema to the letter; where the description is silent the profile decides.
"""

import re
from typing import Any

from compiler.ir.model import ApiParameter, Body, Operation, Schema
from compiler.twin.blueprint import Behaviour, Blueprint, TwinKind, applies
from compiler.twin.requests.messages import RefusalError, TwinRequest
from compiler.twin.requests.styles import cookie_value, header_value, query_names, query_value
from compiler.twin.values.pointers import MISSING, get, put
from compiler.twin.values.validation import SchemaView
from workflow.documents.path_queries import fixed_query
from workflow.requests.form_bodies import is_form
from workflow.requests.multipart import is_multipart

Json = Any
_OWN_HEADERS = frozenset({"accept", "content-type", "content-length", "authorization", "if-match", "cookie"})


def check_parameters(blueprint: Blueprint, operation: Operation, request: TwinRequest) -> None:
    """Required ones are there, known ones fit their schema, unknown query parameters are what the profile says."""
    schemas = blueprint.schemas
    declared = blueprint.declared(operation)
    sent = dict.fromkeys(name for name, _ in request.query)
    known = {name for p in declared.asked(sent) for name in query_names(schemas, p, request.query)}
    understood = known | blueprint.position_parameters | {name for name, _ in fixed_query(operation.path)}
    understood |= {word.partition("=")[0] for word in blueprint.profile.envelope.query.values()}
    for name in (name for name in sent if name not in understood):
        if is_unimplemented(blueprint, name):
            raise RefusalError(501, f"the query parameter {name} is not implemented here")
        if blueprint.profile.envelope.unknown_query_parameters == "refused":
            raise RefusalError(400, f"the query parameter {name} is not known here")
    for parameter in declared.asked(sent):
        if parameter.location == "query":
            _check_value(blueprint, parameter, query_value(schemas, parameter, request.query))
        elif parameter.location == "header" and parameter.name.lower() not in _OWN_HEADERS:
            _check_value(blueprint, parameter, header_value(schemas, parameter, request))
        elif parameter.location == "cookie":
            _check_value(blueprint, parameter, cookie_value(schemas, parameter, request))


def is_unimplemented(blueprint: Blueprint, name: str) -> bool:
    pattern = blueprint.profile.protocol.unimplemented_query
    return pattern is not None and re.search(pattern, name) is not None


def check_understood(blueprint: Blueprint, request: TwinRequest) -> None:
    """A header that asks for another version of the protocol than the device speaks is refused before all else."""
    protocol = blueprint.profile.protocol
    spoken = {name: (value,) for name, value in protocol.request_headers.items()}
    for name, values in {**spoken, **protocol.understood_headers}.items():
        sent = request.header(name.lower())
        if sent is not None and sent.strip() not in values:
            raise RefusalError(412, f"{name} has to be {' or '.join(values)}, not {sent}")


def _check_value(blueprint: Blueprint, parameter: ApiParameter, value: Json) -> None:
    if value is MISSING:
        if parameter.is_required:
            kind = "header" if parameter.location == "header" else f"{parameter.location} parameter"
            raise RefusalError(400, f"the {kind} {parameter.name} is missing")
        return
    fault = blueprint.validation.fault(parameter.schema, value, SchemaView.REQUEST) if parameter.schema else ""
    if fault:
        raise RefusalError(400, f"the {parameter.location} parameter {parameter.name} does not fit: {fault}")


def check_body(blueprint: Blueprint, behaviour: Behaviour, request: TwinRequest) -> None:
    """There, of the declared media type, fitting the schema, and without members that nobody may send."""
    body = behaviour.operation.body
    if body is None:
        if request.has_body and request.body not in ({}, "", b""):
            raise RefusalError(400, "this operation takes no body")
        return
    if not request.has_body:
        if body.is_required:
            raise RefusalError(400, "the body is missing")
        return
    _check_media_type(body, request)
    is_described = "json" in body.media_type or is_multipart(body.media_type) or is_form(body.media_type)
    if isinstance(request.body, bytes) or not is_described:
        return
    view = SchemaView.PATCH if behaviour.kind is TwinKind.UPDATE else SchemaView.REQUEST
    fault = blueprint.validation.fault(body.schema, request.body, view)
    if fault:
        raise RefusalError(400, f"the body does not fit: {fault}")
    _check_members(blueprint, behaviour, body.schema, request.body)


def _check_media_type(body: Body, request: TwinRequest) -> None:
    """Only a JSON body sent as something else is certain to be a mistake; other types have many spellings."""
    sent = (request.header("content-type") or body.media_type).partition(";")[0].strip().lower()
    if "json" in body.media_type and sent != body.media_type.lower() and not sent.endswith("json"):
        raise RefusalError(415, f"the body has to be {body.media_type}, not {sent}")
    if isinstance(request.body, bytes) and "json" in body.media_type:
        raise RefusalError(400, "the body is not JSON")


def _check_members(blueprint: Blueprint, behaviour: Behaviour, schema: Schema, value: Json) -> None:
    if blueprint.profile.envelope.unknown_body_properties == "refused":
        unknown = next(blueprint.validation.unknown_members(schema, value), None)
        if unknown is not None:
            raise RefusalError(400, f"the property {unknown} is not known here")
    if behaviour.kind in (TwinKind.CREATE, TwinKind.UPDATE):
        fixed = next(blueprint.validation.read_only_members(schema, value), None)
        if fixed is not None:
            raise RefusalError(400, f"the property {fixed} is read-only")


def check_create_only(blueprint: Blueprint, behaviour: Behaviour, item: Json, part: Json) -> None:
    """Members that can only be set when the thing is made keep their value (the profile's `marks` say which)."""
    words = blueprint.profile.marks.get("create_only", ())
    body = behaviour.operation.body
    if not words or body is None or not isinstance(part, dict) or not isinstance(item, dict):
        return
    members = blueprint.schemas.members(blueprint.schemas.at(body.schema, behaviour.body_at))
    for name, value in part.items():
        said = blueprint.schemas.text(members.get(name)).lower()
        if any(word.lower() in said for word in words) and value != item.get(name):
            raise RefusalError(400, f"the property {name} can be set only when the thing is made")


def check_version(blueprint: Blueprint, operation: Operation, request: TwinRequest, version: str) -> None:
    """RFC 9110, 13.1.1 and RFC 6585, 3: a stale `If-Match` is 412; a missing one 428 where the profile asks for it."""
    rule = blueprint.profile.conditional
    sent = request.header(rule.send_header.lower())
    if sent is None:
        if operation.method in rule.methods and applies(rule.pattern, operation):
            raise RefusalError(428, f"this change needs {rule.send_header}")
        return
    if operation.method in ("GET", "HEAD") or sent.strip() == "*":
        return
    if version not in [tag.strip().removeprefix("W/") for tag in sent.split(",")]:
        raise RefusalError(412, "the resource has changed since it was read")


def item_part(behaviour: Behaviour, body: Json) -> Json:
    """The members of the item in a request's body, {} where there are none; where the item shows them."""
    part = get(body, behaviour.body_at)
    part = {} if part is MISSING or part is None else part
    return put({}, behaviour.held_at, part) if behaviour.held_at else part
