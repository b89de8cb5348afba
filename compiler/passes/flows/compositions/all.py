"""The compositions of a resource, in order.

Each file beside this one knows one reason why changes belong together. Called by the planning pass.
"""

from collections.abc import Iterator

from compiler.ir.model import Flow, Resource
from compiler.passes.flows.compositions.assigned import assigned
from compiler.passes.flows.compositions.children import create_with_children
from compiler.passes.flows.compositions.copied import copied
from compiler.passes.flows.compositions.ensure import ensure
from compiler.passes.flows.compositions.once import once
from compiler.passes.flows.compositions.pairs import pairs
from compiler.passes.flows.compositions.pending import applied
from compiler.passes.flows.compositions.prepared import prepared
from compiler.passes.flows.compositions.reports import reports
from compiler.passes.flows.compositions.restarted import restarted
from compiler.passes.flows.compositions.staged import staged
from compiler.passes.flows.compositions.stopped import stopped, stopped_update
from compiler.passes.flows.context import Context


def compositions(context: Context, resource: Resource) -> Iterator[Flow]:
    """Every task of several changes that is about this resource."""
    for plan in (ensure, create_with_children, staged, stopped, stopped_update, applied):
        made = plan(context, resource)
        if made is not None:
            yield made
    yield from copied(context, resource)
    yield from restarted(context, resource)
    yield from once(context, resource)
    yield from pairs(context, resource)
    yield from prepared(context, resource)
    yield from assigned(context, resource)
    yield from reports(context, resource)
