"""Approved workflows as MCP tools: the catalog's snapshot served through FastMCP, and the tool-call boundary.

Those that the catalog lists are in tools/list, with the tools of `finding` when there are more; all can be called.

A tool is the approved definition, less hints that mean nothing of it, with its digest in `_meta`; the text of results
and errors is made here. FastMCP checks neither arguments nor results of such tools: `calls` does. Whatever escapes
from a call ends here as an MCP error (`isError`) that says what happened, what was done and what to do; nothing of an
unexpected error reaches the client. Here never lives a private attribute of FastMCP (`list_changed`). MCP 2026-07-28.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from fastmcp.prompts import Prompt
from fastmcp.server.dependencies import get_http_request
from fastmcp.server.providers import Provider
from fastmcp.tools import Tool, ToolResult
from fastmcp.utilities.versions import VersionSpec
from mcp_types import ResourceLink, TextContent, ToolAnnotations
from pydantic import PrivateAttr

from governance.people.scopes import AccessScope
from governance.registry.servers import is_of_site
from runtime.call_options import CallOptions
from runtime.caller import CALLER, Caller
from runtime.calls.messages import failure_of, told, told_plan, told_running, verified_line
from runtime.calls.under_way import Running, UnderWay, Wanted
from runtime.catalog.entries import Entry, Prepared
from runtime.catalog.snapshot import Catalog
from runtime.catalog.watcher import LiveCatalog
from runtime.engines.engine import Ended
from runtime.errors import BadInput, Waiting
from runtime.knowledge import Knowledge
from runtime.mcp.asking import wish_of_request
from runtime.mcp.confirming import DECLINED, answered, ask, can_ask
from runtime.mcp.cutting import cut, told_cuts
from runtime.mcp.own_prompts import OwnPrompts
from runtime.mcp.prompts import prompts_of
from runtime.mcp.resources import JSON_TYPE, outputs_uri, schema_uri
from runtime.problems import KNOWN, message_of
from runtime.raw_calls import RawCalls
from runtime.results.shaping import Shaped, shaped
from runtime.results.view import View
from workflow.requests.events import to_json
from workflow.tool import free_name, told_hints

log = logging.getLogger("switchgear.tools")
Json = Any
META = "switchgear"


class GuardedTool(Tool):
    """A tool whose errors end here: whatever happens, the client gets an answer that says what to do."""

    @property
    def answers_objects(self) -> bool:
        """Whether every result of it is an object, which clients of all versions take as it is."""
        return self.output_schema is None or self.output_schema.get("type") == "object"

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
    _under_way: UnderWay = PrivateAttr()
    _local: Caller = PrivateAttr()

    @classmethod
    def of(cls, entry: Entry, under_way: UnderWay, local: Caller) -> "WorkflowTool":
        """`local`: who calls where no HTTP request says it (stdio)."""
        tool = cls(
            name=entry.name,
            title=entry.tool.get("title"),
            description=entry.tool.get("description"),
            parameters=entry.input_schema,
            output_schema=entry.output_schema,
            annotations=ToolAnnotations(**told_hints(entry.tool)),
            meta={META: meta_of(entry)},
        )
        tool._entry, tool._under_way, tool._local = entry, under_way, local
        return tool

    async def answer(self, arguments: dict[str, Json]) -> ToolResult:
        """Runs the workflow, or plans it, or asks first."""
        given = self._entry.taken_apart(arguments)
        wanted = Wanted(self._entry, given.inputs, given.target, caller_of_request(self._local), given.options)
        return await carried_out(wanted, given.view, self._under_way)


def meta_of(entry: Entry) -> dict[str, Json]:
    """What is told of an entry beside its definition; `schema` where there are inputs that it does not show."""
    meta = {"digest": entry.digest, "risk": entry.risk}
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


@dataclass(frozen=True, slots=True)
class OwnTools:
    """The server's own. `finding`: they reach what is not listed; `running`: they go with any workflow; `ending`: where
    there is room; `knowing`: likewise, and something is known; `expert`: to whom `raw` is for, with those before;
    `always`: whatever there is; `fleet`: where sites have some."""

    finding: Sequence[GuardedTool]
    running: Sequence[GuardedTool]
    ending: Sequence[GuardedTool]
    knowing: Sequence[GuardedTool]
    knowledge: Knowledge
    expert: Sequence[GuardedTool]
    raw: RawCalls
    always: Sequence[GuardedTool] = ()
    fleet: Sequence[GuardedTool] = ()

    def named(self, name: str) -> GuardedTool | None:
        every = (*self.finding, *self.running, *self.ending, *self.knowing, *self.expert, *self.always, *self.fleet)
        return next((tool for tool in every if tool.name == name), None)

    async def beside(self, catalog: Catalog, caller: Caller) -> Sequence[GuardedTool]:
        """Those that are listed with a catalog."""
        fleet = self.fleet if any(map(is_of_site, catalog.by_api)) else ()
        if self.raw.is_for(caller):
            finding = with_apis(self.finding, catalog.searched) if catalog.hides_some else ()
            return (*finding, *self.running, *self.knowing, *self.expert, *fleet, *self.always)
        if not catalog.entries:
            return self.always
        if catalog.hides_some:
            return (*with_apis(self.finding, catalog.searched), *self.running, *fleet, *self.always)
        knowing = self.knowing if await self.knowledge.is_there(caller.scope) else ()
        return (*self.running, *self.ending, *knowing, *fleet, *self.always)


class CatalogProvider(Provider):
    """Serves what the live catalog holds now. `lists_built` counts full lists, which cost time with many tools."""

    def __init__(
        self, live: LiveCatalog, under_way: UnderWay, local: Caller, own: OwnTools, prompts: OwnPrompts | None = None
    ) -> None:
        """`prompts`: those that whoever runs the server wrote."""
        super().__init__()
        self._prompts = prompts or OwnPrompts()
        self._live = live
        self._under_way = under_way
        self._local = local
        self._own = own
        self._made: dict[int, WorkflowTool] = {}  # by the identity of their entry, which each keeps alive
        self._made_for: Catalog | None = None
        self.lists_built = 0

    async def _list_tools(self) -> Sequence[Tool]:
        self.lists_built += 1
        return await self.listed_to(caller_of_request(self._local))

    async def listed_to(self, caller: Caller) -> Sequence[Tool]:
        """What a caller is listed, with the tools of the server's own that go with it."""
        catalog = self._live.seen_by(caller.scope)
        return [*await self._own.beside(catalog, caller), *(self._tool(entry) for entry in catalog.listed)]

    async def _list_prompts(self) -> Sequence[Prompt]:
        return self.prompts_for(caller_of_request(self._local).scope)

    def prompts_for(self, scope: AccessScope) -> Sequence[Prompt]:
        """The prompts for somebody with `scope`."""
        catalog = self._live.seen_by(scope)
        own = self._prompts.seen_with(catalog)
        names = {prompt.name for prompt in own}
        return [*own, *(prompt for prompt in prompts_of(catalog) if prompt.name not in names)]

    def knows(self, name: str) -> bool:
        """Whether there is a tool of that name for whoever sent the request that is being served."""
        return self.find(name) is not None

    async def _get_tool(self, name: str, version: VersionSpec | None = None) -> Tool | None:  # noqa: ARG002  its interface
        """The tool of this name, listed or not: whoever knows a workflow's name may call it by that name."""
        return self.find(name)

    def _seen(self) -> Catalog:
        """What is there for whoever sent the request that is being served."""
        return self._live.seen_by(caller_of_request(self._local).scope)

    def find(self, name: str) -> GuardedTool | None:
        """The tool of that name for whoever sent the request that is being served."""
        entry = self._seen().get(name)
        return self._own.named(name) if entry is None else self._tool(entry)

    def _tool(self, entry: Entry) -> WorkflowTool:
        catalog = self._live.now
        if self._made_for is not catalog:
            # What an entry of the new snapshot shares with the old one is the same object, and so is its tool.
            kept = {id(each) for each in catalog.entries.values()}
            self._made = {key: tool for key, tool in self._made.items() if key in kept}
            self._made_for = catalog
        tool = self._made.get(id(entry))
        if tool is None:
            tool = self._made[id(entry)] = WorkflowTool.of(entry, self._under_way, self._local)
        return tool


def with_apis(finders: Iterable[GuardedTool], searched: str) -> list[GuardedTool]:
    """The tools that reach the rest; the first of them, search, says which APIs there are."""
    search, *others = finders
    if not searched:
        return [search, *others]
    more = f"{search.description} APIs, with how many workflows: {searched}."
    return [search.model_copy(update={"description": more}), *others]


async def carried_out(wanted: Wanted, view: View | None, under_way: UnderWay) -> ToolResult:
    """What comes of the call, after the person at the client was asked where that is needed and possible."""
    entry, is_plan = wanted.entry, wanted.options.is_plan
    asks_ever = entry.risk != "read"  # to look for an answer costs more than most of the rest
    if asks_ever and (answer := answered()) is not None:
        if not answer.is_yes:
            return _error_result(DECLINED, {"outcome": "refused"})
        wanted = replace(wanted, options=CallOptions(plan_id=answer.plan_id))
    async with wish_of_request() as wish:
        wanted = replace(wanted, key=wish.key)
        ended = await under_way.call(wanted, wish.told, wish.wait_s)
        if isinstance(ended, Running) or ended.outcome != "planned" or wanted.options.is_plan or not can_ask():
            return result_of(entry, ended, view, is_wanted=is_plan)
        asked = await ask(ended)
        if isinstance(asked, ToolResult):
            return asked
        if not asked:
            return _error_result(DECLINED, {"outcome": "refused", "run": ended.run_id})
        confirmed = replace(wanted, options=CallOptions(plan_id=ended.outputs["plan_id"]))
        ended = await under_way.call(confirmed, wish.told, wish.wait_s)
        return result_of(entry, ended, view)


def result_of(entry: Entry, ended: Ended | Running, view: View | None, *, is_wanted: bool = True) -> ToolResult:
    """How a run ended, for a client: the outputs, or what failed, or a plan. `is_wanted`: a plan was asked for."""
    return result_for(entry.digest, entry.prepared, ended, view, is_wanted=is_wanted)


def result_for(
    digest: str, prepared: Prepared | None, ended: Ended | Running, view: View | None, *, is_wanted: bool = True
) -> ToolResult:
    """As `result_of`, of a run of the revision with this digest, `prepared` where that is served still."""
    meta: dict[str, Json] = {"run": ended.run_id, "digest": digest}
    if isinstance(ended, Running):
        content = [TextContent(type="text", text=told_running(ended))]
        running = {"running": ended.to_json()}
        return ToolResult(content=content, structured_content=running, meta={META: {**meta, "outcome": ended.outcome}})
    meta |= {"outcome": ended.outcome}
    meta |= {"misfits": ended.misfits} if ended.misfits else {}
    meta |= {name: value for name, value in ended.verdict.items() if value and name != "note"}
    if ended.outcome == "planned":
        # A plan in the place of a change is an error: who only asks whether it worked must not believe that it did.
        text, plan = told_plan(ended, is_wanted=is_wanted), {"plan": dict(ended.outputs)}
        content = [TextContent(type="text", text=text)]
        return ToolResult(content=content, structured_content=plan, meta={META: meta}, is_error=not is_wanted)
    if ended.is_good:
        return _outputs_result(prepared, ended, meta, view)
    return _error_result(told(ended), {**meta, "failure": to_json(failure_of(ended))})


def _outputs_result(prepared: Prepared | None, ended: Ended, meta: dict[str, Json], view: View | None) -> ToolResult:
    """The outputs, as `view` has them, cut where they are big; then a link says where the whole is."""
    try:
        part = Shaped(dict(ended.outputs)) if view is None else shaped(ended.outputs, view)
    except BadInput as error:
        text = f"It was read, and cannot be shown like this: {error.message}.\nWhat to do: {error.remedy}"
        return _error_result(f"{text}\nRun: {ended.run_id}", {**meta, "outcome": "refused", "pointer": error.pointer})
    shown = cut(part.outputs, _accepts(prepared, view))
    is_pending = ended.outcome == "pending"
    told_first = told(ended) if is_pending else "\n".join(filter(None, (ended.note, verified_line(ended))))
    told_part = {free_name("shown", frozenset(shown.outputs)): part.shown} if part.shown else {}
    structured = {**shown.outputs, **told_part}
    lines = [told_first, orjson.dumps(structured).decode()]
    content: list[TextContent | ResourceLink] = []
    if shown.whole_bytes or part.shown:
        uri = outputs_uri(ended.run_id)
        lines.append(told_cuts(shown, uri) if shown.whole_bytes else f"The whole, for an hour: {uri}")
        meta, size = {**meta, "whole": uri}, shown.whole_bytes or len(orjson.dumps(dict(ended.outputs)))
        content.append(ResourceLink(type="resource_link", uri=uri, name="outputs", mime_type=JSON_TYPE, size=size))
    content.insert(0, TextContent(type="text", text="\n".join(line for line in lines if line)))
    return ToolResult(content=content, structured_content=structured, meta={META: meta})


def _accepts(prepared: Prepared | None, view: View | None) -> Callable[[Json], bool]:
    """Whether a part is what clients were promised of it."""
    if prepared is None:
        return lambda _outputs: True
    return prepared.accepts_outputs if view is None else prepared.accepts_shown


def refused(error: Exception) -> ToolResult:
    """An error before the run: nothing was sent for this call; one that waits for a person has looked, and no more."""
    more = getattr(error, "more", {})
    is_waiting = isinstance(error, Waiting)
    lines = [message_of(error), "Done: nothing was changed." if is_waiting else "Done: nothing was sent."]
    remedy = getattr(error, "remedy", "")
    pointer = getattr(error, "pointer", "")
    if remedy:
        lines.append(f"What to do: {remedy}")
    lines += [f"Run: {more['run_id']}"] if is_waiting else []
    more = {**more, **({"pointer": pointer} if pointer else {})}
    return _error_result("\n".join(lines), {"outcome": "refused", **more})


def _error_result(text: str, meta: dict[str, Json]) -> ToolResult:
    return ToolResult(content=[TextContent(type="text", text=text)], meta={META: meta}, is_error=True)
