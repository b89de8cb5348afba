"""Large values, judged by their schema in a process of their own, so that nobody else's answer waits for them.

A schema's validator works on one value to its end and lets no other Python code run meanwhile: a thread would not
help. Small values, which is nearly all, are judged where they are. Called by `calls.calls` for inputs and by `replies`.
Here never lives an opinion on what does not fit.
"""

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from runtime.errors import ServingError
from workflow.json.judging_work import steps, tries_alternatives
from workflow.json.pointers import child

Json = Any
# Some milliseconds, by 1 µs for a byte that a slow pattern is matched with, and 20 ns for others.
LARGE, LARGE_WITH_PATTERNS = 256 * 1024, 32 * 1024
# Where alternatives are tried the work is counted; so much is counted, and judged here, in some five milliseconds.
MOST_STEPS = 5_000
_KEPT = 256  # schemas that are in use, with whether work has to be counted
# The work is bounded by the judging process itself, by its processor time: a busy machine makes no value too large.
# This is for a process that hangs or gets no processor at all.
DEADLINE_S = 90.0
TOO_LONG, SMALLER = "it took too long to judge the value", "give a smaller value"


@dataclass(frozen=True, slots=True)
class ValueFault:
    """`at`: JSON pointer into the value; `what`: the rule, without the value."""

    at: str
    what: str


class Unjudged(ServingError):
    """The value could not be judged in time, or not at all."""


def written_if_large(schema: bytes, value: Json) -> bytes | None:
    """The value as JSON if it is too much work to be judged while others wait; None if it is not, or no JSON."""
    try:
        written = orjson.dumps(value)
    except (TypeError, ValueError):
        return None
    most = LARGE_WITH_PATTERNS if b'"pattern' in schema else LARGE
    return written if len(written) > most or _is_laborious(schema, value) else None


def _is_laborious(schema: bytes, value: Json) -> bool:
    """Whether alternatives make much work of a value that is not large."""
    if b'Of":' not in schema and not any(word in schema for word in _TRIED):
        return False
    counted = _counted(schema)
    return counted is not None and steps(counted, value, MOST_STEPS) >= MOST_STEPS


_TRIED = (b'"not":', b'"if":', b'"contains":', b'"propertyNames":')


@lru_cache(maxsize=_KEPT)
def _counted(schema: bytes) -> Json:
    """The schema, None where it tries no alternatives."""
    read = orjson.loads(schema)
    return read if tries_alternatives(read) else None


async def first_fault(schema: bytes, written: bytes) -> ValueFault | None:
    """The first thing about a written value that does not fit. `schema`: as JSON. Raises Unjudged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "workflow.json.judging", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE_S):
            said, _ = await process.communicate(b'{"schema": ' + schema + b"}\n" + written)
    except TimeoutError:
        raise Unjudged(TOO_LONG, SMALLER) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        is_too_long = process.returncode == -signal.SIGXCPU
        raise Unjudged(TOO_LONG if is_too_long else "the value could not be judged", SMALLER)
    found = orjson.loads(said)["fault"]
    return None if found is None else ValueFault("".join(child("", part) for part in found["path"]), found["message"])
