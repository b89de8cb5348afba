"""Calls that wait for a person, made by whoever is not there to wait: a schedule, a selection, an agent over MCP."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.runs.schedules import Schedule
from runtime.background.scheduling import Scheduler
from runtime.call_options import PLAIN
from runtime.caller import Caller
from runtime.calls.selection import Selection, run_on

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ONE = "2026-11-20T13:00:00.000000Z"
ME = Caller("cli:me", "operator")
STOP = Schedule("hourly", "toy-stop-vm", "0 * * * *", "UTC", "", "", inputs={"uuid": "u-1"})
EDGE = {"site": "edge"}


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


async def at(scheduler: Scheduler, hands: Hands, hour: int, minute: int = 0) -> None:
    """One round at that time of the day, to its end."""
    hands.now = NOON.replace(hour=hour, minute=minute, second=1)
    await scheduler.look()
    await scheduler.settle()


async def last(lab: Any) -> Any:
    return (await lab.service.schedules.get("hourly")).last


@pytest.fixture
async def asking(lab: Any) -> Any:
    policy = policy_of({"ask": [{"classes": ["disrupt"]}], "self_approval": True})
    await PolicyStore(lab.service.database).apply(policy, actor="boss")
    return lab


@pytest.fixture
def scheduler(asking: Any, hands: Hands) -> Any:
    return Scheduler(replace(asking.service.scheduler._around, risks=frozenset({"disrupt"})), hands)


def changes(device: Any) -> int:
    return sum(heard.method == "POST" for heard in device.heard)


async def answer(lab: Any, plan_id: str, what: Any = "let through", reason: str = "seen") -> None:
    await lab.service.asks.answer(plan_id, what, actor="ann", role="approver", reason=reason)


async def test_a_schedule_waits_for_a_person_and_is_carried_out_when_it_was_let_through(
    asking: Any, device: Any, scheduler: Any, hands: Hands
) -> None:
    await scheduler.add(STOP, ME)
    await at(scheduler, hands, 13)
    noted = await last(asking)
    assert (noted["outcome"], noted["at"], len(noted["asks"]), changes(device)) == ("waiting", ONE, 1, 0)
    await at(scheduler, hands, 13, 1)
    assert ((await last(asking))["outcome"], changes(device)) == ("waiting", 0)
    await answer(asking, noted["asks"][0])
    await at(scheduler, hands, 13, 2)
    done = await last(asking)
    assert (done["outcome"], done["at"], changes(device)) == ("succeeded", ONE, 1)
    assert (await asking.service.runs.get(done["runs"][0])).caller == ME.name
    await at(scheduler, hands, 13, 3)
    assert changes(device) == 1, "once"
    rows = [row.action for row in await asking.service.audit.find(subject="schedule:hourly")]
    assert rows[-3:] == ["schedule.begun", "schedule.waiting", "schedule.succeeded"]


async def test_a_schedule_that_is_refused_changes_nothing_and_asks_again_at_its_next_moment(
    asking: Any, device: Any, scheduler: Any, hands: Hands
) -> None:
    await scheduler.add(STOP, ME)
    await at(scheduler, hands, 13)
    (first,) = (await last(asking))["asks"]
    await answer(asking, first, "refuse", "backup is running")
    await at(scheduler, hands, 13, 1)
    assert ((await last(asking))["outcome"], changes(device)) == ("refused", 0)
    await at(scheduler, hands, 14)
    again = await last(asking)
    assert (again["outcome"], "backup is running" in again["why"]) == ("refused", True), "until the plan ends"


async def test_a_row_that_names_calls_by_hand_carries_nothing_out(
    asking: Any, device: Any, scheduler: Any, hands: Hands
) -> None:
    added = await scheduler.add(STOP, ME)
    for asks in (["none"], [7], 7, None):
        forged = {"at": ONE, "outcome": "waiting", "why": "", "runs": [], "asks": asks}
        await asking.service.schedules.note(added, forged)
        scheduler._may_wait = True
        await at(scheduler, hands, 12, 30)
    assert (changes(device), await asking.service.runs.find()) == (0, ())


async def test_of_a_schedule_on_labels_each_target_goes_when_it_was_let_through(
    asking: Any, device: Any, scheduler: Any, hands: Hands
) -> None:
    for name in ("edge-1", "edge-2"):
        await asking.target(device.url, name, labels=(("site", "edge"),))
    await asking.service.live.reload()
    await scheduler.add(replace(STOP, labels=EDGE), ME)
    await at(scheduler, hands, 13)
    first, second = (await last(asking))["asks"]
    await answer(asking, second)
    await at(scheduler, hands, 13, 1)
    noted = await last(asking)
    assert (noted["outcome"], noted["asks"], changes(device)) == ("waiting", [first], 1)
    assert noted["why"] == "edge-1: waiting; edge-2: succeeded"
    await answer(asking, first, "refuse", "not this one")
    await at(scheduler, hands, 13, 2)
    assert ((await last(asking))["outcome"], changes(device)) == ("refused", 1)


async def test_a_call_on_a_selection_waits_on_each_target_by_itself(asking: Any, device: Any) -> None:
    for name in ("edge-1", "edge-2"):
        await asking.target(device.url, name, labels=(("site", "edge"),))
    await asking.service.live.reload()
    entry, caller = asking.service.live.now.find("toy-stop-vm"), Caller("me", "operator")

    async def called() -> list[Any]:
        selection = Selection(EDGE, parallel=1, stops=True)
        results = await run_on(asking.service.calls, entry, {"uuid": "u-1"}, selection, caller, PLAIN)
        return [result.to_json() for result in results]

    asked = await called()
    assert [each["outcome"] for each in asked] == ["waiting", "waiting"], "one that waits has not failed"
    assert all(each["run_id"] and each["plan_id"] for each in asked)
    assert changes(device) == 0
    await answer(asking, asked[0]["plan_id"])
    assert [each["outcome"] for each in await called()] == ["succeeded", "waiting"]
    assert changes(device) == 1


async def test_an_agent_is_told_waiting_with_the_run_and_takes_it_up_with_the_same_call_or_get_run(
    asking: Any, device: Any, tools: Any
) -> None:
    async with tools.running(asking.service) as run, Client(StreamableHttpTransport(run.mcp)) as client:

        async def say(name: str, **arguments: Any) -> Any:
            return await client.call_tool(name, arguments, raise_on_error=False)

        asked = await say("toy_stop_vm", uuid="u-1")
        meta = asked.meta["switchgear"]
        assert (asked.is_error, meta["outcome"], changes(device)) == (True, "waiting", 0)
        text = asked.content[0].text
        assert text.startswith("NOT DONE: this call waits for a person") and "nothing was changed" in text
        assert f"Run: {meta['run_id']}" in text
        stands = await say("get_run", run=meta["run_id"])
        assert stands.meta["switchgear"]["outcome"] == "waiting"
        await answer(asking, meta["plan_id"])
        let = await say("get_run", run=meta["run_id"])
        assert "ann let this call through" in let.content[0].text and changes(device) == 0, "looking does nothing"
        done = await say("toy_stop_vm", uuid="u-1")
        assert (done.is_error, changes(device)) == (False, 1)
        ended = await say("get_run", run=meta["run_id"])
        assert (ended.is_error, ended.structured_content["outcome"]) == (False, "succeeded")
        assert ended.structured_content["run_id"] == done.meta["switchgear"]["run"]


async def test_over_rest_get_run_tells_how_a_call_stands_that_waits(asking: Any, device: Any, tools: Any) -> None:
    async with tools.running(asking.service) as run, httpx.AsyncClient(base_url=run.url, trust_env=False) as client:
        asked = (await client.post("/workflows/toy-stop-vm/run", json={"inputs": {"uuid": "u-1"}})).json()
        stands = await client.post("/tools/get_run", json={"run": asked["run_id"]})
        assert (stands.status_code, stands.json()["title"], stands.json()["state"]) == (428, "waiting", "waiting")
        await answer(asking, asked["plan_id"], "refuse", "not today")
        refused = await client.post("/tools/get_run", json={"run": asked["run_id"]})
        assert (refused.status_code, "not today" in refused.json()["detail"]) == (428, True)
    assert changes(device) == 0
