"""A read that is answered with a text where an object is promised is told with the text, and never as a failure."""

import json
from typing import Any

import pytest

from runtime.calls.texts_for_objects import MOST_SHOWN, texts_for_objects
from runtime.engines.engine import Ended
from tests.runtime.conftest import TOY, answer, content_of
from tests.runtime.test_runs import ME

OBJECT = {"type": "object", "properties": {"item": {"type": "object"}, "name": {"type": "string"}}}


def test_a_text_in_place_of_an_object_is_told_and_left_out_of_the_outputs() -> None:
    told = texts_for_objects(OBJECT, Ended("r", "succeeded", {"item": "booted\nup\u202e", "name": "a"}))
    assert told is not None
    assert (told.outcome, told.outputs) == ("succeeded", {"name": "a"})
    assert told.note.endswith("booted\nup")


def test_a_long_text_is_cut_and_its_length_told() -> None:
    told = texts_for_objects(OBJECT, Ended("r", "succeeded", {"item": "x" * 20_000}))
    assert told is not None
    assert len(told.note) < MOST_SHOWN + 200
    assert "20000 characters in all" in told.note


@pytest.mark.parametrize("outputs", [{"name": "a"}, {"item": {"a": 1}}, {"item": 5}])
def test_what_is_no_text_in_place_of_an_object_is_left_to_whoever_judges(outputs: Any) -> None:
    assert texts_for_objects(OBJECT, Ended("r", "succeeded", outputs)) is None


async def _read_as(lab: Any, device: Any, body: bytes) -> Any:
    """How a call of a workflow ends that promises an object, where the device answers with `body`."""
    document = json.loads(json.dumps(TOY["read"]))
    (workflow,) = document["workflows"]
    workflow["x-switchgear"]["outputs"] = {"type": "object", "properties": {"item": {"type": "object"}}}
    workflow["steps"][0]["outputs"] = {"item": "$response.body"}
    workflow["outputs"] = {"item": "$steps.read.outputs.item"}
    workflow["workflowId"], workflow["x-switchgear"]["tool"]["name"] = "toy-read-whole", "toy_read_whole"
    revision = await lab._submit(content_of(document))
    how = {"actor": "test", "role": "admin", "reason": "", "digest": revision.digest}
    await lab.service.revisions.decide(revision.id, "approve", **how)
    await lab.service.live.reload()

    async def answers(_: Any, writer: Any) -> None:
        writer.write(answer(200, body, content_type="text/html"))

    device.script = answers
    entry = lab.service.live.now.entries["toy_read_whole"]
    return await lab.service.calls.call(entry, {"id": "u-1"}, None, ME)


async def test_a_call_that_reads_is_a_success_with_the_text(lab: Any, device: Any) -> None:
    ended = await _read_as(lab, device, b"booted")
    assert (ended.outcome, dict(ended.outputs)) == ("succeeded", {})
    assert "booted" in ended.note


async def test_a_call_that_reads_and_is_answered_with_a_page_fails_with_what_the_page_says(
    lab: Any, device: Any
) -> None:
    ended = await _read_as(lab, device, b"<html><head><title>Down for maintenance</title></head></html>")
    assert (ended.outcome, ended.failure.code) == ("failed", "nothing_shown")
    assert ended.failure.said == ("Down for maintenance",)
    assert "compiled" not in ended.failure.remedy
