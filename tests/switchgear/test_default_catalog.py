"""What the compiler chose and what a client is served are the same, within the budget, however much is approved."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest
from fastmcp import Client

from compiler.compiled import Compiled
from runtime.app import build
from runtime.catalog import RESERVED_NAMES
from runtime.service import open_service
from workflow.budget import BYTES_A_TOKEN, MOST_TOKENS, MOST_TOOLS, RESERVED_TOKENS, RESERVED_TOOLS, tokens_of

pytestmark = pytest.mark.slow  # both descriptions are compiled, stored and approved

Tools = Mapping[str, Mapping[str, Any]]


async def listed(url: str, *, lists_all: bool = False) -> Tools:
    """tools/list as a client gets it, by name."""
    async with open_service(url, lists_all=lists_all) as service, Client(build(service).mcp) as client:
        tools = await client.list_tools()
    return {tool.name: tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools}


def size_of(tools: Sequence[Mapping[str, Any]]) -> int:
    return len(orjson.dumps(tools))


@pytest.mark.slow
@pytest.mark.parametrize("api", ["hypercore", "idrac"])
async def test_with_everything_approved_a_client_sees_the_core_and_three_tools_within_the_budget(
    shipped: dict[str, Compiled], approved: str, api: str
) -> None:
    tools = await listed(approved)
    core = {one.flow.id for one in shipped[api].workflows if one.flow.is_core}
    mine = {name for name in tools if name.startswith(f"{api}_")}
    assert mine == core
    assert set(RESERVED_NAMES) <= tools.keys()
    told = [tools[name] for name in (*RESERVED_NAMES, *sorted(mine))]
    assert len(told) <= MOST_TOOLS
    assert size_of(told) / BYTES_A_TOKEN <= MOST_TOKENS


async def test_the_room_kept_for_the_three_tools_is_what_they_take(approved: str) -> None:
    tools = await listed(approved)
    finders = [tools[name] for name in RESERVED_NAMES]
    assert len(finders) == RESERVED_TOOLS
    assert 0.8 * RESERVED_TOKENS <= size_of(finders) / BYTES_A_TOKEN <= RESERVED_TOKENS


async def test_each_tool_costs_what_the_compiler_counted(shipped: dict[str, Compiled], approved: str) -> None:
    tools = await listed(approved, lists_all=True)
    for compiled in shipped.values():
        for one in compiled.workflows:
            counted, served = tokens_of(one.tool, one.document), size_of([tools[one.flow.id]]) / BYTES_A_TOKEN
            assert served <= counted <= served + 4, one.flow.id


async def test_told_to_the_server_lists_everything_and_no_tool_to_search(
    shipped: dict[str, Compiled], approved: str
) -> None:
    tools = await listed(approved, lists_all=True)
    assert set(tools) == {one.flow.id for compiled in shipped.values() for one in compiled.workflows}
