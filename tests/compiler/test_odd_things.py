"""What descriptions say of their things: jobs inside replies, things inside their names, and what they are called."""

from pathlib import Path
from typing import Any

import pytest

from compiler.ir.model import Role
from tests.compiler.odd import DONE, THING, THINGS, all_proved, answers, asked, compiled, given, only, sent

ITEM = {"parameters": [given("id")]}
ACTION = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "status": {"type": "string", "enum": ["running", "success", "error"]}},
}
SHOWN_ACTION = {"type": "object", "required": ["action"], "properties": {"action": ACTION}}
SIZED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}


def _with_actions() -> dict[str, Any]:
    made = {"type": "object", "properties": {"server": THING, "action": ACTION}}
    listed = {"type": "object", "properties": {"servers": {"type": "array", "items": THING}}}
    one = {"type": "object", "properties": {"server": THING}}
    return {
        "/servers": {
            "get": {"responses": answers(listed)},
            "post": {"requestBody": sent(SIZED), "responses": answers(made, "201")},
        },
        "/servers/{id}": {**ITEM, "get": {"responses": answers(one)}},
        "/servers/{id}/actions": {**ITEM, "get": {"responses": answers({"type": "array", "items": ACTION})}},
        "/servers/{id}/actions/reboot": {**ITEM, "post": {"responses": answers(SHOWN_ACTION, "201")}},
        "/actions/{id}": {**ITEM, "get": {"responses": answers(SHOWN_ACTION)}},
    }


def test_a_job_that_a_change_answers_whole_is_waited_for(tmp_path: Path) -> None:
    made = compiled(tmp_path, _with_actions())
    assert all_proved(made)
    (wait,) = [s for s in only(made, "POST /servers/{id}/actions/reboot").flow.steps if s.role is Role.WAIT]
    assert (wait.operation, wait.parameters[0][2]) == ("GET /actions/{id}", "$steps.change.outputs.job")


def test_what_is_done_to_a_thing_is_named_after_it_and_not_after_the_list_of_what_was_done(
    tmp_path: Path,
) -> None:
    flow = only(compiled(tmp_path, _with_actions()), "POST /servers/{id}/actions/reboot").flow
    assert (flow.id, flow.title) == ("odd_reboot_server", "Reboot server")


def test_a_thing_inside_its_own_name_is_given_out_and_read_back(tmp_path: Path) -> None:
    made = compiled(tmp_path, _with_actions())
    read = only(made, "GET /servers/{id}").flow.steps[-1]
    assert read.outputs["item"] == "$response.body#/server"
    creations = [w.flow for w in made.workflows if w.flow.intent == "create"]
    roles = [Role.READ, Role.CHANGE, Role.WAIT, Role.READ_BACK]  # first whether there is one of that name already
    assert [[s.role for s in flow.steps] for flow in creations] == [roles]
    assert creations[0].steps[1].outputs["created"] == "$response.body#/server/id"


@pytest.mark.parametrize(("text", "is_looked_up"), [("ID or name of the box", False), ("The id", True)])
def test_an_address_that_takes_a_name_as_well_needs_no_lookup(text: str, is_looked_up: bool, tmp_path: Path) -> None:
    stop = {"parameters": [given("id", description=text)], "post": {"responses": DONE}}
    paths = {
        "/boxes": {"get": {"responses": THINGS}},
        "/boxes/{id}": {"parameters": [given("id", description=text)], "get": {"responses": answers(THING)}},
        "/boxes/{id}/stop": stop,
    }
    found = only(compiled(tmp_path, paths), "POST /boxes/{id}/stop")
    assert any(step.role is Role.LOOKUP for step in found.flow.steps) is is_looked_up
    assert list(asked(found)) == ["box"]


def _of_namespaces() -> dict[str, Any]:
    scope = {"parameters": [given("namespace")]}
    one = {"parameters": [given("namespace"), given("name")]}
    through: dict[str, Any] = {m: {"responses": DONE} for m in ("get", "put", "post", "delete", "patch")}
    return {
        "/serviceaccounts": {"get": {"operationId": "listServiceAccountForAll", "responses": THINGS}},
        "/namespaces/{namespace}/serviceaccounts": {
            **scope,
            "get": {"operationId": "listServiceAccount", "responses": THINGS},
        },
        "/namespaces/{namespace}/serviceaccounts/{name}": {
            **one,
            "get": {"operationId": "readServiceAccount", "responses": answers(THING)},
            "delete": {"operationId": "deleteServiceAccount", "responses": DONE},
        },
        "/namespaces/{namespace}/serviceaccounts/{name}/proxy/{path}": {
            "parameters": [*one["parameters"], given("path")],
            **through,
        },
        "/namespaces/{namespace}/serviceaccounts/{name}/exec": {**one, "get": {"responses": answers({})}},
        "/namespaces/{namespace}/serviceaccounts/{name}/eviction": {**one, "post": {"responses": DONE}},
    }


def test_words_that_are_written_as_one_are_split_as_operation_ids_split_them(tmp_path: Path) -> None:
    made = compiled(tmp_path, _of_namespaces())
    titles = {one.flow.goal: one.flow.title for one in made.workflows}
    at = "/namespaces/{namespace}/serviceaccounts"
    assert titles[f"GET {at}/{{name}}"] == "Describe service account"
    assert (titles["GET /serviceaccounts"], titles[f"GET {at}"]) == (
        "Find all service accounts",
        "Find service accounts",
    )
    assert titles[f"POST {at}/{{name}}/eviction"] == "Evict service account"


def test_what_is_passed_on_is_neither_created_nor_deleted_and_a_terminal_has_no_end(tmp_path: Path) -> None:
    made = compiled(tmp_path, _of_namespaces())
    at = "/namespaces/{namespace}/serviceaccounts/{name}"
    passed = {w.flow.goal: w.flow for w in made.workflows if "/proxy/" in w.flow.goal}
    assert passed[f"DELETE {at}/proxy/{{path}}"].title == "Send DELETE through proxy of service account"
    assert not any(flow.intent in ("create", "delete", "describe") for flow in passed.values())
    assert max(flow.rank for flow in passed.values()) < min(
        one.flow.rank for one in made.workflows if one.flow.goal not in passed
    )
    (terminal,) = [o for o in made.api.operations if o.path.endswith("/exec")]
    assert "endless" in terminal.left_out


def test_what_stands_for_a_list_or_one_thing_is_called_after_it(tmp_path: Path) -> None:
    paths = {
        "/boxes/json": {"get": {"responses": THINGS}},
        "/boxes/{id}": {**ITEM, "delete": {"responses": DONE}},
        "/boxes/{id}/json": {**ITEM, "get": {"responses": answers(THING)}},
        "/boxes/{id}/stats": {**ITEM, "get": {"responses": answers({"type": "object", "properties": {"a": THING}})}},
        "/boxes/{id}/wait": {**ITEM, "post": {"responses": DONE}},
        "/shelves": {"get": {"responses": THINGS}},
        "/shelves/{id}": {**ITEM, "get": {"responses": answers(THING)}},
        "/shelves/prune": {"post": {"responses": DONE}},
    }
    titles = {one.flow.goal: one.flow.title for one in compiled(tmp_path, paths).workflows}
    assert titles["GET /boxes/json"] == "Find boxes"
    assert titles["GET /boxes/{id}/json"] == "Describe box"
    assert titles["GET /boxes/{id}/stats"] == "Get stats of box"
    assert titles["POST /boxes/{id}/wait"] == "Wait for box"
    assert titles["POST /shelves/prune"] == "Prune shelves"


def test_a_thing_whose_name_stands_inside_what_describes_it_is_looked_up_by_that_name(tmp_path: Path) -> None:
    spec = {"type": "object", "properties": {"Name": {"type": "string"}, "Data": {"type": "string"}}}
    secret = {"type": "object", "properties": {"ID": {"type": "string"}, "Spec": spec}}
    paths = {
        "/secrets": {"get": {"responses": answers({"type": "array", "items": secret})}},
        "/secrets/{id}": {**ITEM, "delete": {"responses": DONE}},
    }
    made = compiled(tmp_path, paths)
    assert all_proved(made)
    deletion = only(made, "DELETE /secrets/{id}")
    look = deletion.flow.steps[0]
    assert "@.Spec.Name == '{$inputs.secret}' || @.ID == '{$inputs.secret}'" in look.outputs["id"]["selector"]
    assert asked(deletion)["secret"]["description"] == "Name or id of the secret."
    usual = deletion.proof["runs"][0]["inputs"]["secret"]
    assert usual.startswith("secret-")  # it is the name by which the proof finds it


def test_a_list_that_has_to_be_asked_by_a_member_is_asked_by_what_a_thing_has(tmp_path: Path) -> None:
    run = {**THING, "properties": {**THING["properties"], "site": {"type": "string", "example": "north"}}}
    paths = {
        "/runs": {
            "parameters": [given("site", "query")],
            "get": {"responses": answers({"type": "array", "items": run})},
        },
        "/runs/{id}": {"parameters": [given("id")], "get": {"responses": answers(run)}, "delete": {"responses": DONE}},
    }
    assert all_proved(compiled(tmp_path, paths))


def test_a_patch_of_which_nothing_is_said_takes_the_things_members(tmp_path: Path) -> None:
    map_ = {"type": "object", "additionalProperties": {"type": "string"}}
    thing = {**THING, "properties": {**THING["properties"], "data": map_}}
    anything = sent({"type": "object"}, "application/merge-patch+json")
    item = {"get": {"responses": answers(thing)}, "patch": {"requestBody": anything, "responses": answers(thing)}}
    paths = {
        "/maps": {"get": {"responses": answers({"type": "array", "items": thing})}},
        "/maps/{id}": {"parameters": [given("id")], **item},
    }
    made = compiled(tmp_path, paths)
    assert {"name", "size"} <= asked(only(made, "PATCH /maps/{id}")).keys()
    assert all_proved(made)


def test_what_is_done_to_a_thing_at_another_address_is_done_to_one_that_is_there(tmp_path: Path) -> None:
    which = {"parameters": [given("thingId")]}
    elsewhere = {"/relay/promote/{thingId}": {**which, "post": {"summary": "Promote a thing", "responses": DONE}}}
    paths = {
        "/things": {"get": {"responses": THINGS}},
        "/things/{thingId}": {**which, "get": {"responses": answers(THING)}},
        **elsewhere,
    }
    made = compiled(tmp_path, paths)
    assert all_proved(made)
    assert [s.role for s in only(made, "POST /relay/promote/{thingId}").flow.steps] == [Role.LOOKUP, Role.CHANGE]


def test_an_address_that_is_another_ones_as_well_is_no_error_of_ours(tmp_path: Path) -> None:
    kind = {"name": "kind", "in": "path", "required": True, "schema": {"type": "string", "enum": ["cloud"]}}
    paths = {
        "/{kind}/{account}": {"parameters": [kind, given("account")], "patch": {"responses": DONE}},
        "/cloud/{account}": {"parameters": [given("account")], "get": {"responses": answers(THING)}},
        "/{kind}/{account}/status": {"parameters": [kind, given("account")], "get": {"responses": answers(THING)}},
    }
    made = compiled(tmp_path, paths)
    assert not [each for each in made.diagnostics if "an error of ours" in each.message]
