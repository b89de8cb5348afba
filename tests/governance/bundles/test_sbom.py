"""The bill of materials: complete, valid by CycloneDX's own schemas, and clear about what runs on an edge."""

import functools
import importlib.metadata
import importlib.resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import ComponentScope

from governance.bundles import archive
from governance.bundles.sbom import bill_of_materials

AT = "2026-11-28T10:00:00.000000Z"


async def test_the_bill_of_materials_names_every_locked_package_and_no_host(factory: Any) -> None:
    data = archive.read_file(await factory.export())[archive.SBOM]
    found = orjson.loads(data)
    lock = (Path(__file__).parents[3] / "requirements.lock").read_text()
    pinned = {line.split(" ")[0] for line in lock.splitlines() if "==" in line and not line.startswith(" ")}
    assert {f"{part['name']}=={part['version']}" for part in found["components"]} == pinned
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert b"://" not in data


@functools.cache
def judge() -> Any:
    """The format's own schemas, which the library brings; what its validator needs costs every process two seconds."""
    folder = importlib.resources.files("cyclonedx.schema") / "_res"
    names = ("bom-1.6", "spdx", "jsf-0.82", "cryptography-defs")
    files = [f"{name}.SNAPSHOT.schema.json" for name in names]
    schemas = [orjson.loads((folder / file).read_bytes()) for file in files]
    places = [f"http://cyclonedx.org/schema/{file}" for file in files]
    known = jsonschema_rs.Registry(list(zip(places, schemas, strict=True)))
    return jsonschema_rs.Draft7Validator(schemas[0], registry=known)


def faults(document: bytes) -> list[str]:
    return [fault.message for fault in judge().iter_errors(orjson.loads(document))]


def test_it_is_a_cyclonedx_document_of_its_version() -> None:
    assert faults(bill_of_materials(AT)) == []


@pytest.mark.parametrize(("member", "value"), [("scope", "edge"), ("type", "package"), ("colour", "red")])
def test_the_validator_would_see_a_document_that_is_none(member: str, value: str) -> None:
    document = orjson.loads(bill_of_materials(AT))
    document["components"][0][member] = value
    assert faults(orjson.dumps(document))


def scopes() -> dict[str, ComponentScope | None]:
    """As another reader of the format finds them."""
    bom = Bom.from_json(orjson.loads(bill_of_materials(AT)))  # type: ignore[attr-defined]  # made by a decorator
    assert all(part.purl is not None and part.purl.name == part.name for part in bom.components)
    return {part.name: part.scope for part in bom.components}


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        (ComponentScope.REQUIRED, {"fastmcp", "httpx", "sqlalchemy", "pydantic-core", "starlette", "psycopg-binary"}),
        (ComponentScope.OPTIONAL, {"instructor", "ollama", "openapi-spec-validator", "opentelemetry-sdk", "keyring"}),
        (ComponentScope.EXCLUDED, {"pytest", "schemathesis", "prance", "openapi-core", "kinto", "mypy", "hatchling"}),
    ],
)
def test_it_tells_what_runs_on_an_edge_what_may_and_what_never_does(scope: ComponentScope, names: set[str]) -> None:
    assert {name: scopes().get(name) for name in names} == dict.fromkeys(names, scope)


def test_every_component_has_a_scope() -> None:
    assert [name for name, scope in scopes().items() if scope is None] == []


def test_it_tells_the_version_of_the_product_itself() -> None:
    product = orjson.loads(bill_of_materials(AT))["metadata"]["component"]
    assert (product["name"], product["version"]) == ("switchgear", importlib.metadata.version("switchgear"))
