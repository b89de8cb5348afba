"""Verbs that stand in an address or in an operation's id: what is done is called by them, and done once."""

from pathlib import Path
from typing import Any

from tests.compiler.odd import DONE, THING, THINGS, answers, compiled, given, only, sent

_TEXT = {"type": "string"}


def _at(path: str, **methods: Any) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {path: {"parameters": [given(name) for name in names], **methods}}


def test_an_export_that_is_read_is_called_an_export_and_no_export_is_found(tmp_path: Path) -> None:
    paths = _at("/export/packages", get={"operationId": "exportPackages", "responses": THINGS})
    flow = only(compiled(tmp_path, paths | _at("/packages", get={"responses": THINGS})), "GET /export/packages").flow
    assert (flow.id, flow.title) == ("odd_export_packages", "Export packages")
    assert flow.description == "Export packages. Changes nothing."


def test_what_an_id_says_after_its_method_is_what_is_done(tmp_path: Path) -> None:
    shown = {"operationId": "GET_DescribeTargetHealth", "responses": answers(THING)}
    flow = only(
        compiled(tmp_path, {"/#Action=DescribeTargetHealth": {"get": shown}}), "GET /#Action=DescribeTargetHealth"
    ).flow
    assert flow.title == "Describe target health"


def test_a_thing_whose_name_begins_like_a_verb_is_done_what_the_id_says(tmp_path: Path) -> None:
    said = {"operationId": "ReportTestCaseResult", "summary": "Report and create a new TestCaseResult"}
    path = "/tests/{id}/testCaseResult"
    flow = only(compiled(tmp_path, _at(path, post={**said, "responses": DONE})), f"POST {path}").flow
    assert flow.title == "Report test case result"


def test_the_state_of_what_is_created_is_no_order(tmp_path: Path) -> None:
    queue = {
        "type": "object",
        "properties": {"name": _TEXT, "state": {"type": "string", "enum": ["ENABLED", "DISABLED"]}},
    }
    making = {"operationId": "CreateJobQueue", "requestBody": sent(queue), "responses": DONE}
    flow = only(compiled(tmp_path, {"/v1/createjobqueue": {"post": making}}), "POST /v1/createjobqueue").flow
    assert flow.title == "Create job queue"


def test_what_can_be_sent_as_a_described_query_is_not_also_sent_as_a_body_of_which_nothing_is_said(
    tmp_path: Path,
) -> None:
    name = {"name": "StackName", "in": "query", "required": True, "schema": _TEXT}
    untold = {"content": {"text/xml": {"schema": {}}}}
    ways = {
        "get": {"operationId": "GET_DeleteStack", "parameters": [name], "responses": DONE},
        "post": {"operationId": "POST_DeleteStack", "requestBody": untold, "responses": DONE},
    }
    made = compiled(tmp_path, {"/#Action=DeleteStack": ways})
    assert [one.flow.goal for one in made.workflows] == ["GET /#Action=DeleteStack"]
    (left,) = [o for o in made.api.operations if o.left_out]
    assert left.left_out == "alias of GET /#Action=DeleteStack"


def test_the_one_who_asks_is_called_so(tmp_path: Path) -> None:
    flow = only(compiled(tmp_path, {"/me": {"get": {"responses": answers(THING)}}}), "GET /me").flow
    assert (flow.title, flow.description) == ("Get current user", "Shows the current user. Changes nothing.")


def test_a_noun_that_can_be_a_verb_is_described_all_the_same(tmp_path: Path) -> None:
    shown = {"summary": "Snapshot schedule of a VM", "responses": answers(THING)}
    flow = only(compiled(tmp_path, _at("/snapshotSchedules/{id}", get=shown)), "GET /snapshotSchedules/{id}").flow
    assert flow.title == "Describe snapshot schedule"


def test_a_verb_behind_a_colon_is_what_is_done(tmp_path: Path) -> None:
    shown = {"operationId": "Registry_ListRevisions", "description": "ListRevisions lists all.", "responses": THINGS}
    made = compiled(tmp_path, _at("/specs/{spec}:listRevisions", get={**shown, "parameters": [given("spec")]}))
    assert only(made, "GET /specs/{spec}:listRevisions").flow.title == "List revisions"


def test_what_only_groups_orders_is_no_thing_that_they_are_done_to(tmp_path: Path) -> None:
    paths = _at("/users/{userId}", get={"responses": answers(THING)})
    paths |= _at("/users/{userId}/lifecycle/unsuspend", post={"summary": "Unsuspend User", "responses": DONE})
    flow = only(compiled(tmp_path, paths), "POST /users/{userId}/lifecycle/unsuspend").flow
    assert (flow.id, flow.title) == ("odd_unsuspend_user", "Unsuspend user")


def test_what_stands_at_the_address_of_jobs_and_is_called_a_plan_is_a_plan(tmp_path: Path) -> None:
    job = {"type": "object", "properties": {"jobId": _TEXT, "note": _TEXT}}
    plan = {"type": "object", "properties": {"reportPlanName": _TEXT}}
    listed = {"jobs": {"type": "array", "items": job}}
    paths = _at("/report-jobs", get={"responses": answers({"type": "object", "properties": listed})})
    paths |= _at("/report-jobs/{jobId}", get={"responses": answers(job)})
    paths |= {"/report-jobs/{reportPlanName}": {"post": {"parameters": [given("reportPlanName")], "responses": DONE}}}
    paths |= _at("/report-plans", get={"responses": answers({"type": "array", "items": plan})})
    paths |= _at("/report-plans/{reportPlanName}", get={"responses": answers(plan)})
    flow = only(compiled(tmp_path, paths), "POST /report-jobs/{reportPlanName}").flow
    assert [step.operation for step in flow.steps] == ["POST /report-jobs/{reportPlanName}"]
    assert [one.name for one in flow.inputs] == ["report_plan"]
