"""A hub of two processes on PostgreSQL, two real sites and simulated ones spread over both; one hub killed, and again.

Sites come by doors that lead to whichever process lives, as a load balancer's do. A process dies to which the site of a
dispatch comes, then one whose call waits for its site, and a run of one is cancelled at the other: each caller is told
what is true, both tell the same of the sites, and nothing runs twice.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from governance.storage import schema
from runtime.sites.edge import SiteEdge
from runtime.sites.joining import JoiningTerms, join
from runtime.sites.simulated import SimulatedWorks
from tests.ports import free_port
from tests.runtime.test_sites_of_processes import (
    FIND,
    SET,
    STOP,
    Yard,
    furnish_hub,
    furnish_site,
    invitation,
    until_up,
)
from tests.waiting import PATIENCE_S, until

SIMULATED = 10
HUBS = ("north", "south")
# Which process a site's door tries first.
DOORS = {"alpha": ("south", "north"), "beta": ("north", "south")}


@dataclass
class Hubs(Yard):
    """`port` is the door to the north; `port_of` says where each process is."""

    address: str = ""
    port_of: dict[str, int] = field(default_factory=dict)
    works: dict[str, SimulatedWorks] = field(default_factory=dict)
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    def database(self, name: str) -> str:
        return self.address if name == "hub" else super().database(name)

    def serve(self, name: str) -> None:
        more = {"SWITCHGEAR_HUB_KEY": str(self.folder / "hub.key"), "SWITCHGEAR_DATABASE_URL": self.address}
        self.start(name, "serve", "--port", str(self.port_of[name]), **more)

    def at(self, name: str) -> "Hubs":
        """The same, asked by way of this process."""
        return replace(self, port=self.port_of[name])

    async def simulate(self, number: int, pause_s: float = 0.0) -> str:
        """A simulated site that comes to one of both."""
        hub, name = self.at(HUBS[number % 2]), f"sim-{number:02}"
        works = self.works[name] = SimulatedWorks(number, 7, pause_s)
        membership = await join(await invitation(hub, name), hub.url, "verify", JoiningTerms())
        self.tasks.append(asyncio.create_task(SiteEdge(membership, works).watch()))
        return name


async def door(ports: tuple[int, ...]) -> asyncio.Server:
    """Leads each connection to the first of these ports at which somebody listens."""

    async def carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def led(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in ports:
            with contextlib.suppress(OSError):
                theirs = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(carried(reader, theirs[1]), carried(theirs[0], writer))
                return
        writer.close()

    return await asyncio.start_server(led, "127.0.0.1", 0)


@pytest.fixture
async def hubs(tmp_path: Any, tools: Any, recorder: Any, postgres_server: Any) -> AsyncIterator[Hubs]:
    ports = {name: free_port() for name in HUBS}
    made = Hubs(tmp_path, ports["north"], address=postgres_server.new_database(), port_of=ports)
    doors = {name: await door(tuple(ports[each] for each in ways)) for name, ways in DOORS.items()}
    try:
        await asyncio.to_thread(schema.upgrade, made.address)
        await furnish_hub(made)
        for name in HUBS:
            made.serve(name)
            await until_up(made.at(name))
        for name, each in doors.items():
            await furnish_site(replace(made, port=each.sockets[0].getsockname()[1]), name, tools, recorder)
            made.serve_site(name)
        yield made
    finally:
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        for process in made.processes.values():
            process.kill()
        for process in made.processes.values():
            process.wait(PATIENCE_S)
        for each in doors.values():
            each.close()


@pytest.mark.long
@pytest.mark.unwitnessed("processes are killed, and the hub sends what a site hears again; requests are counted here")
async def test_a_hub_of_two_processes_tells_what_is_true_whichever_dies_and_nothing_runs_twice(hubs: Hubs) -> None:
    north, south = (hubs.at(name) for name in HUBS)
    simulated = {await hubs.simulate(number) for number in range(SIMULATED)}
    slow = await hubs.simulate(SIMULATED + 1, pause_s=10 * PATIENCE_S)  # it comes to the south
    everybody = {*simulated, slow, *DOORS}
    for each in (north, south):
        await until(lambda hub=each: hub.are_well(everybody), "all sites to come", pause_s=0.5)  # type: ignore[misc]
    await hubs.approve(everybody)
    for each in (north, south):
        for tool, count in ((SET, SIMULATED + 1), (STOP, 2)):
            await until(lambda h=each, t=tool, n=count: h.can(t, n), f"{tool} to be served", pause_s=0.5)  # type: ignore[misc]
    assert await facts(north) == await facts(south)

    # To sites of both, from either.
    for number, each in enumerate((north, south)):
        wanted = {"inputs": {"room": "hall", "level": number}, "sites": sorted(simulated), "parallel": 4}
        told = await each.asked("/tools/dispatch", workflow=SET, **wanted)
        assert (told["succeeded"], told["of"]) == (SIMULATED, SIMULATED), told
    assert {works.done.total() for name, works in hubs.works.items() if name != slow} == {2}

    # A run of the north is cancelled at the south, to which its site comes.
    calling = asyncio.create_task(north.run(f"site_{slow}_{SET}", room="hall", level=1))
    run = await until(lambda: under_way(south), "the run to be on record", pause_s=0.2)
    async with south.client() as client:
        assert (await client.post(f"/runs/{run['id']}/cancel")).status_code < 300
    told = await calling
    assert "cancelled" in str(told), told
    assert hubs.works[slow].done.total() == 0

    # The process dies to which the site comes: it comes to the other one, and the call goes on.
    goes_on = await held(hubs, "alpha")
    calling = asyncio.create_task(north.run(f"site_alpha_{STOP}", uuid="u-1"))
    await goes_on.heard.wait()
    hubs.kill("south")
    goes_on.released.set()
    told = await calling
    assert (told["outcome"], hubs.stops("alpha")) == ("succeeded", 1), told
    assert (await north.run(f"site_alpha_{FIND}", vm="web-01"))["outcome"] == "succeeded"

    # The process dies whose call waits: the other one takes the run up, and finds what became of it.
    hubs.serve("south")
    await until_up(south)
    goes_on = await held(hubs, "beta")
    calling = asyncio.create_task(south.run(f"site_beta_{STOP}", uuid="u-2"))
    await goes_on.heard.wait()
    run = await until(lambda: under_way(north), "the run to be on record", pause_s=0.2)
    hubs.kill("south")
    goes_on.released.set()
    with contextlib.suppress(httpx.TransportError):
        await calling
    ended = await until(lambda: outcome_of(north, run["id"]), "the run to be taken up", pause_s=0.5)
    assert (ended, hubs.stops("beta")) == ("succeeded", 1)
    assert all(times == 1 for works in hubs.works.values() for times in works.done.values())


async def facts(hubs: Hubs) -> Any:
    """What is told of the sites, but for the seconds."""
    return {name: {**each, "heard_of_s": 0, "running": 0} for name, each in (await hubs.sites()).items()}


@dataclass
class Holding:
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


async def held(hubs: Hubs, site: str) -> Holding:
    """The site's device, asked for a stop, answers when it is released."""
    holding = Holding()

    async def holds(_: Any) -> bool:
        holding.heard.set()
        await holding.released.wait()
        return True

    hubs.devices[site].script.before_stop = holds
    return holding


async def under_way(hubs: Hubs) -> Any:
    async with hubs.client() as client:
        runs = (await client.get("/runs", params={"limit": 50})).json()
    return next((each for each in runs if not each["outcome"]), None)


async def outcome_of(hubs: Hubs, run: str) -> Any:
    async with hubs.client() as client:
        return (await client.get(f"/runs/{run}")).json()["outcome"]
