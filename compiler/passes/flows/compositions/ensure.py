"""Ensure: absent → create, different → update, same → nothing. One workflow for what people call “set” or “present”.

For records of which there is usually one (DNS settings) nobody has to name it; others are known by their natural key.
Where the API lists only addresses the comparison is not possible, so there is no such workflow.
"""

from dataclasses import replace
from typing import Any

from compiler.ir.model import Flow, FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, parameters_of
from compiler.passes.flows.context import Context, address, noun_of
from compiler.passes.flows.inputs.bodies import BodyInputs
from compiler.passes.flows.steps import queries
from compiler.passes.flows.wording import texts
from workflow.risks import Risk, worst


def ensure(context: Context, resource: Resource) -> Flow | None:
    """The flow, None where the resource can't be created, updated, listed or recognised."""
    is_single = context.is_single(resource)
    if not (resource.list and resource.create and resource.update and resource.id_field) or resource.references:
        return None
    if address(resource) in context.holders:
        return None  # a part is known within its owner only: two VMs may each have a disk of one name
    create, update = context.operations[resource.create], context.operations[resource.update]
    if not all(o.body and context.schemas.members(o.body.schema) for o in (create, update)):
        return None  # what is given as a whole can't be compared member by member
    key = "" if is_single else _key(context, resource, create)
    if not is_single and not key:
        return None
    builder = Builder(context, create)
    builder.shares_body_inputs = True
    plan = _Ensured(builder, resource, key)
    plan.look()
    plan.create(create)
    plan.update(update)
    plan.read_back()
    return _named(context, builder, resource, is_single, (create, update))


def _key(context: Context, resource: Resource, create: Operation) -> str:
    """The natural key that a creation gives, "" where none is given: then it can't be known whether it is there."""
    schemas = context.schemas
    given = schemas.members(create.body.schema) if create.body else {}
    return next((k for k in resource.natural_keys if k in given and schemas.kind(given[k]) == "string"), "")


class _Ensured:
    """The parts of one ensure flow, in the order in which they stand in it."""

    def __init__(self, builder: Builder, resource: Resource, key: str) -> None:
        self.builder = builder
        self.resource = resource
        self.base = queries.listed(resource)
        self.key = key
        of_name = f"{self.base}[?@{queries.of_listed(resource, key)} == '{{$inputs.{key}}}']"
        self.query = of_name if key else f"{self.base}[*]"

    def look(self) -> None:
        """Whether it is there; what it says now. The branches are added when the inputs are known."""
        operation = self.builder.operation(self.resource.list)
        step = FlowStep(
            id="look",
            operation=operation.key,
            role=Role.CHECK,
            description=f"See whether the {self.resource.name} is there.",
            parameters=tuple(parameters_of(self.builder, operation, filters=False)),
            outputs={"id": queries.selector(f"{self.query}{queries.of_listed(self.resource, self.resource.id_field)}")},
            success=(queries.OK,),
        )
        self.builder.add_step(step, "decides between creating, updating and leaving it alone")

    def create(self, operation: Operation) -> None:
        first = len(self.builder.steps)
        change(self.builder, operation, f"Create the {self.resource.name}.", name="create")
        self.builder.redirect(first, "back")
        known_by = self.builder.inputs.get(self.key)
        if known_by is not None:  # without it nobody knows what has to be there, whatever a creation demands
            self.builder.inputs[self.key] = replace(known_by, is_required=True, shown=True)

    def update(self, operation: Operation) -> None:
        """Exactly one has to be there; the request carries only what was given."""
        self.builder.label("update")
        self._find()
        members = BodyInputs(self.builder, operation).payload() or {}
        change(self.builder, operation, f"Change the {self.resource.name}.", name="update")
        self._decide([name for name, value in members.items() if value == f"$inputs.{name}" and name != self.key])

    def _find(self) -> None:
        resource, builder = self.resource, self.builder
        several = {
            "name": "several",
            "type": "end",
            "criteria": [queries.jsonpath(queries.counted(self.base, self.query, "> 1"))],
            "x-switchgear": {"code": "ambiguous", "message": f"There is more than one such {resource.name}."},
        }
        step = FlowStep(
            id=f"find_{noun_of(resource)}",
            operation=resource.list,
            role=Role.LOOKUP,
            description=f"Find the {resource.name}.",
            parameters=tuple(parameters_of(builder, builder.operation(resource.list), filters=False)),
            outputs={"id": queries.selector(f"{self.query}{queries.of_listed(resource, resource.id_field)}")},
            success=(queries.OK, queries.jsonpath(queries.counted(self.base, self.query, "== 1"))),
            failures=(several,),
        )
        builder.add_step(step, f"an update needs the one {resource.name} that is meant")
        builder.known[(address(resource), "")] = f"$steps.{step.id}.outputs.id"

    def _decide(self, members: list[str]) -> None:
        """The branches of the first step: same → end, there → update; absent goes on to the creation."""
        number = next(n for n, step in enumerate(self.builder.steps) if step.id == "look")
        look = self.builder.steps[number]
        outputs = {n: queries.selector(f"{self.query}{queries.of_listed(self.resource, n)}") for n in members}
        same = [f"$inputs.{n} == null || $inputs.{n} == $steps.look.outputs.{n}" for n in members]
        there = "$steps.look.outputs.id != null"
        name = self.resource.name
        stay = {
            "name": "same_already",
            "type": "end",
            "criteria": [queries.simple(there), *(queries.simple(condition) for condition in same)],
            **_told(f"The {name} was there as it is asked for: nothing was sent."),
        }
        go = {"name": "is_there", "stepId": "@update", "criteria": [queries.simple(there)]}
        go |= _told(f"The {name} was there: it was updated.")
        absent = {"name": "is_absent", "stepId": "@next", **_told(f"There was no such {name}: it was created.")}
        branches = (stay, go, absent) if members else (go, absent)
        self.builder.steps[number] = replace(look, outputs={**look.outputs, **outputs}, branches=branches)

    def read_back(self) -> None:
        self.builder.label("back")
        operation = self.builder.operation(self.resource.list)
        step = FlowStep(
            id="read_back",
            operation=operation.key,
            role=Role.READ_BACK,
            description=f"Read the {self.resource.name} back.",
            parameters=tuple(parameters_of(self.builder, operation, filters=False)),
            outputs={"item": queries.selector(self.query)},
            success=(queries.OK, queries.jsonpath(self.query)),
        )
        self.builder.add_step(step, "shows the outcome as the device sees it")
        self.builder.add_output("item", "$steps.read_back.outputs.item", {"type": "object"})


def _told(text: str) -> dict[str, Any]:
    """What a run says that took this branch."""
    return {"x-switchgear": {"message": text}}


def _named(
    context: Context, builder: Builder, resource: Resource, is_single: bool, changes: tuple[Operation, Operation]
) -> Flow:
    verb = "set" if is_single else "ensure"
    risk = worst(o.risk or Risk.CHANGE for o in changes)
    known = "" if is_single else f", known by its {resource.natural_keys[0]}"
    text = f"Makes sure that {texts.an(resource.name)} is there as given{known}: creates it, updates it, or leaves it."
    name = texts.flow_id(context.api.name, verb, noun_of(resource))
    title = texts.opened(texts.doing(verb, resource.name))
    return builder.flow(name, "ensure", title, texts.describe((text,), risk), resource, risk)
