"""Approved workflows as MCP tools: the catalog's snapshot served through FastMCP, and the tool-call boundary.

Those that the catalog lists are in tools/list, with the tools of `finding` when there are more; all can be called.

A tool is the approved definition, byte for byte, with its digest in `_meta`; the text of results and errors is made
here. FastMCP checks neither arguments nor results of such tools: `calls` does. Whatever escapes from a call ends here
as an MCP error (`isError`) that says what happened, what was done and what to do; nothing of an unexpected error
reaches the client. Here never lives a private attribute of FastMCP (`list_changed`). MCP 2026-07-28, tools.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson
from fastmcp.server.dependencies import get_http_request
from fastmcp.server.providers import Provider
from fastmcp.tools import Tool, ToolResult
from fastmcp.utilities.versions import VersionSpec
from mcp_types import ResourceLink, TextContent, ToolAnnotations
from pydantic import PrivateAttr

from runtime.calls.calls import Calls
from runtime.calls.manner import Manner
from runtime.calls.telling import failure_of, told, told_plan, verified_line
from runtime.catalog import Catalog
from runtime.engines.engine import Ended
from runtime.entries import Entry
from runtime.gate.access import CALLER, Caller
from runtime.live import LiveCatalog
from runtime.mcp.asking import wish_of_request
from runtime.mcp.confirming import DECLINED, Call, answered, ask, can_ask
from runtime.mcp.cutting import cut, told_cuts
from runtime.mcp.resources import JSON_TYPE, outputs_uri, schema_uri
from runtime.problems import KNOWN, message_of
from workflow.events import to_json

log = logging.getLogger("switchgear.tools")
Json = Any
META = "switchgear"


class GuardedTool(Tool):
    """A tool whose errors end here: whatever happens, the client gets an answer that says what to do."""

    def get_meta(self) -> dict[str, Json]:
        """Only what is ours: FastMCP's own member tells clients nothing and costs tokens in each entry."""
        return dict(self.meta or {})

    async def run(self, arguments: dict[str, Json]) -> ToolResult:
        """What the tool answers. Raises nothing but cancellation."""
        try:
            return await self.answer(arguments)
        except KNOWN as error:
            return refused(error)
        except Exception:
            # The boundary: whatever it was, the client learns that it was ours, and the log learns the rest.
            log.exception("the tool %s failed", self.name)
            return _error_result("Something failed inside Switchgear. See the server's log.", {})

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        """What the tool does. Raises what `run` turns into words."""
        raise NotImplementedError


class WorkflowTool(GuardedTool):
    """One entry of the catalog, as FastMCP wants tools."""

    _entry: Entry = PrivateAttr()
    _calls: Calls = PrivateAttr()
    _local: Caller = PrivateAttr()

    @classmethod
    def of(cls, entry: Entry, calls: Calls, local: Caller) -> "WorkflowTool":
        """`local`: who calls where no HTTP request says it (stdio)."""
        tool = cls(
            name=entry.name,
            title=entry.tool.get("title"),
            description=entry.tool.get("description"),
            parameters=entry.input_schema,
            output_schema=entry.output_schema,
            annotations=ToolAnnotations(**entry.tool.get("annotations", {})),
            meta={META: meta_of(entry)},
        )
        tool._entry, tool._calls, tool._local = entry, calls, local
        return tool

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        """Runs the workflow, or plans it, or asks first."""
        inputs, target, manner = self._entry.taken_apart(arguments)
        call = Call(self._entry, inputs, target, caller_of_request(self._local), manner)
        return await carried_out(call, self._calls)


def meta_of(entry: Entry) -> dict[str, Json]:
    """What is told of an entry beside its definition; `schema` where there are inputs that it does not show."""
    meta = {"digest": entry.digest, "workflow": f"{entry.workflow_id}@{entry.number}", "risk": entry.risk}
    return {**meta, "schema": schema_uri(entry.name)} if entry.prepared.hides_inputs else meta


def caller_of_request(local: Caller) -> Caller:
    """Who sent the request that is being served: the gate wrote it down."""
    try:
        scope = get_http_request().scope
    except RuntimeError:  # not over HTTP
        return local
    caller = scope[CALLER]
    assert isinstance(caller, Caller)
    return caller


class CatalogProvider(Provider):
    """Serves what the live catalog holds now. `lists_built` counts full lists, which cost time with many tools."""

    def __init__(
        self,
        live: LiveCatalog,
        calls: Calls,
        local: Caller,
        finders: Sequence[GuardedTool],
        others: Sequence[GuardedTool] = (),
    ) -> None:
        """`finders`: the tools that reach what is not listed; `others`: what is listed in any case."""
        super().__init__()
        self._live = live
        self._calls = calls
        self._local = local
        self._finders = {tool.name: tool for tool in finders}
        self._others = {tool.name: tool for tool in others}
        self._made: dict[int, WorkflowTool] = {}  # by the identity of their entry, which each keeps alive
        self._made_for: Catalog | None = None
        self.lists_built = 0

    async def _list_tools(self) -> Sequence[Tool]:
        self.lists_built += 1
        catalog = self._seen()
        finders = with_apis(self._finders.values(), catalog.searched) if catalog.hides_some else ()
        return [*finders, *self._others.values(), *(self._tool(entry) for entry in catalog.listed)]

    async def _get_tool(self, name: str, version: VersionSpec | None = None) -> Tool | None:  # noqa: ARG002  its interface
        """The tool of this name, listed or not: whoever knows a workflow's name may call it by that name."""
        return self._find(name)

    def _seen(self) -> Catalog:
        """What is there for whoever sent the request that is being served."""
        return self._live.seen_by(caller_of_request(self._local).scope)

    def _find(self, name: str) -> GuardedTool | None:
        entry = self._seen().get(name)
        return self._finders.get(name) or self._others.get(name) if entry is None else self._tool(entry)

    def _tool(self, entry: Entry) -> WorkflowTool:
        catalog = self._live.now
        if self._made_for is not catalog:
            # What an entry of the new snapshot shares with the old one is the same object, and so is its tool.
            kept = {id(each) for each in catalog.entries.values()}
            self._made = {key: tool for key, tool in self._made.items() if key in kept}
            self._made_for = catalog
        tool = self._made.get(id(entry))
        if tool is None:
            tool = self._made[id(entry)] = WorkflowTool.of(entry, self._calls, self._local)
        return tool


def with_apis(finders: Iterable[GuardedTool], searched: str) -> list[GuardedTool]:
    """The tools that reach the rest; the first of them, search, says which APIs there are."""
    search, *others = finders
    if not searched:
        return [search, *others]
    more = f"{search.description} APIs, with how many workflows: {searched}."
    return [search.model_copy(update={"description": more}), *others]


async def carried_out(call: Call, calls: Calls) -> ToolResult:
    """What comes of the call, after the person at the client was asked where that is needed and possible."""
    asks_ever = call.entry.risk != "read"  # to look for an answer costs more than most of the rest
    if asks_ever and (answer := answered()) is not None:
        if not answer.is_yes:
            return _error_result(DECLINED, {"outcome": "refused"})
        call = replace(call, manner=Manner(plan_id=answer.plan_id))
    async with wish_of_request() as wish:
        ended = await call.made(calls, wish)
        if ended.outcome != "planned" or call.manner.is_plan or not can_ask():
            return result_of(call.entry, ended, is_wanted=call.manner.is_plan)
        asked = await ask(ended)
        if isinstance(asked, ToolResult):
            return asked
        if not asked:
            return _error_result(DECLINED, {"outcome": "refused", "run": ended.run_id})
        confirmed = replace(call, manner=Manner(plan_id=ended.outputs["plan_id"]))
        return result_of(call.entry, await confirmed.made(calls, wish))


def result_of(entry: Entry, ended: Ended, *, is_wanted: bool = True) -> ToolResult:
    """How a run ended, for a client: the outputs, or what failed, or a plan. `is_wanted`: a plan was asked for."""
    meta: dict[str, Json] = {"run": ended.run_id, "outcome": ended.outcome, "digest": entry.digest}
    meta |= {"misfits": ended.misfits} if ended.misfits else {}
    meta |= {name: value for name, value in ended.verdict.items() if value and name != "note"}
    if ended.outcome == "planned":
        # A plan in the place of a change is an error: who only asks whether it worked must not believe that it did.
        text, plan = told_plan(ended, is_wanted=is_wanted), {"plan": dict(ended.outputs)}
        content = [TextContent(type="text", text=text)]
        return ToolResult(content=content, structured_content=plan, meta={META: meta}, is_error=not is_wanted)
    if ended.is_good:
        return _outputs_result(entry, ended, meta)
    return _error_result(told(ended), {**meta, "failure": to_json(failure_of(ended))})


def _outputs_result(entry: Entry, ended: Ended, meta: dict[str, Json]) -> ToolResult:
    """The outputs, cut where they are big; then a link says where the whole is."""
    shown = cut(dict(ended.outputs), entry.prepared.accepts_outputs)
    is_pending = ended.outcome == "pending"
    told_first = told(ended) if is_pending else "\n".join(filter(None, (ended.note, verified_line(ended))))
    lines = [told_first, orjson.dumps(shown.outputs).decode()]
    content: list[TextContent | ResourceLink] = []
    if shown.whole_bytes:
        uri = outputs_uri(ended.run_id)
        lines.append(told_cuts(shown, uri))
        meta = {**meta, "whole": uri}
        size = shown.whole_bytes
        content.append(ResourceLink(type="resource_link", uri=uri, name="outputs", mime_type=JSON_TYPE, size=size))
    content.insert(0, TextContent(type="text", text="\n".join(line for line in lines if line)))
    return ToolResult(content=content, structured_content=shown.outputs, meta={META: meta})


def refused(error: Exception) -> ToolResult:
    """An error before the run: nothing was sent for this call."""
    lines = [message_of(error), "Done: nothing was sent."]
    remedy = getattr(error, "remedy", "")
    pointer = getattr(error, "pointer", "")
    if remedy:
        lines.append(f"What to do: {remedy}")
    more = {**getattr(error, "more", {}), **({"pointer": pointer} if pointer else {})}
    return _error_result("\n".join(lines), {"outcome": "refused", **more})


def _error_result(text: str, meta: dict[str, Json]) -> ToolResult:
    return ToolResult(content=[TextContent(type="text", text=text)], meta={META: meta}, is_error=True)
