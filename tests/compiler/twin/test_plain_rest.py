"""Without a profile: a small API with plain REST semantics, as the passes understand it by themselves."""

from collections.abc import Callable
from typing import Any

import pytest

from compiler.twin import TwinRequest

Make = Callable[..., Any]

BOOK = {
    "type": "object",
    "required": ["id", "title", "isbn"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "readOnly": True},
        "title": {"type": "string", "minLength": 1},
        "isbn": {"type": "string", "pattern": "^[0-9]{3}-[0-9]{10}$"},
        "shelfId": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "cover": {"type": "object", "properties": {"colour": {"type": "string"}, "hard": {"type": "boolean"}}},
        "secret": {"type": "string", "writeOnly": True},
    },
}
SHELF = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}},
}
ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def _reply(schema: Any) -> dict[str, Any]:
    return {"description": "fine", "content": {"application/json": {"schema": schema}}}


def _body(schema: Any) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _id(name: str, schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


BOOK_ID = _id("bookId", {"type": "string"})
SHELF_ID = _id("shelfId", {"type": "integer"})
BAD = {"400": _reply(_ref("Error")), "404": _reply(_ref("Error"))}
LIBRARY: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Library", "version": "1"},
    "servers": [{"url": "/api/v1"}],
    "paths": {
        "/books": {
            "get": {
                "parameters": [{"name": "title", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": _reply({"type": "array", "items": _ref("Book")})},
            },
            "post": {"requestBody": _body(_ref("Book")), "responses": {"201": _reply(_ref("Book")), **BAD}},
        },
        "/books/{bookId}": {
            "parameters": [BOOK_ID],
            "get": {"responses": {"200": _reply(_ref("Book")), **BAD}},
            "patch": {"requestBody": _body(_ref("Book")), "responses": {"200": _reply(_ref("Book")), **BAD}},
            "put": {"requestBody": _body(_ref("Book")), "responses": {"200": _reply(_ref("Book")), **BAD}},
            "delete": {"responses": {"204": {"description": "gone"}, **BAD}},
        },
        "/books/{bookId}/lend": {
            "parameters": [BOOK_ID],
            "post": {"responses": {"204": {"description": "done"}, **BAD}},
        },
        "/shelves": {
            "get": {"responses": {"200": _reply({"type": "object", "properties": {
                "items": {"type": "array", "items": _ref("Shelf")}, "total": {"type": "integer"}}})}},
            "post": {"requestBody": _body(_ref("Shelf")), "responses": {"201": _reply(_ref("Shelf"))}},
        },
        "/shelves/{shelfId}": {
            "parameters": [SHELF_ID],
            "get": {"responses": {"200": _reply(_ref("Shelf")), **BAD}},
            "delete": {"responses": {"204": {"description": "gone"}, **BAD}},
        },
        "/shelves/{shelfId}/labels": {
            "parameters": [SHELF_ID],
            "get": {"responses": {"200": _reply({"type": "array", "items": _ref("Shelf")}), **BAD}},
            "post": {"requestBody": _body(_ref("Shelf")), "responses": {"201": _reply(_ref("Shelf")), **BAD}},
        },
        "/shelves/{shelfId}/labels/{labelId}": {
            "parameters": [SHELF_ID, _id("labelId", {"type": "integer"})],
            "get": {"responses": {"200": _reply(_ref("Shelf")), **BAD}},
        },
    },
    "components": {"schemas": {"Book": BOOK, "Shelf": SHELF, "Error": ERROR}},
}  # fmt: skip
NEW = {"title": "Emma", "isbn": "978-0141439587"}


@pytest.fixture
def library(made: Make) -> Any:
    return made(LIBRARY)


def test_a_collection_starts_with_two_different_items(library: Any) -> None:
    first, second = library.get("/books").body
    assert first["id"] != second["id"]
    assert first["title"] != second["title"]


def test_what_is_created_is_there_with_what_was_sent_and_an_id_of_its_own(library: Any) -> None:
    reply = library.post("/books", NEW)
    assert reply.status == 201
    assert reply.header("location") == f"/api/v1/books/{reply.body['id']}"
    found = library.get(f"/books/{reply.body['id']}").body
    assert {"title": "Emma", "isbn": "978-0141439587"}.items() <= found.items()
    assert len(library.get("/books").body) == 3


def test_a_patch_changes_what_was_sent_merges_objects_and_replaces_arrays(library: Any) -> None:
    path = f"/books/{library.post('/books', {**NEW, 'tags': ['a', 'b'], 'cover': {'colour': 'red'}}).body['id']}"
    library.patch(path, {"tags": ["c"], "cover": {"hard": True}})
    found = library.get(path).body
    assert (found["tags"], found["cover"], found["title"]) == (["c"], {"colour": "red", "hard": True}, "Emma")


def test_a_put_replaces_the_whole_item_but_not_its_id(library: Any) -> None:
    created = library.post("/books", {**NEW, "tags": ["a"]}).body
    library.ask("PUT", f"/books/{created['id']}", NEW)
    found = library.get(f"/books/{created['id']}").body
    assert found["id"] == created["id"]
    assert "tags" not in found


def test_what_is_deleted_is_gone_and_cannot_be_deleted_again(library: Any) -> None:
    book = library.get("/books").body[0]["id"]
    assert library.delete(f"/books/{book}").status == 204
    assert library.get(f"/books/{book}").status == 404
    assert library.delete(f"/books/{book}").status == 404
    assert book not in [b["id"] for b in library.get("/books").body]


def test_a_write_only_member_is_taken_and_never_shown(library: Any) -> None:
    reply = library.post("/books", {**NEW, "secret": "hush"})
    assert "hush" not in str(reply.body)
    assert "hush" not in str(library.get(f"/books/{reply.body['id']}").body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"title": "Emma"}, "isbn"),
        ({**NEW, "title": 3}, "title"),
        ({**NEW, "isbn": "12"}, "isbn"),
        ({**NEW, "id": "00000000-0000-4000-8000-000000000000"}, "read-only"),
        ("Emma", "object"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_changes_nothing(library: Any, body: Any, says: str) -> None:
    reply = library.post("/books", body)
    assert reply.status == 400
    assert says in reply.body["error"]
    assert len(library.get("/books").body) == 2


def test_a_missing_body_and_a_body_of_another_type_are_refused(library: Any) -> None:
    assert library.post("/books").status == 400
    assert library.post("/books", NEW, content_type="text/plain").status == 415


def test_a_reference_to_something_that_does_not_exist_is_refused(library: Any) -> None:
    shelf = library.get("/shelves").body["items"][0]["id"]
    assert library.post("/books", {**NEW, "shelfId": shelf}).status == 201
    reply = library.post("/books", {**NEW, "shelfId": 9999})
    assert (reply.status, "9999" in reply.body["error"]) == (400, True)


def test_seeds_refer_to_items_that_exist(library: Any) -> None:
    shelves = {s["id"] for s in library.get("/shelves").body["items"]}
    assert {int(b["shelfId"]) for b in library.get("/books").body} <= shelves


def test_a_counting_member_beside_the_list_counts(library: Any) -> None:
    library.post("/shelves", {"name": "north"})
    assert library.get("/shelves").body["total"] == 3


def test_ids_have_the_type_that_the_schema_asks_for(library: Any) -> None:
    assert isinstance(library.post("/shelves", {"name": "north"}).body["id"], int)


def test_children_live_below_their_own_parent_only(library: Any) -> None:
    one, two = [s["id"] for s in library.get("/shelves").body["items"]]
    made = library.post(f"/shelves/{one}/labels", {"name": "poetry"}).body["id"]
    assert "poetry" in [x["name"] for x in library.get(f"/shelves/{one}/labels").body]
    assert "poetry" not in [x["name"] for x in library.get(f"/shelves/{two}/labels").body]
    library.delete(f"/shelves/{one}")
    assert library.get(f"/shelves/{one}/labels").status == 404
    assert library.get(f"/shelves/{one}/labels/{made}").status == 404


def test_an_action_on_nothing_is_refused_and_one_on_something_is_answered(library: Any) -> None:
    book = library.get("/books").body[0]
    before = library.get("/books").body
    assert library.post(f"/books/{book['id']}/lend").status == 204
    assert library.get("/books").body == before
    assert library.post("/books/nobody/lend").status == 404


def test_a_declared_query_parameter_named_like_a_member_selects(library: Any) -> None:
    title = library.get("/books").body[1]["title"]
    assert [b["title"] for b in library.get("/books", title=title).body] == [title]
    assert library.get("/books", title="none such").body == []


def test_an_unknown_path_is_404_and_an_unknown_method_405_with_the_known_ones(library: Any) -> None:
    assert library.get("/papers").status == 404
    reply = library.delete("/books")
    assert (reply.status, reply.header("allow")) == (405, "GET, HEAD, POST")


def test_head_is_get_without_a_body(library: Any) -> None:
    reply = library.ask("HEAD", "/books")
    assert (reply.status, reply.body) == (200, None)


def test_a_fresh_twin_knows_nothing_of_what_was_done_to_the_other(library: Any) -> None:
    before = library.get("/books").body
    library.delete(f"/books/{before[0]['id']}")
    assert library.twin.fresh().handle(TwinRequest("GET", "/books")).body == before
    library.twin.reset()
    assert library.get("/books").body == before


def test_the_record_tells_every_request_in_order_with_its_status(library: Any) -> None:
    library.get("/books")
    library.post("/books", NEW)
    library.get("/nothing")
    seen = [(r.number, r.method, r.path, r.status) for r in library.twin.requests]
    assert seen == [(1, "GET", "/books", 200), (2, "POST", "/books", 201), (3, "GET", "/nothing", 404)]
    assert library.twin.requests[1].body == NEW
