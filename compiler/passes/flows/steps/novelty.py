"""Whether what was to be made is new: servers answer a creation with what was there, and nothing in it tells so.

Where people name what they create and the collection shows names, those of that name are looked up before; what the
creation answers, or what has the name afterwards, must not be among them. Used by `intents`; a description that tells
200 from 201 says it by itself (`expectations`). RFC 9110, 15.3.2.
"""

from dataclasses import replace
from typing import Any

from compiler.ir.model import FlowStep, Resource, Role, Schema
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import parameters_of
from compiler.passes.flows.context import Context
from compiler.passes.flows.steps import queries
from compiler.passes.flows.wording import texts
from compiler.passes.identity import says_id
from compiler.passes.names import words


def name_before(context: Context, resource: Resource) -> str:
    """The member by which people name what they create, in the creation and in the list; empty where none is."""
    create = context.operations[resource.create]
    if not resource.list or resource.references or not resource.id_field or create.body is None:
        return ""
    if any(p.is_required and p.location != "path" for p in context.operations[resource.list].parameters):
        return ""  # who creates need not know what a list has to be asked with
    if context.schemas.kind(context.listed(resource)) == "string":
        return ""  # bare names, of which none has a member
    shown = context.schemas.members(resource.schema)
    given = _given(context, create.body.schema)
    names = resource.natural_keys if says_id(resource.id_field) else (resource.id_field, *resource.natural_keys)
    fitting = (name for name in names if name in given and name in shown)
    return next((name for name in fitting if context.schemas.kind(given[name]) == "string"), "")


def _given(context: Context, schema: Schema) -> dict[str, Schema]:
    """The members of a creation's body, and of what they wrap, the outer ones first."""
    members = dict(context.schemas.members(schema))
    for member in tuple(members.values()):
        for name, inner in context.schemas.members(member).items():
            members.setdefault(name, inner)
    return members


def is_named(builder: Builder, key: str) -> bool:
    """Whether the name is an input of its own, as `look_before` takes it."""
    given = builder.inputs.get(key)
    is_text = given is not None and given.schema.get("type") in ("string", ["string", "null"], ["null", "string"])
    return is_text and builder.sample.get(key, {}).get("at", "").endswith(f"/{key}")


def look_before(builder: Builder, resource: Resource, key: str) -> FlowStep:
    """Reads which things of the name there are before the creation."""
    operation = builder.operation(resource.list)
    step = FlowStep(
        id=builder.free_step_id("look"),
        operation=operation.key,
        role=Role.READ,
        description=f"See which {words.plural(resource.name)} of that {words.spoken(key)} are there.",
        parameters=tuple(parameters_of(builder, operation, filters=False)),
        outputs={"before": queries.selector(_of_name(resource, key) + queries.of_listed(resource, resource.id_field))},
        success=(queries.ANSWERED,),
        branches=(_namesake(resource, key),),
    )
    return builder.add_step(step, "what was there before was not made")


def _namesake(resource: Resource, key: str) -> dict[str, Any]:
    """On to the creation all the same, and told with a good end: who asks for it by its name from now on meets two."""
    said = (
        f"There was {texts.an(resource.name)} of that {words.spoken(key)} before; now there are several: go by the id."
    )
    several = queries.jsonpath(queries.counted(queries.listed(resource), _of_name(resource, key), "> 0"))
    return {"name": "namesake", "stepId": "@next", "criteria": [several], "x-switchgear": {"message": said}}


def expect_new(builder: Builder, resource: Resource, look: FlowStep, back: FlowStep | None, made: str | None) -> None:
    """Writes to what shows the new thing that it has to be new; `made` is the expression of the id that was told."""
    shows = back.id if back is not None else made.split(".")[1] if made else ""
    number = next((n for n, step in enumerate(builder.steps) if step.id == shows), None)
    if number is None:
        return
    step = builder.steps[number]
    found = made if made and step.role is not Role.CHANGE else step.outputs.get("created" if made else "id")
    if found is None:  # its name is its id
        found = queries.selector(f"{step.outputs['item']['selector']}{queries.child(resource.id_field)}")
    new = {
        "place": "",
        "before": f"$steps.{look.id}.outputs.before",
        "found": found,
        "text": f"the {resource.name} was there before, under the same name",
    }
    builder.steps[number] = replace(step, expects=(*step.expects, new))


def _of_name(resource: Resource, key: str) -> str:
    return f"{queries.listed(resource)}[?@{queries.of_listed(resource, key)} == '{{$inputs.{key}}}']"
