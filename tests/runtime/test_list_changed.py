"""What we use of FastMCP's private parts is still there, and does what it is used for."""

import importlib.metadata
from typing import Any

from fastmcp import FastMCP
from mcp.server.connection import Connection
from mcp.server.lowlevel.server import Server
from mcp.server.session import ServerSession

from runtime.app import build


def test_the_version_is_the_one_that_these_parts_were_read_in() -> None:
    assert importlib.metadata.version("fastmcp") == "4.2.3"


def test_the_private_parts_are_there() -> None:
    server = FastMCP("x")._mcp_server
    assert isinstance(server, Server)
    assert isinstance(server.middleware, list)
    assert callable(server.add_request_handler)
    assert callable(Connection.send_tool_list_changed)
    assert "_connection" in ServerSession.__init__.__code__.co_names


def test_no_list_is_built_to_judge_the_headers_of_a_call_and_nobody_of_ours_sees_to_it() -> None:
    lookup = FastMCP("x")._mcp_server.get_tool_input_schema
    assert lookup is not None, "the SDK would build a whole list of tools for each call"
    assert lookup("never listed") is None


def test_nothing_else_of_the_runtime_touches_them() -> None:
    from pathlib import Path

    room = Path(__file__).parents[2] / "runtime"
    users = [
        file.name
        for file in room.rglob("*.py")
        if "_mcp_server." in file.read_text() or "_connection\n" in file.read_text()
    ]
    private = [file.name for file in room.rglob("*.py") if "._mcp_server" in file.read_text()]
    assert private == ["list_changed.py"]
    assert set(users) <= {"list_changed.py"}


async def test_both_eras_are_told_that_the_list_can_change(lab: Any) -> None:
    server = build(lab.service).mcp._mcp_server
    handshake = server.create_initialization_options().capabilities
    stateless = server.get_capabilities(protocol_version="2026-07-28")
    assert [capabilities.tools.list_changed for capabilities in (handshake, stateless)] == [True, True]
