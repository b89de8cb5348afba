"""A server on a copy of a database does nothing of what the original's does, until somebody says that it is the one."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.audit.place import PlaceStore
from governance.errors import PlanError
from governance.events.endpoints import Endpoint
from governance.runs.plans import Bound, PlanStore
from governance.runs.schedules import Schedule
from governance.storage.connections import parse_url
from governance.storage.identifiers import moment
from runtime.caller import Caller
from runtime.commands.doctor import examine
from runtime.secrets import Vault
from runtime.service import open_service, watching
from tests.waiting import until

ME = Caller("cli:me", "operator")
# More than the rounds of every watch: schedules, messages, open runs.
ROUNDS = 8


async def left_open(lab: Any) -> Bound:
    """What a server of an installation would do next: fire a schedule, send a message, carry on a run, and a plan."""
    service = lab.service
    await service.endpoints.add(Endpoint("desk", "http://127.0.0.1:9/hook", "env:DESK"), actor="boss")
    await lab.submit("list")
    wish = Schedule("hourly", "toy-find-vm", "0 * * * *", "UTC", "", "", inputs={"vm": "web-01"})
    await service.scheduler.add(wish, ME)
    await service.schedules.set_paused("hourly", moment(datetime.now(UTC)), actor="test")
    revision = await service.revisions.get("toy-stop-vm")
    await service.runs.create(
        "open", revision.id, revision.digest, "lab", ME.name, {"uuid": "u-1"}, executor="elsewhere/1/x", is_durable=True
    )
    bound = Bound(revision.id, revision.digest, "lab", {}, {"uuid": "u-1"}, ME.name)
    await PlanStore(service.database).add("plan", "open", bound, "basis", "changes", lasts=timedelta(hours=1))
    return bound


def copied(url: str, folder: Path) -> str:
    """A copy as an operator makes one while the original is in use."""
    place = folder / "copy.db"
    with closing(sqlite3.connect(parse_url(url).database or "")) as original, closing(sqlite3.connect(place)) as copy:
        original.backup(copy)
    return f"sqlite+aiosqlite:///{place}"


@asynccontextmanager
async def serving(url: str, clock: Any) -> AsyncIterator[Any]:
    async with open_service(url, Vault({})) as service, watching(service):
        for _ in range(ROUNDS):
            clock.jump(1.0)
            await asyncio.sleep(0.05)
        yield service


@pytest.mark.slow
@pytest.mark.unwitnessed("the run is opened by hand, and two audits tell of one device")
async def test_on_a_copy_no_run_schedule_message_or_plan_is_gone_on_with_until_it_is_adopted(
    lab: Any, clock: Any, tmp_path: Path
) -> None:
    assert await lab.service.places.settle() == ""
    bound = await left_open(lab)
    url = copied(lab.url, tmp_path)
    async with serving(url, clock) as service:
        assert "is a copy of one that is served at" in service.live.set_apart
        assert (await service.schedules.get("hourly")).last == {}
        assert (await service.runs.get("open")).outcome is None
        assert all(depth.waiting for depth in await service.deliveries.depths())
        with pytest.raises(PlanError, match="is a copy"):
            await PlanStore(service.database).confirm("plan", bound, "another")
    assert [each.subject for each in await examine(url) if not each.is_good and each.subject == "place"] == ["place"]
    async with open_service(url, Vault({})) as service:
        assert await service.places.adopt("boss")
        assert not await service.places.adopt("boss")
    async with serving(url, clock) as service:
        assert service.live.set_apart == ""
        run = await until(lambda: _ended(service, "open"), "the run to be closed")
        assert (run.outcome, run.failure["code"]) == ("unknown", "interrupted")
        assert "the other installation" in run.failure["message"]
        await until(lambda: _fired(service), "the schedule to be fired")


async def _ended(service: Any, run_id: str) -> Any:
    run = await service.runs.get(run_id)
    return run if run.outcome else None


async def _fired(service: Any) -> Any:
    return (await service.schedules.get("hourly")).last


async def test_where_a_database_is_stays_the_same_after_a_restart_and_a_move(migrated_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        async with open_service(migrated_url, Vault({})) as service:
            assert await service.places.settle() == ""
    moved = tmp_path / "elsewhere.db"
    shutil.move(parse_url(migrated_url).database or "", moved)
    async with open_service(f"sqlite+aiosqlite:///{moved}", Vault({})) as service:
        assert await service.places.settle() == ""


async def test_a_schema_of_postgresql_that_was_copied_within_its_cluster_is_another_place(postgres_server: Any) -> None:
    one, other = postgres_server.migrated_schema(), postgres_server.migrated_schema()
    async with open_service(one, Vault({})) as service:
        assert await service.places.settle() == ""
        assert await service.places.settle() == ""
        rows = await service.audit.find(limit=1000)
    async with open_service(other, Vault({})) as service:
        told = next(row for row in rows if row.action == "installation.placed")
        await service.audit.append(told.actor, told.action, told.subject, told.detail)
        assert "is a copy" in await PlaceStore(service.database).fault()
