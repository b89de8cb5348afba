"""What a caller may ask of a list that is asked for by POST: its filters as inputs, and where in it to begin.

How much is asked for at a time is seen to by the step (`steps.asking`). Called by `intents.find`.
"""

from dataclasses import replace
from typing import Any

from compiler.ir.model import Operation, Paging
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.inputs.bodies import BodyInputs
from compiler.passes.names.post_lists import is_asked_by_post


def filters_of(builder: Builder, operation: Operation, paging: Paging | None) -> Any:
    """The body's template; None where the list is asked for by its query alone."""
    if not is_asked_by_post(operation) or operation.body is None:
        return None
    within = paging if paging is not None and paging.is_in_body else None
    sizes = {_last(within.size_parameter)} if within is not None and within.size_parameter else ()
    builder.skipped_members = frozenset(sizes)
    template = BodyInputs(builder, operation).payload()
    builder.skipped_members = frozenset()
    if within is not None:
        _begin(builder, within)
    return template if isinstance(template, dict) else None


def _begin(builder: Builder, paging: Paging) -> None:
    """The position is hidden, and the beginning where nobody gives it."""
    for name, sample in builder.sample.items():
        if sample.get("at") == paging.parameter:
            given = builder.inputs[name]
            begins = {"items": 0, "pages": paging.first}.get(paging.by)
            schema = given.schema if begins is None else {**given.schema, "default": begins}
            builder.inputs[name] = replace(given, schema=schema, is_required=False, shown=False)


def _last(pointer: str) -> str:
    return pointer.rpartition("/")[2]
