"""Ten questions of an operator, and what their answers cost a model: `python -m bench.questions [--write]`.

The same stateful twin of HyperCore with sixty more machines on it, asked through Switchgear's default catalog and
through FastMCP's `from_openapi`, with one tool an operation and with its own search. No model chooses: each question
has the calls that answer it on each side, so the figures are what a model that errs nowhere has to read and write. Told
are tokens (bytes of JSON / 4) of the lists, once, and of all calls with their results; whether what was asked stands in
what came back; and, where tools are searched for, whether the question's own words find the first tool that is needed.
"""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastmcp import Client, FastMCP
from fastmcp.server.transforms.search.bm25 import BM25SearchTransform

from bench.figures import ROOT, tell, write
from bench.installation import installation
from bench.per_operation import read

Json = Any
SPEC = ROOT / "specs" / "hypercore" / "openapi.yaml"
MACHINES = 60
BYTES_A_TOKEN = 4
POLLS = 200
ACCOUNT = ("admin", "switchgear")  # the twin's own


@dataclass
class Desk:
    """One side: asks its tools, and counts what a model reads and writes for it."""

    client: Client[Any]
    search: str = ""
    call_by: str = ""
    listed: set[str] = field(default_factory=set)
    tokens: int = 0
    calls: int = 0
    seen: str = ""
    missed: bool = False

    async def __call__(self, tool: str, **arguments: Json) -> Json:
        """What the tool answers, called by its name or through the tool that calls what is not listed."""
        name, given = tool, arguments
        if self.call_by and tool not in self.listed:
            name, given = self.call_by, {"name": tool, "arguments": arguments}
        result = await self.client.call_tool(name, given, raise_on_error=False)
        text = "\n".join(getattr(part, "text", "") for part in result.content)
        self._count({"name": name, "arguments": given}, text)
        self.seen += text
        return result.structured_content

    async def find(self, words: str, tool: str) -> None:
        """Looks for the tool by the question's words, where it is not listed."""
        if tool in self.listed or not self.search:
            return
        result = await self.client.call_tool(self.search, {"query": words}, raise_on_error=False)
        text = "\n".join(getattr(part, "text", "") for part in result.content)
        self._count({"name": self.search, "arguments": {"query": words}}, text)
        self.missed = tool not in text

    def _count(self, sent: Json, text: str) -> None:
        self.calls += 1
        self.tokens += (len(json.dumps(sent)) + len(text.encode())) // BYTES_A_TOKEN


Asking = Callable[[Desk], Awaitable[None]]


@dataclass(frozen=True)
class Question:
    """`first_ours`, `first_theirs`: the tool that the words have to find. `answer`: what the results have to say."""

    words: str
    first_ours: str
    ours: Asking
    first_theirs: str
    theirs: Asking
    answer: str


def once(tool: str, **arguments: Json) -> Asking:
    async def ask(desk: Desk) -> None:
        await desk(tool, **arguments)

    return ask


async def start_theirs(desk: Desk) -> None:
    """Look the machine up, start it, wait for the task, look again."""
    found = (await desk("listVms"))["result"]
    machine = next(each for each in found if each["name"] == "db-01")
    action = [{"virDomainUUID": machine["uuid"], "actionType": "START"}]
    told = await desk("actOnVms", body=action)
    if told is None:
        return
    for _ in range(POLLS):
        task = await desk("getTask", taskTag=told["taskTag"])
        state = (task.get("result") or [task])[0]["state"]
        if state in ("COMPLETE", "ERROR"):
            break
        await asyncio.sleep(0.1)
    await desk("getVm", virDomainUUID=machine["uuid"])


async def snapshot_theirs(desk: Desk) -> None:
    found = (await desk("listVms"))["result"]
    machine = next(each for each in found if each["name"] == "db-01")
    await desk("createSnapshot", domainUUID=machine["uuid"], label="before the update")


P = "hypercore_"
QUESTIONS = (
    Question("which VMs are running", f"{P}find_vms", once(f"{P}find_vms", where={"state": "RUNNING"}, select="name"),
             "listVms", once("listVms"), r"web-01"),
    Question("how much memory does db-01 have", f"{P}find_vms",
             once(f"{P}find_vms", where={"name": "db-01"}, select="name, mem"), "listVms", once("listVms"),
             r'"mem": ?\d+'),
    Question("how many VMs are there", f"{P}find_vms", once(f"{P}find_vms"), "listVms", once("listVms"),
             r'vm-059|"items": ?62'),
    Question("start db-01", f"{P}start_vm", once(f"{P}start_vm", vm="db-01"), "actOnVms", start_theirs,
             r'"db-01"[\s\S]*RUNNING'),
    Question("take a snapshot of db-01", f"{P}create_snapshot",
             once(f"{P}create_snapshot", vm="db-01", label="before the update"), "createSnapshot", snapshot_theirs,
             r"before the update|createdUUID"),
    Question("which nodes are in the cluster", f"{P}find_nodes", once(f"{P}find_nodes"), "listNodes",
             once("listNodes"), r"7a1c0009"),
    Question("what is wrong on the cluster", f"{P}find_conditions", once(f"{P}find_conditions"), "listConditions",
             once("listConditions"), r"lost its link"),
    Question("which ISO images have been uploaded", f"{P}find_iso_images", once(f"{P}find_iso_images"),
             "listIsoImages", once("listIsoImages"), r"installer-14"),
    Question("who has an account", f"{P}find_users", once(f"{P}find_users"), "listUsers", once("listUsers"),
             r"\bada\b"),
    Question("which time servers are used", f"{P}find_time_servers", once(f"{P}find_time_servers"),
             "listTimeServers", once("listTimeServers"), r"time-1"),
)  # fmt: skip


async def listed(client: Client[Any]) -> tuple[set[str], int]:
    tools = await client.list_tools()
    told = [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools]
    size = len(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode())
    return {tool.name for tool in tools}, size // BYTES_A_TOKEN


async def asked(name: str, client: Client[Any], search: str, call_by: str, *, is_ours: bool) -> dict[str, Any]:
    """One row: the list once, and all ten questions."""
    names, cost = await listed(client)
    spent = calls = answered = missed = 0
    for question in QUESTIONS:
        desk = Desk(client, search, call_by, names)
        await desk.find(question.words, question.first_ours if is_ours else question.first_theirs)
        await (question.ours if is_ours else question.theirs)(desk)
        spent, calls, missed = spent + desk.tokens, calls + desk.calls, missed + desk.missed
        answered += re.search(question.answer, desk.seen) is not None
        print(f"{name}: {question.words}: {desk.tokens} tokens, {desk.calls} calls", file=sys.stderr)
    row = {"catalog": name, "tools": len(names), "list tokens": cost, "question tokens": spent}
    row |= {"all tokens": cost + spent, "calls": calls, "answered": f"{answered} of {len(QUESTIONS)}"}
    return {**row, "not found by the words": missed if search else "-"}


async def populated(url: str) -> None:
    """Makes the machines, copies of one that is there; each is there when its job is over."""
    async with httpx2.AsyncClient(base_url=url, auth=ACCOUNT, timeout=60) as client:
        machine = next(each for each in (await client.get("VirDomain")).json() if each["name"] == "db-01")
        for number in range(MACHINES):
            wanted = {"template": {"name": f"vm-{number:03}"}}
            made = (await client.post(f"VirDomain/{machine['uuid']}/clone", json=wanted)).raise_for_status()
            for _ in range(POLLS):
                (task,) = (await client.get(f"TaskTag/{made.json()['taskTag']}")).json()
                if task["state"] == "COMPLETE":
                    break
        count = len((await client.get("VirDomain")).json())
        assert count == MACHINES + 2, count


async def theirs(url: str, *, has_search: bool) -> dict[str, Any]:
    async with httpx2.AsyncClient(base_url=url, auth=ACCOUNT, timeout=60) as upstream:
        server = FastMCP.from_openapi(read(SPEC), client=upstream, validate_output=False)
        if has_search:
            server.add_transform(BM25SearchTransform(max_results=10))
        async with Client(server) as client:
            words = ("search_tools", "call_tool") if has_search else ("", "")
            name = "FastMCP from_openapi with its search" if has_search else "FastMCP from_openapi"
            return await asked(name, client, *words, is_ours=False)


def main() -> None:
    rows: list[Mapping[str, Any]] = []
    with installation() as made:
        made.approve(made.compile(SPEC))
        twins = [made.children.serve(f"twin{n}", "mock", "hypercore", "--port", "0") for n in range(3)]
        urls = [each.url for each in twins]
        for url in urls:
            asyncio.run(populated(url.rstrip("/") + "/"))
        rows.append(asyncio.run(theirs(urls[0].rstrip("/") + "/", has_search=False)))
        rows.append(asyncio.run(theirs(urls[1].rstrip("/") + "/", has_search=True)))
        user, password = ACCOUNT
        own = {"BENCH_USERNAME": user, "BENCH_PASSWORD": password}
        made.children.environment = {**made.children.environment, **own}
        made.add_target("hypercore", urls[2].partition("/rest")[0])
        server = made.serve()

        async def ours() -> dict[str, Any]:
            async with Client(f"{server.url}/mcp", auth=made.token) as client:
                return await asked("Switchgear", client, "search_workflows", "run_workflow", is_ours=True)

        rows.append(asyncio.run(ours()))
    tell("tokens for ten questions", rows)
    if "--write" in sys.argv[1:]:
        write("bench.questions", "Ten questions on one HyperCore with sixty more VMs: tokens and answers", rows)


if __name__ == "__main__":
    main()
