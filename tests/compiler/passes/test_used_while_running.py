"""A job that goes on until what it shows is used is given out as it is: a console, a token.

The API has one kind of jobs, whose `class` a text lists; on the twin they all end by themselves.
"""

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
from workflow.requests.events import StartTimer

TEXT: dict[str, Any] = {"type": "string"}
CLASSES = "Kind of operation (task, token or websocket)"


def compiled(folder: Path, kinds: dict[str, Any], **profile: Any) -> Compiled:
    operation = {"type": "object", "properties": {"id": TEXT, "status": TEXT, "class": kinds, "metadata": {}}}
    held = {"type": "object", "properties": {"job": {"$ref": "#/components/schemas/Operation"}}}
    shown = {"description": "ok", "content": {"application/json": {"schema": held}}}
    given = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    told = {
        "openapi": "3.1.0",
        "info": {"title": "hall", "version": "1"},
        "components": {"schemas": {"Operation": operation}},
        "paths": {
            "/operations/{id}": {
                "get": {"summary": "Get an operation", "parameters": [given], "responses": {"200": shown}}
            },
            "/boxes/{id}": {"get": {"parameters": [given], "responses": {"200": {**shown}}}},
            "/boxes/{id}/console": {
                "post": {
                    "operationId": "connect_console",
                    "summary": "Connect to the console of a box",
                    "parameters": [given],
                    "responses": {"202": shown},
                }
            },
        },
    }
    (folder / "api.yaml").write_text(yaml.safe_dump(told))
    (folder / "p.yaml").write_text(yaml.safe_dump({"api": "hall", **profile}))
    return compile_spec(CompileRequest(folder / "api.yaml", folder / "p.yaml"))[0]


def console_of(made: Compiled) -> Dialogue:
    found = next(one for one in made.workflows if "console" in one.flow.id)
    run = Dialogue(build_program(read_document(found.document, "hall")), **{found.flow.inputs[0].name: "b1"})
    sent(run.answer("look", 200, {"id": "b1", "name": "b1"}), "change")
    sent(run.answer("change", 202, {"job": {"id": "7", "status": "Running"}}), "wait")
    return run


@pytest.mark.parametrize("kinds", [{**TEXT, "description": CLASSES}, {**TEXT, "enum": ["task", "websocket"]}])
def test_what_waits_to_be_used_is_not_waited_for_and_given_out(tmp_path: Path, kinds: dict[str, Any]) -> None:
    run = console_of(compiled(tmp_path, kinds))
    shown = {"id": "7", "status": "Running", "class": "websocket", "metadata": {"fds": {"0": "ab"}}}
    told = ended(run.answer("wait", 200, {"job": shown}), "pending")
    assert told.outputs["result"] == shown
    assert (told.verified, told.done) == ("none", ("change",))
    assert "goes on until what it shows is used (websocket)" in told.note


def test_a_job_of_another_kind_is_waited_for(tmp_path: Path) -> None:
    run = console_of(compiled(tmp_path, {**TEXT, "description": CLASSES}))
    assert isinstance(run.answer("wait", 200, {"job": {"id": "7", "status": "Running", "class": "task"}}), StartTimer)


@pytest.mark.parametrize("kinds", [TEXT, {**TEXT, "enum": ["websocket"]}, {**TEXT, "enum": ["task", "backup"]}])
def test_without_a_choice_of_kinds_every_job_is_waited_for(tmp_path: Path, kinds: dict[str, Any]) -> None:
    run = console_of(compiled(tmp_path, kinds))
    assert isinstance(
        run.answer("wait", 200, {"job": {"id": "7", "status": "Running", "class": "websocket"}}), StartTimer
    )


def test_the_profile_may_say_which_jobs_are_used_while_they_run(tmp_path: Path) -> None:
    job = {
        "handle": {"within": "body", "at": "/job/id"},
        "statuses": [202],
        "poll": "GET /operations/{id}",
        "parameter": "id",
        "state": "/job/status",
        "waiting": ["Running"],
        "succeeded": ["Success"],
        "failed": ["Failure"],
        "used_while_running": [{"at": "/job/class", "values": ["session"]}],
    }
    run = console_of(compiled(tmp_path, TEXT, jobs=[job]))
    ended(run.answer("wait", 200, {"job": {"id": "7", "status": "Running", "class": "session"}}), "pending")
