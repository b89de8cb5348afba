"""What counts as used daily, on descriptions of a few things: the ranks, and what the default catalog takes first."""

from pathlib import Path
from typing import Any

from compiler.budget import default_catalog
from tests.compiler.odd import DONE, answers, compiled, given, sent


def _thing(*members: str, **more: Any) -> dict[str, Any]:
    names = {name: {"type": "string"} for name in ("id", "name", *members)}
    return {"type": "object", "required": ["id", "name"], "properties": {**names, **more}}


def _kept(noun: str, thing: dict[str, Any]) -> dict[str, Any]:
    """A collection whose things are listed, made and read."""
    listed = {"get": {"responses": answers({"type": "array", "items": thing})}}
    made = {"post": {"requestBody": sent(thing), "responses": answers(thing, "201")}}
    return {
        f"/{noun}": listed | made,
        f"/{noun}/{{id}}": {"parameters": [given("id")], "get": {"responses": answers(thing)}},
    }


def test_what_has_a_state_and_names_others_is_used_daily_and_what_lies_below_another_thing_is_not(
    tmp_path: Path,
) -> None:
    machine = _thing("status", "rack_id", "role_id")
    held = {"parameters": [given("id")], "get": {"responses": answers({"type": "array", "items": machine})}}
    acts = {
        f"/machines/{{id}}/{verb}": {"parameters": [given("id")], "post": {"responses": DONE}}
        for verb in ("attach", "restart")
    }
    paths = _kept("machines", machine) | _kept("racks", _thing()) | _kept("roles", _thing()) | acts
    made = compiled(tmp_path, {**paths, "/roles/{id}/machines": held})
    ranks = {one.flow.goal: one.flow.rank for one in made.workflows if one.flow.intent != "ensure"}
    assert ranks["GET /machines"] > ranks["GET /racks"] + 0.1
    assert ranks["POST /machines/{id}/restart"] > ranks["GET /racks"]
    assert ranks["GET /racks"] > ranks["GET /roles/{id}/machines"]
    assert ranks["GET /racks"] > ranks["POST /machines/{id}/attach"]  # nothing is said that it would be attached to


def test_of_two_workflows_alike_the_one_that_takes_less_room_is_taken_first(tmp_path: Path) -> None:
    kinds = {"type": "string", "enum": [f"kind number {number}" for number in range(60)]}
    wide = {**_thing(kind=kinds), "required": ["id", "name", "kind"]}
    made = compiled(tmp_path, _kept("apples", wide) | _kept("pears", _thing("kind")))
    told = default_catalog(made.workflows)
    spent = {one.flow.goal: int(told[one.flow.id].split()[-4]) for one in made.workflows if one.flow.intent == "create"}
    assert spent["POST /pears"] < spent["POST /apples"]


def test_a_tool_shows_no_schema_of_nothing_and_no_lengths(tmp_path: Path) -> None:
    named = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 64}}}
    made = compiled(tmp_path, {"/bells/ring": {"post": {"requestBody": sent(named), "responses": DONE}}})
    (one,) = made.workflows
    assert "outputSchema" not in one.tool
    assert one.tool["inputSchema"]["properties"]["name"].keys() == {"type", "description"}
    assert one.document["workflows"][0]["inputs"]["properties"]["name"]["maxLength"] == 64
