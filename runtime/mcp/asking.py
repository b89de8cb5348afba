"""What an MCP request says besides its arguments: the key that it asks under, whether it hears of progress, and
whether its client takes a task in the place of a result.

A client that may ask again after a lost connection puts a key of its own under `switchgear/idempotency-key` into the
request's `_meta`; the same key then stands for the same run. One that gives a progress token hears of each step, and
of what the device says of its job. Called by `tools`, `finding` and `tasks`. MCP 2026-07-28, progress; SEP-2663.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastmcp.server.context import Context
from fastmcp.server.dependencies import get_context
from fastmcp.utilities.tasks import TASKS_EXTENSION_ID
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from runtime.engines.engine import Progress, Told
from runtime.errors import BadInput

KEY = "switchgear/idempotency-key"
LONGEST_KEY = 200
# Looks at a job that says nothing of its progress move it on by so much: a client must see it grow.
LEAST = 0.001
# What is over sooner is answered by its result alone: a stream of events costs both sides more than such a call.
QUIET_S = 0.1
# What is over sooner needs no task: the client asks for it again about as often.
TASK_AFTER_S = 5.0


@dataclass(slots=True)
class Wish:
    """`told` takes what is to be reported. `wait_s`: when the client wants to hear that the run goes on."""

    key: str
    told: Told
    wait_s: float | None = None


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


def takes_tasks(context: Context) -> bool:
    """Whether the client says with this request that it takes a task. Older versions have no form for one."""
    request = context.request_context
    is_modern = request is not None and request.protocol_version in MODERN_PROTOCOL_VERSIONS
    return is_modern and context.client_extension_settings(TASKS_EXTENSION_ID) is not None


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
        wait_s = TASK_AFTER_S if takes_tasks(context) else None
        yield Wish(key, reporter.queue.put_nowait, wait_s)
    finally:
        beginning.cancel()
        if reporter.task is not None:
            reporter.task.cancel()
            await asyncio.wait((reporter.task,))
