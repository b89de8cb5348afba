"""What descriptions that nobody had tuned for say, and what is made of it: each test is one vendor's way, cut down."""

from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled
from tests.compiler.odd import DONE, THING, THINGS, answers, compiled, given, only, sent

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


@pytest.mark.parametrize("header", ["X-Server-Token", "X-Account-Secret"])
def test_a_key_that_all_operations_ask_for_is_the_targets_and_no_input(tmp_path: Path, header: str) -> None:
    key = given(header, "header")
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
