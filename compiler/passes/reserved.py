"""Takes out of every operation what no caller may say: parameters and members that change what is asked, and by whom.

Before: operations as read. After: none has a parameter, nor its body a member, that `workflow.requests.reserved` names;
a finding tells each. What the driver or the profile sends is no loss. An operation that requires one which nobody sends
stays, since the device decides; the finding says in which field of the profile a constant would stand. Called first.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from compiler.ir.model import CONNECTION_HEADERS, Api, ApiParameter, Body, Diagnostic, Operation, Schema, Severity
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.outcome import Options, PassOutcome
from workflow.requests.reserved import CREDENTIAL, why_reserved

_REMEDY = "where the device needs it, say a constant in the profile's `protocol.request_headers`"
_REMEDY_OF_CREDENTIALS = "where the device needs it, say in the profile's `auth` how the driver shows them"

_ENOUGH = 4  # operations: of fewer nobody can tell what all ask for
_NEARLY_ALL = 0.9
_KEYS = (("token",), ("key",), ("secret",))
_OF_ONE_REQUEST = frozenset({"idempotency", "idempotent", "request", "client", "continuation", "page", "next"})
_API_KEY = re.compile(r"\W*(?:your |the |an? )?API[ _-]?key\b(?!\s+(?:id|name)\b)", re.IGNORECASE)


def run(api: Api, _options: Options) -> PassOutcome:
    schemas = SharedSchemas(api.schemas)
    found: list[Diagnostic] = []
    keys = _asked_everywhere(api.operations)
    operations = tuple(_without(schemas, operation, keys, found) for operation in api.operations)
    return PassOutcome(replace(api, operations=operations), tuple(found))


def _asked_everywhere(operations: Sequence[Operation]) -> frozenset[str]:
    """The headers and query parameters called a token, a key or a secret that nearly all operations require."""
    asked = Counter(p.name.lower() for o in operations for p in o.parameters if p.is_required and _is_key(p))
    least = max(_ENOUGH, _NEARLY_ALL * len(operations))
    return frozenset(name for name, count in asked.items() if count >= least)


def _is_key(parameter: ApiParameter) -> bool:
    said = words.split(parameter.name)
    return parameter.location in ("header", "query") and said[-1:] in _KEYS and _OF_ONE_REQUEST.isdisjoint(said)


def _without(schemas: SharedSchemas, operation: Operation, keys: Set[str], found: list[Diagnostic]) -> Operation:
    reasons = [(parameter, _why(parameter, keys)) for parameter in operation.parameters]
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


def _why(parameter: ApiParameter, keys: Set[str]) -> str:
    if _is_key(parameter) and parameter.name.lower() in keys:
        return CREDENTIAL
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
