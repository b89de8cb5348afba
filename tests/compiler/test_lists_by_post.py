"""Lists that are asked for by POST: they serve as lookups, page by page, and a creation is read before and after."""

from pathlib import Path
from typing import Any

import pytest

from compiler.ir.model import Role
from tests.compiler.odd import DONE, THING, THINGS, all_proved, answers, asked, compiled, given, only, sent

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer", "default": 0}
_FILTER = {"type": "object", "properties": {"name": _TEXT, "offset": _NUMBER, "limit": _NUMBER}}
_NEW = {"type": "object", "required": ["name"], "properties": {"name": _TEXT, "size": {"type": "integer"}}}


def _asking(body: Any = _FILTER, answer: Any = THINGS, summary: str = "Read flows") -> dict[str, Any]:
    return {"operationId": "read_flows", "summary": summary, "requestBody": sent(body), "responses": answer}


def _paths(word: str = "filter", **asking: Any) -> dict[str, Any]:
    of_one = {"parameters": [given("id")], "get": {"responses": answers(THING)}, "delete": {"responses": DONE}}
    made = {"summary": "Create a flow", "requestBody": sent(_NEW), "responses": answers(THING, "201")}
    return {"/flows": {"post": made}, "/flows/{id}": of_one, f"/flows/{word}": {"post": _asking(**asking)}}


@pytest.mark.parametrize("word", ["filter", "search", "query", "list"])
def test_a_thing_is_found_by_its_name_where_its_list_is_asked_for_by_post(tmp_path: Path, word: str) -> None:
    made = compiled(tmp_path, _paths(word))
    assert all_proved(made)
    found, _, gone = only(made, "DELETE /flows/{id}").flow.steps
    assert (found.operation, found.role) == (f"POST /flows/{word}", Role.LOOKUP)
    assert found.payload == {"limit": 100}  # nothing that narrows it
    assert (found.pages["parameter"], found.pages["within"]) == ("/offset", "body")
    assert gone.operation == "GET /flows/{id}"


def test_what_is_made_is_looked_for_before_and_read_at_its_own_address_afterwards(tmp_path: Path) -> None:
    look, _, back = only(compiled(tmp_path, _paths()), "POST /flows").flow.steps
    assert (look.operation, back.operation) == ("POST /flows/filter", "GET /flows/{id}")
    assert back.expects  # it must not be one that was there before


def test_its_filters_are_inputs_of_the_list_and_how_much_is_asked_for_is_not(tmp_path: Path) -> None:
    listed = only(compiled(tmp_path, _paths()), "POST /flows/filter")
    assert (listed.flow.intent, listed.flow.title) == ("find", "Find flows")
    assert "limit" not in {one.name for one in listed.flow.inputs}
    assert set(asked(listed)) == {"name"}
    assert "readOnlyHint" not in listed.tool.get("annotations", {}) or not listed.tool["annotations"]["readOnlyHint"]


def test_pages_whose_position_stands_in_an_object_are_read_to_the_end(tmp_path: Path) -> None:
    around = {"type": "object", "properties": {"page": _NUMBER, "per_page": _NUMBER}}
    body = {"type": "object", "properties": {"pagination": around, "name": _TEXT}}
    made = compiled(tmp_path, _paths("search", body=body, summary="Search flows"))
    assert all_proved(made)
    found = only(made, "DELETE /flows/{id}").flow.steps[0]
    assert found.pages["parameter"] == "/pagination/page"
    assert found.payload == {"pagination": {"per_page": 100}}


def test_a_list_that_wants_a_filter_finds_nothing_by_name(tmp_path: Path) -> None:
    made = compiled(tmp_path, _paths(body={**_FILTER, "required": ["name"]}))
    assert [step.operation for step in only(made, "GET /flows/{id}").flow.steps] == ["GET /flows/{id}"]


def test_what_may_change_something_lists_nothing(tmp_path: Path) -> None:
    made = compiled(tmp_path, _paths(summary="Search flows and mark them as read"))
    assert [step.operation for step in only(made, "GET /flows/{id}").flow.steps] == ["GET /flows/{id}"]


def test_what_a_get_lists_is_not_looked_up_by_a_search(tmp_path: Path) -> None:
    paths = _paths("search", summary="Search flows")
    paths["/flows"]["get"] = {"responses": THINGS}
    found = only(compiled(tmp_path, paths), "DELETE /flows/{id}").flow.steps[0]
    assert found.operation == "GET /flows"
