"""Prism beside the twin: the copy that it serves, and, where it is installed, the real thing."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from compiler.twin import prism
from tests.needs import PRISM
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[3]
SPECS = [("hypercore", "/rest/v1", "/VirDomain"), ("idrac", "", "/redfish/v1/Systems")]


def installed() -> str:
    try:
        return prism.find_prism(os.environ, ROOT)
    except prism.PrismError:
        PRISM.skip()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "base", "path"), SPECS)
def test_prism_serves_a_shipped_description_below_its_base_path_and_ends(name: str, base: str, path: str) -> None:
    spec = ROOT / "specs" / name / "openapi.yaml"
    with prism.running(installed(), spec, base) as url:
        reply = httpx.get(
            url + path, auth=("a", "b"), headers={"X-Auth-Token": "t"}, timeout=PATIENCE_S, trust_env=False
        )
        assert reply.status_code == 200, reply.text
        assert reply.json()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url + path, trust_env=False)


@pytest.mark.slow
def test_a_description_that_prism_cannot_read_says_what_prism_said(tmp_path: Path) -> None:
    spec = tmp_path / "broken.json"
    spec.write_text(json.dumps({"openapi": "3.1.0", "paths": {}}))
    with pytest.raises(prism.PrismError, match="did not start"), prism.running(installed(), spec, ""):
        pass


def test_without_prism_it_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(prism.PrismError) as caught:
        prism.find_prism({"PATH": str(tmp_path)}, tmp_path)
    assert "npm install" in caught.value.remedy
    assert prism.VERSION in caught.value.remedy


def test_without_node_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(prism.PrismError, match="Node"):
        prism.find_prism({"PATH": str(tmp_path), "SWITCHGEAR_PRISM": "/somewhere/prism"}, tmp_path)


def test_the_variable_names_the_command(tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("")
    node.chmod(0o755)
    found = prism.find_prism({"PATH": str(tmp_path), "SWITCHGEAR_PRISM": "/somewhere/prism"}, tmp_path)
    assert found == "/somewhere/prism"


def test_the_copy_has_the_base_path_in_front_and_references_that_still_lead_somewhere(tmp_path: Path) -> None:
    spec = tmp_path / "api.json"
    document: dict[str, Any] = {
        "openapi": "3.0.0",
        "servers": [{"url": "https://host/v1"}],
        "paths": {"/a": {"$ref": "parts.yaml#/a"}, "/b": {"$ref": "#/paths/~1a"}, "/c": {"$ref": "#/components/x"}},
    }
    spec.write_text(json.dumps(document))
    copy = prism.served_copy(spec, "/v1")
    assert copy["servers"] == [{"url": "/"}]
    assert copy["paths"] == {
        "/v1/a": {"$ref": f"{tmp_path}/parts.yaml#/a"},
        "/v1/b": {"$ref": "#/paths/~1v1~1a"},
        "/v1/c": {"$ref": "#/components/x"},
    }
