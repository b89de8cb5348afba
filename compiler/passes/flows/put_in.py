"""Putting into a list what its address alone names: `PUT /groups/{id}/members/{userId}`, without a body.

The list is looked at before, since servers refuse what is in it already, and afterwards, since it shows what has become
of it. Called by `intents` for updates; what is sent in a body is for `memberships`.
"""

from compiler.ir.model import FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.names.paths import last_parameter, shape


def is_put_in(resource: Resource, operation: Operation) -> bool:
    """Whether nothing but the address says what is put in, and the list shows it by its id alone."""
    is_bare = operation.method == "PUT" and operation.body is None and shape(operation.path) == shape(resource.item)
    return is_bare and bool(resource.list and resource.id_field) and not resource.read and not resource.references


def look_whether_it_is_in(builder: Builder, resource: Resource, operation: Operation) -> None:
    """Ends the run where the list has it already."""
    branch = {
        "name": "in_already",
        "type": "end",
        "criteria": [queries.OK, queries.jsonpath(_query(builder, resource, operation))],
        "x-switchgear": {"message": f"The {resource.name} was there already: nothing was sent."},
    }
    step = FlowStep(
        id=builder.free_step_id("look"),
        operation=resource.list,
        role=Role.CHECK,
        description=f"See whether the {resource.name} is in the list already.",
        parameters=tuple(path_parameters(builder, builder.operation(resource.list))),
        success=(queries.ANSWERED,),
        branches=(branch,),
    )
    builder.add_step(step, "what is in the list already need not be put in")


def read_back_put_in(builder: Builder, resource: Resource, operation: Operation) -> None:
    """Whether the list has it now."""
    query = _query(builder, resource, operation)
    step = FlowStep(
        id=builder.free_step_id("read_back"),
        operation=resource.list,
        role=Role.READ_BACK,
        description=f"See whether the {resource.name} is in the list.",
        parameters=tuple(path_parameters(builder, builder.operation(resource.list))),
        outputs={"item": queries.selector(query + queries.of_listed(resource))},
        success=(queries.OK, queries.jsonpath(query)),
        expects=({"place": "", "text": f"the {resource.name} is there"},),
        decides=True,
    )
    step = builder.add_step(step, "the list shows what has become of it")
    builder.add_output("item", f"$steps.{step.id}.outputs.item", {"type": "object"})


def _query(builder: Builder, resource: Resource, operation: Operation) -> str:
    last = last_parameter(operation.path)
    put_in = next(
        value for name, place, value in path_parameters(builder, operation) if (name, place) == (last, "path")
    )
    return f"{queries.listed(resource)}[?@{queries.of_listed(resource, resource.id_field)} == '{{{put_in}}}']"
