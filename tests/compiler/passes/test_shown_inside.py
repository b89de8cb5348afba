"""What is sent flat and shown inside one member of the thing, and what the description says is not given out again."""

from pathlib import Path
from typing import Any

import yaml

from compiler import pipeline
from compiler.pipeline import CompileRequest

TEXT: dict[str, Any] = {"type": "string"}
SPEC: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "labels": {"type": "object", "additionalProperties": TEXT},
        "data": {"type": "string", "description": "What is kept. It is not returned by other operations."},
    },
}


def places(folder: Path, **others: Any) -> dict[str, dict[str, Any]]:
    """What a creation of keys is held against in its read-back, by place; `others`: further members of a key."""
    key = {"type": "object", "properties": {"id": TEXT, "spec": SPEC, **others}}

    def answer(schema: Any, status: str = "200") -> Any:
        return {status: {"description": "ok", "content": {"application/json": {"schema": schema}}}}

    made = {"type": "object", "properties": {"id": TEXT}}
    paths = {
        "/keys": {
            "get": {"responses": answer({"type": "array", "items": key})},
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": SPEC}}},
                "responses": answer(made, "201"),
            },
        },
        "/keys/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
            "get": {"responses": answer(key)},
        },
    }
    text = {"openapi": "3.1.0", "info": {"title": "vault", "version": "1"}, "paths": paths}
    (folder / "api.yaml").write_text(yaml.safe_dump(text))
    api = pipeline.dump(CompileRequest(folder / "api.yaml"), "flows")
    flow = next(each for each in api.flows if each.intent == "create")
    return {each["place"]: each for each in flow.steps[-1].expects}


def test_what_the_body_says_is_looked_for_in_the_one_member_that_has_all_of_it(tmp_path: Path) -> None:
    found = places(tmp_path)
    assert "found" in found["/spec/labels"] and "lenient" not in found["/spec/labels"]


def test_what_is_not_given_out_again_is_not_looked_for(tmp_path: Path) -> None:
    assert "found" not in places(tmp_path)["/spec/data"]


def test_of_two_members_that_have_all_of_it_neither_is_what_was_asked_for(tmp_path: Path) -> None:
    assert "found" not in places(tmp_path, before=SPEC)["/labels"]
