"""Schedules: one run an instant whoever serves, of whoever added them, only while that is still allowed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from governance.errors import ConflictError, InvalidError, RefusedError
from governance.people.scopes import AccessScope
from governance.runs.schedules import Schedule
from governance.settings import Settings
from runtime.background.cron import next_moment
from runtime.background.scheduling import Scheduler, scheduled_risks
from runtime.caller import Caller
from runtime.errors import BadInput, CallerError, UnknownTarget, UnknownWorkflow
from tests.waiting import PATIENCE_S

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ME = Caller("cli:me", "operator")
HOURLY = Schedule("hourly", "toy-find-vm", "0 * * * *", "UTC", "", "", inputs={"vm": "web-01"})
ONE = "2026-11-20T13:00:00.000000Z"


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


def scheduler_of(service: Any, hands: Hands, **changes: Any) -> Scheduler:
    return Scheduler(replace(service.scheduler._around, **changes), hands)


@pytest.fixture
def scheduler(lab: Any, hands: Hands) -> Scheduler:
    return scheduler_of(lab.service, hands)


async def at(scheduler: Scheduler, hands: Hands, hour: int, minute: int = 0, second: int = 1) -> None:
    """One round at that time of the day, to its end."""
    hands.now = NOON.replace(hour=hour, minute=minute, second=second)
    await scheduler.look()
    await scheduler.settle()


async def last(lab: Any, name: str = "hourly") -> Any:
    return (await lab.service.schedules.get(name)).last


async def told(lab: Any) -> list[str]:
    rows = await lab.service.audit.find(limit=1000)
    return [row.action for row in rows if row.action.startswith("schedule.")]


async def test_it_fires_at_its_moment_once_and_says_what_came_of_it(lab: Any, scheduler: Any, hands: Hands) -> None:
    added = await scheduler.add(HOURLY, ME)
    assert (added.next_at, added.created_by) == (ONE, "cli:me")
    await at(scheduler, hands, 12, 59)
    assert await lab.service.runs.find() == ()
    await at(scheduler, hands, 13)
    await at(scheduler, hands, 13, second=2)
    (run,) = await lab.service.runs.find()
    assert (run.caller, run.outcome) == ("cli:me", "succeeded")
    assert await last(lab) == {"at": ONE, "outcome": "succeeded", "why": "", "runs": [run.id]}
    assert (await lab.service.schedules.get("hourly")).next_at == ONE.replace("T13", "T14")
    assert await told(lab) == ["schedule.added", "schedule.taken", "schedule.begun", "schedule.succeeded"]
    await at(scheduler, hands, 14)
    assert len(await lab.service.runs.find()) == 2


async def test_an_instant_that_comes_again_is_answered_by_its_run(lab: Any, scheduler: Any, hands: Hands) -> None:
    await scheduler.add(HOURLY, ME)
    await at(scheduler, hands, 13)
    sent = await lab.service.runs.find()
    await lab.service.schedules.remove("hourly", actor="test")
    hands.now = NOON
    await scheduler.add(HOURLY, ME)
    await at(scheduler, hands, 13)
    assert [run.id for run in await lab.service.runs.find()] == [sent[0].id]
    assert (await last(lab))["runs"] == [sent[0].id]


async def test_what_is_not_approved_any_more_is_refused_and_that_is_recorded(
    lab: Any, device: Any, scheduler: Any, hands: Hands
) -> None:
    await scheduler.add(HOURLY, ME)
    revision = await lab.service.revisions.get("toy-find-vm")
    await lab.service.revisions.decide(
        revision.id, "retire", actor="test", role="admin", reason="old", digest=revision.digest
    )
    await at(scheduler, hands, 13)  # the snapshot does not know yet: the engine's own guard refuses
    assert ((await last(lab))["outcome"], device.heard) == ("refused", [])
    await lab.service.live.reload()
    await at(scheduler, hands, 14)
    noted = await last(lab)
    assert (noted["outcome"], "no approved workflow" in noted["why"]) == ("refused", True)
    assert device.heard == []
    assert (await told(lab)).count("schedule.refused") == 2


async def test_whoever_added_it_must_still_hold_a_token_and_rights(lab: Any, scheduler: Any, hands: Hands) -> None:
    await lab.token("operator", "night")
    await scheduler.add(HOURLY, Caller("night", "operator"))
    await at(scheduler, hands, 13)
    assert (await last(lab))["outcome"] == "succeeded"
    await lab.service.principals.revoke("night")
    await at(scheduler, hands, 14)
    noted = await last(lab)
    assert (noted["outcome"], "holds no valid token" in noted["why"]) == ("refused", True)
    await lab.token("viewer", "night")
    await at(scheduler, hands, 15)
    assert "the role viewer may not run" in (await last(lab))["why"]
    await lab.service.principals.revoke("night")
    await lab.service.principals.create_token("night", "operator", scope=AccessScope(workflows=("toy-stop-vm",)))
    await at(scheduler, hands, 16)
    assert "no approved workflow" in (await last(lab))["why"]
    assert len(await lab.service.runs.find()) == 1


async def test_only_the_classes_of_the_setting_are_scheduled_also_after_it_changed(lab: Any, hands: Hands) -> None:
    reads = scheduler_of(lab.service, hands, risks=frozenset({"read"}))
    stop = replace(HOURLY, workflow_id="toy-stop-vm", inputs={"uuid": "u-1"})
    risk = lab.service.live.now.find("toy-stop-vm").risk
    with pytest.raises(RefusedError, match=f"of the class {risk}"):
        await reads.add(stop, ME)
    await scheduler_of(lab.service, hands, risks=frozenset({"read", risk})).add(stop, ME)
    await at(reads, hands, 13)
    assert ((await last(lab))["outcome"], await lab.service.runs.find()) == ("refused", ())
    assert scheduled_risks(Settings()) == {"read", "change"}
    assert scheduled_risks(Settings(scheduled_risks="none")) == frozenset()
    with pytest.raises(RefusedError, match="SWITCHGEAR_SCHEDULED_RISKS names 'wild'"):
        scheduled_risks(Settings(scheduled_risks="read, wild"))


async def test_paused_and_removed_ones_do_not_fire_and_a_resumed_one_waits_for_its_next_moment(
    lab: Any, scheduler: Any, hands: Hands
) -> None:
    added = await scheduler.add(HOURLY, ME)
    store = lab.service.schedules
    await store.set_paused("hourly", None, actor="test")
    await at(scheduler, hands, 13)
    hands.now = NOON.replace(hour=15, minute=30)
    await store.set_paused("hourly", scheduler.next_of(added), actor="test")
    await scheduler.look()
    assert (await lab.service.runs.find(), await last(lab)) == ((), {})
    await at(scheduler, hands, 16)
    assert len(await lab.service.runs.find()) == 1
    await store.remove("hourly", actor="test")
    await at(scheduler, hands, 17)
    assert len(await lab.service.runs.find()) == 1
    assert {"schedule.paused", "schedule.resumed", "schedule.removed"} <= set(await told(lab))


@pytest.mark.slow
async def test_what_came_due_while_nobody_served_is_missed_and_a_clock_that_jumps_makes_no_storm(
    lab: Any, scheduler: Any, hands: Hands
) -> None:
    await scheduler.add(replace(HOURLY, cron="* * * * *"), ME)
    hands.now = NOON + timedelta(days=400, seconds=30)  # ahead
    for _ in range(3):
        await scheduler.look()
        await scheduler.settle()
    assert await lab.service.runs.find() == ()
    assert (await last(lab))["outcome"] == "missed"
    hands.now = NOON  # and back again: it is not put off for 400 days
    await scheduler.align()
    await at(scheduler, hands, 12, 1)
    await at(scheduler, hands, 12, 1, 2)
    assert len(await lab.service.runs.find()) == 1


async def test_a_schedule_has_one_run_at_a_time(lab: Any, device: Any, scheduler: Any, hands: Hands) -> None:
    going, plain = asyncio.Event(), device.script

    async def slow(heard: Any, writer: Any) -> None:
        await going.wait()
        await plain(heard, writer)

    device.script = slow
    await scheduler.add(HOURLY, ME)
    hands.now = NOON.replace(hour=13)
    await scheduler.look()
    await device.has_heard(1)
    hands.now = NOON.replace(hour=14)
    await scheduler.look()
    while (await last(lab))["outcome"] != "skipped":  # noqa: ASYNC110  rows have no event
        await asyncio.sleep(0.01)
    going.set()
    await scheduler.settle()
    assert len(await lab.service.runs.find()) == 1


async def test_on_all_targets_that_have_a_label(lab: Any, device: Any, scheduler: Any, hands: Hands) -> None:
    for name in ("one", "two"):
        await lab.target(device.url, name, labels=(("site", "edge"),))
    await lab.service.live.reload()
    await scheduler.add(replace(HOURLY, labels={"site": "edge"}), ME)
    await at(scheduler, hands, 13)
    runs = await lab.service.runs.find()
    assert sorted(run.target for run in runs) == ["one", "two"]
    assert sorted((await last(lab))["runs"]) == sorted(run.id for run in runs)


async def test_what_cannot_be_run_is_not_scheduled(lab: Any, scheduler: Any) -> None:
    for error, changes in (
        (UnknownWorkflow, {"workflow_id": "none"}),
        (UnknownTarget, {"target": "moon"}),
        (BadInput, {"inputs": {"nonsense": 1}}),
        (BadInput, {"target": "lab", "labels": {"site": "edge"}}),
        (InvalidError, {"name": "a:b"}),
    ):
        with pytest.raises(error):
            await scheduler.add(replace(HOURLY, **changes), ME)
    with pytest.raises(CallerError, match="viewer"):
        await scheduler.add(HOURLY, Caller("eye", "viewer"))
    with pytest.raises(RefusedError, match="secret"):
        all_of_them = replace(scheduler._around, risks=frozenset({"disrupt"}))
        secret = {"uuid": "u-1", "password": "x"}
        await Scheduler(all_of_them).add(replace(HOURLY, workflow_id="toy-stop-vm", inputs=secret), ME)
    with pytest.raises(RefusedError, match="secret"):  # a value that this process knows as one
        lab.service.vault.resolve("env:WORD")
        await scheduler.add(replace(HOURLY, inputs={"vm": "s3cret-word"}), ME)
    await scheduler.add(HOURLY, ME)
    with pytest.raises(ConflictError, match="hourly already"):
        await scheduler.add(HOURLY, ME)


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "* * *",
        "61 * * * *",
        "* * * * * *",
        "@daily",
        "0 0 31 2 *",
        "x" * 500,
        "0 0 * * 1#9",
        "R R * * *",
        "H 2 * * *",
    ],
)
def test_a_bad_expression_is_refused_and_told_how_to_write_one(cron: str) -> None:
    with pytest.raises(BadInput, match="cron expression") as caught:
        next_moment(cron, "UTC", NOON)
    assert (caught.value.pointer, "half past two" in caught.value.remedy) == ("/cron", True)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe"])
def test_a_zone_that_there_is_not_is_refused(zone: str) -> None:
    with pytest.raises(BadInput, match="no time zone"):
        next_moment("0 * * * *", zone, NOON)


def test_on_the_days_when_the_clock_changes_a_daily_one_comes_once() -> None:
    def three(cron: str, after: datetime) -> list[str]:
        found = [next_moment(cron, "Europe/Oslo", after)]
        for _ in range(2):
            found.append(next_moment(cron, "Europe/Oslo", datetime.fromisoformat(found[-1])))
        return [each[5:16] for each in found]

    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert three("30 2 * * *", spring) == ["03-29T01:00", "03-30T00:30", "03-31T00:30"]
    assert three("30 2 * * *", autumn) == ["10-25T00:30", "10-26T01:30", "10-27T01:30"]
    assert three("30 * * * *", datetime(2026, 10, 25, 0, tzinfo=UTC)) == ["10-25T00:30", "10-25T01:30", "10-25T02:30"]


async def test_over_rest_operators_have_their_own_and_admins_all(lab: Any, server: Any) -> None:
    wish = {
        "name": "mine",
        "workflow": "toy-find-vm",
        "inputs": {"vm": "web-01"},
        "cron": "0 2 * * *",
        "zone": "Asia/Tokyo",
    }
    tokens = {
        name: await lab.token(role, name) for name, role in (("a", "operator"), ("b", "operator"), ("c", "admin"))
    }

    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:

        async def ask(who: str, method: str, path: str, body: Any = None) -> httpx.Response:
            headers = {"authorization": f"Bearer {tokens[who]}"}
            return await client.request(method, f"/schedules{path}", json=body, headers=headers)

        made = await ask("a", "POST", "", wish)
        assert (made.status_code, made.json()["created_by"], made.json()["next_at"][11:16]) == (201, "a", "17:00")
        assert (await ask("a", "POST", "", {**wish, "name": "x", "cron": "nonsense"})).status_code == 422
        assert [len((await ask(who, "GET", "")).json()) for who in "abc"] == [1, 0, 1]
        assert (await ask("b", "POST", "/mine/pause")).status_code == 404
        assert (await ask("c", "POST", "/mine/pause")).json()["is_paused"] is True
        assert (await ask("a", "POST", "/mine/resume")).json()["is_paused"] is False
        assert (await ask("a", "DELETE", "/mine")).status_code == 204
        assert (await ask("a", "DELETE", "/mine")).status_code == 404
    rows = await lab.service.audit.find(limit=1000)
    acts = [(row.actor, row.action) for row in rows if row.subject == "schedule:mine"]
    assert acts == [
        ("a", "schedule.added"),
        ("c", "schedule.paused"),
        ("a", "schedule.resumed"),
        ("a", "schedule.removed"),
    ]


@pytest.mark.slow
async def test_a_server_fires_what_is_due(lab: Any, device: Any, tools: Any, hands: Hands) -> None:
    lab.service.scheduler._clock, lab.service.scheduler._reference = hands, None
    await lab.service.scheduler.add(HOURLY, ME)
    async with tools.running(lab.service):
        hands.now = NOON.replace(hour=13, second=1)
        await asyncio.wait_for(device.has_heard(1), PATIENCE_S)
    (run,) = await lab.service.runs.find()
    assert run.caller == "cli:me"


async def test_of_three_servers_the_one_whose_clock_is_off_fires_nothing_and_claims_nothing_and_says_so(
    lab: Any, hands: Hands, caplog: Any
) -> None:
    async def reference() -> datetime:
        return hands.now

    for begun, off in enumerate((timedelta(hours=1), timedelta(hours=-1), timedelta(seconds=90)), 1):
        around = lab.service.scheduler._around
        wrong = Scheduler(around, lambda off=off: hands.now + off, reference)
        right = [Scheduler(around, lambda: hands.now + timedelta(seconds=2), reference) for _ in range(2)]
        hands.now = NOON
        added = await wrong.add(HOURLY, ME)
        assert added.next_at == ONE, "what is added there is right all the same"
        for second in (-2, 3, 4):
            hands.now = NOON.replace(hour=13) + timedelta(seconds=second)
            for each in (wrong, *right):
                await each.look()
                await each.align()
                await each.settle()
        assert (await last(lab))["outcome"] == "succeeded", "no moment is lost, or written down as missed"
        assert (await told(lab)).count("schedule.begun") == begun, "nor doubled"
        assert "clock is" in wrong.trouble
        assert [line for line in caplog.messages if "no schedule is fired here" in line] == [caplog.messages[0]]
        await lab.service.schedules.remove("hourly", actor="test")
        caplog.clear()
