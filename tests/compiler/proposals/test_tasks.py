"""Tasks of several changes: which are asked about, what a yes makes, and that yes to all makes none."""

import pytest

from compiler.ir.model import Role
from compiler.proposals import tasks as room
from compiler.proposals.composing import Composer
from compiler.proposer.question import NO, YES, Question, QuestionKind
from tests.compiler.proposals.compiled_specs import Scripted, compiled
from workflow.risks import Risk


def right(question: Question, _turned: bool) -> str:
    """Yes to all but the foils; the first where an order is asked for."""
    if question.kind is QuestionKind.TASK:
        return question.expected or YES
    return question.options[0]


def changes(flow: object) -> list[str]:
    return [step.operation for step in flow.steps if step.role is Role.CHANGE]  # type: ignore[attr-defined]


def test_what_one_makes_for_another_is_one_task_in_that_order() -> None:
    found = room.proposed(compiled(), Scripted(right))
    told = {one.flow.id: one.flow for one in found.workflows}
    both = told["machines_create_machine_then_create_disk"]
    assert both.title == "Create machine, then create disk"
    assert changes(both) == ["POST /machines", "POST /machines/{machineId}/disks"]
    assert all(one.is_verified and one.flow.risk is Risk.CHANGE for one in found.workflows)
    assert all(one.flow.proposed == {"by": "stub@1"} for one in found.workflows)
    assert all(one.document["workflows"][0]["x-switchgear"]["proposed"] == {"by": "stub@1"} for one in found.workflows)


def test_what_interrupts_or_destroys_is_in_no_candidate() -> None:
    composer = Composer(compiled())
    found = room.candidates(compiled(), composer.context, lambda _: True)
    assert found
    assert {piece.risk for task in found for piece in task.pieces} == {Risk.CHANGE}
    assert len(found) <= room.MOST_PAIRS + room.MOST_TRIPLES


def test_what_a_workflow_does_already_is_not_asked_about() -> None:
    made = compiled()
    found = room.proposed(made, Scripted(right))
    from compiler.proposing import holding

    again = Scripted(right)
    room.proposed(holding(made, (*made.workflows, *found.workflows)), again)
    asked = {question.subject for question in again.asked if not question.expected}
    assert asked.isdisjoint({entry.answer.subject for entry in found.entries if entry.is_accepted})


@pytest.mark.parametrize("turned", [False, True])
def test_who_says_yes_to_everything_makes_nothing(turned: bool) -> None:
    asker = Scripted(lambda question, _: YES if question.kind is QuestionKind.TASK else question.options[turned])
    found = room.proposed(compiled(), asker)
    assert found.workflows == ()
    assert {entry.reason for entry in found.entries} == {"no information: 1 of 1 answers that are known were wrong"}
    assert len(asker.asked) == 1, "whoever is wrong about what is known is asked no more"


def test_who_says_no_or_one_thing_and_then_another_makes_nothing() -> None:
    for says in (lambda *_: NO, lambda _, turned: NO if turned else YES, lambda *_: "drop table"):
        found = room.proposed(compiled(), Scripted(says))
        assert found.workflows == ()


def test_where_no_order_is_said_both_times_there_is_no_task() -> None:
    def says(question: Question, turned: bool) -> str:
        is_free = question.kind is QuestionKind.ORDER and not question.expected
        return question.options[turned] if is_free else right(question, turned)

    found = room.proposed(compiled(), Scripted(says))
    assert not any("update_machine" in one.flow.id for one in found.workflows)
    reasons = {entry.answer.subject: entry.reason for entry in found.entries if entry.answer.kind is QuestionKind.TASK}
    assert reasons["machines_reset_on_machine|machines_update_machine"] == "no order was said both times"


def test_a_foil_is_about_different_things() -> None:
    strange, *_ = room.foils_of(compiled())
    assert strange.facts["then"] == "Water the plants"
    assert {foil.expected for foil in room.foils_of(compiled())} == {NO}


def test_who_is_wrong_about_an_order_that_the_data_forces_orders_nothing() -> None:
    def says(question: Question, turned: bool) -> str:
        return question.options[1] if question.kind is QuestionKind.ORDER else right(question, turned)

    found = room.proposed(compiled(), Scripted(says))
    assert not any("update_machine" in one.flow.id for one in found.workflows)
    assert any("create_disk" in one.flow.id for one in found.workflows)
    reasons = {entry.reason for entry in found.entries if entry.answer.kind is QuestionKind.ORDER}
    assert reasons == {"no information: 2 of 2 answers that are known were wrong"}
