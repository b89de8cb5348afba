"""What both engines promise, on both databases; and what is asked of DBOS's private parts."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest
from dbos import DBOS

from governance.runs.open_runs import Swept
from runtime.caller import Caller
from runtime.calls.confirmation import Confirmation
from runtime.engines.dbos_process import DbosProcess
from runtime.errors import Interrupted
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service, watching
from tests.waiting import until

ME = Caller("me", "operator")
READ, CHANGE = ("toy_find_vm", {"vm": "web-01"}), ("toy_stop_vm", {"uuid": "u-1"})


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return str(request.getfixturevalue("migrated_url"))
    return str(request.getfixturevalue("postgres_server").migrated_schema())


@pytest.fixture
async def house(url: str, device: Any, tools: Any) -> AsyncIterator[Any]:
    async with open_service(url, Vault({}), ServiceOptions(confirmation=Confirmation(classes=frozenset()))) as service:
        made = await tools.furnished(url, service)
        await made.target(device.url)
        await made.approve("find")
        await made.approve("stop")
        await service.live.reload()
        yield made


async def call(service: Any, wish: tuple[str, dict[str, str]], **more: Any) -> Any:
    return await service.calls.call(service.live.now.entries[wish[0]], wish[1], None, ME, **more)


def heard_by(device: Any) -> list[str]:
    return [heard.line.decode().rsplit(" ", 1)[0] for heard in device.heard]


@pytest.mark.parametrize("wish", [READ, CHANGE], ids=["direct", "durable"])
class TestBothEngines:
    async def test_a_run_ends_and_every_request_is_on_record(self, house: Any, device: Any, wish: Any) -> None:
        ended = await call(house.service, wish)
        await house.service.engine.settle()
        run = await house.service.runs.get(ended.run_id)
        assert (ended.outcome, run.outcome, run.outputs) == ("succeeded", "succeeded", dict(ended.outputs))
        rows = await house.service.audit.find(action="request.sending")
        assert [f"{row.detail['method']} /api{row.detail['path']}" for row in rows] == heard_by(device)
        phases = [step.record.phase for step in run.steps]
        assert phases == ["sending", "answered"] * len(device.heard)
        assert (await house.service.audit.verify()).ok

    async def test_a_run_whose_device_is_off_fails_and_is_on_record(self, house: Any, device: Any, wish: Any) -> None:
        await device.stop()
        ended = await call(house.service, wish)
        await device.start()
        await house.service.engine.settle()
        assert ended.outcome == "failed"
        assert (await house.service.runs.get(ended.run_id)).failure["code"] == ended.failure.code

    async def test_the_same_key_is_the_same_run(self, house: Any, device: Any, wish: Any) -> None:
        first, second = [await call(house.service, wish, key="k") for _ in range(2)]
        assert first == second
        assert len(await house.service.runs.find()) == 1

    async def test_nothing_is_begun_once_the_server_stops(self, house: Any, device: Any, wish: Any) -> None:
        await house.service.engine.park()
        with pytest.raises(Interrupted):
            await call(house.service, wish)
        assert device.heard == []


@pytest.mark.slow
async def test_a_parked_run_goes_on_in_the_next_process_and_repeats_nothing(house: Any, device: Any, url: str) -> None:
    device.script.job_state = "running"
    asking = asyncio.create_task(call(house.service, CHANGE))
    await device.has_heard(2)
    await house.service.engine.close()
    with pytest.raises(Interrupted, match="goes on"):
        await asking
    await house.service.locks.close()
    device.script.job_state = "done"
    async with open_service(url, Vault({})) as after:
        (left,) = await after.open_runs.look()

        async def is_taken() -> bool:
            return bool(await after.engine.recover() == (left.id,))

        async def ended() -> Any:
            run = await after.runs.get(left.id)
            return run if run.outcome is not None else None

        await until(is_taken, pause_s=0.1)  # on PostgreSQL nobody is believed dead at once
        run = await until(ended)
    assert (run.outcome, run.outputs) == ("succeeded", {"state": "off"})
    assert heard_by(device).count("POST /api/vms/u-1/stop") == 1


async def test_a_revision_that_is_retired_meanwhile_lets_its_run_end(house: Any, device: Any) -> None:
    device.script.job_state = "running"
    asking = asyncio.create_task(call(house.service, CHANGE))
    await device.has_heard(2)
    entry = house.service.live.now.entries[CHANGE[0]]
    await house.service.revisions.decide(
        entry.revision_id, "retire", actor="t", role="admin", reason="old", digest=entry.digest
    )
    device.script.job_state = "done"
    assert (await asking).outcome == "succeeded"


async def test_ended_runs_are_forgotten_after_their_time_and_the_audit_stays(house: Any, device: Any) -> None:
    ended = await call(house.service, CHANGE)
    before = await house.service.audit.last()
    assert await house.service.open_runs.sweep("2000-01-01") == ()
    assert await house.service.open_runs.sweep("9999-01-01") == (Swept(ended.run_id, parts=1),)
    assert await house.service.runs.find() == ()
    *same, forgotten = await house.service.audit.last()
    assert (tuple(same), forgotten.action) == (before, "runs.forgotten")


async def test_what_carries_durable_runs_out_is_started_by_the_first_of_them_and_not_by_serving_or_reading(
    house: Any,
) -> None:
    async with watching(house.service):
        read = await call(house.service, READ)
        for _ in range(10):
            await house.service.engine.recover()
        await house.service.engine.settle()
        assert await house.service.open_runs.sweep("9999-01-01") == (Swept(read.run_id, parts=0),)
        assert not DbosProcess._is_taken
        await call(house.service, CHANGE)
        assert DbosProcess._is_taken


def test_dbos_still_has_the_private_call_that_hands_on_the_runs_of_the_dead() -> None:
    call = inspect.signature(DBOS._recover_pending_workflows)
    assert list(call.parameters) == ["executor_ids"]
