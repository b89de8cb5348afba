"""Where a thing stands that is called otherwise after a change: its address is made of its name.

`PATCH /users/{name}` with another `name`, or `POST /instances/{name}/rename`: the thing is gone from its old address
then. The read-back asks there first, where a server that ignored the name still has it, and at the new address after
an answer that there is nothing (`workflow.requests.requests`). Used by `changes` for every read-back.
"""

from typing import Any

from compiler.ir.model import FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.steps.whereabouts import sent_to
from compiler.passes.identity import is_a_name, says_id
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, item_prefixes

BY_NEW_NAME = ", by its new name where it is not at the old one"


def moved_to(builder: Builder, resource: Resource, read: Operation, bound: list[tuple[str, str, Any]]) -> str:
    """What stands in the last place of the read's address after the changes so far, "" where they leave it alone."""
    if not ends_in_parameter(read.path):
        return ""
    last = list(item_prefixes(read.path))[-1][1]
    if says_id(last) and not is_a_name(resource.id_field):
        return ""  # made by the server, whatever people call the thing
    old = next((value for name, location, value in bound if location == "path" and name == last), None)
    changes = [step for step in builder.steps if step.role is Role.CHANGE]
    told = (value for step in changes for value in _names_sent(builder, step, resource, last))
    return next((value for value in told if value != old), "")


def _names_sent(builder: Builder, step: FlowStep, resource: Resource, last: str) -> list[str]:
    """The inputs by which the step names the thing that it is sent to."""
    operation = builder.context.operations[step.operation]
    called = {
        resource.id_field,
        last,
        *({"name"} & {*resource.natural_keys}),
        *(f"new {' '.join(words.split(each))}" for each in (resource.id_field, last)),
    }
    called |= {"new"} if "rename" in words.split(operation.name) else set()
    found = sent_to(builder.context, step, resource)
    return [value for name, value in found if {name, " ".join(words.split(name))} & called]
