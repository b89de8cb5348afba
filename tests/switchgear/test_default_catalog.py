"""What the compiler chose and what a client is served are the same, within the budget, however much is approved."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest
from fastmcp import Client

from compiler.compiled import Compiled
from governance.people.scopes import WHOLE, AccessScope
from runtime.app import build
from runtime.caller import Caller
from runtime.catalog.listing import DEFAULT, UNBOUNDED, Budget
from runtime.catalog.snapshot import CANCEL_NAME, FINDING_NAMES, KNOWING_NAMES, RUN_NAME
from runtime.service import ServiceOptions, open_service
from workflow.budget import BYTES_A_TOKEN, MOST_TOKENS, MOST_TOOLS, RESERVED_TOKENS, RESERVED_TOOLS, tokens_of

pytestmark = pytest.mark.slow  # both descriptions are compiled, stored and approved

LISTED = (*FINDING_NAMES, RUN_NAME)
Tools = Mapping[str, Mapping[str, Any]]


async def listed(url: str, *, budget: Budget = DEFAULT, scope: AccessScope = WHOLE) -> Tools:
    """tools/list as a client with `scope` gets it, by name."""
    local = Caller("local", "operator", scope)
    async with (
        open_service(url, options=ServiceOptions(budget=budget)) as service,
        Client(build(service, local=local).mcp) as client,
    ):
        tools = await client.list_tools()
    return {tool.name: tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools}


def size_of(tools: Sequence[Mapping[str, Any]]) -> int:
    return len(orjson.dumps(tools))


async def test_with_everything_of_one_api_approved_a_client_sees_its_core_and_three_tools_within_the_budget(
    shipped: dict[str, Compiled], approved: str
) -> None:
    for api, compiled in shipped.items():
        tools = await listed(approved, scope=AccessScope(apis=(api,)))
        core = {one.flow.id for one in compiled.workflows if one.flow.is_core}
        assert tools.keys() == {*LISTED, *core}
        assert len(tools) <= MOST_TOOLS
        assert size_of([*tools.values()]) / BYTES_A_TOKEN <= MOST_TOKENS


async def test_with_two_apis_approved_both_share_the_budget_and_a_line_tells_of_each(
    shipped: dict[str, Compiled], approved: str
) -> None:
    tools = await listed(approved)
    assert len(tools) <= MOST_TOOLS
    assert size_of([*tools.values()]) / BYTES_A_TOKEN <= MOST_TOKENS
    for api, compiled in shipped.items():
        assert sum(name.startswith(f"{api}_") for name in tools) >= 5
        assert f"{api} {len(compiled.workflows)} (" in tools[FINDING_NAMES[0]]["description"]


async def test_the_room_kept_for_the_three_tools_is_what_they_take(approved: str) -> None:
    tools = await listed(approved, scope=AccessScope(apis=("hypercore",)))
    finders = [tools[name] for name in LISTED]
    assert len(finders) == RESERVED_TOOLS
    assert 0.8 * RESERVED_TOKENS <= size_of(finders) / BYTES_A_TOKEN <= RESERVED_TOKENS


async def test_each_tool_costs_what_the_compiler_counted(shipped: dict[str, Compiled], approved: str) -> None:
    tools = await listed(approved, budget=UNBOUNDED)
    for compiled in shipped.values():
        for one in compiled.workflows:
            counted, served = tokens_of(one.tool, one.document), size_of([tools[one.flow.id]]) / BYTES_A_TOKEN
            assert served <= counted <= served + 4, one.flow.id


async def test_told_to_the_server_lists_everything_and_no_tool_to_search(
    shipped: dict[str, Compiled], approved: str
) -> None:
    tools = await listed(approved, budget=UNBOUNDED)
    assert set(tools) == {
        RUN_NAME,
        CANCEL_NAME,
        *KNOWING_NAMES,
        *(one.flow.id for compiled in shipped.values() for one in compiled.workflows),
    }
