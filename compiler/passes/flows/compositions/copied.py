"""First a point in time, then the action on it: snapshot a VM, then clone it from that snapshot.

Seen from the API: an action on a thing takes the id of something else that is itself made from that same thing, with
nothing more to say. The action's plain workflow takes such an id from the caller; this one makes it fresh.
"""

from compiler.ir.model import Effect, Flow, Operation, Resource
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change
from compiler.passes.flows.context import Context, address, noun_of
from compiler.passes.flows.intents import created_id
from compiler.passes.flows.wording import texts
from workflow.risks import Risk, worst


def copied(context: Context, resource: Resource) -> list[Flow]:
    """One flow for each pair of such an action and such a thing."""
    made = []
    for key in resource.actions:
        action = context.operations[key]
        if action.left_out or action.effect is not Effect.ACT or "{" not in action.path:
            continue
        for into, source in _sources(context, resource, action):
            flow = _composed(context, resource, action, into, source)
            if flow is not None:
                made.append(flow)
    return made


def _sources(context: Context, resource: Resource, action: Operation) -> list[tuple[str, Resource]]:
    """(body place, resource) of what the action names and what is created from `resource` alone, one place a resource:
    the one nearest the body's top.
    """
    found = []
    for into in context.bodies.get(action.key, ()):
        source = context.needed_by(action.key, into)
        if source is not None and source is not resource and _is_made_from(context, source, resource):
            found.append((into, source))
    return list({address(source): (into, source) for into, source in reversed(found)}.values())


def _is_made_from(context: Context, source: Resource, resource: Resource) -> bool:
    create = context.operations.get(source.create)
    if create is None or create.body is None:
        return False
    schemas = context.schemas
    own = [n for n in schemas.members(create.body.schema) if context.needed_by(create.key, f"body#/{n}") is resource]
    required = [name for name in schemas.required(create.body.schema) if name not in own]
    return bool(own) and not required


def _composed(context: Context, resource: Resource, action: Operation, into: str, source: Resource) -> Flow | None:
    builder = Builder(context, action)
    create = context.operations[source.create]
    builder.body_prefix = noun_of(source)
    made = change(builder, create, f"Make the {source.name}.", name=f"make_{noun_of(source)}")
    builder.body_prefix = ""
    made_id = created_id(builder, create, source, made)
    if made_id is None:
        return None
    builder.fixed_members = {into.removeprefix("body#"): made_id}
    change(builder, action, f"{texts.opened(texts.verb_of(action))} the {resource.name}.")
    builder.add_output(f"{noun_of(source)}_id", made_id, {"type": ["string", "integer"]})
    builder.known[(address(source), "")] = made_id
    risk = worst(o.risk or Risk.CHANGE for o in (create, action))
    verb = texts.verb_of(action)
    text = f"Makes {texts.an(source.name)} of {texts.an(resource.name)}, then does with it: {verb}."
    name = texts.flow_id(context.api.name, f"{source.name} and {verb}", noun_of(resource))
    title = f"{source.name.capitalize()} and {verb} {resource.name}"
    return builder.flow(name, "act", title, texts.describe((text,), risk), resource, risk)
