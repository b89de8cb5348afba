"""What the twin answers where all is well is taken as well: its samples say nothing that a device would not mean.

Several linked schemas deep a list still has something in it, and a thing that no list shows has the id of its path.
"""

import json
from pathlib import Path
from typing import Any

from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.compiler.shapes import described, ref, reply, sent

TEXT = {"type": "string"}


def goals(tmp_path: Path, paths: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    (tmp_path / "api.json").write_text(json.dumps(described(paths, schemas)))
    compiled, _ = compile_spec(CompileRequest(tmp_path / "api.json"))
    return [one.flow.goal for one in compiled.workflows if one.is_verified]


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
