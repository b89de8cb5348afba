"""Objections of the specification's own validator: bounded, offline, and whatever the references say."""

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.errors import LimitError, SpecError
from compiler.frontend.conformance import objections

from .test_determinism import SMALL
from .test_robustness import SWAGGER


def judged(data: Any, folder: Path) -> list[tuple[str, str]]:
    (folder / "api.json").write_text(json.dumps(data))
    return [(one.code, one.pointer) for one in objections(folder / "api.json")]


def test_a_valid_description_has_no_objections(tmp_path: Path) -> None:
    sound = json.loads(json.dumps(SMALL))
    sound["paths"] = {"/a": {"get": {"responses": {"200": {"description": "ok"}}}}}

    assert judged(sound, tmp_path) == []


def test_a_fault_of_structure_is_named_with_its_place(tmp_path: Path) -> None:
    found = judged({**SMALL, "paths": {"/a": {"get": {"tags": "text", "responses": {}}}}}, tmp_path)

    assert ("not-valid", "api.json#/paths/~1a/get/tags") in found


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])
def test_references_that_leave_the_document_are_no_fault(version: str, tmp_path: Path) -> None:
    ref = {"$ref": "http://127.0.0.1:1/x.yaml#/y"}
    content = {"content": {"application/json": {"schema": ref}}}
    operation = {
        "parameters": [ref],
        "requestBody": ref,
        "responses": {"200": {"description": "", **content}, "400": ref},
    }
    dangling = {"get": {"responses": {"200": {"$ref": "#/components/responses/None"}}}}
    spec = {"openapi": version, "info": SMALL["info"], "paths": {"/a": {"post": operation}, "/b": dangling}}

    assert judged(spec, tmp_path) == []


def test_a_swagger_description_is_judged_by_its_own_rules(tmp_path: Path) -> None:
    spec = json.loads(json.dumps(SWAGGER))
    spec["paths"]["/a/{id}"]["put"]["parameters"].append({"$ref": "gone.yaml#/p"})

    assert judged(spec, tmp_path) == [("not-valid", "api.json#/paths/~1a~1{id}/put")]  # it has no replies


def test_no_more_objections_are_made_than_asked_for(tmp_path: Path) -> None:
    paths = {f"/{n}": {"get": {"tags": "text", "responses": {}}} for n in range(30)}
    (tmp_path / "api.json").write_text(json.dumps({**SMALL, "paths": paths}))

    found = objections(tmp_path / "api.json", most=7)
    assert len(found) == 7
    assert max(len(one.message) for one in found) < 300


def test_bombs_are_refused_as_by_a_compile(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "other.json").write_text("{}")

    with pytest.raises(LimitError):
        objections(tmp_path / "deep.json")
    with pytest.raises(SpecError):
        objections(tmp_path / "other.json")
