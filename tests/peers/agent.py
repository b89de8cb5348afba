"""An agent of a real server: its description compiled as it comes, all of it approved and served, called over MCP.

`serving` sets all of it up in one folder, with the command line and `switchgear serve` as any user would, and gives an
`Agent`, which calls with the official client and asks the server itself before and after. Whatever is started is ended.
"""

import asyncio
import contextlib
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastmcp import Client

from compiler.compiled import Compiled
from compiler.submission import submit
from demo.desk import Desk
from tests.forks import program
from tests.peers.claims import Call, Picture, Told, Verdict, judged

USER, WORD = "admin", "switchgear"
PATIENCE_S = 180.0
METHODS = ("get", "put", "post", "patch", "delete")


@dataclass
class Agent:
    """`look` asks the server itself. `paths` is the prefix of the description's paths at the server."""

    client: Client[Any]
    desk: Desk
    look: Callable[[], Picture]
    compiled: Compiled
    verdicts: list[Verdict] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)  # those of runs that ended well, answered well

    async def call(self, call: Call) -> Verdict:
        """Calls, looks, and judges."""
        before = self.look()
        told = await self._told(call)
        verdict = judged(call, told, before, self.look())
        self.verdicts.append(verdict)
        print(verdict)  # which pytest shows where a test fails
        return verdict

    async def call_all(self, calls: Iterable[Call]) -> None:
        for each in calls:
            await self.call(each)

    async def _told(self, call: Call) -> Told:
        result = await self.client.call_tool(call.workflow, dict(call.inputs), raise_on_error=False)
        meta = (result.meta or {}).get("switchgear", {})
        failure = meta.get("failure", {})
        told = Told(
            meta.get("outcome", "refused"),
            "\n".join(getattr(part, "text", "") for part in result.content),
            result.structured_content or {},
            meta.get("verified", ""),
            meta.get("differences", ()),
            failure.get("done", ()),
            failure.get("may_be_done", ()),
        )
        if told.is_good:
            record = await asyncio.to_thread(self.desk.get, f"/runs/{meta['run']}")
            self.requests += [
                (step["method"], step["path"]) for step in record["steps"] if 200 <= (step.get("status") or 0) < 300
            ]
        return told

    @property
    def false(self) -> list[str]:
        return [str(each) for each in self.verdicts if each.false]

    @property
    def unclear(self) -> list[str]:
        return [str(each) for each in self.verdicts if each.unclear]

    def unreached(self, beyond: Iterable[str] = ()) -> list[str]:
        """Operations of the description that no run which ended well has carried out, without those in `beyond`."""
        reached = {key for method, path in self.requests if (key := self._operation(method, path))}
        known = {operation.key for operation in self.compiled.api.operations}
        assert set(beyond) <= known, f"not in the description: {set(beyond) - known}"
        return sorted(known - reached - set(beyond))

    def share(self, beyond: Sequence[str] = ()) -> float:
        """The share of what the server can do that was reached."""
        known = len(self.compiled.api.operations) - len(beyond)
        return 1 - len(self.unreached(beyond)) / known

    def _operation(self, method: str, path: str) -> str:
        """The operation with the fewest parameters that the request is one of."""
        plain = path.partition("?")[0].removeprefix(self.compiled.api.base_path or "")
        keys = [each.key for each in self.compiled.api.operations if _fits(each.key, method, plain)]
        return min(keys, key=lambda key: key.count("{"), default="")

    def table(self) -> str:
        """The verdicts, one a line, and how many of each."""
        words = [each.word for each in self.verdicts]
        counts = ", ".join(f"{words.count(word)} {word}" for word in ("true", "unclear", "false"))
        return "\n".join([*map(str, self.verdicts), f"{len(words)} calls: {counts}"])


def _fits(key: str, method: str, path: str) -> bool:
    own, _, template = key.partition(" ")
    pattern = "[^/]+".join(map(re.escape, re.split(r"\{[^}]*\}", template)))
    return own == method and re.fullmatch(pattern, path) is not None


@contextlib.asynccontextmanager
async def serving(compiled: Compiled, url: str, look: Callable[[], Picture], folder: Path) -> AsyncIterator[Agent]:
    """Everything approved, `switchgear serve` with the server as its target, and a client of the official kind."""
    database = f"sqlite+aiosqlite:///{folder / 'switchgear.db'}"
    environment = {
        "SWITCHGEAR_DATABASE_URL": database,
        "SWITCHGEAR_CONFIRM": "none",
        "SWITCHGEAR_CATALOG": "all",
        "SWITCHGEAR_RATE_PER_S": "0",
        "PEER_USER": USER,
        "PEER_WORD": WORD,
    }
    given = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHGEAR_")} | environment

    async def run(*words: str) -> Any:
        done = await asyncio.to_thread(
            subprocess.run, [program(), *words, "--json"], cwd=folder, env=given, capture_output=True, check=True
        )
        return json.loads(done.stdout)

    token = (await run("init"))["token"]
    await submit(compiled, database, "test")
    await run("workflows", "approve", *(f"{one.flow.id}@1" for one in compiled.workflows))
    references = ("--username-ref", "env:PEER_USER", "--password-ref", "env:PEER_WORD", "--token-ref", "env:PEER_WORD")
    there = ("--api", compiled.api.name, "--url", url, "--requests-per-s", "1000")
    await run("targets", "add", "peer", *there, *references)
    server = await asyncio.create_subprocess_exec(
        program(), "serve", "--port", "0", "--json", cwd=folder, env=given, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        served = json.loads(await server.stdout.readline())["url"]
        async with Client(f"{served}/mcp", auth=token, timeout=PATIENCE_S) as client:
            yield Agent(client, Desk(served, token), look, compiled)
    finally:
        server.terminate()
        await server.wait()
