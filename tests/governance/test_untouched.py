"""A file that nobody wrote to need not be asked; what cannot be told apart by its times is asked again."""

import time

import pytest

from governance.storage import untouched
from governance.storage.database import Database
from governance.storage.untouched import Untouched

TIMES = 4


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...] | None]:
    """What the file looks like, by turns; the last one stays."""
    shown: list[tuple[int, ...] | None] = [(1, 2, 3)]
    monkeypatch.setattr(Database, "stamp", lambda _: shown.pop(0) if len(shown) > 1 else shown[0])
    return shown


async def test_what_looks_the_same_is_untouched_so_many_times(database: Database, looks: object) -> None:
    asker = Untouched(database, TIMES)
    told = [asker.since_last() for _ in range(2 * TIMES)]
    assert told == [False, True, True, True] * 2


async def test_what_looks_otherwise_or_was_forgotten_is_touched(
    database: Database, looks: list[tuple[int, ...] | None]
) -> None:
    asker = Untouched(database, TIMES)
    looks[:] = [(1,), (1,), (2,), (2,)]
    assert [asker.since_last() for _ in range(4)] == [False, True, False, True]
    asker.forget()
    assert not asker.since_last()


async def test_a_database_that_is_no_file_is_always_asked(
    database: Database, looks: list[tuple[int, ...] | None]
) -> None:
    looks[:] = [None]
    asker = Untouched(database, TIMES)
    assert not any(asker.since_last() for _ in range(3))


async def test_what_was_written_a_moment_ago_is_asked_again(
    database: Database, looks: list[tuple[int, ...] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns()
    monkeypatch.setattr(untouched.time, "time_ns", lambda: now)
    looks[:] = [(now,)]
    asker = Untouched(database, TIMES)
    assert [asker.since_last() for _ in range(2)] == [False, False]
    monkeypatch.setattr(untouched.time, "time_ns", lambda: now + int(2e9 * untouched.TICK_S))
    assert [asker.since_last() for _ in range(2)] == [False, True]
