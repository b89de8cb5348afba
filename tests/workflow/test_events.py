"""Events and commands in JSON and back."""

import json
from typing import Any

import pytest

from workflow.requests.events import (
    Cancelled,
    DeadlinePassed,
    EndRun,
    Failure,
    RequestFailed,
    ResponseArrived,
    RunStarted,
    SendRequest,
    StartTimer,
    TimerFired,
    command_from_json,
    event_from_json,
    failure_from_json,
    to_json,
)

FAILURE = Failure("wait", "job_failed", "no", 200, ("create",), ("delete",), "look")
EVENTS = [
    RunStarted({"vm": "x"}),
    ResponseArrived("a", 200, {"x": "y"}, [1, {"a": None}]),
    RequestFailed("a", "not_sent", "no"),
    TimerFired("a"),
    DeadlinePassed(),
    Cancelled(),
]
COMMANDS = [
    SendRequest(
        "a", 2, "PUT", "/x/1", "/x/{id}", (("q", "1"), ("q", "2")), (("h", "v"),), {"a": 1}, "application/json"
    ),
    SendRequest("a", 1, "GET", "/x", "/x", is_safe=True, is_idempotent=True, timeout_s=1.5),
    StartTimer("a", 1.5),
    EndRun("failed", {"a": 1}, FAILURE, "note"),
    EndRun("succeeded"),
]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_survives_its_json_form(event: Any) -> None:
    assert event_from_json(json.loads(json.dumps(to_json(event)))) == event


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_survives_its_json_form(command: Any) -> None:
    assert command_from_json(json.loads(json.dumps(to_json(command)))) == command


def test_a_failure_survives_its_json_form() -> None:
    assert failure_from_json(json.loads(json.dumps(to_json(FAILURE)))) == FAILURE


def test_one_vocabulary_is_not_taken_for_the_other() -> None:
    with pytest.raises(TypeError):
        event_from_json(to_json(StartTimer("a", 1)))
    with pytest.raises(TypeError):
        command_from_json(to_json(TimerFired("a")))
    with pytest.raises(KeyError):
        event_from_json({"type": "Nothing"})
