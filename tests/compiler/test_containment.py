"""A fault of ours in one operation, schema or flow: it is reported and left out, the rest is stored, exit code 1."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compiler import pipeline
from compiler.containment import FAULT
from compiler.errors import SpecError
from compiler.frontend.operations import OperationReader
from compiler.frontend.schemas.reading import Collector
from compiler.ir.model import Api
from compiler.passes.flows import plan
from compiler.passes.outcome import Options, PassOutcome
from compiler.proofs import proof, verifying
from compiler.twin.machine import Twin
from switchgear.main import main
from tests.compiler.shapes import described, ref, reply, sent

GOOD, BAD = "GET /goods/{id}", "GET /bads/{id}"
KEY = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
THING = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}


def description() -> Any:
    paths: dict[str, Any] = {}
    for noun, schema in (("goods", "Good"), ("bads", "Bad")):
        every = reply({"type": "array", "items": ref(schema)})
        paths[f"/{noun}"] = {
            "get": {"responses": every},
            "post": {"requestBody": sent(ref(schema)), "responses": every},
        }
        paths[f"/{noun}/{{id}}"] = {"get": {"parameters": [KEY], "responses": reply(ref(schema))}}
    return described(paths, {"Good": THING, "Bad": THING})


class OurFaultError(Exception):
    """What nobody expected."""


def raising_for(original: Callable[..., Any], is_bad: Callable[..., bool]) -> Callable[..., Any]:
    def made(*arguments: Any, **named: Any) -> Any:
        if is_bad(*arguments, **named):
            raise OurFaultError("nobody expected this")
        return original(*arguments, **named)

    made.__name__ = getattr(original, "__name__", "made")
    return made


def has_bad(api: Api, *_: Any, **__: Any) -> bool:
    return any(operation.key == BAD for operation in api.operations)


def compiled(folder: Path, capsys: Any, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, report, and what was said to people."""
    spec = folder / "api.json"
    spec.write_text(json.dumps(description()))
    code = main(["compile", str(spec), "--json", "--db", f"sqlite+aiosqlite:///{folder / 'c.db'}", *options])
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


def faults(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in report["diagnostics"] if each["code"] == FAULT]


def reached(report: dict[str, Any]) -> set[str]:
    return {f"{s['method']} {s['path']}" for one in report["workflows"] for s in one["steps"]}


def patched(monkeypatch: Any, owner: Any, name: str, is_bad: Callable[..., bool]) -> None:
    monkeypatch.setattr(owner, name, raising_for(getattr(owner, name), is_bad))


def judge_whole(report: dict[str, Any], code: int, within: str) -> None:
    assert code == 1
    found = faults(report)
    assert found, report["diagnostics"]
    assert all(re.fullmatch(r"report [0-9a-f]{12} together with the description", each["remedy"]) for each in found)
    assert {within in each["message"] for each in found} == {True}
    assert GOOD in reached(report)
    assert report["coverage"]["operations"] in (5, 6)


def test_without_a_fault_everything_is_stored(tmp_path: Path, capsys: Any) -> None:
    code, report, said = compiled(tmp_path, capsys)
    assert (code, faults(report)) == (0, [])
    assert {GOOD, BAD} <= reached(report)
    assert f"{len(report['workflows'])} new pending" in said


@pytest.mark.parametrize("name", [name for name, _ in pipeline.UNDERSTANDING])
def test_an_operation_that_breaks_a_pass_is_left_out(name: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    passes = tuple((n, raising_for(run, has_bad) if n == name else run) for n, run in pipeline.UNDERSTANDING)
    monkeypatch.setattr(pipeline, "UNDERSTANDING", passes)
    code, report, _ = compiled(tmp_path, capsys)
    judge_whole(report, code, f"the pass {name}")
    assert [each["pointer"] for each in faults(report)] == [BAD]
    assert BAD not in reached(report)
    assert BAD in {f"{each['method']} {each['path']}" for each in report["coverage"]["left_out"]}


@pytest.mark.parametrize("name", [name for name, _ in pipeline.UNDERSTANDING])
def test_an_operation_with_which_a_pass_breaks_the_ir_is_left_out(
    name: str, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    def broken(run: Any) -> Any:
        def made(api: Api, options: Options) -> PassOutcome:
            after = run(api, options).api
            operations = tuple(replace(o, digest="") if o.key == BAD else o for o in after.operations)
            return PassOutcome(replace(after, operations=operations))

        return made

    passes = tuple((n, broken(run) if n == name else run) for n, run in pipeline.UNDERSTANDING)
    monkeypatch.setattr(pipeline, "UNDERSTANDING", passes)
    code, report, _ = compiled(tmp_path, capsys)
    judge_whole(report, code, f"the pass {name}")
    assert [each["pointer"] for each in faults(report)] == [BAD]


@pytest.mark.parametrize("name", ["parts", "resources", "paging", "bodies", "jobs", "links"])
def test_what_can_go_on_without_a_pass_does(name: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    passes = tuple((n, raising_for(run, lambda *_: True) if n == name else run) for n, run in pipeline.UNDERSTANDING)
    monkeypatch.setattr(pipeline, "UNDERSTANDING", passes)
    code, report, _ = compiled(tmp_path, capsys)
    assert code == 1
    assert f"the pass {name}" in faults(report)[0]["message"]
    assert "GET /goods" in reached(report)


def test_what_can_go_on_without_the_states_that_orders_bring_about_does(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    patched(monkeypatch, pipeline, "ordered_states", lambda *_: True)
    code, report, _ = compiled(tmp_path, capsys)
    assert code == 1
    assert "the states that orders bring about" in faults(report)[0]["message"]
    assert "GET /goods" in reached(report)


@pytest.mark.parametrize("name", ["reserved", "orders", "effects"])
def test_nothing_goes_on_without_a_pass_that_safety_rests_on(
    name: str, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    passes = tuple((n, raising_for(r, lambda *_: True) if n == name else r) for n, r in pipeline.UNDERSTANDING)
    monkeypatch.setattr(pipeline, "UNDERSTANDING", passes)
    code, report, _ = compiled(tmp_path, capsys)
    assert (code, report["error"]["type"]) == (5, "CompilerBug")


@pytest.mark.parametrize(
    ("table", "place"), [("INTENTS", 1), ("INTENTS", 2), ("COMPOSITIONS", 0), ("COMPOSITIONS", -1)]
)
def test_a_planner_that_fails_for_one_thing_costs_the_flows_that_it_plans(
    table: str, place: int, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    plans = list(getattr(plan, table))
    plans[place] = raising_for(plans[place], lambda _context, resource: resource.item == "/bads/{id}")
    monkeypatch.setattr(plan, table, tuple(plans))
    code, report, _ = compiled(tmp_path, capsys)
    judge_whole(report, code, "the pass flows")
    assert faults(report)[0]["pointer"] == f"{plans[place].__name__} /bads/{{id}}"
    assert "POST /goods" in reached(report)


def is_read_at_bad(_self: Any, _method: str, path: str, *_: Any) -> bool:
    return path == "/bads/{id}"


def is_named_bad(document: Any, *_: Any) -> bool:
    return "bad" in document.workflows[0].workflow_id


CASES: dict[str, tuple[Any, str, Callable[..., bool], str]] = {
    "an operation is read": (OperationReader, "_operation", is_read_at_bad, "the reading"),
    "a schema is read": (Collector, "schema", lambda _self, place: place.tokens[-1:] == ("Bad",), "the reading"),
    "the writer": (verifying, "document_of", lambda _api, flow, *_: flow.goal == BAD, "the writer"),
    "the checks": (verifying, "checked", is_named_bad, "the checks"),
    "the twin as it is made": (verifying, "Prover", has_bad, "the twin"),
    "the twin as it answers": (Twin, "handle", lambda _self, request: request.path[:5] == "/bads", "the proof"),
    "the tool": (verifying, "tool_definition", is_named_bad, "the tool"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_fails_for_one_item_costs_that_item(case: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    owner, name, is_bad, within = CASES[case]
    patched(monkeypatch, owner, name, is_bad)
    code, report, said = compiled(tmp_path, capsys)
    judge_whole(report, code, within)
    assert f"{len(report['workflows'])} new pending" in said


def test_a_proof_that_fails_costs_its_flow(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    def is_bad(given: Any, *_: Any, **__: Any) -> bool:
        return "bad" in given.main.workflow_id

    monkeypatch.setattr("compiler.proofs.proving.prove", raising_for(proof.prove, is_bad))
    code, report, _ = compiled(tmp_path, capsys)
    judge_whole(report, code, "the proof")
    assert all("bad" in each["pointer"] for each in faults(report))


@pytest.mark.parametrize("name", ["compiler.proofs.promises.promised", "compiler.submission._new"])
def test_what_cannot_be_stored_is_left_out(name: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    module, _, attribute = name.rpartition(".")
    original = getattr(__import__(module, fromlist=[attribute]), attribute)
    calls = iter(range(100))
    monkeypatch.setattr(name, raising_for(original, lambda *_: next(calls) == 0))
    code, report, said = compiled(tmp_path, capsys)
    judge_whole(report, code, "the store")
    assert re.search(r"[1-9]\d* new pending", said)


def test_a_catalog_that_cannot_be_chosen_costs_the_choice_alone(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    patched(monkeypatch, verifying, "default_catalog", lambda *_: True)
    code, report, _ = compiled(tmp_path, capsys)
    judge_whole(report, code, "the default catalog")
    assert {BAD, GOOD} <= reached(report)
    assert {one["core"] for one in report["workflows"]} == {False}


def test_what_is_the_authors_fault_ends_the_compile_as_ever(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    def refused(*_: Any) -> Any:
        raise SpecError("this is no description")

    monkeypatch.setattr(OperationReader, "_operation", refused)
    code, report, _ = compiled(tmp_path, capsys)
    assert (code, report["error"]["type"]) == (3, "SpecError")


def test_one_fault_has_one_digest_and_another_place_another() -> None:
    def first() -> None:
        raise OurFaultError("a")

    def second() -> None:
        raise OurFaultError("a")

    told = [verifying.fault("x", "y", verifying.attempt(work)[1] or OurFaultError()) for work in (first, first, second)]
    assert told[0].remedy == told[1].remedy != told[2].remedy
