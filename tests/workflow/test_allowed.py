"""What a change is going to send, held against what the thing allows: refused before anything is sent."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, ok, sent
from tests.workflow.documents import program, step
from workflow.programs.program import Program

BESIDE = "{member}@Redfish.AllowableValues"
ALLOWED = "mode@Redfish.AllowableValues"


def changing() -> Program:
    body = {"mode": "$inputs.mode", "boot": {"target": "$inputs.target"}, "more": "$inputs.more"}
    ours = {"allows": {"asked": body, "item": "$response.body", "beside": BESIDE}}
    return program(
        step("look", "get", "/vm", successCriteria=ok(), **{"x-switchgear": ours}),
        step("change", "patch", "/vm", requestBody={"payload": body}),
        inputs={"type": "object", "properties": {"mode": {}, "target": {}, "more": {}}},
    )


@pytest.mark.parametrize(
    ("given", "found", "message"),
    [
        ({"mode": "x"}, {ALLOWED: ["a", "b"]}, "/mode may be a, b here, not x"),
        (
            {"target": "Hdd"},
            {"boot": {"target@Redfish.AllowableValues": ["Pxe"]}},
            "/boot/target may be Pxe here, not Hdd",
        ),
        ({"more": {"mode": "x"}}, {"more": {ALLOWED: ["a"]}}, "/more/mode may be a here, not x"),
        ({"mode": ["a", "x"]}, {ALLOWED: ["a"]}, "/mode may be a here, not x"),
    ],
)
def test_a_value_that_is_not_listed_is_refused_before_anything_is_sent(given: Any, found: Any, message: str) -> None:
    end = ended(Dialogue(changing(), **given).answer("look", 200, found), "failed", "not_allowed")
    assert end.failure.message == message
    assert (end.failure.done, end.failure.may_be_done, end.failure.not_done) == ((), (), ("change",))


@pytest.mark.parametrize(
    "found", [{ALLOWED: ["a", "x"]}, {ALLOWED: []}, {ALLOWED: "a"}, {}, {"mode": "a"}, [], None, "text"]
)
def test_what_is_listed_and_what_lists_nothing_may_be_sent(found: Any) -> None:
    sent(Dialogue(changing(), mode="x").answer("look", 200, found), "change")


def test_what_is_not_given_is_not_asked_about() -> None:
    sent(Dialogue(changing()).answer("look", 200, {ALLOWED: ["a"]}), "change")
