"""The measure of a model: who answers all right has full marks, who answers by position none, and it costs a table."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from compiler.proposals.evaluation import Evaluation, Measured, evaluated
from compiler.proposer.question import NONE_OF_THESE, Question, QuestionKind
from switchgear.main import cli
from tests.compiler.proposals.compiled_specs import Scripted, compiled, written
from tests.compiler.proposals.proposal_specs import SPECS
from tests.compiler.proposer import model_server as server
from tests.compiler.proposer.model_server import model_server


def measured(evaluation: Evaluation) -> dict[QuestionKind, Measured]:
    return {one.kind: one for one in evaluation.measured}


def knows(question: Question, _turned: bool) -> str:
    """All right; a sentence is the title, which finds its workflow."""
    if question.kind is QuestionKind.SENTENCE:
        return str(question.facts["title"]).lower()
    return question.expected or question.options[0]


def test_who_answers_all_right_has_full_marks_and_makes_nothing_worse() -> None:
    found = evaluated(compiled(), Scripted(knows), 8, lambda: 0.0)
    for kind, one in measured(found).items():
        if kind is not QuestionKind.SENTENCE:
            assert one.right == one.answered == one.asked == one.consistent, kind
            assert (one.refused, one.refusal) == ({}, "")
    assert {QuestionKind.TASK, QuestionKind.PIECE, QuestionKind.SENTENCE} <= set(measured(found))
    assert all(effect.after >= effect.before for effect in found.effects)


def test_who_answers_by_position_has_none_and_makes_nothing_worse() -> None:
    found = evaluated(
        compiled(), Scripted(lambda q, turned: (*q.options[:: -1 if turned else 1], "x")[0]), 8, lambda: 0.0
    )
    for kind, one in measured(found).items():
        assert one.right == 0, kind
        assert sum(one.refused.values()) >= one.answered
    assert all(effect.after == effect.before for effect in found.effects)


def test_no_answer_is_read_off_its_place() -> None:
    asker = Scripted(knows)
    evaluated(compiled(), asker, 8, lambda: 0.0)
    known = [
        one
        for one in asker.asked
        if one.expected and one.kind in (QuestionKind.PIECE, QuestionKind.ORDER, QuestionKind.RANK)
    ]
    assert known
    offered = [[each for each in one.options if each != NONE_OF_THESE] for one in known]
    assert offered == [sorted(each) for each in offered]


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_prints_a_table_or_json(as_json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = written(tmp_path)
    with model_server(server.answers(lambda kind, facts: min(facts.get("answers", ["list it"])))) as (url, _):
        monkeypatch.setenv("SWITCHGEAR_OLLAMA_URL", url)
        words = ["eval", "proposer", str(spec), "--proposer", "ollama:tiny", "--most", "3"]
        result = CliRunner().invoke(cli, words + ["--json"] * as_json, standalone_mode=False)
    assert result.exception is None
    assert result.return_value == 0
    if as_json:
        told = json.loads(result.stdout)
        assert told["model"] == f"tiny@{server.DIGEST}"
        assert {one["kind"] for one in told["apis"][0]["kinds"]} >= {"task", "sentence"}
    else:
        assert "machines   task" in result.stdout


def evaluate(monkeypatch: pytest.MonkeyPatch, url: str, *words: str) -> Result:
    monkeypatch.setenv("SWITCHGEAR_OLLAMA_URL", url)
    told = ["eval", "proposer", "--proposer", "ollama:tiny", *words]
    return CliRunner().invoke(cli, told, standalone_mode=False)


def kinds(result: Result, api: int = 0) -> dict[str, dict[str, Any]]:
    assert result.exception is None, result.exception
    return {one["kind"]: one for one in json.loads(result.stdout)["apis"][api]["kinds"]}


def first(kind: QuestionKind, facts: Mapping[str, Any]) -> Any:
    return facts.get("answers", ["list the machines"])[0]


@pytest.mark.slow
def test_of_a_server_that_dies_the_table_tells_what_was_answered_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, lock = str(written(tmp_path / "spec")), tmp_path / "measured.lock"
    words = (spec, "--most", "3", "--json", "--lock", str(lock))
    fine = server.answers(lambda kind, facts: min(facts.get("answers", ["list it"])))
    with model_server(*[fine] * 5, server.fails(500, '{"error": "out of memory"}')) as (url, script):
        broken = evaluate(monkeypatch, url, *words)
    answered = sum(one["answered"] for one in kinds(broken).values())
    assert (answered, len(script.chats)) == (2, 6)
    assert "out of memory" in broken.stderr
    effects = json.loads(broken.stdout)["apis"][0]["effects"]
    assert [one["answers"] for one in effects] == [0, 0]
    with model_server(fine) as (url, script):
        whole = evaluate(monkeypatch, url, *words)
    told = kinds(whole).values()
    assert all(one["answered"] == one["asked"] for one in told)
    assert sum(one["answered"] - one["live"] for one in told) == 2
    with model_server(fine) as (url, script):
        again = evaluate(monkeypatch, url, *words)
    assert script.chats == []
    assert {one["live"] for one in kinds(again).values()} == {0}
    right = {name: one["right"] for name, one in kinds(again).items()}
    assert right == {name: one["right"] for name, one in kinds(whole).items()}


@pytest.mark.slow
def test_two_apis_share_a_lock_that_can_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = json.loads(json.dumps(SPECS["machines"]).replace("/machines", "/hosts"))
    made = {"ours": SPECS["machines"], "theirs": other}
    specs = [str(written(tmp_path / name, name, spec)) for name, spec in made.items()]
    words = (*specs, "--most", "2", "--json", "--lock", str(tmp_path / "measured.lock"))
    with model_server(server.answers(first)) as (url, script):
        evaluate(monkeypatch, url, *words)
        asked = len(script.chats)
        again = evaluate(monkeypatch, url, *words)
    assert again.exception is None
    assert asked > 0
    assert len(script.chats) == asked


def test_a_slow_server_is_cut_at_the_deadline_and_what_is_asked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = server.answers(first)
    with model_server(fine, fine, server.is_silent) as (url, _):
        result = evaluate(monkeypatch, url, str(written(tmp_path)), "--most", "2", "--json", "--model-deadline", "0.7")
    told = kinds(result)
    assert sum(one["answered"] for one in told.values()) <= 1
    assert sum(one["asked"] for one in told.values()) > 2
    assert "was not done within 0.7 s" in result.stderr
    assert "1 of 2: ask " in result.stderr


@pytest.mark.slow
def test_who_answers_by_position_or_the_same_to_everything_is_told_so_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with model_server(server.answers(first)) as (url, _):
        by_place = kinds(evaluate(monkeypatch, url, str(written(tmp_path)), "--most", "6", "--json"))
    assert by_place["piece"]["right"] == 0
    assert "chosen by position" in by_place["piece"]["refusal"]
    alike = server.answers(lambda kind, facts: "yes" if "yes" in facts.get("answers", ()) else first(kind, facts))
    with model_server(alike) as (url, _):
        same = kinds(evaluate(monkeypatch, url, str(written(tmp_path)), "--most", "6", "--json"))
    assert same["sentence"]["right"] == 0
    assert same["sentence"]["refused"].keys() == {"said of several workflows"}


def test_without_a_model_there_is_nothing_to_measure(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["eval", "proposer", str(written(tmp_path))], standalone_mode=False)
    assert "no model answered" in str(result.exception)
