"""Ids of tasks that changes answer as bare text: waited for where the description says what they are, only there."""

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled
from compiler.frontend.load import load_api
from compiler.ir.model import Job, Role
from compiler.passes import effects, jobs, resources
from compiler.passes.outcome import Options
from tests.compiler.odd import THINGS, answers, compiled, given, only
from tests.workflow.dialogue import Dialogue, ended
from workflow.documents.reader import read_document
from workflow.profiles.profile import Profile
from workflow.programs.program_making import build_program

_TEXT = {"type": "string"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def _depot(reply: Any, task: Any, below: str = "/status", noun: str = "tasks", parameter: Any = None) -> dict[str, Any]:
    """A depot with nodes, boxes on them that can be started and scrapped, and tasks below each node."""
    node, box = given("node"), given("box")
    one = parameter or given("ref")
    place = f"/nodes/{{node}}/{noun}/{{{one['name']}}}{below}"
    answered = reply if "200" in reply or "202" in reply else answers(reply)
    return {
        "/nodes": {"get": {"responses": answers({"type": "array", "items": _object(node=_TEXT)})}},
        "/nodes/{node}": {"get": {"parameters": [node], "responses": answers(_object(node=_TEXT, load=_TEXT))}},
        "/nodes/{node}/boxes": {"get": {"parameters": [node], "responses": THINGS}},
        "/nodes/{node}/boxes/{box}": {
            "get": {"parameters": [node, box], "responses": answers(_object(id=_TEXT, name=_TEXT))},
            "delete": {"parameters": [node, box], "responses": answered},
        },
        "/nodes/{node}/boxes/{box}/start": {"post": {"parameters": [node, box], "responses": answered}},
        place: {"get": {"parameters": [node, one], "responses": answers(task)}},
    }


_STOPS = _object(data=_object(status={**_TEXT, "enum": ["running", "stopped"]}, exitstatus=_TEXT))
_STATED = _object(status={**_TEXT, "enum": ["QUEUED", "SUCCEEDED", "FAILED"]}, message=_TEXT)
_START = "POST /nodes/{node}/boxes/{box}/start"
_SCRAP = "DELETE /nodes/{node}/boxes/{box}"


def read_jobs(folder: Path, paths: Any) -> tuple[Job, ...]:
    """The jobs that are inferred, without a flow for anything."""
    spec = folder / "api.json"
    spec.write_text(json.dumps({"openapi": "3.0.3", "info": {"title": "Odd", "version": "1"}, "paths": paths}))
    api = load_api(spec).api
    for one in (effects, resources, jobs):
        api = one.run(api, Options(Profile(api="odd"))).api
    return api.jobs


def _roles(made: Compiled, goal: str) -> list[Role]:
    return [step.role for step in only(made, goal).flow.steps]


def _told(made: Compiled) -> list[str]:
    return [one.message for one in made.diagnostics if one.code == "job-assumed"]


def _end(made: Compiled, goal: str, state: Any) -> Any:
    """How a run goes on whose task shows this, right after the change was answered with the task's id."""
    document = only(made, goal).document
    run = Dialogue(build_program(read_document(document, "made")), node="n", box="b")
    lists = {"/nodes": [{"node": "n"}], "/nodes/{node}/boxes": [{"id": "b", "name": "b"}]}
    command = run.first
    while command.method == "GET":
        shown = lists.get(command.path_template, {"id": "b", "name": "b", "node": "n"})
        command = run.answer(command.step_id, 200, shown)
    command = run.answer(command.step_id, 200, {"data": "T:1"})
    assert command.path.endswith("/nodes/n/tasks/T%3A1/status")
    return run.answer(command.step_id, 200, state)


def test_a_task_whose_text_is_described_as_its_id_is_waited_for_and_ends_as_it_says(tmp_path: Path) -> None:
    reply = _object(data={**_TEXT, "description": "The id of the started task."})
    made = compiled(tmp_path, _depot(reply, _STOPS))
    assert _roles(made, _START)[-2:] == [Role.CHANGE, Role.WAIT]
    assert [role for role in _roles(made, _SCRAP) if role in (Role.WAIT, Role.GONE)] == [Role.WAIT, Role.GONE]
    assert all(one.is_verified for one in made.workflows)
    (told,) = _told(made)
    assert "“id of the started task”" in told
    assert "2 such" in told
    for exit_status, outcome, code in (
        ("OK", "succeeded", ""),
        ("disk full", "failed", "job_failed"),
        ("WARNINGS: 2", "unknown", "ended_with_warnings"),
        (None, "unknown", "end_untold"),
        ("", "unknown", "end_untold"),
    ):
        shown = {"data": {"status": "stopped", **({"exitstatus": exit_status} if exit_status is not None else {})}}
        ended(_end(made, _START, shown), outcome, code)
    gone = _end(made, _SCRAP, {"data": {"status": "stopped", "exitstatus": "OK"}})
    assert (gone.method, gone.path) == ("GET", "/nodes/n/boxes/b")


@pytest.mark.parametrize(
    ("reply", "parameter", "evidence"),
    [
        (_object(data=_TEXT), None, ""),
        (_object(data={**_TEXT, "description": "What happened."}), None, ""),
        (_object(data={**_TEXT, "description": "The id of the operation."}), None, ""),
        (_object(data={**_TEXT, "format": "uuid"}), given("ref", schema={**_TEXT, "format": "uuid"}), ""),
        (_object(data={**_TEXT, "description": "The DOTID of what was begun."}), given("dotid"), "the dotid"),
        (_object(data={**_TEXT, "format": "dot-id"}), given("ref", schema={**_TEXT, "format": "dot-id"}), "the format"),
        (_object(task_id=_TEXT), None, "called task_id"),
        (_TEXT, None, ""),
        ({"202": {**answers(_TEXT)["200"], "description": "Task id"}}, None, "“Task id”"),
    ],
)
def test_a_text_is_the_id_of_a_task_where_something_says_so_and_nowhere_else(
    reply: Any, parameter: Any, evidence: str, tmp_path: Path
) -> None:
    paths = _depot(reply, _STATED, "", parameter=parameter)
    found = read_jobs(tmp_path, paths)
    assert bool(found) == bool(evidence)
    assert all(evidence in job.evidence and len(job.operations) == 2 for job in found)


def test_where_several_kinds_of_tasks_may_be_meant_none_is_waited_for(tmp_path: Path) -> None:
    paths = _depot(_object(data={**_TEXT, "description": "Task id"}), _STATED, "")
    other = {"get": {"parameters": [given("ref")], "responses": answers(_STATED)}}
    assert read_jobs(tmp_path, paths)
    assert not read_jobs(tmp_path, {**paths, "/tasks/{ref}": other})


def test_what_is_done_to_a_task_and_the_id_of_a_request_start_none(tmp_path: Path) -> None:
    reply = _object(data={**_TEXT, "description": "Request id"})
    assert not read_jobs(tmp_path, _depot(reply, _STATED, "", noun="requests"))
    reply = _object(data={**_TEXT, "description": "Task id"})
    paths = _depot(reply, _STATED, "")
    cancel = {"post": {"parameters": [given("node"), given("ref")], "responses": answers(reply)}}
    (job,) = read_jobs(tmp_path, {**paths, "/nodes/{node}/tasks/{ref}/cancel": cancel})
    assert job.operations == (_SCRAP, _START)


def test_a_state_of_which_nothing_tells_whether_it_is_a_good_end_is_none(tmp_path: Path) -> None:
    reply = _object(data={**_TEXT, "description": "Task id"})
    silent = _object(data=_object(status={**_TEXT, "enum": ["running", "stopped"]}))
    assert not read_jobs(tmp_path, _depot(reply, silent))


def test_what_is_accepted_without_such_a_text_is_waited_for_by_its_location_as_before(tmp_path: Path) -> None:
    paths = _depot(_object(data={**_TEXT, "description": "Task id"}), _STATED, "")
    located = {"202": {"description": "accepted", "headers": {"Location": {"schema": _TEXT}}}}
    paths["/nodes/{node}/check"] = {"post": {"parameters": [given("node")], "responses": located}}
    told, accepted = read_jobs(tmp_path, paths)
    assert (told.handle_within, told.operations) == ("body", (_SCRAP, _START))
    assert (accepted.handle_within, accepted.operations) == ("header", ("POST /nodes/{node}/check",))
