"""Memory of a server: what stays is left alone by the garbage collector, and what a crowd took is given back.

Thousands of requests leave cycles that nobody collects while nothing happens, and pages that the C library keeps for
the next crowd: a server would stay as large as on its worst day. Called by `app`. Linux with glibc; elsewhere what the
collector frees is all. Here never lives a bound on what may be taken (`runtime.admission`).
"""

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Callable

# From so many connections on it is a crowd; it is over when a quarter is left.
CROWD = 200
LOOK_S = 1.0
AFTERWARDS_S = 9.0


def settle() -> None:
    """What was loaded so far stays as long as the process: the garbage collector need not look at it ever again."""
    gc.freeze()
    gc.enable()


def give_back() -> None:
    """Collects what nobody uses any more, and gives free pages back to the system."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


async def after_crowds(connections: Callable[[], int], look_s: float = LOOK_S) -> None:
    """Gives memory back whenever a crowd is gone, for ever. `connections`: how many are open."""
    most = 0
    while True:
        await asyncio.sleep(look_s)
        count = connections()
        most = max(most, count)
        if most >= CROWD and count <= most // 4:
            for pause_s in (0.0, AFTERWARDS_S):  # what waits for those who are gone is given up a while later
                await asyncio.sleep(pause_s)
                give_back()
            most = connections()
