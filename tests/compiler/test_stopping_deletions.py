"""A DELETE that calls itself stopping or cancelling: the thing may stay, and its state says what has become of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

OK = "$statusCode == 200"


def compiled(folder: Path, summary: str, **members: Any) -> Compiled:
    """Servers with these members, each with a DELETE of this summary."""
    server = {"type": "object", "properties": {"name": {"type": "string"}, **members}}
    shown = {"200": {"description": "ok", "content": {"application/json": {"schema": server}}}}
    many = {"type": "array", "items": server}
    listed = {"200": {"description": "ok", "content": {"application/json": {"schema": many}}}}
    which = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    stop = {"summary": summary, "responses": {"204": {"description": "done"}}}
    item = {"parameters": [which], "get": {"responses": shown}, "delete": stop}
    paths = {"/servers": {"get": {"responses": listed}}, "/servers/{name}": item}
    spec = folder / "api.yaml"
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "hub", "version": "1"}, "paths": paths}))
    return compile_spec(CompileRequest(spec))[0]


def last_step(made: Compiled) -> Any:
    one = next(one for one in made.workflows if one.flow.intent == "delete")
    assert one.is_verified
    return one.document["workflows"][0]["steps"][-1]


def still_there(step: Any) -> dict[str, str]:
    action = next(each for each in step["onFailure"] if each.get("criteria") == [{"condition": OK}])
    return {name: action["x-switchgear"].get(name, "") for name in ("outcome", "code")}


def test_a_thing_that_shows_that_it_is_stopped_was_stopped(tmp_path: Path) -> None:
    step = last_step(compiled(tmp_path, "Stop a server", stopped={"type": "boolean"}))
    assert "$response.body#/stopped == true" in step["successCriteria"][0]["condition"]
    assert step["x-switchgear"]["expects"] == [{"place": "", "text": "the server is stopped or gone"}]
    assert still_there(step) == {"outcome": "unknown", "code": "not_seen"}


def test_of_a_thing_without_a_state_nothing_is_said_but_that_it_is_there(tmp_path: Path) -> None:
    step = last_step(compiled(tmp_path, "Cancel a server"))
    assert still_there(step) == {"outcome": "unknown", "code": "not_seen"}


@pytest.mark.parametrize(
    "summary", ["Delete a server", "Stop and remove a server", "Stops, then permanently deletes it"]
)
def test_what_is_thrown_away_has_to_be_gone(summary: str, tmp_path: Path) -> None:
    step = last_step(compiled(tmp_path, summary, stopped={"type": "boolean"}))
    assert "stopped" not in step["successCriteria"][0]["condition"]
    assert still_there(step) == {"outcome": "", "code": "still_there"}
