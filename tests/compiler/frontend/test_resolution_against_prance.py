"""An independent judge of our resolution: prance inlines the same descriptions, and both must show the same members.

prance is not used by the product: it fetches `http://` references and any local path by default, copies what is
referred to at every place (PowerStore's 2.6 MB become 1,078 MB), and fails at the first dangling reference. For small
descriptions that refer only to themselves it is a good witness, fed with a mapping and `RESOLVE_INTERNAL`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from prance.util.resolver import RESOLVE_INTERNAL, RefResolver

from compiler.frontend import load_api
from compiler.frontend.documents.limits import DEFAULT_LIMITS
from compiler.frontend.documents.parse import parse_document
from compiler.ir.model import Operation, Schema
from tests.needs import VENDOR_FILES, VENDOR_FOLDER

ROOT = Path(__file__).resolve().parents[3]
SPECS = VENDOR_FOLDER / "specs"
CHOICES = ("allOf", "anyOf", "oneOf")


def inlined(data: Any) -> Any:
    resolver = RefResolver(
        data, "file:///api.json", resolve_types=RESOLVE_INTERNAL, recursion_limit_handler=lambda *_: {}, strict=False
    )
    resolver.resolve_references()
    return resolver.specs


def members(ours: Any, theirs: Any, schemas: Mapping[str, Schema], way: str, depth: int = 5) -> list[str]:
    """Where the two differ in the names of members, to a depth at which recursion has not been cut by prance."""
    if not isinstance(theirs, dict) or not theirs or theirs.get("nullable") or depth == 0:
        return []
    while isinstance(ours, dict) and "$ref" in ours:
        ours = schemas[ours["$ref"].rpartition("/")[2]]
    if not isinstance(ours, dict):
        return [f"{way}: {ours!r} instead of a schema"]
    own, other = ours.get("properties", {}), theirs.get("properties", {})
    found = [] if sorted(own) == sorted(other) else [f"{way}: {sorted(own)} and {sorted(other)}"]
    for name in sorted(set(own) & set(other)):
        found += members(own[name], other[name], schemas, f"{way}/{name}", depth - 1)
    if "items" in theirs:
        found += members(ours.get("items", False), theirs["items"], schemas, f"{way}/*", depth - 1)
    for keyword in CHOICES:
        pairs = zip(ours.get(keyword, ()), theirs.get(keyword, ()), strict=True)
        for number, (one, another) in enumerate(pairs):
            found += members(one, another, schemas, f"{way}/{keyword}{number}", depth - 1)
    return found


def compared(operation: Operation, theirs: Any, schemas: Mapping[str, Schema]) -> list[str]:
    found: list[str] = []
    item = theirs["paths"][operation.path]
    written = item[operation.method.lower()]
    names = {(p["in"], p["name"]) for p in [*item.get("parameters", ()), *written.get("parameters", ())]}
    ours = {(p.location, p.name) for p in operation.parameters}
    if {name for name in names if name[0] != "header"} != {name for name in ours if name[0] != "header"}:
        found.append(f"{operation.key}: parameters {names} and {ours}")
    for response in operation.responses:
        content = written["responses"][response.status].get("content", {})
        if response.schema is not None:
            schema = content[response.media_type]["schema"]
            found += members(response.schema, schema, schemas, f"{operation.key} {response.status}")
    if operation.body is not None:
        schema = written["requestBody"]["content"][operation.body.media_type].get("schema", {})
        found += members(operation.body.schema, schema, schemas, f"{operation.key} body")
    return found


@pytest.mark.parametrize(
    ("file", "fewest"),
    [("specs/hypercore", 70), ("specs/idrac", 70), ("docs/rack-pdu", 4)],
    ids=["hypercore", "idrac", "rack-pdu"],
)
def test_prance_and_our_front_end_see_the_same_members_of_what_is_shipped(
    file: str, fewest: int, tmp_path: Path
) -> None:
    assert len(told_apart((ROOT / file / "openapi.yaml"), tmp_path)) >= fewest


@VENDOR_FILES.mark
@pytest.mark.parametrize(
    "file",
    ["hypercore/openapi.json", "odd/keycloak-dangling-ref.json", "odd/powerscale.json", "odd/openstack-image-31.yaml"],
)
def test_prance_and_our_front_end_see_the_same_members(file: str, tmp_path: Path) -> None:
    assert len(told_apart(SPECS / file, tmp_path)) >= 76


def told_apart(file: Path, folder: Path) -> tuple[Operation, ...]:
    """The operations of a description, in which the two readers have found the same."""
    data = parse_document(file.read_bytes(), file.name, DEFAULT_LIMITS).data
    # prance stops at the one dangling reference of one file; both are given the same repaired description.
    data["components"].setdefault("schemas", {}).setdefault("oas_any_type_not_mapped", {})
    (folder / "api.json").write_text(json.dumps(data))
    api = load_api(folder / "api.json").api
    theirs = inlined(data)
    assert [line for operation in api.operations for line in compared(operation, theirs, api.schemas)] == []
    return api.operations
