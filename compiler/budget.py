"""The default catalog of one API: which workflows every client sees as tools of their own.

A client chooses badly among hundreds of tools, so the default catalog is bounded in tools and in tokens; the highest
ranks and the pins come first, and every other workflow stays reachable by search. The figures are DESIGN.md's
("Budget"); a token is taken as four bytes of the tool's JSON. Called by `verification`, when the tools are known.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from compiler.ir.model import Flow

MOST_TOOLS = 30
MOST_TOKENS = 4000
# Three tools reach everything else (search, describe, run); their texts were measured at about 400 tokens.
RESERVED_TOOLS = 3
RESERVED_TOKENS = 450
_BYTES_A_TOKEN = 4
_SERVED_BYTES = 190  # what the server adds to each entry: digest, revision and class in `_meta`; measured at 181


def tokens_of(tool: Mapping[str, Any]) -> int:
    """What one entry of tools/list costs as it is served, rounded up."""
    return -(-(len(orjson.dumps(tool)) + _SERVED_BYTES) // _BYTES_A_TOKEN)


def default_catalog(tools: Iterable[tuple[Flow, Mapping[str, Any]]]) -> dict[str, str]:
    """Flow id → why it is in or out, for all; those in come first by rank, then by id.

    A workflow that does not fit any more is left out, and a smaller one of lower rank may still fit.
    """
    ordered = sorted(tools, key=lambda pair: (-pair[0].rank, pair[0].id))
    count, spent = RESERVED_TOOLS, RESERVED_TOKENS
    told: dict[str, str] = {}
    for flow, tool in ordered:
        cost = tokens_of(tool)
        if count < MOST_TOOLS and spent + cost <= MOST_TOKENS:
            count, spent = count + 1, spent + cost
            told[flow.id] = f"in: rank {flow.rank:g}, {cost} tokens, {spent} of {MOST_TOKENS} spent"
        else:
            told[flow.id] = f"out: rank {flow.rank:g}, {cost} tokens, {count} tools and {spent} tokens were spent"
    return told
