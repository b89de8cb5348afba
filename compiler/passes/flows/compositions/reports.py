"""Reports over a subtree: a thing with all that belongs to it, and what of it is not well.

Inventory: the item, then each collection and record that stands right under it, or whose items name it. Health: the
same, but only the items whose health is not the good value. Where collections hold bare addresses the items are asked
for with the profile's `query.expand`; without it they can't be reported on, and what a device does not expand stays
an address in both reports. What a device does not have (404, 501) is left out of the report instead of failing it; of
an inventory also what it refuses to show of this one (400, 405, 409, 422), since that says nothing of how well it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from compiler.ir.model import Flow, FlowStep, Resource, Role, Schema
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import Context, address, noun_of
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from compiler.passes.names.paths import item_prefixes, path_of, shape
from workflow.risks import Risk

_FEWEST, _MOST = 2, 10  # fewer parts are a description; more do not fit one answer
_WELL = ("ok", "healthy", "good", "normal")
_NOT_HERE = "$statusCode == 404 || $statusCode == 501"
_NOT_OF_THIS_ONE = (
    f"{_NOT_HERE} || $statusCode == 400 || $statusCode == 405 || $statusCode == 409 || $statusCode == 422"
)


@dataclass(frozen=True, slots=True)
class _Part:
    """Something that belongs to the owner; `named_by`: the member of its items that holds the owner's id."""

    resource: Resource
    named_by: str = ""


def reports(context: Context, resource: Resource) -> Iterator[Flow]:
    """The inventory and the health report of the resource, where it has enough parts."""
    if not resource.read or not resource.id_parameter or context.is_poll(resource.read):
        return
    parts = _parts(context, resource)[:_MOST]
    if len(parts) >= _FEWEST:
        yield _inventory(context, resource, parts)
    sick = [(part, place) for part in parts if (place := _health(context, part.resource.schema))]
    own = _health(context, resource.schema)
    if own and sick:
        yield _health_report(context, resource, own, sick)


def _parts(context: Context, owner: Resource) -> list[_Part]:
    """What stands right under the owner's items, then what names them, in the order of the API."""
    can_expand = bool(context.profile.envelope.query.get("expand"))
    found = [
        _Part(resource)
        for resource in context.under.get(owner.item, ())
        if _is_below(owner, resource)
        and ((resource.list and (can_expand or not resource.references)) or _is_record(context, resource))
    ]
    beside = {address(part.resource) for part in found}
    for resource, member in context.naming.get(address(owner), ()):
        is_listed = resource.list and not resource.references and address(resource) not in context.holders
        if is_listed and address(resource) not in beside and not context.is_poll(resource.read):
            found.append(_Part(resource, member))
    return [part for part in found if not _wants_more(context, owner, part.resource)]


def _wants_more(context: Context, owner: Resource, resource: Resource) -> bool:
    """Whether it is read only with what a caller who asks for the owner need not know (`/metrics?start=…`)."""
    operation = context.operations[resource.list or resource.read]
    known = {shape(prefix) for prefix, _ in item_prefixes(owner.item)} | _nameless(context)
    names_another = any(shape(prefix) not in known for prefix, _ in item_prefixes(operation.path))
    return names_another or any(p.is_required and p.location == "query" for p in operation.parameters)


def _nameless(context: Context) -> set[str]:
    """The items of which there is one, that nobody has to name."""
    return {shape(resource.item) for resource in context.by_item.values() if context.is_single(resource)}


def _is_below(owner: Resource, resource: Resource) -> bool:
    """Not `/servers/actions`, which are those of all servers, nor `/v1/{parent}/jobs` of one at `/v1/{name}`."""
    at = (resource.collection or resource.item).count("{parent}") > owner.item.count("{parent}")
    return not at and shape(resource.collection or resource.item).startswith(f"{shape(owner.item)}/")


def _is_record(context: Context, resource: Resource) -> bool:
    """True for the only one of its kind, where it is known what it shows."""
    return not resource.id_parameter and bool(resource.read and context.schemas.members(resource.schema))


def _health(context: Context, schema: Schema) -> str:
    """The pointer to a member that says how well an item is, "" when there is none."""
    for name, member in context.schemas.members(schema).items():
        if _is_health(context, name, member):
            return f"/{name}"
        if context.schemas.kind(member) == "object":
            for inner, deeper in context.schemas.members(member).items():
                if _is_health(context, inner, deeper):
                    return f"/{name}/{inner}"
    return ""


def _is_health(context: Context, name: str, schema: Schema) -> bool:
    return "health" in words.split(name) and bool(_good_value(context, schema))


def _good_value(context: Context, schema: Schema | None) -> str:
    return next((str(v) for v in context.schemas.values(schema) if str(v).lower() in _WELL), "")


def _inventory(context: Context, resource: Resource, parts: list[_Part]) -> Flow:
    builder = _started(context, resource)
    for part in parts:
        _add(builder, part, "")
    told = ", ".join(part.resource.name for part in parts)
    text = f"Shows {texts.an(resource.name)} with all that belongs to it: {told}."
    return _named(builder, resource, "inventory", "Inventory of", text, _unexpanded(parts))


def _health_report(context: Context, resource: Resource, own: str, sick: list[tuple[_Part, str]]) -> Flow:
    builder = _started(context, resource)
    step = builder.steps[-1]
    builder.steps[-1] = replace(step, outputs={"item": f"$response.body#{resource.item_at}{own}"})
    for part, place in sick:
        _add(builder, part, place)
    told = ", ".join(part.resource.name for part, _ in sick)
    text = f"Says how {texts.an(resource.name)} is, and which of these are not well: {told}."
    return _named(builder, resource, "health", "Health of", text, _unexpanded([part for part, _ in sick]))


def _started(context: Context, resource: Resource) -> Builder:
    """A builder whose last step reads the owner."""
    operation = context.operations[resource.read]
    builder = Builder(context, operation)
    parameters = tuple(path_parameters(builder, operation))
    step = FlowStep(
        id="read",
        operation=operation.key,
        role=Role.READ,
        description=f"Read the {resource.name}.",
        parameters=parameters,
        outputs={"item": resource.item_in_reply},
        success=(queries.OK,),
    )
    builder.add_step(step, "the thing that the report is about")
    builder.add_output(noun_of(resource), "$steps.read.outputs.item", {})
    return builder


def _add(builder: Builder, part: _Part, health: str) -> None:
    resource, absent = part.resource, _NOT_HERE if health else _NOT_OF_THIS_ONE
    operation = builder.operation(resource.list or resource.read)
    name = words.plural(noun_of(resource)) if resource.list else noun_of(resource)
    step = FlowStep(
        id=builder.free_step_id(f"read_{name}"),
        operation=operation.key,
        role=Role.READ,
        description=f"Read the {words.plural(resource.name) if resource.list else resource.name}.",
        parameters=(*path_parameters(builder, operation), *_expansion(builder, resource)),
        outputs={"found": _found(builder, part, health)},
        success=(queries.OK,),
        failures=({"name": "not_here", "stepId": "@next", "criteria": [queries.simple(absent)]},),
    )
    builder.add_step(step, f"belongs to the {'owner by ' + part.named_by if part.named_by else 'owner by its address'}")
    builder.add_output(name, f"$steps.{step.id}.outputs.found", {})


def _expansion(builder: Builder, resource: Resource) -> list[tuple[str, str, Any]]:
    told = builder.context.profile.envelope.query.get("expand", "")
    if not (resource.list and resource.references and told):
        return []
    name, _, value = told.partition("=")
    return [(name, "query", value)]


def _owner(builder: Builder) -> str:
    """The expression of the owner's id: what its address is read with, found by name or given by the caller."""
    read = next(step for step in builder.steps if step.id == "read")
    _, last = item_prefixes(path_of(read.operation))[-1]
    return next(str(value) for name, _, value in read.parameters if name == last)


def _found(builder: Builder, part: _Part, health: str) -> Any:
    """Everything of the part, or what of it belongs to the owner, or what of that is not well."""
    resource = part.resource
    base, thing = queries.listed(resource), queries.of_listed(resource)
    tests = []
    if part.named_by:
        tests.append(f"@{queries.of_listed(resource, part.named_by)} == '{{{_owner(builder)}}}'")
    if health:
        good = _good_value(builder.context, builder.context.schemas.at(resource.schema, health))
        place = f"@{thing}{queries.from_pointer(health)}"
        # What says nothing about its health (an empty slot) is not said to be ill. A bare address is no item: a
        # device that does not expand lists gives it, and leaving it out would pass for health.
        ill = f"({place} && {place} != {queries.quoted(good)})"
        bare = f" || (@{queries.child(resource.references)} && count(@.*) == 1)" if resource.references else ""
        tests.append(f"{ill}{bare}")
    if resource.list and tests:
        return queries.selector(f"{base}[?{queries.all_of(tests)}]")
    if resource.list:
        return f"$response.body#{resource.members}" if resource.members else "$response.body"
    return f"$response.body#{resource.item_at}{health}" if health else resource.item_in_reply


def _unexpanded(parts: list[_Part]) -> str:
    is_expanded = any(part.resource.list and part.resource.references for part in parts)
    return "A bare address was not looked into: the device does not expand its lists." if is_expanded else ""


def _named(builder: Builder, resource: Resource, verb: str, title: str, text: str, note: str) -> Flow:
    name = texts.flow_id(builder.context.api.name, verb, noun_of(resource))
    said = texts.describe((text, note), Risk.READ)
    said = said or texts.describe((f"{title} {texts.an(resource.name)}.", note), Risk.READ)
    return builder.flow(name, "report", f"{title} {resource.name}", said, resource, Risk.READ)
