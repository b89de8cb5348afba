"""Calls at a hub that run at a site: once, as was signed, and what is told when something goes wrong."""

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from governance.people.scopes import WHOLE, AccessScope
from runtime.errors import SameEffect
from runtime.sites.edge import Dispatched, Standing
from runtime.sites.joining import JoiningTerms, join
from runtime.sites.membership import Membership
from runtime.sites.statements import Signer
from runtime.sites.works import ServiceWorks
from tests.runtime.sites.houses import ANN, READ, SET, Heard, Hub, Site, hub_at
from tests.waiting import until


async def test_a_call_at_the_hub_runs_at_the_site_with_who_asked_and_both_have_it_on_record(
    hub: Hub, site_house: Any
) -> None:
    service = site_house.service
    membership = await join(await hub.invitation("oslo"), hub.run.url, "verify", JoiningTerms())
    site = Site("oslo", membership, Heard(ServiceWorks(service, membership)))
    hub.witness.device(0, lambda: site.works.heard)
    hub.sites.append(site.start())
    await hub.approve("oslo", "toy_find_vm")
    ended = await hub.call("site_oslo_toy_find_vm", vm="web-01")
    assert ended.outcome == "succeeded", ended
    direct = await service.calls.call(service.live.now.find("toy_find_vm"), {"vm": "web-01"}, None, ANN)
    assert dict(ended.outputs) == dict(direct.outputs)
    assert site.works.callers == [("ann", "operator")]
    await service.engine.settle()
    theirs = await service.runs.find(caller="hub:ann")
    assert [(each.outcome, each.target) for each in theirs] == [("succeeded", "lab")]
    await hub.service.engine.settle()
    ours = await hub.service.runs.get(ended.run_id)
    assert [(s.record.method, s.record.path) for s in ours.steps][:1] == [("POST", "/tools/toy_find_vm")]


async def test_a_site_lets_a_hubs_caller_do_what_its_own_word_allows_and_no_more(site_house: Any) -> None:
    service, signer = site_house.service, Signer.new()
    wide = Membership("http://127.0.0.1:9", signer.public, "verify", "oslo", "", "operator", WHOLE)
    told = {str(each["name"]): each for each in (await ServiceWorks(service, wide).offer()).workflows}
    from runtime.sites.contents import pin_of_site

    def wish(name: str, role: str = "operator", number: int = 1) -> Dispatched:
        inputs = {"vm": "web-01"} if name == "toy_find_vm" else {"uuid": "u-1"}
        return Dispatched(f"d-{number}", "ann", role, name, pin_of_site(told[name]), inputs)

    find, stop = "toy_find_vm", "toy_stop_vm"
    narrow = ServiceWorks(service, replace(wide, scope=AccessScope(risks=("read",))))
    viewer = ServiceWorks(service, replace(wide, role="viewer"))
    assert [e["name"] for e in (await narrow.offer()).workflows] == [find]
    for works, wanted in (
        (narrow, wish(stop)),
        (viewer, wish(find)),
        (ServiceWorks(service, wide), wish(find, "viewer")),
    ):
        assert (await works.carry_out(wanted, Standing()))["outcome"] == "refused"
    assert (await ServiceWorks(service, wide).carry_out(replace(wish(find), pin="sha256:0"), Standing()))[
        "outcome"
    ] == "refused"
    assert (await ServiceWorks(service, wide).carry_out(wish(find, "admin"), Standing()))["outcome"] == "succeeded"


async def test_a_change_that_is_handed_over_twice_is_one_run_whatever_changed_meanwhile(site_house: Any) -> None:
    from runtime.sites.contents import pin_of_site

    service = site_house.service
    membership = Membership("http://127.0.0.1:9", "", "verify", "oslo", "", "operator", WHOLE)
    works = ServiceWorks(service, membership)
    told = {str(each["name"]): each for each in (await works.offer()).workflows}
    wanted = Dispatched("d-1", "ann", "operator", "toy_stop_vm", pin_of_site(told["toy_stop_vm"]), {"uuid": "u-1"})
    first = await works.carry_out(wanted, Standing())
    assert first["outcome"] == "succeeded", first
    again = await works.carry_out(replace(wanted, pin="sha256:0"), Standing())
    assert (again["outcome"], again["run_id"]) == ("succeeded", first["run_id"])
    narrow = ServiceWorks(service, replace(membership, scope=AccessScope(risks=("read",))))
    assert (await narrow.carry_out(wanted, Standing()))["run_id"] == first["run_id"]
    assert len(await service.runs.find(caller="hub:ann")) == 1


@pytest.mark.slow
async def test_a_workflow_that_changed_at_the_site_is_not_run_and_waits_again_at_the_hub(hub: Hub) -> None:
    site = await hub.join("oslo")
    await hub.approve("oslo", SET)
    await until(lambda: hub.service.hub.why_away("oslo") == "")
    site.works.works.alter()
    ended = await hub.call(f"site_oslo_{SET}", room="hall", level=5)
    assert ended.outcome == "failed", ended
    assert "another" in ended.failure.message
    assert site.works.works.done.total() == 0

    async def is_pending_again() -> bool:
        return await hub.states("oslo", SET) == ["retired", "pending"]

    await until(is_pending_again, "the hub to notice")
    await until(lambda: hub.service.live.now.get(f"site_oslo_{SET}") is None)


async def test_what_the_hub_knows_to_be_another_workflow_is_not_even_handed_over(hub: Hub) -> None:
    site = await hub.join("oslo")
    await hub.approve("oslo", SET)
    hub.service.hub._sites["oslo"].pins = {SET: "sha256:0"}
    ended = await hub.call(f"site_oslo_{SET}", room="hall", level=5)
    assert (ended.outcome, site.works.callers) == ("failed", [])
    assert "another workflow rooms_set_level than was approved here" in ended.failure.message


async def test_over_mcp_the_fleet_is_what_the_caller_reaches(hub: Hub) -> None:
    for name in ("oslo", "rome"):
        await hub.join(name)
        await hub.approve(name, READ)
    _, near = await hub.service.principals.create_token("near", "operator", scope=AccessScope(apis=("site-oslo",)))
    async with Client(StreamableHttpTransport(hub.run.mcp, headers={"Authorization": f"Bearer {near}"})) as client:
        told = (await client.call_tool("select_sites", {"workflow": READ})).structured_content
        done = (await client.call_tool("dispatch", {"workflow": READ, "inputs": {"room": "hall"}})).structured_content
    assert told is not None
    assert done is not None
    assert ([each["site"] for each in told["sites"]], "rome" in str(told)) == (["oslo"], False)
    assert [(each["site"], each["outcome"]) for each in done["results"]] == [("oslo", "succeeded")]
    assert hub.sites[1].works.heard == []


async def test_a_site_that_is_not_there_is_told_and_nothing_is_sent(hub: Hub) -> None:
    site = await hub.join("oslo")
    await hub.approve("oslo", SET)
    await site.kill()
    hub.service.hub.lost_s = 0.0
    ended = await hub.call(f"site_oslo_{SET}", room="hall", level=5)
    assert (ended.outcome, site.works.heard) == ("failed", [])
    assert "has not been heard of" in ended.failure.message


async def test_a_site_that_goes_away_with_a_change_leaves_it_unknown_and_it_is_not_repeated(
    hub: Hub, clock: Any
) -> None:
    site = await hub.join("oslo")
    await hub.approve("oslo", SET)
    begun, stuck = asyncio.Event(), asyncio.Event()

    async def hang(_: Dispatched) -> None:
        begun.set()
        await stuck.wait()

    site.works.before = hang
    calling = asyncio.create_task(hub.call(f"site_oslo_{SET}", room="hall", level=5))
    await begun.wait()
    await site.kill()
    clock.jump(hub.service.hub.lost_s + 1)
    ended = await calling
    assert (ended.outcome, ended.failure.may_be_done) == ("unknown", ("call",))
    with pytest.raises(SameEffect):
        await hub.call(f"site_oslo_{SET}", room="hall", level=5)
    assert len(site.works.heard) == 1


async def test_a_site_that_comes_back_is_handed_the_same_dispatch_and_does_it_once(hub: Hub) -> None:
    site = await hub.join("oslo")
    await hub.approve("oslo", SET)
    begun = asyncio.Event()

    async def hang(_: Dispatched) -> None:
        begun.set()
        await asyncio.Event().wait()

    site.works.before = hang
    calling = asyncio.create_task(hub.call(f"site_oslo_{SET}", room="hall", level=5))
    await begun.wait()
    await site.kill()
    site.works.before = None
    site.works.heard.clear()  # the hub sends it once; that it is handed over again is between the two
    site.start()
    ended = await calling
    assert (ended.outcome, dict(ended.outputs)) == ("succeeded", {"room": "hall", "level": 5})
    assert (site.works.works.done.total(), len(site.works.heard)) == (1, 1)


@pytest.mark.unwitnessed("two hubs in turn send the same dispatch, which the site hears once or twice")
@pytest.mark.slow
@pytest.mark.parametrize("when", ["before it is done", "after it was done"])
async def test_a_hub_that_is_restarted_takes_up_the_same_dispatch(
    migrated_url: str, tmp_path: Path, tools: Any, witness: Any, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.engines.durable.CLOSING_S", 0.1)
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def hang(_: Dispatched) -> None:
        begun.set()
        await goes_on.wait()

    key = tmp_path / "hub.key"
    async with hub_at(migrated_url, key, tools, witness) as first:
        site = await first.join("oslo")
        await first.approve("oslo", SET)
        site.works.before = hang
        calling = asyncio.create_task(first.call(f"site_oslo_{SET}", room="hall", level=5))
        await begun.wait()
        (run,) = await first.service.runs.find(caller="ann")
        first.sites.clear()  # it outlives the hub
    with contextlib.suppress(Exception):
        await calling
    if when == "after it was done":
        goes_on.set()
        await until(lambda: site.works.works.done.total())
    await site.kill()
    goes_on.set()
    async with hub_at(migrated_url, key, tools, witness, [site]) as second:
        site.membership = replace(site.membership, hub=second.run.url)
        site.start()
        ended = await until(lambda: ended_run(second, run.id), "the run to be taken up")
        await site.kill()
    assert (ended.outcome, ended.outputs) == ("succeeded", {"room": "hall", "level": 5}), ended
    assert max(site.works.works.done.values()) == 1
    assert site.works.works.done.total() == 1


async def ended_run(hub: Hub, run_id: str) -> Any:
    run = await hub.service.runs.get(run_id)
    return run if run.outcome else None


# Rights


async def test_a_caller_sees_and_calls_the_sites_in_reach_alone(hub: Hub) -> None:
    for name in ("oslo", "rome"):
        await hub.join(name)
        await hub.approve(name, READ)
    scope = AccessScope(apis=("site-oslo",))
    _, near = await hub.service.principals.create_token("near", "operator", scope=scope)
    async with hub.rest(near) as client:
        listed = [each["name"] for each in (await client.get("/sites")).json()]
        unknown = [await client.get(f"/sites/{name}") for name in ("rome", "none")]
        chosen = (await client.post("/tools/select_sites", json={"workflow": READ})).json()
        elsewhere = [
            await client.post(f"/tools/site_{name}_{READ}", json={"room": "hall"}) for name in ("rome", "none")
        ]
    assert listed == ["oslo"]
    assert [e.status_code for e in unknown] == [404, 404]
    assert unknown[0].json()["detail"].replace("rome", "none") == unknown[1].json()["detail"]
    assert [each["site"] for each in chosen["sites"]] == ["oslo"]
    assert "rome" not in str(chosen)
    assert [e.status_code for e in elsewhere] == [404, 404]
    assert all(not each.works.heard for each in hub.sites)


async def test_the_tools_over_sites_are_listed_where_there_are_workflows_of_sites(hub: Hub) -> None:
    async with hub.rest() as client:
        before = [each["name"] for each in (await client.get("/tools/list")).json()["tools"]]
        await hub.join("oslo")
        await hub.approve("oslo", READ)
        after = [each["name"] for each in (await client.get("/tools/list")).json()["tools"]]
    assert not {"select_sites", "satisfy", "dispatch"} & set(before)
    assert {"select_sites", "satisfy", "dispatch"} < set(after)
