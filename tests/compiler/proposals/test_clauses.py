"""What a sentence wants done, one after the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.proposals.clauses import MOST_CLAUSES, clauses_of


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
    assert len(clauses_of(text)) <= MOST_CLAUSES
