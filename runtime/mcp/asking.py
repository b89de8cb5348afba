"""What an MCP request says besides its arguments: the key that it asks under, and whether it hears of progress.

A client that may ask again after a lost connection puts a key of its own under `switchgear/idempotency-key` into the
request's `_meta`; the same key then stands for the same run. One that gives a progress token hears of each step, and
of what the device says of its job. Called by `tools` and `finding`. MCP 2026-07-28, progress.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastmcp.server.context import Context
from fastmcp.server.dependencies import get_context

from runtime.engines.engine import Progress, Told
from runtime.errors import BadInput

KEY = "switchgear/idempotency-key"
LONGEST_KEY = 200
# Looks at a job that says nothing of its progress move it on by so much: a client must see it grow.
LEAST = 0.001
# What is over sooner is answered by its result alone: a stream of events costs both sides more than such a call.
QUIET_S = 0.1


@dataclass(slots=True)
class Wish:
    """`told` takes what is to be reported."""

    key: str
    told: Told


@dataclass(slots=True)
class Reporter:
    """Takes progress as it comes and sends it in order, once a call takes its time; what cannot be sent is not worth
    a run.
    """

    context: Context
    queue: asyncio.Queue[Progress] = field(default_factory=asyncio.Queue)
    last: float = 0.0

    task: "asyncio.Task[None] | None" = None

    def begin(self) -> None:
        """From now on what is told is sent."""
        self.task = asyncio.create_task(self.report())

    async def report(self) -> None:
        """Until cancelled."""
        while True:
            told = await self.queue.get()
            self.last = max(self.last + LEAST, told.number - 1 + (told.percent or 0.0) / 100)
            percent = "" if told.percent is None else f" ({told.percent:g} %)"
            await self.context.report_progress(self.last, told.steps, told.message + percent)


@asynccontextmanager
async def wish_of_request() -> AsyncIterator[Wish]:
    """What the request that is being served wishes; progress is reported as long as it is entered. Raises BadInput for
    a key that is none: cut to a length, two would be one."""
    context = get_context()
    request = context.request_context
    meta = dict(request.meta or {}) if request is not None else {}
    key = meta.get(KEY, "")
    if not isinstance(key, str) or len(key) > LONGEST_KEY or "\0" in key:
        raise BadInput(f"the key under {KEY} is none", "", f"give a text of up to {LONGEST_KEY} characters")
    reporter = Reporter(context)
    beginning = asyncio.get_running_loop().call_later(QUIET_S, reporter.begin)
    try:
        yield Wish(key, reporter.queue.put_nowait)
    finally:
        beginning.cancel()
        if reporter.task is not None:
            reporter.task.cancel()
            await asyncio.wait((reporter.task,))
