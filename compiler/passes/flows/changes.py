"""The change itself and what stands around it.

Before: bindings, the version that a conditional write names. After: the wait for its job, the job's result, the
read-back, the proof that a thing is gone. Used by `intents` and `compositions`; which change it is, they decide.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from compiler.ir.model import Effect, FlowStep, Job, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import address
from compiler.passes.flows.inputs.bodies import BodyInputs, Choice
from compiler.passes.flows.inputs.usual import usual_filters
from compiler.passes.flows.splits import class_of_value
from compiler.passes.flows.steps import queries, states
from compiler.passes.flows.steps.expectations import ENDED_WELL
from compiler.passes.flows.steps.following import after_the_job
from compiler.passes.flows.steps.gone import is_shown_when_gone, missing_signs
from compiler.passes.flows.steps.headers import begins, first_page, given_parameter, input_of, is_given, sizes
from compiler.passes.flows.steps.kept import kept
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.steps.moved import BY_NEW_NAME, moved_to
from compiler.passes.flows.steps.numbered import read_version
from compiler.passes.flows.steps.offers import also_called, require_allowed, require_offered
from compiler.passes.flows.steps.waiting import is_asked, is_found_later, poll_parameters, wait
from compiler.passes.flows.steps.whereabouts import says_where
from compiler.passes.identity import says_id
from compiler.passes.names import words
from compiler.passes.names.paths import is_by_another_key, parent, shape
from compiler.passes.names.post_lists import is_asked_by_post
from workflow.json.pointers import escape
from workflow.risks import Risk, worst

MADE_BY_A_JOB = "made_by_a_job"
_NOT_MODIFIED = "304"
_VERSION_TRIES = 4  # a tag that moved once, and its forms: strong, without a suffix, from the body


def parameters_of(
    builder: Builder, operation: Operation, leaves_version: bool = False, filters: bool = True
) -> list[tuple[str, str, Any]]:
    """Bindings of all parameters: path by lookup, query and header given by the caller.

    Without `filters` the optional ones are left out.

    `leaves_version`: the conditional header is bound by `version_header`, where the operation has one.
    """
    bound = path_parameters(builder, operation)
    version = builder.context.profile.conditional.send_header.lower() if leaves_version else ""
    paging = builder.context.paging.get(operation.key)
    usual = usual_filters(operation) - {paging.parameter if paging is not None else ""}
    for parameter in operation.parameters:
        if parameter.location == "path" or not (filters or parameter.is_required):
            continue
        if sizes(paging, parameter):
            continue  # how much is asked for at a time is seen to by the step
        if version and parameter.name.lower() == version and _versioned(builder, operation) is not None:
            continue
        # What belongs to the connection, or is sent with every request, is no business of the caller.
        if parameter.location != "query" or parameter.is_required:
            is_condition = parameter.name.lower() == builder.context.profile.conditional.send_header.lower()
            read = read_version(builder, operation, parameter)
            if read is not None:
                bound.append((parameter.name, parameter.location, read))
            elif begins(paging, parameter):
                given = input_of(builder, parameter)
                schema = {**given.schema, "default": first_page(paging, parameter)}
                given = replace(given, schema=schema, is_required=False, shown=False)
                sample = {"parameter": operation.key, "name": parameter.name}
                bound.append((parameter.name, parameter.location, builder.add_input(given, sample)))
            elif is_given(builder, parameter) or (is_condition and parameter.location == "header"):
                bound.append((parameter.name, parameter.location, given_parameter(builder, operation, parameter)))
            continue
        slot = (f"where {parameter.name}", "")  # two changes of one flow are made in one place
        if slot not in builder.known or not says_where(parameter.name):
            given = replace(input_of(builder, parameter), shown=parameter.name in usual)
            sample = {"parameter": operation.key, "name": parameter.name}
            builder.known[slot] = builder.add_input(given, sample)
        bound.append((parameter.name, parameter.location, builder.known[slot]))
    return bound


def change(
    builder: Builder,
    operation: Operation,
    text: str,
    *choices: Choice,
    name: str = "change",
    checks_state: bool = True,
    waits: bool = True,
) -> FlowStep:
    """The step that makes the change, after its preconditions and before the wait for its job where it starts one.

    Without `waits` the job is left to the caller, who has to lead on the branches past `@after`.
    """
    parameters = parameters_of(builder, operation, leaves_version=True)
    body = BodyInputs(builder, operation, {choice.pointer: choice for choice in choices})
    payload = body.payload()
    if checks_state:
        states.require_before(builder, operation, choices[0] if choices else None)
        _show_before(builder, operation, choices)
    told, renamed = require_offered(builder, operation, parameters, payload)
    match = version_header(builder, operation)
    require_allowed(builder, operation, payload)
    payload, replacements, omits = kept(builder, operation, payload)
    # Settings that wait for a restart have a job that stays scheduled until then: it is given out, not waited for.
    job = builder.context.jobs.get(operation.key)
    is_pending = builder.context.is_pending(operation.key)
    follows = waits and job is not None and not is_pending
    where = poll_parameters(builder, job) if job and follows and not is_found_later(builder, job) else None
    step = FlowStep(
        id=builder.free_step_id(name),
        operation=operation.key,
        role=Role.CHANGE,
        description=text + also_called(operation) if renamed else text,
        parameters=(*parameters, *match),
        payload=payload,
        content_type=operation.body.media_type if operation.body and payload is not None else "",
        replacements=replacements,
        omits=omits,
        address=told,
        renamed=renamed,
        parts=body.parts,
        failures=(*_so_already(operation), *again_with_new_version(match)),
    )
    if job is not None:
        step = _with_handle(step, job, is_pending)
    builder.add_step(step, "the goal")
    if job is not None and follows:
        number = len(builder.steps) - 1
        following = after_the_job(builder.context, operation.key)
        wait(builder, job, f"$steps.{step.id}.outputs.job", where, tries_elsewhere=True, following=following)
        if len(builder.steps) > number + 2:
            # Without a job there is no result either: past all waits and past the reading of the result.
            builder.label(f"past_{step.id}")
            builder.steps[number] = builder.pointed(builder.steps[number], f"@past_{step.id}")
    if is_pending and job is not None:
        builder.add_output("job", f"$steps.{step.id}.outputs.job", {"type": "string"})
    return next(each for each in builder.steps if each.id == step.id)


def _so_already(operation: Operation) -> Iterator[dict[str, Any]]:
    """The good end of a change for which the description has 304: it was so already, and nothing was done."""
    if any(reply.status == _NOT_MODIFIED for reply in operation.responses):
        text = f"The device says that it was so already ({_NOT_MODIFIED}): nothing was changed."
        criteria = [queries.simple(f"$statusCode == {_NOT_MODIFIED}")]
        says = {"outcome": "succeeded", "message": text}
        yield {"name": "so_already", "type": "end", "criteria": criteria, "x-switchgear": says}


def end_after_job(builder: Builder, operation: Operation, what: str, label: str = "") -> bool:
    """Where one header leads either to the new item or to a job, a job's end is the end: the item has no known id.

    With a `label` the flow goes on there. True where it is so: then the change's answer tells no id for certain.
    """
    job = builder.context.jobs.get(operation.key)
    last = builder.steps[-1]
    if job is None or job.handle_within != "header" or last.role is not Role.WAIT:
        return False
    text = (
        f"A {job.name} made it, and the device told the {job.name}'s id alone: find it among the {words.plural(what)}."
    )
    unseen = {"place": "", "shown": False, "text": f"nothing tells which {what} the {job.name} made"}
    for number, step in enumerate(builder.steps):
        if not is_asked(step):
            continue
        if label:
            builder.steps[number] = replace(step, branches=({"name": MADE_BY_A_JOB, "stepId": f"@{label}"},))
        else:
            end = {"name": MADE_BY_A_JOB, "type": "end", "x-switchgear": {"message": text}}
            builder.steps[number] = replace(step, branches=(end,), expects=(ENDED_WELL, unseen))
    return True


def _class_of(builder: Builder, operation: Operation, choices: Sequence[Choice]) -> Risk | None:
    """The class of the operation with what is chosen of an enumeration."""
    told = [class_of_value(builder.context, operation, c.pointer, value) for c in choices for value in c.values]
    return worst(told) if told else operation.risk


def _show_before(builder: Builder, operation: Operation, choices: Sequence[Choice]) -> None:
    """Reads the thing right before what interrupts or destroys, so that a plan shows what is going to be hit.

    Not where a check of its state reads it anyway, nor where the change is not made on one named thing.
    """
    is_grave = _class_of(builder, operation, choices) in (Risk.DISRUPT, Risk.DESTROY)
    owner = builder.context.by_item.get(shape(parent(operation.path))) if operation.effect is Effect.ACT else None
    known = owner is not None and (address(owner), "") in builder.known
    if not is_grave or owner is None or not known or not owner.read or _is_read(builder, owner.read):
        return
    read = builder.operation(owner.read)
    step = FlowStep(
        id=builder.free_step_id("look"),
        operation=read.key,
        role=Role.CHECK,
        description=f"Read the {owner.name} as it is before.",
        parameters=tuple(path_parameters(builder, read)),
        outputs={"item": owner.item_in_reply},
        success=(queries.OK,),
    )
    builder.add_step(step, "a plan shows what will be hit, as it is now")


def _is_read(builder: Builder, key: str) -> bool:
    return any(step.operation == key for step in builder.steps)


def _versioned(builder: Builder, operation: Operation) -> tuple[Operation, str] | None:
    """What reads the version that the operation has to name, and of what; None where it needs none or none is read.

    What is added to a list whose description wants a version all the same (428, RFC 6585) names that of the list; one
    that only takes the header is not sent it, since servers differ in what a creation's version is about.
    """
    rule, context = builder.context.profile.conditional, builder.context
    if rule.pattern is not None and not re.search(rule.pattern, operation.key):
        return None
    if operation.method in rule.methods:
        changed = context.by_change.get(operation.key)
        known = [
            r
            for r in context.api.resources
            if r.delete == operation.key or (r is changed and r.create != operation.key)
        ]
        owner = next((r for r in known if r.read), None)
        return (builder.operation(owner.read), owner.name) if owner else None
    wanted = ("header", rule.send_header.lower())
    takes_version = any((p.location, p.name.lower()) == wanted for p in operation.parameters)
    takes_version = takes_version and any(reply.status == "428" for reply in operation.responses)
    grown = context.by_create.get(operation.key)
    is_whole = grown is not None and bool(grown.list) and grown.list not in context.paging
    return (builder.operation(grown.list), f"list of {grown.name}") if takes_version and grown and is_whole else None


def version_header(builder: Builder, operation: Operation) -> list[tuple[str, str, Any]]:
    """The conditional header, with the version read just before, where the profile asks for it."""
    rule = builder.context.profile.conditional
    found = _versioned(builder, operation)
    if found is None:
        return []
    read, what = found
    step = FlowStep(
        id=builder.free_step_id("read_version"),
        operation=read.key,
        role=Role.CHECK,
        description=f"Read the {what}'s version.",
        parameters=tuple(path_parameters(builder, read)),
        outputs={"version": f"$response.header.{rule.read_header}"},
        version={"header": rule.read_header, **({"body": rule.read_body} if rule.read_body is not None else {})},
    )
    builder.add_step(step, "the change is refused unless it names the version that was read")
    return [(rule.send_header, "header", f"$steps.{step.id}.outputs.version")]


def again_with_new_version(match: list[tuple[str, str, Any]]) -> tuple[dict[str, Any], ...]:
    """The failure action of a conditional write: what it names is read again, and it is sent again if that is all."""
    return tuple(
        {
            "name": "again_with_new_version",
            "type": "retry",
            "stepId": str(value).split(".")[1],
            "retryAfter": 0,
            "retryLimit": _VERSION_TRIES,
            "criteria": [queries.simple("$statusCode == 412 || $statusCode == 428")],
            "x-switchgear": {
                "code": "version_refused",
                "message": f"The device refused each version that it gave ({name}); nothing was changed by this step.",
            },
        }
        for name, _, value in match
    )


def _with_handle(step: FlowStep, job: Job, is_pending: bool) -> FlowStep:
    outputs: dict[str, Any] = {}
    transforms: dict[str, str] = {}
    branches: list[dict[str, Any]] = []
    if job.handle_within == "body":
        handle = f"$response.body#{job.handle_at}"
        empty = queries.any_of((f"{handle} == ''", f"{handle} == null"))
    else:
        handle = f"$response.header.{job.handle_at}"
        empty = f"{handle} == null"
    outputs["job"] = handle
    if job.handle_is_address:
        transforms["job"] = "last_path_segment"
    if job.created_id:
        outputs["created"] = f"$response.body#{job.created_id}"
    if is_pending:
        return replace(step, outputs=outputs, transforms=transforms)
    branches.append(_no_handle(job, empty))
    if job.statuses:
        codes = queries.all_of([f"$statusCode != {status}" for status in job.statuses])
        branches.append({"name": "over", "stepId": "@after", "criteria": [queries.simple(codes)]})
    if job.empty_means_done:
        branches.append({"name": "nothing_to_wait_for", "stepId": "@after", "criteria": [queries.simple(empty)]})
    return replace(step, outputs=outputs, transforms=transforms, branches=tuple(branches))


def _no_handle(job: Job, empty: str) -> dict[str, Any]:
    """202 says that it goes on (RFC 9110, 15.3.3): without a handle nobody can tell how it ends."""
    text = f"It was accepted (202), and the answer has no handle by which the {job.name} could be asked for."
    return {
        "name": "which_job",
        "type": "end",
        "criteria": [queries.simple("$statusCode == 202"), queries.simple(empty)],
        "x-switchgear": {"outcome": "unknown", "code": "no_handle", "message": text},
    }


def read_back(builder: Builder, resource: Resource) -> FlowStep | None:
    """Reads the item after a change and gives it out; None where it can't be read."""
    if not resource.read or is_by_another_key(builder.goal.path, resource.read):
        return None
    operation = builder.operation(resource.read)
    if operation.success is not None and operation.success.media_type and "json" not in operation.success.media_type:
        return None  # a file that was just sent need not come back
    item = resource.item_in_reply
    there = (queries.simple("$response.body#/0 != null"),) if resource.item_is_list else ()
    parameters = path_parameters(builder, operation)
    moved = moved_to(builder, resource, operation, parameters)
    step = FlowStep(
        id=builder.free_step_id("read_back"),
        operation=operation.key,
        role=Role.READ_BACK,
        description=f"Read the {resource.name} back{BY_NEW_NAME if moved else ''}.",
        parameters=tuple(parameters),
        outputs={"item": item},
        success=(queries.OK, *there),
        moved=moved,
    )
    builder.add_step(step, "shows the outcome as the device sees it")
    builder.add_output("item", f"$steps.{step.id}.outputs.item", {"type": "object"})
    return step


def read_back_made(builder: Builder, resource: Resource, made: str) -> FlowStep | None:
    """Reads a new item by the id that the change gave: out of its collection, where that lists whole items."""
    builder.known[(address(resource), "")] = made
    is_found = resource.list and resource.id_field and not (resource.references or _lists_names(builder, resource))
    operation = builder.operation(resource.list) if is_found else None
    # A search has an order and a limit of its own, and may know of what was just made later than its own address does.
    is_searched = operation is not None and is_asked_by_post(operation) and bool(resource.read)
    if operation is None or is_searched or _is_shown_in_part(builder, resource):
        return read_back(builder, resource)
    query = f"{queries.listed(resource)}[?@{queries.of_listed(resource, resource.id_field)} == '{{{made}}}']"
    step = FlowStep(
        id=builder.free_step_id("read_back"),
        operation=operation.key,
        role=Role.READ_BACK,
        description=f"Read the new {resource.name} back.",
        parameters=tuple(path_parameters(builder, operation)),
        outputs={"item": queries.selector(query + queries.of_listed(resource))},
        success=(queries.OK, queries.jsonpath(query)),
    )
    builder.add_step(step, "shows that the collection has it, and how the device sees it")
    builder.add_output("item", f"$steps.{step.id}.outputs.item", {"type": "object"})
    return step


def _lists_names(builder: Builder, resource: Resource) -> bool:
    """Whether the list has bare names, and nothing else of the things."""
    return builder.context.schemas.kind(builder.context.listed(resource)) == "string"


def _is_shown_in_part(builder: Builder, resource: Resource) -> bool:
    """Whether the thing's own read shows more of it than the list does."""
    schemas = builder.context.schemas
    listed = schemas.members(builder.context.listed(resource))
    return bool(listed and resource.read) and not schemas.members(resource.schema).keys() <= listed.keys()


def read_back_named(builder: Builder, resource: Resource) -> FlowStep | None:
    """Reads a new item by the name that the caller gave it, where the reply tells no id; the name is required then."""
    made_up = says_id(resource.id_field)
    names = resource.natural_keys if made_up else (resource.id_field, *resource.natural_keys)
    key = next((name for name in names if _names_body(builder, name)), "")
    if not key or not resource.list or resource.references:
        return None
    if _lists_names(builder, resource):
        return None
    builder.inputs[key] = replace(builder.inputs[key], is_required=True, shown=True)
    operation = builder.operation(resource.list)
    query = f"{queries.listed(resource)}[?@{queries.of_listed(resource, key)} == '{{$inputs.{key}}}']"
    outputs = {"item": queries.selector(query + queries.of_listed(resource))}
    if resource.id_field and resource.id_field != key:
        outputs["id"] = queries.selector(query + queries.of_listed(resource, resource.id_field))
    step = FlowStep(
        id=builder.free_step_id("read_back"),
        operation=operation.key,
        role=Role.READ_BACK,
        description=f"Read the new {resource.name} back.",
        parameters=tuple(path_parameters(builder, operation)),
        outputs=outputs,
        success=(queries.OK, queries.jsonpath(query)),
    )
    step = builder.add_step(step, "the reply tells no id: the collection has it under the name that was given")
    for name, schema in (("id", {"type": ["string", "integer"]}), ("item", {"type": "object"})):
        if name in outputs:
            builder.add_output(name, f"$steps.{step.id}.outputs.{name}", schema)
    return step


def told_by(builder: Builder, back: FlowStep, resource: Resource) -> str:
    """The expression of the id of the item that the step reads, which the step gives out for it."""
    item = back.outputs["item"]
    if isinstance(item, Mapping):
        place: Any = queries.selector(f"{item['selector']}{queries.child(resource.id_field)}")
    else:
        place = f"{item}{'' if '#' in str(item) else '#'}/{escape(resource.id_field)}"
    number = next(n for n, step in enumerate(builder.steps) if step.id == back.id)
    transforms = {"id": "last_path_segment"} if resource.references else {}
    step = builder.steps[number]
    outputs = {**step.outputs, "id": place}
    builder.steps[number] = replace(step, outputs=outputs, transforms={**step.transforms, **transforms})
    return f"$steps.{back.id}.outputs.id"


def _names_body(builder: Builder, key: str) -> bool:
    """True for an input that is a text of the body and a name that people give."""
    given = builder.inputs.get(key)
    is_text = given is not None and given.schema.get("type") in ("string", ["string", "null"], ["null", "string"])
    return is_text and builder.sample.get(key, {}).get("at", "").count("/") == 1


def look_for_it(builder: Builder, resource: Resource, why: str) -> None:
    """Reads what nobody has looked up before it is changed or deleted: servers answer well where there was none.

    What is kept after its deletion is in the list all the same, so that to have found it there says nothing.
    """
    if _versioned(builder, builder.goal) is not None or is_by_another_key(builder.goal.path, resource.read):
        return  # its version is read anyway, or nothing that is given asks for it
    operation = builder.context.operations.get(resource.read)
    parameters = path_parameters(builder, builder.goal) if operation is not None else []
    is_found = bool(parameters) and not str(parameters[-1][2]).startswith("$inputs.")
    if operation is None or not parameters or (is_found and not is_shown_when_gone(builder, operation)):
        return
    if operation.path != builder.goal.path:  # `{digest}` here may be `{id}` there
        parameters = path_parameters(builder, operation)
    missing = {
        "name": "not_there",
        "type": "end",
        "criteria": [queries.simple(queries.any_of(missing_signs(builder, resource, operation)))],
        "x-switchgear": {"code": "not_found", "message": f"There is no {resource.name} “{{{parameters[-1][2]}}}”."},
    }
    there = queries.all_of([f"!({each})" for each in missing_signs(builder, resource, operation)])
    step = FlowStep(
        id=builder.free_step_id("look"),
        operation=operation.key,
        role=Role.READ,
        description=f"See whether the {resource.name} is there.",
        parameters=tuple(parameters),
        success=(queries.simple(there),),
        failures=(missing,),
    )
    builder.add_step(step, why)
