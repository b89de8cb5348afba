"""The look into a list for what was taken out of it: things that have no read of their own.

Used by `changes` behind a deletion; what can be read is looked for at its own address there.
"""

from compiler.ir.model import FlowStep, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import address
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from workflow.json.pointers import escape


def gone_from_list(builder: Builder, resource: Resource) -> FlowStep | None:
    """Shows that the list no longer has the id under which it was found there; None where it was not found there."""
    known = builder.known.get((address(resource), ""), "")
    if not resource.list or resource.references or not resource.id_field or not known.startswith("$steps."):
        return None
    operation = builder.operation(resource.list)
    ids = queries.selector(f"{queries.listed(resource)}[*]{queries.of_listed(resource, resource.id_field)}")
    is_gone = {"place": f"/{escape(resource.id_field)}", "asked": known, "found": ids, "among": "out"}
    step = FlowStep(
        id=builder.free_step_id("check_gone"),
        operation=operation.key,
        role=Role.READ_BACK,
        description=f"See whether the {resource.name} is gone from the list.",
        parameters=tuple(path_parameters(builder, operation)),
        success=(queries.simple("$statusCode == 200"),),
        expects=(is_gone,),
        decides=True,
    )
    return builder.add_step(step, "what has no read of its own is gone when the list no longer has it")
