"""Commands that speak to devices end in order when they are told to: by SIGTERM as by the keyboard.

A process that just dies leaves a session open at the device, of which there are few. Called by the commands of this
folder instead of `asyncio.run`. Whoever serves HTTP sees to its own signals (`runtime.app`).
"""

import asyncio
import signal
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
# As a shell tells it of a process that SIGTERM ended.
TERMINATED = 128 + signal.SIGTERM


def run_to_its_end(main: Coroutine[Any, Any, T]) -> T:
    """What `main` gives. SIGTERM cancels it, so that all that it opened is closed; then the process exits with 143."""
    was_told = False

    async def guarded() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None, "a coroutine that runs is a task's"

        def end() -> None:
            nonlocal was_told
            was_told = True
            task.cancel()

        if threading.current_thread() is threading.main_thread():  # who embeds a command keeps the signals
            with suppress(NotImplementedError):  # a system without signals for loops
                loop.add_signal_handler(signal.SIGTERM, end)
        return await main

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        if was_told:
            raise SystemExit(TERMINATED) from None
        raise
