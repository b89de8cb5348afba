"""Assigning one thing to another: a VM gets a snapshot schedule, a user gets a role.

An update whose body can name another thing that people know by a name is used for that alone: both are looked up, and
only the one member is sent. In the general update the caller would have to give the id.
"""

from collections.abc import Iterator

from compiler.ir.model import Flow, Operation, Resource
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, read_back
from compiler.passes.flows.context import Context, address, noun_of
from compiler.passes.flows.steps.lookups import identify, path_parameters
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from compiler.passes.names.paths import item_prefixes, shape
from workflow.risks import Risk

_MOST = 4  # a body that names more kinds of things is a registry, not a thing


def assigned(context: Context, resource: Resource) -> Iterator[Flow]:
    """One flow for each kind of thing that the update can name; the place nearest the body's top is used."""
    update = context.operations.get(resource.update)
    if update is None or update.body is None or (update.method == "PUT" and not resource.read):
        return  # what is not sent would be gone, and nobody can read it before
    owners = {at for _, at in context.owners_of(update.key)}
    of_owners = {context.schemas.component(r.schema) for r in context.api.resources if shape(r.item) in owners} - {""}
    places: dict[str, tuple[str, Resource]] = {}
    for into in context.bodies.get(update.key, ()):
        named = context.needed_by(update.key, into)
        if named is None or shape(named.item) in owners:  # whose it is, the address says
            continue
        if context.schemas.component(named.schema) in of_owners:  # also where a second list has all of the owners
            continue
        if words.singulars(named.name) <= words.singulars(resource.name):  # a group user joins a group and a user
            continue
        if named.natural_keys and _is_offered(context, named, resource, update, into):
            places.setdefault(address(named), (into.removeprefix("body#"), named))
    for pointer, named in list(places.values())[:_MOST]:
        yield _composed(context, resource, update, pointer, named)


def _is_offered(context: Context, named: Resource, resource: Resource, update: Operation, into: str) -> bool:
    """False for the owner (it is fixed, and said in the path), for jobs, and for members marked as not to be set."""
    told = context.profile.marks
    marks = (*told.get("create_only", ("CREATE-ONLY",)), *told.get("deprecated", ()), *told.get("internal", ()))
    schema = context.schemas.at(update.body.schema if update.body else None, into.removeprefix("body#"))
    text = context.schemas.text(schema)
    is_owner = into.removeprefix("body#/") in [name for _, name in item_prefixes(update.path)]
    is_other = named is not resource and not is_owner and not context.is_poll(named.read)
    return is_other and not any(mark in text for mark in marks)


def _composed(context: Context, resource: Resource, update: Operation, pointer: str, named: Resource) -> Flow:
    builder = Builder(context, update)
    path_parameters(builder, update)
    found = identify(builder, named, "" if (address(named), "") not in builder.known else "other")
    builder.only_member = pointer
    is_list = pointer.endswith("/*")
    builder.fixed_members = {pointer.removesuffix("/*"): [found] if is_list else found}
    change(builder, update, f"Assign the {named.name}.", checks_state=False)
    builder.only_member = ""
    read_back(builder, resource)
    risk = update.risk or Risk.CHANGE
    text = f"Gives {texts.an(resource.name)} {texts.an(named.name)}, both known by name"
    text += ", in place of all that it had." if is_list else "."
    name = texts.flow_id(context.api.name, "assign", f"{noun_of(named)}_to_{noun_of(resource)}")
    title = f"Assign {named.name} to {resource.name}"
    return builder.flow(name, "update", title, texts.describe((text,), risk), resource, risk)
