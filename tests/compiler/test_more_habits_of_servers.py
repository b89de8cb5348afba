"""More habits of servers that others wrote: a record that is a mere yes or no, copies that may have an id of their own.

Each once made a claim false or a workflow of no use; cut to the point. See `test_habits_of_servers`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import CompiledWorkflow
from compiler.ir.model import Role
from compiler.passes.flows.simpler import without_sight
from compiler.passes.flows.wording.texts import flow_id
from tests.compiler.odd import DONE, answers, asked, compiled, given, only, sent
from tests.compiler.test_habits_of_servers import TEXT, kept, thing

SHOWN = thing(box_id=TEXT, name=TEXT, status={"type": "string", "enum": ["opened", "closed"]})


def beside(path: str, **methods: Any) -> dict[str, Any]:
    """Boxes, and one operation more below them."""
    return {**kept(SHOWN, thing(name=TEXT), key="box_id"), path: {"parameters": [given("box_id")], **methods}}


@pytest.mark.parametrize("kind", ["boolean", "string", "integer", "array"])
def test_a_record_that_is_no_object_is_promised_as_what_it_is_and_a_text_as_anything(kind: str, tmp_path: Path) -> None:
    made = compiled(
        tmp_path, beside("/boxes/{box_id}/locked", get={"responses": answers({"type": kind, "items": TEXT})})
    )
    told = only(made, "GET /boxes/{box_id}/locked").document["workflows"][0]["x-switchgear"]["outputs"]["properties"]
    (shown,) = (schema for name, schema in told.items() if name in ("item", "items", "reply"))
    assert shown.get("type") == (None if kind in ("string", "integer") else kind)


def test_an_optional_id_in_the_body_of_what_copies_a_thing_need_not_be_there_already(tmp_path: Path) -> None:
    body = {**thing(box_id=TEXT, name=TEXT), "required": ["name"]}
    copying = {"requestBody": sent(body), "responses": answers(SHOWN, "201")}
    one = only(compiled(tmp_path, beside("/boxes/{box_id}/duplicate", post=copying)), "POST /boxes/{box_id}/duplicate")
    assert one.is_verified
    assert "target_box" not in asked(one)
    assert one.document["workflows"][0]["inputs"]["required"] == ["box", "name"]


@pytest.mark.parametrize(("verb", "state"), [("open", "opened"), ("close", "closed")])
def test_what_is_opened_or_closed_is_read_back(verb: str, state: str, tmp_path: Path) -> None:
    one = only(
        compiled(tmp_path, beside(f"/boxes/{{box_id}}/{verb}", post={"responses": DONE})),
        f"POST /boxes/{{box_id}}/{verb}",
    )
    assert [each["asked"] for step in one.flow.steps for each in step.expects] == [state]


def test_a_read_that_is_described_with_another_good_status_than_200_may_be_answered_so(tmp_path: Path) -> None:
    listing = {"responses": answers({"type": "array", "items": SHOWN}, "201")}
    made = compiled(tmp_path, {**kept(SHOWN, thing(name=TEXT), key="box_id"), "/boxes/shared": {"get": listing}})
    shown = only(made, "GET /boxes/shared")
    assert shown.is_verified
    assert shown.flow.steps[0].success[0] == {"condition": "$statusCode == 200 || $statusCode == 201"}
    plain = only(made, "GET /boxes").flow.steps[0].success
    assert plain[0] == {"condition": "$statusCode == 200"}


def test_what_is_put_into_a_list_by_its_address_is_looked_for_there(tmp_path: Path) -> None:
    one = [given("box_id"), given("user_id")]
    user = thing(user_id=TEXT, username=TEXT)
    paths = {
        **kept(SHOWN, thing(name=TEXT), key="box_id"),
        "/users": {"get": {"responses": answers({"type": "array", "items": user})}},
        "/users/{user_id}": {"get": {"parameters": one[1:], "responses": answers(user)}},
        "/boxes/{box_id}/members": {
            "get": {"parameters": one[:1], "responses": answers({"type": "array", "items": user})}
        },
        "/boxes/{box_id}/members/{user_id}": {"put": {"parameters": one, "responses": DONE}},
    }
    adding = only(compiled(tmp_path, paths), "PUT /boxes/{box_id}/members/{user_id}")
    assert adding.is_verified
    back = adding.flow.steps[-1]
    assert (back.role, back.operation) == (Role.READ_BACK, "GET /boxes/{box_id}/members")
    assert back.decides
    look = next(step for step in adding.flow.steps if step.id == "look")
    assert (look.operation, look.branches[0]["type"]) == (back.operation, "end")  # what is in it already is not sent
    assert adding.document["workflows"][0]["inputs"]["required"] == ["box", "user"]


def test_what_an_inventory_is_refused_for_one_thing_is_left_out_of_it_and_nothing_else_has_to_be_named(
    tmp_path: Path,
) -> None:
    part = thing(part_id=TEXT, name=TEXT)
    owned = thing(row_id=TEXT, name=TEXT, box_id=TEXT)
    paths = kept(SHOWN, thing(name=TEXT), key="box_id")
    for name in ("locks", "lids"):
        paths[f"/boxes/{{box_id}}/{name}"] = {
            "get": {"parameters": [given("box_id")], "responses": answers({"type": "array", "items": part})}
        }
    paths |= {
        "/halls": {"get": {"responses": answers({"type": "array", "items": thing(hall_id=TEXT, name=TEXT)})}},
        "/halls/{hall_id}/rows": {
            "get": {"parameters": [given("hall_id")], "responses": answers({"type": "array", "items": owned})}
        },
    }
    made = compiled(tmp_path, paths)
    (report,) = [one for one in made.workflows if "inventory" in one.flow.id]
    assert [*asked(report)] == ["box"]
    refused = [
        str(each["criteria"]) for step in report.flow.steps for each in step.failures if each["name"] == "not_here"
    ]
    assert len(refused) == 2
    assert all("409" in each for each in refused)


def test_a_put_that_keeps_what_is_not_given_does_not_send_the_ids_of_what_its_address_names(tmp_path: Path) -> None:
    drawing = thing(drawing_id=TEXT, box_id=TEXT, x={"type": "integer"}, y={"type": "integer"})
    at = [given("box_id"), given("drawing_id")]
    ref = {"$ref": "#/components/schemas/Drawing"}
    paths = {
        **kept(SHOWN, thing(name=TEXT), key="box_id"),
        "/boxes/{box_id}/drawings": {
            "get": {"parameters": at[:1], "responses": answers({"type": "array", "items": ref})},
            "post": {"parameters": at[:1], "requestBody": sent(ref), "responses": answers(ref, "201")},
        },
        "/boxes/{box_id}/drawings/{drawing_id}": {
            "get": {"parameters": at, "responses": answers(ref)},
            "put": {"parameters": at, "requestBody": sent(ref), "responses": answers(ref)},
        },
    }
    made = compiled(tmp_path, paths, schemas={"Drawing": drawing})
    goal = "PUT /boxes/{box_id}/drawings/{drawing_id}"
    updating = only(made, goal)  # there is none that assigns another box, which the address says
    change = next(step for step in updating.flow.steps if step.operation == goal)
    assert change.omits == ("/box_id",)
    (written,) = [step for step in updating.document["workflows"][0]["steps"] if step["stepId"] == change.id]
    assert written["x-switchgear"]["omits"] == ["/box_id"]
    assert all("box_id" not in body for body in _sent(updating, "PUT"))


def _sent(one: CompiledWorkflow, method: str) -> list[Any]:
    """The bodies that the usual run on the twin sent by this method."""
    usual = one.proof["runs"][0]["transcript"]
    found = [each.get("sent") for each in usual if each["method"] == method]
    assert found
    return found


def test_an_address_that_a_program_put_behind_an_operations_id_says_nothing(tmp_path: Path) -> None:
    operation = {"operationId": "flush_cache_v3_boxes__box_id__cache_flush_post", "responses": DONE}
    made = compiled(tmp_path, beside("/v3/boxes/{box_id}/cache/flush", post=operation))
    (found,) = [one for one in made.api.operations if one.operation_id]
    assert (found.name, found.operation_id) == ("flush_cache", operation["operationId"])
    lone = {"operationId": "reload_v3_reload_post", "responses": DONE}
    one = only(compiled(tmp_path, {**kept(SHOWN, key="box_id"), "/v3/reload": {"post": lone}}), "POST /v3/reload")
    assert "post" not in one.flow.title.lower()


@pytest.mark.parametrize(
    ("api", "begins"), [("gns3", "gns3_"), ("k8s_lab", "k8s_lab_"), ("Rack PDU", "rack_pdu_"), ("my-api", "my_api_")]
)
def test_workflows_begin_with_the_name_of_the_api_as_it_is_where_that_is_a_plain_word(api: str, begins: str) -> None:
    assert flow_id(api, "start", "node") == f"{begins}start_node"


@pytest.mark.parametrize(
    ("told", "schema", "is_endless"),
    [
        ("Receive notifications about the controller from HTTP stream.", {}, True),
        ("Streams all events of the box.", {}, True),
        ("Server-sent events", {}, True),
        ("Stream the capture file.", {}, False),
        ("The settings of the event stream.", thing(url=TEXT), False),
    ],
)
def test_a_read_of_undescribed_content_that_is_told_as_a_stream_of_events_has_no_end(
    told: str, schema: Any, is_endless: bool, tmp_path: Path
) -> None:
    operation = {"description": told, "responses": answers(schema)}
    made = compiled(tmp_path, beside("/boxes/{box_id}/notices", get=operation))
    (found,) = [one for one in made.api.operations if one.path.endswith("/notices")]
    assert found.left_out.startswith("endless") is is_endless


def test_what_an_update_calls_new_is_compared_with_what_the_thing_shows_without_that_word(tmp_path: Path) -> None:
    state = {"type": "string", "enum": ["opened", "closed"]}

    def compared(**body: Any) -> dict[str, Any]:
        shown = thing(box_id=TEXT, name=TEXT, state=state, size={"type": "integer"})
        made = compiled(tmp_path, kept(shown, thing(name=TEXT), thing(name=TEXT, **body), key="box_id"))
        steps = next(one for one in made.workflows if one.flow.intent in ("update", "ensure")).flow.steps
        return {each["asked"]: each["place"] for s in steps for each in s.expects if "found" in each}

    assert compared(new_state=state)["$inputs.new_state"] == "/state"
    assert compared(newState=state)["$inputs.newState"] == "/state"
    assert "$inputs.new_size" not in compared(new_size=TEXT)
    assert "$inputs.new_state" not in compared(new_state=state, state=state)
    assert "$inputs.new_lid" not in compared(new_lid=state)


def test_a_change_whose_sight_is_left_away_says_that_nobody_looks(tmp_path: Path) -> None:
    made = compiled(tmp_path, kept(SHOWN, thing(name=TEXT), key="box_id"))
    flow = next(one.flow for one in made.workflows if one.flow.intent == "create")
    assert flow.steps[-1].role is Role.READ_BACK
    cut = without_sight(flow)
    assert cut is not None
    (told,) = (each for step in cut.steps for each in step.expects)
    assert told["shown"] is False
    assert "nothing is read back" in told["text"]
    first = replace(flow.steps[0], expects=({"place": "", "text": "it is there"},))
    cut = without_sight(replace(flow, steps=(first, *flow.steps[1:])))
    assert cut is not None
    assert [each["text"] for step in cut.steps for each in step.expects] == ["it is there"]
