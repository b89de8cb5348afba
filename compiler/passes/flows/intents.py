"""The intents: one function plans one kind of workflow for one resource, each with one outcome and one risk class.

find (list) · describe (look up, read) · create · update · delete (and show gone) · act · report (a read that is no
resource). Each takes the context and gives a flow, or None where the API lacks what the intent needs.
"""

from dataclasses import replace

from compiler.ir.model import Effect, Flow, FlowStep, Job, Operation, Resource, Response, Role
from compiler.passes.flows import memberships
from compiler.passes.flows.acted_on import look_for_acted_on
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import (
    change,
    end_after_job,
    look_for_it,
    parameters_of,
    read_back,
    read_back_made,
    read_back_named,
    told_by,
)
from compiler.passes.flows.context import Context, noun_of
from compiler.passes.flows.inputs.bodies import BodyInputs
from compiler.passes.flows.inputs.filters import filters_of
from compiler.passes.flows.orders import orders_of, with_its_members
from compiler.passes.flows.put_in import is_put_in, look_whether_it_is_in, read_back_put_in
from compiler.passes.flows.splits import IN_PATH, Split
from compiler.passes.flows.steps import queries, states
from compiler.passes.flows.steps.following import ends_pending
from compiler.passes.flows.steps.gone import gone
from compiler.passes.flows.steps.kept import may_lose
from compiler.passes.flows.steps.novelty import expect_new, is_named, look_before, name_before
from compiler.passes.flows.steps.pages import inside
from compiler.passes.flows.wording import texts
from compiler.passes.flows.wording.owners import found_by, of_owner, one, whose
from compiler.passes.flows.wording.summaries import verb_of_text
from compiler.passes.names import words
from compiler.passes.names.paths import parent
from compiler.passes.names.siblings import shown_as
from compiler.passes.resources import only_tells_whether
from compiler.passes.risk.values import makes
from workflow.documents.path_queries import parted
from workflow.json.pointers import escape
from workflow.replies.pages import INCOMPLETE_HEADER, NEXT_HEADER
from workflow.risks import Risk, worst

_ABSENT = (404, 410)  # RFC 9110, 15.5.5 and 15.5.11


def find(context: Context, resource: Resource) -> Flow | None:
    """Lists the items of a collection."""
    if not resource.source:
        return None
    operation = context.operations[resource.source]
    builder = Builder(context, operation)
    many = words.plural(resource.name)
    goes_on = {"next": f"$response.header.{NEXT_HEADER}"} if resource.paging and resource.paging.parameter else {}
    body = "$response.body#" + resource.members if resource.members else "$response.body"
    filters = filters_of(builder, operation, resource.paging)
    step = FlowStep(
        id=builder.free_step_id("list"),
        operation=operation.key,
        role=Role.READ,
        description=f"List the {many}.",
        parameters=tuple(parameters_of(builder, operation)),
        payload=filters,
        outputs={"items": body, "incomplete": f"$response.header.{INCOMPLETE_HEADER}", **goes_on},
        success=(queries.OK,),
        pages=inside(resource),
    )
    step = builder.add_step(step, "the goal")
    builder.add_output("items", f"$steps.{step.id}.outputs.items", {"type": "array"})
    builder.add_output("incomplete", f"$steps.{step.id}.outputs.incomplete", {"type": "string"})
    if goes_on and resource.paging:
        builder.add_output("next", f"$steps.{step.id}.outputs.next", {"type": "string"})
    name = texts.flow_id(context.api.name, "find", words.plural(noun_of(resource)))
    text = texts.describe((f"Lists {many}{of_owner(context, resource)}.",), Risk.READ)
    return builder.flow(name, "find", f"Find {many}{whose(context, resource)}", text, resource, Risk.READ)


def find_unseen(context: Context, resource: Resource, operation: Operation) -> Flow:
    """Lists the items of a collection whose reply nobody described: gives out the whole answer."""
    listed = report(context, resource, operation)
    many = words.plural(resource.name)
    name = texts.flow_id(context.api.name, "find", words.plural(noun_of(resource)))
    text = texts.describe((f"Lists {many}{of_owner(context, resource)}, as the device answers.",), Risk.READ)
    return replace(listed, id=name, intent="find", title=f"Find {many}{whose(context, resource)}", description=text)


def _shape(context: Context, operation: Operation, resource: Resource) -> dict[str, str]:
    """What is promised of a record that is read: where a text is described, or nothing, it is anything."""
    reply = operation.success.schema if operation.success else None
    pointer = resource.item_in_reply.partition("#")[2]
    kind = context.schemas.kind(context.schemas.at(reply, pointer)) if reply else ""
    return {"type": kind} if kind not in ("", "string", "number", "integer") else {}


def describe(context: Context, resource: Resource) -> Flow | None:
    """Finds one item and reads it; for a single record just reads it."""
    if not resource.read:
        return None
    operation = context.operations[resource.read]
    builder = Builder(context, operation)
    item = resource.item_in_reply
    parameters = tuple(parameters_of(builder, operation))
    there = (queries.simple("$response.body#/0 != null"),) if resource.item_is_list else ()
    step = FlowStep(
        id=builder.free_step_id("read"),
        operation=operation.key,
        role=Role.READ,
        description=f"Read the {resource.name}.",
        parameters=parameters,
        outputs={"item": item},
        success=(queries.OK, *there),
    )
    step = builder.add_step(step, "the goal")
    builder.add_output("item", f"$steps.{step.id}.outputs.item", _shape(context, operation, resource))
    part = shown_as(resource)
    verb = "describe" if resource.id_parameter and not part else "get"
    shown = f"{resource.name} {part}".rstrip()
    what = f"the {part} of {one(resource)}" if part and resource.id_parameter else f"the {shown}"
    what = what if part else one(resource)
    text = f"Shows {what}{of_owner(context, resource)}, {found_by(builder, resource)}."
    text = text.replace(", .", ".")
    name = texts.flow_id(context.api.name, verb, words.snake(shown))
    title = f"{verb.capitalize()} {shown}{whose(context, resource)}"
    if resource.id_of:
        shown = resource.name if resource.noun in context.profile.vocabulary else words.spoken(resource.noun)
        title = f"Get {shown}" if resource.id_of in shown else f"Get {shown} of {resource.id_of}"
        name = texts.flow_id(context.api.name, "get", title.removeprefix("Get ").replace(" of ", " "))
        text = f"Shows the {shown} of {texts.an(resource.id_of)}."
    return builder.flow(name, "describe", title, texts.describe((text,), Risk.READ), resource, Risk.READ)


def create(context: Context, resource: Resource) -> Flow | list[Flow] | None:
    """Makes an item, waits for its job, reads it back by the id that the reply gave."""
    if not resource.create:
        return None
    if resource.create in context.memberships:
        return memberships.changed(context, context.operations[resource.create])
    orders = orders_of(context, resource)
    if orders is not None:
        return [_ordered(context, resource, orders[0], split) for split in orders[1]]
    looking = _created(context, resource, name_before(context, resource))
    return looking if looking is not None else _created(context, resource, "")


def _ordered(context: Context, resource: Resource, owner: Resource, split: Split) -> Flow:
    operation = context.operations[resource.create]
    flow = act(context, owner, operation, split)
    return with_its_members(context, operation, flow, str(split.choice.values[0]))


def _created(context: Context, resource: Resource, key: str) -> Flow | None:
    """With a `key` it is looked before, whether one of that name is there; None where no input is that name."""
    operation = context.operations[resource.create]
    builder = Builder(context, operation)
    look = look_before(builder, resource, key) if key else None
    step = change(builder, operation, f"Create the {resource.name}.")
    if look is not None and not is_named(builder, key):
        return None
    made = created_id(builder, operation, resource, step) if resource.collection else None
    back: FlowStep | None = None
    if not resource.collection:  # the only one of its kind
        back = read_back(builder, resource)
    elif made is not None:
        is_by_job = end_after_job(builder, operation, resource.name)
        builder.add_output("id", made, {"type": ["string", "integer"]})
        back = read_back_made(builder, resource, made)
        if is_by_job:
            _tell_id_of_item_alone(builder, resource, back)
    else:
        back = read_back_named(builder, resource)
    if look is not None:
        expect_new(builder, resource, look, back, made)
    ends_pending(builder, resource, operation.key)
    what = texts.an(resource.name) if resource.collection else f"the {resource.name}"
    return _finish(builder, "create", "create", f"Creates {what}", resource, _risk(operation))


def _tell_id_of_item_alone(builder: Builder, resource: Resource, back: FlowStep | None) -> None:
    """Where the change may answer with a job, its answer may tell the job's id: the new item tells its own."""
    if back is not None and resource.id_field:
        builder.outputs["id"] = told_by(builder, back, resource)
    else:
        builder.outputs.pop("id")
        builder.output_schemas.pop("id")


def created_id(builder: Builder, operation: Operation, resource: Resource, step: FlowStep) -> str | None:
    """The expression of the new item's id: the job's word, the reply's own member, or the end of Location."""
    if "created" in step.outputs:
        return f"$steps.{step.id}.outputs.created"
    number = next(n for n, s in enumerate(builder.steps) if s.id == step.id)
    reply = operation.success
    job = builder.context.jobs.get(operation.key)
    if job is not None and job.poll != resource.read and _is_whole(builder, job, reply):
        return None  # the id in it is the job's
    place, transform = _place_of_id(builder, reply, resource)
    if not place:
        return None
    outputs = {**step.outputs, "created": place}
    transforms = {**step.transforms, **({"created": transform} if transform else {})}
    builder.steps[number] = replace(builder.steps[number], outputs=outputs, transforms=transforms)
    return f"$steps.{step.id}.outputs.created"


def _is_whole(builder: Builder, job: Job, reply: Response | None) -> bool:
    """Whether the answer is the job itself, as reading one shows it."""
    component, shown = builder.context.schemas.component, builder.operation(job.poll).success
    kind = component(reply.schema if reply else None)
    return bool(kind) and kind == component(shown.schema if shown else None)


def _place_of_id(builder: Builder, reply: Response | None, resource: Resource) -> tuple[str, str]:
    schemas = builder.context.schemas
    told = schemas.members(reply.schema if reply else None)
    members = {name: member for name, member in told.items() if name not in builder.context.api.around}
    if resource.id_field in members:
        is_address = bool(resource.references)
        return f"$response.body#/{escape(resource.id_field)}", "last_path_segment" if is_address else ""
    for name in ("id", "Id", "uuid", resource.id_parameter):
        if name in members and not resource.references:
            return f"$response.body#/{escape(name)}", ""
    for around in dict.fromkeys((resource.wrapper, f"/{escape(words.singular(resource.noun))}")):
        inside = schemas.members(schemas.at(reply.schema, around) if reply and around else None)
        if resource.id_field in inside and not resource.references:
            return f"$response.body#{around}/{escape(resource.id_field)}", ""
    declared = reply is not None and "location" in reply.headers
    if declared or (resource.references and reply is not None and reply.status == "201"):
        return "$response.header.location", "last_path_segment"
    return "", ""


def update(context: Context, resource: Resource) -> Flow | None:
    """Finds an item, changes the members that are given, waits, reads back."""
    return _updated(context, resource, context.operations[resource.update], "update") if resource.update else None


def update_otherwise(context: Context, resource: Resource, operation: Operation) -> Flow:
    """The same by a write that does something else than the usual one: replaces, or makes what is not there."""
    put = "make" if "set" in words.split(resource.name) else "set"  # a scale set
    whole = put if makes(operation) else "replace"
    return _updated(context, resource, operation, whole if operation.method == "PUT" else "patch")


def _updated(context: Context, resource: Resource, operation: Operation, verb: str) -> Flow:
    builder = Builder(context, operation)
    if may_lose(builder, operation, resource):
        look_for_it(builder, resource, "what it did not name is held against what was there before")
    is_in = is_put_in(resource, operation)
    if is_in:
        look_whether_it_is_in(builder, resource, operation)
    change(builder, operation, f"Change the {resource.name}.")
    if is_in:
        read_back_put_in(builder, resource, operation)
    else:
        read_back(builder, resource)
    ends_pending(builder, resource, operation.key)
    if operation.body is None and not resource.read:
        told = verb_of_text(operation)
        verb = "add" if told in ("", "create", "put") else told
        added = f"Adds {one(resource)}{of_owner(context, resource)}"
        text = added if verb == "add" else texts.purpose(operation) or added
        return _finish(builder, "update", verb, text, resource, _risk(operation))
    if operation.body is not None and not is_described(operation.body.media_type):
        text = texts.purpose(operation) or f"Uploads {one(resource)}{of_owner(context, resource)}"
        return _finish(builder, "update", "upload", text, resource, _risk(operation))
    is_whole = operation.method == "PUT" and not any(step.replacements for step in builder.steps)
    rest = "what is not given may be emptied" if is_whole else "only what is given"
    does = "Makes or replaces" if verb in ("set", "make") else "Replaces" if is_whole else "Changes"
    text = f"{does} {one(resource)}{of_owner(context, resource)}: {rest}"
    return _finish(builder, "update", verb, text, resource, _risk(operation))


def is_described(media_type: str) -> bool:
    """Whether a body of this kind has members; anything else is content as a whole."""
    return "json" in media_type or "form" in media_type


def delete(context: Context, resource: Resource) -> Flow | None:
    """Finds an item, deletes it, waits, shows that it is gone."""
    if not resource.delete:
        return None
    operation = context.operations[resource.delete]
    builder = Builder(context, operation)
    look_for_it(builder, resource, "what was not there was not deleted")
    change(builder, operation, f"Delete the {resource.name}.")
    gone(builder, resource)
    text = f"Deletes {one(resource)}{of_owner(context, resource)}"
    return _finish(builder, "delete", "delete", text, resource, _risk(operation))


def act(context: Context, resource: Resource, operation: Operation, split: Split | None) -> Flow:
    """Does what an action says with an item: lookup, state before, action, wait, state after."""
    builder = Builder(context, operation)
    choice = split.choice if split else None
    chosen = (choice,) if choice else ()
    if choice is not None and choice.pointer.startswith(IN_PATH):
        builder.fixed_parameters = {choice.pointer.removeprefix(IN_PATH): choice.values[0]}
    verb = split.verb if split else texts.done_within(operation, texts.verb_of(operation), resource.item)
    does = split.does if split else verb
    if not states.has_outcome(builder, operation, choice) and operation.leaves is None:
        look_for_acted_on(builder, operation, verb)
    step = change(builder, operation, f"{texts.opened(texts.doing(does, f'the {resource.name}'))}.", *chosen)
    is_copy = words.is_about(words.split(verb)[:1], words.COPYING)
    made = created_id(builder, operation, resource, step) if is_copy and _answers_with_copy(context, operation) else ""
    if made or ("created" in step.outputs and words.is_about(words.split(verb), words.MAKING)):
        made = f"$steps.{step.id}.outputs.created"
        builder.add_output("id", made, {"type": ["string", "integer"]})
        if is_copy and resource.id_parameter:
            read_back_made(builder, resource, made)
    if states.has_outcome(builder, operation, choice):
        back = read_back(builder, states.shown_by(builder, operation, resource))
        if back is not None:
            states.require_after(builder, operation, choice, back)
    elif operation.leaves is not None and resource is context.by_action.get(operation.key):
        read_back(builder, resource)
    _add_reply(builder, operation, step)
    ends_pending(builder, resource, operation.key)
    risk = split.risk if split else _risk(operation)
    flow = _finish(builder, "act", verb, _act_text(operation, does, resource, split), resource, risk)
    which = split.which if split else ""
    if verb.startswith("remove all ") and operation.path.rstrip("/") == resource.collection:
        many = words.plural(resource.name)
        return replace(
            flow, title=f"Remove all {many}", id=texts.flow_id(context.api.name, "remove_all", words.snake(many))
        )
    owned = whose(context, resource) if parted(operation.path)[1] else ""
    return replace(flow, title=texts.opened(texts.doing(does, _of_how_many(operation, does, resource))) + owned + which)


def _answers_with_copy(context: Context, operation: Operation) -> bool:
    """Whether a copy is answered with the new thing itself, which 201 says (RFC 9110, 15.3.2), and not by a job."""
    reply, owner = operation.success, context.by_action.get(operation.key)
    if reply is None or owner is None or reply.status != "201" or operation.key in context.jobs:
        return False
    return context.schemas.component(reply.schema) == context.schemas.component(owner.schema) != ""


def _of_how_many(operation: Operation, does: str, resource: Resource) -> str:
    """`Prune networks`: what takes things away and names none of them is about all."""
    above = parent(operation.path)
    is_of_all = does in ("prune", "purge", "clear") and (above == resource.collection or "{" not in above)
    return (
        words.plural(resource.name) if is_of_all and (resource.collection or resource.id_parameter) else resource.name
    )


def _act_text(operation: Operation, does: str, resource: Resource, split: Split | None) -> str:
    """What the description says in a few words, or the verb with the noun; the values where they were split."""
    plain = texts.opened(texts.doing(does, texts.an(resource.name)))
    if split is not None and [words.snake(does)] != [words.snake(str(value)) for value in split.choice.values]:
        return f"{plain} ({', '.join(str(v) for v in split.choice.values)})"
    return plain if split is not None else texts.purpose(operation) or plain


def _add_reply(builder: Builder, operation: Operation, step: FlowStep) -> None:
    """What an action answered, where it answers at once with something of its own."""
    reply = operation.success
    job = builder.context.jobs.get(operation.key)
    is_handle = job is not None and (job.handle_within == "body" or reply is None or reply.status == "202")
    if not is_handle and reply is not None and reply.schema:
        number = next(n for n, each in enumerate(builder.steps) if each.id == step.id)
        step = builder.steps[number]
        builder.steps[number] = replace(step, outputs={**step.outputs, "reply": "$response.body"})
        builder.add_output("reply", f"$steps.{step.id}.outputs.reply", {})


def check(context: Context, resource: Resource, operation: Operation) -> Flow:
    """A read that shows nothing: 404 and 410 say that there is no such thing, any success that there is one."""
    builder = Builder(context, operation)
    there = queries.any_of(["$statusCode == 200", "$statusCode == 204", *(f"$statusCode == {s}" for s in _ABSENT)])
    step = FlowStep(
        id=builder.free_step_id("check"),
        operation=operation.key,
        role=Role.READ,
        description=f"See whether there is the {resource.name}.",
        parameters=tuple(parameters_of(builder, operation)),
        outputs={"status": "$statusCode"},
        success=(queries.simple(there),),
    )
    step = builder.add_step(step, "the goal")
    builder.add_output("status", f"$steps.{step.id}.outputs.status", {"type": "integer"})
    plain = f"Checks whether there is {one(resource)}{of_owner(context, resource)}: 404 says that there is none."
    said = texts.describe((texts.purpose(operation), plain), Risk.READ)
    name = texts.flow_id(context.api.name, "check", noun_of(resource))
    return builder.flow(name, "report", f"Check {resource.name}", said, resource, Risk.READ)


def report(context: Context, resource: Resource, operation: Operation) -> Flow:
    """A read that is neither a list nor an item: gives out what is answered."""
    if only_tells_whether(operation):
        return check(context, resource, operation)
    builder = Builder(context, operation)
    verb = texts.verb_of(operation)
    parameters = tuple(parameters_of(builder, operation))
    payload = BodyInputs(builder, operation).payload()
    step = FlowStep(
        id=builder.free_step_id("read"),
        operation=operation.key,
        role=Role.READ,
        description="Read.",
        parameters=parameters,
        payload=payload,
        content_type=operation.body.media_type if operation.body and payload is not None else "",
        outputs={"result": "$response.body"},
    )
    step = builder.add_step(step, "the goal")
    builder.add_output("result", f"$steps.{step.id}.outputs.result", {})
    is_of_all = verb in ("search", "query", "count") and parent(operation.path) == resource.collection
    title = texts.opened(texts.doing(verb, words.plural(resource.name) if is_of_all else resource.name))
    said = texts.purpose(operation) or f"{title}."
    name = texts.flow_id(context.api.name, verb, noun_of(resource))
    return builder.flow(name, "report", title, texts.describe((said,), Risk.READ), resource, Risk.READ)


def _finish(builder: Builder, intent: str, verb: str, text: str, resource: Resource, risk: Risk) -> Flow:
    named = texts.action_id if intent == "act" else texts.flow_id
    name = named(builder.context.api.name, verb, noun_of(resource) if resource.name else "")
    steps = [(step.role, step.operation) for step in builder.steps if step.role is not Role.WAIT or _is_usual(builder)]
    sentence = text if text.endswith(".") else f"{text}."
    said = texts.describe((sentence, texts.course(steps)), risk)
    title = texts.opened(texts.doing(verb, resource.name))
    return builder.flow(name, intent, title, said, resource, _worst(builder, risk))


def _is_usual(builder: Builder) -> bool:
    """Whether the goal's description says that it starts a job; that any change may is no news to a caller."""
    job = builder.context.jobs.get(builder.goal.key)
    listed = {reply.status for reply in builder.goal.responses}
    return job is None or not job.statuses or bool(listed & {*map(str, job.statuses), "2XX"})


def _risk(operation: Operation) -> Risk:
    return operation.risk or Risk.CHANGE


def _worst(builder: Builder, risk: Risk) -> Risk:
    """The class of the flow: that of the change, or a higher one of any other step that is no read."""
    others = [builder.operation(s.operation) for s in builder.steps if s.role is not Role.CHANGE]
    found = [risk, *(o.risk for o in others if o.risk is not None and o.effect is not Effect.READ)]
    return worst(found)


INTENTS = (find, describe, create, update, delete)
"""What plans the flows of a resource's own operations, those of its actions excepted."""
