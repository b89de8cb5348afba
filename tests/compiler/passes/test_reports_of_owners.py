"""Reports on a thing and on what names it: the owner is known by its id, whether found by name or given as it is."""

from pathlib import Path

import yaml

from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec


def test_an_owner_that_is_in_no_list_has_its_parts_shown(tmp_path: Path) -> None:
    which = {"name": "hallId", "in": "path", "required": True, "schema": {"type": "string"}}
    text = {"type": "string"}
    hall = {"type": "object", "required": ["id"], "properties": {"id": text, "name": text}}
    part = {"type": "object", "required": ["id", "hallId"], "properties": {"id": text, "name": text, "hallId": text}}
    paths = {"/halls/{hallId}": {"parameters": [which], "get": {"responses": {"200": shown(hall)}}}} | {
        f"/{name}": {"get": {"responses": {"200": shown({"type": "array", "items": part})}}}
        for name in ("racks", "doors", "fans")
    }
    spec = tmp_path / "api.yaml"
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "site", "version": "1"}, "paths": paths}))
    found, _ = compile_spec(CompileRequest(spec))
    assert [one for one in found.diagnostics if one.code == "workflow-not-proved"] == []
    report = next(one for one in found.workflows if one.flow.id == "site_inventory_hall")
    assert report.is_verified
    assert report.flow.steps[0].operation == "GET /halls/{hallId}"


def shown(schema: object) -> dict[str, object]:
    return {"description": "ok", "content": {"application/json": {"schema": schema}}}
