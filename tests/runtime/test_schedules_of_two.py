"""Two servers on one database, both looking at the same schedules: each moment is fired once, by one of them.

Real `switchgear serve` processes, on SQLite and on PostgreSQL. Many schedules come due at the same moment, several
times, so that both servers reach for the same rows. Beside it: the hours of the policy hold for schedules, too.
"""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.runs.schedules import Schedule
from governance.storage import schema
from governance.storage.identifiers import moment
from runtime.background.scheduling import Scheduler
from runtime.caller import Caller
from runtime.secrets import Vault
from runtime.service import open_service
from tests.forks import program
from tests.waiting import until

ME = Caller("cli:me", "operator")
SCHEDULES, MOMENTS = 12, 2
NOT_YET = ("", "begun")
FAR, TOO_FAR = "far", "2099-01-01T00:00:00.000000Z"


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'switchgear.db'}"
    address = str(request.getfixturevalue("postgres_server").new_database())
    await asyncio.to_thread(schema.upgrade, address)
    return address


async def has_aligned(store: Any) -> bool:
    """Whether a server has looked at what a clock may have put off too far, which each does once at its start."""
    return bool((await store.get(FAR)).next_at < TOO_FAR)


@contextlib.asynccontextmanager
async def serving(url: str, store: Any) -> AsyncIterator[None]:
    """A server in its process, from its first look on: that one takes made-up moments for a clock's mistake."""
    await store.set_paused(FAR, TOO_FAR, actor="test")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHGEAR_")}
    process = await asyncio.create_subprocess_exec(
        program(), "serve", "--port", "0", "--db", url, "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert b"url" in await process.stdout.readline()
        await until(partial(has_aligned, store), "the first look of the server")
        yield
    finally:
        process.terminate()
        await process.wait()


async def settled(store: Any, names: list[str], at: str) -> Counter[str]:
    """How the firings of that moment ended, once all have."""

    async def ends() -> list[str] | None:
        found = [(await store.get(name)).last for name in names]
        told = [last["outcome"] for last in found if last and last["at"] == at and last["outcome"] not in NOT_YET]
        return told if len(told) == len(names) else None

    return Counter(await until(ends, pause_s=0.1))


@pytest.mark.slow
async def test_of_two_servers_on_one_database_one_fires(url: str, device: Any, tools: Any) -> None:
    async with open_service(url, Vault({})) as service:
        house = await tools.furnished(url, service)
        await house.target(device.url)
        await house.approve("find")
        await service.live.reload()
        names = [f"s-{number}" for number in range(SCHEDULES)]
        for name in (*names, FAR):
            wish = Schedule(name, "toy-find-vm", "0 0 1 1 *", "UTC", "", "", inputs={"vm": "web-01"})
            await service.scheduler.add(wish, ME)
        async with serving(url, service.schedules), serving(url, service.schedules):
            for _ in range(MOMENTS):
                at = moment(datetime.now(UTC) + timedelta(seconds=1.5))
                for name in names:
                    await service.schedules.set_paused(name, at, actor="test")
                assert await settled(service.schedules, names, at) == {"succeeded": SCHEDULES}
        runs = await service.runs.find(limit=1000)
        assert len(runs) == len(device.heard) == SCHEDULES * MOMENTS
        told = Counter(row.action for row in await service.audit.find(limit=10_000))
        assert told["schedule.begun"] == told["schedule.succeeded"] == SCHEDULES * MOMENTS
        assert (await service.audit.verify()).ok


async def test_a_schedule_disrupts_at_the_hours_of_the_policy_only(lab: Any, device: Any) -> None:
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    closed = {"windows": [{"days": [day], "from": "00:00", "to": "01:00", "zone": "UTC"}]}
    scheduler = Scheduler(replace(lab.service.scheduler._around, risks=frozenset({"disrupt"})))
    await scheduler.add(Schedule("stop", "toy-stop-vm", "* * * * *", "UTC", "", "", inputs={"uuid": "u-1"}), ME)
    assert (await fired(lab, scheduler, {"disrupt": closed}))["outcome"] == "refused"
    assert device.heard == []
    assert (await fired(lab, scheduler, {}))["outcome"] == "succeeded"


async def fired(lab: Any, scheduler: Scheduler, classes: dict[str, Any]) -> Any:
    """What came of a moment that is now, under a policy of these classes."""
    await PolicyStore(lab.service.database).apply(policy_of({"format": 1, "classes": classes}), actor="test")
    await lab.service.schedules.set_paused("stop", moment(datetime.now(UTC)), actor="test")
    await scheduler.look()
    await scheduler.settle()
    return (await lab.service.schedules.get("stop")).last
