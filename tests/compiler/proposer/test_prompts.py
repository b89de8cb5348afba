"""Prompts: deterministic, in batches, with what comes from a description inside the fence and nowhere else."""

import json
import subprocess
import sys
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from compiler.proposer import prompts
from compiler.proposer.prompts import (
    BATCH_CHARACTERS,
    BATCH_ITEMS,
    INSTRUCTIONS,
    answer_form,
    asked,
    batches,
    proposals,
)
from compiler.proposer.proposal import Item, Kind, Question

facts = st.dictionaries(st.text(max_size=8), st.text(max_size=80) | st.integers() | st.none(), max_size=4)
items = st.builds(Item, st.text(max_size=20), facts)
questions = st.builds(Question, st.sampled_from(list(Kind)), st.lists(items, max_size=70).map(tuple))


@given(questions)
def test_every_item_is_asked_once_in_order_within_the_limits(question: Question) -> None:
    found = list(batches(question))
    assert [item for batch in found for item in batch.keys.values()] == list(question.items)
    for batch in found:
        assert 1 <= len(batch.keys) <= BATCH_ITEMS
        assert len(batch.keys) == 1 or len(batch.user) < 2 * BATCH_CHARACTERS


@given(questions)
def test_no_fact_can_leave_its_fence(question: Question) -> None:
    for batch in batches(question):
        assert batch.system == INSTRUCTIONS[question.kind]
        opening, data, closing = batch.user.split("\n")
        assert (opening, closing) == ("```json", "```")
        assert not set("`<>") & set(data)
        assert json.loads(data) == {key: item.facts for key, item in batch.keys.items()}


def test_the_digest_of_a_prompt_is_the_same_in_another_process_with_another_hash_seed() -> None:
    code = (
        "from compiler.proposer.prompts import *; from compiler.proposer.proposal import *;"
        "q=Question(Kind.TEXTS,(Item('a',{'x':['1','2'],'y':'ü'}),Item('b',{})));print([b.digest for b in batches(q)])"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_what_is_asked_depends_on_all_that_the_model_is_told_of_the_item_and_on_nothing_else() -> None:
    one = Item("/a", {"path": "/a"})
    alone, among = (
        next(batches(Question(Kind.NOUNS, (one,)))),
        next(batches(Question(Kind.NOUNS, (Item("/0", {}), one)))),
    )
    assert alone.digest != among.digest
    answers = [
        proposals(b, answer_form(Kind.NOUNS, len(b.keys))(**dict.fromkeys(b.keys, "x")), "m") for b in (alone, among)
    ]
    assert answers[0][-1].asked == answers[1][-1].asked == asked(Kind.NOUNS, one)
    assert asked(Kind.TEXTS, one) != asked(Kind.NOUNS, one)
    assert asked(Kind.NOUNS, replace(one, facts={"path": "/b"})) != asked(Kind.NOUNS, one)
    assert asked(Kind.NOUNS, replace(one, subject="/b")) != asked(Kind.NOUNS, one)


def test_a_single_answer_is_cut_to_what_a_lock_file_takes() -> None:
    form = answer_form(Kind.TEXTS, 1)
    value = form.model_validate({"a1": {"title": "t" * 5000, "description": "d" * 5000}}).model_dump()
    assert {len(text) for text in value["a1"].values()} == {prompts.MAX_TEXT}
