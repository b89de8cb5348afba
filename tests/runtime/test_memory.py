"""What a crowd took, or a few who take much, is given back, and not again and again where it is still in use."""

import asyncio
from typing import Any

from runtime import memory
from tests.waiting import until


async def test_memory_is_given_back_behind_a_crowd_and_where_much_was_taken_and_then_not_again(
    monkeypatch: Any,
) -> None:
    given: list[int] = []
    now = {"connections": 0, "pages": 1_000}
    monkeypatch.setattr(memory, "AFTERWARDS_S", 0.0)
    monkeypatch.setattr(memory, "resident", lambda: now["pages"])
    monkeypatch.setattr(memory, "give_back", lambda: given.append(now["pages"]))
    looking = asyncio.create_task(memory.after_crowds(lambda: now["connections"], 0.001))

    async def after(connections: int, pages: int, count: int) -> None:
        now.update(connections=connections, pages=pages)
        await until(lambda: len(given) >= count, "memory to be given back")
        await asyncio.sleep(0.02)
        assert len(given) == count

    await after(memory.CROWD, 1_000, 0)
    await after(10, 1_000, 2)
    await after(10, 1_050, 2)
    await after(10, 1_200, 4)
    await after(10, 1_250, 4)
    looking.cancel()


def test_how_much_memory_a_process_has_is_read() -> None:
    assert memory.resident() > 1_000
