"""Memory of a server: what stays is left alone by the garbage collector, and what a crowd took is given back.

Thousands of requests leave cycles that nobody collects while nothing happens, and pages that the C library keeps for
the next crowd, as a few of many megabytes do: a server would stay as large as on its worst day. Called by `app`. Linux
with glibc; elsewhere what the collector frees is all. Here never lives a bound on what may be taken
(`runtime.admission`).
"""

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Callable
from pathlib import Path

# From so many connections on it is a crowd; it is over when a quarter is left.
CROWD = 200
# A few who send or ask for much at a time are no crowd: what grew by so much is looked through.
GROWN = 1.08
LOOK_S = 1.0
AFTERWARDS_S = 9.0
_PAGES = Path("/proc/self/statm")


def settle() -> None:
    """What was loaded so far stays as long as the process: the garbage collector need not look at it ever again."""
    gc.freeze()
    gc.enable()


def give_back() -> None:
    """Collects what nobody uses any more, and gives free pages back to the system."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def resident() -> int:
    """How many pages of memory this process has; 0 where that is not told."""
    try:
        return int(_PAGES.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0


async def after_crowds(connections: Callable[[], int], look_s: float = LOOK_S) -> None:
    """Gives memory back whenever a crowd is gone, or much was taken, for ever. `connections`: how many are open."""
    most, least = 0, resident()
    while True:
        await asyncio.sleep(look_s)
        count, taken = connections(), resident()
        most, least = max(most, count), min(least, taken)
        is_over = most >= CROWD and count <= most // 4
        if is_over or (taken > GROWN * least and count < CROWD):
            for pause_s in (0.0, AFTERWARDS_S):  # what waits for those who are gone is given up a while later
                await asyncio.sleep(pause_s)
                give_back()
            most, least = connections(), resident()
