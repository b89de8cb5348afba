"""Ensure: absent → create, different → update, same → nothing. One workflow for what people call “set” or “present”.

For records of which there is usually one (DNS settings) nobody has to name it; others are known by their natural key.
Where the API lists only addresses the comparison is not possible, so there is no such workflow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from compiler.ir.model import Flow, FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, parameters_of
from compiler.passes.flows.context import Context, address, noun_of
from compiler.passes.flows.inputs.bodies import BodyInputs
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import identify
from compiler.passes.flows.wording import texts
from workflow.json.pointers import escape
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
    plan.look((create, update))
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
        self.found: set[str] = set()  # expressions of the ids of other things
        self.inside: dict[str, tuple[str, str]] = {}  # input → the object that it is a part of, and as what
        of_name = f"{self.base}[?@{queries.of_listed(resource, key)} == '{{$inputs.{key}}}']"
        self.query = of_name if key else f"{self.base}[*]"

    def look(self, changes: tuple[Operation, Operation]) -> None:
        """Whether it is there; what it says now. The branches are added when the inputs are known."""
        operation = self.builder.operation(self.resource.list)
        parameters = tuple(parameters_of(self.builder, operation, filters=False))
        self._find_what_both_name(*changes)
        step = FlowStep(
            id="look",
            operation=operation.key,
            role=Role.CHECK,
            description=f"See whether the {self.resource.name} is there.",
            parameters=parameters,
            outputs={"id": queries.selector(f"{self.query}{queries.of_listed(self.resource, self.resource.id_field)}")},
            success=(queries.OK,),
        )
        self.builder.add_step(step, "decides between creating, updating and leaving it alone")

    def _find_what_both_name(self, create: Operation, update: Operation) -> None:
        """Other things that a creation has to name and an update may: found once, asked for by one input."""
        schemas, context = self.builder.context.schemas, self.builder.context
        named = schemas.members(update.body.schema) if update.body else {}
        for name in schemas.required(create.body.schema) if create.body else ():
            pointer = f"/{escape(name)}"
            thing = context.needed_by(create.key, f"body#{pointer}") if name in named else None
            if thing is not None and thing is not self.resource and not context.is_poll(thing.read):
                purpose = "target" if (address(thing), "") in self.builder.known else ""
                found = identify(self.builder, thing, purpose)
                self.builder.known |= {(f"{change.key}#{pointer}", ""): found for change in (create, update)}
                self.found.add(found)

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
        sent = self._as_it_was_made(members)
        self._decide({name: value for name, value in sent.items() if name != self.key})

    def _as_it_was_made(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """What the update sends: of an object that the creation asks for in parts, these same parts.

        Only where one of them is always given: an empty object would empty what is there.
        """
        body, schemas = self.builder.operation(self.resource.update).body, self.builder.context.schemas
        described = schemas.members(body.schema) if body else {}
        taken = {
            name: parts
            for name, parts in self._payload("create").items()
            if isinstance(parts, dict) and members.get(name) == f"$inputs.{name}"
            if parts.keys() <= schemas.members(described.get(name)).keys() and self._is_always_given(parts)
        }
        number = next(n for n, step in enumerate(self.builder.steps) if step.id == "update")
        step = self.builder.steps[number]
        if taken and isinstance(step.payload, dict):
            self.builder.steps[number] = replace(step, payload={n: taken.get(n, v) for n, v in step.payload.items()})
            for name in taken:
                self.builder.inputs.pop(name, None)
        return {name: taken.get(name, value) for name, value in members.items()}

    def _is_always_given(self, parts: Mapping[str, Any]) -> bool:
        given = (self.builder.inputs.get(used) for used in queries.inputs_used(dict(parts)))
        return any(each is not None and each.is_required for each in given)

    def _payload(self, step_id: str) -> dict[str, Any]:
        payload = next(step.payload for step in self.builder.steps if step.id == step_id)
        return payload if isinstance(payload, dict) else {}

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

    def _decide(self, sent: Mapping[str, Any]) -> None:
        """The branches of the first step: same → end, there → update; absent goes on to the creation.

        `sent`: what an update sends but for what the thing is known by; where that is nothing, it is there as it is
        asked for. What the list does not show (a password) can't be the same: it is sent whenever it is given.
        """
        number = next(n for n, step in enumerate(self.builder.steps) if step.id == "look")
        look = self.builder.steps[number]
        compared = self._compared(sent)
        outputs = {n: queries.selector(f"{self.query}{self._at(n)}") for n in compared}
        same = [*self._same(sent, compared)]
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
        branches = (stay, go, absent) if same or not sent else (go, absent)
        self.builder.steps[number] = replace(look, outputs={**look.outputs, **outputs}, branches=branches)

    def _compared(self, sent: Mapping[str, Any]) -> dict[str, str]:
        """Member → the value asked for, of what the list shows: what an update sends, and what only a creation does."""
        schemas = self.builder.context.schemas
        shown = schemas.members(self.builder.context.listed(self.resource))
        made = {n: v for n, v in self._payload("create").items() if n in shown and n != self.key}
        asked = {**made, **sent}
        found = {n: v for n, v in asked.items() if self._is_plain(v) and (n in shown or not shown)}
        for name, parts in (*made.items(), *sent.items()):
            inside = schemas.members(shown[name]) if isinstance(parts, dict) and name in shown else {}
            self.inside |= {
                v.removeprefix("$inputs."): (name, part)
                for part, v in (parts.items() if isinstance(parts, dict) else ())
                if part in inside and self._is_plain(v) and v.removeprefix("$inputs.") not in shown
            }
        return found | {each: f"$inputs.{each}" for each in self.inside}

    def _at(self, name: str) -> str:
        """Where the thing shows what is compared under that name."""
        member, part = self.inside.get(name, (name, ""))
        return queries.of_listed(self.resource, member) + (queries.child(part) if part else "")

    def _same(self, sent: Mapping[str, Any], compared: Mapping[str, str]) -> Iterator[str]:
        """What has to be so that nothing is to be sent: what is given and can't be compared has to be sent."""
        for name, value in compared.items():
            is_input = value.startswith("$inputs.")
            yield f"{f'{value} == null || ' if is_input else ''}{value} == $steps.look.outputs.{name}"
        for name, value in sent.items():
            if name not in compared:
                others = (used for used in queries.inputs_used(value) if used not in self.inside)
                yield from (f"$inputs.{used} == null" for used in others)

    def _is_plain(self, value: Any) -> bool:
        """Whether it is one input, or the id of what was found, and no structure of several."""
        return isinstance(value, str) and (value.removeprefix("$inputs.") in self.builder.inputs or value in self.found)

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
