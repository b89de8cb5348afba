"""The compositions of a resource, in order. Each file beside this one knows one reason why changes belong together."""

from collections.abc import Iterator

from compiler.ir.model import Flow, Resource
from compiler.passes.flows.compositions.ensure import ensure
from compiler.passes.flows.context import Context


def compositions(context: Context, resource: Resource) -> Iterator[Flow]:
    """Every task of several changes that is about this resource."""
    made = ensure(context, resource)
    if made is not None:
        yield made
