"""A hub and its sites over loopback: the hub is the real service with its REST API, sites are simulated ones, which
speak as sites do and remember what they carried out, or the real service where its own path of a call matters.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from runtime.call_options import PLAIN, CallOptions
from runtime.caller import Caller
from runtime.remotes.contents import Class
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from runtime.sites.edge import Dispatched, SiteEdge, Standing
from runtime.sites.joining import JoiningTerms, join
from runtime.sites.membership import Membership
from runtime.sites.simulated import SimulatedWorks
from runtime.sites.statements import Signer, hash_of_inputs
from tests.waiting import until

ANN = Caller("ann", "operator")
READ, SET = "rooms_read_level", "rooms_set_level"


@dataclass
class Heard:
    """Works whose dispatches are held against the hub's audit, as what a device hears is."""

    works: Any
    heard: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[Dispatched], Any] | None = None
    callers: list[tuple[str, str]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    async def offer(self) -> Any:
        return await self.works.offer()

    async def carry_out(self, wanted: Dispatched, at: Standing) -> Any:
        self.heard.append(("POST", f"/tools/{wanted.workflow}"))
        self.callers.append((wanted.caller, wanted.role))
        if self.before is not None:
            await self.before(wanted)
        answer = await self.works.carry_out(wanted, at)
        self.answers.append(answer)
        if answer["outcome"] == "refused":  # which was not carried out, as the audit says
            self.heard.remove(("POST", f"/tools/{wanted.workflow}"))
        return answer


@dataclass
class Site:
    name: str
    membership: Membership
    works: Heard
    task: "asyncio.Task[None] | None" = None

    def start(self, clock: Callable[[], float] = time.time) -> "Site":
        self.task = asyncio.create_task(SiteEdge(self.membership, self.works, clock).watch())
        return self

    async def kill(self) -> None:
        """As a process that is gone: nothing more is said."""
        assert self.task is not None
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


@dataclass
class Hub:
    """A hub that serves, and its sites."""

    service: Any
    run: Any
    witness: Any
    secret: str
    sites: list[Site] = field(default_factory=list)

    async def invitation(self, name: str, **labels: str) -> str:
        secret, _ = await self.service.sites.invite(name, labels=labels.items(), actor="test")
        return f"{name}.{secret}.{self.service.hub.signer().name}"

    async def join(self, name: str, works: Any = None, **labels: str) -> Site:
        membership = await join(await self.invitation(name, **labels), self.run.url, "verify", JoiningTerms())
        site = Site(name, membership, Heard(works or SimulatedWorks(len(self.sites), 7)))
        self.witness.device(0, lambda: site.works.heard)
        self.sites.append(site)
        await self.service.live.reload()
        return site.start()

    async def approve(self, site: str, *workflows: str, chosen: Class | None = None) -> None:
        await until(lambda: not self.service.hub.why_away(site) and self.service.hub.told(site), f"{site} to come")
        target = await self.service.remotes.server_of(site)
        await self.service.remotes.sync(target, "test")
        for each in await self.service.revisions.find(api=f"site-{site}", state="pending"):
            if any(each.workflow_id == f"site_{site}_{name}" for name in workflows):
                await self.decide(each)
        await self.service.live.reload()

    async def decide(self, revision: Any) -> None:
        await self.service.revisions.decide(
            revision.id, "approve", actor="test", role="admin", reason="", digest=revision.digest
        )

    async def call(self, tool: str, options: CallOptions = PLAIN, caller: Caller = ANN, **inputs: Any) -> Any:
        return await self.service.calls.call(self.service.live.now.find(tool), inputs, None, caller, options)

    def rest(self, secret: str = "") -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {secret or self.secret}"}
        return httpx.AsyncClient(base_url=self.run.url, headers=headers, trust_env=False)

    async def states(self, site: str, workflow: str) -> list[str]:
        found = await self.service.revisions.find(api=f"site-{site}", limit=100)
        return [each.state for each in found if each.workflow_id == f"site_{site}_{workflow}"]


@contextlib.asynccontextmanager
async def hub_at(url: str, key: Path, tools: Any, witness: Any, sites: list[Site] | None = None) -> AsyncIterator[Hub]:
    opened = open_service(url, Vault({}), ServiceOptions(confirmation=tools.ASKS_NOBODY, hub_key=str(key)))
    async with opened as service:
        _, secret = await service.principals.create_token(f"boss-{sites is None}", "admin")
        async with tools.running(service) as run:
            hub = Hub(service, run, witness, secret, sites or [])
            try:
                yield hub
            finally:
                for site in hub.sites if sites is None else ():
                    await site.kill()


def word_of_hub(site: Site, signer: Signer, **claims: Any) -> dict[str, Any]:
    """What a hub hands over; `claims` in the place of the right ones."""
    inputs = claims.pop("given", {"room": "hall", "level": 3})
    told = {"sub": "ann", "role": "operator", "dispatch": "d-1", "workflow": SET, "pin": "", "inputs": ""}
    told |= {"inputs": hash_of_inputs({"room": "hall", "level": 3})} | claims
    return {"statement": signer.sign(told.pop("aud", site.name), told), "inputs": inputs}
