"""Whether what an action is done to is there, where nothing else in its workflow would show that it is not.

Servers answer an order to a thing that there is not with 200; an action whose effect no read shows would be called done
then. The thing is read before, as it is before a deletion (`changes.look_for_it`). Called by `intents.act`.
"""

from compiler.ir.model import Operation
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import look_for_it
from compiler.passes.names import words
from compiler.passes.names.paths import item_prefixes, shape

# What is done to what is away, or was never there.
_BROUGHT_BACK = frozenset(
    ("restore", "revive", "undelete", "unarchive", "recover", "reinstate", "register", "announce", "import", "claim")
)


def look_for_acted_on(builder: Builder, operation: Operation, verb: str) -> None:
    """Reads the innermost thing of the action's address before it; nothing where it may well be away."""
    said = words.split(verb)
    around = item_prefixes(operation.path)
    owner = builder.context.by_item.get(shape(around[-1][0])) if around else None
    if owner is None or not owner.read or not _BROUGHT_BACK.isdisjoint(said) or words.is_about(said, words.MAKING):
        return
    if not any(step.operation == owner.read for step in builder.steps):
        look_for_it(builder, owner, "an order to what is not there may be answered well")
