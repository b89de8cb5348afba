"""Which thing a request is about, where its address does not say so plainly: ids in bodies, parameters of others."""

from pathlib import Path
from typing import Any

from compiler.ir.model import Role
from tests.compiler.odd import DONE, answers, asked, compiled, given, only, sent
from workflow.risks import Risk

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def _at(path: str, **methods: Any) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {path: {"parameters": [given(name) for name in names], **methods}}


def test_a_put_to_a_collection_with_the_id_of_one_in_its_body_updates_that_one(tmp_path: Path) -> None:
    role = {**_object(roleId=_NUMBER, name=_TEXT, note=_TEXT), "required": ["roleId", "name"]}
    put = {"requestBody": sent(role), "responses": answers(role)}
    paths = _at("/roles", get={"responses": answers({"type": "array", "items": role})}, put=put)
    paths |= _at("/roles/{roleId}", get={"responses": answers(role)}, delete={"responses": DONE})
    one = only(compiled(tmp_path, paths), "PUT /roles")
    assert (one.flow.title, one.is_verified) == ("Update role", True)
    assert {"role", "name", "note"} == {*asked(one)}
    assert [s.role for s in one.flow.steps] == [Role.LOOKUP, Role.CHANGE, Role.READ_BACK]


def test_where_nothing_lists_the_things_the_id_is_given_once(tmp_path: Path) -> None:
    pet = _object(id=_NUMBER, name=_TEXT)
    paths = _at("/pet", put={"requestBody": sent(pet), "responses": answers(pet)})
    paths["/pet/{petId}"] = {
        "parameters": [given("petId", schema=_NUMBER)],
        "get": {"responses": answers(pet)},
        "delete": {"responses": DONE},
    }
    one = only(compiled(tmp_path, paths), "PUT /pet")
    assert (one.flow.title, one.is_verified) == ("Update pet", True)
    assert len([name for name in asked(one) if "id" in name.lower() or name == "pet"]) == 1
    assert one.flow.steps[-1].role is Role.READ_BACK


def test_what_the_path_names_is_sent_in_the_body_under_the_same_name_and_not_asked_for_again(tmp_path: Path) -> None:
    thing = {**_object(id=_TEXT, name=_TEXT), "required": ["id", "name"]}
    page = {**_object(serviceId=_TEXT, text=_TEXT), "required": ["serviceId", "text"]}
    paths = _at("/services", get={"responses": answers({"type": "array", "items": thing})})
    paths |= _at("/services/{serviceId}", get={"responses": answers(thing)})
    paths |= _at(
        "/services/{serviceId}/page",
        get={"responses": answers(page)},
        post={"requestBody": sent(page), "responses": DONE},
    )
    one = only(compiled(tmp_path, paths), "POST /services/{serviceId}/page")
    assert {*asked(one)} == {"service", "text"}
    change = next(step for step in one.flow.steps if step.role is Role.CHANGE)
    assert change.payload["serviceId"] == "$steps.find_service.outputs.id"


def test_the_id_of_a_new_thing_is_given_also_where_such_things_are_listed_elsewhere(tmp_path: Path) -> None:
    key = {"Key": {**_object(clientId=_TEXT, clientName=_TEXT), "required": ["clientId", "clientName"]}}
    thing, ref = _object(id=_TEXT, name=_TEXT), {"$ref": "#/components/schemas/Key"}
    listed, put = answers({"type": "array", "items": ref}), {"requestBody": sent(ref), "responses": answers(ref)}
    paths = {}
    for owner in ("groups", "services"):
        paths |= _at(f"/{owner}", get={"responses": answers({"type": "array", "items": thing})})
        paths |= _at(f"/{owner}/{{id}}", get={"responses": answers(thing)})
        paths |= _at(f"/{owner}/{{id}}/keys", get={"responses": listed}, post=put)
        paths |= _at(f"/{owner}/{{id}}/keys/{{clientId}}", get={"responses": answers(ref)})
    made = compiled(tmp_path, paths, schemas=key)
    assert {*asked(only(made, "POST /services/{id}/keys"))} == {"service", "clientId", "clientName"}


def test_members_are_asked_for_where_a_patch_wants_a_list_of_steps_and_a_put_takes_the_thing(tmp_path: Path) -> None:
    thing = {**_object(id=_TEXT, name=_TEXT, size=_NUMBER), "required": ["id", "name"]}
    steps = {"type": "array", "items": _object(op=_TEXT, path=_TEXT, value={})}
    paths = _at("/boxes", get={"responses": answers({"type": "array", "items": thing})})
    paths |= _at(
        "/boxes/{id}",
        get={"responses": answers(thing)},
        put={"requestBody": sent(thing), "responses": answers(thing)},
        patch={"requestBody": sent(steps), "responses": answers(thing)},
    )
    one = only(compiled(tmp_path, paths), "PUT /boxes/{id}")
    assert (one.flow.title, "size" in asked(one)) == ("Update box", True)


def test_what_is_required_and_nowhere_described_is_asked_for(tmp_path: Path) -> None:
    thing = {**_object(id=_TEXT, name=_TEXT), "required": ["id", "name"]}
    body = {**_object(name=_TEXT), "required": ["name", "flavour"]}
    paths = _at(
        "/boxes",
        get={"responses": answers({"type": "array", "items": thing})},
        post={"requestBody": sent(body), "responses": answers(thing, "201")},
    )
    paths |= _at("/boxes/{id}", get={"responses": answers(thing)})
    one = only(compiled(tmp_path, paths), "POST /boxes")
    assert ({*asked(one)}, one.is_verified) == ({"name", "flavour"}, True)


def test_an_id_is_not_looked_up_in_lists_that_want_an_owner_and_know_things_by_their_ids_alone(tmp_path: Path) -> None:
    run, thing = _object(runId=_TEXT, started=_TEXT), _object(id=_TEXT, name=_TEXT)
    paths = _at("/sites", get={"responses": answers({"type": "array", "items": thing})})
    paths |= _at("/sites/{siteId}/runs", get={"responses": answers({"type": "array", "items": run})})
    paths |= _at("/sites/{siteId}", get={"responses": answers(thing)}) | _at(
        "/runs/{runId}", get={"responses": answers(run)}
    )
    one = only(compiled(tmp_path, paths), "GET /runs/{runId}")
    assert ([step.operation for step in one.flow.steps], one.is_verified) == (["GET /runs/{runId}"], True)


def test_what_is_done_or_read_behind_the_id_of_something_listed_elsewhere_is_told_of_that(tmp_path: Path) -> None:
    device = {**_object(id=_TEXT, name=_TEXT), "required": ["id", "name"]}
    paths = _at("/hw/devices", get={"responses": answers({"type": "array", "items": device})})
    paths |= _at("/hw/devices/{deviceId}", get={"responses": answers(device)})
    paths |= _at("/hw/actions/{deviceId}/rediscover", post={"responses": DONE})
    paths |= _at("/hw/energy-usage/{deviceId}", get={"responses": answers(_object(total=_NUMBER))})
    paths |= _at("/user", get={"responses": answers(_object(email=_TEXT))})
    paths |= _at("/request/{userId}", get={"responses": answers(_object(asked=_TEXT))})
    paths |= _at("/events", get={"responses": answers({"type": "array", "items": _object(userId=_TEXT, text=_TEXT)})})
    made = compiled(tmp_path, paths)
    request = only(made, "GET /request/{userId}")
    assert (request.flow.title, {*asked(request)}) == ("Get request of user", {"user_id"})
    assert only(made, "POST /hw/actions/{deviceId}/rediscover").flow.title == "Rediscover device"
    usage = only(made, "GET /hw/energy-usage/{deviceId}").flow
    assert (usage.title, usage.id) == ("Get energy usage of device", "odd_get_energy_usage_device")
    assert usage.description.startswith("Shows the energy usage of a device.")


def test_the_operations_id_says_what_the_address_says_with_less(tmp_path: Path) -> None:
    lists = {"operationId": "listPrivateSourceDefinitions", "requestBody": sent(_object(a=_TEXT)), "responses": DONE}
    shows = {"operationId": "getProjectStatusBadge", "responses": answers(_object(text=_TEXT))}
    made_up = {"operationId": "getKeysIdSecretState", "responses": answers(_object(text=_TEXT))}
    paths = _at("/source_definitions/list_private", post=lists) | _at("/projects/status/{badgeId}", get=shows)
    paths |= _at("/keys/{id}/secret/state", get=made_up)
    made = compiled(tmp_path, paths)
    assert only(made, "POST /source_definitions/list_private").flow.title == "List private source definitions"
    assert only(made, "GET /projects/status/{badgeId}").flow.title == "Get project status badge"
    assert "ID" not in only(made, "GET /keys/{id}/secret/state").flow.title


def test_what_stands_before_the_verb_is_what_it_is_done_to(tmp_path: Path) -> None:
    box = {**_object(id=_TEXT, name=_TEXT), "required": ["id", "name"]}
    paths = _at("/boxes", get={"responses": answers({"type": "array", "items": box})})
    paths |= _at("/boxes/{id}", get={"responses": answers(box)})
    paths |= _at("/boxes/{id}/floating-ips/{ip}/bind", post={"responses": DONE})
    paths |= _at("/boxes/{id}/maproute", post={"summary": "Map a public route to a box.", "responses": DONE})
    made = compiled(tmp_path, paths)
    assert only(made, "POST /boxes/{id}/floating-ips/{ip}/bind").flow.title == "Bind floating IP to box"
    assert only(made, "POST /boxes/{id}/maproute").flow.title == "Map route of box"


def test_each_order_that_the_end_of_an_address_takes_is_a_workflow_of_its_own_class(tmp_path: Path) -> None:
    pod = {**_object(id=_TEXT, name=_TEXT), "required": ["id", "name"]}
    paths = _at("/pods", get={"responses": answers({"type": "array", "items": pod})})
    paths |= _at("/pods/{id}", get={"responses": answers(pod)})
    orders = {"type": "string", "enum": ["reboot", "shutdown", "boot"]}
    paths["/pods/{id}/{action}"] = {
        "post": {"parameters": [given("id"), given("action", schema=orders)], "responses": DONE}
    }
    made = compiled(tmp_path, paths)
    parts = [one for one in made.workflows if one.flow.goal == "POST /pods/{id}/{action}"]
    told = {one.flow.title: (one.flow.risk, one.is_verified, {*asked(one)}) for one in parts}
    assert told == {
        "Reboot pod": (Risk.DISRUPT, True, {"pod"}),
        "Shutdown pod": (Risk.DISRUPT, True, {"pod"}),
        "Boot pod": (Risk.CHANGE, True, {"pod"}),
    }


def test_a_list_in_the_result_of_an_answer_is_one_and_keys_of_its_things_are_looked_up(tmp_path: Path) -> None:
    zone = {**_object(zone_key=_TEXT, name=_TEXT), "required": ["zone_key", "name"]}
    box = {**_object(name=_TEXT, zone_key=_TEXT), "required": ["name", "zone_key"]}
    paths = _at("/zone", get={"responses": answers(_object(result={"type": "array", "items": zone}))})
    paths |= _at("/zone/{zoneKey}", get={"responses": answers(_object(result=zone))})
    paths |= _at("/box", post={"requestBody": sent(box), "responses": answers(box, "201")})
    made = compiled(tmp_path, paths)
    assert [s.operation for s in only(made, "GET /zone/{zoneKey}").flow.steps] == ["GET /zone", "GET /zone/{zoneKey}"]
    assert {*asked(only(made, "POST /box"))} == {"name", "zone"}


def test_the_version_that_an_update_has_to_name_is_sent_as_it_was_read(tmp_path: Path) -> None:
    rule = {**_object(light=_TEXT, dark=_TEXT), "required": ["light"]}
    told = _object(id=_TEXT, name=_TEXT, note=_TEXT, checksum=_TEXT, rule=rule)
    schemas = {"Box": {**told, "required": ["id", "name", "checksum", "rule"]}}
    box = {"$ref": "#/components/schemas/Box"}
    paths = _at("/boxes", get={"responses": answers({"type": "array", "items": box})})
    paths |= _at(
        "/boxes/{id}", get={"responses": answers(box)}, put={"requestBody": sent(box), "responses": answers(box)}
    )
    one = only(compiled(tmp_path, paths, schemas=schemas), "PUT /boxes/{id}")
    assert ({*asked(one)}, one.is_verified) == ({"box", "name", "note", "light", "dark"}, True)


def test_an_address_that_takes_an_id_or_a_name_is_asked_for_either(tmp_path: Path) -> None:
    asks = given("idOrName", schema={"oneOf": [{"type": "boolean"}, _TEXT]})
    paths = {"/projects/{idOrName}": {"get": {"parameters": [asks], "responses": answers(_object(name=_TEXT))}}}
    one = only(compiled(tmp_path, paths), "GET /projects/{idOrName}")
    assert (asked(one)["project"]["description"], one.is_verified) == ("Name or id of the project.", True)


def test_a_list_of_steps_is_told_as_json_patch_and_no_list_of_things(tmp_path: Path) -> None:
    hook = {**_object(id=_TEXT, name=_TEXT), "required": ["id", "name"]}
    steps = {"type": "array", "items": _object(op=_TEXT, path=_TEXT, value={})}
    paths = _at("/hooks", get={"responses": answers({"type": "array", "items": hook})})
    patch = {"requestBody": sent(steps), "responses": answers(hook)}
    paths |= _at("/hooks/{id}", get={"responses": answers(hook)}, patch=patch)
    paths |= _at("/hooks/{id}/remove-by-label", post={"responses": DONE})
    paths |= _at("/scenarios", get={"responses": answers({"type": "array", "items": hook})})
    made = compiled(tmp_path, paths)
    assert "JSON Patch" in asked(only(made, "PATCH /hooks/{id}"))["items"]["description"]
    assert only(made, "POST /hooks/{id}/remove-by-label").flow.title == "Remove hook by label"
    assert only(made, "GET /scenarios").flow.title == "Find scenarios"
