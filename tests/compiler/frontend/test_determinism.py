"""The same description gives the same API, whatever the order of keys, the syntax, the folder or the hash seed."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.frontend import load_api
from compiler.ir.printer import print_api, print_diagnostics
from tests.needs import VENDOR_FILES, VENDOR_FOLDER

SPECS = VENDOR_FOLDER / "specs"
SMALL: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Small", "version": "1"},
    "paths": {
        "/b/{id}": {
            "get": {
                "operationId": "getB",
                "parameters": [
                    {"name": "z", "in": "query", "schema": {"type": "string"}},
                    {"name": "a", "in": "query", "schema": {"type": "string"}},
                ],
                "responses": {
                    "404": {"description": "no"},
                    "200": {
                        "description": "ok",
                        "headers": {"X-B": {}, "ETag": {}},
                        "content": {
                            "application/xml": {"schema": {"type": "string"}},
                            "application/json": {
                                "schema": {"$ref": "#/components/schemas/B"},
                                "examples": {"two": {"value": 2}, "one": {"value": {"y": 1, "x": 2}}},
                            },
                        },
                    },
                },
            }
        },
        "/a": {"post": {"requestBody": {"content": {"text/plain": {}, "multipart/form-data": {}}}, "responses": {}}},
    },
    "components": {
        "schemas": {
            "B": {"type": "object", "properties": {"c": {"$ref": "#/components/schemas/C"}, "b": {"enum": ["z", "a"]}}},
            "C": {"items": {"$ref": "#/components/schemas/B"}, "type": "array", "default": [{"q": 1, "p": 2}]},
        },
        "securitySchemes": {"two": {"type": "http", "scheme": "bearer"}, "one": {"type": "http", "scheme": "basic"}},
    },
}


def shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(one, order) for one in value] if isinstance(value, list) else value


def printed(path: Path) -> str:
    loaded = load_api(path)
    digests = "".join(f"{one.key} {one.digest}\n" for one in loaded.api.operations)
    return f"{print_api(loaded.api)}{print_diagnostics(loaded.diagnostics)}{digests}{loaded.api.digest}"


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_keys_changes_nothing(seed: int, tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps(SMALL))
    expected = printed(tmp_path / "api.json")
    (tmp_path / "api.json").write_text(json.dumps(shuffled(SMALL, random.Random(seed))))

    assert printed(tmp_path / "api.json") == expected


def test_json_and_yaml_of_the_same_description_give_the_same_digests(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps(SMALL))
    (tmp_path / "api.yaml").write_text("# as YAML\n" + json.dumps(SMALL, indent=1))

    first, second = (load_api(tmp_path / name).api for name in ("api.json", "api.yaml"))

    assert first.digest == second.digest


def test_a_word_changed_anywhere_that_an_operation_reaches_changes_its_digest_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps(SMALL))
    before = {one.key: one.digest for one in load_api(tmp_path / "api.json").api.operations}
    changed = json.loads(json.dumps(SMALL).replace('"z", "a"]', '"z", "b"]'))
    (tmp_path / "api.json").write_text(json.dumps(changed))
    after = {one.key: one.digest for one in load_api(tmp_path / "api.json").api.operations}

    assert {key for key in before if before[key] != after[key]} == {"GET /b/{id}"}


def test_a_schema_that_nothing_reaches_changes_no_digest(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps(SMALL))
    before = load_api(tmp_path / "api.json").api
    more = {**SMALL, "components": {"schemas": {**SMALL["components"]["schemas"], "Unused": {"type": "null"}}}}
    (tmp_path / "api.json").write_text(json.dumps(more))

    after = load_api(tmp_path / "api.json").api
    assert after.digest == before.digest
    assert "Unused" not in after.schemas


@pytest.mark.slow
@VENDOR_FILES.mark
def test_the_hash_seed_changes_nothing() -> None:
    code = (
        "import sys, hashlib; from pathlib import Path; from compiler.frontend import load_api;"
        "from compiler.ir.printer import print_api, print_diagnostics; r = load_api(Path(sys.argv[1]));"
        "t = print_api(r.api) + print_diagnostics(r.diagnostics) + r.api.digest;"
        "print(hashlib.sha256(t.encode()).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(SPECS / "redfish-small" / "openapi.yaml")]
    texts = {
        subprocess.check_output(command, env={**os.environ, "PYTHONHASHSEED": seed}, text=True) for seed in ("1", "77")
    }

    assert len(texts) == 1


@VENDOR_FILES.mark
def test_a_real_description_with_shuffled_keys_gives_the_same_ir(tmp_path: Path) -> None:
    real = json.loads((SPECS / "hypercore" / "openapi.json").read_text())
    (tmp_path / "openapi.json").write_text(json.dumps(shuffled(real, random.Random(7))))

    assert printed(tmp_path / "openapi.json") == printed(SPECS / "hypercore" / "openapi.json")
