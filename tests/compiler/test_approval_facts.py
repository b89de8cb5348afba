"""Why a step has its class is told with the proof, in the profile's words; what a model said, with its verdict."""

import pytest

from compiler.compiled import Compiled
from compiler.proofs.approval_facts import proposed
from compiler.proposer import ModelAnswer, QuestionKind, Record, RecordedAnswer
from tests.shipped import shipped

DIGEST = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return shipped("hypercore")


@pytest.mark.slow
def test_every_workflow_says_why_it_has_its_class(compiled: Compiled) -> None:
    order = ["read", "change", "disrupt", "destroy"]
    for one in compiled.workflows:
        told = one.proof["risk"]
        assert [each["step"] for each in told] == [step.id for step in one.flow.steps]
        assert all(each["why"] for each in told), one.flow.id
        gravest = max((each["risk"] for each in told), key=order.index)
        assert order.index(gravest) >= order.index(one.flow.risk.value), one.flow.id


@pytest.mark.slow
def test_a_rule_about_a_value_is_told_with_the_value(compiled: Compiled) -> None:
    (start,) = [one for one in compiled.workflows if one.flow.id == "hypercore_start_vm"]
    (why,) = [each["why"] for each in start.proof["risk"] if each["step"] == "change"]
    assert why.endswith("(START)")


@pytest.mark.slow
def test_where_nobody_was_asked_nothing_is_told_of_a_model(compiled: Compiled) -> None:
    assert not any("proposed" in one.proof for one in compiled.workflows)


@pytest.mark.slow
def test_what_was_proposed_is_told_with_its_workflow_whether_taken_or_not(compiled: Compiled) -> None:
    def said(kind: QuestionKind, subject: str, reason: str = "") -> RecordedAnswer:
        return RecordedAnswer(ModelAnswer(kind, subject, (), ("a word", "a word"), DIGEST, "tiny"), reason)

    record = Record(
        compiled.api.digest,
        (
            said(QuestionKind.SENTENCE, "hypercore_start_vm", "no verb"),
            said(QuestionKind.RANK, "hypercore_find_vms|hypercore_start_vm"),
            said(QuestionKind.SENTENCE, "hypercore_delete_vm"),
            said(QuestionKind.NOUN, "/VirDomain/{virDomainUUID}"),
            said(QuestionKind.NOUN, "/ISO/{isoUUID}"),
        ),
    )
    (start,) = [one.flow for one in compiled.workflows if one.flow.id == "hypercore_start_vm"]
    told = proposed(start, compiled.api, record)
    assert [(each["subject"], each["is_accepted"], each["reason"]) for each in told] == [
        ("hypercore_start_vm", False, "no verb"),
        ("hypercore_find_vms|hypercore_start_vm", True, ""),
        ("/VirDomain/{virDomainUUID}", True, ""),
    ]
    assert {each["model"] for each in told} == {"tiny"}
