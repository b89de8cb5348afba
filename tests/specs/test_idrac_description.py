"""Our iDRAC description against the vendor's: the same facts, in other words.

What is compared: operations, path parameters, success codes, member names, types and enums, through the vendor's
references into the schema files beside its document; where such a file is to be had nowhere, the member is not judged.
What must differ: every sentence. The vendor's document is no part of the project; where it is absent these tests skip.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from tests.needs import VENDOR_FILES, VENDOR_FOLDER

ROOT = Path(__file__).parents[2]
OURS = ROOT / "specs/idrac/openapi.yaml"
VENDORS = VENDOR_FOLDER / "specs/idrac/openapi.yaml"
SCHEMAS = VENDORS.parent / "redfish-schemas"
METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
# Operations of ours that the vendor's description leaves out, though a resource in it names their address.
UNDESCRIBED = {
    "POST /redfish/v1/UpdateService/MultipartUpload": "UpdateService names it in MultipartHttpPushUri",
    "POST /redfish/v1/UpdateService/FirmwareInventory": "UpdateService names it in HttpPushUri",
}
# What a finished export answers stands in no schema.
UNDECLARED = {"SystemConfiguration"}


def load(path: Path) -> Any:
    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def ours() -> Any:
    return load(OURS)


@pytest.fixture(scope="module")
def vendors() -> Any:
    VENDOR_FILES.or_skip()
    return cached_file(VENDORS)


@cache
def cached_file(path: Path) -> Any:
    return load(path) if path.exists() else None


def operations(document: Any) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": item[method]
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def at(document: Any, pointer: str) -> Any:
    for part in pointer.strip("/").split("/"):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def variants(node: Any, home: Path) -> Iterator[tuple[Any, Path]]:
    """The schemas that `node` stands for, through references and alternatives; nothing where a file is missing."""
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        file, _, pointer = node["$ref"].partition("#")
        target = SCHEMAS / file.rpartition("/")[2] if file else home
        yield from variants(at(cached_file(target), pointer), target)
        return
    for branch in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())):
        yield from variants(branch, home)
    yield node, home


def types(node: Any) -> set[str]:
    found = node.get("type", ())
    return {found} if isinstance(found, str) else set(found)


def differences(mine: Any, theirs: Iterable[tuple[Any, Path]], where: str) -> Iterator[str]:
    """What our schema says and none of the vendor's variants does."""
    mine, known = next(iter(variants(mine, OURS)))[0], list(theirs)
    wanted = {value for node, _ in known for value in node.get("enum", ()) if value is not None}
    extra = {value for value in mine.get("enum", ()) if value is not None} - wanted
    if wanted and extra:
        yield f"{where}: the vendor has no values {sorted(extra)}"
    their_types = {kind for node, _ in known for kind in types(node)}
    if their_types and not types(mine) - {"null"} <= their_types | ({"integer"} if "number" in their_types else set()):
        yield f"{where}: {types(mine)} instead of {their_types}"
    members = [(node["properties"], home) for node, home in known if "properties" in node]
    if members:
        yield from member_differences(mine, members, where)
    for node, home in known:
        if "items" in node and "items" in mine:
            yield from differences(mine["items"], variants(node["items"], home), f"{where}/0")


def member_differences(mine: Any, members: list[tuple[Any, Path]], where: str) -> Iterator[str]:
    for name, schema in mine.get("properties", {}).items():
        if "@" in name or name == "Oem" or name in UNDECLARED:
            continue
        declared = [(properties[name], home) for properties, home in members if name in properties]
        if not declared:
            yield f"{where}/{name}: the vendor has no such member"
        found = [variant for node, home in declared for variant in variants(node, home)]
        yield from differences(schema, found, f"{where}/{name}")


def allowed_values(node: Any, action: str = "") -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(action, member, values) of every `Member@Redfish.AllowableValues` below an action in the vendor's examples."""
    if isinstance(node, list):
        for element in node:
            yield from allowed_values(element, action)
    if isinstance(node, dict):
        for key, value in node.items():
            if key.endswith("@Redfish.AllowableValues") and action:
                yield action, key.partition("@")[0], tuple(value)
            else:
                yield from allowed_values(value, key.rpartition("#")[2] if "#" in key and "." in key else action)


def ref_resolved(document: Any, node: Any) -> Any:
    return at(document, node["$ref"].removeprefix("#")) if "$ref" in node else node


def body(holder: Any) -> Any:
    return holder.get("content", {}).get("application/json", {}).get("schema", {})


def vendor_body(vendors: Any, key: str) -> list[tuple[Any, Path]]:
    """The vendor's schema of a request, or, where its file lacks it, that of the resource that is written."""
    method, path = key.split(" ")
    found = list(variants(body(operations(vendors)[key].get("requestBody", {})), VENDORS))
    if found or "/Actions/" in path:
        return found
    item = re.compile(re.escape(path) + (r"/\{\w+\}" if method == "POST" else ""))
    reads = [o for k, o in operations(vendors).items() if k.startswith("GET ") and item.fullmatch(k[4:])]
    return [v for read in reads for v in variants(body(read["responses"]["200"]), VENDORS)]


def prose(node: Any) -> Iterator[str]:
    """Every title, summary and description below `node`, the explanations of enum values included."""
    if isinstance(node, list):
        for element in node:
            yield from prose(element)
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and (key in ("title", "summary") or key.lower().endswith("description")):
                yield value
            elif key.endswith("Descriptions") and isinstance(value, dict):
                yield from (text for text in value.values() if isinstance(text, str))
            elif key not in ("example", "examples"):
                yield from prose(value)


def runs(documents: Iterable[Any], length: int) -> set[tuple[str, ...]]:
    """Every run of `length` words that stands in one sentence of the documents."""
    texts = (text for document in documents for text in prose(document))
    sentences = (sentence for text in texts for sentence in re.split(r"[.;:!?](?=\s|$)|\n\n", text))
    words = (tuple(re.findall(r"[a-z0-9]+", sentence.lower())) for sentence in sentences)
    return {found[start : start + length] for found in words for start in range(len(found) - length + 1)}


@pytest.mark.slow
def test_our_description_is_valid_openapi(ours: Any) -> None:
    validate(ours)
    assert ours["openapi"].startswith("3.1.")


def test_every_operation_has_an_id_of_its_own_a_summary_and_a_declared_tag(ours: Any) -> None:
    found = operations(ours)
    ids = [operation["operationId"] for operation in found.values()]
    tags = {tag["name"] for tag in ours["tags"]}
    assert len(found) >= 120
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-zA-Z]+", operation_id) for operation_id in ids)
    assert all(operation["summary"] and set(operation["tags"]) <= tags for operation in found.values())


def test_basic_and_session_token_are_declared_and_only_root_and_login_are_open(ours: Any) -> None:
    schemes = ours["components"]["securitySchemes"]
    assert ours["security"] == [{"sessionToken": []}, {"basic": []}]
    assert (schemes["sessionToken"]["name"], schemes["sessionToken"]["in"]) == ("X-Auth-Token", "header")
    is_open = {key for key, operation in operations(ours).items() if operation.get("security") == []}
    assert is_open == {"GET /redfish/v1", "POST /redfish/v1/SessionService/Sessions"}


@pytest.mark.slow
def test_every_operation_of_ours_is_the_vendors_or_named_with_a_reason(ours: Any, vendors: Any) -> None:
    assert operations(ours).keys() - operations(vendors).keys() == UNDESCRIBED.keys()


def test_success_codes_are_among_the_vendors_and_there_is_one_for_each_operation(ours: Any, vendors: Any) -> None:
    theirs = operations(vendors)
    for key, operation in operations(ours).items():
        codes = {code for code in operation["responses"] if code.startswith("2")}
        assert len(codes) == 1, key
        if key in theirs:
            assert codes <= set(theirs[key]["responses"]), key


def test_members_types_and_enums_of_replies_are_the_vendors(ours: Any, vendors: Any) -> None:
    theirs = operations(vendors)
    found = []
    for key, operation in operations(ours).items():
        if key.startswith("GET ") and key in theirs:
            known = list(variants(body(theirs[key]["responses"]["200"]), VENDORS))
            mine = ref_resolved(ours, body(operation["responses"]["200"]))
            found += differences(mine, known, key)
    assert not found, "\n".join(found)


def test_members_types_and_enums_of_requests_are_the_vendors(ours: Any, vendors: Any) -> None:
    theirs = operations(vendors)
    found = []
    for key, operation in operations(ours).items():
        if body(operation.get("requestBody", {})) and key in theirs:
            mine = ref_resolved(ours, body(operation["requestBody"]))
            found += differences(mine, vendor_body(vendors, key), key)
    assert not found, "\n".join(found)


def test_the_values_of_the_makers_own_actions_are_those_that_the_vendors_examples_allow(
    ours: Any, vendors: Any
) -> None:
    allowed: dict[tuple[str, str], set[str]] = {}
    for action, member, values in allowed_values(
        [operation["responses"] for operation in operations(vendors).values()]
    ):
        allowed.setdefault((action.removeprefix("OemManager."), member), set()).update(values)
    compared = 0
    for key, operation in operations(ours).items():
        action = key.rpartition("/")[2].removeprefix("EID_674_Manager.")
        schema = ref_resolved(ours, body(operation.get("requestBody", {})))
        for member, declared in schema.get("properties", {}).items():
            values = set(declared.get("items", declared).get("enum", ()))
            if action.split(".")[0].startswith("Dell") or "EID_674" in key:
                compared += bool(values)
                assert not values or values <= allowed[action, member], (key, member)
    assert compared > 20


def test_a_strange_value_member_or_type_would_be_noticed(vendors: Any) -> None:
    known = vendor_body(vendors, "POST /redfish/v1/Systems/{ComputerSystemId}/Actions/ComputerSystem.Reset")
    strange = {"properties": {"ResetType": {"type": "integer", "enum": ["Explode"]}, "Haste": {"type": "string"}}}
    assert len(list(differences(strange, known, ""))) == 3


@pytest.mark.slow
def test_no_six_words_in_a_row_are_the_vendors_or_the_forums(ours: Any, vendors: Any) -> None:
    foreign = runs((vendors, *(cached_file(path) for path in SCHEMAS.glob("*.yaml"))), 6)
    assert len(foreign) > 10_000, "the vendor's sentences were not found"
    assert not runs((ours,), 6) & foreign


def test_only_example_hosts_are_named(ours: Any) -> None:
    hosts = set(re.findall(r"https?://([^/\s'\"]+)", OURS.read_text()))
    assert all(host.endswith("example.net") or host == "{address}" for host in hosts), hosts
