"""`switchgear schedules`, as a process: what it prints and its exit codes."""

import asyncio
import json
from typing import Any

import pytest

from tests.forks import program

ADD = ("schedules", "add", "nightly")


async def switchgear(*words: str) -> tuple[int | None, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program(), *words, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.slow
async def test_one_is_added_listed_paused_resumed_and_removed(lab: Any) -> None:
    db = ("--db", lab.url, "--json")
    cron = ("--cron", "30 2 * * *", "--zone", "Europe/Oslo")
    code, out, err = await switchgear(*ADD, "toy-find-vm", "vm=web-01", *cron, *db)
    added = json.loads(out)
    assert (code, added["workflow_id"], added["inputs"]) == (0, "toy-find-vm", {"vm": "web-01"}), err
    assert added["created_by"].startswith("cli:")
    assert (await switchgear(*ADD, "toy-find-vm", "vm=web-01", *cron, *db))[0] == 1
    _, out, _ = await switchgear("schedules", "list", *db)
    assert json.loads(out) == {"schedules": [added]}
    _, out, _ = await switchgear("schedules", "pause", "nightly", *db)
    assert json.loads(out)["is_paused"] is True
    _, out, _ = await switchgear("schedules", "resume", "nightly", *db)
    assert json.loads(out) == added
    assert (await switchgear("schedules", "remove", "nightly", *db))[:2] == (0, '{\n  "removed": "nightly"\n}\n')
    assert (await switchgear("schedules", "remove", "nightly", *db))[0] == 3


@pytest.mark.slow
async def test_what_cannot_be_scheduled_ends_with_the_codes_of_elsewhere(lab: Any) -> None:
    cases = (
        (3, "not five plain fields", ("toy-find-vm", "vm=web-01", "--cron", "nonsense")),
        (3, "there is no input", ("toy-find-vm", "x=1", "--cron", "0 * * * *")),
        (1, "no approved workflow", ("toy-none", "--cron", "0 * * * *")),
        (1, "SWITCHGEAR_SCHEDULED_RISKS", ("toy-stop-vm", "uuid=u-1", "--cron", "0 * * * *")),
        (2, "--cron", ("toy-find-vm",)),
    )
    ends = await asyncio.gather(*(switchgear(*ADD, *words, "--db", lab.url) for _, _, words in cases))
    for (wanted, said, words), (code, out, err) in zip(cases, ends, strict=True):
        assert (code, out, said in err) == (wanted, "", True), (words, err)
