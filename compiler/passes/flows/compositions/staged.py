"""Staged creation: make the entry, upload its content, release it (an ISO image that becomes ready for use).

Seen from the API: a thing is created, its item takes a file, and a boolean member that says “ready” can be set both at
creation and later. The entry is made unready, filled, and released only when the upload has gone through.
"""

from compiler.ir.model import Flow, Operation, Resource
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, read_back
from compiler.passes.flows.context import Context, address, noun_of
from compiler.passes.flows.inputs.bodies import Choice
from compiler.passes.flows.intents import created_id
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from workflow.risks import Risk, worst

_RELEASING = frozenset({"ready", "available", "active", "enabled", "published", "complete", "visible", "released"})


def staged(context: Context, resource: Resource) -> Flow | None:
    """The flow, None where there is no upload or nothing to release."""
    upload = next((context.operations[key] for key in resource.actions if _takes_a_file(context.operations[key])), None)
    if not resource.create or not resource.update or upload is None or "{" not in upload.path:
        return None
    create, update = context.operations[resource.create], context.operations[resource.update]
    release = _release_member(context, create, update)
    if not release:
        return None
    builder = Builder(context, create)
    made = change(builder, create, f"Create the {resource.name}.", Choice(f"/{release}", (False,)), name="create")
    made_id = created_id(builder, create, resource, made)
    if made_id is None:
        return None
    builder.known[(address(resource), "")] = made_id
    change(builder, upload, "Upload the content.", name="upload")
    _release(builder, update, resource, release)
    read_back(builder, resource)
    builder.add_output("id", made_id, {"type": ["string", "integer"]})
    return _named(context, builder, resource, (create, upload, update))


def _takes_a_file(operation: Operation) -> bool:
    return (
        operation.body is not None and "json" not in operation.body.media_type and operation.method in ("PUT", "POST")
    )


def _release_member(context: Context, create: Operation, update: Operation) -> str:
    if create.body is None or update.body is None:
        return ""
    settable = context.schemas.members(update.body.schema)
    for name, schema in context.schemas.members(create.body.schema).items():
        is_switch = context.schemas.kind(schema) == "boolean" and name in settable
        if is_switch and words.is_about(words.split(name), _RELEASING):
            return name
    return ""


def _release(builder: Builder, update: Operation, resource: Resource, release: str) -> None:
    """The update with the one member: everything else was given at creation."""
    assert update.body is not None, "it has the member"
    members = builder.context.schemas.members(update.body.schema)
    builder.skipped_members = frozenset(name for name in members if name != release)
    builder.shares_body_inputs = True
    change(builder, update, f"Release the {resource.name}.", Choice(f"/{release}", (True,)), name="release")
    builder.skipped_members = frozenset()


def _named(context: Context, builder: Builder, resource: Resource, changes: tuple[Operation, ...]) -> Flow:
    risk = worst(o.risk or Risk.CHANGE for o in changes)
    text = f"Creates {texts.an(resource.name)}, uploads its content and makes it ready for use."
    name = texts.flow_id(context.api.name, "create and upload", noun_of(resource))
    title = f"Create and upload {resource.name}"
    return builder.flow(name, "create", title, texts.describe((text,), risk), resource, risk)
