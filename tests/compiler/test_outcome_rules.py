"""Rules of outcomes that no behaviour of the library meets: each is held by a run that goes wrong without it.

A description is planned with the rule and with the rule taken out, and both workflows are run against the same device,
which answers well and does something else than it was asked for.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compiler import pipeline
from compiler.arazzo import document_of
from compiler.passes.flows import intents, postconditions
from compiler.passes.flows.steps import expectations
from compiler.proofs import behaviour_runs
from compiler.verification import compile_spec
from tests.compiler.odd import answers, given, sent
from tests.compiler.test_behaviour_runs import BY_NAME, compiled_of, played
from tests.workflow.dialogue import Dialogue
from workflow.programs.program_making import build_program
from workflow.requests.events import EndRun, SendRequest, StartTimer, TimerFired
from workflow.running import fates

TEXT = {"type": "string"}
VM = {"type": "object", "properties": {"id": TEXT, "name": TEXT, "cpus": {"type": "integer"}}}
PLAN = {"type": "object", "properties": {"id": TEXT, "name": TEXT, "enabled": {"type": "boolean"}}}
SCHEMAS = {"Vm": VM, "Schedule": PLAN}
DEVICES = {"type": "object", "properties": {"devices": {"type": "array", "items": TEXT, "example": ["disk", "net"]}}}
DONE = {"204": {"description": "done"}}
REQUEST = {"type": "object", "required": ["method", "path"], "properties": {"method": TEXT, "path": TEXT, "body": {}}}
ANSWER = {"type": "object", "properties": {"status": {"type": "integer"}, "body": {"type": "object"}}}


def things(noun: str, thing: str) -> dict[str, Any]:
    ref = {"$ref": f"#/components/schemas/{thing}"}
    one = {"parameters": [given("id")], "get": {"responses": answers(ref)}}
    return {f"/{noun}": {"get": {"responses": answers({"type": "array", "items": ref})}}, f"/{noun}/{{id}}": one}


def act(path: str, responses: Any, name_of_it: str = "", **body: Any) -> dict[str, Any]:
    called = {"requestBody": sent({"type": "object", "properties": body, "required": [*body]})} if body else {}
    called |= {"operationId": name_of_it} if name_of_it else {}
    return {path: {"parameters": [given("id")], "post": {**called, "responses": responses}}}


def several(name: str, one: dict[str, Any]) -> dict[str, Any]:
    members = {name: {"type": "array", "minItems": 1, "items": one}}
    return {"type": "object", "required": [name], "properties": members}


COPY = things("vms", "Vm") | act("/vms/{id}/clone", answers({"$ref": "#/components/schemas/Vm"}, "201"), name=TEXT)
ENABLE = things("schedules", "Schedule") | act("/schedules/{id}/enable", DONE, "enableSchedule")
BOOT = things("vms", "Vm") | {
    "/vms/{id}/boot-order": {
        "parameters": [given("id")],
        "get": {"responses": answers(DEVICES)},
        "put": {"requestBody": sent(DEVICES), "responses": DONE},
    }
}
BATCH = {
    "/batch": {
        "post": {
            "requestBody": sent(several("requests", REQUEST)),
            "responses": answers(several("responses", ANSWER)),
        }
    }
}


def described(folder: Path, paths: dict[str, Any]) -> pipeline.CompileRequest:
    info = {"openapi": "3.0.3", "info": {"title": "Lab", "version": "1"}, "components": {"schemas": SCHEMAS}}
    (folder / "lab.json").write_text(json.dumps({**info, "paths": paths}))
    return pipeline.CompileRequest(folder / "lab.json")


def end_on(
    folder: Path, paths: dict[str, Any], goal: str, shown: Callable[[SendRequest], Any], **inputs: Any
) -> EndRun:
    """How the workflow of `goal` ends on a device that answers changes well and shows what `shown` says."""
    api = pipeline.dump(described(folder, paths), "flows")
    flow = next(each for each in api.flows if each.goal == goal)
    run = Dialogue(build_program(document_of(api, flow, None)), **inputs)
    command: Any = run.first
    while not isinstance(command, EndRun):
        if isinstance(command, StartTimer):
            command = run.say(TimerFired(command.step_id))
        else:
            body = shown(command)
            status = 204 if body is None else 201 if command.method == "POST" else 200
            command = run.answer(command.step_id, status, body)
    return command


def clone(request: SendRequest) -> Any:
    """A copy that is told of and is not there."""
    web = {"id": "v-1", "name": "web", "cpus": 2}
    return {**web, "id": "v-9", "name": "copy"} if request.method == "POST" else [web]


def test_a_copy_is_looked_for_and_believed_when_the_look_is_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goal, inputs = "POST /vms/{id}/clone", {"vm": "web", "name": "copy"}
    assert end_on(tmp_path, COPY, goal, clone, **inputs).outcome in ("failed", "unknown")
    monkeypatch.setattr(intents, "_answers_with_copy", lambda *_: False)
    assert end_on(tmp_path, COPY, goal, clone, **inputs).outcome == "succeeded"


def weekly(request: SendRequest) -> Any:
    """A schedule that stays as it is."""
    plan = {"id": "c-2", "name": "weekly", "enabled": False}
    return None if request.method == "POST" else plan if request.path.endswith("c-2") else [plan]


def test_a_verb_whose_thing_is_called_like_another_verb_is_read_back_and_not_when_its_words_are_all_taken_for_verbs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = end_on(tmp_path, ENABLE, "POST /schedules/{id}/enable", weekly, schedule="weekly")
    assert (end.outcome, end.failure and end.failure.code) == ("failed", "not_taken")

    def of_any_word(_reader: Any, operation: Any, _owner: Any) -> bool:
        return any(word in postconditions._ELSEWHERE for said in postconditions._names_of(operation) for word in said)

    monkeypatch.setattr(postconditions._Reader, "_comes_out_elsewhere", of_any_word)
    assert end_on(tmp_path, ENABLE, "POST /schedules/{id}/enable", weekly, schedule="weekly").outcome == "succeeded"


def boots(request: SendRequest) -> Any:
    """An order that stays as it is."""
    if request.path.endswith("boot-order"):
        return None if request.method == "PUT" else {"devices": ["disk", "net"]}
    return [{"id": "v-1", "name": "web", "cpus": 2}]


def test_an_order_is_compared_as_one_and_is_like_any_list_when_that_is_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goal, inputs = "PUT /vms/{id}/boot-order", {"vm": "web", "devices": ["net", "disk"]}
    end = end_on(tmp_path, BOOT, goal, boots, **inputs)
    assert (end.outcome, end.failure and end.failure.code) == ("failed", "not_taken")
    monkeypatch.setattr(expectations._Writer, "_is_an_order", lambda *_: False)
    assert end_on(tmp_path, BOOT, goal, boots, **inputs).outcome == "succeeded"


@pytest.mark.slow
def test_a_device_that_shows_an_order_in_another_one_is_not_held_for_one_that_shows_lists_anyhow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behaviour_runs, "LIBRARY", (BY_NAME["another order"],))
    made = compile_spec(described(tmp_path, BOOT))[0]
    (put,) = [one for one in made.workflows if one.flow.goal.startswith("PUT")]
    assert put.is_verified
    assert "another order" not in {run["case"] for run in put.proof["runs"]}


@pytest.mark.slow
def test_a_batch_with_an_answer_too_few_is_unknown_and_succeeds_when_the_count_is_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = compiled_of(BATCH, tmp_path)
    (batch,) = made.workflows
    assert batch.is_verified
    usual = played(made, batch.flow, "answers missing", monkeypatch)
    assert usual is not None
    assert (usual.outcome, usual.code, usual.fault) == ("unknown", "answers_missing", "")
    monkeypatch.setattr(fates, "counted", lambda *_: None)
    careless = played(made, batch.flow, "answers missing", monkeypatch)
    assert careless is not None
    assert careless.outcome == "succeeded"
