"""Which inputs of a flow say what thing it is about, and where the run finds what they stand for."""

import json
from pathlib import Path
from typing import Any

import pytest

from compiler import pipeline


def reply(schema: Any) -> dict[str, Any]:
    return {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def sent(schema: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def record(**members: str) -> dict[str, Any]:
    properties = {name: {"type": kind, "readOnly": name == "id"} for name, kind in members.items()}
    return {"type": "object", "properties": properties}


def listed(name: str) -> dict[str, Any]:
    return reply({"type": "array", "items": ref(name)})


def at(name: str) -> dict[str, Any]:
    return {"parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}]}


DONE = {"responses": {"200": {"description": "ok"}}}
SCHEMAS = {
    "Machine": record(id="string", name="string", memory="integer"),
    "Disk": {**record(id="string", name="string", machineId="string", size="integer"), "required": ["machineId"]},
    "Event": record(at="string", text="string"),
    "Clock": record(zone="string"),
}
PATHS = {
    "/machines": {"get": listed("Machine"), "post": {**sent(ref("Machine")), **reply(ref("Machine"))}},
    "/machines/{machineId}": {
        "get": {**at("machineId"), **reply(ref("Machine"))},
        "put": {**at("machineId"), **sent(ref("Machine")), **DONE},
        "delete": {**at("machineId"), **DONE},
    },
    "/machines/{machineId}/start": {"post": {**at("machineId"), **sent(record(node="string")), **DONE}},
    "/machines/{machineId}/clone": {"post": {**at("machineId"), **sent(record(label="string")), **DONE}},
    "/disks": {"get": listed("Disk"), "post": {**sent(ref("Disk")), **reply(ref("Disk"))}},
    "/disks/{diskId}": {"get": {**at("diskId"), **reply(ref("Disk"))}},
    "/events": {"get": listed("Event"), "post": {**sent(ref("Event")), **reply(ref("Event"))}},
    "/clock": {"get": reply(ref("Clock")), "put": {**sent(ref("Clock")), **DONE}},
}
MACHINE = {"machine": "$steps.find_machine.outputs.id"}


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place: Path = tmp_path_factory.mktemp("shop") / "shop.json"
    info = {"title": "Shop", "version": "1"}
    place.write_text(json.dumps({"openapi": "3.1.0", "info": info, "paths": PATHS, "components": {"schemas": SCHEMAS}}))
    return {flow.id: flow for flow in pipeline.dump(pipeline.CompileRequest(place), "flows").flows}


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        ("shop_update_machine", MACHINE),
        ("shop_delete_machine", MACHINE),
        ("shop_start_machine", MACHINE),
        ("shop_create_machine", {"name": ""}),
        ("shop_create_disk", {"name": "", **MACHINE}),
        ("shop_update_clock", {}),
        ("shop_create_event", None),
        ("shop_clone_machine", None),
        ("shop_find_machines", None),
    ],
)
def test_a_flow_says_what_identifies_its_thing(flows: dict[str, Any], flow: str, said: Any) -> None:
    assert flow in flows, sorted(flows)
    assert flows[flow].identifies == said
