"""A tool of ours is called without FastMCP's way between, and answers as it would by that way."""

from typing import Any

import pytest
from fastmcp import FastMCP
from fastmcp.exceptions import NotFoundError
from fastmcp.server.middleware import Middleware, MiddlewareContext

from runtime.app import build


class Noted(Middleware):
    """Counts calls that go FastMCP's way."""

    def __init__(self) -> None:
        self.calls = 0

    async def on_call_tool(self, context: MiddlewareContext[Any], call_next: Any) -> Any:
        self.calls += 1
        return await call_next(context)


def told(result: Any) -> Any:
    """What is told but for the run, which is another one each time."""
    return result.is_error, result.structured_content, [type(each) for each in result.content], set(result.meta or {})


@pytest.mark.parametrize("arguments", [{"vm": "web-01"}, {"vm": "no-such"}, {"unknown": 1}])
async def test_both_ways_answer_alike(lab: Any, arguments: dict[str, Any]) -> None:
    mcp, noted = build(lab.service).mcp, Noted()
    mcp.add_middleware(noted)
    short = await mcp.call_tool("toy_find_vm", arguments)
    assert noted.calls == 0
    long = await FastMCP.call_tool(mcp, "toy_find_vm", arguments)
    assert noted.calls == 1
    assert told(short) == told(long)


async def test_what_there_is_not_and_a_tool_whose_results_are_no_objects_go_the_long_way(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    application, noted = build(lab.service), Noted()
    application.mcp.add_middleware(noted)
    with pytest.raises(NotFoundError):
        await application.mcp.call_tool("no-such-tool", {})
    tool = application.provider.find("toy_find_vm")
    assert tool is not None
    assert tool.answers_objects
    monkeypatch.setattr(tool, "output_schema", {"type": "array"})
    assert not tool.answers_objects
    await application.mcp.call_tool("toy_find_vm", {"vm": "no-such"})
    assert noted.calls == 2
