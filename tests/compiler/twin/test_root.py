"""An API may answer at its root, whose address leads through no item."""

import json
from pathlib import Path

from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec


def test_what_stands_at_the_root_is_read_and_proved_as_a_document(tmp_path: Path) -> None:
    about = {"type": "object", "properties": {"version": {"type": "string"}}}
    reply = {"200": {"description": "about", "content": {"application/json": {"schema": about}}}}
    api = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {"/": {"get": {"responses": reply}}}}
    (tmp_path / "api.json").write_text(json.dumps(api))
    compiled, _ = compile_spec(CompileRequest(tmp_path / "api.json"))
    assert [one.flow.goal for one in compiled.workflows] == ["GET /"]


def test_no_method_at_the_root_is_lost(tmp_path: Path) -> None:
    text = {"type": "string"}
    thing = {"type": "object", "properties": {"id": text, "name": text}}
    media = {"content": {"application/json": {"schema": thing}}}
    one = {"200": {"description": "", **media}}
    every = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": thing}}}}}
    parameter = {"name": "id", "in": "path", "required": True, "schema": text}
    paths = {
        "/": {
            "get": {"responses": every},
            "post": {"requestBody": media, "responses": one},
            "put": {"requestBody": media, "responses": one},
            "delete": {"responses": {"204": {"description": ""}}},
        },
        "/{id}": {
            "parameters": [parameter],
            "get": {"responses": one},
            "patch": {"requestBody": media, "responses": one},
            "delete": {"responses": {"204": {"description": ""}}},
        },
    }
    api = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths}
    (tmp_path / "api.json").write_text(json.dumps(api))
    compiled, _ = compile_spec(CompileRequest(tmp_path / "api.json"))
    assert [one.message for one in compiled.diagnostics if one.code == "internal-error"] == []
    goals = {one.flow.goal for one in compiled.workflows}
    assert {"POST /", "PATCH /{id}", "DELETE /{id}"} <= goals
