"""The compositions of a resource, in order.

Each file beside this one knows one reason why changes belong together. Called by the planning pass.
"""

from collections.abc import Callable, Iterator

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

COMPOSITIONS: tuple[Callable[[Context, Resource], Flow | Iterator[Flow] | list[Flow] | None], ...] = (
    ensure, create_with_children, staged, stopped, stopped_update, applied,
    copied, restarted, once, pairs, prepared, assigned, reports,
)  # fmt: skip
"""What plans the tasks of several changes about a resource; each gives a flow, none, or several."""
