"""What descriptions that nobody had tuned for say, and what is made of it: each test is one vendor's way, cut down."""

from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled
from compiler.passes.names import words
from tests.compiler.odd import DONE, THING, THINGS, answers, compiled, given, only, sent
from workflow.risks import Risk

TEXT: dict[str, Any] = {"type": "string"}
ID = given("id")


def body_of(made: Compiled, goal: str) -> dict[str, bool]:
    return {each.name: each.is_required for each in only(made, goal).flow.inputs}


def test_a_form_that_may_be_left_out_has_to_be_whole_once_it_is_sent(tmp_path: Path) -> None:
    form = {"type": "object", "required": ["Command"], "properties": {"Command": TEXT, "Sim": TEXT}}
    content = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": form}}}}
    made = compiled(tmp_path, {"/commands": {"post": {"summary": "Send a command", **content, "responses": DONE}}})
    assert only(made, "POST /commands").is_verified
    assert body_of(made, "POST /commands") == {"Command": True, "Sim": False}


def test_the_page_and_its_size_are_nobodys_business_in_a_lookup_that_has_to_say_them(tmp_path: Path) -> None:
    count = given("count", "query", {"type": "integer", "maximum": 500})
    offset = given("offset", "query", {"type": "integer"})
    listed = answers({"type": "object", "properties": {"Bounces": {"type": "array", "items": THING}}})
    made = compiled(
        tmp_path,
        {
            "/bounces": {"get": {"parameters": [count, offset], "responses": listed}},
            "/bounces/{id}": {"parameters": [ID], "get": {"responses": answers(THING)}},
        },
    )
    describe = only(made, "GET /bounces/{id}")
    assert describe.is_verified
    assert body_of(made, "GET /bounces/{id}") == {"bounce": True}
    assert ("offset", "query", 0) in describe.flow.steps[0].parameters
    assert body_of(made, "GET /bounces") == {"offset": False}


@pytest.mark.parametrize(
    ("name", "where"), [("X-Server-Token", "header"), ("X-Account-Secret", "header"), ("secretKey", "query")]
)
def test_a_key_that_all_operations_ask_for_is_the_targets_and_no_input(tmp_path: Path, name: str, where: str) -> None:
    key = given(name, where)
    made = compiled(
        tmp_path,
        {
            "/things": {"get": {"parameters": [key], "responses": THINGS}},
            "/things/{id}": {
                "parameters": [ID, key],
                "get": {"responses": answers(THING)},
                "delete": {"responses": DONE},
                "patch": {"requestBody": sent(THING), "responses": answers(THING)},
            },
        },
    )
    assert made.workflows
    assert not any("token" in each.name.lower() or "secret" in each.name.lower() for each in asked_by(made))


def test_a_token_of_one_request_stays_an_input(tmp_path: Path) -> None:
    token = given("X-Client-Token", "header")
    made = compiled(
        tmp_path,
        {
            "/things": {
                "get": {"parameters": [token], "responses": THINGS},
                "post": {"parameters": [token], "requestBody": sent(THING), "responses": answers(THING, "201")},
            },
            "/things/{id}": {
                "parameters": [ID, token],
                "get": {"responses": answers(THING)},
                "delete": {"responses": DONE},
            },
        },
    )
    assert any(each.name == "X_Client_Token" for each in asked_by(made))


def asked_by(made: Compiled) -> list[Any]:
    return [each for workflow in made.workflows for each in workflow.flow.inputs]


def test_what_has_no_name_is_found_by_its_alias(tmp_path: Path) -> None:
    space = {"type": "object", "properties": {"workspaceId": TEXT, "arn": TEXT, "alias": TEXT, "status": TEXT}}
    made = compiled(
        tmp_path,
        {
            "/workspaces": {"get": {"responses": answers({"type": "array", "items": space})}},
            "/workspaces/{workspaceId}": {"parameters": [given("workspaceId")], "delete": {"responses": DONE}},
        },
    )
    (asked,) = only(made, "DELETE /workspaces/{workspaceId}").flow.inputs
    assert asked.description.startswith("Alias or id of the workspace")


def test_two_things_have_two_ids_though_the_description_shows_one(tmp_path: Path) -> None:
    key = {"type": "string", "pattern": "^[A-Za-z0-9]{22}$", "example": "RGV2aWNlMDAwMDAwMDAwMA", "maxLength": 22}
    device = {"type": "object", "properties": {"id": key, "name": TEXT, "class": TEXT}}
    made = compiled(
        tmp_path,
        {
            "/devices": {"get": {"responses": answers({"type": "array", "items": device})}},
            "/devices/{id}": {"parameters": [given("id", schema=key)], "get": {"responses": answers(device)}},
        },
    )
    assert only(made, "GET /devices/{id}").is_verified


LISTED = answers({"type": "object", "properties": {"things": {"type": "array", "items": THING}, "nextToken": TEXT}})
BY_ID = {"/things/{id}": {"parameters": [ID], "get": {"responses": answers(THING)}}}


def listing(summary: str, **members: Any) -> dict[str, Any]:
    body = sent({"type": "object", "properties": members})
    return {"operationId": "listThings", "summary": summary, "requestBody": body, "responses": LISTED}


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/things", {"nextToken": TEXT, "maxResults": {"type": "integer"}, "colour": TEXT}),
        ("/things/list", {"workspaceId": TEXT}),
    ],
)
def test_a_post_that_lists_page_by_page_or_says_but_whose_list_it_is_makes_nothing(
    tmp_path: Path, path: str, members: dict[str, Any]
) -> None:
    made = compiled(tmp_path, {path: {"post": listing("Lists the things.", **members)}, **BY_ID})
    found = only(made, f"POST {path}")
    assert found.flow.risk is Risk.READ
    assert found.flow.intent != "create"
    assert not next(o for o in made.api.operations if o.key == f"POST {path}").is_safe


@pytest.mark.parametrize(
    ("path", "summary", "members"),
    [
        ("/things", "Lists the things and marks them as read.", {"nextToken": TEXT, "maxResults": {"type": "integer"}}),
        ("/things/list", "Lists the things.", {"workspaceId": TEXT, "colour": TEXT}),
        ("/things/list", "Puts things on the list.", {"workspaceId": TEXT}),
        ("/things/list", "Lists the keys of a thing.", {"workspaceId": TEXT}),
    ],
)
def test_a_post_that_says_more_than_that_stays_a_change(
    tmp_path: Path, path: str, summary: str, members: dict[str, Any]
) -> None:
    made = compiled(tmp_path, {path: {"post": listing(summary, **members)}, **BY_ID})
    assert only(made, f"POST {path}").flow.risk is not Risk.READ


def test_what_only_asks_at_the_address_of_a_thing_submits_nothing(tmp_path: Path) -> None:
    asked = {
        **listing("Lists the things.", nextToken=TEXT, maxResults={"type": "integer"}),
        "operationId": "ListThings",
    }
    made = compiled(tmp_path, {"/insights/{id}": {"parameters": [ID], "post": asked}})
    assert "submit" not in only(made, "POST /insights/{id}").flow.title.lower()


def test_a_post_to_a_thing_that_is_said_to_update_it_is_its_update(tmp_path: Path) -> None:
    post = {"operationId": "UpdateThing", "requestBody": sent(THING), "responses": answers(THING)}
    paths: dict[str, Any] = {
        "/things": {"get": {"responses": THINGS}},
        "/things/{id}": {"parameters": [ID], "get": {"responses": answers(THING)}, "post": post},
    }
    found = only(compiled(tmp_path, paths), "POST /things/{id}").flow
    assert (found.intent, found.title) == ("update", "Update thing")
    paths["/things/{id}"]["post"] = {**post, "operationId": "RebootThing"}
    assert only(compiled(tmp_path, paths), "POST /things/{id}").flow.intent == "act"


def test_an_update_by_post_is_as_grave_as_the_order_that_it_can_give(tmp_path: Path) -> None:
    state = {"type": "object", "properties": {"status": {"type": "string", "enum": ["active", "inactive"]}}}
    shown = {"type": "object", "properties": {**THING["properties"], **state["properties"]}}
    post = {"operationId": "UpdateSim", "requestBody": sent(state), "responses": answers(shown)}
    paths = {
        "/sims": {"get": {"responses": answers({"type": "array", "items": shown})}},
        "/sims/{id}": {"parameters": [ID], "get": {"responses": answers(shown)}, "post": post},
    }
    found = compiled(tmp_path, paths)
    (operation,) = [one for one in found.api.operations if one.method == "POST"]
    assert operation.risk is Risk.DISRUPT


def test_what_the_query_names_is_not_all_that_there_is(tmp_path: Path) -> None:
    untag = {"operationId": "UntagResource", "description": "Deletes tags from the specified resource."}
    keys = given("tagKeys", "query", {"type": "array", "items": TEXT})
    made = compiled(
        tmp_path, {"/tags/{arn}#tagKeys": {"parameters": [given("arn"), keys], "delete": {**untag, "responses": DONE}}}
    )
    (found,) = made.workflows
    assert "all" not in found.flow.title.lower()


def test_what_programs_append_to_an_id_is_no_word_of_what_is_done(tmp_path: Path) -> None:
    post = {"operationId": "trainClassifierUsingPOST_1", "responses": DONE}
    made = compiled(tmp_path, {"/classifier/svm": {"post": post}})
    assert "using" not in only(made, "POST /classifier/svm").flow.title.lower()


def test_one_of_several_analyses_is_an_analysis_and_a_series_is_one(tmp_path: Path) -> None:
    assert [words.singular(each) for each in ("analyses", "query_analyses", "buses", "timeseries", "indices")] == [
        *("analysis", "query_analysis", "bus", "timeseries", "index")
    ]
    assert words.plural("analysis") == "analyses"


def test_an_address_that_is_any_things_is_called_no_things_name_and_owns_nothing(tmp_path: Path) -> None:
    def called(name: str, **more: Any) -> dict[str, Any]:
        return {"operationId": f"backup.projects.{name}", "responses": answers(THING), **more}

    listed = answers({"type": "object", "properties": {"plans": {"type": "array", "items": THING}}})
    made = compiled(
        tmp_path,
        {
            "/v1/{name}": {
                "parameters": [given("name")],
                "get": called("plans.restores.get"),
                "delete": called("plans.restores.volumes.delete"),
            },
            "/v1/{parent}/plans": {
                "parameters": [given("parent")],
                "get": {"operationId": "backup.projects.plans.list", "responses": listed},
            },
        },
    )
    assert only(made, "DELETE /v1/{name}").flow.title == "Delete resource"
    assert only(made, "GET /v1/{parent}/plans").flow.title == "Find plans"
    assert " of a " not in only(made, "GET /v1/{parent}/plans").flow.description


def test_what_stands_in_another_thing_is_not_given_that_one_out_of_a_list_of_all(tmp_path: Path) -> None:
    server = {"type": "object", "properties": {"name": TEXT, "cores": TEXT, "registrationId": TEXT}}
    registration = {"$ref": "#/components/schemas/Registration"}
    listed = answers({"type": "array", "items": registration})
    where = "/groups/{groupName}/registrations"
    above, own = [given("groupName"), given("registrationName")], given("serverName")
    made = compiled(
        tmp_path,
        {
            "/registrations": {"get": {"responses": listed}},
            where: {"parameters": above[:1], "get": {"responses": listed}},
            f"{where}/{{registrationName}}": {"parameters": above, "get": {"responses": answers(registration)}},
            f"{where}/{{registrationName}}/servers": {
                "parameters": above,
                "get": {"responses": answers({"type": "array", "items": server})},
            },
            f"{where}/{{registrationName}}/servers/{{serverName}}": {
                "parameters": [*above, own],
                "get": {"responses": answers(server)},
                "put": {"requestBody": sent(server), "responses": answers(server)},
            },
        },
        schemas={"Registration": THING},
    )
    assert made.workflows
    assert not [each.flow.title for each in made.workflows if each.flow.title.startswith("Assign")]


def test_what_is_live_is_no_order_to_live(tmp_path: Path) -> None:
    get = {"operationId": "get-live-stream", "summary": "Retrieve a live stream", "responses": answers(THING)}
    paths = {
        "/live-streams": {"get": {"operationId": "list-live-streams", "responses": THINGS}},
        "/live-streams/{id}": {"parameters": [ID], "get": get},
    }
    assert only(compiled(tmp_path, paths), "GET /live-streams/{id}").flow.title == "Describe live stream"
