"""Addresses that end in a format: one thing stands at `/groups/{id}.json` and below it, sent as it is written."""

from pathlib import Path
from typing import Any

from tests.compiler.odd import DONE, THING, THINGS, all_proved, answers, compiled, given, only, sent

_NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}


def _paths(ending: str = ".json") -> dict[str, Any]:
    made = {"summary": "Create a group", "requestBody": sent(_NAMED), "responses": answers(THING, "201")}
    one = {"parameters": [given("id")], "get": {"responses": answers(THING)}, "delete": {"responses": DONE}}
    members = {"parameters": [given("id")], "get": {"summary": "List the members", "responses": THINGS}}
    return {
        f"/groups{ending}": {"get": {"responses": THINGS}, "post": made},
        f"/groups/{{id}}{ending}": one,
        f"/groups/{{id}}/members{ending}": members,
    }


def test_what_belongs_together_is_kept_together_and_named_without_the_format(tmp_path: Path) -> None:
    made = compiled(tmp_path, _paths())
    assert all_proved(made)
    titles = {one.flow.title for one in made.workflows}
    assert {"Find groups", "Create group", "Describe group", "Delete group"} <= titles
    assert not any("json" in title.lower() for title in titles)
    lookup, change, _ = only(made, "DELETE /groups/{id}").flow.steps
    assert (lookup.operation, change.operation) == ("GET /groups", "DELETE /groups/{id}")


def test_it_is_sent_to_the_address_as_the_description_has_it(tmp_path: Path) -> None:
    deletion = only(compiled(tmp_path, _paths(".xml")), "DELETE /groups/{id}")
    (flow,) = deletion.document["workflows"]
    sent_to = [step["operationPath"].partition("#")[2] for step in flow["steps"]]
    assert sent_to[:2] == ["/paths/~1groups.xml/get", "/paths/~1groups~1{id}.xml/delete"]


def test_an_address_that_is_described_without_it_as_well_keeps_its_own(tmp_path: Path) -> None:
    paths = _paths() | {"/groups": {"get": {"summary": "Show the page of groups", "responses": DONE}}}
    keys = {operation.key for operation in compiled(tmp_path, paths).api.operations}
    assert {"GET /groups", "GET /groups.json", "GET /groups/{id}"} <= keys


def test_a_file_or_two_of_that_name_is_no_habit(tmp_path: Path) -> None:
    paths = {"/swagger.json": {"get": {"responses": answers(THING)}}, "/groups": {"get": {"responses": THINGS}}}
    keys = {operation.key for operation in compiled(tmp_path, paths).api.operations}
    assert "GET /swagger.json" in keys
