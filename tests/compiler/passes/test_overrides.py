"""Whatever the overrides say: no workflow's class is below that of anything that one of its steps can send."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.frontend import load_api
from compiler.ir.model import Api, Effect, Flow, FlowStep
from compiler.pipeline import plan_flows, understand
from workflow.profiles.profile import Profile
from workflow.risks import GRAVITY, Risk

CASE = Path(__file__).parent / "golden" / "people_have_the_last_word.txt"
ACTION, MAKE_RACK, MAKE_SERVER = "POST /racks/{rackId}/action", "POST /racks", "POST /servers"
CLASSES = {"LIGHT": Risk.CHANGE, "RESTART": Risk.DISRUPT, "ERASE": Risk.DESTROY}
MEMBERS = {ACTION: ("/action", "/deep"), MAKE_RACK: ("/kind", "/name"), MAKE_SERVER: ("/boot/secure", "/rackId")}
OPERATIONS = st.sampled_from(sorted({*MEMBERS, "GET /racks", "GET /racks/{rackId}", "PATCH /racks/{rackId}"}))
VALUES = st.sampled_from([*CLASSES, "OPEN", True, 1])
PLACES = st.sampled_from([(key, member) for key, members in MEMBERS.items() for member in members])


@cache
def api(folder: Path) -> Api:
    spec = folder / "api.yaml"
    spec.write_text(CASE.read_text().split("--- api.yaml\n")[1].split("--- profile.yaml")[0])
    return understand(load_api(spec).api, Profile(api="lab")).api


@st.composite
def overrides(draw: st.DrawFn) -> dict[str, Any]:
    names = st.sampled_from(["action", "deep", "name", "kind", "2.action", "rack"])
    composed = [
        {
            "id": "lab_mine",
            "title": "Mine",
            "operations": draw(st.lists(OPERATIONS, min_size=1, max_size=4)),
            "values": draw(st.dictionaries(names, VALUES, max_size=2)),
        }
    ]
    fixes = [
        {"operation": key, "member": member, "value": draw(VALUES), "is_fixed": draw(st.booleans()), "why": "so"}
        for key, member in draw(st.lists(PLACES, max_size=3, unique=True))
    ]
    split = [{"operation": key, "member": member} for key, member in draw(st.lists(PLACES, max_size=2))]
    merge = [{"operation": key} for key in draw(st.lists(OPERATIONS, max_size=2))]
    return {"compose": composed, "defaults": fixes, "split": split, "merge": merge}


def sendable(flow: Flow, step: FlowStep) -> list[Risk]:
    """The classes of all that the step can send, told by the values alone."""
    stands = step.payload["action"]
    given = next((i for i in flow.inputs if stands == f"$inputs.{i.name}"), None)
    values = given.schema["enum"] if given is not None else [stands]
    return [CLASSES.get(str(value), Risk.DESTROY) for value in values]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(overrides())
def test_no_override_gives_a_class_below_that_of_a_step(tmp_path_factory: Any, said: dict[str, Any]) -> None:
    folder = tmp_path_factory.getbasetemp()
    profile = Profile.model_validate({"api": "lab", "overrides": said})
    understood = api(folder)
    flows = plan_flows(understood, profile).api.flows
    operations = {operation.key: operation for operation in understood.operations}
    assert "lab_mine" in {flow.id for flow in flows}
    for flow in flows:
        for step in flow.steps:
            if step.operation == ACTION:
                told = sendable(flow, step)
            else:
                is_read = operations[step.operation].effect is Effect.READ
                told = [Risk.READ if is_read else operations[step.operation].risk or Risk.CHANGE]
            assert GRAVITY[flow.risk] >= max(GRAVITY[one] for one in told), (flow.id, step.operation)
