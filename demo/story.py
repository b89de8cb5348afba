"""The demonstration in chapters. Every sentence about what happened is made from what the product answered.

Each chapter is one function over `Play`, which holds what earlier chapters found out. A scene that does not end as it
must raises `SceneFailedError`: a demonstration that only looks right is worth nothing.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rich.text import Text

from demo.agent import Agent, Answer
from demo.children import PATIENCE_S, Children, Server, answers
from demo.choice import Wish, granted
from demo.desk import Desk, RestError
from demo.scenes import LATER, VENDORS, Scene, Vendor
from demo.show import Show, brief, short, things_in

Workflows = Sequence[Mapping[str, Any]]
DATABASE = "switchgear.db"
BYTES_PER_TOKEN = 4  # the measure of DESIGN.md; no tokenizer is asked
RISKS = ("read", "change", "disrupt", "destroy")
INTENTS = ("find", "describe", "create", "update", "act", "delete")


class SceneFailedError(Exception):
    """Something did not go as it must."""


@dataclass
class Play:
    """What the chapters share. `compiled`: api → workflows as reported by the compiler."""

    show: Show
    children: Children
    is_prism: bool = False
    vendors: tuple[Vendor, ...] = VENDORS
    compiled: dict[str, Workflows] = field(default_factory=dict)
    admin: str = ""
    agent_token: str = ""
    server: Server | None = None
    mocks: dict[str, Server] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        assert self.server is not None
        return Desk(self.server.url, self.admin)

    def seen_by(self, vendor: Vendor) -> list[tuple[str, str]]:
        """Method and path of each request that the vendor's twin got, in order: its own record."""
        asked = Desk(device_of(self.mocks[vendor.api]), "").get("/_twin/requests")
        return [(request["method"], request["path"]) for request in asked]


def device_of(mock: Server) -> str:
    """The address of a mock without the path below which it serves its API."""
    return mock.url.removesuffix(urlsplit(mock.url).path)


def compile_all(play: Play, title: str = "Two descriptions go in") -> None:
    play.show.chapter(
        title,
        "The compiler reads an OpenAPI document and a vendor profile, plans workflows, checks each one, and proves "
        "it on a twin of the API. No model and no network are needed.",
    )
    rows = []
    for vendor in play.vendors:
        play.show.command("compile", vendor.api)
        begin = time.monotonic()
        report = play.children.run("compile", vendor.api)
        seconds = time.monotonic() - begin
        play.compiled[vendor.api] = report["workflows"]
        risks = Counter(workflow["risk"] for workflow in report["workflows"])
        coverage = report["coverage"]
        left_out = len(coverage["left_out"])
        rows.append((
            vendor.api, coverage["operations"], coverage["in_workflows"], left_out, len(report["workflows"]),
            *(risks[risk] for risk in RISKS), f"{seconds:.1f} s",
        ))  # fmt: skip
    play.show.table(("API", "operations", "in use", "left out", "workflows", *RISKS, "time"), rows)
    play.show.say("Each operation is in a workflow or left out with a reason; each workflow has one class of risk.")


def show_pending(play: Play) -> None:
    pending = play.children.run("workflows", "list", "--state", "pending")["workflows"]
    play.show.chapter(
        "Nothing is served yet",
        f"All {len(pending)} workflows are pending, until a person decides. The first of each kind:",
    )
    rows: list[tuple[object, ...]] = []
    for vendor in play.vendors:
        mine = [workflow for workflow in pending if workflow["api"] == vendor.api]
        requests = {workflow["id"]: workflow["steps"] for workflow in play.compiled[vendor.api]}
        rows += [(w["workflow_id"], w["risk"], flow_of(requests[w["workflow_id"]])) for w in first_of_each_intent(mine)]
        rows.append((f"… {len(mine) - len(INTENTS)} more of {vendor.api}", "", ""))
    play.show.command("workflows", "list", "--state", "pending")
    play.show.table(("workflow", "risk", "requests in order"), rows)


def first_of_each_intent(workflows: Workflows) -> list[Mapping[str, Any]]:
    """The highest ranked of each intent that has any."""
    ordered = sorted(workflows, key=lambda workflow: (-workflow["rank"], workflow["workflow_id"]))
    return [next(w for w in ordered if w["intent"] == intent) for intent in INTENTS]


def flow_of(steps: Sequence[Mapping[str, str]]) -> str:
    """`GET VirDomain → POST VirDomain/…/clone`: the end of each path, an item shown as `…`."""
    return " → ".join(f"{step['method']} {end_of(step['path'])}" for step in steps)


def end_of(path: str) -> str:
    parts = ["…" if "{" in part else part for part in path.split("/")]
    names = [number for number, part in enumerate(parts) if part not in {"", "…"}]
    return "/".join(parts[names[-2 if len(names) > 1 and "…" in parts[:-1] else -1] :])


def approve_some(play: Play) -> None:
    wishes = list(dict.fromkeys((vendor.api, scene.wish) for vendor in play.vendors for scene in vendor.scenes))
    chosen = [chosen_for(play, api, wish) for api, wish in wishes]
    play.show.chapter(
        "A person decides",
        f"{len(chosen)} workflows are approved. An approval names a digest: of the document, the tool's text, the used "
        "operations and the profile. Whatever changes later is a new, pending revision.",
    )
    rows = []
    for workflow in chosen:
        (decided,) = play.children.run("workflows", "approve", f"{workflow['id']}@1", "--reason", "demo")["workflows"]
        rows.append((decided["workflow_id"], decided["risk"], decided["state"], decided["digest"][:23] + "…"))
    play.show.command("workflows", "approve", f"{chosen[0]['id']}@1", "…")
    play.show.table(("workflow", "risk", "state", "digest"), rows)


def chosen_for(play: Play, api: str, wish: Wish) -> Mapping[str, Any]:
    return granted(wish, play.compiled[api])


def start_servers(play: Play) -> None:
    kind = "Prism" if play.is_prism else "twin"
    play.show.chapter(
        f"A {kind} for each vendor, and the runtime",
        "Prism is a mock of another project: it answers from the descriptions' examples and remembers nothing."
        if play.is_prism
        else "A twin is a stateful mock: what is created exists, jobs take their time, sessions expire.",
    )
    rows = []
    if not play.mocks:
        start_mocks(play)
    for vendor in play.vendors:
        mock = play.mocks[vendor.api]
        add_target(play, vendor, mock.url)
        rows.append((f"{vendor.title} ({kind})", mock.url, f"{mock.seconds:.1f} s"))
    play.server = start_runtime(play)
    rows.append(("Switchgear runtime", play.server.url, f"{play.server.seconds:.1f} s"))
    play.show.table(("server", "address", "up after"), rows)


def start_mocks(play: Play) -> None:
    options = ("--prism",) if play.is_prism else ()
    for vendor in play.vendors:
        play.mocks[vendor.api] = play.children.serve(f"mock-{vendor.api}", "mock", vendor.api, *options)


def start_runtime(play: Play) -> Server:
    """Raises SceneFailedError when it is up and not ready."""
    server = play.children.serve("runtime", "serve", "--port", "0")
    if not answers(server.url + "/ready"):
        raise SceneFailedError(f"the runtime is not ready:\n{play.children.log('runtime')}")
    return server


def target_of(vendor: Vendor) -> str:
    return f"demo-{vendor.api}"


def add_target(play: Play, vendor: Vendor, url: str) -> None:
    play.children.run(
        "targets", "add", target_of(vendor), "--api", vendor.api, "--url", url,
        "--mode", "prism" if play.is_prism else "twin",
        "--username-ref", "env:DEMO_USERNAME", "--password-ref", "env:DEMO_PASSWORD",
    )  # fmt: skip


async def meet_agent(play: Play, agent: Agent) -> None:
    tools = await agent.tools()
    size = len(json.dumps(tools, separators=(",", ":")).encode()) // BYTES_PER_TOKEN
    play.show.chapter(
        "An agent connects", "It has an operator's token: it may call what is approved, and nothing else."
    )
    play.show.fact("protocol", f"MCP {agent.protocol} over HTTP")
    play.show.fact("tools", f"{len(tools)}, about {size:,} tokens")
    for tool in tools:
        play.show.fact("", tool["name"])
    refused = await asyncio.to_thread(try_to_approve, play)
    play.show.fact("self-approval", refused)


def try_to_approve(play: Play) -> str:
    """The agent's token at the approver's door. Raises SceneFailedError when it opens."""
    assert play.server is not None
    agent = Desk(play.server.url, play.agent_token)
    pending = agent.get("/workflows/pending?limit=1")[0]
    try:
        agent.post(f"/workflows/{pending['id']}/approve", {"digest": pending["digest"]})
    except RestError as error:
        if error.status == 403:
            return f"refused with 403: {short(str(error).partition(': ')[2])}"
    raise SceneFailedError("an operator's token could approve a workflow")


async def play_vendor(play: Play, agent: Agent, vendor: Vendor) -> None:
    play.show.chapter(vendor.title)
    for scene in vendor.scenes:
        await play_scene(play, agent, vendor.api, scene)


async def play_scene(play: Play, agent: Agent, api: str, scene: Scene) -> Answer:
    tool = chosen_for(play, api, scene.wish)["tool"]["name"]
    play.show.call(scene.title, tool, scene.arguments)
    answer = await agent.call(tool, scene.arguments)
    record = await asyncio.to_thread(play.desk.get, f"/runs/{answer.run}") if answer.run else {"steps": []}
    play.show.requests([step for step in record["steps"] if step["phase"] != "sending"])
    lines = answer.text.splitlines() if answer.is_error else brief(answer.outputs, scene.shows)
    play.show.result(answer.outcome, answer.seconds, lines, is_good=answer.outcome == scene.expected)
    check(play, scene, answer)
    if play.is_prism and scene.proves:
        play.show.fact("", Text("Prism remembers nothing: what is read back is its example.", style="dim"))
    return answer


def check(play: Play, scene: Scene, answer: Answer) -> None:
    """Raises SceneFailedError when the call did not end as it must, or what came back is not what was asked for."""
    if answer.outcome != scene.expected:
        raise SceneFailedError(f"“{scene.title}” ended as {answer.outcome}, not as {scene.expected}")
    if scene.expected == "succeeded" and not answer.outputs:
        raise SceneFailedError(f"“{scene.title}” answered without outputs")
    if not play.is_prism and scene.proves:
        things = things_in(answer.outputs)
        if not any(all(thing.get(name) == value for name, value in scene.proves.items()) for thing in things):
            raise SceneFailedError(f"“{scene.title}”: {dict(scene.proves)} was not read back")


async def approve_one_more(play: Play, agent: Agent) -> None:
    workflow = chosen_for(play, "hypercore", LATER.wish)
    play.show.chapter(
        "One more is approved while the agent is connected",
        "The approver uses the REST API. Nothing is restarted; the agent is told that its tools have changed.",
    )
    before = len(await agent.tools())
    async with agent.told_of_changes() as heard:
        begin = time.monotonic()
        await asyncio.to_thread(approve_over_rest, play, workflow["id"])
        told_after_s = await asyncio.wait_for(heard, PATIENCE_S) - begin
    play.show.fact("approved", f"POST /workflows/{workflow['id']}/approve")
    play.show.fact("agent is told", f"tools/list_changed, {told_after_s * 1000:.0f} ms after that request began")
    play.show.fact("tools", f"{before} before, {len(await agent.tools())} now")
    await play_scene(play, agent, "hypercore", LATER)


def approve_over_rest(play: Play, workflow_id: str) -> Mapping[str, Any]:
    """The revision as it is after the decision."""
    revision = play.desk.get(f"/workflows/{workflow_id}")
    decision = {"digest": revision["digest"], "reason": "demo"}
    decided: Mapping[str, Any] = play.desk.post(f"/workflows/{workflow_id}/approve", decision)
    return decided


def look_back(play: Play, altered: str = "") -> None:
    """What the audit and the runs tell; `altered`: a workflow that somebody wrote into, which has to be found."""
    verdict = play.children.run("audit", "verify", code=1 if altered else 0)
    is_chain_whole = not verdict["reason"] and verdict["first_bad"] is None
    found = [each for each in verdict["altered"] if not altered or f" of {altered}: " in each]
    if not is_chain_whole or bool(found) != bool(altered):
        raise SceneFailedError(f"the audit does not say what is so: {verdict}")
    runs = [play.desk.get(f"/runs/{run['id']}") for run in play.desk.get("/runs?limit=1000")]
    outcomes = Counter(run["outcome"] for run in runs)
    play.show.chapter("What was written down")
    play.show.command("audit", "verify")
    play.show.fact("audit", f"{verdict['rows']} rows, the chain of hashes is whole")
    for each in found:
        play.show.fact("altered", each)
    play.show.fact("runs", ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
    for vendor in () if play.is_prism else play.vendors:
        compare_with_device(play, vendor, runs)


def compare_with_device(play: Play, vendor: Vendor, runs: Workflows) -> None:
    """What the twin saw against what the runs recorded, request by request. Raises SceneFailedError."""
    steps = [step for run in reversed(runs) if run["target"] == target_of(vendor) for step in run["steps"]]
    recorded = [(step["method"], step["path"]) for step in steps if step["phase"] == "sending"]
    seen = play.seen_by(vendor)
    if recorded != seen:
        raise SceneFailedError(f"{vendor.title} saw {len(seen)} requests, and {len(recorded)} were recorded")
    play.show.fact(vendor.api, f"the twin saw {len(seen)} requests; the same {len(recorded)} are recorded, in order")


def prepare(play: Play) -> None:
    """The database, the administrator's token and the agent's; of Prism it is known at once whether it is there."""
    if play.is_prism:
        start_mocks(play)
    play.admin = play.children.run("init")["token"]
    play.agent_token = play.children.run("tokens", "create", "demo-agent", "--role", "operator")["token"]


def keep_up(play: Play) -> None:
    """Says how to connect, and waits for Ctrl-C."""
    assert play.server is not None
    play.show.chapter("Everything stays up", "Until Ctrl-C. The tokens are good for this database only.")
    play.show.fact("console", f"{play.server.url}/ (in a browser; the administrator's token logs in)")
    play.show.fact("MCP", f"{play.server.url}/mcp")
    play.show.fact("agent's token", play.agent_token)
    play.show.fact("administrator's token", play.admin)
    play.show.fact("API documentation", f"{play.server.url}/docs (any user name, a token as the password)")
    play.show.fact("try", f"curl -H 'Authorization: Bearer {play.admin}' {play.server.url}/workflows/pending")
    database = play.children.environment["SWITCHGEAR_DATABASE_URL"]
    play.show.fact("command line", f"export SWITCHGEAR_DATABASE_URL={database}; switchgear workflows list")
    while play.server.process.poll() is None:
        time.sleep(0.5)
    raise SceneFailedError(f"the runtime ended by itself:\n{play.children.log('runtime')}")
