"""What floods cost another caller: `python -m bench.floods [KIND …] [--count N] [--write]`.

One server, one device that answers at once, a caller who reads every 20 ms, and somebody who floods (`bench.flooding`):
a caller with requests, or a second device with its replies. In one run before, while and after: how long the caller
waits, how much the server's thread works meanwhile (which a busy machine does not make more), how long an admin waits
for a revocation, and the server's memory. Only the ratios travel.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from bench.call import free_port, start
from bench.durable import content, furnish
from bench.figures import spread, tell, write
from bench.flooding import CALLERS, FLOODERS, REPLIES, RUN, request
from bench.serve import resident_mb
from demo.children import Children, Server
from governance.registry.targets import Target
from runtime.secrets import Vault
from runtime.service import open_service

COUNT, WARM_UP, SAMPLES, PAUSE_S, SETTLE_S, DEVICES_TRIES = 2_000, 1_000, 150, 0.02, 8.0, 3
NOTE = (
    "Another caller beside floods of 2,000 requests at once, or of a device: p95 of their calls and of the server's "
    "work meanwhile, as multiples of the same idle; who asks after its health and who revokes a token do so on "
    "connections of their own"
)
STEP = {
    "stepId": "read",
    "operationPath": "{$sourceDescriptions.bench.url}#/paths/~1things/get",
    "x-switchgear": {"role": "read", "effect": "read", "idempotent": True},
    "outputs": {"body": "$response.body"},
}


async def furnished(url: str, upstream: str, flooding: str) -> dict[str, str]:
    """One approved read, two devices, and the tokens of an admin, a caller and those who flood."""
    async with open_service(url, Vault({})) as service:
        made = content("one_read", "read", [STEP], {"body": "$steps.read.outputs.body"})
        await furnish(service, upstream, "one_read", "read", made)
        await service.targets.add(Target("flooding", "bench", flooding, "twin"))
        roles = {"boss": "admin", "good": "operator", **{f"bad{n}": "operator" for n in range(FLOODERS)}}
        return {name: (await service.principals.create_token(name, role))[1] for name, role in roles.items()}  # type: ignore[arg-type]


class Taken(NamedTuple):
    """What a call took: the caller's time, and the work of the server's one thread for all meanwhile."""

    waited_s: float
    worked_s: float


class Caller:
    """Reads again and again on one connection."""

    def __init__(self, server: Server, token: str) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False, timeout=60)
        self._work = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/schedstat")
        self._taken: list[Taken] = []

    def _work_s(self) -> float:
        return int(self._work.read_text().split()[0]) / 1e9

    async def call(self) -> None:
        (await self._http.post(RUN, json={"inputs": {}, "target": "bench"})).raise_for_status()

    async def read(self) -> None:
        begin, worked = time.perf_counter(), self._work_s()
        await self.call()
        self._taken.append(Taken(time.perf_counter() - begin, self._work_s() - worked))
        await asyncio.sleep(PAUSE_S)

    async def reads(self, count: int) -> list[Taken]:
        self._taken = []
        for _ in range(count):
            await self.read()
        return self._taken

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[list[Taken]]:
        """Reads as long as the block runs."""
        self._taken = []
        task = asyncio.create_task(self._for_ever())
        try:
            yield self._taken
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _for_ever(self) -> None:
        while True:
            await self.read()

    async def aclose(self) -> None:
        await self._http.aclose()


async def waited(url: str, tokens: dict[str, str]) -> dict[str, int]:
    """How long somebody waits who asks how the server is, and an admin who takes away the token of one who floods; each
    on a connection of their own."""
    headers = {"authorization": f"Bearer {tokens['boss']}"}
    taken = {}
    for name, method, path in (("health_ms", "GET", "/health"), ("revoked_ms", "DELETE", "/tokens/bad0")):
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as http:
            begin = time.perf_counter()
            (await http.request(method, path)).raise_for_status()
            taken[name] = round((time.perf_counter() - begin) * 1000)
    return taken


async def asked_once(kind: str, url: str, tokens: dict[str, str]) -> None:
    """One request of what the flood will ask: what is made once does not count as what stays of a flood."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(request(kind, 0, [tokens["bad1"]] * FLOODERS))
    await reader.read(12)
    writer.close()
    await writer.wait_closed()


async def flooded_by_callers(kind: str, count: int, url: str, tokens: dict[str, str]) -> dict[str, Any]:
    """Returns when what the flood asked for is answered, and it is over."""
    pipe = asyncio.subprocess.PIPE
    words = ("-m", "bench.flooding", kind, str(count), url.rpartition(":")[2])
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([tokens[f"bad{number}"] for number in range(FLOODERS)]).encode() + b"\n")
    await asyncio.sleep(1.0)  # what a Python takes to start, and some of the flood
    taken = await waited(url, tokens)
    await process.stdout.readline()
    process.stdin.close()
    said = json.loads(await process.stdout.readline())
    await process.wait()
    return {**taken, "answers": " ".join(f"{key}:{said[key]}" for key in sorted(said))}


async def flooded_by_device(url: str, tokens: dict[str, str]) -> dict[str, Any]:
    """Somebody calls the device that floods, a few times."""
    said = []
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=None) as http:
        headers = {"authorization": f"Bearer {tokens['bad1']}"}
        for _ in range(DEVICES_TRIES):
            reply = await http.post(RUN, json={"inputs": {}, "target": "flooding"}, headers=headers)
            said.append(str(reply.status_code))
    return {**await waited(url, tokens), "answers": " ".join(said)}


async def measure(kind: str, count: int, server: Server, tokens: dict[str, str]) -> dict[str, Any]:
    caller = Caller(server, tokens["good"])
    try:
        for _ in range(WARM_UP):  # caches of the database and of the libraries, which one caller fills as well
            await caller.call()
        if CALLERS.get(kind):
            await asked_once(kind, server.url, tokens)
        idle = await caller.reads(SAMPLES)
        before = resident_mb(server.process.pid)
        async with caller.reading() as during:
            if kind in REPLIES:
                told = await flooded_by_device(server.url, tokens)
            else:
                told = await flooded_by_callers(kind, count, server.url, tokens)
        at_its_height = resident_mb(server.process.pid)
        await asyncio.sleep(SETTLE_S)
        after = await caller.reads(SAMPLES)
    finally:
        await caller.aclose()
    memory = resident_mb(server.process.pid)
    return {
        "flood": kind,
        "idle p95": f"{p95_ms(idle, 0):.1f} ms, {p95_ms(idle, 1):.1f} ms",
        "during": ratio(during, idle),
        "after": ratio(after, idle),
        "n": len(during),
        "worst_ms": round(max(during).waited_s * 1000),
        **told,
        "MB": f"{before:.0f} {at_its_height:.0f} {memory:.0f}",
        "memory": f"{(memory / before - 1) * 100:+.0f} %",
        "load": round(os.getloadavg()[0], 1),
    }


def p95_ms(taken: Sequence[Taken], which: int) -> float:
    return spread([each[which] for each in taken])["p95_ms"]


def ratio(taken: Sequence[Taken], idle: Sequence[Taken]) -> str:
    """Of the caller's time, and of the server's work meanwhile."""
    return " ".join(f"{p95_ms(taken, which) / p95_ms(idle, which):.1f}" for which in (0, 1))


def flooded(kind: str, count: int) -> dict[str, Any]:
    """A row for one kind, on an installation of its own."""
    with tempfile.TemporaryDirectory(prefix="switchgear-bench-") as folder:
        url = f"sqlite+aiosqlite:///{folder}/switchgear.db"
        children = Children(Path(folder), {"SWITCHGEAR_DATABASE_URL": url, "SWITCHGEAR_RATE_PER_S": "100"})
        try:
            upstream, flooding = free_port(), free_port()
            start(children, "upstream", "bench.upstream", str(upstream))
            if kind in REPLIES:
                start(children, "flooding", "bench.flooding", kind, str(flooding))
            tokens = asyncio.run(furnished(url, f"http://127.0.0.1:{upstream}", f"http://127.0.0.1:{flooding}"))
            return asyncio.run(measure(kind, count, children.serve("server", "serve", "--port", "0"), tokens))
        finally:
            children.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*CALLERS, *REPLIES, []], default=[*CALLERS, *REPLIES])
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--write", action="store_true", help="put the table into docs/MEASUREMENTS.md")
    given = parser.parse_args()
    rows = [flooded(kind, given.count) for kind in given.kinds]
    tell(f"Another caller beside floods of {given.count}", rows)
    if given.write:
        write("bench.floods", NOTE, rows)


if __name__ == "__main__":
    main()
