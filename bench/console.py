"""How long the console's pages take with many workflows and runs: `python -m bench.console [WORKFLOWS] [RUNS]`.

A database of its own, in a temporary folder: copies of one workflow with a proof as long as real ones, runs of them
over a month, each with its two rows of the audit. Each page is asked for in-process, through the gate and the API;
printed is the median time and the size of each. Nothing is judged here; docs/MEASUREMENTS.md has the figures.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from governance.approval.revisions import NewRevision
from governance.audit.log import Event, append_entries
from governance.registry.targets import Target
from governance.storage import schema
from governance.storage.identifiers import earliest_id, moment, new_id
from governance.storage.models import RunRow, table_of
from runtime.app import build
from runtime.service import Service, open_service
from workflow.profiles.profile import Profile
from workflow.revision import RevisionContent

Json = Any
PAGES = (
    "/", "/console/queue", "/console/queue?risk=destroy&q=w77", "/console/queue?how=compiled&limit=75",
    "/console/decide?all=yes", "/console/workflows?state=approved", "/console/runs",
    "/console/runs?outcome=failed", "/console/runs?workflow=w12", "/console/workflows/w12", "/console/targets",
    "/console/catalog", "/console/audit", "/console/audit?after=1", "/console/audit?actor=agent-3",
    "/console/audit?action=run.finished&outcome=failed", "/console/audit?target=lab", "/console/audit?subject=run:none",
    "/console/audit?target=none", "/console/audit?actor=nobody",
    "/console/statistics?span=day", "/console/statistics?span=month",
    "/console/catalog?role=operator&risk=read&q=thing+77", "/console/asks", "/console/schedules", "/console/policy",
    "/console/access", "/console/events", "/console/bundles", "/console/sites", "/console/settings",
    "/console/queue?older=1d", "/console/targets/lab",
)  # fmt: skip
TRIES = 5
AT_ONCE = 10_000
PROFILE = Profile(api="bench", secrets=())
RISKS = ("read", "change", "disrupt", "destroy")


def _revision(number: int) -> NewRevision:
    """One workflow whose document and proof are as long as those of the two vendors on average."""
    name, risk = f"w{number}", RISKS[number % 4]
    schema_ = {"type": "object", "properties": {"name": {"type": "string", "description": "Name or id"}}}
    step = {
        "stepId": "read", "operationPath": "{$sourceDescriptions.bench.url}#/paths/~1things/get",
        "x-switchgear": {"role": "lookup", "effect": "read", "idempotent": True}, "description": "x" * 8000,
    }  # fmt: skip
    own = {"intent": "find", "risk": risk, "resource": "things", "tool": {"name": name, "shown": ["name"]}}
    document = {
        "arazzo": "1.1.0", "info": {"title": name, "version": "1"},
        "sourceDescriptions": [{"name": "bench", "url": "./b.yaml", "type": "openapi"}],
        "x-switchgear": {"format": 1, "api": "bench", "base_path": "/api", "operations": {"GET /things": "sha256:0"}},
        "workflows": [{"workflowId": name, "x-switchgear": own, "inputs": schema_, "steps": [step]}],
    }  # fmt: skip
    tool = {"name": name, "title": f"Thing {number}", "description": "Looks one thing up.", "inputSchema": schema_}
    content = RevisionContent(document, tool, {"GET /things": "sha256:0"}, PROFILE.digest)
    return NewRevision(name, content, "find", risk, "things", number % 9 == 0, 1.0, {"runs": [{"case": "y" * 6000}]})


async def _fill(service: Service, workflows: int, runs: int) -> None:
    store = service.revisions
    await service.apis.put_api(
        "bench", "Bench", "1", "sha256:" + "0" * 64, PROFILE.model_dump(mode="json"), PROFILE.digest
    )
    await service.targets.add(Target("lab", "bench", "http://127.0.0.1:9", "live"), actor="bench")
    made = await store.submit_all("bench", [_revision(n) for n in range(workflows)], actor="compile:bench")
    for each in made[: workflows // 10]:
        one = each.revision
        await store.decide(one.id, "approve", actor="bench", role="admin", reason="", digest=one.digest)
    ids = [each.revision for each in made[: workflows // 10]]
    await service.database.write(lambda connection: _add_runs(connection, ids, runs))


def _add_runs(connection: Connection, revisions: list[Any], runs: int) -> None:
    now = datetime.now(UTC)
    rows = []
    for number in range(runs):
        one, begun = revisions[number % len(revisions)], now - timedelta(minutes=number * 43_200 / runs)
        rows.append({
            "id": f"{earliest_id(moment(begun), timedelta())}-{new_id()[14:]}",
            "revision_id": one.id, "digest": one.digest, "target": "lab",
            "caller": f"agent-{number % 7}",
            "inputs": '{"name":"x"}', "started_at": moment(begun), "finished_at": moment(begun + timedelta(seconds=1)),
            "outcome": "failed" if number % 50 == 0 else "succeeded", "outputs": '{"a":"' + "z" * 400 + '"}',
            "failure": "null", "verdict": "null",
        })  # fmt: skip
    connection.execute(insert(table_of(RunRow)), rows)
    events = sorted((each for row in rows for each in _told(row)), key=lambda each: each.at)
    for first in range(0, len(events), AT_ONCE):
        append_entries(connection, events[first : first + AT_ONCE])


def _told(row: Json) -> tuple[Event, Event]:
    """As a run tells of its begin and its end."""
    about = {"digest": row["digest"], "inputs": {"name": "x"}, "revision_id": row["revision_id"], "target": "lab"}
    subject = f"run:{row['id']}"
    begun = Event(row["started_at"], row["caller"], "run.started", subject, about)
    return begun, Event(row["finished_at"], row["caller"], "run.finished", subject, {"outcome": row["outcome"]})


async def _asked(asgi: Any, path: str) -> tuple[float, int, int]:
    """Seconds, status and size of one page."""
    plain, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": plain, "raw_path": plain.encode(), "query_string": query.encode(), "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "", "state": {},
    }  # fmt: skip
    told: list[Json] = []

    async def receive() -> Json:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Json) -> None:
        told.append(message)

    begun = time.perf_counter()
    await asgi(scope, receive, send)
    return time.perf_counter() - begun, told[0]["status"], sum(len(each.get("body", b"")) for each in told)


async def main(workflows: int, runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"
        schema.upgrade(url)
        async with open_service(url) as service:
            await _fill(service, workflows, runs)
            await service.live.reload()
            asgi = build(service).asgi
            print(f"{workflows} workflows, {runs} runs")
            for path in PAGES:
                found = [await _asked(asgi, path) for _ in range(TRIES)]
                took = statistics.median(each[0] for each in found) * 1000
                print(f"{took:8.0f} ms {found[-1][2] / 1000:7.1f} kB {found[-1][1]}  {path}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*(int(each) for each in (*sys.argv[1:], "5000", "100000")[:2])))
