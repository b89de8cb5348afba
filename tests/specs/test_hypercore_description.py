"""Our HyperCore description against the vendor's: the same facts, in other words.

What is compared: operations, parameters, request bodies, replies, member names, types, enums, defaults, required lists
and marks. What must differ: every sentence. The vendor's document is no part of the project; where it is absent these
tests skip.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from tests.needs import VENDOR_FILES, VENDOR_FOLDER
from workflow.profiles.profile import read_profile

ROOT = Path(__file__).parents[2]
OURS = ROOT / "specs/hypercore/openapi.yaml"
VENDORS = VENDOR_FOLDER / "specs/hypercore/openapi.json"
METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
FACTS = ("type", "enum", "default", "format", "additionalProperties")


@pytest.fixture(scope="module")
def ours() -> Any:
    return yaml.load(OURS.read_bytes(), Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def vendors() -> Any:
    VENDOR_FILES.or_skip()
    return json.loads(VENDORS.read_bytes())


def resolved(document: Any, node: Any) -> Any:
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operations(document: Any) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": item[method]
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def shape(document: Any, schema: Any) -> Any:
    """What a schema says about values, without a word of prose. A reference's own readOnly is not counted: 3.0, in
    which the vendor writes, cannot say it."""
    is_reference = "$ref" in schema
    schema = resolved(document, schema)
    facts = {key: schema[key] for key in FACTS if key in schema and not isinstance(schema[key], dict)}
    if not is_reference:
        facts |= {key: True for key in ("readOnly", "writeOnly") if schema.get(key)}
    facts["required"] = sorted(schema.get("required", ()))
    facts["properties"] = {name: shape(document, member) for name, member in schema.get("properties", {}).items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            facts[f"{key}{{}}"] = shape(document, schema[key])
    return facts


def content_shape(document: Any, holder: Any) -> dict[str, Any]:
    return {
        media_type: shape(document, content["schema"]) if "schema" in content else None
        for media_type, content in holder.get("content", {}).items()
    }


def operation_shape(document: Any, operation: Any) -> Any:
    body = operation.get("requestBody")
    parameters = operation.get("parameters", ())
    return {
        "parameters": [
            (p["name"], p["in"], p.get("required", False), shape(document, p["schema"])) for p in parameters
        ],
        "body": body and (body.get("required", False), content_shape(document, body)),
        "replies": {
            status: (
                sorted(resolved(document, reply).get("headers", ())),
                content_shape(document, resolved(document, reply)),
            )
            for status, reply in operation["responses"].items()
        },
    }


def prose(node: Any) -> Iterator[str]:
    """Every title, summary and description below `node`, except members that bear one of these names."""
    if isinstance(node, list):
        for element in node:
            yield from prose(element)
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("title", "summary", "description") and isinstance(value, str):
                yield value
            elif key not in ("example", "examples"):
                yield from prose(value)


def runs(document: Any, length: int) -> set[tuple[str, ...]]:
    """Every run of `length` words that stands in one sentence of the document."""
    sentences = (re.split(r"[.;:!?](?=\s|$)|\n", text) for text in prose(document))
    words = (tuple(re.findall(r"[a-z0-9]+", sentence.lower())) for text in sentences for sentence in text)
    return {found[start : start + length] for found in words for start in range(len(found) - length + 1)}


@pytest.mark.slow
def test_our_description_is_valid_openapi(ours: Any) -> None:
    validate(ours)
    assert ours["openapi"].startswith("3.1.")


def test_every_operation_has_an_id_a_summary_a_description_and_a_declared_tag(ours: Any) -> None:
    found = operations(ours)
    tags = {tag["name"] for tag in ours["tags"]}
    ids = [operation["operationId"] for operation in found.values()]
    assert len(set(ids)) == len(found) == 150
    assert all(re.fullmatch(r"[a-z][a-zA-Z]+", operation_id) for operation_id in ids)
    assert all(o["summary"] and o["description"] and set(o["tags"]) <= tags for o in found.values())


def test_both_ways_to_authenticate_are_declared_and_the_login_needs_neither(ours: Any) -> None:
    assert ours["security"] == [{"basic": []}, {"session": []}]
    assert ours["components"]["securitySchemes"]["session"] | {"description": ""} == {
        "type": "apiKey", "in": "cookie", "name": "sessionID", "description": "",
    }  # fmt: skip
    assert operations(ours)["POST /login"]["security"] == []


def test_operations_are_the_vendors(ours: Any, vendors: Any) -> None:
    assert operations(ours).keys() == operations(vendors).keys()


def test_parameters_bodies_and_replies_are_the_vendors(ours: Any, vendors: Any) -> None:
    theirs = operations(vendors)
    for key, operation in operations(ours).items():
        assert operation_shape(ours, operation) == operation_shape(vendors, theirs[key]), key


def test_shared_schemas_have_the_vendors_members(ours: Any, vendors: Any) -> None:
    for name, schema in vendors["components"]["schemas"].items():
        mine = shape(ours, ours["components"]["schemas"][name])
        assert mine.get("enum") == schema.get("enum"), name
        assert mine["properties"] == shape(vendors, schema)["properties"], name


def test_the_shape_notices_what_differs(ours: Any) -> None:
    schema = ours["components"]["schemas"]["AlertSMTPConfigCreate"]
    changed = json.loads(json.dumps(schema))
    changed["properties"]["port"]["type"] = "string"
    assert shape(ours, changed) != shape(ours, schema)
    changed = json.loads(json.dumps(schema)) | {"required": ["port"]}
    assert shape(ours, changed) != shape(ours, schema)


@pytest.mark.parametrize(
    ("mark", "word"), [("create_only", "CREATE-ONLY"), ("deprecated", "DEPRECATED"), ("internal", "INTERNAL")]
)
def test_members_bear_the_marks_that_the_vendor_gives_them(ours: Any, vendors: Any, mark: Any, word: str) -> None:
    named = read_profile(OURS.parent / "profile.yaml").marks[mark]
    for schema_name, schema in vendors["components"]["schemas"].items():
        for name, member in schema.get("properties", {}).items():
            if "$ref" not in member:
                mine = ours["components"]["schemas"][schema_name]["properties"][name]
                has_mark = any(text in mine["description"] for text in named)
                assert has_mark == (word in member.get("description", "")), (schema_name, name)
                assert mark != "deprecated" or has_mark == mine.get("deprecated", False), (schema_name, name)


def test_no_six_words_in_a_row_are_the_vendors(ours: Any, vendors: Any) -> None:
    values = {("uefi", "scale", "uefi", "tpm", "9", "2")}  # two values of machineType side by side
    assert len(runs(vendors, 6)) > 1000, "the vendor's sentences were not found"
    assert runs(ours, 6) & runs(vendors, 6) <= values


def test_no_address_of_the_vendor_is_named(ours: Any) -> None:
    text = OURS.read_text()
    hosts = set(re.findall(r"(?:https?|smb)://(?:[^/@\s]*@)?([^/\s'\"]+)", text))
    assert all(host.endswith("example.com") or host == "server" for host in hosts), hosts
    assert [server["url"] for server in ours["servers"]] == ["/rest/v1"]
