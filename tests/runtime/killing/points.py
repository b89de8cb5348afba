"""Kill points on one machine: each case is a process that dies at its point, and another that comes after it.

`python points.py FOLDER` reads cases as JSON lines from standard input and answers each with a line. A case names a
database that is ready (approved, with a target), the runs that are to be made, and where the process dies: `before` or
`after` the Nth commit of any of its databases, or by the device. Both processes are forked from this one, which has
imported everything and opened nothing, so that a case takes a second.
"""

import asyncio
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dbos  # noqa: F401  before the fork
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from governance.storage import connections
from runtime.app import build  # noqa: F401  before the fork
from runtime.call_options import CallOptions
from runtime.caller import Caller
from runtime.engines import dbos_process
from runtime.secrets import Vault
from runtime.service import open_service, watching
from tests.waiting import PATIENCE_S

ME = Caller("me", "operator")
# None of this is about a database that does not answer: on a busy machine it is waited for.
connections.LOCK_WAIT_S = dbos_process.PROBE_WAIT_S = int(PATIENCE_S)


def main() -> None:
    for line in sys.stdin:
        case = json.loads(line)
        if "halves" in case:
            print(json.dumps({"codes": _both(case)}), flush=True)
            continue
        beside = _begin(lambda case=case: asyncio.run(_survivor(case)), case) if case.get("beside") else None
        died = _end(_begin(lambda case=case: asyncio.run(_victim(case)), case))
        Path(case["pid"] + ".dead").touch()
        came_back = _end(beside or _begin(lambda case=case: asyncio.run(_survivor(case)), case))
        verdict = Path(case["verdict"])
        told = json.loads(verdict.read_text()) if verdict.exists() else {}
        print(json.dumps({"died": died, "came_back": came_back, **told}), flush=True)


def _begin(work: Callable[[], object], case: dict[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        log = os.open(case["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001  it dies here, and says why
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def _both(case: dict[str, Any]) -> list[int]:
    """Two replicas at work on half of the runs each, nobody dies."""
    halves = [{**case, "uuids": uuids, "together": True} for uuids in case["halves"]]
    children = [_begin(lambda half=half: asyncio.run(_victim(half)), half) for half in halves]
    return [_end(child) for child in children]


def _end(child: int) -> int:
    """The exit code; the number of the signal below zero."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


async def _victim(case: dict[str, Any]) -> None:
    _wait_for_the_other(case)
    _write(case["pid"], str(os.getpid()))
    commits = _count_commits(case.get("moment", ""), case.get("number", 0))
    async with open_service(case["url"], Vault({})) as service, watching(service):
        entry = service.live.now.entries[case.get("tool", "toy_stop_vm")]
        targets = case.get("targets", [None])
        calls = [
            service.calls.call(
                entry, {"uuid": uuid}, targets[number % len(targets)], ME, CallOptions(is_confirmed=True)
            )
            for number, uuid in enumerate(case["uuids"])
        ]
        if case.get("together"):
            ended = await asyncio.gather(*calls)
            ends = {each.outcome for each in ended}
            assert ends == {"pending"}, [each.failure for each in ended if each.failure]  # 202 is all that is said
        else:
            for call in calls:
                await call
    _tell(case, {"commits": commits[0]})


def _tell(case: dict[str, Any], told: dict[str, Any]) -> None:
    verdict = Path(case["verdict"])
    kept = json.loads(verdict.read_text()) if verdict.exists() else {}
    beside = verdict.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps({**kept, **told}))
    beside.replace(verdict)  # two at a time may tell, and one read what the other has begun to write


def _count_commits(moment: str, number: int) -> list[int]:
    made = [0]

    def counted(original: Callable[..., None]) -> Callable[..., None]:
        def do_commit(self: Any, connection: Any) -> None:
            made[0] += 1
            mine = made[0]
            if (moment, number) == ("before", mine):
                os.kill(os.getpid(), signal.SIGKILL)
            original(self, connection)
            if (moment, number) == ("after", mine):
                os.kill(os.getpid(), signal.SIGKILL)

        return do_commit

    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.do_commit = counted(dialect.do_commit)  # type: ignore[method-assign]
    return made


def _write(path: str, text: str = "") -> None:
    Path(path).write_text(text)


def _wait_for_the_other(case: dict[str, Any]) -> None:
    """Where two serve side by side, the one that dies begins when the other is ready."""
    while case.get("beside") and not Path(case["pid"] + ".ready").exists():
        time.sleep(0.01)


async def _survivor(case: dict[str, Any]) -> None:
    async with open_service(case["url"], Vault({})) as service, watching(service):
        _write(case["pid"] + ".ready")
        while not _exists(case["pid"] + ".dead"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        begun = time.monotonic()
        adopted_s = 0.0
        while any(run.outcome is None for run in await service.runs.find(limit=1000)):
            if any(run.executor != service.engine.name for run in await service.open_runs.look()):
                adopted_s = time.monotonic() - begun
            if time.monotonic() - begun > PATIENCE_S:
                break
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - begun
        runs = [await service.runs.get(run.id) for run in await service.runs.find(limit=1000)]
        sent = await service.audit.find(action="request.sending", limit=1000)
        told = {
            "seconds": round(seconds, 2),
            "adopted_s": round(adopted_s, 2),
            "chain": (await service.audit.verify()).ok,
            "runs": [{"uuid": run.inputs["uuid"], "outcome": run.outcome, "failure": run.failure} for run in runs],
            "records": [
                [step.record.seq, step.record.phase, step.record.method, step.record.path]
                for run in runs
                for step in run.steps
            ],
            "audit": [f"{row.detail['method']} /api{row.detail['path']}" for row in sent],
        }
    _tell(case, told)


def _exists(path: str) -> bool:
    return Path(path).exists()


if __name__ == "__main__":
    main()
