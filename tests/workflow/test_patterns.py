"""Regular expressions in linear time, and literals that stay literal."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.samples import examples
from tests.waiting import MOST_CPU_S
from workflow.errors import ExpressionError
from workflow.json.patterns import compile_pattern, escaped, from_i_regexp


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(.*a){25}$", "([a-zA-Z]+)*$", "(a?){30}a{30}$"])
def test_patterns_that_stall_a_backtracking_engine_answer_at_once(pattern: str) -> None:
    started = time.process_time()
    assert not compile_pattern("^" + pattern).is_found_in("a" * 20_000 + "!")
    assert time.process_time() - started < MOST_CPU_S


@pytest.mark.parametrize("pattern", ["(", "(?=a)b", r"(a)\1", "a{1000}{1000}", "[b-a]", "*"])
def test_a_pattern_beyond_linear_time_is_refused_when_it_is_compiled(pattern: str) -> None:
    with pytest.raises(ExpressionError, match="linear time"):
        compile_pattern(pattern)


def test_a_pattern_searches_and_its_anchors_mean_the_whole_text() -> None:
    assert compile_pattern("b").is_found_in("abc")
    assert compile_pattern(r"^2\d{2}$").is_found_in("204")
    assert not compile_pattern("^a$").is_found_in("a\n")
    assert not compile_pattern("a").is_found_in("\ud800a")


@settings(max_examples=examples(500), deadline=None)
@given(st.text(), st.text())
def test_escaped_text_matches_itself_and_nothing_else(text: str, other: str) -> None:
    assert compile_pattern(f"^(?:{escaped(text)})$").is_found_in(other) is (other == text)
    assert compile_pattern(f"^(?:{escaped(text)})$").is_found_in(text)


@settings(max_examples=examples(300), deadline=None)
@given(st.text(min_size=1), st.characters(codec="utf-8"))
def test_escaped_text_in_a_character_class_is_those_characters(text: str, char: str) -> None:
    assert compile_pattern(f"^[{escaped(text)}]$").is_found_in(char) is (char in text)


def test_the_dot_of_an_i_regexp_leaves_out_line_ends_and_escapes_stay() -> None:
    assert from_i_regexp(r"a.b\.c[.]") == r"a[^\n\r]b\.c[.]"
    assert from_i_regexp(r"\\.[\].]") == r"\\[^\n\r][\].]"
