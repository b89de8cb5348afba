"""What counts as used daily, on descriptions of a few things: the ranks, and what the default catalog takes first."""

from pathlib import Path
from typing import Any

from compiler.budget import default_catalog
from compiler.compiled import Compiled
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


def _ranks(made: Compiled) -> dict[str, float]:
    return {one.flow.goal: one.flow.rank for one in made.workflows if one.flow.intent != "ensure"}


def test_what_is_done_alike_to_many_kinds_of_things_stands_first_for_the_one_that_matters_most(tmp_path: Path) -> None:
    machine = _thing("status", "rack_id")
    paths = _kept("machines", machine) | _kept("racks", _thing())
    for noun in ("machines", "racks"):
        paths[f"/{noun}/{{id}}"]["delete"] = {"responses": DONE}
    ranks = _ranks(compiled(tmp_path, paths))
    for method in ("GET", "DELETE"):
        apart = {noun: ranks[f"GET /{noun}"] - ranks[f"{method} /{noun}/{{id}}"] for noun in ("machines", "racks")}
        assert apart["racks"] > apart["machines"] + 0.05
    assert ranks["GET /racks"] > ranks["GET /machines/{id}"]  # which its list shows


def test_a_scope_is_no_thing_that_daily_work_is_about_whatever_its_parameter_is_called(tmp_path: Path) -> None:
    pods = {"parameters": [given("space")], **_kept("x", _thing("status"))["/x"]}
    pod = {"parameters": [given("space"), given("pod")], "get": {"responses": answers(_thing("status"))}}
    spaces = _kept("spaces", _thing("status"))
    spaces["/spaces/{name}"] = {"parameters": [given("name")], "get": {"responses": answers(_thing("status"))}}
    del spaces["/spaces/{id}"]
    held = {f"/spaces/{{space}}/{noun}": pods for noun in ("pods", "jobs", "nodes")}
    held |= {f"/spaces/{{space}}/{noun}/{{pod}}": pod for noun in ("pods", "jobs", "nodes")}
    restart = {"parameters": [given("space"), given("pod")], "post": {"responses": DONE}}
    held |= {f"/spaces/{{space}}/pods/{{pod}}/{verb}": restart for verb in ("restart", "stop")}
    ranks = _ranks(compiled(tmp_path, {**spaces, **held}))
    assert ranks["GET /spaces/{space}/pods"] > ranks["GET /spaces"]


def test_what_only_renames_or_is_done_to_all_comes_later(tmp_path: Path) -> None:
    paths: dict[str, Any] = {}
    for noun in ("disks", "drums", "tapes"):
        paths |= _kept(noun, _thing("status", "size"))
    for noun, members in (("disks", ("name", "labels")), ("tapes", ("name", "size"))):
        body = {"type": "object", "properties": {name: {"type": "string"} for name in members}}
        paths[f"/{noun}/{{id}}"]["patch"] = {"requestBody": sent(body), "responses": answers(_thing())}
    paths["/drums/prune"] = {"post": {"responses": DONE}}
    paths["/drums/{id}/calibrate"] = {"parameters": [given("id")], "post": {"responses": DONE}}
    ranks = _ranks(compiled(tmp_path, paths))
    assert ranks["PATCH /tapes/{id}"] > ranks["PATCH /disks/{id}"]
    assert ranks["POST /drums/{id}/calibrate"] > ranks["POST /drums/prune"] + 0.2


def test_members_that_all_bodies_have_are_taken_and_not_shown(tmp_path: Path) -> None:
    paths = {
        f"/kind{number}": {"post": {"requestBody": sent(_thing("apiVersion", f"own{number}")), "responses": DONE}}
        for number in range(10)
    }
    made = compiled(tmp_path, paths)
    for number, one in enumerate(sorted(made.workflows, key=lambda each: each.flow.goal)):
        assert f"own{number}" in one.tool["inputSchema"]["properties"]
        assert "name" in one.tool["inputSchema"]["properties"]
        assert "apiVersion" not in one.tool["inputSchema"]["properties"]
        assert "apiVersion" in one.document["workflows"][0]["inputs"]["properties"]


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
