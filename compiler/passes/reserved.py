"""Takes out of every operation what no caller may say: parameters and members that change what is asked, and by whom.

Before: operations as read. After: none has a parameter, nor its body a member, that `workflow.requests.reserved` names;
a finding tells each. What the driver or the profile sends is no loss. An operation that requires one which nobody sends
stays, since the device decides; the finding says in which field of the profile a constant would stand. Called first.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from compiler.ir.model import CONNECTION_HEADERS, Api, ApiParameter, Body, Diagnostic, Operation, Schema, Severity
from compiler.ir.schemas import SharedSchemas
from compiler.passes.outcome import Options, PassOutcome
from workflow.requests.reserved import CREDENTIAL, why_reserved

_REMEDY = "where the device needs it, say a constant in the profile's `protocol.request_headers`"
_REMEDY_OF_CREDENTIALS = "where the device needs it, say in the profile's `auth` how the driver shows them"

_API_KEY = re.compile(r"\W*(?:your |the |an? )?API[ _-]?key\b(?!\s+(?:id|name)\b)", re.IGNORECASE)


def run(api: Api, _options: Options) -> PassOutcome:
    schemas = SharedSchemas(api.schemas)
    found: list[Diagnostic] = []
    operations = tuple(_without(schemas, operation, found) for operation in api.operations)
    return PassOutcome(replace(api, operations=operations), tuple(found))


def _without(schemas: SharedSchemas, operation: Operation, found: list[Diagnostic]) -> Operation:
    reasons = [(parameter, _why(parameter)) for parameter in operation.parameters]
    members = dict(_members(schemas, operation.body))
    if not any(why for _, why in reasons) and not members:
        return operation
    found += [_told(operation, f"{one.location} {one.name}", why) for one, why in reasons if why]
    found += [_told(operation, f"the body's {name}", why) for name, why in members.items()]
    kept = tuple(one for one, why in reasons if not why)
    body = operation.body and replace(operation.body, schema=_without_members(schemas, operation.body.schema, members))
    return replace(operation, parameters=kept, body=body if members else operation.body)


def _told(operation: Operation, what: str, why: str) -> Diagnostic:
    remedy = _REMEDY_OF_CREDENTIALS if why == CREDENTIAL else _REMEDY
    return Diagnostic("reserved_name", Severity.NOTE, operation.key, f"{what} is no input: {why}", remedy)


def _why(parameter: ApiParameter) -> str:
    is_ours = parameter.location == "header" and parameter.name.lower() in CONNECTION_HEADERS
    if not is_ours and parameter.location == "query" and _API_KEY.match(parameter.description):
        return CREDENTIAL
    return "" if is_ours else why_reserved(parameter.location, parameter.name)


def _members(schemas: SharedSchemas, body: Body | None) -> Iterator[tuple[str, str]]:
    for name in schemas.members(body.schema) if body else ():
        why = why_reserved("body", name)
        if why:
            yield name, why


def _without_members(schemas: SharedSchemas, schema: Schema, names: Mapping[str, str]) -> Schema:
    """The schema as an object of its own, without the members called so."""
    kept = {name: member for name, member in schemas.members(schema).items() if name not in names}
    required = [name for name in schemas.required(schema) if name not in names]
    return {"type": "object", "properties": kept, **({"required": required} if required else {})}
