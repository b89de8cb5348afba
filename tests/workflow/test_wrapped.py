"""A thing in an envelope that nobody described is seen as the thing that it is, and nothing else is taken for one."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended
from tests.workflow.documents import inputs, program, step

NAMES = ("text", "icon")
WHICH = [{"name": "name", "in": "path", "value": "$inputs.name"}]


def run_of(path: str, *, looks: bool = False) -> Dialogue:
    body = {"contentType": "application/json", "payload": {name: f"$inputs.{name}" for name in NAMES}}
    expects = [{"place": f"/{n}", "asked": f"$inputs.{n}", "found": f"$response.body#/{n}"} for n in NAMES]
    look = step("look", "get", path, parameters=WHICH, **{"x-switchgear": {"role": "check"}})
    made = program(
        *((look,) if looks else ()),
        step("change", "put", path, parameters=WHICH, requestBody=body),
        step("back", "get", path, parameters=WHICH, outputs={"item": "$response.body"},
             **{"x-switchgear": {"role": "read_back", "expects": expects}}),
        inputs=inputs("name", text={"type": "string"}, icon={"type": "string"}),
        outputs={"item": "$steps.back.outputs.item"},
    )  # fmt: skip
    return Dialogue(made, name="team", text="b")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/tag-types/{name}", "tagType"),
        ("/entries/{name}", "entry"),
        ("/racks/{name}", "racks"),
        ("/racks/{name}", "data"),
    ],
)
def test_what_is_in_an_envelope_that_nobody_described_is_what_was_set(path: str, name: str) -> None:
    run = run_of(path)
    run.answer("change", 200)
    end = ended(run.answer("back", 200, {"version": 1, name: {"name": "team", "text": "b"}}), "succeeded")
    assert (end.verified, end.outputs) == ("all", {"item": {"name": "team", "text": "b"}})


def test_what_it_was_before_is_seen_in_its_envelope_too() -> None:
    run = run_of("/tag-types/{name}", looks=True)
    run.answer("look", 200, {"version": 1, "tagType": {"name": "team", "text": "a", "icon": "x"}})
    run.answer("change", 200)
    end = ended(run.answer("back", 200, {"version": 1, "tagType": {"name": "team", "text": "b"}}), "succeeded")
    assert [(each["place"], each["before"], each["found"]) for each in end.differences] == [("/icon", "x", None)]


@pytest.mark.parametrize(
    "body",
    [
        {"owner": {"text": "b"}},  # not called like the thing
        {"icon": "x", "tagType": {"text": "b"}},  # what is around it is the thing
        {"tagType": {"text": "b"}, "parent": {"text": "b"}},
        {"tagType": {"other": "b"}},
        {"tagType": [{"text": "b"}]},
    ],
)
def test_what_may_be_another_thing_is_not_looked_into(body: Any) -> None:
    run = run_of("/tag-types/{name}")
    run.answer("change", 200)
    assert ended(run.answer("back", 200, body), "failed", "not_taken").verified == "none"
