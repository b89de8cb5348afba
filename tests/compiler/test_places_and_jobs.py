"""What an address, its query and a reply say without a word for it: roots, states below a thing, ids, open jobs."""

from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled
from compiler.ir.model import Role
from tests.compiler.odd import DONE, answers, asked, compiled, given, only, sent
from workflow.risks import Risk

_TEXT = {"type": "string"}
_STATE = {"$ref": "#/components/schemas/Operation"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def _titles(made: Compiled) -> dict[str, str]:
    return {one.flow.goal: one.flow.title for one in made.workflows}


def _steps(made: Compiled, goal: str) -> list[Role]:
    return [step.role for step in only(made, goal).flow.steps]


def test_what_stands_at_a_version_alone_is_called_by_its_operations_ids(tmp_path: Path) -> None:
    server = _object(config={"type": "object", "properties": {"core": _TEXT}}, public={"type": "boolean"})
    things = answers({"type": "array", "items": _object(id=_TEXT, name=_TEXT)})
    paths = {
        "/": {"get": {"operationId": "api_get", "responses": answers({"type": "array", "items": _TEXT})}},
        "/1.0": {
            "get": {"operationId": "server_get", "responses": answers(server)},
            "patch": {"operationId": "server_patch", "requestBody": sent(server), "responses": DONE},
        },
        "/1.0/boxes": {"get": {"responses": things}},
    }
    made = compiled(tmp_path, paths)
    titles = _titles(made)
    assert (titles["GET /1.0"], titles["PATCH /1.0"]) == ("Get server", "Update server")
    assert titles["GET /1.0/boxes"] == "Find boxes"  # of no server
    assert _steps(made, "PATCH /1.0") == [Role.CHANGE, Role.READ_BACK]


def _with_a_job(state: dict[str, Any], noun: str = "operations") -> tuple[dict[str, Any], dict[str, Any]]:
    held = _object(type=_TEXT, metadata=_STATE)
    paths = {
        f"/{noun}/{{id}}": {"parameters": [given("id")], "get": {"responses": answers(held)}},
        "/boxes/{name}/refresh": {"parameters": [given("name")], "post": {"responses": answers(held, "202")}},
        "/boxes/{name}/note": {"parameters": [given("name")], "post": {"responses": answers(held)}},
    }
    return paths, {"Operation": _object(id=_TEXT, status=state, err=_TEXT)}


def test_a_job_that_a_reply_holds_is_waited_for_though_no_state_of_it_is_described(tmp_path: Path) -> None:
    paths, schemas = _with_a_job({"type": "string", "example": "Running"})
    made = compiled(tmp_path, paths, schemas=schemas)
    assert _steps(made, "POST /boxes/{name}/refresh") == [Role.CHANGE, Role.WAIT]
    assert _steps(made, "POST /boxes/{name}/note") == [Role.CHANGE]  # answered when it is done
    assert only(made, "POST /boxes/{name}/refresh").is_verified
    (told,) = [one.message for one in made.diagnostics if one.code == "job-assumed"]
    assert "whose states are not described" in told


def test_a_thing_that_is_answered_in_the_envelope_of_its_job_is_made_by_a_job_that_is_seen(tmp_path: Path) -> None:
    paths, schemas = _with_a_job(_TEXT)
    listed = answers(_object(type=_TEXT, metadata={"type": "array", "items": _TEXT}))
    made = {
        "requestBody": sent(_object(name=_TEXT)),
        "responses": {**DONE, **answers(_object(type=_TEXT, metadata=_STATE), "202")},
    }
    paths["/pools/{name}/volumes"] = {"parameters": [given("name")], "get": {"responses": listed}, "post": made}
    paths["/pools/{name}/volumes/{type}"] = {
        "parameters": [given("name"), given("type")],
        "get": {"responses": listed},
    }
    one = only(compiled(tmp_path, paths, schemas=schemas), "POST /pools/{name}/volumes")
    assert Role.WAIT in [step.role for step in one.flow.steps]
    assert one.is_verified


def test_what_is_no_job_by_its_noun_is_not_waited_for_in_words_of_its_own(tmp_path: Path) -> None:
    paths, schemas = _with_a_job(_TEXT, "boxes")
    assert _steps(compiled(tmp_path, paths, schemas=schemas), "POST /boxes/{name}/refresh") == [Role.CHANGE]


def test_an_id_that_only_its_description_calls_so_is_found_by_the_name_beside_it(tmp_path: Path) -> None:
    vm = _object(vm={**_TEXT, "description": "Identifier of the machine."}, name=_TEXT)
    slug = _object(slug={**_TEXT, "description": "What it is called in links."}, name=_TEXT)
    paths: dict[str, Any] = {}
    for place, parameter, thing in (("/vms", "vm", vm), ("/sites", "slug", slug)):
        paths[place] = {"get": {"responses": answers({"type": "array", "items": thing})}}
        one = {"parameters": [given(parameter)], "get": {"responses": answers(thing)}}
        paths[f"{place}/{{{parameter}}}"] = one
    made = compiled(tmp_path, paths)
    assert _steps(made, "GET /vms/{vm}") == [Role.LOOKUP, Role.READ]
    assert asked(only(made, "GET /vms/{vm}"))["vm"]["description"] == "Name or id of the VM."
    assert _steps(made, "GET /sites/{slug}") == [Role.READ]


def test_an_id_that_is_described_as_one_is_asked_for_as_one_where_there_is_no_name(tmp_path: Path) -> None:
    disk = _object(disk={**_TEXT, "description": "Identifier of the virtual disk."})
    paths = {
        "/disks": {"get": {"responses": answers({"type": "array", "items": disk})}},
        "/disks/{disk}": {"parameters": [given("disk")], "get": {"responses": answers(_object(size=_TEXT))}},
    }
    one = only(compiled(tmp_path, paths), "GET /disks/{disk}")
    assert asked(one)["disk"]["description"] == "Id of the disk."


def test_what_the_query_picks_out_of_a_list_is_one_of_it_and_no_record(tmp_path: Path) -> None:
    names = {"name": "names", "in": "query", "schema": {"type": "array", "items": _TEXT}}
    host = _object(id={**_TEXT, "readOnly": True}, name=_TEXT, destroyed={"type": "boolean"})
    listed = _object(items={"type": "array", "items": host})
    paths = {
        "/hosts": {
            "get": {"parameters": [names], "responses": answers(listed)},
            "post": {"parameters": [{**names, "required": True}], "responses": answers(listed)},
            "patch": {"parameters": [names], "requestBody": sent(host), "responses": answers(listed)},
            "delete": {"parameters": [names], "responses": DONE},
        }
    }
    made = compiled(tmp_path, paths)
    assert _titles(made)["GET /hosts"] == "Find hosts"
    assert _titles(made)["DELETE /hosts"] == "Remove host"
    assert _steps(made, "DELETE /hosts") == [Role.CHANGE]  # the list is there ever after
    assert asked(only(made, "POST /hosts")).keys() == {"names"}


@pytest.mark.parametrize(
    ("member", "told", "risk"),
    [
        ("restore", "Name of the snapshot.", Risk.DESTROY),
        ("restore_policy", "What it is restored by.", Risk.CHANGE),
        ("restored_from", "Where it came from.", Risk.CHANGE),
    ],
)
def test_an_update_that_can_bring_back_what_was_is_as_grave_as_that(
    tmp_path: Path, member: str, told: str, risk: Risk
) -> None:
    box = _object(id=_TEXT, name=_TEXT)
    body = _object(name=_TEXT, **{member: {**_TEXT, "description": told}})
    paths = {
        "/boxes": {"get": {"responses": answers({"type": "array", "items": box})}},
        "/boxes/{id}": {
            "parameters": [given("id")],
            "get": {"responses": answers(box)},
            "patch": {"requestBody": sent(body), "responses": answers(box)},
        },
    }
    assert only(compiled(tmp_path, paths), "PATCH /boxes/{id}").flow.risk is risk


def test_what_stands_below_the_status_of_a_thing_is_done_to_the_thing(tmp_path: Path) -> None:
    mode = {"type": "string", "enum": ["snapshot", "suspend", "stop"]}
    box = _object(id=_TEXT, name=_TEXT)
    paths = {
        "/boxes": {"get": {"responses": answers({"type": "array", "items": box})}},
        "/boxes/{id}/status": {"parameters": [given("id")], "get": {"responses": answers(_object(state=_TEXT))}},
        "/boxes/{id}": {"parameters": [given("id")], "get": {"responses": answers(box)}},
        "/boxes/{id}/status/start": {"parameters": [given("id")], "post": {"responses": DONE}},
        "/boxes/{id}/dump": {
            "parameters": [given("id")],
            "post": {
                "operationId": "dump",
                "summary": "dump",
                "description": "Create backup.",
                "requestBody": sent(_object(mode=mode)),
                "responses": DONE,
            },
        },
    }
    made = compiled(tmp_path, paths)
    assert _titles(made)["POST /boxes/{id}/status/start"] == "Start box"
    one = only(made, "POST /boxes/{id}/dump")  # how it is made is no deed of its own, and as grave as the gravest way
    assert (one.flow.title, one.flow.risk) == ("Create backup", Risk.DISRUPT)
