"""A hub of two processes on one PostgreSQL database: a site comes to one of them, and is asked by either, once.

Here both are of one process, of which one carries out changes; processes of their own are in `test_hub_of_processes`.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from governance.errors import RefusedError, TamperedError
from governance.site_exchange import Heard, SiteExchange
from governance.storage import schema
from governance.storage.locks import locks_of
from governance.storage.shared import SharedRows
from runtime.driver.behalf import Behalf
from runtime.driver.exchange import Flight
from runtime.driver.site_connections import Asked
from runtime.errors import StartRefused
from runtime.sites.charge import HubCharge
from runtime.sites.hub import AGAIN_S
from runtime.sites.seals import KEY_BYTES, Seals
from runtime.sites.simulated import SimulatedWorks
from runtime.sites.statements import Signer
from tests.runtime.sites.houses import READ, SET, Hub, Site, hub_at
from tests.waiting import PATIENCE_S, until


@dataclass
class Two:
    one: Hub
    other: Hub
    url: str

    async def joined(self, name: str, works: Any = None) -> Site:
        """A site that comes to the other one, and is known to both."""
        site = await self.other.join(name, works)
        await self.other.approve(name, READ, SET)
        await until(
            lambda: not self.one.service.hub.why_away(name) and self.one.service.hub.pins(name), "it to be known"
        )
        await self.one.service.live.reload()
        return site


@pytest.fixture
async def two(postgres_server: Any, tmp_path: Path, tools: Any, witness: Any) -> AsyncIterator[Two]:
    url, key = postgres_server.new_database(), tmp_path / "hub.key"
    await asyncio.to_thread(schema.upgrade, url)
    async with hub_at(url, key, tools, witness) as one, hub_at(url, key, tools, witness, []) as other:
        try:
            yield Two(one, other, url)
        finally:
            for site in other.sites:
                await site.kill()


@pytest.fixture
async def exchange(postgres_server: Any) -> AsyncIterator[SiteExchange]:
    rows = SharedRows(postgres_server.migrated_schema())
    yield SiteExchange(rows, "a")
    await rows.close()


@pytest.mark.slow
async def test_a_site_that_comes_to_one_process_is_asked_by_either_and_both_tell_the_same_of_it(two: Two) -> None:
    site = await two.joined("oslo")
    changed = await two.one.call(f"site_oslo_{SET}", room="hall", level=5)
    reads = [await hub.call(f"site_oslo_{READ}", room="hall") for hub in (two.one, two.other)]
    assert (changed.outcome, [each.outputs["level"] for each in reads]) == ("succeeded", [5, 5])
    assert [path for _, path in site.works.heard] == [f"/tools/{each}" for each in (SET, READ, READ)]
    shown: list[Any] = []

    async def are_alike() -> bool:
        async with two.one.rest() as asking:
            shown[:] = [(await asking.get(url + "/sites")).json() for url in (two.one.run.url, two.other.run.url)]
        for each in (*shown[0], *shown[1]):
            del each["heard_of_s"]
        return bool(shown[0] == shown[1])

    await until(are_alike, "both to tell the same of it")
    assert shown[0][0]["is_well"]


@pytest.mark.slow
async def test_a_run_of_one_process_is_cancelled_by_another_at_a_site_that_comes_there(two: Two) -> None:
    site = await two.joined("oslo", SimulatedWorks(0, 7, pause_s=PATIENCE_S))
    calling = asyncio.create_task(two.one.call(f"site_oslo_{SET}", room="hall", level=5))
    await until(lambda: site.works.callers, "the site to begin")
    (run,) = await two.other.service.runs.find(caller="ann")
    await two.other.service.open_runs.ask_cancel(run.id, actor="ann")
    ended = await calling
    assert (ended.outcome, ended.failure.may_be_done) == ("cancelled", ())
    assert site.works.works.done.total() == 0


@pytest.mark.slow
async def test_what_is_cancelled_before_either_process_handed_it_over_is_taken_back(two: Two) -> None:
    site = await two.joined("oslo")
    await site.kill()
    calling = asyncio.create_task(two.one.call(f"site_oslo_{SET}", room="hall", level=5))
    (run,) = await until(lambda: two.other.service.runs.find(caller="ann"), "the run to be on record")
    await until(lambda: two.other.service.hub._sites["oslo"].under_way == 1, "both to know of it")
    await two.other.service.open_runs.ask_cancel(run.id, actor="ann")
    ended = await calling
    assert (ended.outcome, ended.failure.code, ended.failure.may_be_done) == ("cancelled", "cancelled", ())
    site.start()
    again = await two.other.call(f"site_oslo_{READ}", room="hall")
    assert (again.outcome, len(site.works.callers)) == ("succeeded", 1)


@pytest.mark.slow
async def test_a_dispatch_that_somebody_wrote_or_altered_is_handed_to_nobody(two: Two) -> None:
    site = await two.joined("oslo")
    await site.kill()
    hub, behalf = two.one.service.hub, Behalf("ann", "operator", "r-1.1")
    sending = asyncio.create_task(hub.send("oslo", Asked(SET, "", {"room": "hall", "level": 3}, behalf), Flight()))
    rows = SharedRows(two.url)
    altered = text("UPDATE site_dispatches SET asked = reverse(asked)")
    await until(lambda: rows.change(lambda c: c.execute(altered).rowcount), "it to wait")
    site.start()
    taken = text("SELECT count(*) FROM site_dispatches WHERE handed_at IS NOT NULL")
    await until(lambda: rows.change(lambda c: c.execute(taken).scalar_one()), "it to be looked at")
    await two.other.call(f"site_oslo_{READ}", room="hall")
    assert [path for _, path in site.works.heard] == [f"/tools/{READ}"]
    sending.cancel()
    await asyncio.wait((sending,))
    await rows.close()


async def test_what_a_hub_closed_opens_for_it_alone_and_for_what_it_was_closed() -> None:
    key = Signer.new().derived("test", KEY_BYTES)
    closed = Seals(key).close({"level": 3}, "asked", "oslo", "r-1.1")
    assert Seals(key).open(closed, "asked", "oslo", "r-1.1") == {"level": 3}
    assert "level" not in closed
    other = Seals(Signer.new().derived("test", KEY_BYTES))
    for seals, about in ((Seals(key), ("answer", "oslo", "r-1.1")), (other, ("asked", "oslo", "r-1.1"))):
        with pytest.raises(TamperedError):
            seals.open(closed, *about)


def said(number: int, *has: str, process: str = "p", **answers: str) -> Heard:
    return Heard("oslo", process, number, number > 0, "s", None, frozenset(has), answers=answers)


@pytest.mark.slow
async def test_of_two_questions_of_a_site_one_is_handed_a_dispatch_and_it_is_handed_again_if_it_was_lost(
    exchange: SiteExchange,
) -> None:
    await exchange.hear(said(1))
    await exchange.post("d-1", "oslo", "asked", 9)
    await exchange.hear(said(2))
    found = await asyncio.gather(*(exchange.claim(said(number), 9, AGAIN_S) for number in (1, 2)))
    assert [(each.is_newest, each.due) for each in found] == [(False, ()), (True, (("d-1", "asked"),))]
    assert not await exchange.take_back("d-1")
    with pytest.raises(RefusedError):
        await exchange.hear(said(2))
    await exchange.hear(said(3, "d-1"))
    assert (await exchange.claim(said(3, "d-1"), 9, 0.0)).due == ()
    await exchange.hear(said(4))
    assert (await exchange.claim(said(4), 9, AGAIN_S)).due == ()
    assert (await exchange.claim(said(4), 9, 0.0)).due == (("d-1", "asked"),)
    await exchange.hear(said(1, process="q"))
    assert (await exchange.claim(said(1, process="q"), 9, AGAIN_S)).due == (("d-1", "asked"),)
    assert await exchange.hear(said(0, process="q", **{"d-1": "good", "d-2": "?"})) == (True, ("d-2",))
    state = await exchange.look("d-1")
    assert state is not None
    assert (state.was_handed, state.answer) == (True, "good")
    await exchange.leave("d-1", is_over=True, is_unwanted=False)
    assert await exchange.look("d-1") is None


@pytest.mark.slow
async def test_what_a_process_left_that_is_gone_waits_for_another_one(exchange: SiteExchange) -> None:
    await exchange.hear(said(1))
    await exchange.post("d-1", "oslo", "asked", 9)
    await exchange.rows.change(lambda c: c.execute(text("UPDATE site_dispatches SET kept_until = made_at")))
    assert (await exchange.claim(said(1), 9, AGAIN_S)).due == ()
    other = SiteExchange(exchange.rows, "b")
    await other.post("d-1", "oslo", "as it would ask", 9)
    claimed = await exchange.claim(said(1), 9, AGAIN_S)
    assert claimed.due == (("d-1", "asked"),)
    await exchange.give_back(claimed, "oslo")
    assert (await exchange.claim(said(1), 9, AGAIN_S)).due == (("d-1", "asked"),)
    await exchange.leave("d-1", is_over=True, is_unwanted=False)
    assert await exchange.look("d-1") is not None


@pytest.mark.slow
async def test_processes_with_one_key_share_the_hub_and_one_with_another_key_is_refused(
    two: Two, tmp_path: Path
) -> None:
    same, other, third = (locks_of(two.url) for _ in range(3))
    try:
        await HubCharge(two.one.service.hub, same).take()
        await HubCharge(two.other.service.hub, third).take()
        stranger = type(two.one.service.hub)(two.one.service.targets, str(tmp_path / "other.key"), SharedRows(two.url))
        with pytest.raises(StartRefused, match="another key"):
            await HubCharge(stranger, other).take()
        assert not await other.hold("hub")
    finally:
        for each in (same, other, third):
            await each.close()
