"""Kill -9 anywhere (THREATS D2): nothing is sent twice that must not be, nothing is lost, the audit is complete.

Each case kills a process that carries out runs at one point: right before or after one of its commits, in either
database, or by the device, after it heard a request or after it answered. Another process comes after it. Then the
device's log, which was on its disk before any answer, is held against the audit. `slow` and `long` choose how many.
"""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from governance.registry.targets import TargetStore
from governance.storage import schema
from governance.storage.database import open_database
from runtime.engines.executor import MOURNED_S
from runtime.engines.supervisor import ROUND_S
from runtime.secrets import Vault
from runtime.service import open_service

HERE = Path(__file__).parent / "killing"
DEVICES = 20
LIMIT = 4  # connections, by the toy's profile
ROOT = Path(__file__).parents[2]
STARTS = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}


async def led(url: str, base_url: str) -> None:
    """Leads all targets of a copied installation to another address of the device."""
    async with open_database(url) as database:
        store = TargetStore(database)
        await store.apply([replace(each, base_url=base_url) for each in await store.list_targets()])


@dataclass
class Yard:
    """A device that remembers, a process that forks victims, and an installation that is copied for each case."""

    folder: Path
    ports: list[int]
    points: "subprocess.Popen[str]"
    template: Path

    def run(self, name: str, moment: str = "", number: int = 0, **more: Any) -> dict[str, Any]:
        """The verdict on one case; `moment`: before, after (a commit), received, answered (by the device)."""
        place = self.folder / f"{name}.db"
        shutil.copy(self.template, place)
        url = f"sqlite+aiosqlite:///{place}"
        asyncio.run(led(url, f"http://127.0.0.1:{self.ports[0]}/{name}/api"))
        return self.ask(name, url, moment, number, **more)

    def ask(self, name: str, url: str, moment: str, number: int, **more: Any) -> dict[str, Any]:
        if moment in ("received", "answered"):
            (self.folder / f"{name}.kill").write_text(f"{moment} {number}")
        files = {kind: str(self.folder / f"{name}.{kind}") for kind in ("pid", "verdict")}
        case = {"url": url, "uuids": ["u-1"], "moment": moment, "number": number, **files, **more}
        assert self.points.stdin is not None
        assert self.points.stdout is not None
        self.points.stdin.write(json.dumps({**case, "log": str(self.folder / f"{name}.err")}) + "\n")
        self.points.stdin.flush()
        verdict = json.loads(self.points.stdout.readline())
        return {**verdict, "name": name, "heard": self.heard(name)}

    def crowds(self, name: str) -> dict[str, int]:
        """The most requests that were under way at a time, by the device's port."""
        most: dict[str, int] = {}
        for line in (self.folder / f"{name}.log").read_text().splitlines():
            _, port, inside = line.rsplit(" ", 2)
            most[port] = max(most.get(port, 0), int(inside))
        return most

    def clear(self) -> None:
        """Forgets all cases, so that their names can be used again."""
        for path in self.folder.iterdir():
            if path != self.template:
                path.unlink() if path.is_file() else shutil.rmtree(path)

    def heard_at(self, port: int) -> list[tuple[str, str]]:
        """The requests of all cases, by what the device has on its disk."""
        lines = [line.split(" ") for log in self.folder.glob("*.log") for line in log.read_text().splitlines()]
        return [(method, path) for method, path, at, _ in lines if at == str(port)]

    def heard(self, name: str) -> list[str]:
        log = self.folder / f"{name}.log"
        return [line.rsplit(" ", 2)[0] for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
async def yard(tmp_path: Path, tools: Any, witness: Any) -> AsyncIterator[Yard]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'template.db'}"
    async with open_service(url, Vault({})) as service:
        house = await tools.furnished(url, service)
        await house.target("http://127.0.0.1:1")
        await house.approve("stop")
    with closing(sqlite3.connect(tmp_path / "template.db")) as database:
        database.execute("PRAGMA journal_mode=DELETE")  # one file, to be copied
    for each in _children(tmp_path):
        for port in each.ports:
            witness.device(port, partial(each.heard_at, port))
        yield each


def _children(folder: Path) -> Iterator[Yard]:
    pipes: Any = {"stdout": subprocess.PIPE, "text": True, "env": STARTS}
    with (
        subprocess.Popen([sys.executable, HERE / "device.py", folder, str(DEVICES)], **pipes) as device,
        subprocess.Popen([sys.executable, HERE / "points.py"], stdin=subprocess.PIPE, **pipes) as points,
    ):
        assert device.stdout is not None
        try:
            yield Yard(folder, [int(port) for port in device.stdout.readline().split()], points, folder / "template.db")
        finally:
            points.kill()
            device.kill()


def faults(verdict: dict[str, Any], folder: Path) -> list[str]:
    """What does not hold after a case; nothing, if all is well."""
    found = []
    if verdict["came_back"] != 0 or "runs" not in verdict:
        return [f"the survivor failed: {(folder / (verdict['name'] + '.err')).read_text()[-2000:]}"]
    changes = Counter(line for line in verdict["heard"] if line.startswith("POST"))
    found += [f"sent {count} times: {line}" for line, count in changes.items() if count > 1]
    if not verdict["chain"]:
        found.append("the audit's chain is broken")
    found += [f"{run['uuid']} is still open" for run in verdict["runs"] if run["outcome"] is None]
    surplus = Counter(verdict["audit"])
    surplus.subtract(Counter(verdict["heard"]))
    found += [f"heard and not in the audit: {line}" for line, count in surplus.items() if count < 0]
    # A record whose request never left is one that the process died over: one a run at most.
    if sum(count for count in surplus.values() if count > 0) > len(verdict["runs"]):
        found.append(f"records without requests: {surplus}")
    for run in verdict["runs"]:
        found += _faults_of(run, verdict)
    for name in (f"{verdict['name']}.db", f"{verdict['name']}-runs.db"):
        if (folder / name).exists():
            with closing(sqlite3.connect(folder / name)) as database:
                (state,) = database.execute("PRAGMA integrity_check").fetchone()
            if state != "ok":
                found.append(f"{name}: {state}")
    return found


def _faults_of(run: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
    change = f"POST /api/vms/{run['uuid']}/stop"
    times = verdict["heard"].count(change)
    if run["outcome"] == "succeeded":
        return [] if times == 1 else [f"{run['uuid']} succeeded, and its change was heard {times} times"]
    if run["outcome"] == "unknown":
        records = [tuple(each) for each in verdict["records"] if f"/api{each[3]}" == change.partition(" ")[2]]
        phases = [phase for _, phase, _, _ in records]
        is_said = run["failure"]["doubt"]["look"] == f"GET /vms/{run['uuid']}"
        # The answer is on record, with the seal of the checkpoint, a moment before the checkpoint with what it said.
        is_open = phases in (["sending"], ["sending", "answered"])
        return [] if is_open and is_said else [f"{run['uuid']} is unknown with {records}, {run['failure']}"]
    return [f"{run['uuid']} ended as {run['outcome']}: {run['failure']}"]


@dataclass
class Tally:
    """What came of many cases. A case whose point the process did not reach does not count."""

    killed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0


async def judged(yard: Yard, cases: list[tuple[str, int]], **more: Any) -> Tally:
    """Runs the cases and tells what came of them. Fails with all faults found."""
    found, tally = {}, Tally()
    for moment, number in cases:
        name = f"{moment}-{number}"
        verdict = await asyncio.to_thread(lambda m=moment, n=number, c=name: yard.run(c, m, n, **more))
        tally.killed += verdict["died"] == -9
        tally.outcomes.update(run["outcome"] for run in verdict.get("runs", []))
        tally.slowest_s = max(tally.slowest_s, verdict.get("seconds", 0.0))
        wrong = faults(verdict, yard.folder)
        if wrong:
            found[name] = wrong
    assert found == {}
    return tally


@pytest.mark.slow
async def test_a_case_without_a_kill_succeeds(yard: Yard) -> None:
    verdict = await asyncio.to_thread(yard.run, "calm")
    assert verdict["died"] == 0
    assert faults(verdict, yard.folder) == []
    assert verdict["heard"] == ["POST /api/vms/u-1/stop", *["GET /api/tasks/t-u-1"] * 2, "GET /api/vms/u-1"]
    assert verdict["audit"] == verdict["heard"]


@pytest.mark.slow
async def test_a_sample_of_kill_points(yard: Yard) -> None:
    calm = await asyncio.to_thread(yard.run, "calm")
    late = calm["commits"]
    cases = [("before", late - back) for back in (9, 7, 5, 2)] + [("after", late - back) for back in (8, 6, 4)]
    cases += [("received", 1), ("answered", 1), ("received", 2), ("received", 4), ("answered", 4)]
    tally = await judged(yard, cases)
    assert tally.killed >= 6  # on a busy machine records share commits, and the last numbers are not reached
    assert tally.outcomes["succeeded"] > 0
    assert tally.outcomes["unknown"] > 0


@pytest.mark.long
async def test_every_kill_point_of_one_run_and_of_three_at_a_time(yard: Yard) -> None:
    killed = 0
    for uuids in (["u-1"], ["u-1", "u-2", "u-3"]):
        calm = await asyncio.to_thread(lambda given=uuids: yard.run("calm", uuids=given, together=True))
        commits, requests = calm["commits"], len(calm["heard"])
        cases = [(moment, number) for moment in ("before", "after") for number in range(1, commits + 1)]
        cases += [(moment, number) for moment in ("received", "answered") for number in range(1, requests + 1)]
        yard.clear()
        tally = await judged(yard, cases, uuids=uuids, together=True)
        print(f"\n{len(uuids)} at a time, {commits} commits, {requests} requests: {tally}")
        killed += tally.killed
        yard.clear()
    assert killed >= 200


async def beside(yard: Yard, server: Any, tools: Any, name: str, moment: str, number: int) -> dict[str, Any]:
    """A case on PostgreSQL: two replicas serve, one of them dies, the other one adopts what it left."""
    url = server.new_schema()
    await asyncio.to_thread(schema.upgrade, url)
    async with open_service(url, Vault({})) as service:
        house = await tools.furnished(url, service)
        await house.target(f"http://127.0.0.1:{yard.ports[0]}/{name}/api")
        await house.approve("stop")
    more = {"uuids": ["u-1", "u-2", "u-3"], "together": True, "beside": True}
    return await asyncio.to_thread(lambda: yard.ask(name, url, moment, number, **more))


async def adopted(yard: Yard, server: Any, tools: Any, cases: list[tuple[str, int]]) -> Tally:
    found, tally = {}, Tally()
    for moment, number in cases:
        name = f"{moment}-{number}"
        verdict = await beside(yard, server, tools, name, moment, number)
        tally.killed += verdict["died"] == -9
        tally.outcomes.update(run["outcome"] for run in verdict.get("runs", []))
        tally.slowest_s = max(tally.slowest_s, verdict.get("adopted_s", 0.0))
        wrong = faults(verdict, yard.folder)
        if verdict["heard"] and max(yard.crowds(name).values()) > LIMIT:
            wrong.append(f"too many at a time: {yard.crowds(name)}")
        if wrong:
            found[name] = wrong
    assert found == {}
    return tally


@pytest.mark.slow
async def test_a_replica_adopts_what_a_dead_one_left(yard: Yard, postgres_server: Any, tools: Any) -> None:
    assert MOURNED_S + 3 * ROUND_S < 5, "by the product's own clock: what it waits for, and the rounds around it"
    tally = await adopted(yard, postgres_server, tools, [("received", 2), ("answered", 5), ("before", 30)])
    assert tally.killed == 3
    assert tally.outcomes["succeeded"] > 0


@pytest.mark.long
async def test_forty_deaths_beside_a_living_replica(yard: Yard, postgres_server: Any, tools: Any) -> None:
    cases = [("received", number) for number in range(1, 12)] + [("answered", number) for number in range(1, 12)]
    cases += [("before", number) for number in range(12, 52, 4)] + [("after", number) for number in range(14, 54, 4)]
    tally = await adopted(yard, postgres_server, tools, cases)
    print(f"\n{tally}")
    assert tally.killed >= 40
