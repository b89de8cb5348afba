"""Large values are judged in a process of their own: nobody waits for them, and the verdict is the same."""

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

import orjson
import pytest

from runtime import large_values
from runtime.caller import Caller
from runtime.errors import BadInput
from runtime.large_values import (
    LARGE,
    LARGE_WITH_PATTERNS,
    MOST_STEPS,
    Unjudged,
    ValueFault,
    first_fault,
    written_if_large,
)
from tests.waiting import PATIENCE_S
from workflow.json.judging_work import steps

ME = Caller("me", "operator")
SLOW = {"items": {"oneOf": [{"required": ["k"], "properties": {"k": {"const": n}}} for n in range(300)]}}


def written(value: Any) -> bytes:
    return orjson.dumps(value)


def test_what_is_small_is_judged_where_it_is_and_what_is_no_json_is_refused_there() -> None:
    assert written_if_large(b"{}", {"a": "x" * 1_000}) is None
    assert written_if_large(b"{}", "x" * LARGE) is not None
    assert written_if_large(b'{"pattern":"a"}', "x" * LARGE_WITH_PATTERNS) is not None
    assert written_if_large(b"{}", "x" * LARGE_WITH_PATTERNS) is None
    assert written_if_large(b"{}", {1, 2}) is None


def deep(levels: int) -> Any:
    """Nested values that the first of two alternatives refuses at their very end."""
    return {"c": deep(levels - 1)} if levels else {"end": 1}


TWICE = {
    "$ref": "#/$defs/N",
    "$defs": {
        "N": {
            "anyOf": [
                {"properties": {"c": {"$ref": "#/$defs/N"}}, "required": ["no"]},
                {"properties": {"c": {"$ref": "#/$defs/N"}}},
            ]
        }
    },
}
FLAT = {"items": {"oneOf": [{"required": ["k"], "properties": {"k": {"const": n}}} for n in range(300)]}}
EACH_BY_EACH = {"items": {"contains": {"const": 1}, "anyOf": [{"minItems": 1}, {"maxItems": 1}]}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [(TWICE, deep(30)), (FLAT, [{"k": 1}] * 100), (EACH_BY_EACH, [[0] * 200] * 100)],
    ids=["alternatives in alternatives", "many alternatives of many things", "looked for in many lists"],
)
def test_what_makes_much_work_is_judged_elsewhere_however_small_it_is(schema: Any, value: Any) -> None:
    assert len(written(value)) < LARGE_WITH_PATTERNS * 2
    assert written_if_large(written(schema), value) == written(value)


def test_the_work_that_is_done_where_others_wait_is_bounded_by_count() -> None:
    """Whatever stays here is held against a schema at most so often: `steps` counts what the validator may try."""
    for schema, value in ((TWICE, deep(8)), (FLAT, [{"k": 1}] * 5), (EACH_BY_EACH, [[0] * 20] * 10)):
        assert written_if_large(written(schema), value) is None
        assert steps(schema, value, 10 * MOST_STEPS) < MOST_STEPS
    assert steps(TWICE, deep(30), MOST_STEPS) == MOST_STEPS  # and counting it ends as well
    plain = {"items": {"properties": {"k": {"type": "integer"}}}}
    assert written_if_large(written(plain), [{"k": 1}] * 10_000) is None  # linear, and not counted


async def test_the_verdict_names_the_place_and_never_the_value() -> None:
    schema = written({"type": "object", "properties": {"a~b": {"items": {"maxLength": 3}}}})
    assert await first_fault(schema, written({"a~b": ["abc"]})) is None
    fault = await first_fault(schema, written({"a~b": ["abc", "hunter2-secret"]}))
    assert fault == ValueFault("/a~0b/1", "the value is longer than 3 characters")


@pytest.mark.slow
async def test_others_go_on_while_a_value_is_judged() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    going_on = asyncio.create_task(others())
    assert await first_fault(written(SLOW), written([{"k": 299}] * 3_000)) is None
    going_on.cancel()
    assert turns > 20


async def test_what_takes_too_long_is_given_up_and_its_process_ends(monkeypatch: Any) -> None:
    monkeypatch.setattr(large_values, "DEADLINE_S", 0.01)
    with pytest.raises(Unjudged, match="too long"):
        await first_fault(written(SLOW), written([{"k": 299}] * 20_000))


@pytest.mark.slow
async def test_what_is_too_much_work_is_given_up_by_processor_time(monkeypatch: Any) -> None:
    """The process ends itself, however long it had to wait for a processor."""
    program = "import workflow.json.judging as judging\njudging.MOST_WORK_S = 1\njudging.main()"
    start = asyncio.create_subprocess_exec

    async def started(python: str, *_: str, **pipes: Any) -> asyncio.subprocess.Process:
        return await start(python, "-c", program, **pipes)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", started)
    with pytest.raises(Unjudged, match="too long"):
        await first_fault(written(SLOW), written([{"k": 299}] * 200_000))


async def test_a_schema_that_is_none_judges_nothing() -> None:
    with pytest.raises(Unjudged):
        await first_fault(written({"type": 3}), written("x"))


async def test_nothing_outside_of_the_schema_is_fetched() -> None:
    with pytest.raises(Unjudged):
        await first_fault(written({"$ref": "http://127.0.0.1:1/schema.json"}), written("x"))


async def test_large_inputs_of_a_call_are_judged_elsewhere_once_and_refused_alike(
    house: Any, device: Any, monkeypatch: Any
) -> None:
    await house.target(device.url)
    await house.approve("find")
    await house.service.live.reload()
    entry = house.service.live.now.entries["toy_find_vm"]
    judged: list[int] = []
    original = first_fault

    async def counted(schema: bytes, value: bytes) -> Any:
        judged.append(len(value))
        return await original(schema, value)

    monkeypatch.setattr("runtime.calls.calls.first_fault", counted)
    ended = await house.service.calls.call(entry, {"vm": "x" * (LARGE + 1)}, None, ME)
    assert (ended.outcome, len(judged)) == ("failed", 1)  # no such machine
    with pytest.raises(BadInput) as refused:
        await house.service.calls.call(entry, {"vm": ["x" * LARGE]}, None, ME)
    assert (refused.value.pointer, len(judged)) == ("/vm", 2)
    with pytest.raises(BadInput):
        await house.service.calls.call(entry, {"other": "x" * LARGE, "vm": "a"}, None, ME)


def test_whoever_judges_lets_whoever_serves_go_first() -> None:
    ends_at = time.monotonic() + PATIENCE_S
    with subprocess.Popen([sys.executable, "-m", "workflow.json.judging"], stdin=subprocess.PIPE) as child:
        while os.getpriority(os.PRIO_PROCESS, child.pid) <= os.getpriority(os.PRIO_PROCESS, 0):
            assert time.monotonic() < ends_at
            time.sleep(0.01)
        child.kill()
