"""Where sites come to: who is there, what each has, and the dispatches on their way to them and back.

A site asks for work and waits (`exchange`): nothing is ever opened towards it. A dispatch is handed over once, signed
for that site alone; it is handed over again, under the same id, to a site that has come back without knowing of it,
which runs it once whatever it knows (`works`). A site that says nothing for `lost_s` is gone: what it was handed is in
doubt, what it was not was never sent. All of it is this process's: after a restart sites come again, and a run that
was under way asks under the same id. What is cancelled here is taken back if it was not handed over; else the site
hears that its end is wanted, until it has no more of it. Called by the driver (`site_connections`) and by `api.sites`.
docs/SITES.md.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.errors import GovernanceError, InvalidError, NotFoundError
from governance.registry.targets import Target, TargetStore
from runtime.driver.exchange import Flight
from runtime.driver.site_connections import Asked
from runtime.errors import FateUnknown, NotSent, Refused
from runtime.problems import Problem
from runtime.sites.presence import Dispatch, Presence, SiteState

if TYPE_CHECKING:
    from runtime.sites.statements import Seen, Signer

log = logging.getLogger("switchgear.sites")
Json = Any
# A site asks again at once; what stands between keeps a connection for a minute.
POLL_S = 20.0
# Three polls, and the time of a restart.
LOST_S = 75.0
# What a site was handed and does not know of after so long, was lost on the way.
AGAIN_S = 10.0
MOST_HANDED = 16
# A site that is waited for after a restart is looked for so often.
WAITS_S = 0.2
# Of a sentence of the site's that people are shown.
MOST_WHY = 500
# More than the hub's own places for calls would only wait.
MOST_WAITING = 1_000
_CHALLENGE = (("www-authenticate", 'Bearer realm="sites"'),)
NOT_VALID = Problem(
    401, "no valid statement", "No site that is known here has signed this.", "see docs/SITES.md", _CHALLENGE
)
ANOTHER_PROCESS = Problem(
    409, "another process", "Another process of this site has come meanwhile.", "one server serves a site"
)
NO_HUB = Problem(404, "not found", "This server is no hub.", "set SWITCHGEAR_HUB_KEY")


class Hub:
    """`key_file`: of the hub's own key; empty: this is no hub."""

    not_come = "has not come since this hub was started"

    def __init__(self, targets: TargetStore, key_file: str = "") -> None:
        self._targets = targets
        self._key_file = key_file
        self._signer: Signer | None = None
        self._seen: Seen | None = None
        self._sites: dict[str, Presence] = {}
        self.poll_s, self.lost_s = POLL_S, LOST_S
        self._is_ending = False

    async def watch(self) -> None:
        """What has to be done all the time: nothing, where all is in memory."""

    async def refresh(self) -> None:
        """What others know of sites is known here, too."""

    async def close(self) -> None:
        """Lets go of all."""

    def let_go(self) -> None:
        """Sends home the sites that wait: the server stops."""
        self._is_ending = True
        for site in self._sites.values():
            site.bell.set()

    # Who comes

    @property
    def is_one(self) -> bool:
        return bool(self._key_file)

    def signer(self) -> "Signer":
        """The hub's key, read when it is first needed. Raises InvalidError where this is no hub."""
        from runtime.sites.statements import Seen, Signer

        if not self._key_file:
            raise InvalidError("this installation is no hub", "set SWITCHGEAR_HUB_KEY to a file for its key")
        if self._signer is None:
            self._signer, self._seen = Signer.made_at(Path(self._key_file)), Seen()
        return self._signer

    async def signed(self, statement: str) -> tuple[str, str]:
        """See `access.SiteDoor`: it counts once, for this hub, now. Raises Problem; why exactly, the log tells.

        A clock that differs is told, and noted: all else of the message was right.
        """
        from runtime.sites.statements import OtherClock, UntrueStatement, checked, signer_in

        if not self.is_one:
            raise NOT_VALID
        signer, name = self.signer(), ""
        try:
            name = signer_in(statement)
            claims = checked(statement, await self._key_of(name), issuer=name, audience=signer.name)
            assert self._seen is not None, "made with the signer"
            self._seen.take(claims)
        except OtherClock as error:
            await self._keep_out(name, error.off_s)
            told = f"The clock of the site differs from this hub's by {error.off_s:+.0f} s."
            raise Problem(401, "clock differs", told, "set the clock of the site", _CHALLENGE) from error
        except UntrueStatement as error:
            log.warning("a message of a site was refused: %s", error)
            raise NOT_VALID from error
        return name, str(claims.get("body"))

    async def _keep_out(self, name: str, off_s: float) -> None:
        self.presence_of(name).off_s = off_s

    async def _key_of(self, name: str) -> str:
        from runtime.sites.statements import UntrueStatement

        try:
            target = await self._targets.get(name)
        except NotFoundError:
            raise UntrueStatement("no site is called so") from None
        except GovernanceError as error:
            raise UntrueStatement(error.message) from error
        if target.server is None or not target.server.key:
            raise UntrueStatement("no site of that name has joined")
        return target.server.key

    @property
    def presences(self) -> Mapping[str, Presence]:
        """Of every site that has come, by name."""
        return self._sites

    def presence_of(self, name: str) -> Presence:
        now = asyncio.get_running_loop().time()
        return self._sites.setdefault(name, Presence(now))

    # What a site says, and what it is told

    async def exchange(self, name: str, message: Mapping[str, Json]) -> dict[str, Json]:
        """Takes what the site says, and answers with dispatches, when there are some or after a while."""
        self.check_serves()
        loop, site = asyncio.get_running_loop(), self.presence_of(name)
        self._heard(site, message)
        site.polls += bool(message.get("wait_s"))
        number, until = site.polls, loop.time() + min(float(message.get("wait_s", 0)), self.poll_s)
        self._bring_back(site, message)
        site.bell.set()  # an older poll of a process that is gone must take nothing
        if message.get("wait_s"):
            await self._waited(site, number, until)
        if message["process"] != site.process:
            raise ANOTHER_PROCESS
        is_last = number == site.polls or not message.get("wait_s")
        handed = [self._handed(name, site, each) for each in self._due(site)] if is_last else []
        ends = [self._ended(name, each) for each in _unwanted(site, loop.time())] if is_last else []
        return {"dispatches": handed, "ends": ends, "wants_workflows": site.wants_workflows}

    def check_serves(self) -> None:
        """Raises Problem."""
        if self._is_ending:
            raise Problem(503, "stopping", "This hub stops.", "come again in a moment")

    async def _waited(self, site: Presence, number: int, until: float) -> None:
        """Returns when there is something to say, a newer poll has come, or the time is over. Raises Problem."""
        loop = asyncio.get_running_loop()
        while not _is_due(site, loop.time()) and number == site.polls and loop.time() < until:
            self.check_serves()
            site.bell.clear()
            try:
                async with asyncio.timeout_at(until):
                    await site.bell.wait()
            except TimeoutError:
                return

    def _heard(self, site: Presence, message: Mapping[str, Json]) -> None:
        site.hear(message)
        if message["process"] != site.process:
            site.process, site.number = message["process"], 0
            for each in site.handed.values():
                each.handed_at = float("-inf")  # another process knows of nothing, but for what it says
        self._hear_of_dispatches(site, message)
        for answer in message["answers"]:
            found = site.handed.get(str(answer.get("id"))) or site.left.pop(str(answer.get("id")), None)
            if found is None:
                log.warning("an answer came to a dispatch that nobody waits for any more: %s", answer.get("id"))
            elif not found.answer.done():
                found.answer.set_result(answer)

    def _hear_of_dispatches(self, site: Presence, message: Mapping[str, Json]) -> None:
        """What waits for a person there, and what the site has no more of."""
        number = int(message.get("number") or site.number)
        if number < site.number:  # two on their way at once: this one was made before the other
            return
        site.number = number
        waits, has = message.get("waits") or {}, set(message["has"])
        for each in site.handed.values():
            why = str(waits.get(each.id, ""))[:MOST_WHY]
            if why != each.waits:
                each.waits = why
                each.asked.behalf.note(why)
        new = asyncio.get_running_loop().time() - AGAIN_S
        site.left = {key: each for key, each in site.left.items() if key in has or (each.handed_at or 0.0) > new}

    def _bring_back(self, site: Presence, message: Mapping[str, Json]) -> None:
        """Has what was handed over and did not arrive handed over again."""
        has, old = set(message["has"]), asyncio.get_running_loop().time() - AGAIN_S
        for each in list(site.handed.values()):
            if each.id not in has and each.handed_at is not None and each.handed_at < old and not each.answer.done():
                site.waiting[each.id] = each

    def _due(self, site: Presence) -> Iterator[Dispatch]:
        for key in list(site.waiting)[:MOST_HANDED]:
            yield site.waiting.pop(key)

    def _handed(self, name: str, site: Presence, dispatch: Dispatch) -> dict[str, Json]:
        asked = dispatch.asked
        dispatch.flight.may_have_left, dispatch.handed_at = True, asyncio.get_running_loop().time()
        site.handed[dispatch.id], dispatch.ended_at = dispatch, float("-inf")
        claims = {"sub": asked.behalf.caller, "role": asked.behalf.role, "workflow": asked.workflow, "pin": asked.pin}
        return self.statement_of(name, claims, dispatch.id, dict(asked.inputs))

    def statement_of(self, name: str, claims: Mapping[str, Json], dispatch: str, inputs: Json) -> dict[str, Json]:
        """What a site is handed: signed for it alone."""
        from runtime.sites.statements import hash_of_inputs

        about = {**claims, "dispatch": dispatch, "inputs": hash_of_inputs(inputs)}
        return {"statement": self.signer().sign(name, about), "inputs": inputs}

    def _ended(self, name: str, dispatch: Dispatch) -> str:
        """That the end of what was handed over is wanted, signed."""
        dispatch.ended_at = asyncio.get_running_loop().time()
        return self.signer().sign(name, {"sub": dispatch.asked.behalf.caller, "end": dispatch.id})

    # Dispatches: the port of `site_connections`

    async def send(self, site: str, asked: Asked, flight: Flight) -> Mapping[str, Json]:
        """See `Sites.send`."""
        presence = self.there(site)
        if asked.behalf.cancelled.is_set() and not asked.behalf.is_again:
            raise Refused(f"it was cancelled before {site} was handed anything")
        if len(presence.waiting) >= MOST_WAITING:
            raise NotSent(f"{len(presence.waiting)} dispatches wait for {site}", "ask again in a moment")
        future: asyncio.Future[Mapping[str, Json]] = asyncio.get_running_loop().create_future()
        dispatch = presence.waiting[asked.behalf.request] = Dispatch(asked, flight, future)
        presence.bell.set()
        taking_back = asyncio.create_task(_taken_back(site, presence, dispatch))
        try:
            return await self._answer(site, presence, dispatch)
        finally:
            taking_back.cancel()
            for held in (presence.waiting, presence.handed):
                if held.get(dispatch.id) is dispatch:
                    del held[dispatch.id]
            if dispatch.is_unwanted and dispatch.handed_at is not None:
                presence.left[dispatch.id] = dispatch
                presence.bell.set()

    async def _answer(self, site: str, presence: Presence, dispatch: Dispatch) -> Mapping[str, Json]:
        while not dispatch.answer.done():
            left_s = presence.seen_at + self.lost_s - asyncio.get_running_loop().time()
            if left_s > 0:
                await asyncio.wait((dispatch.answer,), timeout=left_s)
                continue
            remedy = "look at the site before asking again; nothing is repeated by itself"
            if dispatch.handed_at is None:
                raise NotSent(f"{site} went away before it was handed anything", "ask again when it is back")
            raise FateUnknown(f"{site} was handed this and has not been heard of for {self.lost_s:g} s", remedy)
        return dispatch.answer.result()

    async def wait_for(self, site: str) -> None:
        """See `Sites.wait_for`."""
        until = asyncio.get_running_loop().time() + self.lost_s
        while self.why_away(site) and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110  time counts too
            await asyncio.sleep(WAITS_S)

    def there(self, site: str) -> Presence:
        """Raises NotSent where it is not."""
        why = self.why_away(site)
        if why:
            raise NotSent(f"the site {site} {why}", "see `switchgear site list`")
        return self._sites[site]

    def why_away(self, site: str) -> str:
        """Why nothing can be handed to it now; empty where it can."""
        presence = self._sites.get(site)
        if not self.is_one:
            return "comes to the hub's server, which this process is not"
        if presence is None:
            return self.not_come
        if presence.off_s:
            return f"is kept out: its clock differs by {presence.off_s:+.0f} s"
        silent_s = asyncio.get_running_loop().time() - presence.seen_at
        return f"has not been heard of for {silent_s:.0f} s" if silent_s > self.lost_s else ""

    def pins(self, site: str) -> Mapping[str, str]:
        return self.there(site).pins

    def told(self, site: str) -> tuple[Mapping[str, Json], ...]:
        return tuple(self.there(site).workflows.values())

    def note_change(self, site: str) -> None:
        self.presence_of(site).has_changed = True

    def take_changed(self) -> frozenset[str]:
        found = frozenset(name for name, each in self._sites.items() if each.has_changed)
        for name in found:
            self._sites[name].has_changed = False
        return found

    def state_of(self, target: Target) -> SiteState:
        """What is known of a site, whether it is there or not."""
        server, presence = target.server, self._sites.get(target.name)
        assert server is not None, "it is a site"
        why = "has not joined" if not server.key else "is disabled" if not server.is_enabled else ""
        why = why or self.why_away(target.name)
        known = presence or Presence(0.0)
        silent_s = asyncio.get_running_loop().time() - known.seen_at if presence and presence.process else None
        return SiteState(target.name, dict(target.labels), why, silent_s, known)


def _unwanted(site: Presence, now: float) -> list[Dispatch]:
    """What the site has, whose end is wanted, and has not heard so for a while."""
    every = [each for each in (*site.handed.values(), *site.left.values()) if each.is_unwanted]
    return [each for each in every if each.id not in site.waiting and each.ended_at < now - AGAIN_S]


def _is_due(site: Presence, now: float) -> bool:
    """Whether there is something to tell the site."""
    return bool(site.waiting or site.wants_workflows or _unwanted(site, now))


async def _taken_back(site: str, presence: Presence, dispatch: Dispatch) -> None:
    """Waits until the dispatch is not wanted any more: one that was not handed over is not."""
    behalf = dispatch.asked.behalf
    await behalf.cancelled.wait()
    if behalf.is_again or presence.waiting.get(dispatch.id) is not dispatch or dispatch.handed_at is not None:
        presence.bell.set()
    elif not dispatch.answer.done():
        del presence.waiting[dispatch.id]
        dispatch.answer.set_exception(Refused(f"it was cancelled before {site} was handed anything"))
