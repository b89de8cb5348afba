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
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from governance.approval.revisions import NewRevision, Revision, RevisionStore
from governance.errors import GovernanceError, NotFoundError, TransitionError
from governance.registry.apis import ApiStore
from governance.registry.targets import Target, TargetStore
from runtime.catalog.entries import remote_endpoint
from runtime.driver import Driver
from runtime.driver.remote.definitions import Definition, UnfitDefinition, definition_of
from runtime.errors import TargetError
from runtime.remotes.contents import Class, pinned, profile_of, revision_of, workflow_of
from runtime.sites.contents import site_definition_of, site_profile_of, site_revision_of, site_workflow_of
from workflow.profiles.profile import Profile

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
        with suppress(NotFoundError):
            target = await self.targets.get(name)
            if target.server is not None:
                return target
        raise NotFoundError(f"there is no server {name}", "see `switchgear servers list`", kind="server", name=name)

    async def look(self, target: Target) -> Look:
        """Asks the server, and changes nothing. Raises TargetError, GovernanceError."""
        begun, making = time.monotonic(), _making(target)
        listed = await self.driver.listed(remote_endpoint(target, making.profile, {}))
        took_s = time.monotonic() - begun
        tools, definitions = _compared(making, listed, await self._known(making.api))
        return Look(target.name, took_s, tuple(tools), definitions)

    async def sync(self, target: Target, actor: str) -> Look:
        """`look`, with what follows: what changed is retired, and what is new is pending. Raises as `look`."""
        found = await self.look(target)
        making = _making(target)
        known = await self._known(making.api)
        for tool in found.tools:
            if tool.state == "changed":
                await self._retire(known[tool.workflow], target.name, actor)
        fresh = [
            found.definitions[each.name]
            for each in found.tools
            if each.state in ("new", "changed") and each.name in found.definitions
        ]
        await self._submit(making, [making.revision_of(each, None) for each in fresh], actor)
        if any(each.state in ("new", "changed") for each in found.tools):
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
        making = _making(target)
        (submission,) = await self._submit(making, [making.revision_of(definition, chosen)], actor)
        await self.reload()
        return submission

    async def _known(self, api: str) -> dict[str, list[Revision]]:
        """The revisions of each workflow of a server, oldest first."""
        known: dict[str, list[Revision]] = {}
        for each in await self.revisions.find(api=api, limit=MOST_REVISIONS):
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

    async def _submit(self, making: "Making", found: list[NewRevision], actor: str) -> tuple[Revision, ...]:
        if not found:
            return ()
        profile, api = making.profile, making.api
        body = profile.model_dump(mode="json")
        await self.apis.put_api(api, making.title, "", profile.digest, body, profile.digest, actor=actor)
        made = await self.revisions.submit_all(api, found, actor=actor)
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


@dataclass(frozen=True, slots=True)
class Making:
    """How what a server tells becomes revisions; `revision_of` without a class: the gravest, or a site's own."""

    api: str
    title: str
    profile: Profile
    workflow_of: Callable[[str], str]
    definition_of: Callable[[Mapping[str, Json]], Definition]
    revision_of: Callable[[Definition, Class | None], NewRevision]


def _making(target: Target) -> Making:
    name = target.name
    if target.server is not None and target.server.is_site:
        ways = (partial(site_workflow_of, name), site_definition_of, partial(site_revision_of, name))
        return Making(target.api, f"site {name}", site_profile_of(name), *ways)
    return Making(
        target.api, f"MCP server {name}", profile_of(name), partial(workflow_of, name), definition_of,
        lambda definition, chosen: revision_of(name, definition, chosen or Class()),
    )  # fmt: skip


def _compared(
    making: Making, listed: Iterable[Mapping[str, Json]], known: Mapping[str, list[Revision]]
) -> tuple[list[Tool], dict[str, Definition]]:
    tools: list[Tool] = []
    definitions: dict[str, Definition] = {}
    for sent in listed:
        name = str(sent.get("name"))
        workflow = making.workflow_of(name)
        try:
            definition = making.definition_of(sent)
            making.revision_of(definition, None)
        except UnfitDefinition as error:
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
