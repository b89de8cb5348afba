"""From a sentence to a workflow: what is possible is made, what is not is refused with what is missing."""

from dataclasses import replace

import pytest

from compiler.ir.model import Role
from compiler.proposals.asked import Apis, AskOutcome, understand_sentence
from compiler.proposals.composing import Composer, CompositionRefusal
from compiler.proposer.proposer import Asker
from compiler.proposer.question import NONE_OF_THESE, Question, QuestionKind
from tests.compiler.proposals.compiled_specs import Scripted, compiled
from workflow.risks import Risk

APIS = Apis([compiled()])
WIPE, DISK = "/machines/{machineId}/disks/{diskId}/wipe", "/machines/{machineId}/disks"


def best(question: Question, _turned: bool) -> str:
    return question.options[0]


def asked(sentence: str, asker: Asker | None = None) -> AskOutcome:
    return understand_sentence(sentence, APIS, asker or Scripted(best))


def changes(outcome: AskOutcome) -> list[str]:
    assert outcome.workflow is not None, outcome.refusal
    return [step.operation for step in outcome.workflow.flow.steps if step.role is Role.CHANGE]


POSSIBLE = {
    "create a machine, then add a disk to it": ["POST /machines", f"POST {DISK}"],
    "wipe the disk and delete the machine": [f"POST {WIPE}", "DELETE /machines/{machineId}"],
    "delete the machine after wiping its disk": [f"POST {WIPE}", "DELETE /machines/{machineId}"],
    "turn the machine web-01 off and delete it": ["POST /machines/{machineId}/reset", "DELETE /machines/{machineId}"],
    "change the machine, then turn it on when it is off": [
        "PATCH /machines/{machineId}",
        "POST /machines/{machineId}/reset",
    ],
}


@pytest.mark.parametrize(("sentence", "wanted"), POSSIBLE.items())
def test_what_can_be_done_becomes_a_proved_workflow_with_the_sentence_beside_it(
    sentence: str, wanted: list[str]
) -> None:
    outcome = asked(sentence)
    assert changes(outcome) == wanted
    assert outcome.workflow is not None
    assert outcome.workflow.is_verified
    assert outcome.workflow.flow.proposed.items() >= {"by": "stub@1", "sentence": sentence}.items()
    assert outcome.workflow.document["workflows"][0]["x-switchgear"]["proposed"]["sentence"] == sentence


WANTED_TOO_MUCH = {
    "if the machine is old, delete it": "“if the machine is old” is a condition",
    "create a machine, if there is room, then add a disk to it": "“if there is room” is a condition",
    "delete every machine": "“every” is more than any workflow here does at once",
    "create two machines, then turn the machine on": "“two machines” is more than",
    "delete the machine without its disks": "“without its disks” is nothing that a step can promise",
    "; ".join(["create a machine"] * 6): "it wants more than 5 things",
    "do not delete the machine": "it says nothing that is done",
    "restart the machine every night": "“every night” is for a schedule to say",
    "delete machine web-01 and delete machine web-02": "“Delete machine” is wanted more than once",
}


@pytest.mark.parametrize(("sentence", "why"), WANTED_TOO_MUCH.items())
def test_what_would_be_done_otherwise_than_it_is_wanted_is_refused_with_the_reason(sentence: str, why: str) -> None:
    outcome = asked(sentence)
    assert outcome.workflow is None
    assert not outcome.exists
    assert why in outcome.refusal


def test_what_is_to_be_done_before_is_done_before() -> None:
    wanted = [f"POST {WIPE}", "DELETE /machines/{machineId}"]
    assert changes(asked("before you delete the machine, wipe its disk")) == wanted
    assert changes(asked("delete the machine, but first wipe the disk")) == wanted


def test_what_is_left_to_the_steps_stands_beside_the_sentence() -> None:
    outcome = asked("change the machine, then turn it on when it is off")
    assert outcome.workflow is not None
    assert "when it is off" in outcome.workflow.flow.proposed["left"]


def test_the_class_is_that_of_the_gravest_step_and_the_title_tells_each() -> None:
    outcome = asked("wipe the disk and delete the machine")
    assert outcome.workflow is not None
    assert outcome.workflow.flow.risk is Risk.DESTROY
    assert outcome.workflow.flow.title == "Wipe disk, then delete machine"


def test_what_one_workflow_does_already_is_named() -> None:
    outcome = asked("get rid of a machine")
    assert (outcome.workflow, outcome.exists) == (None, "machines_delete_machine")


IMPOSSIBLE = {
    "order a pizza": "pizza",
    "print the machine": "no workflow here does that",
    "create a machine, then paint it blue": "blue",
    "install windows on the machine": "windows",
    "list the machines, then the disks": "changes nothing",
    "wipe the disk, then delete the machine if it is old": "“if it is old” is a condition that no step can check",
    "": "says nothing",
    "; then and": "says nothing",
}


@pytest.mark.parametrize(("sentence", "missing"), IMPOSSIBLE.items())
def test_what_can_not_be_done_is_refused_with_what_is_missing(sentence: str, missing: str) -> None:
    outcome = asked(sentence)
    assert (outcome.workflow, outcome.exists) == (None, "")
    assert missing in outcome.refusal


def test_nothing_that_destroys_is_offered_for_what_does_not_say_so() -> None:
    asker = Scripted(best)
    for sentence in ("turn the machine off", "change the machine", "reset the machine", "show the disks"):
        for piece in understand_sentence(sentence, APIS, asker).pieces:
            assert Risk.DESTROY not in {flow.risk for flow in piece.offered}, sentence


def test_a_model_that_chooses_by_position_or_none_of_these_makes_nothing() -> None:
    sentence = "wipe the disk and delete the machine"
    by_place = asked(sentence, Scripted(lambda question, turned: question.options[-1 if turned else 0]))
    assert by_place.workflow is None
    assert "turned round" in by_place.refusal
    none = asked(sentence, Scripted(lambda question, _: NONE_OF_THESE))
    assert none.workflow is None
    assert "the model says" in none.refusal
    garbage = asked(sentence, Scripted(lambda *_: "DROP TABLE"))
    assert garbage.workflow is None


def test_a_bare_and_is_put_in_the_order_that_is_said_both_times() -> None:
    def other(question: Question, _turned: bool) -> str:
        return question.options[1 if question.kind is QuestionKind.ORDER else 0]

    sentence = "add a disk to the machine and turn the machine on"
    assert changes(asked(sentence, Scripted(best)))[0] == f"POST {DISK}"
    assert changes(asked(sentence, Scripted(other)))[0] == "POST /machines/{machineId}/reset"
    assert changes(asked(sentence.replace(" and", ", then"), Scripted(other)))[0] == f"POST {DISK}"


def test_without_a_model_the_nearest_are_offered_and_what_they_would_be_together() -> None:
    outcome = asked("create a machine, then add a disk to it", Asker())
    assert outcome.workflow is None
    assert [piece.offered[0].id for piece in outcome.pieces] == ["machines_create_machine", "machines_create_disk"]
    assert outcome.could_be == "Create machine, then create disk"
    assert "nobody was there to choose" in outcome.refusal


def test_what_is_of_two_apis_is_refused_and_said() -> None:
    other = compiled("racks")
    apis = Apis([compiled(), other])
    outcome = understand_sentence("wipe the disk, then remove the node", apis, Scripted(best))
    assert outcome.workflow is None
    assert "machines and racks" in outcome.refusal


def test_more_than_five_changes_are_no_one_task() -> None:
    flow = next(one.flow for one in compiled().workflows if one.flow.id == "machines_create_machine")
    made = Composer(compiled()).planned([replace(flow) for _ in range(6)])
    assert isinstance(made, CompositionRefusal)
    assert "more than 5" in made.why


def test_a_choice_against_the_words_is_refused() -> None:
    """Real small models choose “Create VM with disk and network interface” for “create a VM”."""
    other = Scripted(lambda question, _: question.options[1])
    outcome = asked("get rid of a machine, then wipe the disk", other)
    assert outcome.workflow is None
    assert "the words say “Delete machine”, and the model says “Reset machine: erase”" in outcome.refusal


def test_together_nothing_is_graver_than_its_gravest_piece() -> None:
    flows = {one.flow.id: one.flow for one in compiled().workflows}
    tame = replace(flows["machines_delete_machine"], risk=Risk.CHANGE)
    made = Composer(compiled()).planned([flows["machines_create_machine"], tame])
    assert isinstance(made, CompositionRefusal)
    assert "together they are of the class destroy" in made.why
