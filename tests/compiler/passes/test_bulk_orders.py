"""An order to all things of a list is looked at in all of them, whatever the server says of how it went."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.workflow.dialogue import Dialogue, ended, sent
from workflow.documents.reader import read_document
from workflow.programs.program_making import build_program
from workflow.requests.events import StartTimer, TimerFired
from workflow.risks import Risk

TEXT: dict[str, Any] = {"type": "string"}
NAME = {"name": "name", "in": "path", "required": True, "schema": TEXT}
PROJECT = {"name": "project", "in": "query", "schema": TEXT}
STATES = {"type": "string", "enum": ["Running", "Stopped", "Frozen"]}
DONE = {"204": {"description": "done"}}


def thing(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def shown(schema: Any) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def sent_as(schema: Any) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def compiled(folder: Path, *actions: str, state: Any = STATES) -> Compiled:
    order = {"type": "string", "enum": ["start", "stop", "restart"]}
    box = thing(name=TEXT, note=TEXT, status=state)
    all_ = {**order, "enum": [*actions]} if actions else order
    paths = {
        "/boxes": {
            "get": {"parameters": [PROJECT], "responses": shown(thing(boxes={"type": "array", "items": box}))},
            "put": {
                "operationId": "boxes_put",
                "summary": "Change the state of all boxes",
                "parameters": [PROJECT],
                "requestBody": sent_as(thing(state=thing(action=all_, force={"type": "boolean"}))),
                "responses": DONE,
            },
        },
        "/boxes/{name}": {"get": {"parameters": [NAME], "responses": shown(box)}},
        "/boxes/{name}/state": {
            "get": {"parameters": [NAME], "responses": shown(thing(status=STATES, pid=TEXT))},
            "put": {
                "operationId": "box_state_put",
                "summary": "Change the state of a box",
                "parameters": [NAME],
                "requestBody": sent_as(thing(action=order, force={"type": "boolean"})),
                "responses": DONE,
            },
        },
    }
    told = {"openapi": "3.1.0", "info": {"title": "hall", "version": "1"}, "paths": paths}
    (folder / "api.yaml").write_text(yaml.safe_dump(told))
    return compile_spec(CompileRequest(folder / "api.yaml"))[0]


def to_all(made: Compiled) -> dict[str, Any]:
    return {one.flow.id: one for one in made.workflows if one.flow.goal == "PUT /boxes"}


def test_each_order_to_all_is_a_workflow_of_its_own_class(tmp_path: Path) -> None:
    found = to_all(compiled(tmp_path))
    assert {name: one.flow.risk for name, one in found.items()} == {
        "hall_start_all_boxes": Risk.CHANGE,
        "hall_stop_all_boxes": Risk.DISRUPT,
        "hall_restart_all_boxes": Risk.DISRUPT,
    }
    assert all(one.is_verified for one in found.values())


def stopped(made: Compiled, *states: str) -> tuple[Dialogue, Any]:
    run = Dialogue(build_program(read_document(to_all(made)["hall_stop_all_boxes"].document, "hall")), project="p")
    assert sent(run.first, "change").body == {"state": {"action": "stop"}}
    asked = sent(run.answer("change", 204), "check_all")
    assert ("project", "p") in asked.query
    return run, run.answer("check_all", 200, {"boxes": [{"name": n, "status": s} for n, s in enumerate(states)]})


@pytest.mark.parametrize("states", [("Stopped", "Stopped"), ()])
def test_what_all_of_them_show_is_verified(tmp_path: Path, states: tuple[str, ...]) -> None:
    _, command = stopped(compiled(tmp_path), *states)
    assert ended(command, "succeeded").verified == "all"


def test_one_that_stays_as_it_was_makes_it_no_success(tmp_path: Path) -> None:
    run, command = stopped(compiled(tmp_path), "Stopped", "Running")
    while isinstance(command, StartTimer):
        sent_again = run.say(TimerFired("check_all"))
        assert sent_again.step_id == "check_all"
        command = run.answer("check_all", 200, {"boxes": [{"name": "a", "status": "Running"}]})
    told = ended(command, "failed", "not_reached")
    assert told.failure.may_be_done == ("change",)
    assert told.verified == ""


@pytest.mark.parametrize(("actions", "state"), [(("begin", "end"), STATES), ((), None)])
def test_what_is_no_known_order_or_shown_nowhere_is_told_as_before(tmp_path: Path, actions: Any, state: Any) -> None:
    found = to_all(compiled(tmp_path, *actions, state=state or {"type": "object"}))
    assert "hall_stop_all_boxes" not in found or found["hall_stop_all_boxes"].flow.steps[-1].role.value == "change"
