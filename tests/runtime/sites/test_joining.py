"""Sites join by an invitation, and only what a key has signed, for its listener, now, is taken."""

import hashlib
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.errors import InvalidError, RefusedError
from governance.people.scopes import WHOLE, AccessScope
from runtime.sites.edge import SiteEdge
from runtime.sites.joining import JoiningTerms, join
from runtime.sites.membership import Membership, read_membership
from runtime.sites.simulated import SimulatedWorks
from runtime.sites.statements import OtherClock, Seen, Signer, UntrueStatement, checked
from tests.runtime.sites.houses import READ, SET, Heard, Hub, Site, word_of_hub
from tests.waiting import until

# Joining


@pytest.mark.slow
async def test_a_site_joins_by_an_invitation_and_its_workflows_wait_with_its_own_schemas(hub: Hub) -> None:
    await hub.join("oslo", region="north")
    await until(lambda: not hub.service.hub.why_away("oslo"))
    await until(
        lambda: hub.service.revisions.find(state="pending"), "its workflows to be submitted without being asked"
    )
    await hub.approve("oslo", READ)
    entry = hub.service.live.now.find(f"site_oslo_{READ}")
    assert (entry.risk, entry.api) == ("read", "site-oslo")
    assert entry.input_schema["properties"]["room"]["description"] == "Which room."
    assert entry.tool["outputSchema"]["properties"]["level"]["maximum"] == 100
    assert entry.tool["description"].startswith("At the site oslo: ")
    (changing,) = [e for e in await hub.service.revisions.find(state="pending") if SET in e.workflow_id]
    assert (changing.risk, changing.content.tool["annotations"]["readOnlyHint"]) == ("change", False)


async def test_an_invitation_counts_once_for_its_name_and_for_a_while_and_all_else_looks_alike(hub: Hub) -> None:
    invitation = await hub.invitation("oslo")
    late, _ = await hub.service.sites.invite("late", lasts=timedelta(microseconds=1), actor="test")
    name, secret, _ = invitation.split(".")
    public = Signer.new().public
    async with httpx.AsyncClient(base_url=hub.run.url, trust_env=False) as client:
        wrong = [
            ("oslo", "x" * 43, public),
            ("rome", secret, public),
            ("late", late, public),
            (name, secret, "A" * 43),
        ]
        answers = []
        for site, shown, shown_key in wrong[:3]:
            told = {"name": site, "secret": shown, "key": shown_key}
            answers.append(await client.post("/sites/join", json=told))
        await join(invitation, hub.run.url, "verify", JoiningTerms())
        answers.append(await client.post("/sites/join", json={"name": name, "secret": secret, "key": public}))
    assert {each.status_code for each in answers} == {401}
    assert len({each.text for each in answers}) == 1
    with pytest.raises(RefusedError):
        await join(invitation, hub.run.url, "verify", JoiningTerms())
    refused = [each for each in await hub.service.audit.last(limit=50) if each.action == "site.refused"]
    assert len(refused) == 5


async def test_a_site_refuses_a_hub_that_is_not_the_one_of_its_invitation(hub: Hub) -> None:
    name, secret, _ = (await hub.invitation("oslo")).split(".")
    with pytest.raises(RefusedError, match="not the hub"):
        await join(f"{name}.{secret}.{Signer.new().name}", hub.run.url, "verify", JoiningTerms())


async def test_what_a_site_keeps_of_its_membership_is_for_its_owner_alone(hub: Hub, tmp_path: Path) -> None:
    terms = JoiningTerms("viewer", AccessScope(risks=("read",)), takes_bundles=True)
    made, file = await join(await hub.invitation("oslo"), hub.run.url, "verify", terms), tmp_path / "hub.json"
    made.write(file)
    assert read_membership(file) == made
    assert made.key.partition(".")[2] not in "".join(str(e.detail) for e in await hub.service.audit.last(limit=50))
    with pytest.raises(InvalidError):
        made.write(file)
    file.chmod(0o644)
    with pytest.raises(RefusedError):
        read_membership(file)


# Messages of sites


async def test_only_a_message_of_now_that_the_sites_key_has_signed_is_taken_once(hub: Hub) -> None:
    site = await hub.join("oslo")
    await site.kill()
    signer, hub_name = Signer.of_text(site.membership.key), hub.service.hub.signer().name
    body = b'{"process":"p","version":"1","catalog":"c"}'
    told = {"body": hashlib.sha256(body).hexdigest()}

    def bearer(statement: str) -> dict[str, str]:
        return {"authorization": f"Bearer {statement}", "content-type": "application/json"}

    good = signer.sign(hub_name, told, kid="oslo")
    bad = {
        "another key": Signer.new().sign(hub_name, told, kid="oslo"),
        "another site": signer.sign(hub_name, told, kid="rome"),
        "another hub": signer.sign("elsewhere", told, kid="oslo"),
        "another body": signer.sign(hub_name, {"body": "0" * 64}, kid="oslo"),
        "for an hour": signer.sign(hub_name, {**told, "exp": int(time.time()) + 3600}, kid="oslo"),
        "none": "x",
        "a token": hub.secret,
    }
    async with httpx.AsyncClient(base_url=hub.run.url, trust_env=False) as client:
        assert (await client.post("/sites/exchange", content=body, headers=bearer(good))).status_code == 200
        again = await client.post("/sites/exchange", content=body, headers=bearer(good))
        answers = {why: await client.post("/sites/exchange", content=body, headers=bearer(e)) for why, e in bad.items()}
        elsewhere = await client.get("/workflows", headers=bearer(signer.sign(hub_name, told, kid="oslo")))
    assert {why: each.status_code for why, each in answers.items()} == dict.fromkeys(bad, 401)
    assert (again.status_code, elsewhere.status_code) == (401, 401)


async def test_a_site_whose_clock_is_stale_is_kept_out_and_told_so(hub: Hub) -> None:
    site = await hub.join("oslo")
    await hub.approve("oslo", READ)
    await site.kill()
    site.start(clock=lambda: time.time() - 3600)
    await until(lambda: hub.service.hub.why_away("oslo"))
    assert re.fullmatch(r"is kept out: its clock differs by -36\d\d s", hub.service.hub.why_away("oslo"))
    ended = await hub.call(f"site_oslo_{READ}", room="hall")
    assert (ended.outcome, site.works.heard) == ("failed", [])
    assert "its clock differs by -36" in ended.failure.message
    await site.kill()
    site.start()
    await until(lambda: not hub.service.hub.why_away("oslo"))


async def test_a_removed_site_is_shut_out(hub: Hub) -> None:
    site = await hub.join("oslo")
    await until(lambda: not hub.service.hub.why_away("oslo"))
    async with hub.rest() as client:
        assert (await client.delete("/servers/oslo")).status_code == 204
    statement = Signer.of_text(site.membership.key).sign(hub.service.hub.signer().name, {"body": ""}, kid="oslo")
    async with httpx.AsyncClient(base_url=hub.run.url, trust_env=False) as client:
        headers = {"authorization": f"Bearer {statement}"}
        assert (await client.post("/sites/exchange", json={}, headers=headers)).status_code == 401


# What a site takes from a hub


@pytest.mark.parametrize("change", [
    {"aud": "rome"}, {"iss": "somebody"}, {"given": {"room": "hall", "level": 4}}, {"iat": 1, "exp": 50},
    {"exp": 4_000_000_000},
])  # fmt: skip
async def test_a_site_takes_what_its_hub_has_signed_for_it_now_and_nothing_else(change: dict[str, Any]) -> None:
    signer, works = Signer.new(), SimulatedWorks(1, 1)
    membership = Membership("http://127.0.0.1:9", signer.public, "verify", "oslo", "", "operator", WHOLE)
    site, edge = Site("oslo", membership, Heard(works)), SiteEdge(membership, works)
    assert edge._checked(word_of_hub(site, signer)).workflow == SET
    with pytest.raises(ValueError):
        edge._checked(word_of_hub(site, signer, **change))
    with pytest.raises(ValueError):
        edge._checked(word_of_hub(site, Signer.new(), iss=signer.name))


def test_a_statement_of_another_clock_is_told_from_one_that_is_untrue() -> None:
    signer = Signer.new()
    word = signer.sign("oslo", {})
    known = {"issuer": signer.name, "audience": "oslo"}
    claims = checked(word, signer.public, **known)
    with pytest.raises(OtherClock) as error:
        checked(word, signer.public, **known, clock=lambda: time.time() + 600)
    assert error.value.off_s == pytest.approx(-600, abs=5)
    seen = Seen()
    seen.take(claims)
    with pytest.raises(UntrueStatement, match="used before"):
        seen.take(claims)


# Calls
