"""Keys of `paths` with a query or a fragment in them: operations of their own, sent as they are written."""

from pathlib import Path
from typing import Any

import pytest

from compiler.frontend.path_queries import fault_of, identity_of
from compiler.ir.model import Role
from compiler.passes.names.paths import ends_in_parameter, item_prefixes, last_word, parent, segments
from tests.compiler.odd import DONE, THING, THINGS, all_proved, answers, asked, compiled, given, only, sent
from workflow.risks import Risk

_LABEL = {"type": "object", "properties": {"text": {"type": "string"}, "length": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/boxes/{id}/power?action=start", "start"),
        ("/boxes/{id}?~action=detach-tags", "detach-tags"),
        ("/boxes?action=clone&box-task=true", "clone-box-task"),
        ("/boxes?Action=MakeBox&Version=2010-05-15", "MakeBox"),
        ("/boxes?kind=small", "kind-small"),
        ("/boxes?id={id}", "by-id"),
        ("/boxes/{id}?label", "label"),
        ("/boxes/{id}#label", "label"),
        ("/#X-Target=Depot_2012.DropShelf", "DropShelf"),
    ],
)
def test_a_query_or_a_fragment_is_one_segment_more_of_the_words_that_it_says(path: str, said: str) -> None:
    assert segments(path)[-1] == last_word(path) == said
    assert not ends_in_parameter(path)
    assert parent(path) == path.partition("?")[0].partition("#")[0].rstrip("/")
    assert [name for _, name in item_prefixes(path)] == (["id"] if "{id}" in parent(path) else [])


@pytest.mark.parametrize(
    "path",
    ["/a?=1", "/a?x=1&x=2", "/a?x={", "/a?x=a{b}", "/a?{x}=1", "/a?x=%20", "/a?x=1?y=2", "/a?x y", "/a#", "/a#{x}",
     "/a?", "/a?x=1&", "/a?_method=DELETE", "/a?access_token=x"],
)  # fmt: skip
def test_a_query_that_cannot_be_read_or_that_nobody_may_send_is_told(path: str) -> None:
    assert fault_of(path)


def test_the_order_of_a_query_and_the_names_in_its_braces_make_no_other_path() -> None:
    assert identity_of("/a?x=1&y=2") == identity_of("/a?y=2&x=1") != identity_of("/a?x=1")
    assert identity_of("/a?x={a}") == identity_of("/a?x={b}") != identity_of("/a?x=b")
    assert identity_of("/a#x") != identity_of("/a")


def test_actions_in_the_query_are_workflows_of_their_own_and_ask_for_nothing_fixed(tmp_path: Path) -> None:
    told = [given("box"), given("action", "query", {"type": "string", "enum": ["start"]})]
    paths = {
        "/boxes": {"get": {"responses": THINGS}},
        "/boxes/{box}": {"parameters": [given("box")], "get": {"responses": answers(THING)}},
        "/boxes/{box}/power?action=start": {"post": {"parameters": told, "responses": DONE}},
        "/boxes/{box}/power?action=reset": {"post": {"parameters": [given("box")], "responses": DONE}},
    }
    made = compiled(tmp_path, paths)
    start, reset = (only(made, f"POST /boxes/{{box}}/power?action={act}") for act in ("start", "reset"))
    assert all_proved(made)
    assert (start.flow.risk, reset.flow.risk) == (Risk.CHANGE, Risk.DISRUPT)
    assert (start.flow.title, reset.flow.title) == ("Start power of box", "Reset power of box")
    assert [*asked(start)] == ["box"]
    assert start.flow.steps[0].operation == "GET /boxes"
    sent_to = [(row["path"].rpartition("/")[2], row["query"]) for row in start.proof["runs"][0]["transcript"][-1:]]
    assert sent_to == [("power", [["action", "start"]])]
    pointer = start.document["workflows"][0]["steps"][-1]["operationPath"]
    assert pointer.endswith("#/paths/~1boxes~1{box}~1power?action=start/post")
    assert "POST /boxes/{box}/power?action=start" in start.document["x-switchgear"]["operations"]


def test_what_a_switch_in_the_query_names_is_a_part_of_the_thing_and_kept_apart_from_it(tmp_path: Path) -> None:
    one = [given("id")]
    label = {
        "get": {"parameters": one, "responses": answers(_LABEL)},
        "put": {"parameters": one, "requestBody": sent(_LABEL), "responses": DONE},
    }
    paths = {
        "/boxes": {"get": {"responses": THINGS}},
        "/boxes/{id}": {"get": {"parameters": one, "responses": answers(THING)}},
        "/boxes/{id}?label": label,
    }
    made = compiled(tmp_path, paths)
    assert all_proved(made)
    assert [s.role for s in only(made, "PUT /boxes/{id}?label").flow.steps] == [
        Role.LOOKUP, Role.CHANGE, Role.READ_BACK
    ]  # fmt: skip
    assert only(made, "GET /boxes/{id}?label").flow.title == "Get label of box"


def test_a_placeholder_in_the_query_is_an_input_wherever_it_was_declared(tmp_path: Path) -> None:
    paths = {"/boxes?name={which}": {"get": {"parameters": [given("which")], "responses": answers(THING)}}}
    made = compiled(tmp_path, paths)
    (operation,) = made.api.operations
    assert [(p.name, p.location, p.is_required) for p in operation.parameters] == [("name", "query", True)]
    assert all_proved(made)
    assert [*asked(made.workflows[0])] == ["name"]


def test_operations_of_one_address_that_a_fragment_tells_apart_send_the_header_that_it_names(tmp_path: Path) -> None:
    def order(name: str, body: Any) -> dict[str, Any]:
        target = given("X-Target", "header")
        return {"post": {"parameters": [target], "requestBody": sent(body), "responses": DONE}}

    paths = {
        "/#X-Target=Depot.DropShelf": order("DropShelf", _LABEL),
        "/#X-Target=Depot.PaintShelf": order("PaintShelf", {**_LABEL, "required": ["text"]}),
    }
    made = compiled(tmp_path, paths)
    drop, paint = (only(made, f"POST /#X-Target=Depot.{name}") for name in ("DropShelf", "PaintShelf"))
    assert all_proved(made)
    assert (drop.flow.risk, paint.flow.risk) == (Risk.DESTROY, Risk.CHANGE)
    assert [(p[0], p[2]) for p in drop.flow.steps[0].parameters] == [("X-Target", "Depot.DropShelf")]
    assert not {"X-Target", "x_target"} & {*asked(drop)}


def test_a_query_that_is_told_otherwise_is_sent_as_the_path_has_it_and_one_that_is_there_twice_is_told(
    tmp_path: Path,
) -> None:
    other = [given("act", "query", {"type": "string", "enum": ["stop"]})]
    paths = {
        "/a?act=go&now=true": {"post": {"parameters": other, "responses": DONE}},
        "/a?now=true&act=go": {"post": {"responses": DONE}},
    }
    made = compiled(tmp_path, paths)
    assert [operation.path for operation in made.api.operations] == ["/a?act=go&now=true"]
    assert made.api.operations[0].parameters == ()
    assert {"path-query-differs", "path-invalid"} <= {d.code for d in made.diagnostics}
