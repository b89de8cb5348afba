"""Where one wish ends and the next begins, and what comes before what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.proposals.parting import SentencePart, parts_of


def parts(sentence: str) -> list[tuple[str, str]]:
    return [(part.said, part.joint) for part in parts_of(sentence)]


@pytest.mark.parametrize(
    "sentence",
    [
        "stop it, then start it",
        "stop it and then start it",
        "stop it; afterwards start it",
        "stop it. After that, start it",
        "stop it, when that is done start it",
        "stop it and finally start it",
        "stop it followed by start it",
        "stop it -> start it",
        "stop it, next start it",
    ],
)
def test_what_says_then_parts(sentence: str) -> None:
    assert parts(sentence) == [("stop it", ""), ("start it", "then")]


@pytest.mark.parametrize(
    "sentence",
    ["1. stop it 2. start it", "1) stop it 2) start it", "step 1: stop it, step 2: start it", "- stop it\n- start it",
     "stop it\nstart it", "stop it; start it", "stop it. Start it."],
)  # fmt: skip
def test_lists_lines_and_stops_part(sentence: str) -> None:
    assert [said.lower() for said, _ in parts(sentence)] == ["stop it", "start it"]


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("start it, but first stop it", [("start it", ""), ("stop it", "first")]),
        ("start it. Before that, stop it", [("start it", ""), ("stop it", "first")]),
        ("before you start it, stop it", [("you start it", "before"), ("stop it", "")]),
        ("start it after stopping it", [("start it", ""), ("stopping it", "after")]),
        ("add a disk as well as a nic", [("add a disk", ""), ("a nic", "and")]),
    ],
)
def test_what_comes_first_is_told(sentence: str, wanted: list[tuple[str, str]]) -> None:
    assert parts(sentence) == wanted


@pytest.mark.parametrize(
    "sentence",
    [
        "set the next boot device",
        "set ntp to 10.0.0.5",
        "update to v1.2",
        "detach it after it is off",
        "give it 2 cores",
    ],
)
def test_what_only_looks_like_a_joint_parts_nothing(sentence: str) -> None:
    assert parts(sentence) == [(sentence, "")]


@given(st.text(max_size=300))
def test_no_part_of_any_text_is_empty(text: str) -> None:
    assert all(isinstance(part, SentencePart) and part.said for part in parts_of(text))
