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
