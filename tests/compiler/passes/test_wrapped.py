"""Things with something around them, in a reply that shows one and in each element of a list: `{"server": {…}}`.

Found by their noun, or where the profile says; used by lookups, checks of states, read-backs and the twin alike.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.compiled import Compiled
from compiler.lint import lint
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

STATES = {
    "resource": "servers", "field": "/run/state", "initial": "on", "settles_s": 5,
    "transitions": [{"operation": "POST /servers/{serverId}/stop", "from_states": ["on"], "to": "off"}],
}  # fmt: skip


def described(folder: Path, around: str, **told: Any) -> tuple[Path, Path]:
    """Servers that are made, renamed, stopped and deleted; each stands in a member of the name `around`."""
    state = {"type": "object", "readOnly": True, "properties": {"state": {"type": "string", "enum": ["on", "off"]}}}
    members = {"id": {"type": "string", "readOnly": True}, "name": {"type": "string"}, "run": state}
    server = {"type": "object", "required": ["id", "name"], "properties": members}
    wrapped = {"type": "object", "required": [around], "properties": {around: server}}
    beside = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}
    element = {"type": "object", "required": [around, "owner"], "properties": {around: server, "owner": beside}}
    many = {"type": "object", "properties": {"list": {"type": "array", "items": element}}}
    sent = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    body = {"required": True, **shown({"type": "object", "required": [around], "properties": {around: sent}})}
    which = {"name": "serverId", "in": "path", "required": True, "schema": {"type": "string"}}
    ok, done = {"200": {"description": "ok", **shown(wrapped)}}, {"204": {"description": "done"}}
    paths = {
        "/servers": {
            "get": {"responses": {"200": {"description": "ok", **shown(many)}}},
            "post": {"requestBody": body, "responses": {"201": {"description": "made", **shown(wrapped)}}},
        },
        "/servers/{serverId}": {
            "parameters": [which],
            "get": {"responses": ok},
            "patch": {"requestBody": body, "responses": ok},
            "delete": {"responses": done},
        },
        "/servers/{serverId}/stop": {"parameters": [which], "post": {"responses": done}},
    }
    spec, profile = folder / "api.yaml", folder / "told.yaml"
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "hall", "version": "1"}, "paths": paths}))
    profile.write_text(yaml.safe_dump({"api": "hall", "states": [STATES], **told}))
    return spec, profile


def compiled(folder: Path, around: str, **told: Any) -> Compiled:
    return compile_spec(CompileRequest(*described(folder, around, **told), plays_all=True))[0]


def shown(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


TOLD = {"envelope": {"item_at": {"servers": "/data"}, "element_at": {"*": "/data"}}}
INTENTS = {"find", "describe", "create", "update", "act", "delete"}


@pytest.mark.parametrize(("around", "told"), [("server", {}), ("data", TOLD)])
def test_what_is_around_a_thing_is_looked_through_wherever_it_is_shown(
    around: str, told: dict[str, Any], tmp_path: Path
) -> None:
    flows = {one.flow.intent: one for one in compiled(tmp_path, around, **told).workflows}
    assert flows.keys() == INTENTS
    ends = {intent: {run["case"]: run["outcome"] for run in one.proof["runs"]} for intent, one in flows.items()}
    assert {ends[intent].get("usual") for intent in INTENTS} == {"succeeded"}
    assert {ends["update"][case] for case in ("ignored change", "namesake")} == {"failed"}
    assert ends["act"]["ignored action"] == "failed"
    assert ends["create"]["ignored creation"] == "unknown"
    (find,) = (step for step in flows["act"].flow.steps if step.id == "find_server")
    assert f"@.{around}.run.state == 'on'" in str(find.success)
    assert find.outputs["id"]["selector"].endswith(f"].{around}.id")
    assert flows["describe"].flow.steps[-1].outputs == {"item": f"$response.body#/{around}"}
    assert flows["create"].flow.steps[-1].expects[-1]["found"]["selector"].endswith(f"].{around}.name")


def asked_for(folder: Path, around: str, **told: Any) -> set[tuple[str, str]]:
    """What lint asks for of what is around things: (operation, field)."""
    spec, profile = described(folder, around, **told)
    return {
        (one.pointer, one.remedy.split("`")[1])
        for one in lint(CompileRequest(spec, profile))
        if one.code == "something-around"
    }


@pytest.mark.parametrize("around", ["server", "data"])
def test_lint_asks_what_is_around_a_thing_until_it_is_told(around: str, tmp_path: Path) -> None:
    fields = {("GET /servers/{serverId}", "envelope.item_at"), ("GET /servers", "envelope.element_at")}
    assert asked_for(tmp_path, around) == fields
    assert asked_for(tmp_path, around, envelope={"item_at": {"*": f"/{around}"}}) == {
        ("GET /servers", "envelope.element_at")
    }
    assert asked_for(tmp_path, around, envelope={"item_at": {"*": ""}, "element_at": {"servers": "/server"}}) == set()


def test_what_the_profile_says_not_to_be_around_is_not_looked_through(tmp_path: Path) -> None:
    told = {"envelope": {"item_at": {"servers": ""}, "element_at": {"servers": ""}}}
    flows = {one.flow.intent: one for one in compiled(tmp_path, "server", **told).workflows}
    assert flows["describe"].flow.steps[-1].outputs == {"item": "$response.body"}


@pytest.mark.parametrize(
    ("beside", "one", "at"),
    [
        ({"status": {"type": "string"}}, "node", "/data/node"),
        ({"errors": {"type": "array", "items": {"type": "string"}}}, "node", "/data/node"),
        ({"result": {"type": "string"}, "action": {"type": "string"}}, "nodes", "/data/nodes/0"),
        ({}, "node", "/data/node"),
        ({}, "", "/data"),
    ],
)
def test_an_envelope_around_what_is_named_like_the_thing_is_looked_through(
    beside: dict[str, Any], one: str, at: str, tmp_path: Path
) -> None:
    node = {"type": "object", "required": ["id"], "properties": {n: {"type": "string"} for n in ("id", "hostname")}}
    inside = {one: {"type": "array", "items": node} if one == "nodes" else node}
    held = {"type": "object", "properties": inside} if one else node
    many = {"type": "object", "properties": {"nodes": {"type": "array", "items": node}}}
    answer = {
        name: {"200": {"description": "ok", **shown({"type": "object", "properties": {"data": held, **beside}})}}
        for name, held in (("one", held), ("many", many))
    }
    which = {"name": "nodeId", "in": "path", "required": True, "schema": {"type": "string"}}
    paths = {
        "/nodes": {"get": {"responses": answer["many"]}},
        "/nodes/{nodeId}": {"parameters": [which], "get": {"responses": answer["one"]}},
    }
    spec = tmp_path / "api.yaml"
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "hall", "version": "1"}, "paths": paths}))
    flows = {each.flow.intent: each for each in compile_spec(CompileRequest(spec))[0].workflows}
    (looked,) = (step for step in flows["describe"].flow.steps if step.id == "find_node")
    assert looked.outputs["id"]["selector"].startswith("$.data.nodes[?")
    assert flows["describe"].flow.steps[-1].outputs == {"item": f"$response.body#{at}"}
    assert {run["outcome"] for run in flows["describe"].proof["runs"] if run["case"] == "usual"} == {"succeeded"}
