"""What many approved workflows cost beside few: `python -m bench.scale [--sizes 50 500 5000] [--write]`.

Twenty APIs, each with the workflows of a shipped description under a name of its own, approved one by one; a server for
each size, all of them up at once, and the calls take turns between them, so that what else the machine does meets all
alike. Told are processor time until ready and while nobody asks, memory after that, and medians of: approve until the
clients have heard of it, a search over MCP, a page of revisions and a search over REST. Only the ratios travel.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import mcp_types
import orjson
from fastmcp import Client
from fastmcp.client.messages import MessageHandler

from bench.call import rounds
from bench.figures import ROOT, tell, write
from bench.installation import Installation, installation
from bench.serve import resident_mb
from demo.children import Server, answers
from governance.approval.revisions import NewRevision, Revision, RevisionStore
from governance.registry.apis import ApiStore
from governance.storage.database import open_database
from workflow.profiles.profile import Profile
from workflow.revision import RevisionContent

SPECS = ("hypercore", "idrac")
APIS, SIZES, LISTENERS = 20, (50, 500, 5000), 10
WARM_UP, ROUNDS, SETTLE_S, IDLE_S, TOLD_S = 5, 60, 40.0, 20.0, 30.0
SPARE = WARM_UP + ROUNDS
"""Pending ones, a decision on one of which is timed."""
TITLE = "20 APIs: processor time, memory and medians by how many workflows are approved"
Parts = dict[str, tuple[list[Revision], Any]]


async def read_parts(database: str) -> Parts:
    """By API: what was compiled, and the profile of it."""
    async with open_database(database) as opened:
        store, apis = RevisionStore(opened), ApiStore(opened)
        return {api: (list(await store.find(api=api)), (await apis.get_api(api)).profile) for api in SPECS}


def copies(parts: Sequence[Revision], model: str, api: str, wanted: int, digest: str) -> Iterator[NewRevision]:
    """That many workflows of `model`, spread over all of them, called as of `api`; round again where it has less."""
    for number in range(wanted):
        one = parts[number * len(parts) // wanted if wanted < len(parts) else number % len(parts)]
        data = orjson.loads(one.content_bytes.replace(model.encode(), api.encode()))
        again = f"_{number // len(parts)}" if number >= len(parts) else ""
        data["tool"]["name"] += again
        content = RevisionContent(data["document"], data["tool"], data["operations"], digest)
        named = one.workflow_id.replace(model, api) + again
        yield NewRevision(named, content, one.intent, one.risk, one.resource, one.is_core, one.rank, None)


async def fill(database: str, parts: Parts, size: int) -> list[tuple[str, str]]:
    """Approves `size` workflows; answers ids and digests of some more that are pending."""
    spare: list[tuple[str, str]] = []
    async with open_database(database) as opened:
        store, apis = RevisionStore(opened), ApiStore(opened)
        for number in range(APIS):
            model, api = SPECS[number % len(SPECS)], f"api{number:02d}"
            found, told = parts[model]
            profile = Profile.model_validate({**told, "api": api})
            plain = profile.model_dump(mode="json")
            await apis.put_api(api, api, "1", "sha256:" + "0" * 64, plain, profile.digest)
            share = size * (number + 1) // APIS - size * number // APIS
            more = -(-SPARE // APIS)
            made = list(copies(found, model, api, share + more, profile.digest))
            stored = [each.revision for each in await store.submit_all(api, made, actor="bench")]
            spare += [(each.id, each.digest) for each in stored[share:]]
            for each in stored[:share]:
                await store.decide(each.id, "approve", actor="ann", role="admin", reason="", digest=each.digest)
    return spare[:SPARE]


def cpu_s(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Told(MessageHandler):
    """A client that hears of changes of the list."""

    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def on_tool_list_changed(self, message: mcp_types.ToolListChangedNotification) -> None:  # noqa: ARG002 FastMCP's
        self.heard.set()


@dataclass
class Served:
    """One size while it is measured."""

    size: int
    made: Installation
    server: Server
    spare: list[tuple[str, str]]
    row: dict[str, Any]
    listeners: list[Told] = field(default_factory=list)
    rest: httpx.AsyncClient = field(init=False)
    mcp: Client[Any] = field(init=False)

    async def decide(self) -> None:
        """Approves one, until all clients have heard of it."""
        ref, digest = self.spare.pop()
        for each in self.listeners:
            each.heard.clear()
        reply = await self.rest.post(f"/workflows/{ref}/approve", json={"digest": digest})
        reply.raise_for_status()
        async with asyncio.timeout(TOLD_S):
            await asyncio.gather(*(each.heard.wait() for each in self.listeners))

    async def search(self) -> None:
        await self.mcp.call_tool_mcp("search_workflows", {"query": "turn off a virtual machine"})

    async def page(self) -> None:
        reply = await self.rest.get("/workflows", params={"state": "approved", "limit": 50})
        assert len(reply.raise_for_status().json()) == 50

    async def find(self) -> None:
        reply = await self.rest.get("/workflows", params={"q": "turn off a virtual machine", "limit": 20})
        assert reply.raise_for_status().json()


@contextlib.asynccontextmanager
async def connected(served: Served) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        headers = {"authorization": f"Bearer {served.made.token}"}
        rest = httpx.AsyncClient(base_url=served.server.url, headers=headers, trust_env=False, timeout=60)
        served.rest = await stack.enter_async_context(rest)
        for _ in range(LISTENERS):
            told = Told()
            client = Client(f"{served.server.url}/mcp", auth=served.made.token, message_handler=told, mode="legacy")
            served.mcp = await stack.enter_async_context(client)
            await served.mcp.list_tools()
            served.listeners.append(told)
        yield


def start(size: int, made: Installation, spare: list[tuple[str, str]]) -> Served:
    begin = time.perf_counter()
    server = made.serve()
    while not answers(f"{server.url}/ready"):
        time.sleep(0.01)
    row = {"workflows": size, "ready_s": round(time.perf_counter() - begin, 2)}
    row["ready_cpu_s"] = round(cpu_s(server.process.pid), 2)
    return Served(size, made, server, spare, row)


async def idle(served: Sequence[Served]) -> None:
    """Processor time of all while nobody asks them anything, and memory after it."""
    await asyncio.sleep(SETTLE_S)
    before = [cpu_s(each.server.process.pid) for each in served]
    await asyncio.sleep(IDLE_S)
    for each, spent in zip(served, before, strict=True):
        each.row["idle_percent"] = round((cpu_s(each.server.process.pid) - spent) / IDLE_S * 100, 2)
        each.row["idle_MB"] = round(resident_mb(each.server.process.pid))


async def ask(served: Sequence[Served]) -> None:
    """Medians of each kind of question, the servers in turns."""
    async with contextlib.AsyncExitStack() as stack:
        for each in served:
            await stack.enter_async_context(connected(each))
        for kind in ("decide", "search", "page", "find"):
            taken = await rounds({str(each.size): getattr(each, kind) for each in served}, WARM_UP, ROUNDS)
            for each in served:
                each.row[f"{kind}_ms"] = round(statistics.median(taken[str(each.size)]) * 1000, 1)
        for each in served:
            each.row["end_MB"] = round(resident_mb(each.server.process.pid))


def measure(sizes: Sequence[int]) -> list[Mapping[str, Any]]:
    with contextlib.ExitStack() as stack:
        seed = stack.enter_context(installation())
        for spec in SPECS:
            seed.compile(ROOT / "specs" / spec / "openapi.yaml")
        parts = asyncio.run(read_parts(seed.children.environment["SWITCHGEAR_DATABASE_URL"]))
        made = [stack.enter_context(installation()) for _ in sizes]
        spares = [
            asyncio.run(fill(each.children.environment["SWITCHGEAR_DATABASE_URL"], parts, size))
            for each, size in zip(made, sizes, strict=True)
        ]
        served = [start(*each) for each in zip(sizes, made, spares, strict=True)]
        asyncio.run(idle(served))
        asyncio.run(ask(served))
        return [*(each.row for each in served), ratio(served[0].row, served[-1].row)]


def ratio(least: Mapping[str, Any], most: Mapping[str, Any]) -> Mapping[str, Any]:
    """How many times the figures of the smallest those of the largest are."""
    found = {name: round(most[name] / least[name], 2) if least[name] else "" for name in least}
    return {**found, "workflows": "largest / smallest"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    rows = measure(given.sizes)
    tell(TITLE, rows)
    if given.write:
        write("bench.scale", TITLE, rows)


if __name__ == "__main__":
    main()
