"""The hub in several processes on one PostgreSQL database: what one memory knows in `hub`, rows know here.

A site's connection leads to any replica, and a run waits for it at any. Each message of a site is taken into rows, each
question for work is answered out of them (`governance.site_exchange`), and who waits looks there when it is told to,
or after a while. What rows say of sites is read again once a second, so that all replicas answer alike. A replica that
dies takes nothing with it: its runs are taken up by another (`engines.supervisor`), which asks under the same id and
finds the answer, or waits for it; what was handed to a site that does not know of it is handed again. The rules are
those of `hub`; what stands in rows, and who may write there, is told in docs/SITES.md.
"""

import asyncio
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial
from itertools import chain
from typing import Any

from governance.errors import GovernanceError, RefusedError, TamperedError
from governance.registry.targets import TargetStore
from governance.site_exchange import ANSWER, OLD_S, SITE, Claimed, Heard, SiteExchange, SiteSeen
from governance.storage.shared import SharedRows
from runtime.driver.exchange import Flight
from runtime.driver.site_connections import Asked
from runtime.errors import Refused
from runtime.observing.rounds import Rounds
from runtime.sites.awaited import LOOK_S, PAUSE_S, AwaitedDispatch
from runtime.sites.hub import AGAIN_S, ANOTHER_PROCESS, MOST_HANDED, MOST_WHY, NOT_VALID, Hub
from runtime.sites.presence import Presence
from runtime.sites.seals import KEY_BYTES, Seals

log = logging.getLogger("switchgear.sites")
Json = Any
REFRESH_S = 1.0
# In rounds: with something under way, and without.
KEEP_EVERY, SWEEP_EVERY = 3, 60
PURPOSE = "switchgear: rows between replicas of a hub"


class SharedHub(Hub):
    """`rows`: of the database that all replicas have."""

    not_come = "has not come yet"

    def __init__(self, targets: TargetStore, key_file: str, rows: SharedRows) -> None:
        super().__init__(targets, key_file)
        self._rows = rows
        self._exchange = SiteExchange(rows, secrets.token_hex(8))
        self._marks: dict[str, str] = {}
        self._words: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._soon: set[asyncio.Task[None]] = set()
        self._rounds = Rounds(log, "what other replicas know of sites cannot be read")

    @cached_property
    def _seals(self) -> Seals:
        return Seals(self.signer().derived(PURPOSE, KEY_BYTES))

    # What all replicas know

    async def watch(self) -> None:
        """Until cancelled: what rows say of sites is read, and that this process waits for what it sent is told."""
        listening, number = asyncio.create_task(self._listen()), 0
        try:
            while True:
                with self._rounds.one():
                    await self.refresh()
                if number % (KEEP_EVERY if self._words else SWEEP_EVERY) == 0:
                    with self._rounds.one():
                        await self._exchange.keep()
                number += 1
                await asyncio.sleep(REFRESH_S)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def close(self) -> None:
        await asyncio.gather(*self._soon, return_exceptions=True)
        await self._rows.close()

    async def _listen(self) -> None:
        while True:
            with suppress(GovernanceError):
                async for word in self._rows.words():
                    self._ring(word)
            self._ring("")
            await asyncio.sleep(PAUSE_S)

    def _ring(self, word: str) -> None:
        """Wakes who waits for this; an empty word: everybody, since some may have been lost."""
        for bell in self._bells_of(word):
            bell.set()

    def _bells_of(self, word: str) -> Iterator[asyncio.Event]:
        if not word:
            yield from (site.bell for site in self.presences.values())
            yield from chain.from_iterable(self._words.values())
        elif word.startswith(SITE):
            site = self.presences.get(word.removeprefix(SITE))
            yield from () if site is None else (site.bell,)
        else:
            yield from self._words.get(word.removeprefix(ANSWER), ())

    async def refresh(self) -> None:
        """Reads what rows say of every site. Raises GovernanceError."""
        for seen in await self._exchange.seen(self._marks):
            try:
                self._adopt(seen)
            except TamperedError as error:
                log.error("the site %s: %s", seen.name, error.message)

    def _adopt(self, seen: SiteSeen) -> None:
        """Raises TamperedError."""
        state = self._seals.open(seen.state, "state", seen.name)
        told = self._seals.open(seen.told, "told", seen.name) if seen.told else None
        site = self.presence_of(seen.name)
        site.seen_at = asyncio.get_running_loop().time() - seen.silent_s
        site.process, site.counted = seen.process, seen.under_way
        site.version, site.catalog, site.running = state["version"], state["catalog"], state["running"]
        site.off_s = state["off_s"]
        if told is not None:
            site.targets = tuple(told["targets"])
            site.take_workflows(told["workflows"], told["catalog"])
        self._marks[seen.name] = seen.mark

    async def _keep_out(self, name: str, off_s: float) -> None:
        site = self.presence_of(name)
        site.off_s = off_s
        with suppress(GovernanceError):  # it comes again, and is kept out again
            await self._exchange.keep_out(name, self._state(name, site))

    def _state(self, name: str, site: Presence) -> str:
        told = {each: getattr(site, each) for each in ("version", "catalog", "running", "off_s")}
        return self._seals.close(told, "state", name)

    # What a site says, and what it is told

    async def exchange(self, name: str, message: Mapping[str, Json]) -> dict[str, Json]:
        """As `Hub.exchange`; work is handed to questions for it alone. Raises GovernanceError, too."""
        self.check_serves()
        site, loop = self.presence_of(name), asyncio.get_running_loop()
        until = loop.time() + min(float(message.get("wait_s", 0)), self.poll_s)
        heard = await self._taken(name, site, message)
        if not heard.is_poll:
            return {"dispatches": [], "ends": [], "wants_workflows": site.wants_workflows}
        claimed = await self._claimed(name, site, heard, until)
        if claimed.process != heard.process:
            raise ANOTHER_PROCESS
        handed = [each for each in (self._signed(name, *row) for row in claimed.due) if each is not None]
        ends = [each for each in (self._signed_end(name, *row) for row in claimed.ends) if each]
        return {"dispatches": handed, "ends": ends, "wants_workflows": site.wants_workflows}

    async def _taken(self, name: str, site: Presence, message: Mapping[str, Json]) -> Heard:
        """Raises Problem, GovernanceError."""
        before = (site.catalog, site.told_catalog)
        site.hear(message)
        if before == ("", None) and message.get("workflows") is None:
            await self.refresh()  # another replica may know what it has
            site.hear(message)
        is_told = message.get("workflows") is not None
        told = {"workflows": list(site.workflows.values()), "targets": list(site.targets), "catalog": site.catalog}
        heard = Heard(
            name, message["process"], int(message.get("number") or 0), bool(message.get("wait_s")),
            self._state(name, site), self._seals.close(told, "told", name) if is_told else None,
            frozenset(message["has"]),
            {each: self._seals.close(str(why)[:MOST_WHY], "waits", name, each)
             for each, why in (message.get("waits") or {}).items() if why},
            {str(each.get("id")): self._seals.close(each, "answer", name, str(each.get("id")))
             for each in message["answers"]},
        )  # fmt: skip
        try:
            _, strays = await self._exchange.hear(heard)
        except RefusedError as error:
            log.warning("a message of the site %s was refused: %s", name, error.message)
            raise NOT_VALID from error
        site.process = heard.process
        for each in heard.answers.keys() - set(strays):
            self._ring(ANSWER + each)
        for each in strays:
            log.warning("an answer came to a dispatch that nobody waits for any more: %s", each)
        return heard

    async def _claimed(self, name: str, site: Presence, heard: Heard, until: float) -> Claimed:
        """What there is to tell the site, when there is some, a newer question has come, or the time is over."""
        loop = asyncio.get_running_loop()
        while True:
            site.bell.clear()
            claimed = await self._claimed_whole(name, heard)
            is_told = bool(claimed.due or claimed.ends or site.wants_workflows)
            if is_told or not claimed.is_newest or claimed.process != heard.process or loop.time() >= until:
                return claimed
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(until, loop.time() + LOOK_S)):
                    await site.bell.wait()
            self.check_serves()

    async def _claimed_whole(self, name: str, heard: Heard) -> Claimed:
        """As `SiteExchange.claim`; what is claimed for a site that went away meanwhile is given back."""
        claiming = asyncio.create_task(self._exchange.claim(heard, MOST_HANDED, AGAIN_S))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            self._later(self._given_back(claiming, name))
            raise

    async def _given_back(self, claiming: "asyncio.Task[Claimed]", name: str) -> None:
        await self._exchange.give_back(await claiming, name)

    def _signed(self, name: str, dispatch: str, asked: str) -> dict[str, Json] | None:
        """What is handed over; None for what this hub did not write, or long ago."""
        try:
            told = self._seals.open(asked, "asked", name, dispatch)
        except TamperedError as error:
            log.error("nothing is handed to the site %s: %s", name, error.message)
            return None
        if not -OLD_S < time.time() - told["made"] < OLD_S:
            log.error("nothing is handed to the site %s: the dispatch %s is from another day", name, dispatch)
            return None
        claims = {each: told[each] for each in ("sub", "role", "workflow", "pin")}
        return self.statement_of(name, claims, dispatch, told["inputs"])

    def _signed_end(self, name: str, dispatch: str, unwanted: str) -> str:
        try:
            told = self._seals.open(unwanted, "unwanted", name, dispatch)
        except TamperedError as error:
            log.error("the site %s is told of no end: %s", name, error.message)
            return ""
        return self.signer().sign(name, {"sub": told["sub"], "end": dispatch})

    # Dispatches: the port of `site_connections`

    async def send(self, site: str, asked: Asked, flight: Flight) -> Mapping[str, Json]:
        """See `Sites.send`."""
        self.there(site)
        name, behalf = asked.behalf.request, asked.behalf
        if behalf.cancelled.is_set() and not behalf.is_again:
            raise Refused(f"it was cancelled before {site} was handed anything")
        way = AwaitedDispatch(self._exchange, self._seals, site, asked, flight, partial(self._left_s, site))
        self._words[name].add(way.told)
        try:
            await way.post()
            self._ring(SITE + site)
            return await way.answer()
        finally:
            self._words[name].discard(way.told)
            if not self._words[name]:
                del self._words[name]
            self._later(way.leave())

    def _left_s(self, site: str, known_at: float) -> float:
        return min(self.presence_of(site).seen_at, known_at) + self.lost_s - asyncio.get_running_loop().time()

    def _later(self, act: "Coroutine[Any, Any, None]") -> None:
        """Has it done, while nobody waits; what fails is done by time (`SiteExchange.keep`)."""
        task = asyncio.create_task(_quietly(act))
        self._soon.add(task)
        task.add_done_callback(self._soon.discard)


def shared_hub_at(address: str, targets: TargetStore, key_file: str) -> SharedHub:
    return SharedHub(targets, key_file, SharedRows(address))


async def _quietly(act: "Coroutine[Any, Any, None]") -> None:
    try:
        await act
    except GovernanceError as error:
        log.warning("what is over could not be noted: %s", error.message)
