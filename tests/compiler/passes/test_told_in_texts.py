"""What stands in texts alone: orders and states that a sentence lists, envelopes, lists that a query makes fuller.

One made-up API of machines works the way that some hypervisors do: `PUT /machines/{name}/state` with an order, one
envelope around all answers, lists of addresses unless they are asked for things, `POST` on a thing to rename it.
"""

from typing import Any

import pytest
import yaml

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.ir.schemas import SharedSchemas
from compiler.passes.orders_told import orders_in
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from workflow.risks import Risk

TEXT: dict[str, Any] = {"type": "string"}
ORDER = "What to do (start, stop, restart, freeze, unfreeze)"
STATES = "Current state (Running, Stopped, Frozen or Error)"


def around(held: Any) -> dict[str, Any]:
    """An answer in the envelope."""
    beside = {"type": TEXT, "status": TEXT, "status_code": {"type": "integer"}}
    return answer({"type": "object", "properties": {**beside, "metadata": held}})


def answer(schema: Any) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def body(**members: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": members, "required": [*members][:1]}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def thing(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"name": TEXT, **members}}


def collection(noun: str, shown: Any, **sent: Any) -> dict[str, Any]:
    """Listed as addresses, or as things; made, read, changed, renamed and deleted."""
    one = f"/{noun}/{{name}}"
    nothing = answer({"type": "object", "properties": {"type": TEXT, "status": TEXT}})
    which = {"name": "name", "in": "path", "required": True, "schema": TEXT}
    return {
        f"/{noun}": {
            "get": {"summary": f"Get the {noun}", "responses": around({"type": "array", "items": TEXT})},
            "post": {"summary": f"Add to the {noun}", "requestBody": body(name=TEXT, **sent), "responses": nothing},
        },
        f"/{noun}?recursion=1": {
            "get": {"summary": f"Get the {noun}", "responses": around({"type": "array", "items": shown})}
        },
        one: {
            "parameters": [which],
            "get": {"summary": "Get it", "responses": around(shown)},
            "patch": {"summary": "Update it", "requestBody": body(**sent), "responses": nothing},
            "post": {"summary": "Rename it", "requestBody": body(name=TEXT), "responses": nothing},
            "delete": {"summary": "Delete it", "responses": nothing},
        },
    }


def described() -> dict[str, Any]:
    state = thing(status={**TEXT, "description": STATES}, pid={"type": "integer"})
    which = {"name": "name", "in": "path", "required": True, "schema": TEXT}
    nothing = answer({"type": "object", "properties": {"type": TEXT, "status": TEXT}})
    ordered = body(action={**TEXT, "description": ORDER}, force={"type": "boolean"})
    return {
        **collection("machines", thing(cores={"type": "integer"}), cores={"type": "integer"}),
        **collection("pools", thing(driver=TEXT), driver=TEXT),
        **collection("bridges", thing(mtu={"type": "integer"}), mtu={"type": "integer"}),
        "/machines/{name}/state": {
            "parameters": [which],
            "get": {"summary": "Get the state", "responses": around(state)},
            "put": {"summary": "Change the state", "requestBody": ordered, "responses": nothing},
        },
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    spec = tmp_path_factory.mktemp("hall") / "api.yaml"
    info = {"title": "hall", "version": "1"}
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": info, "paths": described()}))
    return compile_spec(CompileRequest(spec, plays_all=True))[0]


def called(made: Compiled, name: str) -> CompiledWorkflow:
    return next(one for one in made.workflows if one.flow.id == name)


def steps(made: Compiled, name: str) -> list[str]:
    return [step.operation for step in called(made, name).flow.steps]


def test_each_order_of_a_sentence_is_a_workflow_of_its_class(made: Compiled) -> None:
    acting = {one.flow.id: one.flow.risk for one in made.workflows if one.flow.goal == "PUT /machines/{name}/state"}
    assert acting == {
        "hall_start_or_unfreeze_machine": Risk.CHANGE,
        "hall_stop_machine": Risk.DISRUPT,
        "hall_restart_machine": Risk.DISRUPT,
        "hall_freeze_machine": Risk.DISRUPT,
    }


def test_the_state_that_an_order_promises_is_looked_at(made: Compiled) -> None:
    assert steps(made, "hall_stop_machine")[-1] == "GET /machines/{name}/state"
    assert "Stopped" in str(called(made, "hall_stop_machine").document)
    assert called(made, "hall_stop_machine").is_verified


def test_a_restart_promises_no_state_that_was_not_there_before(made: Compiled) -> None:
    assert steps(made, "hall_restart_machine")[-1] == "PUT /machines/{name}/state"


def test_what_is_assumed_of_orders_and_states_is_told(made: Compiled) -> None:
    told = {one.code: one.message for one in made.diagnostics if one.code in ("orders-assumed", "states-assumed")}
    assert "start, stop, restart, freeze, unfreeze" in told["orders-assumed"]
    assert "stop: Stopped" in told["states-assumed"]


def test_things_are_listed_where_they_are_shown_and_not_where_only_their_addresses_are(made: Compiled) -> None:
    assert steps(made, "hall_find_machines") == ["GET /machines?recursion=1"]
    left = {operation.key: operation.left_out for operation in made.api.operations}
    assert left["GET /machines"] == "alias of GET /machines?recursion=1"


def test_what_is_made_is_read_back_inside_the_envelope(made: Compiled) -> None:
    assert steps(made, "hall_create_machine")[-1] == "GET /machines?recursion=1"
    assert {resource.item_at for resource in made.api.resources if resource.read} == {"/metadata"}


def test_renaming_is_no_other_way_to_change(made: Compiled) -> None:
    assert steps(made, "hall_rename_machine") == ["POST /machines/{name}", "GET /machines/{name}"]
    assert "hall_update_machine" in {one.flow.id for one in made.workflows}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("action", "accept or reject", ("accept", "reject")),
        ("op", "One of `start`, `stop` or `reset`. Only some take it.", ("start", "stop", "reset")),
        ("action", "The action: cancel, reopen or close. Left blank nothing is done", ("cancel", "reopen", "close")),
        ("action", "This can be either <code>ENABLE</code> or <code>DISABLE</code>.", ("ENABLE", "DISABLE")),
        ("action", "Valid values are: * `pause` * `resume`", ("pause", "resume")),
        ("action", "What is done (e.g. start, stop)", ()),
        ("action", "Colour (red, green or blue)", ()),
        ("note", "What was done (start, stop)", ()),
        ("action", "Start or stop it as you like, then wait", ()),
    ],
)
def test_a_list_of_orders_is_one_by_the_members_name_and_its_words(name: str, text: str, told: tuple[str, ...]) -> None:
    assert orders_in(SharedSchemas({}), name, {**TEXT, "description": text}) == told
