"""States that an action's own words promise: only where the description knows the state and its opposite."""

from pathlib import Path
from typing import Any

import pytest

from compiler.ir.schemas import SharedSchemas
from compiler.lint import lint
from compiler.passes.flows.reached import Reached, reached
from tests.compiler.passes.test_postconditions import DRIVE, action_of, read_back, request, spec, understood

POWER = {"type": "string", "enum": ["RUNNING", "STOPPED", "STARTING", "ERROR"]}
THREE = {"type": "string", "enum": ["stopped", "started", "suspended"]}
FLAG = {"type": "boolean"}
PHASE = {"type": "string", "enum": ["Up", "Paused"]}


def found(verb: str, **members: Any) -> Reached | None:
    return reached(verb.split(), members, SharedSchemas({}))


@pytest.mark.parametrize(
    ("verb", "members", "place", "value", "against"),
    [
        ("start", {"status": POWER}, "/status", "RUNNING", ("STOPPED", "ERROR")),
        ("power off", {"powerState": {"type": "string", "enum": ["On", "Off"]}}, "/powerState", "Off", ("On",)),
        ("stop", {"state": POWER, "name": {"type": "string"}}, "/state", "STOPPED", ("RUNNING", "ERROR")),
        ("suspend", {"status": THREE}, "/status", "suspended", ("stopped", "started")),
        ("close", {"status": {"type": "string", "enum": ["opened", "closed"]}}, "/status", "closed", ("opened",)),
        ("disable", {"enabled": FLAG}, "/enabled", False, (True,)),
        ("lock", {"is_locked": FLAG}, "/is_locked", True, (False,)),
        ("start", {"isRunning": FLAG}, "/isRunning", True, (False,)),
        ("power off", {"powered_on": FLAG, "name": FLAG}, "/powered_on", False, (True,)),
        ("stop", {"State": {"type": "object", "properties": {"Running": FLAG}}}, "/State/Running", False, (True,)),
        ("resume", {"status": {"type": "object", "properties": {"phase": PHASE}}}, "/status/phase", "Up", ("Paused",)),
        ("start", {"status": POWER, "running": FLAG}, "/running", True, (False,)),  # a flag says nothing else
    ],
)
def test_a_plain_word_promises_the_state_of_its_name(
    verb: str, members: Any, place: str, value: Any, against: Any
) -> None:
    assert found(verb, **members) == Reached(place, value, against)


@pytest.mark.parametrize(
    ("verb", "members"),
    [
        ("start", {"status": {"type": "string"}}),  # nobody lists the states
        ("start", {"status": {"type": "string", "enum": ["RUNNING", "QUEUED"]}}),  # nor the opposite
        ("start", {"status": POWER, "state": POWER}),  # which of the two?
        ("start", {"mode": POWER}),
        ("start", {"running": FLAG, "online": FLAG}),
        ("start", {"running": FLAG, "phase": {"type": "string", "enum": ["Running", "Completed"]}}),  # it has run
        ("start", {"settings": {"type": "object", "properties": {"running": FLAG}}}),
        ("start backup", {"status": POWER}),
        ("reboot", {"status": POWER}),  # it was so before
        ("enable", {"enabled": {"type": "string"}}),
    ],
)
def test_where_one_would_have_to_guess_nothing_is_promised(verb: str, members: Any) -> None:
    assert found(verb, **members) is None


def test_an_action_is_held_against_the_state_that_it_promises_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DRIVE["properties"], "status", POWER)  # type: ignore[arg-type]
    back = read_back(understood(tmp_path, spec("start", body={})))
    assert back is not None
    (expected,) = back.expects
    assert (expected["asked"], expected["against"]) == ("RUNNING", ["STOPPED", "ERROR"])
    told = [one.message for one in lint(request(tmp_path, spec("start", body={}))) if one.code == "outcome-assumed"]
    assert told == ["assumed that the drive shows status RUNNING afterwards"]


def test_the_profile_has_the_last_word_on_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DRIVE["properties"], "status", POWER)  # type: ignore[arg-type]
    nothing = [{"pattern": "/start$"}]
    assert action_of(understood(tmp_path, spec("start", body={}), postconditions=nothing)).leaves is None
    moves = [{"operation": "POST /drives/{driveId}/start", "to": "STARTING"}]
    states = [{"resource": "drives", "field": "/status", "transitions": moves}]
    assert action_of(understood(tmp_path, spec("start", body={}), states=states)).leaves is None
