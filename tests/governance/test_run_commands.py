"""`switchgear runs list, show, watch`: which workflow it was and what it did, for people and for programs."""

import asyncio
import json
from typing import Any

import pytest

from governance.approval.revisions import RevisionStore
from governance.runs.runs import RunStore, StepRecord
from governance.storage.database import open_database
from governance.storage.identifiers import new_id
from switchgear.main import main
from workflow.revision import RevisionContent

FAILURE = {"code": "not_found", "message": "There is no VM.", "remedy": "Check the name.", "step_id": "find"}
SENT = StepRecord(1, "find", "sending", "GET", "/vms")
ANSWERED = StepRecord(1, "find", "answered", "GET", "/vms", 200, 12.0)


@pytest.fixture
def runs(migrated_url: str) -> list[str]:
    """Two runs of one workflow: one that changed something, then one that failed; and one that has not ended."""
    return asyncio.run(made(migrated_url))


async def made(url: str) -> list[str]:
    async with open_database(url) as database:
        tool = {"name": "start_vm", "title": "Start a VM"}
        content = RevisionContent({"workflows": [{"steps": []}]}, tool, {}, None)
        facts: dict[str, Any] = {"intent": "act", "risk": "change", "resource": "VM", "is_core": True, "rank": 0.5}
        stored = await RevisionStore(database).submit("api", "start_vm", content, proof=None, actor="ci", **facts)
        revision, store, ids = stored.revision, RunStore(database), [new_id() for _ in range(3)]
        for run_id in ids:
            await store.create(run_id, revision.id, revision.digest, "lab", "ann", {"vm": "db-01"}, first=SENT)
            await store.record_steps(run_id, (ANSWERED,))
        done = {"verified": "all", "verified_why": "it is on", "done": ["change"], "differences": []}
        await store.finish(ids[0], "succeeded", {"state": "on"}, None, verdict=done)
        await store.finish(ids[1], "failed", None, FAILURE, verdict={"done": []})
    return ids


def told(capsys: pytest.CaptureFixture[str], url: str, *words: str) -> tuple[int, str, str]:
    code = main([*words, "--db", url])
    return (code, *capsys.readouterr())


def test_a_list_names_the_workflow_and_what_each_run_did(
    runs: list[str], migrated_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(capsys, migrated_url, "runs", "list")
    assert code == 0 and out.count("start_vm@1") == 3
    for words in ("Start a VM: done, by change", "Start a VM: There is no VM.", "Start a VM: under way"):
        assert words in out
    rows = json.loads(told(capsys, migrated_url, "runs", "list", "--json")[1])["runs"]
    assert [(row["id"], row["workflow_id"], row["number"]) for row in rows] == [
        (one, "start_vm", 1) for one in runs[::-1]
    ]


@pytest.mark.parametrize(("words", "count"), [(("--workflow", "start*"), 3), (("--workflow", "stop*"), 0)])
def test_a_list_holds_what_was_asked_for(
    runs: list[str], migrated_url: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], count: int
) -> None:
    assert len(json.loads(told(capsys, migrated_url, "runs", "list", *words, "--json")[1])["runs"]) == count


def test_a_run_is_shown_with_one_line_for_each_request_and_what_to_do(
    runs: list[str], migrated_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(capsys, migrated_url, "runs", "show", runs[1])[1]
    assert out.count("GET /vms") == 1 and "answered 200 12 ms" in out
    assert "Check the name." in out and "start_vm" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_run_that_is_begun_to_be_named_is_suggested(
    runs: list[str], migrated_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = told(capsys, migrated_url, "runs", "show", runs[1][:-2])
    assert (code, f"Did you mean {runs[1]}?" in err) == (3, True)


def test_a_run_is_watched_until_it_has_ended_and_its_end_is_the_exit_code(
    runs: list[str], migrated_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.commands.runs.LOOK_S", 0.01)

    async def ends() -> None:
        async with open_database(migrated_url) as database:
            store = RunStore(database)
            await asyncio.sleep(0.1)
            await store.record_steps(runs[2], (StepRecord(2, "change", "sending", "POST", "/vms"),))
            await store.finish(runs[2], "unknown", None, {"code": "lost", "message": "The answer is lost."})

    async def both() -> int:
        ended = asyncio.create_task(ends())
        code = await asyncio.to_thread(main, ["runs", "watch", "--db", migrated_url])
        await ended
        return code

    assert asyncio.run(both()) == 4
    out = capsys.readouterr().out
    assert out.index("GET /vms") < out.index("POST /vms") < out.index("The answer is lost.")
    assert told(capsys, migrated_url, "runs", "watch", runs[0])[0] == 0
