"""`switchgear compile` and `lint` as a script uses them: exit codes, JSON, files, the database."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from compiler.proposer.question import NONE_OF_THESE
from switchgear.main import cli
from tests.compiler.proposals.compiled_specs import written
from tests.compiler.proposer import model_server as server
from tests.compiler.proposer.model_server import model_server

SPEC = """
openapi: 3.1.0
info: {title: Shop, version: '1'}
servers: [{url: /v1}]
paths:
  /orders:
    get:
      operationId: list
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: array, items: &order {$ref: '#/components/schemas/Order'}}}}
    post:
      operationId: make
      requestBody: {required: true, content: {application/json: {schema: *order}}}
      responses: {'201': {description: made, content: {application/json: {schema: *order}}}}
components:
  schemas:
    Order: {type: object, required: [title], properties: {id: {type: string, readOnly: true}, title: {type: string}}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "api.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'governance.db'}"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments], standalone_mode=False)


def pending(database: str) -> list[dict[str, Any]]:
    listed = run("workflows", "list", "--db", database, "--json")
    return [one for one in json.loads(listed.stdout)["workflows"] if one["state"] == "pending"]


def test_what_is_compiled_waits_as_pending(spec: Path, database: str) -> None:
    result = run("compile", str(spec), "--db", database)
    assert result.return_value == 0
    assert {one["workflow_id"] for one in pending(database)} == {"shop_create_order", "shop_find_orders"}


def test_compiling_the_same_again_makes_no_new_revisions(spec: Path, database: str) -> None:
    run("compile", str(spec), "--db", database)
    again = run("compile", str(spec), "--db", database)
    assert "0 new pending, 2 unchanged" in again.stderr
    assert [one["number"] for one in pending(database)] == [1, 1]


def test_the_report_is_the_only_thing_on_standard_output(spec: Path, database: str) -> None:
    report = json.loads(run("compile", str(spec), "--db", database, "--json").stdout)
    assert report["api"] == "shop"
    assert report["coverage"] == {"operations": 2, "in_workflows": 2, "left_out": []}


def test_a_check_writes_nothing_and_ends_with_1_when_something_would_change(
    spec: Path, database: str, tmp_path: Path
) -> None:
    run("db", "upgrade", "--db", database)
    assert run("compile", str(spec), "--db", database, "--check", "--out", str(tmp_path / "out")).return_value == 1
    assert pending(database) == []
    assert not (tmp_path / "out").exists()
    run("compile", str(spec), "--db", database)
    assert run("compile", str(spec), "--db", database, "--check").return_value == 0
    spec.write_text(SPEC.replace("required: [title]", "required: []"))
    assert run("compile", str(spec), "--db", database, "--check").return_value == 1


def test_documents_are_written_as_arazzo(spec: Path, database: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("compile", str(spec), "--db", database, "--out", str(out))
    document = json.loads((out / "shop_create_order.arazzo.json").read_text())
    assert document["arazzo"] == "1.1.0"
    assert document["workflows"][0]["workflowId"] == "shop_create_order"


def test_the_ir_is_printed_as_it_is_after_a_pass(spec: Path) -> None:
    after_effects = run("compile", str(spec), "--dump-after", "effects").stdout
    after_flows = run("compile", str(spec), "--dump-after", "flows").stdout
    assert "effect=create" in after_effects
    assert "resource orders" not in after_effects
    assert "flow shop_create_order" in after_flows


def test_without_ollama_the_compile_says_so_in_one_line_and_succeeds(
    spec: Path, database: str, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("SWITCHGEAR_OLLAMA_URL", f"http://127.0.0.1:{unused_tcp_port}")
    result = run("compile", str(spec), "--db", database, "--proposer", "ollama:small", "--json")
    assert result.return_value == 0
    lines = [d["message"] for d in json.loads(result.stdout)["diagnostics"] if "llama" in d["message"]]
    assert len(lines) == 1


def test_lint_ends_with_1_for_warnings_and_0_for_notes(spec: Path) -> None:
    assert run("lint", str(spec)).return_value == 0
    spec.write_text(SPEC.replace("description: ok", "descripton: ok"))
    result = run("lint", str(spec), "--json")
    assert result.return_value == 1
    assert json.loads(result.stdout)["diagnostics"][0]["pointer"]


def test_the_catalog_and_each_workflow_are_explained(spec: Path) -> None:
    catalog = run("compile", str(spec), "--explain")
    assert [line.split(": in: rank ")[0] for line in catalog.stdout.splitlines()] == [
        "shop_find_orders",
        "shop_create_order",
    ]
    one = run("compile", str(spec), "--explain", "shop_create_order").stdout
    assert "change: POST /orders: the goal" in one
    assert 'body = {"title":"$inputs.title"}' in one
    assert "usual: succeeded" in one


def always(word: Callable[[Sequence[str]], str]) -> server.Move:
    """Chooses among what is offered, whatever its order."""
    return server.answers(
        lambda _, facts: word(sorted(each for each in facts.get("answers", ()) if each != NONE_OF_THESE))
    )


ASK = ("--ask", "create a machine, then add a disk to it")


def test_a_sentence_makes_one_pending_workflow_and_each_compile_with_the_lock_plans_it_again(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, lock = written(tmp_path), tmp_path / "proposals.lock"
    with model_server(always(lambda offered: offered[0])) as (url, _):
        monkeypatch.setenv("SWITCHGEAR_OLLAMA_URL", url)
        words = ("--proposer", "ollama:tiny", "--lock", str(lock), "--db", database, "--json")
        result = run("compile", str(spec), *ASK, *words)
    told = json.loads(result.stdout)
    assert (result.return_value, told["outcome"]) == (0, "proposed"), told
    assert [one["workflow_id"] for one in pending(database)] == [told["workflow"]]
    shown = " ".join(run("workflows", "show", told["workflow"], "--db", database).stdout.split())
    assert f"Put together by a model (tiny@{server.DIGEST}), of what an operator said: “{ASK[1]}”" in shown
    run("compile", str(spec), "--lock", str(lock), "--db", database)
    assert {told["workflow"], "machines_find_machines"} <= {one["workflow_id"] for one in pending(database)}
    again = [one["number"] for one in pending(database) if one["workflow_id"] == told["workflow"]]
    assert again == [1], "the same bytes are no new revision"


@pytest.mark.slow
def test_what_the_lock_has_of_one_sentence_outlives_another(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, lock = written(tmp_path), tmp_path / "proposals.lock"
    with model_server(always(lambda offered: offered[0])) as (url, script):
        monkeypatch.setenv("SWITCHGEAR_OLLAMA_URL", url)
        words = ("--proposer", "ollama:tiny", "--lock", str(lock), "--db", database, "--json")
        for sentence in ("delete a machine", "wipe a disk", "delete a machine"):
            told = json.loads(run("compile", str(spec), "--ask", sentence, *words).stdout)
            assert told["diagnostics"] == []
        assert len(script.chats) == 4, "the third time nothing is asked"


def test_a_sentence_of_which_nothing_comes_stores_nothing_and_says_what_is_missing(
    database: str, tmp_path: Path
) -> None:
    spec = written(tmp_path)
    run("db", "upgrade", "--db", database)
    without = run("compile", str(spec), *ASK, "--db", database)
    assert without.return_value == 1
    assert "could be one: Create machine, then create disk" in without.stdout
    impossible = run("compile", str(spec), "--ask", "order a pizza", "--db", database, "--json")
    assert impossible.return_value == 1
    assert "pizza" in json.loads(impossible.stdout)["refusal"]
    assert pending(database) == []


def test_several_descriptions_are_searched_with_a_sentence_alone(spec: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "m")
    result = run("compile", str(spec), str(other), "--ask", "delete a machine", "--json")
    told = json.loads(result.stdout)
    assert told["understood"][0]["nearest"][0] == "machines_delete_machine"
    refused = run("compile", str(spec), str(other))
    assert "--ask" in str(refused.exception)


def test_a_check_and_an_explanation_leave_the_lock_alone(
    spec: Path, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "proposals.lock"
    run("db", "upgrade", "--db", database)
    with model_server(always(lambda offered: offered[0] if offered else "x")) as (url, script):
        monkeypatch.setenv("SWITCHGEAR_OLLAMA_URL", url)
        for more in (("--check",), ("--explain",)):
            run("compile", str(spec), "--proposer", "ollama:tiny", "--lock", str(lock), "--db", database, *more)
        assert script.chats
    assert not lock.exists()


def test_a_server_elsewhere_is_asked_only_where_that_is_said(
    spec: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHGEAR_OLLAMA_URL", "http://10.255.255.1:11434")
    result = run("compile", str(spec), "--db", database, "--proposer", "ollama:small")
    assert "SWITCHGEAR_MODEL_MAY_LEAVE=1" in getattr(result.exception, "remedy", "")
