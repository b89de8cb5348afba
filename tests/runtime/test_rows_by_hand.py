"""A run that was written into the table, or opened again there, is carried out by nobody and told to nobody."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from governance.connections import parse_url
from governance.events.endpoints import Endpoint
from runtime.calls.confirmation import Confirmation
from runtime.gate.access import Caller
from runtime.secrets import Vault
from runtime.service import open_service
from tests.waiting import until

ME = Caller("me", "operator")
CHANGE = ("toy_stop_vm", {"uuid": "u-1"})
OPENED = "UPDATE runs SET outcome = NULL, finished_at = NULL"


@pytest.fixture
async def house(migrated_url: str, device: Any, tools: Any) -> AsyncIterator[Any]:
    async with open_service(migrated_url, Vault({}), confirmation=Confirmation(classes=frozenset())) as service:
        made = await tools.furnished(migrated_url, service)
        await made.target(device.url)
        await made.approve("stop")
        await service.live.reload()
        await service.endpoints.add(Endpoint("hook", "https://h.example", "env:HOOK"), actor="boss")
        yield made


async def ended(service: Any) -> str:
    entry = service.live.now.entries[CHANGE[0]]
    run_id = (await service.calls.call(entry, CHANGE[1], None, ME)).run_id
    await service.engine.settle()
    return str(run_id)


def written(url: str, statement: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


async def messages(service: Any) -> int:
    return sum(depth.waiting + depth.dead for depth in await service.deliveries.depths())


@pytest.mark.unwitnessed("rows are written by hand, which the witness takes for a loss")
@pytest.mark.parametrize("is_new", [True, False], ids=["written", "opened again"])
async def test_a_run_that_was_written_or_opened_by_hand_is_carried_out_and_told_by_nobody(
    house: Any, device: Any, caplog: pytest.LogCaptureFixture, is_new: bool
) -> None:
    service = house.service
    run_id = await ended(service)
    heard, audit, waiting = len(device.heard), await service.audit.last(1000), await messages(service)
    if is_new:
        names = [column for column in (await columns(service)) if column not in ("id", "outcome", "executor")]
        chosen = ", ".join(names)
        written(house.url, f"INSERT INTO runs (id, {chosen}) SELECT 'evil', {chosen} FROM runs")
        run_id = "evil"
    else:
        written(house.url, OPENED)
    (found,) = await service.open_runs.look()
    assert found.id == run_id

    async def is_refused() -> bool:
        await service.engine.recover()
        return f"refused: the run {run_id}" in caplog.text

    await until(is_refused)
    await service.engine.recover()
    assert len(device.heard) == heard
    assert await service.audit.last(1000) == audit
    assert await messages(service) == waiting


async def columns(service: Any) -> list[str]:
    rows = await service.database.read(lambda c: c.execute(text("SELECT * FROM runs")).keys())
    return list(rows)
