"""What an MCP server has now, held against what is known of it: new tools wait for an approver, changed ones go.

A tool that is not known becomes a pending revision of the gravest class. One whose definition is not what was
approved is retired at once, which the audit and the events tell, and what it says now waits as a new revision. One
that is gone stays approved and cannot be called. Nothing here approves anything. Called by `servers sync`, by the
REST API, and by `watching` where a server says that its tools changed or a call found it out.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.apis import ApiStore
from governance.errors import GovernanceError, NotFoundError, TransitionError
from governance.revisions import NewRevision, Revision, RevisionStore
from governance.servers import api_of
from governance.targets import Target, TargetStore
from runtime.driver import Driver
from runtime.entries import remote_endpoint
from runtime.errors import TargetError
from runtime.remotes.contents import Class, pinned, profile_of, revision_of, workflow_of
from runtime.remotes.definitions import Definition, Unfit, definition_of

log = logging.getLogger("switchgear.remotes")
Json = Any
# A server that says it changed again and again is looked at so often.
POLL_S = 2.0
MOST_REVISIONS = 10_000
"""Of one server: so many are looked through."""


@dataclass(frozen=True, slots=True)
class Tool:
    """`state`: `new`, `changed`, `same` (as known, approved or not), `gone`, or `refused`, with `why`."""

    name: str
    workflow: str
    state: str
    why: str = ""

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Look:
    """What a server has: its tools, and how long it took to say so."""

    server: str
    took_s: float
    tools: tuple[Tool, ...]
    definitions: Mapping[str, Definition] = field(default_factory=dict, repr=False)

    def to_json(self) -> dict[str, Json]:
        return {
            "server": self.server,
            "took_ms": round(self.took_s * 1000, 1),
            "tools": [each.to_json() for each in self.tools],
        }


@dataclass(frozen=True, slots=True)
class Remotes:
    """What is done about MCP servers; `reload` loads the catalog, since what is served has changed."""

    revisions: RevisionStore
    apis: ApiStore
    targets: TargetStore
    driver: Driver
    reload: Callable[[], Awaitable[object]]

    async def server_of(self, name: str) -> Target:
        """Raises NotFoundError for what is no server."""
        target = await self.targets.get(name)
        if target.server is None:
            raise NotFoundError(f"there is no server {name}", "see `switchgear servers list`")
        return target

    async def look(self, target: Target) -> Look:
        """Asks the server, and changes nothing. Raises TargetError, GovernanceError."""
        begun = time.monotonic()
        listed = await self.driver.listed(remote_endpoint(target, profile_of(target.name), {}))
        took_s = time.monotonic() - begun
        known = await self._known(target.name)
        tools, definitions = _compared(target.name, listed, known)
        return Look(target.name, took_s, tuple(tools), definitions)

    async def sync(self, target: Target, actor: str) -> Look:
        """`look`, with what follows: what changed is retired, and what is new is pending. Raises as `look`."""
        found = await self.look(target)
        known = await self._known(target.name)
        for tool in found.tools:
            if tool.state == "changed":
                await self._retire(known[tool.workflow], target.name, actor)
        fresh = [
            found.definitions[each.name]
            for each in found.tools
            if each.state in ("new", "changed") and each.name in found.definitions
        ]
        await self._submit(target.name, [revision_of(target.name, each, Class()) for each in fresh], actor)
        await self.reload()
        return found

    async def classify(self, target: Target, tool: str, chosen: Class, actor: str) -> Revision:
        """Submits a tool once more, with the class that an approver gives it; it is pending then, as any revision.

        Raises NotFoundError for a tool that the server has not, or that is refused; else as `look`.
        """
        found = await self.look(target)
        named = {each.workflow: each.name for each in found.tools}
        definition = found.definitions.get(tool) or found.definitions.get(named.get(tool, ""))
        if definition is None:
            raise NotFoundError(
                f"{target.name} has no tool {tool} that could be taken", "see `switchgear servers test`"
            )
        (submission,) = await self._submit(target.name, [revision_of(target.name, definition, chosen)], actor)
        await self.reload()
        return submission

    async def _known(self, server: str) -> dict[str, list[Revision]]:
        """The revisions of each workflow of a server, oldest first."""
        known: dict[str, list[Revision]] = {}
        for each in await self.revisions.find(api=api_of(server), limit=MOST_REVISIONS):
            known.setdefault(each.workflow_id, []).append(each)
        return known

    async def _retire(self, revisions: Iterable[Revision], server: str, actor: str) -> None:
        for each in revisions:
            if each.state != "approved":
                continue
            reason = f"the server {server} says something else of this tool than was approved"
            try:
                await self.revisions.decide(
                    each.id, "retire", actor=actor, role="approver", reason=reason, digest=each.digest
                )
            except TransitionError:  # somebody else was faster
                continue
            log.warning("%s is retired: %s", each.workflow_id, reason)

    async def _submit(self, server: str, found: list[NewRevision], actor: str) -> tuple[Revision, ...]:
        if not found:
            return ()
        profile = profile_of(server)
        body = profile.model_dump(mode="json")
        title = f"MCP server {server}"
        await self.apis.put_api(api_of(server), title, "", profile.digest, body, profile.digest, actor=actor)
        made = await self.revisions.submit_all(api_of(server), found, actor=actor)
        return tuple(each.revision for each in made)

    async def sync_quietly(self, name: str, actor: str) -> None:
        """`sync` where nobody waits for it: what goes wrong is logged."""
        try:
            await self.sync(await self.server_of(name), actor)
        except (TargetError, GovernanceError) as error:
            log.warning("the tools of %s could not be looked at: %s", name, error.message)

    async def watch(self) -> None:
        """Until cancelled: looks again at servers that said, or were found out, to have other tools than before."""
        while True:
            await asyncio.sleep(POLL_S)
            for name in sorted(self.driver.changed_servers()):
                await self.sync_quietly(name, "server")


def _compared(
    server: str, listed: Iterable[Mapping[str, Json]], known: Mapping[str, list[Revision]]
) -> tuple[list[Tool], dict[str, Definition]]:
    tools: list[Tool] = []
    definitions: dict[str, Definition] = {}
    for sent in listed:
        name = str(sent.get("name"))
        workflow = workflow_of(server, name)
        try:
            definition = definition_of(sent)
            revision_of(server, definition, Class())
        except Unfit as error:
            is_approved = any(each.state == "approved" for each in known.get(workflow, ()))
            tools.append(Tool(name, workflow, "changed" if is_approved else "refused", str(error)))
            continue
        definitions[name] = definition
        tools.append(Tool(name, workflow, _state(definition, known.get(workflow, ()))))
    there = {each.workflow for each in tools}
    tools += [
        Tool("", workflow, "gone")
        for workflow, revisions in known.items()
        if workflow not in there and any(each.state in ("approved", "pending") for each in revisions)
    ]
    return tools, definitions


def _state(definition: Definition, revisions: Iterable[Revision]) -> str:
    """Newest first it counts: what was decided on this very definition stands."""
    found = list(revisions)
    approved = [each for each in found if each.state == "approved"]
    if any(pinned(each.content) != definition.digest for each in approved):
        return "changed"
    return "same" if found and pinned(found[-1].content) == definition.digest else "new"
