"""What small descriptions whose parts multiply may cost: processor time and memory that grow with their bytes."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench.compile import run_once
from compiler.compiled import Compiled
from compiler.containment import Containment
from compiler.frontend import load_api
from compiler.ir.model import EMPTY
from compiler.ir.schemas import SharedSchemas
from compiler.passes.flows.inputs.inlining import Room, inline
from compiler.pipeline import CompileRequest
from compiler.proofs.promises import promised_replies
from compiler.twin.values.validation import SchemaView, Validation
from compiler.twin.values.validators import tied, whole
from compiler.verification import compile_spec
from tests.compiler.shapes import SHAPES, described, linked, making, pairs_of, ref

MOST_CPU_S = 8.0  # a second or two; walking through all ways would take minutes, or for ever
MOST_MB = 300


def compiled(description: Any, folder: Path) -> Compiled:
    spec = folder / "api.json"
    spec.write_text(json.dumps(description))
    return compile_spec(CompileRequest(spec))[0]


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_a_description_multiplies_what_a_compile_costs(shape: str, tmp_path: Path) -> None:
    make, size = SHAPES[shape]
    started = time.process_time()
    made = compiled(make(size), tmp_path)
    assert time.process_time() - started < MOST_CPU_S
    assert made.api.operations


@pytest.mark.slow
def test_linked_schemas_take_memory_that_grows_with_their_number(tmp_path: Path) -> None:
    spec = tmp_path / "api.json"
    spec.write_text(json.dumps(linked(200)))
    words = [sys.executable, "-m", "switchgear.main", "compile", str(spec)]
    ran = run_once([*words, "--db", f"sqlite+aiosqlite:///{tmp_path / 'c.db'}"], tmp_path / "out")
    assert ran.exit_code == 0
    assert ran.peak_mb < MOST_MB


def test_levels_of_all_of_say_what_they_say_once(tmp_path: Path) -> None:
    description = pairs_of("allOf")(24)
    spec = tmp_path / "api.json"
    spec.write_text(json.dumps(description))
    loaded = load_api(spec)
    assert loaded.api.schemas["L0"]["allOf"] == [ref("L1")]
    assert loaded.diagnostics == ()
    schemas = SharedSchemas(loaded.api.schemas)
    assert list(schemas.members(ref("L0"))) == ["id", "name"]
    judge = Validation(loaded.api.schemas, schemas)
    assert judge.fits(ref("L0"), {"id": "a"}, SchemaView.REQUEST)
    assert not judge.fits(ref("L0"), {}, SchemaView.REQUEST)


def test_what_multiplies_all_the_same_is_cut_and_said(tmp_path: Path) -> None:
    make, size = SHAPES["diamonds of allOf"]
    found = compiled(make(size), tmp_path).diagnostics
    told = [each for each in found if each.code == "schema-multiplies"]
    assert told
    assert all(each.pointer.startswith("schema ") for each in told)


def test_many_alternatives_that_do_not_multiply_are_all_kept(tmp_path: Path) -> None:
    schemas = {f"V{n}": {"type": "object", "properties": {f"p{n}": {"type": "string"}}} for n in range(300)}
    union = {"anyOf": [ref(name) for name in schemas]}
    loaded = load_api(_written(described(making(ref("All")), {**schemas, "All": union}), tmp_path))
    assert len(loaded.api.schemas["All"]["anyOf"]) == 300
    assert [each for each in loaded.diagnostics if each.code == "schema-multiplies"] == []


def _written(description: Any, folder: Path) -> Path:
    spec = folder / "api.json"
    spec.write_text(json.dumps(description))
    return spec


def test_schemas_that_refer_to_one_another_are_compiled_once(tmp_path: Path, monkeypatch: Any) -> None:
    sizes: list[int] = []
    original = sys.modules["compiler.twin.values.validators"]._compiled  # type: ignore[attr-defined]

    def counted(schema: Any, keywords: Any) -> Any:
        sizes.append(len(json.dumps(schema, default=dict)))
        return original(schema, keywords)

    monkeypatch.setattr("compiler.twin.values.validators._compiled", counted)
    spent = []
    for number in (20, 40):
        sizes.clear()
        compiled(linked(number), tmp_path)
        spent.append(sum(sizes))
    assert spent[1] < 2.5 * spent[0]


def test_a_value_is_judged_alike_by_a_shared_validator_and_by_a_whole_one() -> None:
    shared = {
        "Disk": {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer"}}},
        "Machine": {"type": "object", "properties": {"disks": {"type": "array", "items": ref("Disk")}}},
        "Loose": {"type": "string"},
    }
    judge = Validation(shared, SharedSchemas(shared))
    body = {"type": "object", "properties": {"machine": ref("Machine"), "of": {"anyOf": [ref("Disk"), ref("Loose")]}}}
    assert judge.fits(body, {"machine": {"disks": [{"size": 1}]}, "of": "x"}, SchemaView.REQUEST)
    assert not judge.fits(body, {"of": 1}, SchemaView.REQUEST)
    assert judge.fault(body, {"machine": {"disks": [{"size": "x"}]}}, SchemaView.REQUEST).startswith(
        "/machine/disks/0/size: "
    )
    assert judge.fault(ref("Machine"), {"disks": [3]}, SchemaView.REQUEST).startswith("/disks/0: ")
    assert tied(shared) == {"Disk": ("Disk", "Machine"), "Machine": ("Disk", "Machine"), "Loose": ("Loose",)}


def test_what_looks_across_references_still_does() -> None:
    shared = {"Base": {"type": "object", "properties": {"a": {"type": "string"}}}}
    schema = {"allOf": [ref("Base")], "properties": {"b": {"type": "string"}}, "unevaluatedProperties": False}
    judge = Validation(shared, SharedSchemas(shared))
    assert judge.fits(schema, {"a": "x", "b": "y"}, SchemaView.REQUEST)
    assert not judge.fits(schema, {"c": "x"}, SchemaView.REQUEST)


def test_one_schema_that_cannot_be_compiled_costs_no_other() -> None:
    shared = {
        "Odd": {"type": "string", "pattern": "("},
        "Fine": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "odd": ref("Odd")}},
    }
    judge = Validation(shared, SharedSchemas(shared))
    assert judge.fits(ref("Odd"), 3, SchemaView.REQUEST)
    assert not judge.fits(ref("Fine"), {"a": "x"}, SchemaView.REQUEST)
    assert judge.fits(ref("Fine"), {"a": 1, "odd": 3}, SchemaView.REQUEST)


def test_a_promise_carries_the_nearest_schemas_up_to_a_bound(tmp_path: Path) -> None:
    made = compiled(linked(60), tmp_path)
    promised = promised_replies(made, Containment("a test"))
    assert len(promised) == 60
    shared = {
        name: {"type": "object", "title": "x" * 1_000, "properties": {"next": ref(f"S{n + 1}")}}
        for n, name in enumerate(f"S{n}" for n in range(9))
    }
    held = whole(ref("S0"), lambda name: shared.get(name, EMPTY), 3_500)["components"]["schemas"]
    assert [name for name, schema in held.items() if schema] == ["S0", "S1", "S2"]
    assert held["S3"] == {}


def test_inputs_are_written_out_until_there_is_no_room() -> None:
    names = [f"W{n}" for n in range(40)]
    shared = {name: {"type": "object", "properties": {f"m{other}": ref(other) for other in names}} for name in names}
    written = json.dumps(inline(SharedSchemas(shared), ref("W0"), 0, Room()))
    assert written.count('"type"') <= 1_001
