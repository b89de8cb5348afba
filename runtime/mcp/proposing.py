"""The MCP tool `propose_workflow`: a sentence becomes a pending workflow, or is answered with what is missing.

There only where a setting allows it (`runtime.proposing`), and of no use to anybody until a person has decided on what
comes of it. Costs what `TOKENS` says, which is taken from what workflows may cost. Called by `app`.
"""

from collections.abc import Callable
from typing import Any

import orjson
from fastmcp.tools import ToolResult
from mcp_types import TextContent, ToolAnnotations
from pydantic import PrivateAttr

from runtime.caller import Caller
from runtime.catalog.snapshot import PROPOSE
from runtime.mcp.finding import TEXT, FindingTool
from runtime.proposing import MOST_SENTENCE, Proposals

TOKENS = 150  # of its entry in tools/list, rounded up; a test measures it
_PROPOSES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


class ProposeTool(FindingTool):
    _proposals: Proposals = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Any]) -> ToolResult:
        wanted = self.checked(arguments)
        told = await self._proposals.propose(wanted["api"], wanted["sentence"], self._asking())
        text = orjson.dumps(told).decode()
        return ToolResult(content=[TextContent(type="text", text=text)], structured_content=dict(told))


def propose_tool(proposals: Proposals, asking: Callable[[], Caller]) -> ProposeTool:
    """`asking`: who sent the request that is being served."""
    sentence = {"type": "string", "minLength": 1, "maxLength": MOST_SENTENCE}
    tool = ProposeTool.define(
        PROPOSE,
        "Asks for a workflow that is not there: “create a VM, then start it”. What comes of it waits for a person's "
        "approval; nothing is run.",
        {"api": TEXT, "sentence": sentence},
        "api",
        "sentence",
        annotations=_PROPOSES,
    )
    tool._proposals, tool._asking = proposals, asking
    assert isinstance(tool, ProposeTool)
    return tool
