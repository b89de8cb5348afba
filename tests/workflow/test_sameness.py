"""When two calls have the same effect: by what identifies the thing, in canonical form, and never by a secret."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.documents import inputs, program, step
from workflow.errors import DocumentError
from workflow.programs.equivalence import effect_found, effect_of
from workflow.programs.program import Program
from workflow.programs.state import Frame, State

PLACE = "$steps.find.outputs.id"
SCHEMA = inputs("vm", size={}, password={"type": "string"}, name={"type": "string"})
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def planned(identifies: Any = None, workflow_id: str = "main") -> Program:
    own = {} if identifies is None else {"identifies": identifies}
    find = step("find", outputs={"id": "$response.body#/id"})
    return program(find, step("change", "post"), inputs=SCHEMA, workflowId=workflow_id, **{"x-switchgear": own})


def effect(identifies: Any = None, target: str = "lab", workflow_id: str = "main", **given: Any) -> str:
    return effect_of(planned(identifies, workflow_id), target, given, ("password",))


@given(WORDS, WORDS, VALUES, VALUES)
def test_only_what_identifies_the_thing_counts(one: str, other: str, size: Any, another_size: Any) -> None:
    same = effect({"vm": ""}, vm=one, size=size) == effect({"vm": ""}, vm=other, size=another_size)
    assert same or one.strip().casefold() != other.strip().casefold()
    assert effect({"vm": ""}, vm=one, size=size) == effect({"vm": ""}, vm=one, size=another_size)


@given(WORDS)
def test_letter_case_and_outer_blanks_make_no_other_effect(word: str) -> None:
    assert effect(vm=word) == effect(vm=f"  {word} ")
    assert effect(vm="Web-01") == effect(vm="web-01")


@pytest.mark.slow
@given(VALUES)
def test_without_a_word_of_the_document_all_inputs_count(size: Any) -> None:
    one = effect(vm="x", size={"is": size})
    assert one == effect(vm="x", size={"is": size})
    assert one != effect(vm="x", size={"is": size, "and": "more"})


@given(st.text(max_size=20))
def test_a_secret_never_counts(password: str) -> None:
    assert effect(vm="x", password=password) == effect(vm="x", password="other")
    assert effect(vm="x", size={"password": password}) == effect(vm="x", size={"password": "other"})


def test_workflow_and_target_count() -> None:
    assert len({effect(vm="x"), effect(vm="x", target="other"), effect(vm="x", workflow_id="other")}) == 3


def test_numbers_are_the_same_as_their_text_and_the_empty_as_what_is_left_out() -> None:
    assert effect(vm=5) == effect(vm="5") == effect(vm=5.0)
    assert effect(vm="x", size="") == effect(vm="x", size=None) == effect(vm="x")
    assert effect(vm="x", size=0) != effect(vm="x")


def test_nothing_identifies_means_that_workflow_and_target_do() -> None:
    assert effect({}, vm="x") == effect({}, vm="y")


def test_a_new_thing_without_a_name_is_known_by_all_that_is_said_of_it() -> None:
    both = {"name": "", "vm": PLACE}
    assert effect(both, vm="x", name="n", size="1") == effect(both, vm="x", name="n", size="2")
    assert effect(both, vm="x", size="1") != effect(both, vm="x", size="2")


def test_what_a_run_has_found_is_the_same_as_if_it_had_been_given() -> None:
    made = planned({"vm": PLACE})
    found = State(frames=(Frame("main", {"vm": "web-01"}, outputs={"find": {"id": "U-1"}}),))
    nothing = State(frames=(Frame("main", {"vm": "web-01"}),))
    assert effect_found(made, "lab", found) == effect_of(made, "lab", {"vm": "u-1"})
    assert effect_found(made, "lab", nothing) == effect_of(made, "lab", {"vm": "web-01"})
    assert effect_found(planned(), "lab", found) is None


@pytest.mark.parametrize("written", [["vm"], {"nobody": ""}, {"vm": "$inputs.vm"}, {"vm": 1}])
def test_what_makes_no_sense_is_refused_with_its_place(written: Any) -> None:
    with pytest.raises(DocumentError) as told:
        planned(written)
    assert told.value.pointer == "/workflows/0/x-switchgear/identifies"
