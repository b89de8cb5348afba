"""Versions of an API side by side: the better one is in workflows, the others are left out with that reason."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.compiled import Compiled
from compiler.passes.versions import is_version, rank
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

RACK = {"type": "object", "properties": {"id": {"type": "string", "readOnly": True}, "name": {"type": "string"}}}
RANKED = ["v1alpha1", "v1beta1", "v1beta2", "v2beta1", "v1", "v1.2", "v2", "v10"]


def shown(schema: Any) -> dict[str, Any]:
    return {"description": "ok", "content": {"application/json": {"schema": schema}}}


def racks(version: str, **more: Any) -> dict[str, Any]:
    """The paths of one version: racks are listed, made and read; `more`: operations on one of them."""
    which = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    body = {"required": True, "content": {"application/json": {"schema": RACK}}}
    item = {"parameters": [which], "get": {"responses": {"200": shown(RACK)}}}
    return {
        f"/apis/{version}/racks": {
            "get": {"responses": {"200": shown({"type": "array", "items": RACK})}},
            "post": {"requestBody": body, "responses": {"201": shown(RACK)}},
        },
        f"/apis/{version}/racks/{{id}}": item,
    } | {
        f"/apis/{version}/racks/{{id}}/{name}": {"parameters": [which], "post": {"responses": {"204": done}}}
        for name, done in more.items()
    }


def compiled(folder: Path, *paths: dict[str, Any], version: str = "1") -> Compiled:
    spec = folder / "api.yaml"
    told = {name: each for some in paths for name, each in some.items()}
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "hall", "version": version}, "paths": told}))
    return compile_spec(CompileRequest(spec))[0]


def left_out(found: Compiled) -> dict[str, str]:
    return {operation.key: operation.left_out for operation in found.api.operations if operation.left_out}


def test_the_stable_version_is_preferred_and_names_say_nothing_of_versions(tmp_path: Path) -> None:
    found = compiled(tmp_path, racks("v2beta1"), racks("v1"), racks("v1alpha3"))
    assert len(left_out(found)) == 6
    assert left_out(found)["POST /apis/v2beta1/racks"] == "another version of POST /apis/v1/racks, which is preferred"
    assert {"hall_create_rack", "hall_find_racks", "hall_describe_rack"} <= {one.flow.id for one in found.workflows}


def test_what_only_an_older_version_does_is_kept_with_the_reads_that_find_it(tmp_path: Path) -> None:
    found = compiled(tmp_path, racks("v1", blink={"description": "done"}), racks("v2"))
    assert list(left_out(found)) == ["POST /apis/v1/racks"]
    blink = next(one.flow for one in found.workflows if one.flow.goal.endswith("/blink"))
    assert blink.steps[0].operation == "GET /apis/v1/racks"


def test_a_version_that_the_vendor_gives_up_is_nobodys_better(tmp_path: Path) -> None:
    newer = racks("v2")
    for path in newer.values():
        for method in path.keys() & {"get", "post"}:
            path[method]["deprecated"] = True
    found = compiled(tmp_path, racks("v1"), newer)
    assert set(left_out(found).values()) == {"deprecated by the vendor"}
    assert not [key for key in left_out(found) if "/v1/" in key]


@pytest.mark.parametrize("worse", range(len(RANKED) - 1))
def test_stages_come_before_numbers(worse: int) -> None:
    less, more = rank(RANKED[worse], 5), rank(RANKED[worse + 1], 5)
    assert less is not None and more is not None and less < more


@pytest.mark.parametrize("word", ["vms", "v", "1", "12", "vlan1", "volumes", "v1widgets", "2024"])
def test_words_and_numbers_of_things_are_no_versions(word: str) -> None:
    assert not is_version(word)


@pytest.mark.parametrize(
    ("version", "schema", "is_asked"),
    [
        ("2019-03-01", {"type": "string"}, False),
        ("1.2", {"type": "string"}, True),  # what is sent there may be anything
        ("2019-03-01", {"type": "string", "default": "2018-01-01"}, True),
    ],
)
def test_a_description_of_one_dated_version_sends_its_date(
    version: str, schema: Any, is_asked: bool, tmp_path: Path
) -> None:
    told = {"name": "api-version", "in": "query", "required": True, "schema": schema}
    paths = racks("v1")
    paths["/apis/v1/racks"]["get"]["parameters"] = [told]
    found = compiled(tmp_path, paths, version=version)
    find = next(one.flow for one in found.workflows if one.flow.goal == "GET /apis/v1/racks")
    (sent,) = (value for name, _, value in find.steps[0].parameters if name == "api-version")
    assert (sent != version) is is_asked
    assert all(one.is_verified for one in found.workflows)  # what is looked up in that list, too
    assert ("version-assumed" in {each.code for each in found.diagnostics}) is not is_asked
