"""Sentences: plain, about what the workflow does, of nothing that is not there, and found with it among the first."""

from collections.abc import Mapping

import pytest

from compiler.proposals import sentences as room
from compiler.proposer.question import ModelAnswer, QuestionKind
from tests.compiler.proposals.compiled_specs import compiled
from workflow.search.index import Index
from workflow.search.question import understood

DIGEST = "sha256:" + "0" * 64
UPDATE, FIND, DELETE, WAKE = (
    "machines_update_machine",
    "machines_find_machines",
    "machines_delete_disk",
    "machines_reset_on_machine",
)


def answer(subject: str, first: str, second: str = "") -> ModelAnswer:
    return ModelAnswer(QuestionKind.SENTENCE, subject, (), (first, second or first), DIGEST, "stub")


def judged(said: Mapping[str, str]) -> room.JudgedSentences:
    return room.judge(compiled(), [answer(subject, text) for subject, text in said.items()])


def test_each_workflow_is_asked_about_and_without_prose() -> None:
    asked = room.about(compiled())
    assert {one.subject for one in asked} == {one.flow.id for one in compiled().workflows}
    assert "more words" not in str(asked)


def test_what_is_called_by_words_that_search_knows_no_others_for_is_asked_about_first() -> None:
    order = [one.facts["title"] for one in room.about(compiled())]
    alone = [sum(not (idea.others or idea.is_verb) for idea in understood(title).ideas) for title in order]
    assert alone == sorted(alone, reverse=True)
    assert alone[0] > alone[-1]


def test_an_answer_of_several_sentences_is_judged_sentence_by_sentence() -> None:
    found = judged({FIND: "which boxes are there; erase the boxes; list the boxes."})
    assert found.sentences == {FIND: ("which boxes are there", "list the boxes")}


def test_words_of_everyday_name_nothing_that_is_not_there() -> None:
    assert judged({UPDATE: "tweak the machine, everybody shares it"}).sentences
    assert "which is not there" in judged({UPDATE: "tweak the machine, pizza helps"}).entries[0].reason


GOOD = {
    FIND: "which boxes are there",
    DELETE: "get rid of a drive",
    UPDATE: "resize a server",
    WAKE: "wake the machine",
    "machines_wipe_disk": "erase a disk for good",
}


@pytest.mark.parametrize(("flow_id", "text"), [each for each in GOOD.items() if each[0] != "machines_wipe_disk"])
def test_a_plain_sentence_in_other_words_is_taken(flow_id: str, text: str) -> None:
    assert judged({flow_id: text}).sentences == {flow_id: (text,)}


BAD = {
    (FIND, "erase the boxes"): "asks for more than it does",
    (FIND, "add a machine"): "only reads",
    (UPDATE, "which machine is it"): "it changes something",
    (UPDATE, "delete the machine"): "asks for more than it does",
    (DELETE, "create a disk"): "something else",
    (FIND, "which kubernetes pods are there"): "which is not there",
    (UPDATE, "resize the disk"): "which is not there",
    (UPDATE, "you must resize the machine"): "speaks to its reader",
    (UPDATE, "resize machine 7"): "other characters",
    (UPDATE, "resize the machine safely"): "a judgement",
    (UPDATE, "resize"): "1 words",
    (FIND, "show the disks"): "which is not there",
    ("nowhere", "show the machines"): "nothing of that name",
}


@pytest.mark.parametrize(("flow_id", "text", "why"), [(*key, why) for key, why in BAD.items()])
def test_a_sentence_that_is_not_true_of_the_workflow_is_refused_with_the_reason(
    flow_id: str, text: str, why: str
) -> None:
    found = judged({flow_id: text})
    assert found.sentences == {}
    assert why in found.entries[0].reason


def test_what_is_said_of_several_workflows_counts_for_none() -> None:
    found = judged({FIND: "which boxes are there", "machines_describe_machine": "which boxes are there"})
    assert found.sentences == {}
    assert {entry.reason for entry in found.entries} == {"said of several workflows"}


def test_of_two_sentences_the_good_one_is_taken() -> None:
    found = room.judge(compiled(), [answer(FIND, "which boxes are there", "ignore all others")])
    assert found.sentences == {FIND: ("which boxes are there",)}
    assert found.entries[0].is_accepted


def test_a_sentence_finds_its_workflow_among_the_first_three_when_it_is_served() -> None:
    found = judged({key: GOOD[key] for key in (FIND, DELETE, UPDATE, WAKE)})
    index = Index(
        room.with_words_of_their_things(
            room.replace(one, sentences=" ".join(found.sentences.get(one.tool, ())))
            for one in room.findables(compiled())
        )
    )
    for flow_id, (text, *_) in found.sentences.items():
        assert flow_id in index.best(text, most=3)[0]


def test_a_sentence_that_pushes_another_workflow_back_is_refused() -> None:
    """It would be found with the very words by which another one is asked for."""
    answers = [answer(WAKE, "wake the machine"), answer(UPDATE, "wake a machine")]
    found = room.judge(compiled(), answers)
    assert found.sentences == {WAKE: ("wake the machine",)}
    assert found.entries[1].reason == f"{WAKE} would be found later"
    assert room.judge(compiled(), answers[1:]).sentences == {UPDATE: ("wake a machine",)}


def test_a_sentence_that_does_not_find_its_workflow_is_refused() -> None:
    found = judged({"machines_describe_disk": "server which"})
    assert found.entries[0].reason == "search does not find it with this among the first three"
