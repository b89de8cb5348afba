"""What a sentence wants done, one after the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.proposals.clauses import MOST_CLAUSES, clauses_of, several_of


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("start a VM", ["start a vm"]),
        ("create a machine, then add a disk to it", ["create a machine", "add a disk to it machine"]),
        ("take a snapshot before deleting the vm", ["take a snapshot", "deleting the vm"]),
        ("delete the vm after taking a snapshot", ["taking a snapshot", "delete the vm"]),
        ("list the machines and the disks", ["list the machines", "list the disks"]),
        ("stop the vm and delete it", ["stop the vm", "delete it vm"]),
        ("Create a VM; afterwards start it.", ["create a vm", "start it vm"]),
        ("first wipe the disk. Then delete the machine", ["wipe the disk", "delete the machine"]),
        ("restart the server when it is off", ["restart the server"]),
        ("restart the server once it is off", ["restart the server"]),
        ("boot once from the network", ["boot once from the network"]),
        ("insert a CD, then boot once", ["insert a cd", "boot once"]),
        ("restart the server, wait until it is up", ["restart the server"]),
        ("delete the vm called old-01", ["delete the vm"]),
        (
            "export the server configuration, then reboot the server",
            ["export the server configuration", "reboot the server"],
        ),
        ("shut down the vm and give it more memory", ["shut down the vm", "give it more memory vm"]),
        ("1. take a snapshot 2. update the vm 3. start it", ["take a snapshot", "update the vm", "start it vm"]),
        ("before you delete the vm, export it", ["export it vm", "delete the vm"]),
        ("delete the vm, but first take a snapshot", ["take a snapshot", "delete the vm"]),
        ("stop the vm, give it more memory, then start it", ["stop the vm", "give it more memory vm", "start it vm"]),
        ("clone the vm and start the copy", ["clone the vm", "start the vm"]),
        ("create a user, then give him a role", ["create a user", "give him a role user"]),
        ("once the vm is off, detach its disk", ["detach its disk vm"]),
        ("create a vm but do not start it", ["create a vm"]),
        ("do not delete the vm", []),
        ("turn the server off and on again", ["turn the server off", "turn the server on"]),
        ("delete the iso after you have created the vm", ["created the vm", "delete the iso"]),
        (
            "create a vm with 4 cores and 8 GB of memory, then start it",
            ["create a vm with cores and gb of memory", "start it vm"],
        ),
        ("", []),
        (" ,; . ", []),
    ],
)
def test_a_sentence_falls_into_its_clauses(sentence: str, wanted: list[str]) -> None:
    assert [clause.text for clause in clauses_of(sentence)] == wanted


def test_conditions_and_waits_are_kept_as_notes() -> None:
    (clause,) = clauses_of("restart the server when it is off, wait until it is up")
    assert len(clause.notes) == 2
    assert "when it is off" in clause.notes[0]
    assert "wait until it is up" in clause.notes[1]


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("if the vm is old, delete it", "“if the vm is old” is a condition"),
        ("delete the vm, if it is old, then create a vm", "“if it is old” is a condition"),
        ("stop the vm until the backup is done", "“until the backup is done” is a condition"),
        ("shut the cluster down after all guests are stopped", "“after all guests are stopped” is a condition"),
        ("delete all vms older than a year", "“older than a year” is a condition"),
        ("delete snapshots that are old", "“that are old” is a condition"),
        ("delete the vm without its disks", "“without its disks” is nothing that a step can promise"),
        ("start or stop the vm", "“or” leaves a choice open"),
        ("restart the vm twice", "“twice” is more than"),
    ],
)
def test_what_no_step_can_promise_is_never_left_out(sentence: str, why: str) -> None:
    assert any(clause.unmet.startswith(why) for clause in clauses_of(sentence))


@pytest.mark.parametrize(
    ("sentence", "of"),
    [
        ("delete every vm", ("every", "")),
        ("create two vms", ("two", "vms")),
        ("remove both disks", ("both", "")),
        ("delete a vm", ("", "")),
        ("remove the vm with all its disks", ("", "")),
    ],
)
def test_a_clause_tells_of_how_many_it_is(sentence: str, of: tuple[str, str]) -> None:
    assert several_of(clauses_of(sentence)[0]) == of


def test_more_wishes_than_a_workflow_may_have_are_seen() -> None:
    assert len(clauses_of("; ".join(["start a vm"] * 9))) == MOST_CLAUSES + 1


@pytest.mark.parametrize("said", ["start vm web-01", "start the vm “accounting”", "start the vm called accounting"])
def test_what_names_one_thing_is_no_word_to_look_for(said: str) -> None:
    (clause,) = clauses_of(said)
    assert clause.names
    assert {"web", "01", "accounting"}.isdisjoint(clause.text.split())


def test_only_a_bare_and_leaves_the_order_open() -> None:
    said = "create a vm and add a disk, then start the vm"
    assert [clause.is_ordered for clause in clauses_of(said)] == [True, False, True]


@given(st.text(max_size=300))
def test_any_text_is_a_sentence(text: str) -> None:
    assert len(clauses_of(text)) <= MOST_CLAUSES + 1
