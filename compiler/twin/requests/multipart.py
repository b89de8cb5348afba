"""What a device reads out of a multipart body or a form: its parts or fields as values, or a refusal.

The parser is the standard library's for mail (RFC 2046), which knows nothing of how we write such bodies; so the proof
compares two readings of RFC 7578. A part's value is what its media type says: JSON parsed, a file in base64, else text,
as a number or a truth where the schema asks for one. Called by `machine` before anything looks at a body.
"""

import base64
import json
from dataclasses import replace
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any
from urllib.parse import parse_qsl

from compiler.ir.model import Body, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.twin.requests.messages import RefusalError, TwinRequest
from compiler.twin.requests.styles import typed
from workflow.requests.form_bodies import is_form
from workflow.requests.multipart import PartKind, is_multipart, kind_of

Json = Any
_TRUTHS = {"true": True, "false": False}


def with_values(request: TwinRequest, body: Body | None, schemas: SharedSchemas) -> TwinRequest:
    """The request with the parts of its body as an object, where the operation takes parts. Raises RefusalError."""
    if body is None or not request.has_body:
        return request
    if is_form(body.media_type) and isinstance(request.body, bytes):
        return replace(request, body=_fields(request.body, body.schema, schemas))
    if not is_multipart(body.media_type):
        return request
    content_type = request.header("content-type") or ""
    if kind_of(content_type) != kind_of(body.media_type):
        raise RefusalError(415, f"the body has to be {body.media_type}, not {content_type or 'of no type'}")
    if not isinstance(request.body, bytes):
        raise RefusalError(400, "the body has no parts")
    members = schemas.members(body.schema)
    values: dict[str, Json] = {}
    for name, part in _parts(content_type, request.body):
        member = members.get(name, {})
        kind = PartKind(name, body.parts.get(name, ""))
        element = schemas.element(member)
        value = _value(part, kind, element or member, schemas)
        if element is not None and not kind.is_json:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise RefusalError(400, f"the part {name} is there twice")
        else:
            values[name] = value
    return replace(request, body=values)


def _fields(content: bytes, schema: Schema, schemas: SharedSchemas) -> Json:
    """A form's fields as values of the kinds that the schema asks for; several of one name are a list."""
    members = schemas.offered(schema)[0]
    values: dict[str, Json] = {}
    for name, text in parse_qsl(content.decode(errors="replace"), keep_blank_values=True):
        element = schemas.element(members.get(name))
        value = typed(schemas, element or members.get(name, {}), text)
        if element is not None:
            values.setdefault(name, []).append(value)
        else:
            values[name] = value
    return values


def _parts(content_type: str, body: bytes) -> list[tuple[str, Message]]:
    head = b"Content-Type: " + content_type.encode("latin-1", errors="replace") + b"\r\n\r\n"
    whole = BytesParser(policy=compat32).parsebytes(head + body)
    found = whole.get_payload()
    if whole.defects or not isinstance(found, list):
        said = ", ".join(type(defect).__name__ for defect in whole.defects)
        raise RefusalError(400, f"the body is not multipart: {said or 'no parts'}")
    return [(_name(part), part) for part in found if isinstance(part, Message)]


def _name(part: Message) -> str:
    name = part.get_param("name", header="content-disposition")
    if part.get_content_disposition() != "form-data" or not isinstance(name, str) or part.defects:
        raise RefusalError(400, "a part does not say its name: Content-Disposition: form-data; name=…")
    return _text(name.encode("ascii", errors="surrogateescape"), "a name")


def _value(part: Message, kind: PartKind, schema: Schema, schemas: SharedSchemas) -> Json:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes), "a part without parts has bytes"
    if kind.is_file:
        if part.get_param("filename", header="content-disposition") is None:
            raise RefusalError(400, f"the part {kind.name} is no file: it has no filename")
        return base64.b64encode(content).decode()
    text = _text(content, f"the part {kind.name}")
    is_read = kind.is_json or schemas.kind(schema) in ("integer", "number", "object", "array")
    if kind.is_json and part.get_content_type() != kind.media_type:
        raise RefusalError(415, f"the part {kind.name} has to be {kind.media_type}, not {part.get_content_type()}")
    try:
        return json.loads(text) if is_read else _TRUTHS.get(text, text) if schemas.kind(schema) == "boolean" else text
    except ValueError as error:
        raise RefusalError(400, f"the part {kind.name} cannot be read: {error}") from error


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise RefusalError(400, f"{what} is no UTF-8") from error
