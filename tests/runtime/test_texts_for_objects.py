"""A read that is answered with a text where an object is promised is told with the text, and never as a failure."""

from typing import Any

import pytest

from runtime.calls.texts_for_objects import MOST_SHOWN, texts_for_objects
from runtime.engines.engine import Ended

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


async def test_a_call_that_reads_is_a_success_with_the_text(lab: Any, device: Any) -> None:
    entry = lab.service.live.now.entries["toy_find_vm"]
    promised = {"type": "object", "properties": {"item": {"type": "object"}}}
    prepared = type("Prepared", (), {"output_schema": promised, "accepts_outputs": staticmethod(_has_no_text)})()
    reading = type("Entry", (), {"prepared": prepared, "program": entry.program, "workflow_id": "x"})()
    told = await lab.service.calls._checked(reading, Ended("r", "succeeded", {"item": "booted"}))
    assert (told.outcome, told.outputs) == ("succeeded", {})
    assert "booted" in told.note


def _has_no_text(outputs: Any) -> bool:
    return not any(isinstance(value, str) for value in outputs.values())
