"""`switchgear targets test` as a person and as a program see it, and `POST /targets/{name}/test`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from governance.registry.targets import Target, TargetStore
from runtime.service import open_service
from switchgear.main import main


async def test_a_closed_port_is_told_with_what_to_do_and_exit_code_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'switchgear.db'}"
    async with open_service(url) as service:
        await TargetStore(service.database).add(Target("lab", "toy", "http://127.0.0.1:1", "live"))
    assert await asyncio.to_thread(main, ["targets", "test", "lab", "--db", url]) == 4
    assert "BAD tcp" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["targets", "test", "lab", "--db", url, "--json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert (told["is_good"], [each["outcome"] for each in told["findings"]][:3]) == (False, ["good", "good", "bad"])
    assert await asyncio.to_thread(main, ["targets", "test", "nobody", "--db", url]) == 3


async def test_the_api_answers_the_findings(lab: Any, server: Any) -> None:
    import httpx

    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        reply = await client.post("/targets/lab/test")
        assert (await client.post("/targets/nobody/test")).status_code == 404
    told = reply.json()
    assert (reply.status_code, told["target"], told["is_good"]) == (200, "lab", True)
    assert [each["step"] for each in told["findings"]] == ["address", "dns", "tcp", "tls", "login", "version"]
