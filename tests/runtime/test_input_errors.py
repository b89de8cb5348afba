"""An error of an input names the input, whichever door the call came through."""

import asyncio
from typing import Any

import httpx
import pytest
from fastmcp import Client

from switchgear.main import main

CASES = (
    ({}, "the input vm is missing", "/vm"),
    ({"vmm": "web-01"}, "there is no input vmm; known are vm. Did you mean vm?", "/vmm"),
    ({"vm": ["web-01"]}, 'the input vm is not of type "string"', "/vm"),
    ({"vm": ""}, "the input vm is shorter than 1 character", "/vm"),
)


@pytest.mark.parametrize(("inputs", "told", "pointer"), CASES)
async def test_an_error_of_an_input_names_it_over_rest(server: Any, inputs: Any, told: str, pointer: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        reply = await client.post("/workflows/toy-find-vm/run", json={"inputs": inputs})
    assert (reply.status_code, reply.json()["pointer"]) == (422, pointer)
    assert told in reply.json()["detail"]


@pytest.mark.parametrize(("inputs", "told", "pointer"), CASES)
async def test_an_error_of_an_input_names_it_over_mcp(
    lab: Any, tools: Any, inputs: Any, told: str, pointer: str
) -> None:
    async with tools.running(lab.service) as run, Client(f"{run.url}/mcp") as client:
        result = await client.call_tool("toy_find_vm", inputs, raise_on_error=False)
    assert result.is_error
    assert told in result.content[0].text


@pytest.mark.parametrize(
    ("words", "told"),
    [((), CASES[0][1]), (("vmm=web-01",), CASES[1][1]), (('vm=["x"]',), CASES[2][1]), (("vm=",), CASES[3][1])],
)
async def test_an_error_of_an_input_names_it_on_the_command_line(
    lab: Any, words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, ["call", "toy-find-vm", *words, "--db", lab.url]) == 3
    assert told in capsys.readouterr().err
