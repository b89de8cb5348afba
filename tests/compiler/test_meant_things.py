"""Which thing is meant: what an address, a body or a version names, where several could be."""

from pathlib import Path
from typing import Any

from compiler.ir.model import Role
from tests.compiler.odd import DONE, answers, asked, compiled, given, only, sent

_NUMBER = {"type": "integer"}
_TEXT = {"type": "string"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def _collection(place: str, parameter: str, thing: dict[str, Any], schema: Any = _TEXT) -> dict[str, Any]:
    """Things that are listed and read, named in their address by `parameter`."""
    return {
        place: {"get": {"responses": answers({"type": "array", "items": thing})}},
        f"{place}/{{{parameter}}}": {
            "parameters": [given(parameter, schema=schema)],
            "get": {"responses": answers(thing)},
        },
    }


def test_what_is_addressed_by_its_number_is_not_sent_its_id(tmp_path: Path) -> None:
    issue = _object(id=_NUMBER, number=_NUMBER, title=_TEXT)
    one = only(compiled(tmp_path, _collection("/issues", "index", issue, _NUMBER)), "GET /issues/{index}")
    (found,) = [step for step in one.flow.steps if step.role is Role.LOOKUP]
    assert "@.number ==" in str(found.success)
    assert asked(one)["issue"]["description"] == "Title or number of the issue."


def test_a_parameter_of_one_name_means_what_stands_near_to_where_it_is_asked_for(tmp_path: Path) -> None:
    cluster = _object(id=_TEXT, name=_TEXT)
    paths = _collection("/compute/clusters", "clusterId", cluster) | _collection(
        "/storage/clusters", "clusterId", cluster
    )
    owner, quota = [given("clusterId")], {"get": {"responses": answers(_object(size=_NUMBER))}}
    paths["/storage/buckets/{clusterId}/quota"] = {"parameters": owner, **quota}
    paths["/compute/pools/{clusterId}/quota"] = {"parameters": owner, **quota}
    made = compiled(tmp_path, paths)
    for place in ("/storage/buckets", "/compute/pools"):
        looked = only(made, f"GET {place}/{{clusterId}}/quota").flow.steps[0].operation
        assert looked == f"GET /{place.split('/')[1]}/clusters"


def test_a_thing_is_not_looked_up_where_that_takes_the_id_of_another_one(tmp_path: Path) -> None:
    thing = _object(id=_TEXT, name=_TEXT)
    paths = _collection("/partners/{partner_id}/orgs", "org_id", thing)
    for item in paths.values():
        item["parameters"] = [*item.get("parameters", ()), given("partner_id")]
    paths["/orgs/{org_id}/stats"] = {
        "parameters": [given("org_id")],
        "get": {"responses": answers(_object(size=_NUMBER))},
    }
    one = only(compiled(tmp_path, paths), "GET /orgs/{org_id}/stats")
    assert asked(one).keys() == {"org_id"}


def test_a_number_in_a_body_that_is_said_to_be_the_id_of_a_thing_is_found_by_its_name(tmp_path: Path) -> None:
    server = _object(id=_NUMBER, name=_TEXT)
    said = {**_NUMBER, "description": "ID of the server."}
    body = {
        **_object(server=said, priority={**_NUMBER, "description": "How soon."}),
        "required": ["server", "priority"],
    }
    attach = {"post": {"requestBody": sent(body), "responses": DONE}}
    paths = _collection("/servers", "id", server, _NUMBER) | {"/disk/attach": attach}
    one = only(compiled(tmp_path, paths), "POST /disk/attach")
    assert asked(one)["server"]["description"] == "Name or id of the server."
    assert asked(one)["priority"]["type"] == "integer"


def test_the_version_that_a_change_names_in_its_query_is_read_before(tmp_path: Path) -> None:
    config = _object(id=_TEXT, name=_TEXT, Version=_object(Index=_NUMBER))
    paths = _collection("/configs", "id", config)
    paths["/configs/{id}/update"] = {
        "parameters": [given("id"), given("version", "query", _NUMBER)],
        "post": {"requestBody": sent(_object(name=_TEXT)), "responses": DONE},
    }
    one = only(compiled(tmp_path, paths), "POST /configs/{id}/update")
    assert one.is_verified
    assert "version" not in asked(one)
    (change,) = [step for step in one.flow.steps if step.role is Role.CHANGE]
    assert ("version", "query", "$steps.read_version.outputs.version") in change.parameters
    (read,) = [step for step in one.flow.steps if step.id == "read_version"]
    assert read.outputs == {"version": "$response.body#/Version/Index"}


def test_a_note_on_a_job_starts_none(tmp_path: Path) -> None:
    state = {"type": "string", "enum": ["queued", "success", "failed"]}
    run = _object(run_id=_TEXT, note=_TEXT, state=state)
    paths = _collection("/runs", "run_id", run)
    paths["/runs/{run_id}/setNote"] = {
        "parameters": [given("run_id")],
        "patch": {"requestBody": sent(_object(note=_TEXT)), "responses": answers(run)},
    }
    paths["/boxes/check"] = {"post": {"responses": answers(_object(run_id=_TEXT))}}
    made = compiled(tmp_path, paths)
    roles = {one.flow.goal: [step.role for step in one.flow.steps] for one in made.workflows}
    assert Role.WAIT not in roles["PATCH /runs/{run_id}/setNote"]
    assert Role.WAIT in roles["POST /boxes/check"]
    assert only(made, "PATCH /runs/{run_id}/setNote").flow.title == "Set note of run"


def test_of_two_members_of_which_one_is_to_be_given_none_is_required(tmp_path: Path) -> None:
    rules = {"type": "array", "items": _TEXT}
    body = {
        "allOf": [
            _object(inbound=rules, outbound=rules),
            {"anyOf": [{"required": ["inbound"]}, {"required": ["outbound"]}]},
        ]
    }
    one = only(
        compiled(tmp_path, {"/rules/open": {"post": {"requestBody": sent(body), "responses": DONE}}}),
        "POST /rules/open",
    )
    assert {"inbound", "outbound"} <= asked(one).keys()
    assert not {"inbound", "outbound"} & {*one.tool["inputSchema"].get("required", ())}
    assert "at least one of" in one.tool["description"]


def test_what_has_no_name_is_found_by_the_one_text_that_each_has_to_have(tmp_path: Path) -> None:
    circuit = _object(id={**_NUMBER, "readOnly": True}, cid=_TEXT, url={**_TEXT, "readOnly": True}, note=_TEXT)
    circuit["required"] = ["id", "cid", "url"]
    one = only(compiled(tmp_path, _collection("/circuits", "id", circuit, _NUMBER)), "GET /circuits/{id}")
    assert asked(one)["circuit"]["description"] == "Cid or id of the circuit."


def test_what_a_pair_of_changes_names_is_found_before_the_first_and_asked_for_once(tmp_path: Path) -> None:
    server = _object(id=_NUMBER, name=_TEXT)
    body = {**_object(server={**_NUMBER, "description": "ID of the server."}), "required": ["server"]}
    paths = _collection("/servers", "id", server, _NUMBER) | _collection("/disks", "id", server, _NUMBER)
    disk = [given("id", schema=_NUMBER)]
    paths["/disks/{id}/detach"] = {"parameters": disk, "post": {"responses": DONE}}
    paths["/disks/{id}/attach"] = {"parameters": disk, "post": {"requestBody": sent(body), "responses": DONE}}
    made = compiled(tmp_path, paths)
    (pair,) = [one for one in made.workflows if one.flow.title == "Detach and attach disk"]
    roles = [step.role for step in pair.flow.steps]
    assert roles.index(Role.CHANGE) > max(number for number, role in enumerate(roles) if role is Role.LOOKUP)
    assert asked(pair).keys() == {"disk", "server"}


def test_an_update_that_is_said_to_do_something_else_is_called_by_that(tmp_path: Path) -> None:
    paths = _collection("/images", "image_id", _object(id=_TEXT, name=_TEXT))
    paths["/cache/{image_id}"] = {
        "parameters": [given("image_id")],
        "put": {"summary": "Queue image", "requestBody": sent({"type": "object"}), "responses": DONE},
        "get": {"responses": answers(_object(id=_TEXT))},
    }
    paths["/images/{image_id}"]["put"] = {
        "summary": "Modify an image",
        "requestBody": sent(_object(name=_TEXT)),
        "responses": DONE,
    }
    titles = {
        one.flow.goal: one.flow.title for one in compiled(tmp_path, paths).workflows if one.flow.intent == "update"
    }
    assert titles == {"PUT /cache/{image_id}": "Queue image", "PUT /images/{image_id}": "Update image"}


def test_a_deletion_looks_at_the_address_under_the_names_that_the_read_has_for_it(tmp_path: Path) -> None:
    paths = {
        "/seals/{digest}": {"parameters": [given("digest")], "get": {"responses": answers(_object(name=_TEXT))}},
        "/seals/{seal_id}": {"parameters": [given("seal_id")], "delete": {"responses": DONE}},
    }
    one = only(compiled(tmp_path, paths), "DELETE /seals/{seal_id}")
    assert [step.role for step in one.flow.steps] == [Role.READ, Role.CHANGE, Role.GONE]


def test_an_id_without_a_list_is_of_the_one_thing_whose_id_is_described_alike(tmp_path: Path) -> None:
    paths = _collection("/endpoints", "id", _object(id=_TEXT, name=_TEXT))
    paths |= _collection("/stacks", "id", _object(id=_TEXT, name=_TEXT))
    paths["/endpoints/{id}"]["parameters"] = [{**given("id"), "description": "Environment(Endpoint) identifier"}]
    paths["/stacks/{id}"]["parameters"] = [{**given("id"), "description": "The id."}]
    for place, said in (("kubernetes", "Environment (Endpoint) identifier"), ("docker", "The id.")):
        told = [{**given("id"), "description": said}]
        paths[f"/{place}/{{id}}/usage"] = {"parameters": told, "get": {"responses": answers(_object(size=_NUMBER))}}
    made = compiled(tmp_path, paths)
    assert asked(only(made, "GET /kubernetes/{id}/usage")).keys() == {"endpoint"}
    assert asked(only(made, "GET /docker/{id}/usage")).keys() == {"id"}


def test_what_only_says_of_which_kind_a_thing_is_is_not_called_by_the_thing(tmp_path: Path) -> None:
    volume = _object(name=_TEXT, size=_NUMBER)
    named = [given("type"), given("volume")]
    listed = {"get": {"responses": answers(_object(type=_TEXT, metadata={"type": "array", "items": _TEXT}))}}
    paths = {"/pools/{name}/volumes": listed, "/pools/{name}/volumes/{type}": {"parameters": named[:1], **listed}}
    paths["/pools/{name}/volumes/{type}/{volume}"] = {"parameters": named, "get": {"responses": answers(volume)}}
    for item in paths.values():
        item["parameters"] = [given("name"), *item.get("parameters", ())]
    one = only(compiled(tmp_path, paths), "GET /pools/{name}/volumes/{type}/{volume}")
    assert {"type", "volume"} < asked(one).keys()
