"""The console's pages of a hub: its sites, an invitation that is shown once, what sites are made to do by choice."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any

import pytest

from runtime.sites.edge import Offer
from runtime.sites.simulated import SimulatedWorks
from tests.runtime.sites.houses import READ, SET, Hub
from tests.runtime.test_console import check_page
from tests.runtime.visits import Visit, visits

SHOWN = re.compile(r"switchgear site join '([^']+)'")
ITEM = re.compile(r'name="item" value="([^"]*)"')

FOUL = "<img src=x onerror=alert(1)>\"'\u202e"


class HostileWorks(SimulatedWorks):
    """A site that tells hostile texts of itself wherever it tells any."""

    async def offer(self) -> Offer:
        told = await super().offer()
        fine, other = (dict(each) for each in told.workflows[:2])
        texts = {"title": FOUL, "description": FOUL * 3}
        targets = ({"name": FOUL, "api": FOUL, "labels": {FOUL: FOUL}},)
        return Offer(FOUL, ({**fine, **texts}, {**other, **texts, "name": FOUL}), targets)


@pytest.fixture
async def visit(three: Hub, tools: Any) -> AsyncIterator[Any]:
    async with visits(tools.House("", three.service)) as made:
        yield made


async def test_sites_are_seen_by_all_and_invited_kept_out_and_forgotten_by_admins_alone(three: Hub, visit: Any) -> None:
    await are_seen(three, await visit("viewer"))
    admin, operator = await visit(), await visit("operator")
    await are_kept(admin, operator)


async def are_seen(three: Hub, viewer: Visit) -> None:
    page = await viewer.get("/console/sites")
    assert "Sites (3 of 3 well)" in page and "region=north" in page and "Forget" not in page
    assert "rome" not in await viewer.get("/console/sites?label=region=north")
    await three.sites[1].kill()
    three.service.hub.lost_s = 0.0
    assert "has not been heard of for" in await viewer.get("/console/sites/rome")
    three.service.hub.lost_s = 75.0
    one = await viewer.get("/console/sites/oslo")
    assert f"site_oslo_{READ}@1 approved" in one and "Digest of what it has sha256:" in one


async def are_kept(admin: Visit, operator: Visit) -> None:
    await admin.get("/console/sites")
    invited = await admin.send("/console/sites", action="invite", name="bern", labels="region=south", minutes="5")
    (invitation,) = SHOWN.findall(invited.text)
    assert invitation.startswith("bern.") and "shown this once" in invited.text
    for path in ("/console/sites", "/console/sites/bern", "/console/audit"):
        assert invitation.split(".")[1] not in (await admin.client.get(path)).text
    for action, stands in (("keep out", "away is disabled"), ("let in", "Stands well")):
        assert (await admin.send("/console/sites", action=action, name="oslo")).status_code == 303
        assert stands in await admin.get("/console/sites/oslo")
    await operator.get("/console/sites")
    for action in ("invite", "keep out", "let in", "forget"):
        assert (await operator.send("/console/sites", action=action, name="bern")).status_code == 403, action
    assert (await admin.send("/console/sites", action="forget", name="bern")).status_code == 303
    assert (await admin.client.get("/console/sites/bern")).status_code == 404
    assert (await admin.send("/console/sites", action="burn", name="oslo")).status_code == 422


async def test_sites_are_chosen_by_the_address_and_have_it_done_as_it_was_planned(three: Hub, visit: Any) -> None:
    operator, path = await visit("operator"), "/console/fleet"
    asked = f"{path}?workflow={SET}&labels=region%3Dnorth&prefer=idle"
    page = await operator.get(asked)
    assert "2 can, the best first" in page and "rome it has not the labels" in page
    choice = {"workflow": SET, "labels": "region=north"}
    inputs = '{"room": "hall", "level": 8}'
    planned = await operator.send(path, **choice, inputs=inputs, action="plan")
    words, items = operator.read(planned), [unescape(each) for each in ITEM.findall(planned.text)]
    assert f"{SET}: planned on 2 of 2" in words and "rome it has not the labels" in words, planned.text
    assert [each.works.heard for each in three.sites] == [[], [], []], "nothing was done yet"
    done = await operator.send(path, action="apply these", item=items[:1], inputs="{}")
    assert "oslo succeeded" in operator.read(done), done.text
    assert [each.works.works.levels["hall"] == 8 for each in three.sites] == [True, False, False]
    one = await operator.send(path, workflow=SET, inputs=inputs, count="1", sites="rome", action="do")
    assert "done on 1 of 1" in operator.read(one) and "rome succeeded" in operator.read(one)
    viewer = await visit("viewer")
    assert "Have them do it" not in await viewer.get(asked)
    assert (await viewer.send(path, **choice, inputs=inputs, action="do")).status_code == 403
    assert (await operator.send(path, **choice, inputs="[1]", action="do")).status_code == 422


async def test_what_a_site_tells_of_itself_is_text_on_every_page(hub: Hub, tools: Any) -> None:
    await hub.join("evil", HostileWorks(0, 7))
    await hub.approve("evil")
    (pending,) = [each for each in await hub.service.revisions.find(api="site-evil") if each.state == "pending"]
    paths = ("sites", "sites/evil", "fleet", "fleet?workflow=x", "queue", f"workflows/{pending.id}", "audit")
    async with visits(tools.House("", hub.service)) as made:
        admin = await made()
        for path in paths:
            answer = await admin.client.get(f"/console/{path}")
            assert answer.status_code == 200
            check_page(answer)
        assert "onerror" in await admin.get("/console/sites/evil"), "it stands there, as text"
