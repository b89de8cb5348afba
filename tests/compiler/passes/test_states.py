"""Of several things of one noun the state is that of the thing nearest to the operation's own address."""

from typing import Any

import pytest
import yaml

from compiler import pipeline
from compiler.ir.model import Flow

MACHINE = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "state": {"type": "string", "enum": ["on", "off"]}},
}
SHOWN = {"200": {"description": "ok", "content": {"application/json": {"schema": MACHINE}}}}
PLACES = ("/machines/{machineId}", "/racks/{rackId}/machines/{machineId}", "/sites/{siteId}/machines/{machineId}")


def item(path: str) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {"parameters": [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]}


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Flow, ...]:
    folder = tmp_path_factory.mktemp("machines")
    paths = {place: {**item(place), "get": {"responses": SHOWN}} for place in PLACES}
    stops = {
        f"{place}/stop": {**item(place), "post": {"responses": {"204": {"description": "ok"}}}} for place in PLACES
    }
    spec = {"openapi": "3.1.0", "info": {"title": "Yard", "version": "1"}, "paths": {**paths, **stops}}
    moves = [{"operation": f"POST {place}/stop", "from_states": ["on"], "to": "off"} for place in PLACES]
    rule = {"resource": "machines", "field": "/state", "transitions": moves}
    (folder / "api.yaml").write_text(yaml.safe_dump(spec))
    (folder / "profile.yaml").write_text(yaml.safe_dump({"api": "yard", "states": [rule]}))
    return pipeline.dump(pipeline.CompileRequest(folder / "api.yaml"), "flows").flows


@pytest.mark.parametrize("place", PLACES)
def test_the_state_is_read_of_the_thing_nearest_to_the_operation(place: str, flows: tuple[Flow, ...]) -> None:
    (stop,) = (flow for flow in flows if flow.goal == f"POST {place}/stop")
    assert [(step.role.value, step.operation) for step in stop.steps] == [
        ("check", f"GET {place}"),
        ("change", f"POST {place}/stop"),
        ("read_back", f"GET {place}"),
    ]
    assert stop.steps[0].success[1]["condition"] == "$response.body#/state == 'on'"
