"""What actions leave behind: said by the profile, or assumed of equal names where the description makes it plain."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler import pipeline
from compiler.ir.model import Api, FlowStep, Operation
from compiler.lint import lint

DRIVE = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "image": {"type": ["string", "null"]},
        "protected": {"type": "boolean"},
        "mode": {"type": "string"},
        "created_at": {"type": "string"},
        "speed": {"type": "string", "enum": ["slow", "fast"]},
        "slots": {"type": "array", "items": {"type": "string"}},
        "key": {"type": "string", "writeOnly": True},
    },
}
IMAGE = {"image": {"type": "string"}, "protected": {"type": "boolean"}}


def spec(action: str = "load", body: Any = None, reply: Any = None, **more: Any) -> dict[str, Any]:
    """Drives, of which each takes one action with this body."""
    which = [{"name": "driveId", "in": "path", "required": True, "schema": {"type": "string"}}]
    shown = {"application/json": {"schema": {"$ref": "#/components/schemas/Drive"}}}
    listed = {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Drive"}}}}
    sent = {"type": "object", "properties": body if body is not None else IMAGE}
    done = {"200": {"description": "ok", "content": {"application/json": {"schema": reply}}}} if reply else {}
    post = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": sent}}},
        "responses": done or {"204": {"description": "ok"}},
        **more,
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Drives", "version": "1"},
        "paths": {
            "/drives": {"get": {"responses": {"200": {"description": "ok", "content": listed}}}},
            "/drives/{driveId}": {
                "parameters": which,
                "get": {"responses": {"200": {"description": "ok", "content": shown}}},
            },
            f"/drives/{{driveId}}/{action}": {"parameters": which, "post": post},
        },
        "components": {"schemas": {"Drive": DRIVE}},
    }


def request(folder: Path, described: dict[str, Any], **told: Any) -> pipeline.CompileRequest:
    (folder / "api.yaml").write_text(yaml.safe_dump(described))
    (folder / "profile.yaml").write_text(yaml.safe_dump({"api": "lab", **told}))
    return pipeline.CompileRequest(folder / "api.yaml")


def understood(folder: Path, described: dict[str, Any], **told: Any) -> Api:
    return pipeline.dump(request(folder, described, **told), "flows")


def action_of(api: Api) -> Operation:
    return next(each for each in api.operations if each.method == "POST")


def read_back(api: Api) -> FlowStep | None:
    flow = next(each for each in api.flows if each.goal.startswith("POST"))
    return next((step for step in flow.steps if step.role.value == "read_back"), None)


def test_members_of_the_body_that_the_thing_has_too_are_read_back_and_told_as_assumed(tmp_path: Path) -> None:
    back = read_back(understood(tmp_path, spec()))
    assert back is not None
    assert [(each["place"], each["asked"], each["assumed"]) for each in back.expects] == [
        ("/image", "$inputs.image", True),
        ("/protected", "$inputs.protected", True),
    ]
    assert not back.decides  # nobody promised that what is seen there is its doing
    told = [one for one in lint(request(tmp_path, spec())) if one.code == "outcome-assumed"]
    assert [one.pointer for one in told] == ["POST /drives/{driveId}/load"]
    assert "image, protected" in told[0].message


NOTHING_IS_PLAIN = {
    "what makes another thing": spec("clone"),
    "what is told by its id to make something": spec("now", operationId="createDriveFromImage"),
    "what removes something": spec("remove"),
    "what is about a part of it": spec("change_cable"),
    "what servers make": spec(body={"created_at": {"type": "string"}}),
    "what answers with another thing": spec(reply={"type": "object", "properties": {"id": {"type": "string"}}}),
    "which thing it is": spec(body={"id": {"type": "string"}}),
    "the name of something else": spec(body={"name": {"type": "string"}}),
    "how it is done": spec(body={"mode": {"type": "string"}}),
    "a list": spec(body={"slots": {"type": "array", "items": {"type": "string"}}}),
    "another kind of value": spec(body={"image": {"type": "integer"}}),
    "a word for what is to be done": spec(body={"speed": {"type": "string", "enum": ["slow", "faster"]}}),
    "what is not shown": spec(body={"key": {"type": "string"}}),
    "what is not known of the thing": spec(body={"user": {"type": "string"}}),
}


@pytest.mark.parametrize("described", NOTHING_IS_PLAIN.values(), ids=NOTHING_IS_PLAIN)
def test_where_equal_names_may_be_chance_nothing_is_assumed(described: dict[str, Any], tmp_path: Path) -> None:
    assert action_of(understood(tmp_path, described)).leaves is None


def test_a_new_name_is_plain_where_the_action_renames(tmp_path: Path) -> None:
    leaves = action_of(understood(tmp_path, spec("rename", body={"name": {"type": "string"}}))).leaves
    assert leaves is not None
    assert leaves.shown == (("/name", "/name"),)


def test_what_is_in_force_later_is_not_looked_for_at_once(tmp_path: Path) -> None:
    later = [{"pattern": "/load$", "applied_by": "POST /drives/{driveId}/load"}]
    assert action_of(understood(tmp_path, spec(), pending_settings=later)).leaves is None


RULE = {
    "pattern": "/load$",
    "shows": {"/protected": "/protected", "/nothing": "/nowhere"},
    "holds": {"/mode": "loaded"},
}


def test_the_profile_has_the_last_word_on_what_is_left_behind(tmp_path: Path) -> None:
    back = read_back(understood(tmp_path, spec(), postconditions=[RULE]))
    assert back is not None
    assert [(each["place"], each["asked"], each.get("assumed")) for each in back.expects] == [
        ("/protected", "$inputs.protected", None),
        ("/mode", "loaded", None),
    ]
    assert back.decides
    silent = understood(tmp_path, spec(), postconditions=[{"pattern": "/load$"}])
    assert (action_of(silent).leaves, read_back(silent)) == (None, None)
    assert not [one for one in lint(request(tmp_path, spec(), postconditions=[RULE])) if one.code.startswith("outcome")]


def test_of_actions_that_nothing_shows_lint_asks(tmp_path: Path) -> None:
    (told,) = (one for one in lint(request(tmp_path, spec("clone"))) if one.code == "outcome-not-seen")
    assert "1 of 1 actions" in told.message
    assert "`postconditions`" in told.remedy


def test_a_query_may_be_what_is_shown(tmp_path: Path) -> None:
    asked = [{"name": "to", "in": "query", "required": True, "schema": {"type": "string"}}]
    described = spec("rename", body={}, parameters=asked)
    back = read_back(
        understood(tmp_path, described, postconditions=[{"pattern": "/rename$", "shows": {"to": "/name"}}])
    )
    assert back is not None
    assert [(each["place"], each["asked"]) for each in back.expects] == [("/name", "$inputs.to")]
