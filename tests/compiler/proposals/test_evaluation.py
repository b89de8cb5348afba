"""The measure of a model: who answers all right has full marks, who answers by position none, and it costs a table."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from compiler.proposals.evaluation import Evaluation, Measured, evaluated
from compiler.proposer.question import NONE_OF_THESE, Question, QuestionKind
from switchgear.main import cli
from tests.compiler.proposals.compiled_specs import Scripted, compiled, written
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


def test_without_a_model_there_is_nothing_to_measure(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["eval", "proposer", str(written(tmp_path))], standalone_mode=False)
    assert "no model answered" in str(result.exception)
