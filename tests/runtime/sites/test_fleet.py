"""Sites are chosen, have something done, take bundles, are led by the command line, and are simulated."""

import asyncio
import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.bundles.exporting import ExportOrder, export
from governance.bundles.keys import public_key_of
from governance.bundles.trust import TrustStore
from runtime.caller import Caller
from runtime.errors import CallerError
from runtime.sites import fleet
from runtime.sites.edge import Dispatched
from runtime.sites.fleet import Doing, SiteSelection
from runtime.sites.joining import JoiningTerms, join
from runtime.sites.membership import read_membership
from runtime.sites.simulated import SimulatedWorks
from runtime.sites.simulating import joined
from runtime.sites.works import ServiceWorks
from switchgear.main import main
from tests.runtime.sites.houses import ANN, READ, SET, Heard, Hub, Site
from tests.waiting import until


async def test_sites_are_chosen_by_what_is_declared_in_one_order_with_reasons(three: Hub) -> None:
    service = three.service
    found = await fleet.select(service, SiteSelection.of({"workflow": READ, "prefer": ["region=south"]}), ANN)
    assert [each.state.name for each in found.candidates] == ["rome", "oslo", "york"]
    assert "preferred: region=south" in found.candidates[0].because
    found = await fleet.select(service, SiteSelection.of({"workflow": READ, "labels": {"region": "north"}}), ANN)
    assert [each.state.name for each in found.candidates] == ["oslo", "york"]
    assert found.left_out == {"rome": "it has not the labels that were asked for"}
    device = dict((await three.sites[1].works.offer()).targets[0]["labels"])
    found = await fleet.select(service, SiteSelection.of({"workflow": READ, "target_labels": device}), ANN)
    assert "rome" in [each.state.name for each in found.candidates]
    found = await fleet.select(service, SiteSelection.of({"workflow": "rooms_none"}), ANN)
    assert found.left_out["oslo"] == "it has no workflow rooms_none"
    await three.sites[2].kill()
    three.service.hub.lost_s = 0.0
    found = await fleet.select(service, SiteSelection.of({"workflow": READ, "sites": ["york", "nowhere"]}), ANN)
    assert "has not been heard of" in found.left_out["york"]
    assert found.left_out["nowhere"] == "there is no such site"


async def test_a_dispatch_has_one_result_for_each_site_and_stops_where_it_is_told_to(three: Hub) -> None:
    wish = SiteSelection.of({"workflow": SET})
    done = await fleet.dispatch(three.service, wish, Doing({"room": "hall", "level": 9}), ANN)
    assert (done["succeeded"], done["of"]) == (3, 3)
    assert [each.works.works.levels["hall"] for each in three.sites] == [9, 9, 9]
    three.sites[0].works.works.levels.pop("roof")  # it has no such room
    one = Doing({"room": "roof", "level": 1}, parallel=1, stops=True)
    stopped = await fleet.dispatch(three.service, wish, one, ANN)
    assert [each["outcome"] for each in stopped["results"]] == ["failed", "not begun", "not begun"]
    assert "Nothing was begun there" in stopped["results"][0]["told"]
    planned = await fleet.dispatch(three.service, wish, Doing({"room": "hall", "level": 2}, is_plan=True), ANN)
    assert [each["outcome"] for each in planned["results"]] == ["planned"] * 3
    assert three.sites[0].works.works.levels["hall"] == 9


async def test_as_many_sites_do_it_as_are_wanted_and_one_in_doubt_is_not_replaced(three: Hub, clock: Any) -> None:
    wish = SiteSelection.of({"workflow": SET})
    three.sites[0].works.works.levels.pop("roof")
    done = await fleet.satisfy(three.service, wish, Doing({"room": "roof", "level": 4}), 1, ANN)
    assert (done["satisfied"], [e["site"] for e in done["results"]]) == (True, ["oslo", "rome"])
    assert {"site": "york", "why": "it was not needed"} in done["left_out"]
    begun = asyncio.Event()

    async def hang(_: Dispatched) -> None:
        begun.set()
        await asyncio.Event().wait()

    three.sites[0].works.before = hang
    three.service.under_way.wait_s = 0.0  # to the end
    asking = asyncio.create_task(fleet.satisfy(three.service, wish, Doing({"room": "hall", "level": 7}), 1, ANN))
    await begun.wait()
    await three.sites[0].kill()
    clock.jump(three.service.hub.lost_s + 1)
    done = await asking
    assert (done["satisfied"], [e["outcome"] for e in done["results"]]) == (False, ["unknown"])
    assert "may have: look at these" in done["why"]
    assert three.sites[1].works.works.levels["hall"] != 7


async def test_no_preference_that_is_none_and_no_call_without_the_role(three: Hub) -> None:
    async with three.rest() as client:
        answer = await client.post("/tools/select_sites", json={"workflow": READ, "prefer": ["fast"]})
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/prefer/0")
    told = await fleet.dispatch(
        three.service, SiteSelection.of({"workflow": READ}), Doing({"room": "hall"}), Caller("eve", "viewer")
    )
    assert [each["outcome"] for each in told["results"]] == ["not begun"] * 3
    with pytest.raises(CallerError):
        await three.call(f"site_oslo_{READ}", caller=Caller("eve", "viewer"), room="hall")


# Bundles, and the command line


async def test_a_bundle_goes_to_a_site_that_takes_them_and_counts_by_the_keys_there(
    hub: Hub, bare_site: Any, tools: Any, tmp_path: Path
) -> None:
    service, key = bare_site.service, Ed25519PrivateKey.generate()
    house = await tools.furnished("", hub.service)
    await house.approve("find")
    order = ExportOrder("plant", 1, ("toy",), hub.service.database.now(), 30)
    await export(hub.service.database, order, (key,), tmp_path / "plant.bundle", actor="test")
    data = {"bundle": base64.b64encode((tmp_path / "plant.bundle").read_bytes()).decode()}
    membership = await join(await hub.invitation("oslo"), hub.run.url, "verify", JoiningTerms())
    site = Site("oslo", membership, Heard(ServiceWorks(service, membership))).start()
    hub.sites.append(site)
    await until(lambda: not hub.service.hub.why_away("oslo"))
    async with hub.rest() as client:

        async def sent() -> Any:
            return (await client.post("/sites/bundles", json=data)).json()["results"][0]

        refused = await sent()
        site.works.works = ServiceWorks(service, replace(membership, takes_bundles=True))
        unsigned = await sent()
        await TrustStore(service.database).trust(public_key_of(key), "ann", actor="olga", role="admin")
        done, again = await sent(), await sent()
    assert (refused["outcome"], refused["told"]) == ("refused", "this site takes no bundles from its hub.")
    assert unsigned["outcome"] == "refused"
    assert (done["outcome"], done["told"]) == ("imported", "plant 1: imported")
    assert again["told"] == "plant 1: it was there already"
    assert [each.workflow_id for each in await service.revisions.find(state="approved")] == ["toy-find-vm"]
    told = [each for each in await hub.service.audit.last(limit=20) if each.action == "site.bundle_sent"]
    assert {each.subject for each in told} == {"site:oslo"}


async def test_the_command_line_invites_joins_chooses_and_dispatches(
    hub: Hub, migrated_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHGEAR_DATABASE_URL", migrated_url)
    monkeypatch.setenv("SWITCHGEAR_HUB_KEY", str(tmp_path / "hub.key"))
    monkeypatch.setenv("SWITCHGEAR_TOKEN", hub.secret)

    async def told(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert await asyncio.to_thread(main, ["site", *words, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    invited = await told("invite", "oslo", "--label", "region=north")
    file = tmp_path / "hub.json"
    await told("join", invited["invitation"], "--hub", hub.run.url, "--file", str(file), "--role", "viewer")
    membership = read_membership(file)
    assert (membership.site, membership.role) == ("oslo", "viewer")
    works = Heard(SimulatedWorks(1, 7))
    hub.witness.device(0, lambda: works.heard)
    hub.sites.append(Site("oslo", membership, works).start())
    await hub.approve("oslo", READ)
    (shown,) = (await told("list", "--hub", hub.run.url))["sites"]
    assert (shown["name"], shown["is_well"], shown["labels"]) == ("oslo", True, {"region": "north"})
    chosen = await told("select", READ, "--label", "region=north", "--hub", hub.run.url)
    assert [each["site"] for each in chosen["sites"]] == ["oslo"]
    done = await told("dispatch", READ, "room=hall", "--hub", hub.run.url)
    assert (done["succeeded"], done["results"][0]["outputs"]["room"]) == (1, "hall")
    await told("satisfy", READ, "room=hall", "--count", "2", "--hub", hub.run.url, code=4)
    monkeypatch.setenv("SWITCHGEAR_TOKEN", "swg_" + "0" * 43)
    assert (await told("list", "--hub", hub.run.url, code=4))["error"]["type"] == "TargetError"


async def test_simulated_sites_follow_from_their_seed_and_come_by_invitations_of_their_own(hub: Hub) -> None:
    found = await joined(hub.run.url, "verify", hub.secret, 3, 7, "sim", 0.0)
    assert [each.membership.site for each in found] == ["sim-001", "sim-002", "sim-003"]
    assert [each.works.levels for each in found] == [SimulatedWorks(n, 7).levels for n in (1, 2, 3)]
    assert len({each.membership.key for each in found}) == 3
