"""How large the default catalog of one API may be, and what a tool costs in it: one measure for two rooms.

The compiler chooses by it which workflows are core, the runtime holds what it lists to it, so that the choice fits
where it is served. The figures are DESIGN.md's ("Budget"): a client chooses badly among hundreds of tools. A token is
taken as four bytes of the tool's JSON. Here never lives the choice (`compiler.budget`, `runtime.catalog.listing`).
"""

from collections.abc import Mapping

import orjson

from workflow.documents.document import Json
from workflow.tool import call_properties, hides_inputs, input_names, told_hints

MOST_TOOLS = 30
MOST_TOKENS = 4000
# Three tools reach what is not listed (search, describe, run), one takes up a run that lasts (get_run): what they cost
# as served was measured, and a test does it again.
RESERVED_TOOLS = 4
RESERVED_TOKENS = 490
BYTES_A_TOKEN = 4
# What the server adds to each entry in `_meta`: digest and class; where inputs are hidden, the address of the whole
# schema, which holds the tool's name once more. Measured, and held by the same test.
_ADDED_BYTES = 127
_ADDRESS_BYTES = 42


def tokens_of(tool: Mapping[str, Json], document: Json) -> int:
    """What the tool made from `document` costs in tools/list as it is served, rounded up."""
    size = len(orjson.dumps({**tool, "annotations": told_hints(tool)})) + _ADDED_BYTES
    more = call_properties(tool, input_names(document))
    size += len(orjson.dumps(more)) - 1 if more else 0
    if hides_inputs(document, tool):
        size += _ADDRESS_BYTES + len(tool["name"])
    return -(-size // BYTES_A_TOKEN)
