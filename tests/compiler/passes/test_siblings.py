"""Things that are read, listed, made and deleted beside their address: `/boxes/{id}/json`, `/boxes/create`, `/vm.info`.

Invented descriptions; each test says what becomes of one of their kinds.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler import pipeline
from compiler.compiled import Compiled
from compiler.ir.model import Api, Effect, Flow, Resource
from compiler.pipeline import CompileRequest
from compiler.twin.machine import Twin
from compiler.twin.requests.messages import TwinReply, TwinRequest
from compiler.verification import compile_spec
from workflow.profiles.profile import Profile

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}
STATE: dict[str, Any] = {"type": "string", "enum": ["created", "running", "stopped", "paused"]}
DONE: dict[str, Any] = {"responses": {"204": {"description": "done"}}}
ID = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]


def members(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


BOX = members("Id", "name", "image", "memory", "state", Id=TEXT, name=TEXT, image=TEXT, memory=NUMBER, state=STATE)
LINE = members("Id", "name", Id=TEXT, name=TEXT)
NEW = members("name", "image", name=TEXT, image=TEXT, memory=NUMBER)
CONFIG = members("cpus", "memory", cpus=NUMBER, memory=NUMBER)
VM = members("config", "state", config=CONFIG, state=STATE)


def answer(schema: Any, status: str = "200") -> dict[str, Any]:
    return {"responses": {status: {"description": "ok", "content": {"application/json": {"schema": schema}}}}}


def sent(schema: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def listed(schema: Any) -> dict[str, Any]:
    return {"get": answer({"type": "array", "items": schema})}


def one(**methods: Any) -> dict[str, Any]:
    return {"parameters": ID, **methods}


MADE = {"post": {**sent(NEW), **answer(members("Id", Id=TEXT), "201")}}
BOXES: dict[str, Any] = {
    "/boxes/json": listed(LINE),
    "/boxes/create": MADE,
    "/boxes/{id}": one(delete=DONE),
    "/boxes/{id}/json": one(get=answer(BOX)),
    "/boxes/{id}/start": one(post=DONE),
    "/boxes/{id}/update": one(post={**sent(members("memory", memory=NUMBER)), **DONE}),
}
THINGS: dict[str, Any] = {
    "/things/list": listed(BOX),
    "/things/add": MADE,
    "/things/{id}/get": one(get=answer(BOX)),
    "/things/{id}/delete": one(post=DONE),
    "/things/{id}/stop": one(post=DONE),
}
PUMPS: dict[str, Any] = {
    "/pumps": listed(LINE),
    "/pumps/{id}/status": one(get=answer(members("state", state=STATE))),
    "/pumps/{id}/stop": one(post=DONE),
}
MACHINE: dict[str, Any] = {
    "/v1/vm.info": {"get": answer(VM)},
    "/v1/vm.counters": {"get": answer(members(reads=NUMBER))},
    "/v1/vm.create": {"put": {**sent(CONFIG), **DONE}},
    "/v1/vm.delete": {"put": DONE},
    "/v1/vm.boot": {"put": DONE},
    "/v1/vmm.ping": {"get": answer(members(version=TEXT))},
}
SYSTEM: dict[str, Any] = {
    "/system/info": {"get": answer(members(version=TEXT, state=STATE))},
    "/system/usage": {"get": answer(members(used=NUMBER))},
    "/system/reboot": {"post": DONE},
    "/system/stop": {"post": DONE},
}


def request(folder: Path, paths: Any, profile: Any = None) -> CompileRequest:
    spec = folder / "api.yaml"
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "rig", "version": "1"}, "paths": paths}))
    if profile is None:
        return CompileRequest(spec)
    (folder / "profile.yaml").write_text(yaml.safe_dump({"api": "rig", **profile}))
    return CompileRequest(spec, folder / "profile.yaml")


def understood(folder: Path, paths: Any, profile: Any = None) -> Api:
    return pipeline.dump(request(folder, paths, profile), "flows")


def resource(api: Api, noun: str) -> Resource:
    (found,) = [each for each in api.resources if each.noun == noun]
    return found


def flow_to(api: Api, goal: str) -> Flow:
    (found,) = [flow for flow in api.flows if flow.goal == goal]
    return found


def steps(flow: Flow) -> list[str]:
    return [f"{step.role} {step.operation}" for step in flow.steps]


def has_proved(made: Compiled) -> set[str]:
    return {one.flow.goal for one in made.workflows if one.is_verified}


def test_what_is_read_listed_and_made_beside_its_address_is_one_thing_with_its_actions(tmp_path: Path) -> None:
    box = resource(understood(tmp_path, BOXES), "boxes")
    assert (box.name, box.collection, box.item, box.id_field) == ("box", "/boxes", "/boxes/{id}", "Id")
    assert (box.list, box.read) == ("GET /boxes/json", "GET /boxes/{id}/json")
    assert (box.create, box.delete) == ("POST /boxes/create", "DELETE /boxes/{id}")
    assert box.actions == ("POST /boxes/{id}/start", "POST /boxes/{id}/update")


def test_such_a_thing_is_found_by_name_read_back_and_seen_to_be_gone(tmp_path: Path) -> None:
    made = compile_spec(request(tmp_path, BOXES))[0]
    api = made.api
    assert has_proved(made) == {operation.key for operation in api.operations}
    assert steps(flow_to(api, "DELETE /boxes/{id}")) == [
        "lookup GET /boxes/json",
        "change DELETE /boxes/{id}",
        "gone GET /boxes/{id}/json",
    ]
    back = flow_to(api, "POST /boxes/{id}/update").steps[-1]
    assert (back.operation, [each["place"] for each in back.expects]) == ("GET /boxes/{id}/json", ["/memory"])


def test_a_new_thing_is_read_by_the_id_that_a_receipt_tells_beside_other_things(tmp_path: Path) -> None:
    receipt = answer(members("Id", "Warnings", Id={**TEXT, "example": "e90e"}, Warnings=TEXT), "201")
    made = compile_spec(request(tmp_path, {**BOXES, "/boxes/create": {"post": {**sent(NEW), **receipt}}}))[0]
    assert "POST /boxes/create" in has_proved(made)
    assert flow_to(made.api, "POST /boxes/create").steps[-1].operation == "GET /boxes/{id}/json"
    assert not any(each.code == "workflow-not-read-back" for each in made.diagnostics)


def test_a_new_thing_is_read_by_itself_where_the_list_shows_less_of_it(tmp_path: Path) -> None:
    back = flow_to(understood(tmp_path, BOXES), "POST /boxes/create").steps[-1]
    assert back.operation == "GET /boxes/{id}/json"
    assert {"/image", "/memory", "/name"} <= {each["place"] for each in back.expects}


def test_a_state_that_the_list_does_not_show_is_checked_where_the_thing_is_read(tmp_path: Path) -> None:
    start = {"operation": "POST /boxes/{id}/start", "from_states": ["stopped"], "to": "running"}
    told = {"states": [{"resource": "boxes", "field": "/state", "initial": "stopped", "transitions": [start]}]}
    made = compile_spec(request(tmp_path, BOXES, told))[0]
    assert "POST /boxes/{id}/start" in has_proved(made)
    assert steps(flow_to(made.api, "POST /boxes/{id}/start")) == [
        "lookup GET /boxes/json",
        "check GET /boxes/{id}/json",
        "change POST /boxes/{id}/start",
        "read_back GET /boxes/{id}/json",
    ]


def test_a_list_a_read_and_a_deletion_may_each_be_under_a_word_of_their_own(tmp_path: Path) -> None:
    made = compile_spec(request(tmp_path, THINGS))[0]
    thing = resource(made.api, "things")
    assert (thing.list, thing.read) == ("GET /things/list", "GET /things/{id}/get")
    assert (thing.create, thing.delete) == ("POST /things/add", "POST /things/{id}/delete")
    assert has_proved(made) == {operation.key for operation in made.api.operations}
    assert {flow.title for flow in made.api.flows} == {
        "Find things", "Describe thing", "Create thing", "Delete thing", "Stop thing"
    }  # fmt: skip


def test_how_it_is_shows_a_thing_of_which_nothing_else_is_read_and_keeps_its_name(tmp_path: Path) -> None:
    api = understood(tmp_path, PUMPS)
    assert resource(api, "pumps").read == "GET /pumps/{id}/status"
    assert flow_to(api, "GET /pumps/{id}/status").title == "Get pump status"
    assert steps(flow_to(api, "POST /pumps/{id}/stop"))[-1] == "read_back GET /pumps/{id}/status"


def test_how_it_is_is_not_the_thing_where_more_is_read_of_it(tmp_path: Path) -> None:
    api = understood(tmp_path, {**PUMPS, "/pumps/{id}/log": one(get=answer(members(text=TEXT)))})
    assert not any(each.read == "GET /pumps/{id}/status" and each.noun == "pumps" for each in api.resources)


def test_what_has_a_read_of_its_own_keeps_it(tmp_path: Path) -> None:
    api = understood(tmp_path, {**BOXES, "/boxes/{id}": one(get=answer(BOX), delete=DONE), "/boxes": listed(LINE)})
    (box,) = [each for each in api.resources if each.item == "/boxes/{id}"]
    assert (box.list, box.read) == ("GET /boxes", "GET /boxes/{id}")


@pytest.mark.parametrize(
    ("word", "reply"),
    [("json", {"type": "array", "items": TEXT}), ("get", TEXT), ("logs", BOX)],
    ids=["a list", "a text", "another word"],
)
def test_what_shows_something_else_is_no_read_of_the_thing(word: str, reply: Any, tmp_path: Path) -> None:
    paths = {key: value for key, value in BOXES.items() if key != "/boxes/{id}/json"}
    api = understood(tmp_path, {**paths, f"/boxes/{{id}}/{word}": one(get=answer(reply))})
    assert not any(each.item == "/boxes/{id}" and each.read for each in api.resources)


def test_a_deletion_that_wants_to_be_told_what_is_none_of_the_thing_alone(tmp_path: Path) -> None:
    lines = one(post={**sent(members("lines", lines={"type": "array", "items": TEXT})), **DONE})
    which = one(post={"parameters": [{"name": "line", "in": "query", "required": True, "schema": TEXT}], **DONE})
    for deletion in (lines, which):
        api = understood(tmp_path, {**THINGS, "/things/{id}/delete": deletion})
        assert not resource(api, "things").delete


def test_one_thing_without_an_address_is_shown_made_deleted_and_acted_on(tmp_path: Path) -> None:
    made = compile_spec(request(tmp_path, MACHINE))[0]
    machine = resource(made.api, "vm")
    assert (machine.name, machine.item, machine.read) == ("VM", "/v1/vm", "GET /v1/vm.info")
    assert (machine.create, machine.delete) == ("PUT /v1/vm.create", "PUT /v1/vm.delete")
    assert machine.actions == ("GET /v1/vm.counters", "PUT /v1/vm.boot")
    effects = {operation.key: operation.effect for operation in made.api.operations}
    assert (effects["PUT /v1/vm.create"], effects["PUT /v1/vm.delete"]) == (Effect.CREATE, Effect.DELETE)
    assert not any(each.is_idempotent for each in made.api.operations if each.method == "PUT")
    assert has_proved(made) == set(effects)
    assert steps(flow_to(made.api, "PUT /v1/vm.delete"))[-1] == "gone GET /v1/vm.info"
    back = flow_to(made.api, "PUT /v1/vm.create").steps[-1]
    assert {each["place"] for each in back.expects} == {"/config/cpus", "/config/memory"}
    assert flow_to(made.api, "PUT /v1/vm.boot").steps[-1].operation == "GET /v1/vm.info"


def test_the_twin_makes_shows_and_deletes_the_one_thing(tmp_path: Path) -> None:
    twin = Twin(understood(tmp_path, MACHINE), Profile(api="rig"), now=lambda: 0.0)

    def ask(method: str, path: str, body: Any = None) -> TwinReply:
        typed = (("content-type", "application/json"),)
        return twin.handle(TwinRequest(method, f"/v1/{path}", (), typed, body, body is not None))

    assert ask("PUT", "vm.delete").status == 204
    assert [ask("GET", "vm.info").status, ask("PUT", "vm.boot").status] == [404, 404]
    assert ask("PUT", "vm.create", {"cpus": 3, "memory": 7}).status == 204
    assert ask("GET", "vm.info").body["config"] == {"cpus": 3, "memory": 7}
    assert ask("PUT", "vm.boot").status == 204
    assert ask("GET", "vm.info").body["state"] == "running"


def test_one_thing_below_a_word_is_acted_on_and_other_reads_stay_what_they_are(tmp_path: Path) -> None:
    api = understood(tmp_path, SYSTEM)
    system = resource(api, "system")
    assert (system.item, system.read, system.delete) == ("/system", "GET /system/info", "")
    assert system.actions == ("POST /system/reboot", "POST /system/stop")
    assert resource(api, "usage").parent == ""
    assert {flow.title for flow in api.flows} == {
        "Get system info", "Get system usage", "Reboot system", "Stop system"
    }  # fmt: skip
    assert steps(flow_to(api, "POST /system/stop"))[-1] == "read_back GET /system/info"


WHICH = {"get": {**answer(VM), "parameters": [{"name": "id", "in": "query", "required": True, "schema": TEXT}]}}


@pytest.mark.parametrize(
    "paths",
    [
        {"/system/info": WHICH, "/system/stop": {"post": DONE}},
        {"/systems/info": {"get": answer(VM)}, "/systems/stop": {"post": DONE}},
        {"/system/info": {"get": answer(VM)}, "/system/status": {"get": answer(VM)}, "/system/stop": {"post": DONE}},
        {"/system/info": {"get": answer(VM)}, "/system/usage": {"get": answer(VM)}},
        {"/system/info": {"get": answer(VM)}, "/system/stop": {"post": DONE}, "/system/{id}": one(delete=DONE)},
        {"/v1/info": {"get": answer(VM)}, "/v1/stop": {"post": DONE}},
    ],
    ids=["asks which one", "several", "two reads", "nothing is done", "a collection", "the API itself"],
)
def test_where_it_is_not_plain_that_there_is_one_thing_nothing_is_made_of_it(paths: Any, tmp_path: Path) -> None:
    assert not any(each.actions and each.read.endswith("/info") for each in understood(tmp_path, paths).resources)


def test_the_report_says_what_was_taken_for_what_and_the_profile_says_otherwise(tmp_path: Path) -> None:
    notes = {each.pointer: each.message for each in compile_spec(request(tmp_path, SYSTEM))[0].diagnostics}
    assert notes["GET /system/info"] == "by its word “info” assumed that it shows what stands at /system"
    told = {"identity": {"read_at": {"/system": "GET /system/usage"}}}
    made = compile_spec(request(tmp_path, SYSTEM, told))[0]
    assert resource(made.api, "system").read == "GET /system/usage"
    assert not any(each.code == "place-assumed" for each in made.diagnostics)
    none = understood(tmp_path, SYSTEM, {"identity": {"read_at": {"/system": ""}}})
    assert not any(each.item == "/system" for each in none.resources)
