"""The same on PostgreSQL: calls, records, and a decision in another process that clients are told of."""

import asyncio
from typing import Any

import psycopg
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.client.subscriptions import ToolsListChanged, listen

from governance.storage.locks import locks_of
from governance.storage.schema import upgrade
from runtime.caller import Caller
from runtime.calls.confirmation import Confirmation
from runtime.engines.executor import Executor
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service, watching
from tests.waiting import PATIENCE_S


async def test_workflows_are_served_from_postgresql(postgres_server: Any, device: Any, tools: Any) -> None:
    url = postgres_server.new_database()
    await asyncio.to_thread(upgrade, url)
    asks_nobody = Confirmation(classes=frozenset())
    async with (
        open_service(url, Vault({}), ServiceOptions(confirmation=asks_nobody)) as service,
        open_service(url, Vault({})) as other,
    ):
        here, there = await tools.furnished(url, service), tools.House(url, other)
        await here.target(device.url)
        await here.approve("find")
        await here.approve("stop")
        await service.live.reload()
        async with tools.running(service) as run, Client(StreamableHttpTransport(run.mcp), mode="2026-07-28") as client:
            found = await client.call_tool("toy_find_vm", {"vm": "web-01"})
            stopped = await client.call_tool("toy_stop_vm", {"uuid": "u-1"})
            async with listen(client.session, tools_list_changed=True) as news:
                await there.approve("list")
                assert isinstance(await asyncio.wait_for(anext(news), PATIENCE_S), ToolsListChanged)
            assert len((await client.call_tool("toy_list_vms", {})).structured_content["vms"]) == 3
        assert found.structured_content == {"uuid": "u-1", "state": "on"}
        assert stopped.structured_content == {"state": "off"}
        await service.engine.settle()
        assert [each.outcome for each in await service.runs.find()] == ["succeeded"] * 3
        assert (await service.audit.verify()).ok


@pytest.mark.slow
async def test_who_loses_the_connection_of_its_locks_takes_them_again_before_anybody_believes_it_dead(
    postgres_server: Any, device: Any, tools: Any
) -> None:
    url = postgres_server.new_database()
    await asyncio.to_thread(upgrade, url)
    asks_nobody = Confirmation(classes=frozenset())
    async with open_service(url, Vault({}), ServiceOptions(confirmation=asks_nobody)) as service, watching(service):
        house = await tools.furnished(url, service)
        await house.target(device.url)
        await house.approve("stop")
        entry = (await service.live.reload()).entries["toy_stop_vm"]
        device.script.job_state = "running"
        running = asyncio.create_task(service.calls.call(entry, {"uuid": "u-1"}, None, Caller("ann", "admin")))
        await device.has_heard(2)
        other = Executor(locks_of(url))
        assert await lost(url) >= 1
        believed = [await dead_after_a_moment(other, service.engine.name) for _ in range(30)]
        device.script.job_state = "done"
        ended = await running
        assert (ended.outcome, any(believed)) == ("succeeded", False)
        assert [heard.method for heard in device.heard].count("POST") == 1
        await service.engine.close()
        await service.locks.close()
        async with asyncio.timeout(PATIENCE_S):
            while not await dead_after_a_moment(other, service.engine.name):
                pass
        await other._locks.close()


async def lost(url: str) -> int:
    """Ends the connections that hold advisory locks: how many there were."""
    ended = (
        "SELECT count(pg_terminate_backend(pid)) FROM (SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' "
    )
    here = "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS holders"
    with await asyncio.to_thread(psycopg.connect, url.replace("+psycopg", ""), autocommit=True) as connection:
        return int(connection.execute(ended + here).fetchone()[0])


async def dead_after_a_moment(executor: Executor, name: str) -> bool:
    await asyncio.sleep(0.1)
    return await executor.is_dead(name)
