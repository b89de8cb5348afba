"""How tests wait: until something holds, never for a number of seconds that was enough on somebody's machine.

`PATIENCE_S` is no figure of the product: it is how long a test goes on hoping before it says that what it waits for
does not come, wide enough for a machine that is busy with other things. What lasts as long as the product says is
tested with a clock of the test's own, and how fast it is stands in `bench/`. Nothing here is a fixture.
"""

import inspect
import time
from asyncio import AbstractEventLoop, sleep
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE_S = 180.0
PAUSE_S = 0.01
# For what is many commands of a user, one after the other.
WALK_S = 1200.0
# What a hostile input may cost in processor time: ten times what a slow machine takes for the worst. A search that
# doubles with each letter takes hours. The fine figures are told by `bench/work.py`.
MOST_CPU_S = 20.0


async def until(holds: Callable[[], T | Awaitable[T]], what: str = "", *, pause_s: float = PAUSE_S) -> Any:
    """The first answer of `holds` that is true; it may be a coroutine function. AssertionError when none comes."""
    end = time.monotonic() + PATIENCE_S
    while True:
        answer = holds()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        assert time.monotonic() < end, f"in vain waited for: {what or holds}"
        await sleep(pause_s)


def _children() -> set[int]:
    return {int(each) for task in Path("/proc/self/task").iterdir() for each in (task / "children").read_text().split()}


@asynccontextmanager
async def ended_with_their_block() -> AsyncIterator[None]:
    """Processes begun in the block are waited for at its end: a client that ends one does not see to it that the loop
    hears of that, and what is still open would be complained of in another test."""
    before = _children()
    yield
    await until(lambda: _children() <= before, "the processes to end")
    await sleep(PAUSE_S)  # until the loop has heard of it


class LoopClock:
    """The clock of the test's own event loop, which the test sets forward: what was to come later is due at once."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop, self._ahead_s, self._time = loop, 0.0, loop.time
        loop.time = self.time  # type: ignore[method-assign]

    def time(self) -> float:
        return self._time() + self._ahead_s

    def jump(self, seconds: float) -> None:
        self._ahead_s += seconds
        self._loop.call_soon(lambda: None)  # so that the loop looks at its timers
