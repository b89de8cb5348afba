"""THREATS.md D10: the machine's clock jumps by an hour or a year, forwards or backwards, while a server serves.

The server is a process of its own under libfaketime, whose real-time clock follows a file; its monotonic clock is
left alone, as it is when an administrator or NTP sets the time. Tokens and decisions without an end go on, an end is
judged by the clock as it stands, deadlines and waits of a run keep to their seconds, and the audit stays whole.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.needs import FAKETIME
from tests.waiting import PATIENCE_S

JUMPS = {"an hour on": "+3600", "an hour back": "-3600", "a year on": "+31536000", "a year back": "-31536000"}
# The longest jump each way in every run, the others with `--long`.
CASES = [pytest.param(jump, marks=[] if "year" in jump else pytest.mark.long) for jump in JUMPS]
STOP = "toy_stop_vm"
# The library reads its file once a second: to read it whenever somebody asks for the time costs ten times as much.
READ_AGAIN_S = 1.1


def library() -> Path:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        FAKETIME.skip()
    return found[0]


@dataclass
class Served:
    """A server whose clock is set by `jump`."""

    api: httpx.AsyncClient
    clock: Path

    async def jump(self, seconds: str) -> None:
        beside = self.clock.with_suffix(".new")
        beside.write_text(f"{seconds}\n")
        beside.rename(self.clock)
        await asyncio.sleep(READ_AGAIN_S)

    async def run(self, name: str, inputs: Any, token: str, **more: Any) -> httpx.Response:
        fields = {"authorization": f"Bearer {token}"}
        return await self.api.post(f"/workflows/{name}/run", json={"inputs": inputs, **more}, headers=fields)


def begun(url: str, folder: Path, clock: Path) -> "subprocess.Popen[str]":
    settings = {"SWITCHGEAR_DATABASE_URL": url, "SWITCHGEAR_CONFIRM": "destroy", "PATH": os.environ["PATH"]}
    faked = {"LD_PRELOAD": str(library()), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_CACHE_DURATION": "0"}
    faked["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
    command = [sys.executable, "-m", "switchgear.main", "serve", "--port", "0", "--json"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, env={**settings, **faked}, stdout=subprocess.PIPE, stderr=log, text=True)


@contextlib.asynccontextmanager
async def served(url: str, folder: Path) -> AsyncIterator[Served]:
    clock = folder / "clock"
    clock.write_text("+0\n")
    process = begun(url, folder, clock)
    try:
        assert process.stdout is not None
        told = await asyncio.to_thread(process.stdout.readline)
        assert told, (folder / "log").read_text()
        async with httpx.AsyncClient(base_url=json.loads(told)["url"], trust_env=False, timeout=PATIENCE_S) as api:
            yield Served(api, clock)
    finally:
        process.terminate()
        await asyncio.to_thread(process.communicate)


@pytest.mark.slow
@pytest.mark.parametrize("jump", CASES)
async def test_decisions_and_runs_hold_when_the_clock_jumps(lab: Any, device: Any, tmp_path: Path, jump: str) -> None:
    """One server for both, since to start one is what costs."""
    await lab.approve("retire")
    token = await lab.token("admin")
    _, short = await lab.service.principals.create_token("short", "admin", ttl_s=1800)
    async with served(lab.url, tmp_path) as server:
        await tokens_decisions_and_plans_hold(server, token, short, JUMPS[jump])
        await a_run_under_way_keeps_its_seconds_and_its_end(server, device, token, JUMPS[jump])
    rows = await lab.service.audit.find(action="request.sending", limit=1000)
    heard = [each.line.decode().rsplit(" ", 1)[0] for each in device.heard]
    assert [f"{row.detail['method']} /api{row.detail['path']}" for row in rows] == heard
    assert (await lab.service.audit.verify()).ok
    assert [run for run in await lab.service.runs.find() if run.outcome is None] == []


async def tokens_decisions_and_plans_hold(server: Served, token: str, short: str, seconds: str) -> None:
    planned = await server.run("toy_retire_vm", {"vm": "web-01"}, token)
    assert planned.status_code == 428, planned.text
    assert (await server.run("toy_find_vm", {"vm": "web-01"}, short)).status_code == 200
    await server.jump(seconds)
    is_later = seconds.startswith("+")
    assert (await server.run("toy_find_vm", {"vm": "web-01"}, token)).status_code == 200
    # What has an end has it by the clock as it stands, and none of it is lost for good.
    assert (await server.run("toy_find_vm", {"vm": "web-01"}, short)).status_code == (401 if is_later else 200)
    plan_id = planned.json()["plan"]["plan_id"]
    applied = await server.run("toy_retire_vm", {"vm": "web-01"}, token, plan_id=plan_id)
    assert applied.status_code == (409 if is_later else 200), applied.text
    assert (await server.run(STOP, {"uuid": "u-1"}, token)).status_code == 200
    await server.jump("+0")
    assert (await server.run("toy_find_vm", {"vm": "web-01"}, short)).status_code == 200
    assert (await server.run(STOP, {"uuid": "u-1"}, token)).status_code == 200


async def a_run_under_way_keeps_its_seconds_and_its_end(server: Served, device: Any, token: str, seconds: str) -> None:
    device.script.job_state, before = "running", len(device.heard)
    asking = asyncio.create_task(server.run(STOP, {"uuid": "u-1"}, token))
    await device.has_heard(before + 2)
    await server.jump(seconds)
    await device.has_heard(len(device.heard) + 2)  # it goes on looking at the job
    assert not asking.done()
    device.script.job_state = "done"
    ended = await asking
    assert (ended.status_code, ended.json()["outcome"]) == (200, "succeeded"), ended.text
    assert [heard.method for heard in device.heard[before:]].count("POST") == 1
