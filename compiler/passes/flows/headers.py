"""Headers that an operation requires: each step that calls it sends them, lookups and waits as well as the change.

What the caller gives once (a project, a tenant) goes to every step that asks for it under the same name. What belongs
to the connection, to the credentials or to the version of a conditional write is no input, nor is what the profile
sends with every request (`protocol.request_headers`). Called by `builder` for each step, by `changes` for the goal's.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from compiler.ir.model import CONNECTION_HEADERS, Input, Operation, Parameter, Step
from compiler.passes.flows.inlining import inline
from compiler.passes.words import first_sentence

if TYPE_CHECKING:
    from compiler.passes.flows.builder import Builder


def with_required_headers(builder: "Builder", step: Step) -> Step:
    """The step with the headers that its operation requires and that are not bound yet."""
    operation = builder.operation(step.operation)
    bound = {name.lower() for name, location, _ in step.parameters if location == "header"}
    missing = tuple(
        (p.name, "header", given_header(builder, operation, p))
        for p in operation.parameters
        if p.location == "header" and p.is_required and p.name.lower() not in bound and is_given(builder, p)
    )
    return replace(step, parameters=(*step.parameters, *missing)) if missing else step


def is_given(builder: "Builder", parameter: Parameter) -> bool:
    """Whether a header is something that a caller says."""
    profile = builder.context.profile
    constant = {name.lower() for name in profile.protocol.request_headers}
    ours = {*CONNECTION_HEADERS, profile.conditional.send_header.lower(), *constant}
    return parameter.name.lower() not in ours


def given_header(builder: "Builder", operation: Operation, parameter: Parameter) -> str:
    """The expression of the input that gives the header: one for all operations that ask for it."""
    slot = (f"header {parameter.name.lower()}", "")
    if slot not in builder.known:
        schema = inline(builder.context.schemas, parameter.schema)
        wanted = "".join(c if c.isalnum() else "_" for c in parameter.name).strip("_") or "value"
        text = first_sentence(parameter.description)
        name = builder.free_input_name(wanted)
        given = Input(name, schema, parameter.is_required, text, parameter.is_required)
        sample: dict[str, Any] = {"parameter": operation.key, "name": parameter.name}
        builder.known[slot] = builder.add_input(given, sample)
    expression = builder.known[slot]
    name = expression.removeprefix("$inputs.")
    if parameter.is_required and not builder.inputs[name].is_required:
        builder.inputs[name] = replace(builder.inputs[name], is_required=True, shown=True)
    return expression
