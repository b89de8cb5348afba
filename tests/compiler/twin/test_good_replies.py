"""What the twin answers where all is well is taken as well: its samples say nothing that a device would not mean.

Several linked schemas deep a list still has something in it, and a thing that no list shows has the id of its path.
"""

import json
from pathlib import Path
from typing import Any

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.compiler.shapes import described, ref, reply, sent

TEXT = {"type": "string"}


def compile_of(tmp_path: Path, paths: dict[str, Any], schemas: dict[str, Any]) -> Compiled:
    (tmp_path / "api.json").write_text(json.dumps(described(paths, schemas)))
    return compile_spec(CompileRequest(tmp_path / "api.json"))[0]


def goals(tmp_path: Path, paths: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    return [one.flow.goal for one in compile_of(tmp_path, paths, schemas).workflows if one.is_verified]


def test_an_order_whose_answer_lists_things_two_schemas_below_is_proved(tmp_path: Path) -> None:
    schemas = {
        "Answer": {"type": "object", "properties": {"states": ref("States")}},
        "States": {"required": ["states"], "properties": {"states": {"type": "array", "items": ref("State")}}},
        "State": {"required": ["number"], "properties": {"number": TEXT}},
    }
    number = {"name": "number", "in": "query", "required": True, "schema": TEXT}
    paths = {"/block": {"post": {"operationId": "block", "parameters": [number], "responses": reply(ref("Answer"))}}}
    assert goals(tmp_path, paths, schemas) == ["POST /block"]


def test_a_job_that_no_list_shows_is_shown_with_the_id_of_its_path(tmp_path: Path) -> None:
    states = {"type": "string", "enum": ["OPEN", "PROCESSING", "COMPLETE", "FAILED"]}
    batch = {"type": "object", "properties": {"batchUuid": TEXT, "batchName": TEXT, "status": states}}
    item = {"type": "object", "properties": {"itemUuid": TEXT, "amount": {"type": "integer"}}}
    every = {"type": "object", "properties": {"items": {"type": "array", "items": item}, "total": {"type": "integer"}}}
    key = {"name": "batchUuid", "in": "path", "required": True, "schema": TEXT}
    made = {"type": "object", "properties": {"batchUuid": TEXT}}
    asked = {"type": "object", "required": ["batchName"], "properties": {"batchName": TEXT}}
    paths = {
        "/batches": {
            "get": {"operationId": "list", "responses": reply(every)},
            "post": {"operationId": "create", "requestBody": sent(asked), "responses": reply(made)},
        },
        "/batches/{batchUuid}": {"get": {"operationId": "read", "parameters": [key], "responses": reply(batch)}},
    }
    assert "POST /batches" in goals(tmp_path, paths, {})


def test_an_example_that_is_pasted_as_text_is_read_out(tmp_path: Path) -> None:
    thing = {"type": "object", "required": ["name"], "properties": {"id": TEXT, "name": TEXT}}
    key = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    one = reply(thing)
    one["200"]["content"]["application/json"]["example"] = '{"id": "h-1", "name": "first"}'
    paths = {
        "/hooks": {
            "get": {"operationId": "list", "responses": reply({"type": "array", "items": thing})},
            "post": {"operationId": "create", "requestBody": sent(thing), "responses": one},
        },
        "/hooks/{id}": {
            "get": {"operationId": "read", "parameters": [key], "responses": one},
            "delete": {"operationId": "delete", "parameters": [key], "responses": {"204": {"description": ""}}},
        },
    }
    compiled = compile_of(tmp_path, paths, {})
    assert [one.message for one in compiled.diagnostics if one.code == "internal-error"] == []
    shown = next(each.success for each in compiled.api.operations if each.key == "GET /hooks/{id}")
    assert shown is not None
    assert shown.example == {"id": "h-1", "name": "first"}


def test_an_update_at_the_collection_that_names_no_thing_is_refused_by_the_twin(tmp_path: Path) -> None:
    thing = {"type": "object", "properties": {"number": {"type": "integer", "readOnly": True}, "text": TEXT}}
    key = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
    paths = {
        "/trips": {
            "get": {"operationId": "list", "responses": reply({"type": "array", "items": thing})},
            "put": {"operationId": "update", "requestBody": sent(thing), "responses": reply(thing)},
        },
        "/trips/{number}": {"get": {"operationId": "read", "parameters": [key], "responses": reply(thing)}},
    }
    compiled = compile_of(tmp_path, paths, {})
    assert [one.message for one in compiled.diagnostics if one.code == "internal-error"] == []
