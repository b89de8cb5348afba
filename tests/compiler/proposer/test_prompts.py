"""Prompts: one subject, two examples, offered answers in both orders, and nothing that ends the fence."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from compiler.proposer.prompts import EXAMPLES, INSTRUCTIONS, MAX_TEXT, digest_of, form_of, messages
from compiler.proposer.question import Question, QuestionKind

QUESTION = Question(QuestionKind.RANK, "a|b", {"x": "y"}, ("Start VM", "Delete VM"))


def fence(text: str) -> Any:
    assert text.startswith("```json\n")
    assert text.endswith("\n```")
    return json.loads(text[8:-4])


def test_a_request_is_about_one_subject_with_two_examples() -> None:
    told = messages(QUESTION, turned=False)
    assert [one["role"] for one in told] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert told[0]["content"] == INSTRUCTIONS[QuestionKind.RANK]
    assert fence(told[-1]["content"]) == {"x": "y", "answers": ["Start VM", "Delete VM"]}


def test_turned_round_the_answers_and_the_examples_stand_in_the_other_order() -> None:
    told, turned = messages(QUESTION, turned=False), messages(QUESTION, turned=True)
    assert fence(turned[-1]["content"])["answers"] == ["Delete VM", "Start VM"]
    assert turned[2] == told[4]
    assert fence(turned[1]["content"])["answers"] == fence(told[3]["content"])["answers"][::-1]


@pytest.mark.parametrize("kind", [kind for kind in QuestionKind if EXAMPLES[kind][0][1]])
def test_the_examples_of_a_kind_have_their_answers_in_different_places(kind: QuestionKind) -> None:
    """Else a model that looks at places alone would be taught to."""
    places = {options.index(answer) for _, options, answer in EXAMPLES[kind]}
    assert len(places) == 2


def test_the_form_of_an_answer_lets_nothing_else_be_said() -> None:
    form = form_of(("Start VM", "Delete VM"))
    schema = form.model_json_schema()
    assert schema["properties"]["answer"]["enum"] == ["Start VM", "Delete VM"]
    assert schema["required"] == ["answer"]
    assert schema["additionalProperties"] is False
    with pytest.raises(ValidationError):
        form.model_validate({"answer": "Stop VM"})


def test_a_sentence_is_cut_and_not_refused_for_its_length() -> None:
    assert form_of(()).model_json_schema()["properties"]["answer"] == {"title": "Answer", "type": "string"}
    assert len(form_of(()).model_validate({"answer": "x" * 5000}).answer) == MAX_TEXT  # type: ignore[attr-defined]


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=40), max_size=3), st.text(max_size=30))
def test_nothing_ends_the_fence(facts: dict[str, str], option: str) -> None:
    text = messages(Question(QuestionKind.PIECE, "s", facts, (option, "none")), turned=True)[-1]["content"]
    inside = text[8:-4]
    assert "`" not in inside
    assert "<" not in inside
    assert "\n" not in inside
    assert fence(text) == {**facts, "answers": ["none", option]}


def test_the_digest_is_of_all_that_is_told_and_asked() -> None:
    other = (
        Question(QuestionKind.ORDER, "a|b", {"x": "y"}, QUESTION.options),
        Question(QuestionKind.RANK, "a|c", {"x": "y"}, QUESTION.options),
        Question(QuestionKind.RANK, "a|b", {"x": "z"}, QUESTION.options),
        Question(QuestionKind.RANK, "a|b", {"x": "y"}, QUESTION.options[::-1]),
    )
    assert len({digest_of(one) for one in (QUESTION, *other)}) == 5
    assert digest_of(QUESTION) == digest_of(Question(QuestionKind.RANK, "a|b", {"x": "y"}, ("Start VM", "Delete VM")))
