"""The same on PostgreSQL: calls, records, and a decision in another process that clients are told of."""

import asyncio
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.client.subscriptions import ToolsListChanged, listen

from governance.schema import upgrade
from runtime.confirmation import Confirmation
from runtime.secrets import Vault
from runtime.service import open_service


async def test_workflows_are_served_from_postgresql(postgres_server: Any, device: Any, tools: Any) -> None:
    url = postgres_server.new_database()
    await asyncio.to_thread(upgrade, url)
    asks_nobody = Confirmation(classes=frozenset())
    async with open_service(url, Vault({}), confirmation=asks_nobody) as service, open_service(url, Vault({})) as other:
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
                assert isinstance(await asyncio.wait_for(anext(news), 5), ToolsListChanged)
            assert len((await client.call_tool("toy_list_vms", {})).structured_content["vms"]) == 3
        assert found.structured_content == {"uuid": "u-1", "state": "on"}
        assert stopped.structured_content == {"state": "off"}
        await service.engine.settle()
        assert [each.outcome for each in await service.runs.find()] == ["succeeded"] * 3
        assert (await service.audit.verify()).ok
