"""The audit's chain: whole whoever writes at the same time, and broken by any change."""

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.audit.log import GENESIS, PAGE, AuditLog, entry_hash
from governance.errors import InvalidError
from governance.storage.database import Database, open_database
from governance.storage.identifiers import to_text
from workflow.errors import CanonicalError

Behind = Callable[..., None]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

WRITER = """
import asyncio, sys
from governance.audit.log import AuditLog
from governance.storage.database import open_database

async def main(url, name, count):
    async with open_database(url) as database:
        for number in range(count):
            row = await AuditLog(database).append(name, "counted", f"writer:{name}", {"number": number})
            print(row.seq, flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def _writer(url: str, name: str, count: int, environment: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", WRITER, url, name, str(count)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


async def test_rows_are_numbered_chained_and_read_back(database: Database) -> None:
    log = AuditLog(database)
    first = await log.append("ann", "looked", "run:1", {"größe": [1, 2.5, None], "huge": 2**70, "text": "\0\ud800"})
    second = await log.append("bob", "looked", "run:2", {})
    assert (first.seq, first.prev_hash) == (1, GENESIS)
    assert (second.seq, second.prev_hash) == (2, first.hash)
    assert await log.find() == (first, second)
    assert await log.find(subject="run:2") == (second,)
    assert await log.find(after=1, action="looked") == (second,)
    assert await log.last(1) == (second,)
    verdict = await log.verify()
    assert (verdict.ok, verdict.rows, verdict.first_bad) == (True, 2, None)


async def test_nobody_else_writes_about_revisions(database: Database) -> None:
    with pytest.raises(InvalidError, match="only the store"):
        await AuditLog(database).append("ann", "revision.approved", "revision:x", {})


async def test_an_empty_audit_is_whole(database: Database) -> None:
    assert (await AuditLog(database).verify()).to_json() == {"ok": True, "rows": 0, "first_bad": None, "reason": ""}


async def test_a_detail_that_is_no_json_is_refused_and_nothing_is_written(database: Database) -> None:
    log = AuditLog(database)
    with pytest.raises(InvalidError):
        await log.append("ann", "looked", "x:1", {"when": float("nan")})
    with pytest.raises(CanonicalError):
        await log.append("ann", "looked", "x:1\ud800", {})
    assert (await log.verify()).rows == 0


@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        ("UPDATE audit SET at = 'x' WHERE seq = 3", 3),
        ("UPDATE audit SET actor = 'x' WHERE seq = 3", 3),
        ("UPDATE audit SET action = 'x' WHERE seq = 3", 3),
        ("UPDATE audit SET subject = 'x' WHERE seq = 3", 3),
        ("UPDATE audit SET detail = '{}' WHERE seq = 3", 3),
        ("UPDATE audit SET hash = prev_hash WHERE seq = 3", 3),
        ("UPDATE audit SET prev_hash = hash WHERE seq = 3", 3),
        ("UPDATE audit SET seq = 9 WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq > 3", 4),
        ("DELETE FROM audit", 1),
        ("INSERT INTO audit SELECT 6, at, actor, action, subject, detail, prev_hash, hash FROM audit WHERE seq = 5", 6),
        ("UPDATE audit_head SET seq = 4", 6),
        ("DELETE FROM audit_head", 6),
    ],
)
async def test_a_change_is_found_at_the_row_it_was_made(
    database: Database, behind: Behind, change: str, first_bad: int
) -> None:
    log = AuditLog(database)
    for number in range(5):
        await log.append("ann", "counted", "x:1", {"number": number})
    behind(change)
    verdict = await log.verify()
    assert not verdict.ok
    assert verdict.first_bad == first_bad
    assert verdict.reason


async def test_a_row_forged_with_a_fitting_hash_breaks_the_next(database: Database, behind: Behind) -> None:
    log = AuditLog(database)
    rows = [await log.append("ann", "counted", "x:1", {"number": number}) for number in range(3)]
    forged = {**rows[1].to_json(), "actor": "bob", "detail": to_text(rows[1].detail)}
    del forged["hash"], forged["prev_hash"]
    behind("UPDATE audit SET actor = 'bob', hash = :hash WHERE seq = 2", hash=entry_hash(forged, rows[0].hash))
    assert (await log.verify()).first_bad == 3


@pytest.mark.slow
async def test_writers_in_several_processes_make_one_chain(
    url: str, database: Database, python_environment: dict[str, str]
) -> None:
    writers = [_writer(url, name, 60, python_environment) for name in "abcd"]
    mine = [await AuditLog(database).append("me", "counted", "writer:me", {}) for _ in range(60)]
    printed = [await asyncio.to_thread(writer.communicate) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    numbers = [int(line) for out, _ in printed for line in out.split()] + [row.seq for row in mine]
    assert sorted(numbers) == list(range(1, 301))
    verdict = await AuditLog(database).verify()
    assert (verdict.ok, verdict.rows) == (True, 300)


async def test_a_killed_writer_loses_nothing_that_it_was_told_is_stored(
    url: str, database: Database, python_environment: dict[str, str]
) -> None:
    with _writer(url, "a", 100_000, python_environment) as writer:
        assert writer.stdout is not None
        seen = [int(writer.stdout.readline()) for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
        seen += [int(line) for line in writer.stdout.read().split()]
    verdict = await AuditLog(database).verify()
    assert verdict.ok
    assert verdict.rows in (seen[-1], seen[-1] + 1)
    assert (await AuditLog(database).append("b", "counted", "x:1", {})).seq == verdict.rows + 1


async def test_tasks_of_one_process_share_commits_and_lose_none(database: Database) -> None:
    log = AuditLog(database)
    count = PAGE + 100
    rows = await asyncio.gather(*(log.append("ann", "counted", f"x:{at}", {}) for at in range(count)))
    assert sorted(row.seq for row in rows) == list(range(1, count + 1))
    verdict = await log.verify()
    assert (verdict.ok, verdict.rows) == (True, count)


async def test_one_bad_entry_among_many_fails_alone(database: Database) -> None:
    log = AuditLog(database)
    texts = ["\0" if at % 7 == 3 else "fine" for at in range(50)]
    answers = await asyncio.gather(*(log.append(t, "x", "x:1", float("nan") if t == "\0" else 1) for t in texts),
                                   return_exceptions=True)  # fmt: skip
    assert [isinstance(answer, InvalidError) for answer in answers] == [text == "\0" for text in texts]
    assert (await log.verify()).rows == texts.count("fine")


@pytest.mark.slow
@given(detail=JSON)
@settings(max_examples=40, deadline=None)
def test_any_json_is_kept_and_verified(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path, detail: object
) -> None:
    async def keep() -> None:
        place = shutil.copy(migrated, tmp_path_factory.mktemp("audit"))
        async with open_database(f"sqlite+aiosqlite:///{place}") as database:
            await AuditLog(database).append("ann", "looked", "x:1", detail)
            (row,) = await AuditLog(database).find()
            assert to_text(row.detail) == to_text(detail)
            assert (await AuditLog(database).verify()).ok

    asyncio.run(keep())
