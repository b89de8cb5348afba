"""What a one-step read costs a server, beside another checkout's: `python -m bench.read_cost --peer FOLDER [--write]`.

The same operation, upstream and client; both servers are asked in turns, some calls each. Counted is the processor time
of all threads of each server's process, which other work on the machine makes little longer; medians over the turns.
`FOLDER`: a checkout with a .venv of its own.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from fastmcp import Client

from bench.call import API, SPEC, WISH, free_port, start
from bench.figures import ROOT, tell, write
from bench.installation import Installation, installation
from demo.choice import granted

WARM_UP, TURNS, CALLS = 60, 30, 20
NOTE = "A one-step read, this version beside a former one in turns: of the server's process"


class Peer(NamedTuple):
    """A server, the tool of it that is called, and its workflow."""

    url: str
    token: str
    process_id: int
    tool: str
    workflow: str


class Taken(NamedTuple):
    worked_ms: float
    waited_ms: float


def prepare(made: Installation, upstream: str, checkout: Path = ROOT) -> Peer:
    """Each version with the description and the profile that it came with."""
    workflow = granted(WISH, made.compile(checkout / SPEC.relative_to(ROOT)))
    made.approve([workflow])
    made.add_target(API, upstream)
    server = made.serve()
    return Peer(server.url, made.token, server.process.pid, workflow["tool"]["name"], workflow["id"])


def worked_s(process_id: int) -> float:
    """The processor time of all its threads so far."""
    threads = Path(f"/proc/{process_id}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9


class Asking:
    """Calls one server, over MCP and over REST."""

    def __init__(self, peer: Peer, inside: contextlib.AsyncExitStack) -> None:
        self._peer, self._inside = peer, inside

    async def open(self) -> "Asking":
        headers = {"authorization": f"Bearer {self._peer.token}"}
        self._mcp = await self._inside.enter_async_context(Client(f"{self._peer.url}/mcp", auth=self._peer.token))
        http = httpx.AsyncClient(base_url=self._peer.url, headers=headers, trust_env=False)
        self._http = await self._inside.enter_async_context(http)
        return self

    async def call(self, door: str) -> None:
        if door == "MCP":
            assert not (await self._mcp.call_tool_mcp(self._peer.tool, {})).is_error
        else:
            (await self._http.post(f"/workflows/{self._peer.workflow}/run", json={"inputs": {}})).raise_for_status()

    async def turn(self, door: str, count: int) -> Taken:
        begin, worked = time.perf_counter(), worked_s(self._peer.process_id)
        for _ in range(count):
            await self.call(door)
        took = time.perf_counter() - begin
        return Taken((worked_s(self._peer.process_id) - worked) / count * 1000, took / count * 1000)


async def measure(peers: Mapping[str, Peer], turns: int) -> list[dict[str, Any]]:
    rows = []
    async with contextlib.AsyncExitStack() as inside:
        asking = {name: await Asking(peer, inside).open() for name, peer in peers.items()}
        for door in ("MCP", "REST"):
            taken: dict[str, list[Taken]] = {name: [] for name in asking}
            for each in asking.values():
                await each.turn(door, WARM_UP)
            for _ in range(turns):
                for name, each in asking.items():
                    taken[name].append(await each.turn(door, CALLS))
            rows += rows_of(door, taken)
    return rows


def rows_of(door: str, taken: Mapping[str, list[Taken]]) -> list[dict[str, Any]]:
    medians = {
        name: [statistics.median(column) for column in zip(*turns, strict=True)] for name, turns in taken.items()
    }
    last = list(medians.values())[-1]
    load = round(os.getloadavg()[0], 1)
    return [
        {"server": name, "door": door, "worked_ms": round(worked, 2), "waited_ms": round(waited, 2),
         "of the former": f"{worked / last[0]:.2f} {waited / last[1]:.2f}", "load": load}
        for name, (worked, waited) in medians.items()
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    with contextlib.ExitStack() as inside:
        ours = inside.enter_context(installation())
        port = free_port()
        start(ours.children, "upstream", "bench.upstream", str(port))
        peers = {"this": prepare(ours, f"http://127.0.0.1:{port}")}
        if given.peer:
            former = inside.enter_context(installation(checkout=given.peer))
            peers["former"] = prepare(former, f"http://127.0.0.1:{port}", given.peer)
        rows = asyncio.run(measure(peers, given.turns))
    tell(NOTE, rows)
    if given.write:
        write("bench.read_cost", NOTE, rows)


if __name__ == "__main__":
    main()
