"""What no caller may say is never an input, is refused in a document, and once more on the wire (THREATS.md F7)."""

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.ir.model import CONNECTION_HEADERS
from compiler.pipeline import CompileRequest, dump
from runtime.driver.wire import address_of, wire_request
from runtime.errors import Refused
from workflow.requests.events import SendRequest
from workflow.requests.reserved import REASONS, why_reserved

HARMLESS = [
    *(("header", name) for name in ("If-Match", "Range", "Prefer", "Accept-Language", "OData-Version", "X-Request-Id")),
    *(("header", name) for name in ("Idempotency-Key", "X-Vendor-Idempotency-Key", "X-Next-Token", "X-Page-Token")),
    *(("query", name) for name in ("filter", "method", "token", "user", "host", "origin", "$expand", "callback")),
    *(("cookie", name) for name in ("lang", "theme", "region")),
    *(("body", name) for name in ("method", "host", "authorization", "user")),
]
ADDRESS = address_of("http://10.0.0.7", "/api")
PLACES = {"header": "headers", "query": "query", "cookie": "headers"}


def spelled(name: str) -> list[str]:
    """A name of the table as descriptions spell it; for `begin*` and `*end` one that begins or ends so."""
    whole = name.replace("*", "x")
    return [whole, whole.upper(), whole.replace("-", "_"), whole.replace("-", "."), whole.title()]


def operation(place: str, name: str) -> dict[str, Any]:
    answer = {"responses": {"200": {"description": "ok"}}}
    if place != "body":
        return {"parameters": [{"name": name, "in": place, "schema": {"type": "string"}}], **answer}
    members = {"title": {"type": "string"}, name: {"type": "string"}}
    content = {"application/json": {"schema": {"type": "object", "properties": members, "required": [name, "title"]}}}
    return {"requestBody": {"required": True, "content": content}, **answer}


@pytest.mark.parametrize("place", ["header", "query", "cookie", "body"])
def test_what_is_reserved_is_no_parameter_and_no_member_behind_the_pass(place: str, tmp_path: Path) -> None:
    names = [name for where, name, _ in REASONS if where == place]
    paths = {
        f"/things{number}-{which}": {"post" if place == "body" else "get": operation(place, spelling)}
        for number, name in enumerate(names)
        for which, spelling in enumerate(spelled(name))
    }
    document = {"openapi": "3.1.0", "info": {"title": "Toy", "version": "1"}, "paths": paths}
    (tmp_path / "toy.json").write_text(json.dumps(document))
    api = dump(CompileRequest(tmp_path / "toy.json"), after="reserved")
    assert len(api.operations) == len(paths)
    left = {parameter.name.lower() for one in api.operations for parameter in one.parameters}
    assert left <= CONNECTION_HEADERS  # which no step ever binds
    assert all(set(one.body.schema["properties"]) == {"title"} for one in api.operations if one.body)


@pytest.mark.parametrize(("place", "name"), HARMLESS)
def test_what_only_says_more_about_the_same_request_is_free(place: str, name: str) -> None:
    assert why_reserved(place, name) == ""


@pytest.mark.parametrize(
    ("place", "name"), [(place, name) for place, name, _ in REASONS if place in PLACES and name != "cookie"]
)
def test_what_is_reserved_does_not_go_onto_the_wire(place: str, name: str) -> None:
    for spelling in spelled(name):
        pair = ("cookie", f"lang=en; {spelling}=1") if place == "cookie" else (spelling, "1")
        command = SendRequest("s", 1, "GET", "/things", "/things", **{PLACES[place]: (pair,)})  # type: ignore[arg-type]
        with pytest.raises(Refused):
            wire_request(command, ADDRESS)
