"""This installation as a site of a hub: it asks the hub for work, has it done, and answers; outbound alone.

One message waits at the hub, and comes back with dispatches; each answer goes in a message of its own, again until the
hub has taken it. What is under way is told with every message, so that the hub hands over again what was lost, and why
something waits for a person here. A dispatch is done only if the hub has signed it, for this site, now, and its end is
asked for likewise; what may be done is held against the site's own word by whoever does it (`Works`). Called by
`service.watching` and by `simulated`. docs/SITES.md.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from runtime.driver.hub_client import HubClient
from runtime.errors import TargetError
from runtime.sites.membership import Membership

if TYPE_CHECKING:
    from runtime.sites.statements import Signer

log = logging.getLogger("switchgear.sites")
Json = Any
EXCHANGE = "/sites/exchange"
JOIN = "/sites/join"
POLL_S = 20.0
LIMIT_S = 30.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


@dataclass(frozen=True, slots=True)
class Offer:
    """What a site has now. `catalog` differs when `workflows` do."""

    catalog: str
    workflows: tuple[Mapping[str, Json], ...]
    targets: tuple[Mapping[str, Json], ...] = ()


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What the hub has signed: who asks, with which role at most, for which workflow as it was told."""

    id: str
    caller: str
    role: str
    workflow: str
    pin: str
    inputs: Mapping[str, Json]


@dataclass(slots=True)
class Standing:
    """How it stands with a dispatch: `cancelled` when the hub wants its end, `waits` while a person has to let it
    through, and why. `changed` is called when that is another one."""

    changed: Callable[[], None] = lambda: None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    waits: str = ""

    def wait(self, why: str) -> None:
        if why != self.waits:
            self.waits = why
            self.changed()


class Works(Protocol):
    """What a site has and does. Implemented by `works`, and by `simulated`."""

    async def offer(self) -> Offer: ...

    async def carry_out(self, wanted: Dispatched, at: Standing) -> Mapping[str, Json]:
        """`outcome` (`refused`: nothing was begun), `run_id`, `outputs`, `message`, and `has_changed`: whether
        something was or may have been changed. Once, however often it is asked."""


class SiteEdge:
    def __init__(self, membership: Membership, works: Works, clock: Callable[[], float] = time.time) -> None:
        self._membership = membership
        self._works = works
        self._clock = clock
        self._client = HubClient(membership.hub, membership.tls)
        self._process = secrets.token_hex(8)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._standing: dict[str, Standing] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._told_catalog = ""
        self._wants_workflows = True
        self._key: Signer | None = None
        self.trouble = ""
        """Why the hub cannot be reached; empty while it can."""

    def _signer(self) -> "Signer":
        from runtime.sites.statements import Signer

        if self._key is None:
            self._key = Signer.of_text(self._membership.key, self._clock)
        return self._key

    async def watch(self) -> None:
        """Until cancelled: what the hub hands over is done. What is under way then goes on as the works have it."""
        try:
            while True:
                await self._tell(wait_s=POLL_S)
        finally:
            await self._close()

    async def _close(self) -> None:
        tasks = [*self._under_way.values(), *self._telling]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    def _note(self, trouble: str) -> None:
        if trouble != self.trouble:
            (log.warning if trouble else log.info)("the hub: %s", trouble or "reached again")
        self.trouble = trouble

    async def _tell(self, wait_s: float = 0.0, answers: tuple[Mapping[str, Json], ...] = ()) -> None:
        """Until the hub has heard, and what it hands over is taken."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self._take(await self._exchange(wait_s, answers))
                return
            except TargetError as error:
                self._note(error.message)
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    async def _exchange(self, wait_s: float = 0.0, answers: tuple[Mapping[str, Json], ...] = ()) -> Json:
        """What the hub says. Raises TargetError; also for a hub that does not take the message."""
        from runtime.sites.statements import fingerprint, hash_of

        offer = await self._works.offer()
        tells = self._wants_workflows or offer.catalog != self._told_catalog
        message = {
            "process": self._process,
            "version": version("switchgear"),
            "catalog": offer.catalog,
            "workflows": list(offer.workflows) if tells and wait_s else None,
            "targets": list(offer.targets) if tells and wait_s else None,
            "running": len(self._under_way),
            "has": list(self._under_way),
            "waits": {name: each.waits for name, each in self._standing.items() if each.waits},
            "answers": list(answers),
            "wait_s": 0 if tells else wait_s,
        }
        body, me = orjson.dumps(message), self._membership
        claims = {"body": hash_of(body)}
        statement = self._signer().sign(fingerprint(me.hub_key), claims, kid=me.site)
        reply = await self._client.send("POST", EXCHANGE, body, statement, LIMIT_S)
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise TargetError(told_status(reply.status, reply.body))
        if message["workflows"] is not None:
            self._told_catalog, self._wants_workflows = offer.catalog, False
        self._wants_workflows = self._wants_workflows or bool(reply.body.get("wants_workflows"))
        self._note("")
        return reply.body

    async def _take(self, said: Json) -> None:
        for each in said.get("dispatches", ()):
            try:
                wanted = self._checked(each)
            except (ValueError, KeyError, TypeError) as error:
                log.warning("a dispatch of the hub was not taken: %s", error)
                continue
            if wanted.id not in self._under_way:
                self._standing[wanted.id] = Standing(self._tell_soon)
                self._under_way[wanted.id] = asyncio.create_task(self._done(wanted))
        for each in said.get("ends", ()):
            try:
                known = self._standing.get(str(self._claims(each)["end"]))
            except (ValueError, KeyError, TypeError) as error:
                log.warning("that the hub wants something to end was not taken: %s", error)
                continue
            if known is not None:
                known.cancelled.set()

    def _claims(self, statement: str) -> Mapping[str, Json]:
        """Raises ValueError for what the hub has not signed for this site, now."""
        from runtime.sites.statements import OtherClock, UntrueStatement, checked, fingerprint

        key, site = self._membership.hub_key, self._membership.site
        try:
            return checked(statement, key, issuer=fingerprint(key), audience=site, clock=self._clock)
        except OtherClock as error:
            raise ValueError(f"{error}: set the clock of this site") from error
        except UntrueStatement as error:
            raise ValueError(str(error)) from error

    def _checked(self, each: Mapping[str, Json]) -> Dispatched:
        """Raises ValueError for what the hub has not signed, or not so, or that names nothing."""
        from runtime.sites.statements import hash_of_inputs

        inputs, claims = each["inputs"], self._claims(each["statement"])
        if claims["inputs"] != hash_of_inputs(inputs):
            raise ValueError("its inputs are not those that were signed")
        who, role, workflow, pin = (str(claims[each]) for each in ("sub", "role", "workflow", "pin"))
        return Dispatched(str(claims["dispatch"]), who, role, workflow, pin, inputs)

    def _tell_soon(self) -> None:
        """Has the hub hear how it stands, without waiting for work."""
        task = asyncio.create_task(self._tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _done(self, wanted: Dispatched) -> None:
        """Has it done, and tells the hub until it has heard."""
        try:
            answer = {"id": wanted.id, **await self._works.carry_out(wanted, self._standing[wanted.id])}
            await self._tell(answers=(answer,))
        finally:
            self._under_way.pop(wanted.id, None)
            self._standing.pop(wanted.id, None)


def told_status(status: int, body: Json) -> str:
    """What a hub that does not take a message says of it."""
    detail = body.get("detail", "") if isinstance(body, dict) else ""
    return f"it answered {status}: {detail}"
