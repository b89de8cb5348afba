"""What it leaves behind when things are joined and parted: read off plain names, not off such as agree by chance."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from compiler import pipeline
from compiler.ir.model import ActionPostcondition, Api
from compiler.lint import lint
from tests.compiler.odd import all_proved, compiled
from tests.compiler.passes.test_postconditions import request, spec

TEXT = {"type": "string"}
SERVER = {"serverId": TEXT}


def drives(
    actions: dict[str, Any], members: dict[str, Any] | None = None, required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Drives with further members and these actions, by name, each with the members of its body."""
    described = deepcopy(spec())
    described["paths"].pop("/drives/{driveId}/load")
    for name, body in actions.items():
        described["paths"] |= {k: v for k, v in deepcopy(spec(name, body)["paths"]).items() if k.endswith(f"/{name}")}
    drive = described["components"]["schemas"]["Drive"]
    drive["properties"] |= members or {"serverId": TEXT}
    drive["required"] = list(required)
    return described


def left(folder: Path, described: dict[str, Any]) -> dict[str, ActionPostcondition | None]:
    api = pipeline.dump(request(folder, described), "flows")
    return {each.path.rpartition("/")[2]: each.leaves for each in api.operations if each.method == "POST"}


def plain(**members: Any) -> ActionPostcondition:
    return ActionPostcondition(is_assumed=True, is_plain=True, **members)


def test_an_id_that_is_joined_is_shown_afterwards_and_is_not_when_they_are_parted(tmp_path: Path) -> None:
    found = left(tmp_path, drives({"attach": SERVER, "detach": {}}))
    assert found == {
        "attach": plain(shown=(("/serverId", "/serverId"),)),
        "detach": plain(held=(("/serverId", ""),)),
    }


def test_what_is_put_into_a_list_of_the_thing_and_taken_out_is_looked_for_there(tmp_path: Path) -> None:
    members = {"tags": {"type": "array", "items": TEXT}, "volumeIds": {"type": "array", "items": TEXT}}
    actions = {"add-tag": {"tag": TEXT}, "remove-tag": {"tag": TEXT}, "attach-volume": {"volumeId": TEXT}}
    assert left(tmp_path, drives(actions, members)) == {
        "add-tag": plain(put_in=(("/tag", "/tags"),)),
        "remove-tag": plain(taken_out=(("/tag", "/tags"),)),
        "attach-volume": plain(put_in=(("/volumeId", "/volumeIds"),)),
    }


BY_CHANCE = {
    "another thing is joined": drives({"attach-iso": {"imageId": TEXT}}, {"imageId": TEXT}),
    "the thing does not show it": drives({"attach": {"hostId": TEXT}}),
    "another kind of value": drives({"attach": {"serverId": {"type": "integer"}}}),
    "nobody says what it was joined to": drives({"detach": {}}),
    "it can never be without": drives({"attach": SERVER, "detach": {}}, required=("serverId",)),
    "a list of names, and an id": drives({"attach": {"volumeId": TEXT}}, {"volumes": {"type": "array", "items": TEXT}}),
    "parted from one of several": drives(
        {"detach": {"hostId": TEXT}}, {"state": {"type": "string", "enum": ["attached", "available"]}}
    ),
}


@pytest.mark.parametrize("described", BY_CHANCE.values(), ids=BY_CHANCE)
def test_names_that_agree_by_chance_say_nothing(described: dict[str, Any], tmp_path: Path) -> None:
    assert list(left(tmp_path, described).values())[-1] is None


def backs(api: Api) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for flow in api.flows:
        for step in flow.steps:
            if step.role.value == "read_back":
                found[flow.id] = [dict(each) for each in step.expects]
    return found


def test_each_way_is_read_back_where_nothing_there_is_a_difference_and_that_is_told_as_assumed(tmp_path: Path) -> None:
    actions = {"attach": SERVER, "detach": {}, "add-tag": {"tag": TEXT}}
    described = drives(actions, {"serverId": TEXT, "tags": {"type": "array", "items": TEXT}})
    shown = {"place": "/serverId", "asked": "$inputs.serverId", "found": "$response.body#/serverId"}
    api = pipeline.dump(request(tmp_path, described), "flows")
    assert backs(api) == {
        "lab_attach_drive": [shown],
        "lab_detach_drive": [{**shown, "asked": ""}],
        "lab_detach_and_attach_drive": [shown],
        "lab_add_tag_drive": [
            {"place": "/tags", "asked": "$inputs.tag", "found": "$response.body#/tags", "among": "in"}
        ],
    }
    told = [one.message for one in lint(request(tmp_path, described)) if one.code == "outcome-assumed"]
    assert sorted(told) == [
        "assumed that the drive has among its tags what was sent",
        "assumed that the drive shows serverId of nothing afterwards",
        "the body and the drive both have serverId; assumed that it shows afterwards what was sent",
    ]


def listed_members() -> dict[str, Any]:
    """Groups whose members are users, put in by their id and taken out by their address."""
    which = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in ("id", "userId")]
    thing = {"type": "object", "properties": {"id": TEXT, "name": TEXT}}

    def shows(schema: Any) -> dict[str, Any]:
        return {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}}

    user, group = {"$ref": "#/components/schemas/User"}, {"$ref": "#/components/schemas/Group"}
    sent = {"type": "object", "properties": {"userId": TEXT}, "required": ["userId"]}
    done = {"responses": {"204": {"description": "done"}}}
    put = {"requestBody": {"required": True, "content": {"application/json": {"schema": sent}}}, **done}
    paths: dict[str, Any] = {
        f"/{name}s": {"get": shows({"type": "array", "items": one})} for name, one in (("user", user), ("group", group))
    }
    paths |= {
        f"/{name}s/{{id}}": {"parameters": which[:1], "get": shows(one)}
        for name, one in (("user", user), ("group", group))
    }
    members = "/groups/{id}/members"
    paths[members] = {"parameters": which[:1], "get": shows({"type": "array", "items": user}), "post": put}
    paths[f"{members}/{{userId}}"] = {"parameters": which, "delete": done}
    schemas = {"User": thing, "Group": thing}
    return {
        "openapi": "3.1.0",
        "info": {"title": "L", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def test_who_is_put_into_a_list_is_found_where_such_live_and_who_is_taken_out_is_looked_for_in_it(
    tmp_path: Path,
) -> None:
    api = pipeline.dump(request(tmp_path, listed_members()), "flows")
    steps = {
        flow.goal: [(step.operation, dict(step.expects[-1]) if step.expects else {}) for step in flow.steps]
        for flow in api.flows
    }
    members, there = "/groups/{id}/members", {"place": "", "text": "the user is there"}
    assert steps[f"POST {members}"] == [
        ("GET /groups", {}), ("GET /users", {}), (f"POST {members}", {}), (f"GET {members}", there),
    ]  # fmt: skip
    last, expected = steps[f"DELETE {members}/{{userId}}"][-1]
    assert (last, expected["among"], expected["asked"]) == (f"GET {members}", "out", "$steps.find_member.outputs.id")


@pytest.mark.slow
def test_the_twin_plays_what_is_joined_and_parted(tmp_path: Path) -> None:
    lists = {"tags": {"type": "array", "items": TEXT}, "serverId": TEXT}
    actions = {"attach": SERVER, "detach": {}, "add-tag": {"tag": TEXT}, "remove-tag": {"tag": TEXT}}
    described, others = drives(actions, lists), listed_members()
    schemas = described["components"]["schemas"] | others["components"]["schemas"]
    assert all_proved(compiled(tmp_path, described["paths"] | others["paths"], schemas=schemas))


def test_what_is_moved_shows_where_it_was_moved_to(tmp_path: Path) -> None:
    assert left(tmp_path, drives({"migrate": SERVER})) == {"migrate": plain(shown=(("/serverId", "/serverId"),))}


def test_a_release_that_is_brought_in_is_shown_and_the_number_of_a_write_is_not(tmp_path: Path) -> None:
    shown = ActionPostcondition(shown=(("/version", "/version"),), is_assumed=True)
    assert left(tmp_path, drives({"upgrade": {"version": TEXT}}, {"version": TEXT})) == {"upgrade": shown}
    number = {"type": "integer"}
    assert left(tmp_path, drives({"upgrade": {"version": number}}, {"version": number})) == {"upgrade": None}
