"""Completion of what a person fills in: kinds of things, names of things that are there, workflows, runs.

Names are looked up by the approved workflow that lists such things, in the caller's rights and on record like any call,
and kept for seconds: who types asks with every letter. What cannot be looked up completes to nothing; completion is
no place for errors. MCP, completion. Called by `app`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from mcp_types import CompletionArgument, CompletionContext, PromptReference, ResourceTemplateReference

from governance.errors import GovernanceError
from runtime.caller import Caller
from runtime.calls.under_way import Running, Wanted
from runtime.catalog.entries import Entry
from runtime.errors import ServingError
from runtime.mcp.own_prompts import OwnPrompts
from runtime.mcp.prompts import NAME, PREPARE, THING
from runtime.results.brief import name_field
from runtime.results.tables import table_of
from runtime.results.view import value_at
from runtime.service import Service
from workflow.errors import WorkflowError

log = logging.getLogger("switchgear.tools")
Reference = PromptReference | ResourceTemplateReference
Key = tuple[str, str]
KEPT_S = 10.0
# As many as a client shows; more is cut by the SDK.
MOST = 200
MOST_KEPT = 256


class Completions:
    """`asking`: who sent the request that is being served; `own`: prompts of whoever runs the server."""

    def __init__(self, service: Service, asking: Callable[[], Caller], own: OwnPrompts) -> None:
        self._service = service
        self._asking = asking
        self._own = own
        self._kept: dict[Key, tuple[float, asyncio.Task[list[str]]]] = {}

    async def __call__(
        self, reference: Reference, argument: CompletionArgument, context: CompletionContext | None
    ) -> list[str]:
        """What the argument may be, of what begins or goes on like that; what begins so comes first."""
        given = dict(context.arguments or {}) if context is not None else {}
        values = await self._values(reference, argument.name, given, self._asking())
        typed = argument.value.casefold()
        fitting = [value for value in dict.fromkeys(values) if typed in value.casefold()]
        return sorted(fitting, key=lambda value: not value.casefold().startswith(typed))[:MOST]

    async def _values(self, reference: Reference, name: str, given: dict[str, str], caller: Caller) -> Iterable[str]:
        catalog = self._service.live.seen_by(caller.scope)
        if isinstance(reference, ResourceTemplateReference):
            if name == "run_id":
                return [run.id for run in await self._service.runs.find(caller=caller.name, limit=MOST)]
            return sorted(catalog.entries) if name == "name" else []
        lister = self._own.lister(catalog, reference.name, name)
        if lister is not None:
            return await self._names(lister, caller)
        api = next((api for api in catalog.by_api if reference.name == f"{api.replace('-', '_')}_{PREPARE}"), None)
        lists = {thing_of(entry): entry for entry in catalog.by_api.get(api or "", {}).values() if _lists(entry)}
        if name == THING:
            return sorted(lists)
        entry = lists.get(given.get(THING, "")) if name == NAME else None
        return [] if entry is None else await self._names(entry, caller)

    async def _names(self, entry: Entry, caller: Caller) -> list[str]:
        """The names of the things that the workflow lists, looked up for this caller at most every few seconds."""
        key, now = (caller.name, entry.revision_id), asyncio.get_running_loop().time()
        at, task = self._kept.get(key, (0.0, None))
        if task is None or now - at > KEPT_S:
            if len(self._kept) >= MOST_KEPT:
                self._kept = {}
            task = asyncio.create_task(self._looked_up(entry, caller))
            self._kept[key] = (now, task)
        return await asyncio.shield(task)

    async def _looked_up(self, entry: Entry, caller: Caller) -> list[str]:
        try:
            ended = await self._service.under_way.call(Wanted(entry, {}, None, caller))
        except (ServingError, GovernanceError, WorkflowError) as error:
            log.debug("names of %s were not looked up: %s", entry.name, error)
            return []
        table = None if isinstance(ended, Running) or not ended.is_good else table_of(ended.outputs)
        field = None if table is None else name_field(table.rows)
        if table is None or field is None:
            return []
        return [value for row in table.rows if isinstance(value := value_at(row, field), str) and value]


def thing_of(entry: Entry) -> str:
    """What the workflow is about, in an operator's word."""
    return str(entry.profile.vocabulary.get(entry.resource, entry.resource))


def _lists(entry: Entry) -> bool:
    """Whether it lists things without being told anything."""
    return entry.risk == "read" and entry.intent == "find" and not entry.tool["inputSchema"].get("required")
