"""Changes that answer the very job that they start: waited for wherever it stands, and found out where it failed."""

from pathlib import Path
from typing import Any

from compiler.ir.model import Role
from tests.compiler.odd import THING, all_proved, answers, asked, compiled, given, only, sent
from tests.shipped import shipped

_TEXT = {"type": "string"}
_OPERATION = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "status": {"type": "string", "enum": ["PENDING", "RUNNING", "DONE"]},
        "error": {"type": "object", "properties": {"code": {"type": "integer"}, "message": _TEXT}},
    },
}
_STARTED = answers({"$ref": "#/components/schemas/Operation"})
_ORDERS = ("restart", "failover", "export")


def _paths(above: str) -> dict[str, Any]:
    owner = [given("project")] if "{project}" in above else []
    one = [*owner, given("instance")]
    paths: dict[str, Any] = {
        f"{above}/instances/{{instance}}/{order}": {"post": {"parameters": one, "responses": _STARTED}}
        for order in _ORDERS
    }
    users = answers({"type": "object", "properties": {"items": {"type": "array", "items": THING}}})
    paths[f"{above}/instances/{{instance}}/users"] = {
        "parameters": one,
        "get": {"responses": users},
        "post": {"requestBody": sent(THING), "responses": _STARTED},
    }
    operation = {"parameters": [*owner, given("operation")], "get": {"responses": _STARTED}}
    return {**paths, f"{above}/operations/{{operation}}": operation}


def test_a_job_that_is_answered_whole_is_waited_for_where_it_stands(tmp_path: Path) -> None:
    for above in ("", "/projects/{project}"):
        made = compiled(tmp_path, _paths(above), schemas={"Operation": _OPERATION})
        assert all_proved(made)
        flow = only(made, f"POST {above}/instances/{{instance}}/restart").flow
        assert [step.role for step in flow.steps] == [Role.CHANGE, Role.WAIT]
        assert flow.steps[-1].operation == f"GET {above}/operations/{{operation}}"


def test_a_job_that_is_done_and_has_an_error_has_failed(tmp_path: Path) -> None:
    made = compiled(tmp_path, _paths(""), schemas={"Operation": _OPERATION})
    wait = only(made, "POST /instances/{instance}/restart").flow.steps[-1]
    assert {"condition": "$response.body#/error == null"} in [dict(one) for one in wait.success]
    (bad,) = [one for one in wait.failures if one["name"] == "ended_badly"]
    assert "$response.body#/error != null" in bad["criteria"][0]["condition"]


def test_the_id_of_a_job_is_not_taken_for_that_of_what_the_job_makes(tmp_path: Path) -> None:
    made = compiled(tmp_path, _paths(""), schemas={"Operation": _OPERATION})
    flow = only(made, "POST /instances/{instance}/users").flow
    assert flow.steps[-1].operation == "GET /instances/{instance}/users"
    assert "created" not in next(s for s in flow.steps if s.role is Role.CHANGE).outputs


def test_two_changes_that_answer_a_job_are_no_habit_of_the_api(tmp_path: Path) -> None:
    paths = {path: methods for path, methods in _paths("").items() if not path.endswith(("users", "export"))}
    made = compiled(tmp_path, paths, schemas={"Operation": _OPERATION})
    assert made.api.jobs == ()


def test_what_a_text_calls_output_only_is_not_asked_for(tmp_path: Path) -> None:
    told = {
        "name": _TEXT,
        "state": {"type": "string", "description": "Output only. How it stands."},
        "url": {"type": "string", "description": "[Output Only] Where it is."},
        "lock": {"type": "boolean", "description": "Read-only access for all others."},
        "createTime": {"type": "string", "description": "When."},
    }
    paths = {"/disks": {"post": {"requestBody": sent({"type": "object", "properties": told}), "responses": _STARTED}}}
    made = compiled(tmp_path, paths, schemas={"Operation": _OPERATION})
    assert set(asked(only(made, "POST /disks"))) == {"name", "lock"}


def test_a_job_that_is_made_for_its_own_sake_is_read_back_as_what_was_made() -> None:
    (flow,) = (each.flow for each in shipped("idrac").workflows if each.flow.id == "idrac_create_idrac_job")
    assert [step.role for step in flow.steps][-1] is Role.READ_BACK


def test_a_job_that_only_says_whether_it_is_done_is_waited_for_and_its_error_is_found_out(tmp_path: Path) -> None:
    done = {"type": "object", "properties": {**_OPERATION["properties"], "done": {"type": "boolean"}}}
    del done["properties"]["status"]
    made = compiled(tmp_path, _paths(""), schemas={"Operation": done})
    assert all_proved(made)
    wait = only(made, "POST /instances/{instance}/restart").flow.steps[-1]
    assert wait.role is Role.WAIT
    conditions = [each["condition"] for each in wait.success]
    assert any("$response.body#/done == true" in each for each in conditions)
    assert "$response.body#/error == null" in conditions
