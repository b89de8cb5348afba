"""What counts of answers: the same both times, of what was offered; and when many of them tell nothing together."""

import pytest

from compiler.proposer.question import NO, YES, ModelAnswer, QuestionKind, fault_of, without_information

DIGEST = "sha256:" + "0" * 64


def answer(first: str, second: str, options: tuple[str, ...] = ("a", "b"), subject: str = "s") -> ModelAnswer:
    return ModelAnswer(QuestionKind.RANK, subject, options, (first, second), DIGEST, "tiny")


def test_only_what_is_said_both_times_counts() -> None:
    assert answer("a", "a").agreed == "a"
    assert fault_of(answer("a", "a")) == ""
    assert answer("a", "b").agreed == ""
    assert "turned round" in fault_of(answer("a", "b"))


def test_what_was_not_offered_does_not_count() -> None:
    assert answer("c", "c").agreed == ""
    assert "offered" in fault_of(answer("c", "c"))


def test_the_same_place_both_times_is_by_position() -> None:
    assert answer("a", "b").is_by_position
    assert answer("b", "a").is_by_position
    assert not answer("a", "a").is_by_position
    assert not answer("b", "b", ("a", "b", "c")).is_by_position


def test_a_batch_that_is_chosen_by_position_tells_nothing() -> None:
    first = [answer("a", "b", subject=str(n)) for n in range(8)]
    assert "by position" in without_information(first)
    assert "by position" in without_information([*first, answer("a", "a")])
    assert without_information([*first, *(answer("a", "a", subject=f"x{n}") for n in range(4))]) == ""


@pytest.mark.parametrize("word", [YES, NO])
def test_the_same_to_every_question_tells_nothing(word: str) -> None:
    same = [answer(word, word, (YES, NO), str(n)) for n in range(5)]
    assert f"“{word}” to every question" in without_information(same)
    other = answer(NO if word == YES else YES, NO if word == YES else YES, (YES, NO))
    assert without_information([*same, other]) == ""


def test_a_few_answers_may_be_alike_by_chance() -> None:
    assert without_information([answer(YES, YES, (YES, NO), str(n)) for n in range(4)]) == ""
