"""Which thing is meant, and where it is: what a query says of it, ids of its own, bodies without a form, other ways.

Small made-up APIs, each in the way of a real one on which a workflow looked at another thing than it had changed, asked
for a thing that was only to be made, or sent an empty body where something stood.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.compiled import Compiled
from compiler.ir.model import Flow
from compiler.passes.flows.steps import queries
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from workflow.documents.criteria import compile_criterion
from workflow.documents.document import Criterion
from workflow.documents.scope import Reply, Scope

TEXT: dict[str, Any] = {"type": "string"}
NAME = {"name": "name", "in": "path", "required": True, "schema": TEXT}


def compiled(paths: dict[str, Any], folder: Path, **schemas: Any) -> Compiled:
    spec = folder / "api.yaml"
    told = {"openapi": "3.1.0", "info": {"title": "hall", "version": "1"}, "components": {"schemas": schemas}}
    spec.write_text(yaml.safe_dump({**told, "paths": paths}))
    return compile_spec(CompileRequest(spec, plays_all=True))[0]


def flow(made: Compiled, name: str) -> Flow:
    found = {one.flow.id: one for one in made.workflows}
    assert found[name].is_verified
    return found[name].flow


def shown(schema: Any, status: str = "200") -> dict[str, Any]:
    return {status: {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def sent(schema: Any) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def thing(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


DONE = {"204": {"description": "done"}}


def test_where_a_thing_is_is_said_to_every_step_and_how_it_is_done_to_one(tmp_path: Path) -> None:
    where = {"name": "project", "in": "query", "schema": TEXT}
    how = {"name": "force", "in": "query", "schema": {"type": "boolean"}}
    item = thing(name=TEXT, note=TEXT)
    made = compiled(
        {
            "/profiles": {"get": {"parameters": [where], "responses": shown({"type": "array", "items": item})}},
            "/profiles/{name}": {
                "parameters": [NAME, where],
                "get": {"parameters": [how], "responses": shown(item)},
                "patch": {"requestBody": sent(thing(note=TEXT)), "responses": DONE},
                "delete": {"parameters": [how], "responses": DONE},
            },
        },
        tmp_path,
    )
    for name in ("hall_update_profile", "hall_delete_profile"):
        asked = [
            {name: value for name, at, value in step.parameters if at == "query"} for step in flow(made, name).steps
        ]
        assert [one.get("project") for one in asked] == ["$inputs.project"] * len(asked)
        assert len([one for one in asked if "force" in one]) <= 1


def test_the_id_that_a_new_thing_is_to_have_is_no_reference_to_one_that_is_there(tmp_path: Path) -> None:
    mapping = {**thing(principalId=TEXT, role=TEXT), "required": ["principalId", "role"]}
    one = {"name": "principalId", "in": "path", "required": True, "schema": TEXT}
    made = compiled(
        {
            "/mappings": {
                "get": {"responses": shown({"type": "array", "items": mapping})},
                "post": {"requestBody": sent(mapping), "responses": DONE},
            },
            "/mappings/{principalId}": {
                "parameters": [one],
                "get": {"responses": shown(mapping)},
                "put": {"requestBody": sent(thing(role=TEXT)), "responses": DONE},
            },
        },
        tmp_path,
    )
    assert not [one for one in made.diagnostics if one.code == "internal-error"]
    creating = flow(made, "hall_create_mapping")
    bodies = [step.payload for step in creating.steps if step.operation == "POST /mappings"]
    assert bodies == [{"principalId": "$inputs.principalId", "role": "$inputs.role"}]


def test_a_thing_is_known_by_an_id_that_is_called_for_anything(tmp_path: Path) -> None:
    item = thing(entity_id=TEXT, entity_type=TEXT, nickname=TEXT)
    one = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    made = compiled(
        {
            "/switches": {
                "get": {"responses": shown(thing(results={"type": "array", "items": item}))},
                "post": {"requestBody": sent(thing(nickname=TEXT)), "responses": shown(item, "201")},
            },
            "/switches/{id}": {"parameters": [one], "get": {"responses": shown(item)}, "delete": {"responses": DONE}},
        },
        tmp_path,
    )
    assert [step.operation for step in flow(made, "hall_create_switch").steps][-1].startswith("GET /switches")


def test_what_replaces_a_whole_is_given_and_never_empty_by_itself(tmp_path: Path) -> None:
    made = compiled(
        {
            "/groups/{name}": {"parameters": [NAME], "get": {"responses": shown(thing(name=TEXT))}},
            "/groups/{name}/properties": {
                "parameters": [NAME],
                "put": {"requestBody": sent({"type": "object"}), "responses": DONE},
            },
            "/groups/{name}/tell": {
                "parameters": [NAME],
                "post": {"requestBody": sent({"type": "object", "additionalProperties": {}}), "responses": DONE},
            },
            "/groups/{name}/refresh": {
                "parameters": [NAME],
                "post": {"requestBody": sent({"type": "object"}), "responses": DONE},
            },
        },
        tmp_path,
    )
    replacing = flow(made, "hall_replace_properties_group")
    assert {one.name for one in replacing.inputs if one.is_required} == {"group", "body"}
    assert {one.name for one in flow(made, "hall_refresh_group").inputs} == {"group"}
    assert {one.name for one in flow(made, "hall_tell_group").inputs} == {"group", "body"}  # `{}` is any value


def test_starting_and_making_are_no_other_way_to_change(tmp_path: Path) -> None:
    labelled = {"$ref": "#/components/schemas/Options", "properties": {"label": TEXT}}
    made = compiled(
        {
            "/servers/{name}": {
                "parameters": [NAME],
                "get": {"responses": shown(thing(name=TEXT, size=TEXT, label=TEXT))},
                "post": {"summary": "Start a server", "responses": DONE},
                "patch": {"summary": "Modify a server", "requestBody": sent(labelled), "responses": DONE},
                "put": {"summary": "Modify a server", "requestBody": sent(labelled), "responses": DONE},
            }
        },
        tmp_path,
        Options=thing(size=TEXT),
    )
    assert flow(made, "hall_start_server").goal == "POST /servers/{name}"
    left = {one.key: one.left_out for one in made.api.operations if one.left_out}
    assert left == {"PUT /servers/{name}": "alias of PATCH /servers/{name}"}
    changing = flow(made, "hall_update_server")
    assert {"size", "label"} <= {one.name for one in changing.inputs}  # members beside a reference are members too


@pytest.mark.parametrize(("shown", "states"), [(True, ("true",)), ("true", ("true",)), (False, ("gone", "false"))])
def test_a_state_may_be_a_truth_value(shown: Any, states: tuple[str, ...]) -> None:
    criterion = Criterion(queries.one_of_states("$response.body#/stopped", states), None, None)
    assert compile_criterion(criterion).holds(Scope(reply=Reply(200, {}, {"stopped": shown})))
    assert not compile_criterion(criterion).holds(Scope(reply=Reply(200, {}, {"stopped": "no"})))


def test_a_member_that_is_an_object_names_nothing(tmp_path: Path) -> None:
    share = thing(server=thing(name=TEXT), scopes={"type": "array", "items": TEXT})
    one = {"name": "server_name", "in": "path", "required": True, "schema": TEXT}
    made = compiled(
        {
            "/shares": {"get": {"responses": shown({"type": "array", "items": share})}},
            "/shares/{server_name}": {"parameters": [one], "get": {"responses": shown(share)}},
        },
        tmp_path,
    )
    assert [one.name for one in flow(made, "hall_describe_share").inputs] == ["server_name"]


def test_what_a_body_takes_elsewhere_is_read_there_too(tmp_path: Path) -> None:
    where = {"name": "project", "in": "query", "schema": TEXT}
    target = {"name": "target", "in": "query", "schema": TEXT}
    item = thing(name=TEXT, note=TEXT, project=TEXT, pool=TEXT)
    order = thing(name=TEXT, project=TEXT, pool=TEXT, target=thing(secret=TEXT))
    pool = {"name": "poolName", "in": "path", "required": True, "schema": TEXT}
    made = compiled(
        {
            "/pools/{poolName}/boxes": {
                "get": {"parameters": [pool, where], "responses": shown({"type": "array", "items": item})},
            },
            "/pools/{poolName}/boxes/{name}": {
                "get": {"parameters": [pool, NAME, where, target], "responses": shown(item)},
                "post": {
                    "operationId": "box_post",
                    "summary": "Rename or move a box",
                    "parameters": [pool, NAME, where, target],
                    "requestBody": sent(order),
                    "responses": DONE,
                },
            },
        },
        tmp_path,
    )
    back = next(s for w in made.workflows for s in w.flow.steps if s.role.value == "read_back")
    assert set(back.placed) == {"project", "poolName"}
    old = {name: value for name, _, value in back.parameters}
    assert all(back.placed[name] != old[name] for name in back.placed)


@pytest.mark.parametrize("can_move", [False, True])
def test_what_is_around_a_renamed_thing_is_called_as_before_unless_it_is_said(tmp_path: Path, can_move: bool) -> None:
    part = {"name": "part", "in": "path", "required": True, "schema": TEXT}
    made = compiled(
        {
            "/boxes/{name}": {"get": {"parameters": [NAME], "responses": shown(thing(name=TEXT))}},
            "/boxes/{name}/parts": {
                "get": {"parameters": [NAME], "responses": shown({"type": "array", "items": thing(name=TEXT)})}
            },
            "/boxes/{name}/parts/{part}": {
                "get": {"parameters": [NAME, part], "responses": shown(thing(name=TEXT))},
                "post": {
                    "operationId": "part_post",
                    "summary": "Rename a part",
                    "parameters": [NAME, part],
                    "requestBody": sent(thing(name=TEXT, **({"box": TEXT} if can_move else {}))),
                    "responses": DONE,
                },
            },
        },
        tmp_path,
    )
    back = next(s for w in made.workflows for s in w.flow.steps if s.role.value == "read_back")
    assert back.moved.startswith("$inputs.")
    assert {name: value != back.moved for name, value in back.placed.items()} == ({"name": True} if can_move else {})


@pytest.mark.parametrize(
    ("reply", "shape"),
    [
        ({"200": {"description": "the log"}}, {}),
        ({"200": {"description": "the log", "content": {"text/plain": {"schema": TEXT}}}}, {}),
        (shown(thing(note=TEXT)), {"type": "object"}),
    ],
)
def test_what_is_described_as_no_object_is_promised_as_none(tmp_path: Path, reply: Any, shape: Any) -> None:
    paths = {
        "/boxes/{name}": {"get": {"parameters": [NAME], "responses": shown(thing(name=TEXT))}},
        "/boxes/{name}/console": {"get": {"summary": "Get the console log", "parameters": [NAME], "responses": reply}},
    }
    made = compiled(paths, tmp_path)
    read = next(w.flow for w in made.workflows if w.flow.steps[-1].operation.endswith("/console"))
    (promised,) = read.output_schema["properties"].values()
    assert promised == shape


def test_what_is_brought_back_is_no_value_that_a_thing_shows(tmp_path: Path) -> None:
    box = thing(name=TEXT, note=TEXT, restore=TEXT)
    change = {"requestBody": sent(thing(note=TEXT, restore=TEXT)), "responses": DONE}
    path = {"parameters": [NAME], "get": {"responses": shown(box)}, "patch": {**change, "summary": "Update a box"}}
    made = compiled({"/boxes/{name}": path}, tmp_path)
    back = next(s for w in made.workflows for s in w.flow.steps if s.role.value == "read_back")
    compared = {each["place"]: "found" in each for each in back.expects}
    assert compared == {"/note": True, "/restore": False}
