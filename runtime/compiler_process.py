"""The compiler as another process: `switchgear compile` with what it is to read, within a time, and what it said.

The runtime imports nothing of the compiler, which may not be installed; whatever it does to its process's memory is not
ours. Called by `proposing` and `building`. Here never lives a right, nor what is made of the answer.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

Json = Any
DEADLINE_S = 600.0


@dataclass(frozen=True, slots=True)
class Said:
    """`told`: its report, empty where it gave none; `lines`: what it said to people; `code`: None where it took too
    long."""

    code: int | None
    told: Mapping[str, Json]
    lines: tuple[str, ...]


async def compiled(database_url: str, words: Sequence[str], deadline_s: float = DEADLINE_S) -> Said:
    """What `switchgear compile WORDS --json` says. The process is over when this returns, however it ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "switchgear.main", "compile", *words, "--json",
        env={**os.environ, "SWITCHGEAR_DATABASE_URL": database_url}, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(deadline_s):
            said, noise = await process.communicate()
    except TimeoutError:
        return Said(None, {}, ())
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return Said(process.returncode, _read(said), tuple(noise.decode(errors="replace").splitlines()))


def _read(said: bytes) -> Mapping[str, Json]:
    try:
        told = orjson.loads(said)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
