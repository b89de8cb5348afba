"""Paths as vendors write them: parameters inside segments, slashes too many, methods of their own, other scripts."""

from pathlib import Path
from typing import Any

import pytest

from tests.compiler.odd import DONE, THING, THINGS, all_proved, answers, asked, compiled, given, only, sent


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/image{n}", ["n"]),
        ("/item({a})", ["a"]),
        ("/y/{a}{b}", ["a", "b"]),
        ("/y/{a}-{b}", ["a", "b"]),
        ("/range(from={a},to={b})", ["a", "b"]),
        ("/compare/{base}...{head}", ["base", "head"]),
        ("/role/{m}/{n}", ["m", "n"]),
    ],
)
def test_parameters_anywhere_in_a_path_are_inputs_of_one_read(path: str, names: list[str], tmp_path: Path) -> None:
    read = {"get": {"operationId": "g", "parameters": [given(name) for name in names], "responses": answers(THING)}}
    made = compiled(tmp_path, {path: read})
    assert all_proved(made)
    assert sorted(asked(only(made, f"GET {path}"))) == names


def test_what_is_asked_of_an_item_behind_a_colon_is_about_that_item(tmp_path: Path) -> None:
    one = {"parameters": [given("id")], "get": {"operationId": "g", "responses": answers(THING)}}
    stop = {"parameters": [given("id")], "post": {"operationId": "s", "responses": DONE}}
    paths = {
        "/things": {"get": {"operationId": "l", "responses": THINGS}},
        "/things/{id}": one,
        "/things/{id}:stop": stop,
    }
    made = compiled(tmp_path, paths)
    assert all_proved(made)
    steps = [step.operation for step in only(made, "POST /things/{id}:stop").flow.steps]
    assert steps[0] == "GET /things"
    assert only(made, "POST /things/{id}:stop").flow.id == "odd_stop_thing"


def test_empty_and_dot_segments_are_taken_out_and_told(tmp_path: Path) -> None:
    read = {"get": {"responses": THINGS}}
    made = compiled(tmp_path, {"//things": read, "/a/../b": read, "/c/./d": read})
    assert [operation.path for operation in made.api.operations] == ["/b", "/c/d", "/things"]
    assert sum(d.code == "path-repaired" for d in made.diagnostics) == 3
    assert all_proved(made)


def test_a_path_that_is_there_in_another_spelling_is_left_out_and_told(tmp_path: Path) -> None:
    made = compiled(tmp_path, {"/a//b": {"get": {"responses": THINGS}}, "/a/b": {"get": {"responses": THINGS}}})
    assert [operation.path for operation in made.api.operations] == ["/a/b"]
    assert any("another way to write" in d.message for d in made.diagnostics)


def _racks(slash: str) -> dict[str, object]:
    item = {
        "parameters": [given("id")],
        "get": {"operationId": "g", "responses": answers(THING)},
        "patch": {"operationId": "u", "requestBody": sent(THING), "responses": answers(THING)},
        "delete": {"operationId": "d", "responses": DONE},
    }
    listed = {"operationId": "l", "responses": THINGS}
    made = {"operationId": "c", "requestBody": sent(THING), "responses": answers(THING, "201")}
    return {f"/racks{slash}": {"get": listed, "post": made}, f"/racks/{{id}}{slash}": item}


def test_slashes_at_the_end_make_no_other_workflows_and_are_sent(tmp_path: Path) -> None:
    without = compiled(tmp_path, _racks(""))
    made = compiled(tmp_path, _racks("/"))
    assert [one.flow.id for one in made.workflows] == [one.flow.id for one in without.workflows]
    assert [one.flow.title for one in made.workflows] == [one.flow.title for one in without.workflows]
    assert all_proved(made)
    assert all(step.operation.endswith("/") for one in made.workflows for step in one.flow.steps)


def test_the_same_path_with_a_slash_more_is_an_alias(tmp_path: Path) -> None:
    made = compiled(tmp_path, {"/t": {"get": {"responses": THINGS}}, "/t/": {"get": {"responses": THINGS}}})
    assert [o.left_out for o in made.api.operations] == ["", "alias of GET /t"]


def test_an_operation_elsewhere_is_read_there(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text('{"operationId": "listThings", "summary": "List things", "responses": {}}')
    made = compiled(tmp_path, {"/things": {"get": {"$ref": "list.json"}, "delete": {"$ref": "none.json"}}})
    assert [(o.key, o.operation_id) for o in made.api.operations] == [("GET /things", "listThings")]
    assert any(d.code == "operation-invalid" and "none.json" in d.message for d in made.diagnostics)


def test_query_is_a_read_with_a_body_and_further_methods_are_actions(tmp_path: Path) -> None:
    text = {"type": "object", "required": ["t"], "properties": {"t": {"type": "string"}}}
    query = {"operationId": "q", "requestBody": sent(text), "responses": THINGS}
    purge = {"operationId": "p", "summary": "Purge the cache", "responses": DONE}
    made = compiled(tmp_path, {"/s": {"query": query, "additionalOperations": {"PURGE": purge}}}, "3.2.0")
    assert all_proved(made)
    read, act = only(made, "QUERY /s"), only(made, "PURGE /s")
    assert read.tool["annotations"]["readOnlyHint"] is True
    assert read.flow.steps[0].payload == {"t": "$inputs.t"}
    assert act.tool["annotations"]["readOnlyHint"] is False
    assert "/additionalOperations/PURGE" in act.document["workflows"][0]["steps"][0]["operationPath"]


def test_a_read_that_answers_204_checks_that_there_is_one(tmp_path: Path) -> None:
    item = {
        "parameters": [given("name")],
        "get": {"operationId": "g", "responses": {"204": {"description": "is"}, "404": {"description": "not"}}},
        "put": {"operationId": "p", "responses": DONE},
        "delete": {"operationId": "d", "responses": DONE},
    }
    head = {"parameters": [given("name")], "head": {"operationId": "h", "responses": {"200": {"description": ""}}}}
    made = compiled(tmp_path, {"/f": {"get": {"responses": THINGS}}, "/f/{name}": item, "/image/{name}": head})
    assert all_proved(made)
    for goal in ("GET /f/{name}", "HEAD /image/{name}"):
        assert "$statusCode == 404" in only(made, goal).flow.steps[-1].success[0]["condition"]
        assert only(made, goal).flow.id.startswith("odd_check_")


def test_names_in_other_scripts_are_transliterated_and_the_original_is_told(tmp_path: Path) -> None:
    server = {"get": {"operationId": "список", "summary": "Список серверов", "responses": THINGS}}
    item = {
        "parameters": [given("名前")],
        "get": {"operationId": "取得", "summary": "サーバーを表示", "responses": answers(THING)},
        "delete": {"operationId": "削除", "summary": "サーバーを削除", "responses": DONE},
    }
    made = compiled(tmp_path, {"/сервер": server, "/サーバー/{名前}": item, "/🚀": {"post": {"responses": DONE}}})
    assert all_proved(made)
    assert [one.flow.id for one in made.workflows] == [
        "odd_delete_saba",
        "odd_describe_saba",
        "odd_find_servers",
        "odd_run_rocket",
    ]
    assert "サーバーを削除" in only(made, "DELETE /サーバー/{名前}").flow.description
    assert all(name.isascii() for one in made.workflows for name in asked(one))


def test_long_names_are_bounded_and_stay_apart(tmp_path: Path) -> None:
    first, second = "n" * 250, "n" * 249 + "m"
    body = {"type": "object", "required": [first, second], "properties": {first: THING, second: THING}}
    post = {"post": {"requestBody": sent(body), "responses": DONE}}
    made = compiled(tmp_path, {"/x": post, "/" + "a" * 300: post, "/" + "a" * 299 + "b": post})
    assert all_proved(made)
    ids = [one.flow.id for one in made.workflows]
    names = [name for one in made.workflows for name in asked(one)]
    assert len(set(ids)) == 3
    assert max(map(len, (*ids, *names))) <= 64


def test_what_has_no_end_is_left_out_as_such(tmp_path: Path) -> None:
    stream = {"get": {"responses": answers({"type": "string"}, media_type="text/event-stream")}}
    watch = {"get": {"operationId": "watchPods", "responses": answers(THING)}}
    attach = {"post": {"responses": {"101": {"description": "upgraded"}}}}
    listed = {"get": {"operationId": "listWatches", "responses": THINGS}}
    paths = {"/events": stream, "/watch/pods": watch, "/attach": attach, "/watches": listed}
    out = {o.path: o.left_out for o in compiled(tmp_path, paths).api.operations}
    assert [path for path, why in out.items() if why.startswith("endless")] == ["/attach", "/events", "/watch/pods"]


@pytest.mark.parametrize(
    "deprecated", [{"deprecated": True}, {"description": "Watches. Deprecated: list instead."}, {}]
)
def test_a_watch_is_left_out_because_it_never_ends_whatever_else_is_said_of_it(
    deprecated: dict[str, Any], tmp_path: Path
) -> None:
    watch = {"operationId": "watchThings", "responses": answers(THING), **deprecated}
    made = compiled(tmp_path, {"/watch/things": {"get": watch}, "/things": {"get": {"responses": THINGS}}})
    why = next(one.left_out for one in made.api.operations if one.path == "/watch/things")
    assert why.startswith("endless: it watches")
    assert why.endswith("deprecated by the vendor as well") == bool(deprecated)
