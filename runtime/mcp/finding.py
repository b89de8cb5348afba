"""Three tools that reach every approved workflow that is not listed as a tool of its own: search, describe, run.

They cost a client what two workflows cost, however many there are. `run_workflow` is a direct call with another
spelling: `calls` makes the same checks, the same run, the same answer of it. Their texts are counted by
`workflow.budget`, and a test measures them. Names: `catalog.FINDING_NAMES`. Called by `app`. DESIGN.md, "Budget".
"""

from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs
import orjson
from fastmcp.tools import ToolResult
from mcp_types import TextContent, ToolAnnotations
from pydantic import PrivateAttr

from governance.people.scopes import AccessScope
from runtime.caller import Caller
from runtime.calls.under_way import UnderWay, Wanted
from runtime.catalog.entries import Entry
from runtime.catalog.search import Finder
from runtime.catalog.snapshot import CANCEL_NAME, FINDING_NAMES
from runtime.catalog.watcher import LiveCatalog
from runtime.errors import BadInput
from runtime.knowledge import Knowledge
from runtime.mcp.cutting import MOST_SHOWN_BYTES
from runtime.mcp.resources import schema_uri
from runtime.mcp.tools import GuardedTool, carried_out
from workflow.risks import RISKS

Json = Any
SEARCH, DESCRIBE, RUN = FINDING_NAMES
# What one looks through at a glance; better words find more than a longer list.
MOST_FOUND = 10
# Of fewer one looks for more.
LITTLE = 3
TEXT = {"type": "string", "minLength": 1, "maxLength": 500}
READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
RUNS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False)


class FindingTool(GuardedTool):
    """A tool of the server itself: arguments are checked here, since FastMCP does not."""

    _check: Any = PrivateAttr()

    @classmethod
    def define(cls, name: str, description: str, properties: Mapping[str, Json], *required: str, **more: Json) -> Any:
        schema = {
            "type": "object",
            "properties": dict(properties),
            "required": list(required),
            "additionalProperties": False,
        }
        tool = cls(name=name, description=description, parameters=schema, **more)
        tool._check = jsonschema_rs.validator_for(schema)
        return tool

    def checked(self, arguments: Mapping[str, Json]) -> Mapping[str, Json]:
        """Raises BadInput."""
        error = next(self._check.iter_errors(arguments), None)
        if error is not None:
            pointer = "".join(f"/{part}" for part in error.instance_path)
            raise BadInput(f"{error.message} at {pointer or 'the arguments'}", pointer, "correct it and call again")
        return arguments


class SearchTool(FindingTool):
    _finder: Finder = PrivateAttr()
    _knowledge: Knowledge = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        wanted = self.checked(arguments)
        told = (wanted["query"], wanted.get("api"), wanted.get("risk"))
        return said(await searched(self._finder, self._knowledge, self._asking().scope, *told))


class DescribeTool(FindingTool):
    _live: LiveCatalog = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        return said(description_of(self._live.seen_by(self._asking().scope).find(self.checked(arguments)["name"])))


class RunTool(FindingTool):
    _live: LiveCatalog = PrivateAttr()
    _ending: GuardedTool = PrivateAttr()
    _under_way: UnderWay = PrivateAttr()
    _asking: Callable[[], Caller] = PrivateAttr()

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        wanted = self.checked(arguments)
        if wanted["name"] == CANCEL_NAME:  # which has no room of its own in a list where tools are searched for
            return await self._ending.answer(wanted.get("arguments", {}))
        entry = self._live.seen_by(self._asking().scope).find(wanted["name"])
        given = entry.taken_apart(wanted.get("arguments", {}))
        asked = Wanted(entry, given.inputs, wanted.get("target", given.target), self._asking(), given.options)
        return await carried_out(asked, given.view, self._under_way)


def finding_tools(
    live: LiveCatalog, finder: Finder, knowledge: Knowledge, under_way: UnderWay, ending: GuardedTool,
    asking: Callable[[], Caller],
) -> list[FindingTool]:  # fmt: skip
    """`ending`: the tool that ends a run; `asking`: who sent the request that is being served."""
    risk = {"enum": [*RISKS]}
    search = SearchTool.define(
        SEARCH,
        "Finds approved workflows that are no tools of their own. Say what is to be done, to what: "
        "“add a disk to a VM”. Answers names, best first.",
        {"query": TEXT, "api": TEXT, "risk": risk},
        "query",
        annotations=READS,
    )
    describe = DescribeTool.define(
        DESCRIBE,
        "One workflow: all its inputs, its steps, its risk, its outputs.",
        {"name": TEXT},
        "name",
        annotations=READS,
    )
    run = RunTool.define(
        RUN,
        "Runs one workflow, as a tool of that name would.",
        {
            "name": TEXT,
            "arguments": {"type": "object", "description": f"The inputs that {DESCRIBE} told."},
            "target": {**TEXT, "description": "The device, where there are several."},
        },
        "name",
        annotations=RUNS,
    )
    search._finder, search._knowledge, search._asking = finder, knowledge, asking
    describe._live, describe._asking = live, asking
    run._live, run._under_way, run._ending, run._asking = live, under_way, ending, asking
    return [search, describe, run]


async def searched(
    finder: Finder, knowledge: Knowledge, scope: AccessScope, query: str, api: str | None, risk: str | None
) -> dict[str, Json]:
    """What of the approved has to do with the words of `query`, the best first, and how much more there is; where that
    is little, also what the API can do and nothing approved does."""
    await finder.ready()
    found, count = finder.best(query, MOST_FOUND, api=api, risk=risk, scope=scope)
    outputs: dict[str, Json] = {"workflows": [_line(entry) for entry in found]}
    if count > len(found):
        outputs["more"] = count - len(found)
    if len(found) < LITTLE:
        others = (await knowledge.search(query, scope, api=api))["operations"]
        others = [each for each in others if "none_because" in each and risk in (None, each["risk"])]
        outputs |= {"nothing_approved_does": others[:LITTLE]} if others else {}
    if not found:
        outputs["hint"] = "nothing approved has to do with these words: try the thing's or the action's other name"
    return outputs


def description_of(entry: Entry) -> dict[str, Json]:
    """All that is needed to run a workflow, and to know what that will do. Raises Unservable."""
    schema = entry.with_plan(entry.prepared.whole_input_schema(), in_full=True)
    told: dict[str, Json] = {
        **_line(entry),
        "description": entry.tool.get("description", ""),
        "approved": entry.approved,
        "steps": [step.description or f"{step.method} {step.path_template}" for step in entry.program.steps],
        "inputs": schema,
        "outputs": entry.tool.get("outputSchema") or {"type": "object"},
    }
    if len(entry.targets) > 1:
        told["target"] = entry.target_schema
    if len(orjson.dumps(schema)) > MOST_SHOWN_BYTES:
        told |= {"inputs": entry.with_plan(entry.tool["inputSchema"]), "all_inputs": schema_uri(entry.name)}
    return told


def _line(entry: Entry) -> dict[str, Json]:
    """What is told of a workflow in a list: enough to choose by."""
    does = str(entry.tool.get("description", "")).partition(". ")[0].rstrip(".")
    return {"name": entry.name, "does": does or entry.tool.get("title", ""), "risk": entry.risk, "api": entry.api}


def said(outputs: dict[str, Json]) -> ToolResult:
    """Outputs as text and as they are."""
    text = orjson.dumps(outputs).decode()
    return ToolResult(content=[TextContent(type="text", text=text)], structured_content=outputs)
