"""What the compiler writes of calling an operation alone makes a workflow that is valid, or says why there is none."""

import json

import pytest

from compiler.containment import Containment
from compiler.facts import operation_index
from compiler.knowledge import cards_of
from governance.approval.policy import Policy
from governance.approval.revisions import passes_by_itself
from tests.shipped import APIS, shipped
from workflow.budget import tokens_of
from workflow.checking.checks import CheckSeverity, checked
from workflow.documents.reader import read_document
from workflow.errors import DocumentError
from workflow.raw_calls import Described, content_of, is_plain_read

EXPERTS = Policy(call_api=("expert",))


@pytest.mark.parametrize("name", APIS)
def test_each_operation_is_called_alone_as_it_is_described_or_it_is_said_why_not(name: str) -> None:
    made = shipped(name)
    index, about = operation_index(made.api), Described(made.api.name, made.api.digest, None)
    cards = json.loads(json.dumps(cards_of(made, Containment("a test"))))
    assert {card["operation"] for card in cards} == {each.key for each in made.api.operations}
    names = set()
    for card in cards:
        if "call" not in card:
            with pytest.raises(DocumentError, match="not called alone"):
                content_of(about, card)
            continue
        content = content_of(about, card)
        findings, plan = checked(read_document(content.document, "a test"), index)
        assert [each for each in findings if each.severity is CheckSeverity.ERROR] == [], card["operation"]
        assert plan is not None
        assert [step.key for step in plan.steps] == [card["operation"]]
        assert plan.is_read_only == (card["risk"] == "read"), card["operation"]
        names.add(content.tool["name"])
        assert tokens_of(content.tool, content.document) > 0
        passes = passes_by_itself(EXPERTS, plan.workflow_id, card["risk"], json.dumps(content.to_json()))
        assert passes == is_plain_read(card), card["operation"]
    assert len(names) == sum("call" in card for card in cards) > len(cards) // 2


def test_a_login_is_not_called_alone() -> None:
    cards = {card["operation"]: card for card in cards_of(shipped("hypercore"), Containment("a test"))}
    assert "the driver does" in cards["POST /login"]["not_callable"]


@pytest.mark.parametrize("name", APIS)
def test_what_a_card_says_of_calling_its_operation_is_bounded(name: str) -> None:
    for card in cards_of(shipped(name), Containment("a test")):
        assert len(json.dumps(card.get("call", {}))) < 64 * 1024, card["operation"]
