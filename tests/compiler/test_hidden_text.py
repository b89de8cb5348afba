"""A description that hides text in names, enumerations, defaults and words: nothing of it is in what is shown."""

import json
from pathlib import Path

from compiler.pipeline import CompileRequest
from compiler.reports.report import as_json, as_text
from compiler.verification import compile_spec
from workflow.visible import hides

H = "\u202e\u200b\U000e0041\u2066"
THING = {
    "type": "object",
    "title": f"Thing{H}",
    "required": ["name"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string", "description": f"Its name{H}", "default": f"d{H}"},
        f"col{H}or": {"type": "string", "enum": [f"red{H}", "blue"], "title": f"c{H}", "pattern": f"^r{H}"},
        "size": {"type": "string", "enum": [f"small{H}", "large"], "examples": [f"e{H}"]},
        "mode": {"type": "string", "const": f"c{H}"},
        f"note{H}": {"type": "string"},
    },
}
BODY = {"content": {"application/json": {"schema": THING}}}
ANSWER = {"200": {"description": f"ok{H}", **BODY}}
ALL = {"content": {"application/json": {"schema": {"type": "array", "items": THING}}}}
ID = {"name": "id", "in": "path", "required": True, "description": f"i{H}", "schema": {"type": "string"}}
FILTER = {"name": f"fil{H}ter", "in": "query", "schema": {"type": "string", "enum": [f"a{H}"], "default": f"a{H}"}}
SPEC = {
    "openapi": "3.1.0",
    "info": {"title": f"Toy{H}", "version": "1"},
    "paths": {
        "/things": {
            "get": {"summary": f"All{H}", "parameters": [FILTER], "responses": {"200": {"description": "ok", **ALL}}},
            "post": {"summary": f"Make{H}", "requestBody": BODY, "responses": {"201": {"description": "ok", **BODY}}},
        },
        "/things/{id}": {
            "parameters": [ID],
            "get": {"summary": f"One{H}", "responses": ANSWER},
            "patch": {"description": f"Change{H}", "requestBody": BODY, "responses": ANSWER},
            "delete": {"summary": f"Gone{H}", "responses": {"204": {"description": "gone"}}},
        },
    },
}


def test_no_tool_of_a_description_that_hides_text_shows_any(tmp_path: Path) -> None:
    (tmp_path / "toy.json").write_text(json.dumps(SPEC))
    compiled, _ = compile_spec(CompileRequest(tmp_path / "toy.json"))
    assert len(compiled.workflows) >= 5
    assert [one.flow.id for one in compiled.workflows if hides(one.tool)] == []
    (create,) = [one for one in compiled.workflows if one.flow.id.endswith("create_thing")]
    assert create.tool["inputSchema"]["properties"]["size"]["enum"] == ["large"]
    assert hides(create.document["workflows"][0]["inputs"])  # what calls are checked with is as it was


def test_the_report_of_a_compile_shows_its_title_without_what_cannot_be_seen(tmp_path: Path) -> None:
    (tmp_path / "toy.json").write_text(json.dumps(SPEC))
    compiled, _ = compile_spec(CompileRequest(tmp_path / "toy.json"))
    told = as_json(compiled)
    assert told["spec"]["title"] == "Toy"
    assert not any(hides(line) for line in as_text(compiled).splitlines()[:1])
