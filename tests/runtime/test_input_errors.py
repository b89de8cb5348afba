"""An error of an input names the input, whichever door the call came through."""

import asyncio
from typing import Any

import httpx
import pytest
from fastmcp import Client

from switchgear.main import main

CASES: tuple[tuple[dict[str, Any], tuple[str, ...], str, str], ...] = (
    ({}, (), "the input vm is missing", "/vm"),
    ({"vmm": "web-01"}, ("vmm=web-01",), "there is no input vmm; known are vm. Did you mean vm?", "/vmm"),
    ({"vm": ["web-01"]}, ('vm=["web-01"]',), 'the input vm is not of type "string"', "/vm"),
    ({"vm": ""}, ("vm=",), "the input vm is shorter than 1 character", "/vm"),
)
"""As JSON, as typed, what is said, and which input it is about."""


async def test_an_error_of_an_input_names_it_over_rest(server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        for inputs, _, told, pointer in CASES:
            reply = await client.post("/workflows/toy-find-vm/run", json={"inputs": inputs})
            assert (reply.status_code, reply.json()["pointer"]) == (422, pointer)
            assert told in reply.json()["detail"]


async def test_an_error_of_an_input_names_it_over_mcp(server: Any) -> None:
    async with Client(f"{server.url}/mcp") as client:
        for inputs, _, told, _ in CASES:
            result = await client.call_tool("toy_find_vm", inputs, raise_on_error=False)
            assert result.is_error
            assert told in result.content[0].text


async def test_an_error_of_an_input_names_it_on_the_command_line(lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for _, words, told, _ in CASES:
        assert await asyncio.to_thread(main, ["call", "toy-find-vm", *words, "--db", lab.url]) == 3
        assert told in capsys.readouterr().err
