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
from demo.agent import Agent, Answer, connected
from demo.children import PATIENCE_S
from demo.line import Line, between
from demo.scenes import (
    FOUND,
    JOB,
    JOB_UNDER_WAY,
    JOBS,
    LABEL,
    LOGIN,
    LOST,
    NAMELESS,
    NOBODY,
    ONE_JOB,
    SHORT,
    START,
    STARTED,
    TWICE,
    Scene,
)
from demo.show import things_in
from demo.story import Play, SceneFailedError

(VENDOR,) = SHORT
WAS, NOW = '"START"', '"STARK"'
READS = ("GET", "HEAD")
LOOK_S = 0.25  # between looks whether the device is done with what it was told


@dataclass(frozen=True, slots=True)
class Played:
    """A scene that was played: what the agent was told, and what the device got meanwhile."""

    answer: Answer
    got: Sequence[tuple[str, str]]

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.got if method not in READS and not path.endswith(LOGIN)]

    @property
    def reads(self) -> list[str]:
        return [path for method, path in self.got if method in READS]


def play_all(play: Play, keep: bool) -> None:
    # Both servers make themselves ready while the compiler works; what is left to do is asked of the REST API.
    mock = play.children.begin("mock", "mock", VENDOR.api)
    play.admin = play.children.run("init")["token"]
    runtime = play.children.begin("runtime", "serve", "--port", "0")
    story.compile_all(play, "One description goes in")
    play.mocks[VENDOR.api], play.server = mock.up(), runtime.up()
    approve_all(play)
    play.agent_token = play.desk.post("/tokens", {"name": "demo-agent", "role": "operator"})["token"]
    with between(story.device_of(play.mocks[VENDOR.api])) as line:
        add_target(play, line)
        asyncio.run(play_agent(play, line))
        story.look_back(play, altered=story.chosen_for(play, VENDOR.api, START)["id"])
        if keep:
            story.keep_up(play)


def approve_all(play: Play) -> None:
    wishes = dict.fromkeys([*(scene.wish for scene in VENDOR.scenes), JOBS, ONE_JOB])
    names = [story.chosen_for(play, VENDOR.api, wish)["id"] for wish in wishes]
    play.show.chapter("A person decides", f"{len(names)} workflows are approved; each approval names a digest.")
    decided = [story.approve_over_rest(play, name) for name in names]
    rows = [(one["workflow_id"], one["risk"], one["state"], one["digest"][:23] + "…") for one in decided]
    play.show.table(("workflow", "risk", "state", "digest"), rows)


def add_target(play: Play, line: Line) -> None:
    account = {"username_ref": "env:DEMO_USERNAME", "password_ref": "env:DEMO_PASSWORD"}
    target = {"name": story.target_of(VENDOR), "api": VENDOR.api, "mode": "twin", "base_url": line.url, **account}
    play.desk.post("/targets", target)


async def play_agent(play: Play, line: Line) -> None:
    assert play.server is not None
    async with connected(f"{play.server.url}/mcp", play.agent_token) as agent:
        await show_name_and_job(play, agent)
        await show_refusals(play, agent)
        lost = await show_lost_reply(play, agent, line)
        await show_changed_byte(play, agent)
    sent = [request for request in await asyncio.to_thread(play.seen_by, VENDOR) if request == lost]
    require(len(sent) == 1, f"the change whose reply was lost was sent {len(sent)} times in the end")


async def played(play: Play, agent: Agent, scene: Scene) -> Played:
    before = len(await asyncio.to_thread(play.seen_by, VENDOR))
    answer = await story.play_scene(play, agent, VENDOR.api, scene)
    return Played(answer, (await asyncio.to_thread(play.seen_by, VENDOR))[before:])


async def show_name_and_job(play: Play, agent: Agent) -> None:
    play.show.chapter("A name, and a job that takes its time")
    done = await played(play, agent, STARTED)
    require(len(done.changes) == 1, f"the device got the changes {done.changes}, not one")
    before = [method for method, _ in done.got[: done.got.index(done.changes[0])]].count("GET")
    polls = [path for path in done.reads if JOB in path]
    require(before > 0 and bool(polls), "the name was not looked up first, or the job was not waited for")
    device_got(
        play,
        f"{counted(before, 'read')} to find the VM, 1 change, {counted(len(polls), 'look')} at its job, now over",
    )


async def show_refusals(play: Play, agent: Agent) -> None:
    play.show.chapter(
        "Refused before it is sent", "What cannot go well is not tried; the device gets no change at all."
    )
    for scene in (TWICE, NOBODY, NAMELESS):
        refused = await played(play, agent, scene)
        require(not refused.changes, f"the device got {refused.changes}")
        device_got(play, f"{counted(len(refused.reads), 'read')}, 0 changes")
    require(not refused.got, "a call without a name reached the device")


async def show_lost_reply(play: Play, agent: Agent, line: Line) -> tuple[str, str]:
    """Answers the change whose reply was lost."""
    play.show.chapter(
        "A reply is lost",
        "The device does what it is told; its reply is lost on the way back. To send that again could do it twice.",
    )
    line.lose_next(*LOST.wish.goal.split())
    made = await played(play, agent, LOST)
    looks = made.got[made.got.index(made.changes[0]) + 1 :]
    await wait_until_idle(play, agent)
    got = [request for request in await asyncio.to_thread(play.seen_by, VENDOR) if request == made.changes[0]]
    require(len(line.lost) == len(made.changes) == len(got) == 1, f"{len(got)} arrived, {len(line.lost)} were lost")
    require(any(method in READS for method, _ in looks), "the run did not look what became of its change")
    device_got(
        play, f"{len(got)} change, then {counted(len(looks), 'look')} at what became of it, and no second change"
    )
    found = await played(play, agent, FOUND)
    labels = [thing.get("label") for thing in things_in(found.answer.outputs)]
    require(labels.count(LABEL) == 1, f"there are {labels.count(LABEL)} snapshots of that label, not one")
    play.show.fact("snapshots", f"{labels.count(LABEL)} of that label: it was done, once")
    return made.changes[0]


async def wait_until_idle(play: Play, agent: Agent) -> None:
    """Returns when no job of the device is under way any more. Raises SceneFailedError when that takes too long."""
    jobs, job = (story.chosen_for(play, VENDOR.api, wish)["tool"]["name"] for wish in (JOBS, ONE_JOB))
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        listed = things_in((await agent.call(jobs, {})).outputs)
        under_way = [thing["taskTag"] for thing in listed if thing.get("state") in JOB_UNDER_WAY]
        if not under_way:
            return
        for tag in under_way:
            await agent.call(job, {"task_tag": tag})
        await asyncio.sleep(LOOK_S)
    raise SceneFailedError("the device did not end what it was told")


async def show_changed_byte(play: Play, agent: Agent) -> None:
    chosen = story.chosen_for(play, VENDOR.api, START)
    workflow, tool = chosen["id"], chosen["tool"]["name"]
    play.show.chapter(
        "One byte is changed behind the approver's back",
        "Somebody has the database's file, and writes into it what nobody approved. Nothing is restarted.",
    )
    before = [each["name"] for each in await agent.tools()]
    async with agent.told_of_changes() as heard:
        begin = time.monotonic()
        refused, change = await asyncio.to_thread(change_byte, play, workflow)
        told_after_s = await asyncio.wait_for(heard, PATIENCE_S) - begin
    after = [each["name"] for each in await agent.tools()]
    require(set(before) - set(after) == {tool}, f"the tools {before} became {after}")
    play.show.fact("database says", refused)
    play.show.fact("guard dropped", change)
    play.show.fact("agent is told", f"tools/list_changed, {told_after_s * 1000:.0f} ms later")
    play.show.fact("tools", f"{len(before)} before, {len(after)} now: {tool} is gone")
    seen = len(await asyncio.to_thread(play.seen_by, VENDOR))
    answer = await agent.call(tool, {"vm": "web-01"})
    require(answer.is_error and answer.run is None, "what was changed could still be called")
    require(len(await asyncio.to_thread(play.seen_by, VENDOR)) == seen, "what was changed reached the device")
    play.show.fact("agent calls it", answer.text.splitlines()[0])
    device_got(play, "nothing")
    await show_what_is_said(play, workflow)


async def show_what_is_said(play: Play, workflow: str) -> None:
    """That the server and the audit tell of what was changed, once each."""
    refusals = (await asyncio.to_thread(play.desk.post, "/reload", {}))["refused"]
    require([one["workflow_id"] for one in refusals] == [workflow], f"the server refuses {refusals}")
    rows = await asyncio.to_thread(play.desk.get, "/audit?action=digest.mismatch")
    require(len(rows) == 1, f"the audit tells of it {len(rows)} times")
    play.show.fact("server says", f"{workflow}: {refusals[0]['reason']}")
    play.show.fact("audit says", f"{rows[0]['action']}, {rows[0]['subject']}")


def change_byte(play: Play, workflow_id: str) -> tuple[str, str]:
    """What the database says to it, and what was changed by somebody who takes that guard away first."""
    change = "UPDATE revisions SET content = ? WHERE workflow_id = ?"
    guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'revisions' AND sql LIKE '%ABORT%'"
    with contextlib.closing(sqlite3.connect(play.children.folder / story.DATABASE, timeout=PATIENCE_S)) as database:
        ((content,),) = database.execute("SELECT content FROM revisions WHERE workflow_id = ?", (workflow_id,))
        changed = content.replace(WAS, NOW, 1)
        differing = sum(a != b for a, b in zip(content.encode(), changed.encode(), strict=True))
        require(differing == 1, f"{differing} bytes of {workflow_id} differ")
        try:
            database.execute(change, (changed, workflow_id))
        except sqlite3.IntegrityError as error:
            refused = str(error)
        else:
            raise SceneFailedError("the database let somebody change what was approved")
        with database:
            for (guard,) in database.execute(guards).fetchall():
                database.execute(f"DROP TRIGGER {guard}")
            database.execute(change, (changed, workflow_id))
    return refused, f"{WAS} to {NOW}, 1 of the {len(content.encode()):,} bytes that were approved"


def device_got(play: Play, text: str) -> None:
    play.show.fact("the device got", text)


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def require(holds: bool, otherwise: str) -> None:
    """Raises SceneFailedError with what is the matter, unless it holds."""
    if not holds:
        raise SceneFailedError(otherwise)
