"""How long the judging of one caller's value holds everybody else's answer: the longest pause of the event loop.

`python -m bench.judging`. Values that are large, that a pattern is searched in, and that alternatives multiply, judged
as the server does it (`runtime/large_values.py`), beside a task that wants to run each millisecond. The aim is 50 ms.
"""

import asyncio
import contextlib
import time
from typing import Any

import orjson

from bench.figures import tell
from runtime.large_values import first_fault, written_if_large
from workflow.json.judging import validator_of
from workflow.json.patterns import enforceable

Json = Any


def cases() -> dict[str, tuple[Json, Json]]:
    node = {
        "anyOf": [
            {"properties": {"c": {"$ref": "#/$defs/N"}}, "required": ["no"]},
            {"properties": {"c": {"$ref": "#/$defs/N"}}},
        ]
    }
    deep: Json = {}
    for _ in range(40):
        deep = {"c": deep}
    wide = {"items": {"oneOf": [{"required": ["k"], "properties": {"k": {"const": n}}} for n in range(300)]}}
    plain = {"items": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}}
    return {
        "1 MB of plain things": (plain, [{"a": "x" * 20, "b": 1}] * 25_000),
        "250 kB of plain things": (plain, [{"a": "x" * 20, "b": 1}] * 6_250),
        "40 kB that a pattern is searched in": ({"pattern": "^(a?){50}b$"}, "a" * 40_000),
        "30 kB that a pattern is searched in": ({"pattern": "^(a?){50}b$"}, "a" * 30_000),
        "300 alternatives of 5,000 things": (wide, [{"k": 299}] * 5_000),
        "alternatives in alternatives, 40 levels": ({"$ref": "#/$defs/N", "$defs": {"N": node}}, deep),
        "each value once": ({"uniqueItems": True}, list(range(30_000))),
    }


async def longest_pause(schema: Json, value: Json) -> dict[str, Any]:
    written_schema, judge = orjson.dumps(schema), validator_of(enforceable(schema)[0])
    longest, going = 0.0, True

    async def others() -> None:
        nonlocal longest
        while going:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began - 0.001)

    beside = asyncio.create_task(others())
    await asyncio.sleep(0.05)
    written = written_if_large(written_schema, value)
    if written is None:
        judge.is_valid(value)
    else:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(first_fault(written_schema, written), 10)
    await asyncio.sleep(0)
    going = False
    await beside
    return {"elsewhere": written is not None, "longest_pause_ms": round(1000 * longest, 1)}


async def measured() -> list[dict[str, Any]]:
    return [{"value": name, **await longest_pause(*case)} for name, case in cases().items()]


if __name__ == "__main__":
    tell("judging one value, the longest pause of everybody else", asyncio.run(measured()))
