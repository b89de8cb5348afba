"""A hub and its sites, end to end over loopback: joining, dispatching, and what is told when something goes wrong.

The hub is the real service with its REST API; sites are simulated ones, which speak as sites do and remember what they
carried out, or the real service where its own path of a call matters. Two services that change something need two
processes (`test_sites_of_processes`).
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from governance.bundles.exporting import Order, export
from governance.bundles.keys import public_key_of
from governance.bundles.trust import TrustStore
from governance.errors import InvalidError, RefusedError
from governance.people.scopes import WHOLE, Scope
from runtime.calls.manner import PLAIN, Manner
from runtime.engines.dbos_process import beside
from runtime.errors import CallerError, SameEffect
from runtime.gate.access import Caller
from runtime.remotes.contents import Class
from runtime.secrets import Vault
from runtime.service import open_service
from runtime.sites import fleet
from runtime.sites.edge import Dispatched, Edge
from runtime.sites.fleet import Choice, Doing
from runtime.sites.joining import Terms, join
from runtime.sites.membership import Membership, read_membership
from runtime.sites.simulated import SimulatedWorks
from runtime.sites.simulating import joined
from runtime.sites.statements import OtherClock, Seen, Signer, UntrueStatement, checked, hash_of_inputs
from runtime.sites.works import ServiceWorks
from switchgear.main import main
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

    async def offer(self) -> Any:
        return await self.works.offer()

    async def carry_out(self, wanted: Dispatched) -> Any:
        self.heard.append(("POST", f"/tools/{wanted.workflow}"))
        self.callers.append((wanted.caller, wanted.role))
        if self.before is not None:
            await self.before(wanted)
        answer = await self.works.carry_out(wanted)
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
        self.task = asyncio.create_task(Edge(self.membership, self.works, clock).watch())
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
        membership = await join(await self.invitation(name, **labels), self.run.url, "verify", Terms())
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

    async def call(self, tool: str, manner: Manner = PLAIN, caller: Caller = ANN, **inputs: Any) -> Any:
        return await self.service.calls.call(self.service.live.now.find(tool), inputs, None, caller, manner)

    def rest(self, secret: str = "") -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {secret or self.secret}"}
        return httpx.AsyncClient(base_url=self.run.url, headers=headers, trust_env=False)

    async def states(self, site: str, workflow: str) -> list[str]:
        found = await self.service.revisions.find(api=f"site-{site}", limit=100)
        return [each.state for each in found if each.workflow_id == f"site_{site}_{workflow}"]


@contextlib.asynccontextmanager
async def hub_at(url: str, key: Path, tools: Any, witness: Any, sites: list[Site] | None = None) -> AsyncIterator[Hub]:
    opened = open_service(url, Vault({}), confirmation=tools.ASKS_NOBODY, hub_key=str(key))
    async with opened as service:
        _, secret = await service.principals.create_token(f"boss-{sites is None}", "admin")
        async with tools.running(service) as run:
            hub = Hub(service, run, witness, secret, sites or [])
            try:
                yield hub
            finally:
                for site in hub.sites if sites is None else ():
                    await site.kill()


@pytest.fixture
async def hub(migrated_url: str, tmp_path: Path, tools: Any, witness: Any) -> AsyncIterator[Hub]:
    async with hub_at(migrated_url, tmp_path / "hub.key", tools, witness) as made:
        yield made


@pytest.fixture
async def bare_site(migrated: Path, tmp_path: Path, tools: Any) -> AsyncIterator[Any]:
    """A real installation beside the hub's, with nothing in it."""
    place = tmp_path / "site" / "site.db"
    place.parent.mkdir()
    for made, wanted in ((migrated, place), (beside(migrated), beside(place))):
        wanted.touch(mode=0o600)
        shutil.copyfile(made, wanted)
    url = f"sqlite+aiosqlite:///{place}"
    async with open_service(url, Vault({}), confirmation=tools.ASKS_NOBODY) as service:
        yield tools.House(url, service)


@pytest.fixture
async def site_house(tools: Any, device: Any, bare_site: Any) -> Any:
    """The same, with a device."""
    house = await tools.furnished(bare_site.url, bare_site.service)
    await house.target(device.url)
    for each in ("find", "stop"):
        await house.approve(each)
    await house.service.live.reload()
    return house


def word_of_hub(site: Site, signer: Signer, **claims: Any) -> dict[str, Any]:
    """What a hub hands over; `claims` in the place of the right ones."""
    inputs = claims.pop("given", {"room": "hall", "level": 3})
    told = {"sub": "ann", "role": "operator", "dispatch": "d-1", "workflow": SET, "pin": "", "inputs": ""}
    told |= {"inputs": hash_of_inputs({"room": "hall", "level": 3})} | claims
    return {"statement": signer.sign(told.pop("aud", site.name), told), "inputs": inputs}


# Joining


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
        await join(invitation, hub.run.url, "verify", Terms())
        answers.append(await client.post("/sites/join", json={"name": name, "secret": secret, "key": public}))
    assert {each.status_code for each in answers} == {401}
    assert len({each.text for each in answers}) == 1
    with pytest.raises(RefusedError):
        await join(invitation, hub.run.url, "verify", Terms())
    refused = [each for each in await hub.service.audit.last(limit=50) if each.action == "site.refused"]
    assert len(refused) == 5


async def test_a_site_refuses_a_hub_that_is_not_the_one_of_its_invitation(hub: Hub) -> None:
    name, secret, _ = (await hub.invitation("oslo")).split(".")
    with pytest.raises(RefusedError, match="not the hub"):
        await join(f"{name}.{secret}.{Signer.new().name}", hub.run.url, "verify", Terms())


async def test_what_a_site_keeps_of_its_membership_is_for_its_owner_alone(hub: Hub, tmp_path: Path) -> None:
    terms = Terms("viewer", Scope(risks=("read",)), takes_bundles=True)
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
    site, edge = Site("oslo", membership, Heard(works)), Edge(membership, works)
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


async def test_a_call_at_the_hub_runs_at_the_site_with_who_asked_and_both_have_it_on_record(
    hub: Hub, site_house: Any
) -> None:
    service = site_house.service
    membership = await join(await hub.invitation("oslo"), hub.run.url, "verify", Terms())
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
    narrow = ServiceWorks(service, replace(wide, scope=Scope(risks=("read",))))
    viewer = ServiceWorks(service, replace(wide, role="viewer"))
    assert [e["name"] for e in (await narrow.offer()).workflows] == [find]
    for works, wanted in (
        (narrow, wish(stop)),
        (viewer, wish(find)),
        (ServiceWorks(service, wide), wish(find, "viewer")),
    ):
        assert (await works.carry_out(wanted))["outcome"] == "refused"
    assert (await ServiceWorks(service, wide).carry_out(replace(wish(find), pin="sha256:0")))["outcome"] == "refused"
    assert (await ServiceWorks(service, wide).carry_out(wish(find, "admin")))["outcome"] == "succeeded"


async def test_a_change_that_is_handed_over_twice_is_one_run_whatever_changed_meanwhile(site_house: Any) -> None:
    from runtime.sites.contents import pin_of_site

    service = site_house.service
    membership = Membership("http://127.0.0.1:9", "", "verify", "oslo", "", "operator", WHOLE)
    works = ServiceWorks(service, membership)
    told = {str(each["name"]): each for each in (await works.offer()).workflows}
    wanted = Dispatched("d-1", "ann", "operator", "toy_stop_vm", pin_of_site(told["toy_stop_vm"]), {"uuid": "u-1"})
    first = await works.carry_out(wanted)
    assert first["outcome"] == "succeeded", first
    again = await works.carry_out(replace(wanted, pin="sha256:0"))
    assert (again["outcome"], again["run_id"]) == ("succeeded", first["run_id"])
    narrow = ServiceWorks(service, replace(membership, scope=Scope(risks=("read",))))
    assert (await narrow.carry_out(wanted))["run_id"] == first["run_id"]
    assert len(await service.runs.find(caller="hub:ann")) == 1


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
    _, near = await hub.service.principals.create_token("near", "operator", scope=Scope(apis=("site-oslo",)))
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
    scope = Scope(apis=("site-oslo",))
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


# The fleet


@pytest.fixture
async def three(hub: Hub) -> Hub:
    for name, region in (("oslo", "north"), ("rome", "south"), ("york", "north")):
        await hub.join(name, region=region)
        await hub.approve(name, READ, SET)
    return hub


async def test_sites_are_chosen_by_what_is_declared_in_one_order_with_reasons(three: Hub) -> None:
    service = three.service
    found = await fleet.select(service, Choice.of({"workflow": READ, "prefer": ["region=south"]}), ANN)
    assert [each.state.name for each in found.candidates] == ["rome", "oslo", "york"]
    assert "preferred: region=south" in found.candidates[0].because
    found = await fleet.select(service, Choice.of({"workflow": READ, "labels": {"region": "north"}}), ANN)
    assert [each.state.name for each in found.candidates] == ["oslo", "york"]
    assert found.left_out == {"rome": "it has not the labels that were asked for"}
    device = dict((await three.sites[1].works.offer()).targets[0]["labels"])
    found = await fleet.select(service, Choice.of({"workflow": READ, "target_labels": device}), ANN)
    assert "rome" in [each.state.name for each in found.candidates]
    found = await fleet.select(service, Choice.of({"workflow": "rooms_none"}), ANN)
    assert found.left_out["oslo"] == "it has no workflow rooms_none"
    await three.sites[2].kill()
    three.service.hub.lost_s = 0.0
    found = await fleet.select(service, Choice.of({"workflow": READ, "sites": ["york", "nowhere"]}), ANN)
    assert "has not been heard of" in found.left_out["york"]
    assert found.left_out["nowhere"] == "there is no such site"


async def test_a_dispatch_has_one_result_for_each_site_and_stops_where_it_is_told_to(three: Hub) -> None:
    wish = Choice.of({"workflow": SET})
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
    wish = Choice.of({"workflow": SET})
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
        three.service, Choice.of({"workflow": READ}), Doing({"room": "hall"}), Caller("eve", "viewer")
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
    order = Order("plant", 1, ("toy",), hub.service.database.now(), 30)
    await export(hub.service.database, order, (key,), tmp_path / "plant.bundle", actor="test")
    data = {"bundle": base64.b64encode((tmp_path / "plant.bundle").read_bytes()).decode()}
    membership = await join(await hub.invitation("oslo"), hub.run.url, "verify", Terms())
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
