"""Large values, judged by their schema in a process of their own, so that nobody else's answer waits for them.

A schema's validator works on one value to its end and lets no other Python code run meanwhile: a thread would not
help. Small values, which is nearly all, are judged where they are. Called by `calls.calls` for inputs and by `replies`.
Here never lives an opinion on what does not fit.
"""

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from typing import Any

import orjson

from runtime.errors import ServingError
from workflow.pointers import child

Json = Any
# Some milliseconds, by 1 µs for a byte that a slow pattern is matched with, and 20 ns for others.
LARGE, LARGE_WITH_PATTERNS = 256 * 1024, 32 * 1024
DEADLINE_S = 20.0  # a hundred times what an honest description needs for the largest request there may be


@dataclass(frozen=True, slots=True)
class Fault:
    """`at`: JSON pointer into the value; `what`: the rule, without the value."""

    at: str
    what: str


class Unjudged(ServingError):
    """The value could not be judged in time, or not at all."""


def written_if_large(schema: bytes, value: Json) -> bytes | None:
    """The value as JSON if it is too large to be judged while others wait; None if it is small, or no JSON."""
    try:
        written = orjson.dumps(value)
    except (TypeError, ValueError):
        return None
    most = LARGE_WITH_PATTERNS if b'"pattern' in schema else LARGE
    return written if len(written) > most else None


async def first_fault(schema: bytes, written: bytes) -> Fault | None:
    """The first thing about a written value that does not fit. `schema`: as JSON. Raises Unjudged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "workflow.judging", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE_S):
            said, _ = await process.communicate(b'{"schema": ' + schema + b"}\n" + written)
    except TimeoutError:
        raise Unjudged("it took too long to judge the value", "give a smaller value") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Unjudged("the value could not be judged", "give a smaller value")
    found = orjson.loads(said)["fault"]
    return None if found is None else Fault("".join(child("", part) for part in found["path"]), found["message"])
