"""Lists that stand at the address of one thing, bare names, and things right below a version: each in a small API."""

from pathlib import Path
from typing import Any

from tests.compiler.odd import DONE, THING, THINGS, all_proved, answers, asked, compiled, given, only, sent

_TEXT = {"type": "string"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def _at(path: str, **methods: Any) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {path: {"parameters": [given(name) for name in names], **methods}}


def _listing(name: str, summary: str = "") -> dict[str, Any]:
    return {"operationId": name, "summary": summary, "responses": THINGS}


def test_what_a_read_at_the_address_of_one_thing_calls_by_a_plural_is_a_list(tmp_path: Path) -> None:
    paths = _at("/resources/service/{serviceId}", get=_listing("GetResourcesByService"))
    paths |= _at("/tests/{id}/messages/{caseId}", get=_listing("x", "Get messages for a case"))
    made = compiled(tmp_path, paths)
    for goal in paths:
        flow = only(made, f"GET {goal}").flow
        assert (flow.intent, flow.outputs["items"]) == ("find", "$steps.list.outputs.items")
    assert only(made, "GET /resources/service/{serviceId}").flow.title == "Find resources by service"


def test_a_list_of_one_that_no_text_calls_several_is_that_one(tmp_path: Path) -> None:
    read = {"operationId": "GetVm", "summary": "Get one VM", "responses": THINGS}
    paths = _at("/vms", get={"responses": THINGS}) | _at("/vms/{id}", get=read)
    assert only(compiled(tmp_path, paths), "GET /vms/{id}").flow.intent == "describe"


def test_what_is_listed_by_another_thing_tells_nobody_which_of_those_there_are(tmp_path: Path) -> None:
    listed = {**THING, "properties": {**THING["properties"], "serviceId": _TEXT}}
    by_service = {"operationId": "GetResourcesByService", "responses": answers({"type": "array", "items": listed})}
    paths = _at("/resources/service/{serviceId}", get=by_service)
    paths |= _at("/metrics/service/{serviceId}", get={"responses": answers(_object(calls={"type": "integer"}))})
    (step,) = only(compiled(tmp_path, paths), "GET /metrics/service/{serviceId}").flow.steps
    assert step.operation == "GET /metrics/service/{serviceId}"


def test_what_stands_below_a_list_of_builds_is_the_projects_and_not_a_builds(tmp_path: Path) -> None:
    builds = {"summary": "The last builds", "parameters": [given("limit", "query")], "responses": THINGS}
    paths = _at("/project/{user}/{project}", get=builds)
    paths |= _at("/project/{user}/{project}/{build_num}", get={"responses": answers(THING)})
    paths |= _at("/project/{user}/{project}/{build_num}/cancel", post={"responses": DONE})
    paths |= _at("/project/{user}/{project}/keys", get={"responses": THINGS})
    paths |= _at("/project/{user}/{project}/keys/{print}", delete={"responses": DONE})
    made = compiled(tmp_path, paths)
    titles = {one.flow.goal: one.flow.title for one in made.workflows}
    assert titles["GET /project/{user}/{project}"] == "Find project builds"
    assert titles["POST /project/{user}/{project}/{build_num}/cancel"] == "Cancel project build"
    assert titles["DELETE /project/{user}/{project}/keys/{print}"] == "Delete key"


def test_a_thing_right_below_a_version_is_called_as_its_operations_call_it(tmp_path: Path) -> None:
    paths = _at(
        "/acr/v1/{name}",
        get={"operationId": "Repository_Get", "responses": answers(_object(size=_TEXT))},
        delete={"operationId": "Repository_Delete", "responses": DONE},
    )
    paths |= _at("/acr/v1/{name}/_tags", get={"responses": answers(_object(tags={"type": "array", "items": THING}))})
    made = compiled(tmp_path, paths)
    assert only(made, "DELETE /acr/v1/{name}").flow.title == "Delete repository"
    listed = only(made, "GET /acr/v1/{name}/_tags")
    assert listed.flow.description.startswith("Lists tags of a repository.")
    assert list(asked(listed)) == ["repository_name"]


def test_bare_names_in_a_list_are_listed_and_a_new_thing_is_read_at_its_own_address(tmp_path: Path) -> None:
    names = {"allOf": [{"type": "array", "items": _TEXT}, {"description": "The names."}]}
    group = _object(nodegroup=_object(nodegroupName=_TEXT, size={"type": "integer"}))
    paths = _at(
        "/node-groups",
        get={"responses": answers(_object(nodegroups=names))},
        post={
            "requestBody": sent({**_object(nodegroupName=_TEXT), "required": ["nodegroupName"]}),
            "responses": answers(group),
        },
    )
    paths |= _at("/node-groups/{nodegroupName}", get={"responses": answers(group)})
    made = compiled(tmp_path, paths)
    assert all_proved(made)
    assert only(made, "GET /node-groups").flow.outputs["items"] == "$steps.list.outputs.items"
    assert only(made, "POST /node-groups").flow.steps[-1].operation == "GET /node-groups/{nodegroupName}"


def test_what_the_owner_in_the_address_is_called_is_not_asked_for_in_the_body(tmp_path: Path) -> None:
    user = _object(name=_TEXT, instance=_TEXT)
    paths = _at("/instances", get={"responses": THINGS}) | _at(
        "/instances/{instance}", get={"responses": answers(THING)}
    )
    paths |= _at(
        "/instances/{instance}/users", get={"responses": answers({"type": "array", "items": user})},
        post={"requestBody": sent(user), "responses": answers(user)},
    )  # fmt: skip
    assert set(asked(only(compiled(tmp_path, paths), "POST /instances/{instance}/users"))) == {"instance", "name"}


def _naming(method: str, *, is_read: bool) -> dict[str, Any]:
    pool = _object(name=_TEXT, schedule_id=_TEXT)
    paths = _at("/schedules", get={"responses": THINGS}) | _at(
        "/schedules/{schedule_id}", get={"responses": answers(THING)}
    )
    paths |= _at("/pools", get={"responses": answers({"type": "array", "items": _object(id=_TEXT, name=_TEXT)})})
    reads = {"get": {"responses": answers(pool)}} if is_read else {}
    return paths | _at("/pools/{id}", **{method: {"requestBody": sent(pool), "responses": DONE}}, **reads)


def test_one_thing_is_not_given_another_where_all_else_would_be_lost(tmp_path: Path) -> None:
    def is_assigned(method: str, *, is_read: bool) -> bool:
        made = compiled(tmp_path, _naming(method, is_read=is_read))
        return "Assign schedule to pool" in {one.flow.title for one in made.workflows}

    assert is_assigned("patch", is_read=False)
    assert is_assigned("put", is_read=True)
    assert not is_assigned("put", is_read=False)


def test_what_joins_two_things_is_not_given_one_of_them(tmp_path: Path) -> None:
    joins = _object(id=_TEXT, group_id=_TEXT, admin={"type": "boolean"})
    paths = _at("/groups", get={"responses": THINGS}) | _at("/groups/{group_id}", get={"responses": answers(THING)})
    paths |= _at("/group_users/{id}", patch={"requestBody": sent(joins), "responses": DONE})
    made = compiled(tmp_path, paths)
    assert not [one for one in made.workflows if one.flow.title.startswith("Assign")]


def test_what_comes_in_pages_is_no_single_thing_whatever_is_written_there(tmp_path: Path) -> None:
    pages = {"parameters": [{**given("offset", "query"), "required": False}], "responses": THINGS}
    body = {"requestBody": sent({"type": "array", "items": THING}), "responses": DONE}
    made = compiled(tmp_path, _at("/records/{type}/{name}", get=pages, put=body))
    read = only(made, "GET /records/{type}/{name}").flow.steps[-1]
    assert not [one for one in read.outputs.values() if str(one).endswith("#/0")]


def test_what_begins_with_list_is_a_list_though_it_is_wrapped(tmp_path: Path) -> None:
    page = answers(_object(data={"type": "array", "items": THING}, done={"type": "boolean"}))
    read = {"summary": "List attempts by message", "responses": page}
    flow = only(compiled(tmp_path, _at("/attempt/msg/{msg_id}", get=read)), "GET /attempt/msg/{msg_id}").flow
    assert (flow.title, flow.steps[-1].outputs["items"]) == ("Find attempts by msg", "$response.body#/data")


def test_words_that_are_written_as_one_are_split_as_the_texts_of_the_api_split_them(tmp_path: Path) -> None:
    gone = {"description": "Deletes a Traffic Manager profile.", "responses": DONE}
    flow = only(
        compiled(tmp_path, _at("/trafficmanagerprofiles/{name}", delete=gone)), "DELETE /trafficmanagerprofiles/{name}"
    ).flow
    assert flow.title == "Delete traffic manager profile"


def test_what_holds_most_of_a_thing_is_shown_beside_its_name(tmp_path: Path) -> None:
    held = _object(**dict.fromkeys(("size", "ttl", "mode", "owner", "routing"), _TEXT))
    body = _object(name=_TEXT, type=_TEXT, location=_TEXT, properties=held)
    made = compiled(tmp_path, _at("/zones/{id}", patch={"requestBody": sent(body), "responses": DONE}))
    assert "properties" in asked(only(made, "PATCH /zones/{id}"))


def test_an_api_key_is_no_input_whatever_its_parameter_is_called(tmp_path: Path) -> None:
    key = {"name": "key", "in": "query", "description": "API key. Required without a token.", "schema": _TEXT}
    names = ("X-Amz-Signature", "X-Amz-Credential", "X-Amz-Date")
    headers = [{"name": name, "in": "header", "schema": _TEXT} for name in names]
    made = compiled(tmp_path, _at("/zones/{id}", delete={"parameters": [key, *headers], "responses": DONE}))
    assert [one.name for one in only(made, "DELETE /zones/{id}").flow.inputs] == ["zone_id"]


def test_a_parent_in_an_address_is_what_the_thing_stands_in_and_not_the_thing(tmp_path: Path) -> None:
    told = [given("parent", description="Required. Where it stands.")]
    jobs = answers(_object(jobs={"type": "array", "items": _object(name=_TEXT, schedule=_TEXT)}))
    paths = {"/v1/{parent}/jobs": {"parameters": told, "get": {"operationId": "x.jobs.list", "responses": jobs}}}
    read = {"operationId": "x.jobs.get", "responses": answers(_object(name=_TEXT, schedule=_TEXT))}
    paths |= _at("/v1/{name}", get=read)
    paths |= _at("/v1/{name}:pause", post={"operationId": "x.jobs.pause", "responses": DONE})
    made = compiled(tmp_path, paths)
    assert asked(only(made, "GET /v1/{parent}/jobs"))["parent"]["description"] == "Where it stands."
    assert list(asked(only(made, "GET /v1/{name}"))) == ["job"]
    assert only(made, "POST /v1/{name}:pause").flow.title == "Pause job"
    assert not [one for one in made.workflows if one.flow.title.startswith("Inventory")]


def test_a_list_is_known_by_its_things_and_what_is_told_of_them(tmp_path: Path) -> None:
    broker = _object(brokerId=_TEXT, brokerName=_TEXT)
    paths = _at("/brokers", get={"responses": answers(_object(BrokerSummaries={"type": "array", "items": broker}))})
    paths |= _at("/brokers/{brokerId}", get={"responses": answers(broker)})
    flow = only(compiled(tmp_path, paths), "GET /brokers").flow
    assert flow.steps[0].outputs["items"] == "$response.body#/BrokerSummaries"


def test_what_is_written_where_it_can_be_read_is_not_created(tmp_path: Path) -> None:
    write = {"operationId": "writeTable", "requestBody": sent({"type": "array", "items": _TEXT}), "responses": DONE}
    table = answers({"type": "array", "items": _TEXT})
    made = compiled(tmp_path, _at("/tables/{name}/text", get={"responses": table}, post=write))
    assert only(made, "POST /tables/{name}/text").flow.intent == "act"
