"""Orders that a text lists: `action`, “State change action (start, stop, restart)”, without an enumeration.

Before: operations as read, bodies as values. After: a member of a body, or a parameter of the query, that is called
like an order and is a text whose description lists words for what is done has them as its enumeration; a note says
so for each. Without them nobody would know that stopping can be ordered there. Called by the pipeline before the
effects.
"""

from dataclasses import replace

from compiler.ir.model import Api, ApiParameter, Diagnostic, Operation, Schema, Severity
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names.listed import lists_in
from compiler.passes.outcome import Options, PassOutcome
from compiler.passes.risk.values import class_of_word, is_named_as_order
from workflow.json.pointers import escape

_DEEP = 2  # `{"state": {"action": …}}` for several things at once


def run(api: Api, _options: Options) -> PassOutcome:
    schemas = SharedSchemas(api.schemas)
    told = [_told(schemas, operation) for operation in api.operations]
    notes = tuple(note for _, found in told for note in found)
    return PassOutcome(replace(api, operations=tuple(one for one, _ in told)), notes)


def _told(schemas: SharedSchemas, operation: Operation) -> tuple[Operation, tuple[Diagnostic, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    parameters = []
    for parameter in operation.parameters:
        values = orders_in(schemas, parameter.name, parameter.schema, parameter.description)
        is_asked = bool(values) and parameter.location == "query"
        parameters.append(_chosen(parameter, values) if is_asked else parameter)
        found |= {f"?{parameter.name}": values} if is_asked else {}
    body = operation.body
    if body is not None:
        schema, members = _read(schemas, body.schema, "", _DEEP)
        body = replace(body, schema=schema) if members else body
        found |= members
    if not found:
        return operation, ()
    notes = tuple(_note(operation, place, values) for place, values in found.items())
    return replace(operation, parameters=tuple(parameters), body=body), notes


def orders_in(schemas: SharedSchemas, name: str, schema: Schema, description: str = "") -> tuple[str, ...]:
    """The words that the text of a member or a parameter lists; empty where it is no order, or has an enumeration."""
    if not is_named_as_order(name) or schemas.values(schema) or schemas.kind(schema) != "string":
        return ()
    return next((values for values in lists_in(schemas.text(schema) or description) if _are_orders(values)), ())


def _are_orders(values: tuple[str, ...]) -> bool:
    """Whether most of them are words for something that is done."""
    return 2 * sum(class_of_word(value) is not None for value in values) > len(values)


def _read(schemas: SharedSchemas, schema: Schema, at: str, levels: int) -> tuple[Schema, dict[str, tuple[str, ...]]]:
    """The schema with such enumerations, and their values by pointer; objects within it are read as well."""
    if not _may_order(schemas, schema, levels):
        return schema, {}
    whole = schemas.flat(schema)
    changed: dict[str, Schema] = {}
    found: dict[str, tuple[str, ...]] = {}
    for name, member in whole.get("properties", {}).items():
        place = f"{at}/{escape(name)}"
        values = orders_in(schemas, name, member)
        if values:
            changed[name], found[place] = {**schemas.resolve(member), "enum": list(values)}, values
        elif levels > 1 and schemas.kind(member) == "object":
            inner, within = _read(schemas, member, place, levels - 1)
            changed |= {name: inner} if within else {}
            found |= within
    return ({**whole, "properties": {**whole["properties"], **changed}}, found) if found else (schema, found)


def _may_order(schemas: SharedSchemas, schema: Schema, levels: int) -> bool:
    """Whether any member is called like an order: most bodies have none, and are not read any further."""
    members = schemas.members(schema)
    return any(map(is_named_as_order, members)) or (
        levels > 1 and any(_may_order(schemas, member, levels - 1) for member in members.values())
    )


def _chosen(parameter: ApiParameter, values: tuple[str, ...]) -> ApiParameter:
    return replace(parameter, schema={**parameter.schema, "enum": list(values)})


def _note(operation: Operation, place: str, values: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        "orders-assumed",
        Severity.NOTE,
        f"{operation.key} {place}",
        f"assumed from its text that nothing else can be ordered than {', '.join(values)}",
        "give the member an `enum` in an overlay where that is wrong",
    )
