"""The audit is searched by who, what, target, content, outcome and time; runs are counted and timed."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from governance.audit.log import PAGE, AuditLog, Event, append_entries
from governance.audit.search import AuditSearch, AuditWanted
from governance.runs.run_stats import RunStats, percentile
from governance.runs.runs import RunStore
from governance.storage.database import Database, open_database
from governance.storage.identifiers import moment, new_id, utc_now

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


@pytest.fixture
async def told(database: Database) -> Database:
    """Rows such as runs write, of two targets whose names differ by case, and inputs that look like members."""
    log = AuditLog(database)
    for run, target, digest, outcome in (("r1", "lab", DIGEST, "failed"), ("r2", "LAB", OTHER, "succeeded")):
        inputs = {"note": '"target":"lab"}', "target": "lab", "digest": DIGEST, "outcome": "failed"}
        started = {"revision_id": "v", "digest": digest, "target": target, "inputs": inputs}
        await log.append("ann", "run.started", f"run:{run}", started)
        await log.append(
            "runtime", "run.finished", f"run:{run}", {"outcome": outcome, "failure": {"outcome": "failed"}}
        )
    await log.append("bob", "target.added", "target:lab", {})
    return database


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (AuditWanted(), [1, 2, 3, 4, 5]),
        (AuditWanted(actor="ann"), [1, 3]),
        (AuditWanted(action="run.finished"), [2, 4]),
        (AuditWanted(subject="run:r2"), [3, 4]),
        (AuditWanted(target="lab"), [1, 2, 5]),
        (AuditWanted(target="LAB"), [3, 4]),
        (AuditWanted(target="ab"), []),
        (AuditWanted(digest=DIGEST), [1, 2]),
        (AuditWanted(outcome="failed"), [2]),
        (AuditWanted(outcome="succeeded", actor="runtime"), [4]),
        (AuditWanted(outcome="succeeded", target="lab"), []),
        (AuditWanted(until="2000"), []),
        (AuditWanted(since="2000", until="3000", actor="bob"), [5]),
    ],
)
async def test_what_a_filter_names_must_fit_all_of_it(told: Database, wanted: AuditWanted, numbers: list[int]) -> None:
    search = AuditSearch(told)
    assert [row.seq for row in await search.find(wanted)] == numbers
    assert [row.seq for row in await search.newest(wanted, 2)] == numbers[-2:]
    assert [row.seq async for row in search.all(wanted)] == numbers


async def test_decisions_on_a_content_are_found_by_its_digest(database: Database, submit: Any) -> None:
    revision = (await submit()).revision
    await submit("two", "other_vm")
    found = await AuditSearch(database).find(AuditWanted(digest=revision.digest))
    assert [(row.action, row.subject) for row in found] == [("revision.submitted", f"revision:{revision.id}")]


async def test_an_export_is_whole_over_pages_and_ends_where_it_was_when_it_began(database: Database) -> None:
    log = AuditLog(database)
    await database.write(lambda c: append_entries(c, [Event("2026", "a", "b", "c:d", n) for n in range(PAGE + 1)]))
    seen = []
    async for row in AuditSearch(database).all(AuditWanted()):
        if not seen:
            await log.append("late", "x", "y:z", {})
        seen.append(row)
    assert [row.seq for row in seen] == list(range(1, PAGE + 2))
    assert all(later.prev_hash == row.hash for row, later in pairwise(seen))


async def test_runs_are_counted_and_timed_by_each_group_within_the_times(url: str, submit: Any) -> None:
    revision, now = (await submit()).revision, utc_now()
    clock = [now]

    def at() -> datetime:
        return clock[0]

    async with open_database(url, at) as database:
        store = RunStore(database)
        for number in range(4):
            run_id, clock[0] = new_id(), now + timedelta(minutes=number)
            await store.create(run_id, revision.id, revision.digest, "lab", "ann" if number % 2 else "bob", {})
            clock[0] += timedelta(seconds=number + 1)
            if number < 3:
                await store.finish(run_id, "failed" if number == 2 else "succeeded")
        told = await RunStats(database).of()
        later = await RunStats(database).of(since=moment(now + timedelta(seconds=90)))
        none = await RunStats(database).of(until=moment(now))
    assert told["all"] == {
        "runs": 4, "outcomes": {"failed": 1, "succeeded": 2, "under way": 1},
        "p50_ms": 2000, "p95_ms": 3000, "p99_ms": 3000,
    }  # fmt: skip
    assert {name: figures["runs"] for name, figures in told["by_caller"].items()} == {"ann": 2, "bob": 2}
    assert told["by_workflow"]["start_vm"] == told["by_target"]["lab"] == told["all"]
    assert told["by_outcome"]["under way"]["p50_ms"] is None
    assert later["all"]["runs"] == 2
    assert none["all"]["runs"] == 0


def test_a_percentile_is_a_value_that_was_seen() -> None:
    values = [float(each) for each in range(1, 101)]
    assert [percentile(values, each) for each in (50, 95, 99)] == [50, 95, 99]
    assert percentile([7.0], 50) == 7.0
    assert percentile([], 99) is None


async def test_a_page_is_the_same_wherever_its_rows_lie(told: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    search, pages = AuditSearch(told), []
    for near in (0, 1, 5_000):
        monkeypatch.setattr("governance.audit.search.SOON", near)
        wanted = (AuditWanted(target="lab"), AuditWanted(digest=OTHER), AuditWanted(target="none"))
        found = [await search.newest(each, 2) for each in wanted] + [
            await search.find(each, limit=2) for each in wanted
        ]
        pages.append([[row.seq for row in page] for page in found])
    assert pages[0] == pages[1] == pages[2]
    assert [len(page) for page in pages[0]] == [2, 2, 0, 2, 2, 0]
