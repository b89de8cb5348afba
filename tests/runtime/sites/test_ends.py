"""How a run at a site ends, and how it is told at the hub: cancelled here, waiting there, done in part."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.people.scopes import WHOLE
from governance.runs.runs import Run
from governance.storage.locks import locks_of
from runtime.calls.under_way import Running, Wanted
from runtime.driver.behalf import Behalf
from runtime.driver.exchange import Flight
from runtime.driver.site_connections import Asked
from runtime.engines import executor
from runtime.engines.executor import Executor
from runtime.errors import NotSent, StartRefused
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from runtime.sites import fleet
from runtime.sites.charge import HubCharge
from runtime.sites.contents import pin_of_site
from runtime.sites.edge import Dispatched, Standing
from runtime.sites.fleet import Doing, SiteSelection
from runtime.sites.hub import AGAIN_S
from runtime.sites.hub import Hub as HubOfSites
from runtime.sites.membership import Membership
from runtime.sites.simulated import SimulatedWorks
from runtime.sites.works import ServiceWorks
from tests.runtime.sites.houses import ANN, READ, SET, Hub, hub_at
from tests.waiting import PATIENCE_S, until


class Saying:
    """Works that say how it ended."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer
        self.plain = SimulatedWorks(1, 7)

    async def offer(self) -> Any:
        return await self.plain.offer()

    async def carry_out(self, wanted: Dispatched, at: Standing) -> Any:
        return {"run_id": "r-1", "outputs": {}, "message": "the hall is locked.", **self.answer}


async def begun(hub: Hub, tool: str, **inputs: Any) -> tuple["asyncio.Task[Any]", Run]:
    """A call under way, and its run."""
    calling = asyncio.create_task(hub.call(tool, **inputs))
    (run,) = await until(lambda: hub.service.runs.find(caller="ann"), "the run to be on record")
    return calling, run


async def test_a_run_that_is_cancelled_at_the_hub_ends_at_the_site(hub: Hub) -> None:
    site = await hub.join("oslo", SimulatedWorks(0, 7, pause_s=PATIENCE_S))
    await hub.approve("oslo", SET, READ)
    for number, (tool, inputs) in enumerate(((SET, {"room": "hall", "level": 5}), (READ, {"room": "hall"})), 1):
        calling = asyncio.create_task(hub.call(f"site_oslo_{tool}", **inputs))
        await until(lambda n=number: len(site.works.callers) == n, "the site to begin")  # type: ignore[misc]
        (run,) = [each for each in await hub.service.runs.find(caller="ann") if each.outcome is None]
        await hub.service.open_runs.ask_cancel(run.id, actor="ann")
        ended = await calling
        assert (ended.outcome, ended.failure.done, ended.failure.may_be_done) == ("cancelled", (), ()), ended
        await until(lambda n=number: len(site.works.answers) == n, "the site to end it")  # type: ignore[misc]
        await hub.service.engine.settle()
    assert [each["outcome"] for each in site.works.answers] == ["cancelled", "cancelled"]
    assert site.works.works.done.total() == 0


async def test_what_is_cancelled_before_it_was_handed_over_is_taken_back(hub: Hub) -> None:
    site = await hub.join("oslo")
    await hub.approve("oslo", SET)
    await site.kill()
    calling, run = await begun(hub, f"site_oslo_{SET}", room="hall", level=5)
    seen = hub.service.hub._sites["oslo"]
    await until(lambda: seen.waiting, "it to wait for the site")
    await hub.service.open_runs.ask_cancel(run.id, actor="ann")
    ended = await calling
    assert (ended.outcome, ended.failure.code, ended.failure.may_be_done) == ("cancelled", "cancelled", ())
    before = seen.polls
    site.start()
    await until(lambda: seen.polls > before, "the site to ask for work")
    assert site.works.callers == []


async def test_the_end_of_a_read_that_nobody_waits_for_is_told_until_the_site_has_no_more_of_it(
    hub: Hub, clock: Any
) -> None:
    sites, behalf = hub.service.hub, Behalf("ann", "operator", "r-1.1")

    async def said(*has: str, number: int = 0, **waits: str) -> Any:
        """What the hub answers to a site that says what it has under way."""
        about = {"process": "p", "version": "1", "catalog": "c", "workflows": [], "targets": [], "running": len(has)}
        return await sites.exchange(
            "oslo", {**about, "has": list(has), "waits": waits, "number": number, "answers": [], "wait_s": 0}
        )

    await said()
    sending = asyncio.create_task(sites.send("oslo", Asked(READ, "", {}, behalf), Flight()))
    await until(lambda: sites._sites["oslo"].waiting)
    assert len((await said())["dispatches"]) == 1
    await said("r-1.1", number=2, **{"r-1.1": "somebody is asked"})
    await said("r-1.1", number=1)  # which was overtaken
    assert sites._sites["oslo"].handed["r-1.1"].waits == "somebody is asked"
    behalf.cancelled.set()
    sending.cancel()
    await asyncio.wait((sending,))
    assert [len((await said("r-1.1"))["ends"]) for _ in range(2)] == [1, 0], "once, and not each time"
    clock.jump(AGAIN_S + 1)
    assert len((await said("r-1.1"))["ends"]) == 1, "again, where it still has it"
    clock.jump(AGAIN_S + 1)
    assert (await said())["ends"] == []
    assert sites._sites["oslo"].left == {}


async def dispatched(service: Any) -> tuple[ServiceWorks, Dispatched]:
    """A real site's works, and a change that a hub wants of them."""
    membership = Membership("http://127.0.0.1:9", "", "verify", "oslo", "", "operator", WHOLE)
    works = ServiceWorks(service, membership)
    told = {str(each["name"]): each for each in (await works.offer()).workflows}
    pin = pin_of_site(told["toy_stop_vm"])
    return works, Dispatched("d-1", "ann", "operator", "toy_stop_vm", pin, {"uuid": "u-1"})


async def test_a_run_that_the_hub_wants_to_end_stops_at_the_site_between_two_requests(
    site_house: Any, device: Any
) -> None:
    service, at = site_house.service, Standing()
    works, wanted = await dispatched(service)
    asked, goes_on = asyncio.Event(), asyncio.Event()

    async def holds(_: Any) -> bool:
        asked.set()
        await goes_on.wait()
        return True

    device.script.before_stop = holds
    service.engine.watch()
    doing = asyncio.create_task(works.carry_out(wanted, at))
    await asked.wait()
    at.cancelled.set()

    async def is_asked_there() -> bool:
        return any(each.cancel_by == "hub:ann" for each in await service.open_runs.look())

    await until(is_asked_there, "its end to be asked for")
    goes_on.set()
    answer = await doing
    assert (answer["outcome"], answer["has_changed"]) == ("cancelled", True), answer
    assert [heard.method for heard in device.heard] == ["POST"], "the job is not asked for any more"


ANSWERS = (("cancelled", "cancelled"), ("refuse", "refused"), ("let through", "succeeded"))


async def test_what_a_person_at_the_site_has_to_let_through_waits_there_and_tells_the_hub(
    site_house: Any, device: Any
) -> None:
    service = site_house.service
    policy = policy_of({"ask": [{"classes": ["disrupt"]}], "self_approval": True})
    await PolicyStore(service.database).apply(policy, actor="boss")
    works, plain = await dispatched(service)
    for number, (answer, outcome) in enumerate(ANSWERS, 1):
        at, heard = Standing(), list[str]()
        at.changed = lambda at=at, heard=heard: heard.append(at.waits)  # type: ignore[misc]
        wanted = replace(plain, id=f"d-{number}", inputs={"uuid": f"u-{number}"})
        doing = asyncio.create_task(works.carry_out(wanted, at))
        await until(lambda heard=heard: heard, "it to wait")  # type: ignore[misc]
        assert "a person there has to let it through until" in heard[0]
        if answer == "cancelled":
            at.cancelled.set()
        else:
            ask = (await service.asks.recent())[0]
            await service.asks.answer(ask.id, answer, actor="olga", role="approver", reason="not today")
        told = await doing
        assert told["outcome"] == outcome, told
        assert ("not today" in told["message"]) == (answer == "refuse")
        assert heard[-1] == ""
        assert len([each for each in device.heard if each.method == "POST"]) == (answer == "let through")


class Asking(SimulatedWorks):
    """Works that wait for a person before each change."""

    let_through: asyncio.Event

    async def carry_out(self, wanted: Dispatched, at: Standing) -> Mapping[str, Any]:
        at.wait("a person there has to let it through until tomorrow")
        await self.let_through.wait()
        at.wait("")
        return await super().carry_out(wanted, at)


async def test_a_call_that_waits_for_a_person_at_the_site_is_told_so_at_once_and_its_run_is_taken_up(hub: Hub) -> None:
    works = Asking(1, 7)
    works.let_through = asyncio.Event()
    await hub.join("oslo", works)
    await hub.approve("oslo", SET)
    under_way, wish = hub.service.under_way, {"room": "hall", "level": 5}
    under_way.wait_s = 2 * PATIENCE_S
    async with asyncio.timeout(PATIENCE_S):
        told = await under_way.call(Wanted(hub.service.live.now.find(f"site_oslo_{SET}"), wish, None, ANN))
    assert isinstance(told, Running)
    assert told.outcome == "waiting"
    assert told.progress is not None
    assert "oslo: a person there has to let it through" in told.progress.message
    other = {"room": "roof", "level": 6}
    async with hub.rest() as client:
        answer = await client.post(f"/tools/site_oslo_{SET}", json=other)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "waiting"), answer.text
    assert f"/runs/{answer.json()['run_id']}?wait=" in answer.headers["location"]
    works.let_through.set()
    ended = await under_way.look(told.run_id, ANN, None)
    assert (ended.outcome, dict(ended.outputs)) == ("succeeded", wish)


ENDS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"outcome": "partial"}, ("call",)),
    ({"outcome": "failed", "has_changed": True}, ("call",)),
    ({"outcome": "failed", "has_changed": False}, ()),
    ({"outcome": "cancelled", "has_changed": True}, ("call",)),
]


async def test_what_a_site_says_of_an_end_is_what_the_hub_says(hub: Hub) -> None:
    works, outputs = Saying({}), {"room": "hall", "level": 5}
    await hub.join("oslo", works)
    await hub.approve("oslo", SET)
    for answer, done in ENDS:
        works.answer = answer
        ended = await hub.call(f"site_oslo_{SET}", room="hall", level=5)
        assert (ended.outcome, ended.failure.done) == (answer["outcome"], done), ended
        assert ended.failure.code == f"{answer['outcome']}_there"
        assert "the hall is locked" in ended.failure.message
    works.answer = {"outcome": "pending", "outputs": outputs, "message": "after the next start."}
    ended = await hub.call(f"site_oslo_{SET}", room="hall", level=5)
    assert (ended.outcome, dict(ended.outputs)) == ("pending", outputs), ended
    assert "after the next start" in ended.note


@pytest.mark.long
async def test_a_site_that_has_surely_done_nothing_is_replaced_and_one_that_has_done_a_part_is_not(three: Hub) -> None:
    first, wish = three.sites[0].works, SiteSelection.of({"workflow": SET})
    first.works = Saying({"outcome": "failed", "has_changed": False})
    done = await fleet.satisfy(three.service, wish, Doing({"room": "roof", "level": 4}), 1, ANN)
    assert [(each["site"], each["outcome"]) for each in done["results"]] == [("oslo", "failed"), ("rome", "succeeded")]
    first.works = Saying({"outcome": "partial"})
    done = await fleet.satisfy(three.service, wish, Doing({"room": "hall", "level": 4}), 1, ANN)
    assert [(each["site"], each["outcome"]) for each in done["results"]] == [("oslo", "partial")]
    assert "may have: look at these" in done["why"]


# One process


async def test_a_second_process_is_not_the_hub_until_the_first_has_ended(migrated_url: str, tmp_path: Path) -> None:
    hubs = [HubOfSites(None, str(tmp_path / "hub.key")) for _ in range(2)]  # type: ignore[arg-type]
    locks = [locks_of(migrated_url) for _ in hubs]
    first, second = (HubCharge(hub, lock) for hub, lock in zip(hubs, locks, strict=True))
    await first.take()
    with pytest.raises(StartRefused, match="another process on this SQLite file is the hub already") as raised:
        await second.take()
    assert "without SWITCHGEAR_HUB_KEY" in raised.value.remedy
    await HubCharge(HubOfSites(None), locks[1]).take()  # type: ignore[arg-type]  which is no hub
    await second.watch()
    assert hubs[1]._is_ending, "one that lost its lock lets its sites go to the other"
    await locks[0].close()
    await second.take()
    await locks[1].close()


async def test_what_a_hub_left_is_taken_up_by_a_hub_at_once_and_by_others_when_none_has_come(
    migrated_url: str, clock: Any
) -> None:
    gone, locks = f"{Executor(locks_of(migrated_url), is_hub=True).name}", locks_of(migrated_url)
    plain, hub = Executor(locks), Executor(locks, is_hub=True)
    assert await hub.is_dead(gone)
    assert not await plain.is_dead(gone)
    clock.jump(executor.HUB_MOURNED_S)
    assert await plain.is_dead(gone)
    await locks.close()


@pytest.mark.long
@pytest.mark.unwitnessed("two services send in turn what one site hears")
async def test_a_process_that_is_no_hub_leaves_runs_of_sites_to_the_one_that_is(
    hub: Hub, migrated_url: str, tools: Any
) -> None:
    site = await hub.join("oslo")
    await hub.approve("oslo", SET, READ)
    options = ServiceOptions(confirmation=tools.ASKS_NOBODY, call_wait_s=PATIENCE_S)
    opened = open_service(migrated_url, Vault({}), options)
    async with opened as other:

        async def call(name: str, **inputs: Any) -> Any:
            wanted = Wanted(other.live.now.find(f"site_oslo_{name}"), inputs, None, ANN)
            return await other.under_way.call(wanted)

        changed = await call(SET, room="hall", level=5)
        read = await call(READ, room="hall")
        site.works.works.pause_s = PATIENCE_S
        leaving = asyncio.create_task(call(SET, room="roof", level=6))
        await until(lambda: len(site.works.callers) == 3, "the site to begin")
        leaving.cancel()
        await until(lambda: len(site.works.answers) == 3, "the site to end what nobody waits for")
    assert (changed.outcome, read.outcome, dict(read.outputs)) == (
        "succeeded",
        "succeeded",
        {"room": "hall", "level": 5},
    )
    assert [each["outcome"] for each in site.works.answers] == ["succeeded", "succeeded", "cancelled"]
    assert site.works.works.done.total() == 1
    runs = await hub.service.runs.find(caller="ann")
    assert {each.outcome for each in runs} <= {"succeeded", "cancelled", None}


@pytest.mark.long
async def test_without_a_hub_a_run_of_a_site_is_told_as_not_sent(
    migrated_url: str, tmp_path: Path, tools: Any, witness: Any
) -> None:
    async with hub_at(migrated_url, tmp_path / "hub.key", tools, witness) as hub:
        await hub.join("oslo")
        await hub.approve("oslo", READ)
    async with open_service(migrated_url, Vault({}), ServiceOptions(confirmation=tools.ASKS_NOBODY)) as other:
        entry = other.live.now.find(f"site_oslo_{READ}")
        with pytest.raises(NotSent, match="comes to the hub's server, and none runs"):
            await other.calls.call(entry, {"room": "hall"}, None, ANN)
        assert await other.runs.find() == ()
