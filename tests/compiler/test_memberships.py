"""Things that live elsewhere are put into a list and taken out of it by their name, and lists are told from things."""

from pathlib import Path
from typing import Any

from compiler.compiled import Compiled
from tests.compiler import odd
from tests.compiler.odd import all_proved, asked, compiled, given, only

ROLE = {"$ref": "#/components/schemas/Role"}
LABEL = {"$ref": "#/components/schemas/Label"}
BOX = {"$ref": "#/components/schemas/Box"}
NAMED = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}
SCHEMAS = {"Role": NAMED, "Label": NAMED, "Box": NAMED, "User": NAMED}
USER = given("id")
NOTHING = {"responses": {"204": {"description": "done"}}}


def _answers(schema: Any, status: str = "200") -> dict[str, Any]:
    return {"responses": odd.answers(schema, status)}


def _lists(schema: Any) -> dict[str, Any]:
    return _answers({"type": "array", "items": schema})


def _sent(schema: Any) -> dict[str, Any]:
    return {"requestBody": odd.sent(schema)}


def _made(folder: Path, body: Any) -> Compiled:
    """Users with roles, which are sent as `body`; boxes with labels, of which the id is sent."""
    paths = {
        "/roles": {"get": _lists(ROLE), "post": {**_sent(ROLE), **_answers(ROLE, "201")}},
        "/users": {"get": _lists({"$ref": "#/components/schemas/User"})},
        "/users/{id}": {"get": {"parameters": [USER], **_answers({"$ref": "#/components/schemas/User"})}},
        "/users/{id}/role-mappings": {
            "parameters": [USER],
            "get": _lists(ROLE),
            "post": {**_sent(body), **NOTHING},
            "delete": {**_sent(body), **NOTHING},
        },
        "/users/{id}/role-mappings/available": {"parameters": [USER], "get": _lists(ROLE)},
    }
    return compiled(folder, paths, schemas=SCHEMAS)


def _payload(made: Compiled, goal: str) -> Any:
    return next(step.payload for step in only(made, goal).flow.steps if step.operation == goal)


def test_a_role_is_looked_up_by_its_name_and_sent_whole(tmp_path: Path) -> None:
    made = _made(tmp_path, ROLE)
    add = only(made, "POST /users/{id}/role-mappings")
    assert add.flow.title == "Add role to user"
    assert set(asked(add)) == {"user", "role"}
    assert [step.operation for step in add.flow.steps] == [
        "GET /users", "GET /roles", "POST /users/{id}/role-mappings", "GET /users/{id}/role-mappings",
    ]  # fmt: skip
    assert _payload(made, "POST /users/{id}/role-mappings") == "$steps.find_role.outputs.item"
    assert all_proved(made)


def test_a_body_that_is_a_list_holds_the_one_that_is_meant(tmp_path: Path) -> None:
    made = _made(tmp_path, {"type": "array", "items": ROLE})
    assert _payload(made, "POST /users/{id}/role-mappings") == ["$steps.find_role.outputs.item"]
    assert all_proved(made)


def test_what_is_taken_out_is_looked_for_in_the_list_itself_and_stays_where_it_lives(tmp_path: Path) -> None:
    remove = only(_made(tmp_path, ROLE), "DELETE /users/{id}/role-mappings").flow
    assert remove.title == "Remove role from user"
    assert "itself stays" in remove.description
    assert [step.operation for step in remove.steps][1] == "GET /users/{id}/role-mappings"


def test_lists_of_what_belongs_to_a_thing_are_called_by_what_is_in_them(tmp_path: Path) -> None:
    made = _made(tmp_path, ROLE)
    assert only(made, "GET /users/{id}/role-mappings").flow.title == "Find assigned roles of user"
    assert only(made, "GET /users/{id}/role-mappings/available").flow.title == "Find available roles of user"


def test_a_thing_that_is_put_in_by_its_id_is_named_by_the_caller(tmp_path: Path) -> None:
    at, one = [given("boxId")], [given("boxId"), given("labelId")]
    paths = {
        "/labels": {"get": _lists(LABEL), "post": {**_sent(LABEL), **_answers(LABEL, "201")}},
        "/labels/{labelId}": {"get": {"parameters": [given("labelId")], **_answers(LABEL)}},
        "/boxes": {"get": _lists(BOX)},
        "/boxes/{boxId}": {"get": {"parameters": at, **_answers(BOX)}},
        "/boxes/{boxId}/labels": {
            "parameters": at,
            "get": _lists(LABEL),
            "post": {**_sent({"type": "object", "properties": {"labelId": {"type": "string"}}}), **NOTHING},
        },
        "/boxes/{boxId}/labels/{labelId}": {"parameters": one, "delete": NOTHING},
    }
    made = compiled(tmp_path, paths, schemas=SCHEMAS)
    add = only(made, "POST /boxes/{boxId}/labels")
    assert add.flow.title == "Add label to box"
    assert set(asked(add)) == {"box", "label"}
    assert _payload(made, "POST /boxes/{boxId}/labels") == {"labelId": "$steps.find_label.outputs.id"}
    assert only(made, "DELETE /boxes/{boxId}/labels/{labelId}").flow.title == "Remove label from box"
    assert all_proved(made)


def test_an_action_of_a_list_of_actions_is_a_workflow_of_its_own(tmp_path: Path) -> None:
    kind = {"type": "string", "enum": ["power_off", "rename", "rebuild"]}
    plain = {"type": "object", "required": ["type"], "properties": {"type": kind}}
    named = {"type": "object", "properties": {"name": {"type": "string", "description": "The new name."}}}
    body = {"oneOf": [plain, {"allOf": [plain, named]}]}
    at, entry = [given("boxId")], {"type": "object", "properties": {"id": {"type": "string"}, "type": kind}}
    paths = {
        "/boxes": {"get": _lists(BOX)},
        "/boxes/{boxId}": {"get": {"parameters": at, **_answers(BOX)}},
        "/boxes/{boxId}/actions": {"parameters": at, "get": _lists(entry), "post": {**_sent(body), **NOTHING}},
    }
    made = compiled(tmp_path, paths, schemas=SCHEMAS)
    orders = {one.flow.title: one for one in made.workflows if one.flow.goal == "POST /boxes/{boxId}/actions"}
    risks = {title: one.flow.risk.value for title, one in orders.items()}
    assert risks == {"Power off box": "disrupt", "Rename box": "change", "Rebuild box": "destroy"}
    assert asked(orders["Power off box"]).keys() == {"box"}
    assert asked(orders["Rename box"]).keys() == {"box", "name"}


def test_what_a_query_has_to_name_is_found_by_its_name(tmp_path: Path) -> None:
    query = [given("boxId", "query")]
    paths = {
        "/boxes": {"get": _lists(BOX)},
        "/boxes/{boxId}": {"get": {"parameters": [given("boxId")], **_answers(BOX)}},
        "/labels": {"get": {"parameters": query, **_lists(LABEL)}},
    }
    one = only(compiled(tmp_path, paths, schemas=SCHEMAS), "GET /labels")
    assert asked(one).keys() == {"box"}
    assert one.flow.steps[0].operation == "GET /boxes"


def test_json_patch_is_a_list_of_operations_however_it_is_described(tmp_path: Path) -> None:
    patch = {"requestBody": odd.sent({"type": "string"}, "application/vendor-json-patch")}
    paths = {
        "/boxes": {"get": _lists(BOX)},
        "/boxes/{boxId}": {
            "parameters": [given("boxId")],
            "get": _answers(BOX),
            "patch": {**patch, **NOTHING},
        },
    }
    one = only(compiled(tmp_path, paths, schemas=SCHEMAS), "PATCH /boxes/{boxId}")
    assert asked(one)["items"]["items"]["required"] == ["op", "path"]


def test_a_new_thing_below_another_one_is_created_all_the_same(tmp_path: Path) -> None:
    paths = {
        "/roles": {"get": _lists(ROLE), "post": {**_sent(ROLE), **_answers(ROLE, "201")}},
        "/users/{id}/roles": {
            "parameters": [USER],
            "get": _lists(ROLE),
            "post": {**_sent(ROLE), **_answers(ROLE, "201")},
        },
    }
    assert only(compiled(tmp_path, paths, schemas=SCHEMAS), "POST /users/{id}/roles").flow.intent == "create"


def test_what_lists_the_things_right_below_its_address_is_no_thing(tmp_path: Path) -> None:
    listed = {"type": "object", "properties": {"values": {"type": "array", "items": BOX}, "next": {"type": "string"}}}
    paths = {
        "/boxes/{site}": {"get": {"parameters": [given("site")], **_answers(listed)}},
        "/boxes/{site}/{name}": {
            "get": {"parameters": [given("site"), given("name")], **_answers(BOX)},
            "delete": {"parameters": [given("site"), given("name")], **NOTHING},
        },
    }
    made = compiled(tmp_path, paths, schemas=SCHEMAS)
    assert only(made, "GET /boxes/{site}").flow.intent == "find"
    assert all_proved(made)
