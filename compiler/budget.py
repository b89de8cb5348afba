"""The default catalog of one API: which workflows every client sees as tools of their own.

The highest ranks come first, a little lower what takes much room, and of the pins, which all have the highest, those
that the profile names first; every other workflow stays reachable by search. How much fits is `workflow.budget`, by
which the runtime serves. Called by `verification`, when the tools are known.
"""

from collections.abc import Iterable, Sequence

from compiler.compiled import CompiledWorkflow
from compiler.passes.flows.ranking import is_of_all
from compiler.passes.names.paths import path_of
from workflow.budget import MOST_TOKENS, MOST_TOOLS, RESERVED_TOKENS, RESERVED_TOOLS, tokens_of

# Of the rank, for each token: a tool of 500 tokens takes the place of three others.
_PRICE = 0.0002


def default_catalog(workflows: Iterable[CompiledWorkflow], pins: Sequence[str] = ()) -> dict[str, str]:
    """Flow id → why it is in or out, for all; those in come first by rank and price, then as `pins` go.

    A workflow that does not fit any more is left out, and a smaller one of lower rank may still fit.
    """
    places = {pin: place for place, pin in enumerate(pins)}
    ones = list(workflows)
    costs = {one.flow.id: tokens_of(one.tool, one.document) for one in ones}

    def by_worth(one: CompiledWorkflow) -> tuple[float, int, str]:
        price = 0 if one.flow.id in places else _PRICE * costs[one.flow.id]
        return price - one.flow.rank, places.get(one.flow.id, len(places)), one.flow.id

    ordered = sorted(ones, key=by_worth)
    paths = {path_of(step.operation) for one in ordered for step in one.flow.steps}
    count, spent = RESERVED_TOOLS, RESERVED_TOKENS
    told: dict[str, str] = {}
    for one in ordered:
        cost = costs[one.flow.id]
        if one.flow.id not in places and is_of_all(one.flow.goal, paths):
            told[one.flow.id] = "out: deletes a whole collection, which has to be looked for"
        elif count < MOST_TOOLS and spent + cost <= MOST_TOKENS:
            count, spent = count + 1, spent + cost
            told[one.flow.id] = f"in: rank {one.flow.rank:g}, {cost} tokens, {spent} of {MOST_TOKENS} spent"
        else:
            why = f"{cost} tokens, {count} tools and {spent} tokens were spent"
            told[one.flow.id] = f"out: rank {one.flow.rank:g}, {why}"
    return told
