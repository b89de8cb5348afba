"""Places at a device hold across replicas: of two processes on PostgreSQL never more than a device stands."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from governance.storage import schema
from governance.storage.locks import locks_of
from runtime.engines.executor import Executor
from runtime.secrets import Vault
from runtime.service import open_service
from tests.waiting import WALK_S, until
from workflow.documents.reader import read_document
from workflow.profiles.profile import Profile
from workflow.revision import RevisionContent
from workflow.tool import tool_definition

HERE = Path(__file__).parent / "killing"
ROOT = Path(__file__).parents[2]
DEVICES, WRITES = 20, 3
STARTS = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}


def thrice(profile: Profile, tools: Any) -> RevisionContent:
    """A workflow of three writes that may not be repeated."""
    document = tools.toy_content("stop").document
    (workflow,) = document["workflows"]
    change = workflow["steps"][0]
    workflow["steps"] = [{**change, "stepId": f"change_{number}"} for number in range(WRITES)]
    workflow |= {"workflowId": "toy-thrice", "outputs": {}}
    workflow["x-switchgear"]["tool"]["name"] = "toy_thrice"
    workflow["x-switchgear"]["deadline_s"] = WALK_S  # in a crowd on a busy machine the last one waits for minutes
    workflow["x-switchgear"]["outputs"] = {"type": "object"}
    tool = tool_definition(read_document(document, "thrice")).to_json()
    return RevisionContent(document, tool, document["x-switchgear"]["operations"], profile.digest)


async def furnished(url: str, ports: list[int], tools: Any) -> None:
    await asyncio.to_thread(schema.upgrade, url)
    profile = Profile(api="toy", limits={"connections": 1, "total_timeout_s": WALK_S})
    async with open_service(url, Vault({})) as service:
        plain = profile.model_dump(mode="json")
        await service.apis.put_api("toy", "Toy", "1", "sha256:" + "0" * 64, plain, profile.digest)
        house = tools.House(url, service)
        for port in ports:
            await house.target(f"http://127.0.0.1:{port}/crowd/api", name=f"lab-{port}")
        about = {"intent": "act", "risk": "change", "resource": "vms", "is_core": True, "rank": 1.0}
        content = thrice(profile, tools)
        revision = (
            await service.revisions.submit("toy", "toy-thrice", content, proof=None, actor="t", **about)
        ).revision
        await service.revisions.decide(
            revision.id, "approve", actor="t", role="admin", reason="", digest=revision.digest
        )


def child(*words: object) -> "subprocess.Popen[str]":
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": STARTS}
    return subprocess.Popen([sys.executable, *map(str, words)], **pipes)


async def crowd(folder: Path, server: Any, tools: Any, witness: Any, runs: int) -> list[list[str]]:
    """The device's log of `runs` runs by two replicas: request, port, how many were under way there."""
    with child(HERE / "device.py", folder, str(DEVICES)) as device, child(HERE / "points.py") as points:
        try:
            ports = [int(port) for port in device.stdout.readline().split()]
            url = server.new_schema()
            await furnished(url, ports, tools)
            uuids = [f"u-{number}" for number in range(runs)]
            case = {"url": url, "tool": "toy_thrice", "targets": [f"lab-{port}" for port in ports]}
            case |= {"halves": [uuids[::2], uuids[1::2]], "log": str(folder / "crowd.err")}
            case |= {kind: str(folder / f"crowd.{kind}") for kind in ("pid", "verdict")}
            points.stdin.write(json.dumps(case) + "\n")
            points.stdin.flush()
            answer = json.loads(await asyncio.to_thread(points.stdout.readline))
            assert answer == {"codes": [0, 0]}, (folder / "crowd.err").read_text()[-3000:]
        finally:
            points.kill()
            device.kill()
    log = [line.rsplit(" ", 2) for line in (folder / "crowd.log").read_text().splitlines()]
    for port in ports:
        requests = [tuple(request.split(" ")) for request, at, _ in log if at == str(port)]
        witness.device(port, lambda heard=requests: heard)
    return log


def check(log: list[list[str]], runs: int) -> None:
    assert {inside for _, _, inside in log} == {"1"}
    assert len({port for _, port, _ in log}) == min(DEVICES, runs // 2)
    heard = Counter(request for request, _, _ in log)
    assert len(heard) == runs
    assert set(heard.values()) == {WRITES}


@pytest.mark.slow
async def test_two_replicas_are_never_at_one_device_at_once(
    tmp_path: Path, postgres_server: Any, tools: Any, witness: Any
) -> None:
    check(await crowd(tmp_path, postgres_server, tools, witness, 24), 24)


@pytest.mark.long
async def test_two_hundred_runs_of_three_writes_over_twenty_devices(
    tmp_path: Path, postgres_server: Any, tools: Any, witness: Any
) -> None:
    check(await crowd(tmp_path, postgres_server, tools, witness, 200), 200)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'switchgear.db'}"
    return str(request.getfixturevalue("postgres_url"))


async def test_a_name_is_held_by_one_at_a_time_and_free_when_its_holder_is_gone(address: str) -> None:
    one, other = locks_of(address), locks_of(address)
    assert await one.hold("a")
    assert not await one.hold("a")
    assert not await other.hold("a")
    assert await other.hold("b")
    await one.release("a")
    assert await other.hold("a")
    await other.close()
    assert await one.hold("a")
    assert await one.hold("b")
    await one.close()


async def test_of_calls_that_begin_at_once_none_takes_its_own_process_for_dead(address: str) -> None:
    locks = locks_of(address)
    executor = Executor(locks)
    await asyncio.gather(*(executor.appear() for _ in range(5)), executor.stay())
    assert not await executor.is_dead(executor.name)
    await locks.close()


async def test_a_killed_holder_lets_go(address: str) -> None:
    code = (
        "import asyncio, sys, time\n"
        "from governance.storage.locks import locks_of\n"
        "print(asyncio.run(locks_of(sys.argv[1]).hold('a')), flush=True)\ntime.sleep(60)"
    )
    with child("-c", code, address) as holder:
        assert await asyncio.to_thread(holder.stdout.readline) == "True\n"
        mine = locks_of(address)
        assert not await mine.hold("a")
        holder.kill()
        holder.wait()
        await until(partial(mine.hold, "a"), "the name that a dead process held")
        await mine.close()
