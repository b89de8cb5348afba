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
