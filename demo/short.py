"""The short demonstration: four things about one API, each of them seen to happen and not only told.

A name that is looked up and a job that is waited for; a refusal before anything is sent; a reply that is lost and a
change that is not sent twice; an approval that ends with one changed byte. What the device got is its own record,
asked for before and after. Raises `SceneFailedError` like the chapters in `story`, whose parts it is made of.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from demo import story
from demo.agent import TOLD_WITHIN_S, Agent, Answer, connected
from demo.line import Line, between
from demo.scenes import FOUND, LABEL, LOST, NAMELESS, NOBODY, SHORT, START, STARTED, TWICE, Scene
from demo.show import things_in
from demo.story import Play, SceneFailedError

(VENDOR,) = SHORT
READS = ("GET", "HEAD")
AGAIN_S = 2.0  # how long a request that is sent again would be waited for; the runtime's own retries come sooner


@dataclass(frozen=True, slots=True)
class Played:
    """A scene that was played: what the agent was told, and what the device got meanwhile."""

    answer: Answer
    got: Sequence[tuple[str, str]]

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [request for request in self.got if request[0] not in READS]


def play_all(play: Play, keep: bool) -> None:
    mock = play.children.begin("mock", "mock", VENDOR.api)  # makes itself ready while others work
    story.prepare(play)
    story.compile_all(play)
    play.mocks[VENDOR.api] = mock.up()
    approve_all(play)
    with between(story.device_of(play.mocks[VENDOR.api])) as line:
        story.add_target(play, VENDOR, line.url)
        play.server = story.start_runtime(play)
        asyncio.run(play_agent(play, line))
        story.look_back(play)
        if keep:
            story.keep_up(play)


def approve_all(play: Play) -> None:
    wishes = dict.fromkeys(scene.wish for scene in VENDOR.scenes)
    refs = [f"{story.chosen_for(play, VENDOR.api, wish)['id']}@1" for wish in wishes]
    play.show.chapter("A person decides", f"{len(refs)} workflows are approved; each approval names a digest.")
    play.show.command("workflows", "approve", *refs)
    decided = play.children.run("workflows", "approve", *refs, "--reason", "demo")["workflows"]
    rows = [(one["workflow_id"], one["risk"], one["state"], one["digest"][:23] + "…") for one in decided]
    play.show.table(("workflow", "risk", "state", "digest"), rows)


async def play_agent(play: Play, line: Line) -> None:
    assert play.server is not None
    async with connected(f"{play.server.url}/mcp", play.agent_token) as agent:
        await show_name_and_job(play, agent)
        await show_refusals(play, agent)
        await show_lost_reply(play, agent, line)
        await show_changed_byte(play, agent)


async def played(play: Play, agent: Agent, scene: Scene) -> Played:
    before = len(await asyncio.to_thread(play.seen_by, VENDOR))
    answer = await story.play_scene(play, agent, VENDOR.api, scene)
    return Played(answer, (await asyncio.to_thread(play.seen_by, VENDOR))[before:])


async def show_name_and_job(play: Play, agent: Agent) -> None:
    play.show.chapter("A name, and a job that takes its time")
    done = await played(play, agent, STARTED)
    polls = [path for _, path in done.got if "/TaskTag/" in path]
    require(len(done.changes) == 1, f"the device got the changes {done.changes}, not one")
    at = done.got.index(done.changes[0])
    require(at > 0 and bool(polls), "the name was not looked up first, or the job was not waited for")
    device_got(play, f"{at} read to find the VM, 1 change, {len(polls)} of its job until that was over")


async def show_refusals(play: Play, agent: Agent) -> None:
    play.show.chapter(
        "Refused before it is sent", "What cannot go well is not tried; the device gets no change at all."
    )
    for scene in (TWICE, NOBODY, NAMELESS):
        refused = await played(play, agent, scene)
        require(not refused.changes, f"the device got {refused.changes}")
        device_got(play, f"{len(refused.got)} reads, 0 changes")
    require(not refused.got, "a call without a name reached the device")


async def show_lost_reply(play: Play, agent: Agent, line: Line) -> None:
    play.show.chapter(
        "A reply is lost",
        "The device does what it is told; its reply is lost on the way back. To send that again could do it twice.",
    )
    line.lose_next("POST")
    doubtful = await played(play, agent, LOST)
    await asyncio.sleep(AGAIN_S)
    got = [request for request in await asyncio.to_thread(play.seen_by, VENDOR) if request == doubtful.changes[0]]
    require(len(line.lost) == len(doubtful.changes) == len(got) == 1, f"{len(got)} arrived, {len(line.lost)} were lost")
    record = await asyncio.to_thread(play.desk.get, f"/runs/{doubtful.answer.run}")
    look = ((record.get("failure") or {}).get("doubt") or {}).get("look")
    require(bool(look), "the run does not say what would tell whether it was done")
    device_got(play, f"{len(got)} change, and no second one within {AGAIN_S:.0f} s of its lost reply")
    play.show.fact("to be checked", str(look))
    found = await played(play, agent, FOUND)
    labels = [thing.get("label") for thing in things_in(found.answer.outputs)]
    require(labels.count(LABEL) == 1, f"there are {labels.count(LABEL)} snapshots of that label, not one")
    play.show.fact("snapshots", f"{labels.count(LABEL)} of that label: it was done, once")


async def show_changed_byte(play: Play, agent: Agent) -> None:
    tool = story.chosen_for(play, VENDOR.api, START)["tool"]["name"]
    play.show.chapter(
        "One byte is changed behind the approver's back",
        "Somebody writes into the database what nobody approved. Nothing is restarted.",
    )
    before = [each["name"] for each in await agent.tools()]
    async with agent.told_of_changes() as heard:
        begin = time.monotonic()
        change = await asyncio.to_thread(change_byte, play, story.chosen_for(play, VENDOR.api, START)["id"])
        told_after_s = await asyncio.wait_for(heard, TOLD_WITHIN_S) - begin
    after = [each["name"] for each in await agent.tools()]
    require(set(before) - set(after) == {tool}, f"the tools {before} became {after}")
    play.show.fact("changed", change)
    play.show.fact("agent is told", f"tools/list_changed, {told_after_s * 1000:.0f} ms later")
    play.show.fact("tools", f"{len(before)} before, {len(after)} now: {tool} is gone")
    seen = len(await asyncio.to_thread(play.seen_by, VENDOR))
    answer = await agent.call(tool, {"vm": "web-01"})
    require(answer.is_error and answer.run is None, "what was changed could still be called")
    require(len(await asyncio.to_thread(play.seen_by, VENDOR)) == seen, "what was changed reached the device")
    play.show.fact("agent calls it", answer.text.splitlines()[0])
    device_got(play, "nothing")
    refusals = (await asyncio.to_thread(play.desk.post, "/reload", {}))["refused"]
    require(len(refusals) == 1, f"the server refuses {refusals}")
    rows = await asyncio.to_thread(play.desk.get, "/audit?action=digest.mismatch")
    require(len(rows) == 1, f"the audit tells of it {len(rows)} times")
    play.show.fact("the server says", refusals[0]["reason"])
    play.show.fact("the audit says", f"{rows[0]['action']} of {rows[0]['detail'].get('workflow', refusals[0]['workflow_id'])}")


def change_byte(play: Play, workflow_id: str) -> str:
    """Changes the last letter of START in what is stored of an approved workflow; says what it was and is."""
    with contextlib.closing(sqlite3.connect(play.children.folder / story.DATABASE, timeout=10)) as database, database:
        ((content,),) = database.execute("SELECT content FROM revisions WHERE workflow_id = ?", (workflow_id,))
        was, now = '"START"', '"STARK"'
        changed = content.replace(was, now, 1)
        require(sum(a != b for a, b in zip(content, changed, strict=True)) == 1, f"{workflow_id} does not say {was}")
        database.execute("UPDATE revisions SET content = ? WHERE workflow_id = ?", (changed, workflow_id))
    return f"{was} to {now}, 1 of the {len(content.encode()):,} bytes that were approved"


def device_got(play: Play, text: str) -> None:
    play.show.fact("the device got", text)


def require(holds: bool, otherwise: str) -> None:
    """Raises SceneFailedError with what is the matter, unless it holds."""
    if not holds:
        raise SceneFailedError(otherwise)
