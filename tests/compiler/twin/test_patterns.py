"""Strings for regular expressions: what is made fits, and what is not understood is said."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.twin.values.patterns import string_for

LITERALS = st.sampled_from(
    ["a", "Z", "7", "-", "_", r"\.", r"\d", r"\w", "[a-f0-9]", "[^/]", "[A-Z_-]", ".", "(?:ab|c)", "(x|)"]
)
REPEATS = st.sampled_from(["", "?", "*", "+", "{2}", "{1,3}", "{2,}", "*?"])
PATTERNS = st.lists(st.tuples(LITERALS, REPEATS), min_size=1, max_size=8).map(
    lambda parts: "^" + "".join(atom + repeat for atom, repeat in parts) + "$"
)
NOT_SIMPLE = [r"^(?!a)b$", r"^(a)\1$", r"(?<=a)b", r"^\bword$", r"(", "[", r"^a{2}b\p{L}$"]
SEEN = [
    r"^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$",
    r"^([0-9A-Fa-f]{2}:){0,}([0-9A-Fa-f]{2})$",
    r"^-?P(\d+D)?(T(\d+H)?(\d+M)?(\d+(.\d+)?S)?)?$",
    r"^[a-z][a-z0-9-]{0,31}$",
    r"^(AA|BB|)$",
    r"^\d{3}-\d{10}$",
    r"^/redfish/v1/.+$",
]


@given(PATTERNS, st.integers(1, 5))
def test_what_is_made_for_a_simple_pattern_fits_it(pattern: str, number: int) -> None:
    made = string_for(pattern, 0, number)
    assert made is not None
    assert re.search(pattern, made)


@pytest.mark.parametrize("pattern", SEEN)
def test_patterns_of_real_descriptions_are_understood(pattern: str) -> None:
    made = string_for(pattern)
    assert made is not None
    assert re.search(pattern, made)


@pytest.mark.parametrize("pattern", NOT_SIMPLE)
def test_what_is_not_simple_is_none_and_not_a_wrong_string(pattern: str) -> None:
    assert string_for(pattern) is None


def test_a_longer_string_is_made_where_the_pattern_can_repeat() -> None:
    assert len(string_for("^[a-z]+$", 12) or "") >= 12


def test_numbers_tell_strings_for_one_pattern_apart() -> None:
    assert len({string_for("^[0-9a-f]{4}$", 0, number) for number in range(1, 6)}) == 5


def test_repeats_of_repeats_are_not_written_out() -> None:
    assert string_for("^(a{1000}){10}$") == "a" * 10_000
    assert string_for("^(a{1000}){1000}$") is None
