"""Settings that hold for one time are found by an enumeration and the names beside it, whatever they are called."""

import json
from pathlib import Path
from typing import Any

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

LAMP = {
    "LampModeDuration": {"type": "string", "enum": ["Always", "OneTime"]},
    "LampModeColour": {"type": "string", "enum": ["red", "green", "blue"]},
    "Fan": {"type": "string", "enum": ["slow", "fast"]},
}


def compiled(tmp_path: Path, members: dict[str, Any]) -> Compiled:
    item = {"type": "object", "properties": {"id": {"type": "string"}, "Panel": {"$ref": "#/components/schemas/Panel"}}}
    shown = {"200": {"description": "", "content": {"application/json": {"schema": item}}}}
    every = {**shown["200"], "content": {"application/json": {"schema": {"type": "array", "items": item}}}}
    body = {"content": {"application/json": {"schema": item}}, "required": True}
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Racks", "version": "1"},
        "paths": {
            "/racks": {"get": {"responses": {"200": every}}},
            "/racks/{id}": {
                "parameters": [parameter],
                "get": {"responses": shown},
                "patch": {"requestBody": body, "responses": shown},
            },
        },
        "components": {"schemas": {"Panel": {"type": "object", "properties": members}}},
    }
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    return compile_spec(CompileRequest(path))[0]


def test_the_thing_to_say_is_asked_for_and_the_duration_is_fixed(tmp_path: Path) -> None:
    found = {one.flow.id: one for one in compiled(tmp_path, LAMP).workflows}
    flow = found["racks_change_panel_once_rack"].flow
    assert [(given.name, given.is_required) for given in flow.inputs] == [("rack", True), ("LampModeColour", True)]
    change = next(step for step in flow.steps if step.operation.startswith("PATCH"))
    assert change.payload == {"Panel": {"LampModeDuration": "OneTime", "LampModeColour": "$inputs.LampModeColour"}}
    assert "lamp mode colour of a rack for one time" in flow.description


def test_without_a_one_time_value_or_anything_beside_it_there_is_no_such_workflow(tmp_path: Path) -> None:
    always = {**LAMP, "LampModeDuration": {"type": "string", "enum": ["Always", "Never"]}}
    alone = {name: LAMP[name] for name in ("LampModeDuration", "Fan")}
    for members in (always, alone):
        assert [one.flow.id for one in compiled(tmp_path, members).workflows if "once" in one.flow.id] == []
