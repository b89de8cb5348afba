"""A hub, three real sites and a hundred simulated ones, each hub and site a process of its own, on loopback.

One is killed, one is slow, one has another workflow than was approved, one has a stale clock, and the hub is killed in
the middle of a dispatch: each caller is told what is true, and no device is asked twice for a change.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.approval.revisions import RevisionStore
from governance.storage import schema
from governance.storage.database import open_database
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from runtime.sites.edge import SiteEdge
from runtime.sites.joining import JoiningTerms, join
from runtime.sites.simulated import SimulatedWorks
from tests.ports import free_port
from tests.waiting import PATIENCE_S, until

ROOT = Path(__file__).parents[2]
SIMULATED = 100
REAL = ("alpha", "beta", "gamma")
READ, SET, FIND, STOP = "rooms_read_level", "rooms_set_level", "toy_find_vm", "toy_stop_vm"


@dataclass
class Yard:
    folder: Path
    port: int
    secret: str = ""
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    devices: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def database(self, name: str) -> str:
        return f"sqlite+aiosqlite:///{self.folder / name}.db"

    def start(self, name: str, *words: str, **more: str) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "SWITCHGEAR_DATABASE_URL": self.database(name),
            "SWITCHGEAR_CONFIRM": "none",
            "SWITCHGEAR_RATE_PER_S": "0",
            "SWITCHGEAR_CALL_WAIT_S": "0",
            **more,
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-m", "switchgear.main", *words]
            self.processes[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=ROOT)

    def serve_hub(self) -> None:
        key = str(self.folder / "hub.key")
        self.start("hub", "serve", "--port", str(self.port), SWITCHGEAR_HUB_KEY=key)

    def serve_site(self, name: str) -> None:
        self.start(name, "serve", "--port", "0", SWITCHGEAR_HUB=str(self.folder / f"{name}.json"))

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)

    def stops(self, name: str) -> int:
        return sum(heard.method == "POST" for heard in self.devices[name].heard)

    def client(self) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {self.secret}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=600)

    async def asked(self, path: str, **body: Any) -> Any:
        async with self.client() as client:
            answer = await client.post(path, json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

    async def run(self, tool: str, **inputs: Any) -> Any:
        async with self.client() as client:
            return (await client.post(f"/workflows/{tool}/run", json={"inputs": inputs})).json()

    async def sites(self) -> dict[str, Any]:
        async with self.client() as client:
            try:
                return {each["name"]: each for each in (await client.get("/sites")).json()}
            except httpx.TransportError:
                return {}

    async def are_well(self, names: set[str]) -> bool:
        found = await self.sites()
        return all(name in found and found[name]["is_well"] and found[name]["workflows"] for name in names)

    async def approve(self, names: set[str]) -> None:
        """Everything that these sites have: once it waits."""
        async with open_database(self.database("hub")) as database:
            store, left = RevisionStore(database), set(names)

            async def all_wait() -> bool:
                for name in sorted(left):
                    pending = await store.find(api=f"site-{name}", state="pending")
                    if len(pending) < 2:
                        return False
                    for each in pending:
                        await store.decide(
                            each.id, "approve", actor="test", role="admin", reason="", digest=each.digest
                        )
                    left.discard(name)
                return True

            await until(all_wait, "all workflows to wait for an approver", pause_s=0.5)

    async def can(self, workflow: str, count: int) -> bool:
        return len((await self.asked("/tools/select_sites", workflow=workflow))["sites"]) == count


@pytest.fixture
async def yard(tmp_path: Path, tools: Any, recorder: Any, unused_port: int) -> AsyncIterator[Yard]:
    made = Yard(tmp_path, unused_port)
    try:
        await furnish_hub(made)
        made.serve_hub()
        await until_up(made)
        for name in REAL:
            await furnish_site(made, name, tools, recorder)
            made.serve_site(name)
        words = ("site", "simulate", "--sites", str(SIMULATED), "--seed", "7", "--hub", made.url)
        made.start("simulated", *words, SWITCHGEAR_TOKEN=made.secret)
        yield made
    finally:
        for process in made.processes.values():
            process.kill()
        for process in made.processes.values():
            process.wait(PATIENCE_S)


@pytest.fixture
def unused_port() -> int:
    return free_port()


async def until_up(yard: Yard) -> None:
    async def is_up() -> bool:
        with contextlib.suppress(httpx.TransportError):
            async with yard.client() as client:
                return (await client.get("/ready")).status_code == 200
        return False

    await until(is_up, "the hub to serve", pause_s=0.2)


async def furnish_hub(yard: Yard) -> None:
    await asyncio.to_thread(schema.upgrade, yard.database("hub"))
    async with open_service(yard.database("hub"), Vault({})) as service:
        _, yard.secret = await service.principals.create_token("boss", "admin")


async def furnish_site(yard: Yard, name: str, tools: Any, recorder: Any) -> None:
    url = yard.database(name)
    await asyncio.to_thread(schema.upgrade, url)
    device = yard.devices[name] = await recorder(tools.ToyDevice())
    async with open_service(url, Vault({}), ServiceOptions(confirmation=tools.ASKS_NOBODY)) as service:
        house = await tools.furnished(url, service)
        await house.target(device.url)
        for each in ("find", "stop"):
            await house.approve(each)
    invited = await invitation(yard, name)
    (await join(invited, yard.url, "verify", JoiningTerms())).write(yard.folder / f"{name}.json")


async def invitation(yard: Yard, name: str) -> str:
    async with yard.client() as client:
        answer = await client.post("/sites", json={"name": name, "labels": {"kind": "real"}})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["invitation"])


@pytest.mark.long
@pytest.mark.unwitnessed("processes are killed, and the hub sends what a site hears again; requests are counted here")
async def test_a_hub_with_a_hundred_and_three_sites_tells_what_is_true_and_nothing_runs_twice(
    yard: Yard, tools: Any
) -> None:
    simulated = {f"sim-{number:03}" for number in range(1, SIMULATED + 1)}
    await until(lambda: yard.are_well(simulated | set(REAL)), "all sites to come", pause_s=1.0)
    await yard.approve(simulated | set(REAL))
    for workflow, count in ((READ, SIMULATED), (SET, SIMULATED), (FIND, len(REAL)), (STOP, len(REAL))):
        await until(lambda w=workflow, n=count: yard.can(w, n), f"{workflow} to be served", pause_s=0.5)  # type: ignore[misc]

    # To all, and to as many as are wanted.
    read = await yard.asked("/tools/dispatch", workflow=READ, inputs={"room": "hall"}, parallel=16)
    assert (read["succeeded"], read["of"]) == (SIMULATED, SIMULATED), read
    changed = await yard.asked("/tools/dispatch", workflow=SET, inputs={"room": "hall", "level": 3}, parallel=16)
    assert (changed["succeeded"], changed["of"]) == (SIMULATED, SIMULATED), changed
    found = await yard.asked("/tools/dispatch", workflow=FIND, inputs={"vm": "web-01"})
    assert (found["succeeded"], found["of"], len(found["left_out"])) == (3, 3, SIMULATED)
    some = await yard.asked("/tools/satisfy", workflow=READ, inputs={"room": "roof"}, count=5, prefer=["tier=core"])
    assert (some["satisfied"], len(some["results"])) == (True, 5)

    # One that is slow is waited for; one that is killed with a change leaves it unknown, and it is asked once.
    held, heard = asyncio.Event(), asyncio.Event()

    async def holds(_: Any) -> bool:
        heard.set()
        await held.wait()
        return True

    yard.devices["alpha"].script.before_stop = holds
    slow = yard.devices["beta"].script
    slow.before_stop = lambda _: asyncio.sleep(3, True)
    killed = asyncio.create_task(yard.run(f"site_alpha_{STOP}", uuid="u-1"))
    waited = asyncio.create_task(yard.run(f"site_beta_{STOP}", uuid="u-1"))
    await heard.wait()
    yard.kill("alpha")
    assert (await waited)["outcome"] == "succeeded"
    told = await killed
    assert "unknown" in str(told) or "may have been" in str(told), told
    again = await yard.run(f"site_alpha_{STOP}", uuid="u-1")
    assert "same effect" in str(again) or "in doubt" in str(again), again
    assert (yard.stops("alpha"), yard.stops("beta")) == (1, 1)
    chosen = await yard.asked("/tools/select_sites", workflow=FIND)
    assert [each["site"] for each in chosen["sites"]] == ["beta", "gamma"]
    assert any(each["site"] == "alpha" and "heard of" in each["why"] for each in chosen["left_out"])
    held.set()

    # One whose clock is stale is kept out.
    membership = await join(await invitation(yard, "stale"), yard.url, "verify", JoiningTerms())
    stale = asyncio.create_task(SiteEdge(membership, SimulatedWorks(1, 1), clock=lambda: time.time() - 7200).watch())
    await until(lambda: _why(yard, "stale", "its clock differs"), "the stale clock to be told", pause_s=0.5)
    stale.cancel()

    # One has another workflow than was approved.
    async with open_service(
        yard.database("beta"), Vault({}), ServiceOptions(confirmation=tools.ASKS_NOBODY)
    ) as service:
        other = await tools.House(yard.database("beta"), service).submit_changed("find", title="Find it otherwise")
        await service.revisions.decide(other.id, "approve", actor="test", role="admin", reason="", digest=other.digest)
    answer = await until(lambda: _is_refused(yard, f"site_beta_{FIND}"), "", pause_s=0.5)
    assert any(word in answer["detail"] for word in ("another", "no approved", "superseded")), answer["detail"]
    await until(lambda: _is_left_out(yard, "beta"), "the hub to know", pause_s=1.0)

    # The hub is killed in the middle of a dispatch, and takes it up by its id.
    before, held_too, heard_too = yard.stops("gamma"), asyncio.Event(), asyncio.Event()

    async def holds_too(_: Any) -> bool:
        heard_too.set()
        await held_too.wait()
        return True

    yard.devices["gamma"].script.before_stop = holds_too
    calling = asyncio.create_task(yard.run(f"site_gamma_{STOP}", uuid="u-1"))
    await heard_too.wait()
    yard.kill("hub")
    with contextlib.suppress(httpx.TransportError):
        await calling
    yard.serve_hub()
    await until_up(yard)
    held_too.set()
    run = await until(lambda: _ended(yard, f"site_gamma_{STOP}"), "the run to be taken up", pause_s=0.5)
    assert run["outcome"] == "succeeded", run
    assert yard.stops("gamma") == before + 1
    await until(lambda: yard.are_well(simulated), "the simulated sites to come back", pause_s=1.0)
    read = await yard.asked("/tools/dispatch", workflow=READ, inputs={"room": "hall"}, parallel=16)
    assert (read["succeeded"], read["of"]) == (SIMULATED, SIMULATED), read
    assert {each["outputs"]["level"] for each in read["results"]} == {3}


async def _why(yard: Yard, name: str, words: str) -> bool:
    return words in (await yard.sites()).get(name, {}).get("why", "")


async def _is_left_out(yard: Yard, name: str) -> bool:
    left_out = (await yard.asked("/tools/select_sites", workflow=FIND))["left_out"]
    return any(each["site"] == name and "not approved here" in each["why"] for each in left_out)


async def _is_refused(yard: Yard, tool: str) -> Any:
    told = await yard.run(tool, vm="web-01")
    return None if told.get("outcome") == "succeeded" else told


async def _ended(yard: Yard, tool: str) -> Any:
    async with yard.client() as client:
        runs = (await client.get("/runs", params={"limit": 50})).json()
    found = [each for each in runs if each["workflow_id"] == tool]
    return next((each for each in found if each["outcome"]), None)
