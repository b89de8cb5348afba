"""Many callers at once (THREATS D7, D8): every call is answered, with its own answer, or told to come back.

A real `switchgear serve` in a process of its own, a device that says back what it was asked for, and callers with a
connection and markers of their own, over REST and MCP in turns. Raw sockets: a client library would dial again
without telling. Meanwhile catalogs are loaded a hundred times a second, every other time from a database that somebody
has spoilt. `long` takes a thousand callers, the minutes over which memory must not grow, and a minute of loads.
"""

import asyncio
import contextlib
import itertools
import json
import os
import resource
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from governance.approval.revisions import RevisionStore
from governance.storage.database import open_database
from runtime.service import open_service
from tests.waiting import PATIENCE_S, until

LOAD_S = 600
RELOADS_PER_S, RELOADERS = 100, 8
PROGRAM = Path(sys.executable).with_name("switchgear")
MCP = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "toy_read_vm"}
CLIENT = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "caller", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass
class Server:
    """A server in its process, and the device behind it."""

    folder: Path
    port: int
    pid: int
    device: "Device"

    @property
    def asked(self) -> Counter[str]:
        return self.device.asked

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder / 's.db'}"

    @property
    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def recorded(self) -> Counter[str]:
        """The last parts of the paths that the audit has as sent."""
        with closing(sqlite3.connect(self.folder / "s.db")) as database:
            rows = database.execute("SELECT detail FROM audit WHERE action = 'request.sending'")
            return Counter(json.loads(row[0])["path"].rpartition("/")[2] for row in rows)


@dataclass
class Device:
    """`answers`: nothing is answered before it is set."""

    answers: asyncio.Event = field(default_factory=asyncio.Event)
    asked: Counter[str] = field(default_factory=Counter)
    heard: list[tuple[str, str]] = field(default_factory=list)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                line = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]
                marker = line.split(b" ")[1].rpartition(b"/")[2].decode()
                self.asked[marker] += 1
                self.heard.append((line.split(b" ")[0].decode(), line.split(b" ")[1].partition(b"?")[0].decode()))
                await self.answers.wait()
                body = json.dumps({"uuid": marker}).encode()
                head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
        writer.close()


Serve = Callable[..., Any]


@pytest.fixture
def serve(tmp_path: Path, tools: Any, witness: Any) -> Serve:
    return partial(served, tmp_path, tools, witness)


@contextlib.asynccontextmanager
async def served(
    folder: Path, tools: Any, witness: Any, *, is_quick: bool = True, files: int = 0
) -> AsyncIterator[Server]:
    """`files`: how many files the server may have open; 0: as many as we. `is_quick`: whether the device answers."""
    device = Device()
    if is_quick:
        device.answers.set()
    listener = await asyncio.start_server(device.accept, "127.0.0.1", 0, backlog=2048)
    url = f"sqlite+aiosqlite:///{folder / 's.db'}"
    async with open_service(url) as service:
        house = await tools.furnished(url, service)
        port = listener.sockets[0].getsockname()[1]
        witness.device(port, lambda: device.heard)
        await house.target(f"http://127.0.0.1:{port}")
        await house.approve("read")
        await house.approve("list")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHGEAR_")}
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM), "serve", "--port", "0", "--db", url, "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=environment,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_NOFILE, (files, files)) if files else None,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        told = json.loads(await process.stdout.readline())
        yield Server(folder, int(told["url"].rpartition(":")[2]), process.pid, device)
    finally:
        process.terminate()
        await process.wait()
        listener.close()
        await listener.wait_closed()


@dataclass
class Going:
    """Work that goes on for some seconds, and on a busy machine until what is to be seen was seen."""

    seconds: float = 0.0
    is_seen: Callable[[], bool] = lambda: True
    begun: float = field(default_factory=time.monotonic)

    def on(self) -> bool:
        return time.monotonic() < self.begun + self.seconds or not self.is_seen()


@dataclass
class Caller:
    """One connection, kept as long as the server keeps it."""

    port: int
    number: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def calls(self, count: int, seen: Counter[str], going: "Going") -> None:
        """Calls `count` times, and on while it is `going`; `seen` counts what came of it."""
        number = 0
        async with asyncio.timeout(PATIENCE_S + going.seconds):
            while number < count or going.on():
                seen[await self._verdict(f"m-{self.number}-{number}")] += 1
                number += 1
        self.hang_up()

    async def _verdict(self, marker: str) -> str:
        status, headers, body = await self.asked(*(over_rest(marker) if self.number % 2 else over_mcp(marker)))
        if status in (429, 503):
            assert headers["retry-after"], "whoever is sent away learns when to come back"
            self.hang_up()
            return "sent away"
        if b"superseded, not approved" in body and status in (200, 409):
            return "superseded"
        if status != 200:
            return f"{status} {body[:200]!r}"
        return "answered" if answer_in(body) == marker else f"crossed or lost: {marker} got {body[:300]!r}"

    async def asked(self, path: str, fields: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self.reader is not None
        fields = {"host": f"127.0.0.1:{self.port}", "content-length": str(len(body)), **fields}
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        self.writer.write("\r\n".join(lines).encode() + body)
        head, *rest = (await self.reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in rest)
        return int(head.split(" ")[1]), headers, await self.reader.readexactly(int(headers["content-length"]))

    def hang_up(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.writer = None


def over_rest(marker: str) -> tuple[str, dict[str, str], bytes]:
    body = json.dumps({"inputs": {"id": marker}}).encode()
    return "/workflows/toy-read-vm/run", {"content-type": "application/json"}, body


def over_mcp(marker: str) -> tuple[str, dict[str, str], bytes]:
    params = {"name": "toy_read_vm", "arguments": {"id": marker}, "_meta": CLIENT}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    accept = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    return "/mcp", {**MCP, **accept}, body


def answer_in(body: bytes) -> Any:
    told = json.loads(body)
    return (told.get("outputs") or told.get("result", {}).get("structuredContent") or {}).get("uuid")


async def crowd(
    server: Server, size: int, calls: int, going: Going | None = None, first: int = 0, seen: Counter[str] | None = None
) -> Counter[str]:
    """What came of the calls of so many callers, numbered from `first`, who begin at once."""
    seen, going = Counter() if seen is None else seen, going or Going()
    await asyncio.gather(*(Caller(server.port, first + number).calls(calls, seen, going) for number in range(size)))
    return seen


@pytest.mark.slow
async def test_of_many_calls_at_once_none_is_lost_and_none_gets_anothers_answer(serve: Serve) -> None:
    async with serve() as server:
        seen = await crowd(server, 200, 2)
        assert seen == {"answered": 400}
        assert server.recorded() == server.asked, "each request of each call is on record, and nothing else is"
        assert set(server.asked.values()) == {1}
        assert len(server.asked) == 400


@pytest.mark.slow
async def test_more_callers_than_there_is_room_for_are_told_to_come_back(serve: Serve) -> None:
    async with serve(is_quick=False, files=160) as server:
        seen: Counter[str] = Counter()
        calling = asyncio.create_task(crowd(server, 80, 1, seen=seen))
        await until(lambda: seen["sent away"], "somebody to be sent away")
        server.device.answers.set()
        await calling
        assert set(seen) == {"answered", "sent away"}
        assert sum(seen.values()) == 80
        assert len(server.asked) == seen["answered"], "who was sent away reached no device"
        assert await crowd(server, 4, 1) == {"answered": 4}, "and then there is room again"


@pytest.mark.slow
async def test_a_connection_that_was_idle_for_a_while_is_still_good(serve: Serve) -> None:
    """A server that closes before its clients do loses requests that are on their way: many keep one for 5 s."""
    async with serve() as server:
        caller, seen = Caller(server.port, 1), Counter[str]()
        seen[await caller._verdict("first")] += 1
        await asyncio.sleep(6)
        seen[await caller._verdict("second")] += 1
        caller.hang_up()
        assert seen == {"answered": 2}


@pytest.mark.long
async def test_a_thousand_callers_for_minutes_and_memory_stays_as_it_is(serve: Serve) -> None:
    async with serve() as server:
        await crowd(server, 1_000, 1)  # what a thousand connections and their buffers take is there from now on
        sizes: list[float] = []
        watching = asyncio.create_task(watched(server, sizes))
        seen = await crowd(server, 1_000, 1, Going(LOAD_S))
        watching.cancel()
        third = len(sizes) // 3
        first, last = sum(sizes[:third]) / third, sum(sizes[-third:]) / third
        print(f"{sum(seen.values())} calls: {dict(seen)}; {first:.0f} MB, then {last:.0f} MB")
        assert set(seen) <= {"answered", "sent away"}
        assert server.recorded() == server.asked
        assert abs(last - first) <= 0.2 * first, f"from {first:.0f} to {last:.0f} MB"


async def watched(server: Server, sizes: list[float]) -> None:
    while True:
        sizes.append(server.memory_mb)
        await asyncio.sleep(1)


async def approve_version(service: RevisionStore, tools: Any, version: int) -> None:
    """Puts a version in the place of the one that is approved: it reads below another path."""
    content = tools.toy_content("read")
    step = content.document["workflows"][0]["steps"][0]
    step["operationPath"] = step["operationPath"].replace("~1vms~1", f"~1v{version}~1")
    content = tools.content_of(content.document)
    about: Any = {"intent": "find", "risk": "read", "resource": "vms", "is_core": True, "rank": 1.0}
    revision = (await service.submit("toy", "toy-read-vm", content, **about, proof=None, actor="test")).revision
    await service.decide(revision.id, "approve", actor="test", role="admin", reason="", digest=revision.digest)


# What somebody spoils behind our back, and how it is put right again: a load of it fails, or one workflow is left out.
SPOILT = (
    ("UPDATE targets SET limits = '{'", "UPDATE targets SET limits = '{}'"),
    ("UPDATE targets SET labels = '[]'", "UPDATE targets SET labels = '{}'"),
    (
        "UPDATE revisions SET seal = 'x' || seal WHERE workflow_id = 'toy-list-vms'",
        "UPDATE revisions SET seal = substr(seal, 2) WHERE workflow_id = 'toy-list-vms'",
    ),
)


async def spoil_and_mend(server: Server, tools: Any, going: Going) -> None:
    """Half of the time something is spoilt; again and again another version is approved, after a call of the last."""
    begun, versions, path = time.monotonic(), 0, "vms"
    with closing(sqlite3.connect(server.folder / "s.db", timeout=30, isolation_level=None)) as spoiler:
        async with open_database(server.url) as database:
            for number in itertools.count():
                for statement in SPOILT[number % len(SPOILT)]:
                    spoiler.execute(statement)
                    await asyncio.sleep(1 / RELOADS_PER_S)
                if path in called(server) and time.monotonic() > begun + going.seconds / 4 * (versions + 1):
                    versions += 1
                    path = f"v{versions % 2}"
                    await approve_version(RevisionStore(database), tools, versions % 2)
                if not going.on():
                    return


def called(server: Server) -> set[str]:
    """What stands behind `/api` in the paths that the device was asked for: each version has its own."""
    return {path.split("/")[2] for _, path in server.device.heard}


async def reload_often(server: Server, said: Counter[int], going: Going) -> None:
    caller = Caller(server.port, 0)
    while going.on():
        begin = time.monotonic()
        status, _, _ = await caller.asked("/reload", {}, b"")
        said[status] += 1
        await asyncio.sleep(max(0.0, begin + RELOADERS / RELOADS_PER_S - time.monotonic()))
    caller.hang_up()


async def check_reloads_under_way(serve: Serve, tools: Any, *, size: int, seconds: float) -> None:
    async with serve() as server:
        said = Counter[int]()
        going = Going(seconds, lambda: {200, 409} <= set(said) and len(called(server)) > 1)
        async with asyncio.TaskGroup() as group:
            group.create_task(spoil_and_mend(server, tools, going))
            for _ in range(RELOADERS):
                group.create_task(reload_often(server, said, going))
            calling = group.create_task(crowd(server, size, 1, going))
        seen = calling.result()
        await reload_often(server, Counter(), Going(0.1))
        assert await crowd(server, 4, 1, first=10_000) == {"answered": 4}, "then the newest version is served"
        print(f"{sum(said.values())} loads: {dict(said)}; {sum(seen.values())} calls: {dict(seen)}")
        assert set(said) == {200, 409}, "a load from spoilt rows says so, and nothing breaks"
        assert seen["answered"] > 0
        assert set(seen) <= {"answered", "superseded", "sent away"}
        assert server.recorded() == server.asked
        assert not mixed(server.folder / "s.db"), "each call is of one version from its start to its end"


def mixed(place: Path) -> list[Any]:
    """Runs whose requests are not those of the revision that they were begun with."""
    with closing(sqlite3.connect(place)) as database:
        versions = dict(database.execute("SELECT id, content FROM revisions").fetchall())
        runs = database.execute(
            "SELECT r.revision_id, s.path FROM runs r JOIN run_steps s ON s.run_id = r.id"
        ).fetchall()
    assert len({revision for revision, _ in runs}) > 1, "several versions were called"
    return [(revision, path) for revision, path in runs if f"~1{path.split('/')[1]}~1" not in versions[revision]]


@pytest.mark.slow
async def test_calls_go_on_while_the_catalog_is_loaded_again_and_again(serve: Serve, tools: Any) -> None:
    await check_reloads_under_way(serve, tools, size=40, seconds=3)


@pytest.mark.long
async def test_calls_go_on_through_a_minute_of_loads(serve: Serve, tools: Any) -> None:
    await check_reloads_under_way(serve, tools, size=200, seconds=60)
