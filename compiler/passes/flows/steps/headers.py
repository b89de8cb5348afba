"""What an operation requires besides its path: each step that calls it sends it, lookups and waits as well.

Headers, cookies and query parameters. What the caller gives once (a project, a tenant, the version of the API) goes
to every step that asks for it under the same name. What belongs
to the connection, to the credentials or to the version of a conditional write is no input, nor is what the profile
sends with every request (`protocol.request_headers`). Called by `builder` for each step, by `changes` for the goal's.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from compiler.ir.model import CONNECTION_HEADERS, ApiParameter, FlowStep, Input, Operation, Paging, Role
from compiler.passes.flows.inputs.inlining import inline
from compiler.passes.flows.inputs.input_texts import offers_of, told, with_example
from compiler.passes.flows.steps.lookups import identify
from compiler.passes.identity import is_called_by_id
from compiler.passes.names import words

if TYPE_CHECKING:
    from compiler.passes.flows.builder import Builder


def with_required(builder: "Builder", step: FlowStep) -> FlowStep:
    """The step with what its operation requires in headers, cookies and query and what is not bound yet."""
    operation = builder.operation(step.operation)
    bound = {_slot(name, location) for name, location, _ in step.parameters}
    paging = builder.context.paging.get(step.operation)
    missing = tuple(
        (p.name, p.location, first_page(paging, p) if begins(paging, p) else given_parameter(builder, operation, p))
        for p in operation.parameters
        if p.is_required and _slot(p.name, p.location) not in bound and is_given(builder, p) and not sizes(paging, p)
    )
    return replace(step, parameters=(*step.parameters, *missing)) if missing else step


def sizes(paging: Paging | None, parameter: ApiParameter) -> bool:
    """Whether it says how much is asked for at a time: the step that reads page after page sees to it."""
    return paging is not None and parameter.location == "query" and parameter.name == paging.size_parameter


def begins(paging: Paging | None, parameter: ApiParameter) -> bool:
    """Whether it says by a number where a list begins: whoever looks something up begins at the beginning."""
    if paging is None or paging.by not in ("items", "pages") or parameter.location != "query":
        return False
    return parameter.name == paging.parameter


def first_page(paging: Paging | None, parameter: ApiParameter) -> Any:
    """The beginning, where `begins`: the number of the first page, or of the first thing."""
    least = parameter.schema.get("minimum", 0)
    if paging is not None and paging.by == "pages":
        return paging.first
    return least if least in (0, 1) else 0


def _slot(name: str, location: str) -> tuple[str, str]:
    return (name.lower() if location == "header" else name), location


def is_given(builder: "Builder", parameter: ApiParameter) -> bool:
    """Whether a header, a cookie or a query parameter is something that a caller says."""
    profile = builder.context.profile
    if parameter.location == "cookie":
        session = profile.auth.session
        return session is None or session.token.within != "cookie" or session.token.at != parameter.name
    if parameter.location != "header":
        return parameter.location == "query"
    constant = {name.lower() for name in profile.protocol.request_headers}
    ours = {*CONNECTION_HEADERS, profile.conditional.send_header.lower(), *constant}
    return parameter.name.lower() not in ours


def input_of(builder: "Builder", parameter: ApiParameter) -> Input:
    """A parameter as an input, under a name that is free, with what its description says of its values."""
    schemas = builder.context.schemas
    name = builder.free_input_name(words.identifier(parameter.name) or "value")
    schema = inline(schemas, parameter.schema)
    schema = with_example(schema, parameter.example, *offers_of(parameter.schema, schemas.flat(parameter.schema)))
    text = told(parameter.description or schemas.text(parameter.schema), parameter.name, schema)
    return Input(name, schema, parameter.is_required, text, parameter.is_required)


def given_parameter(builder: "Builder", operation: Operation, parameter: ApiParameter) -> Any:
    """The expression of the input that gives the parameter: one for all operations that ask for it.

    Where it is required and takes one value alone (`list=true`), there is nothing to ask for: that value.
    """
    values = builder.context.schemas.values(parameter.schema)
    if parameter.is_required and len(values) == 1 and not str(values[0]).startswith("$"):
        return values[0]
    slot = (" ".join(reversed(_slot(parameter.name, parameter.location))), "")
    if slot not in builder.known and _looked_up(builder, operation, parameter, slot):
        return builder.known[slot]
    if slot not in builder.known:
        given = input_of(builder, parameter)
        sample: dict[str, Any] = {"parameter": operation.key, "name": parameter.name}
        builder.known[slot] = builder.add_input(given, sample)
    expression = builder.known[slot]
    name = expression.removeprefix("$inputs.")
    if name not in builder.inputs:
        return expression
    if parameter.is_required and not builder.inputs[name].is_required:
        builder.inputs[name] = replace(builder.inputs[name], is_required=True, shown=True)
    return expression


def _looked_up(builder: "Builder", operation: Operation, parameter: ApiParameter, slot: tuple[str, str]) -> bool:
    """Finds the thing that a required query parameter names by its id, where the caller can name it otherwise."""
    needed = builder.context.needed_by(operation.key, f"query.{parameter.name}") if parameter.is_required else None
    if needed is None or not needed.natural_keys or is_called_by_id(needed) or needed.source in builder.asking:
        return False
    known = builder.known.get((needed.item or needed.collection, ""))
    if known is None and any(step.role is Role.CHANGE for step in builder.steps):
        return False  # what is not there has to be told before anything is changed
    builder.asking.append(needed.source)  # whose list may ask for the same
    builder.known[slot] = identify(builder, needed)
    builder.asking.remove(needed.source)
    return True
