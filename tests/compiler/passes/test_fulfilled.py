"""A composition is only as true as its title: what no step does is said, and what is done in silence."""

import pytest

from compiler.passes.flows.composed import composed
from compiler.passes.flows.context import Context
from compiler.passes.flows.wording.fulfilled import unfulfilled
from tests.compiler.proposals.proposal_specs import known, planned, profile_of

CREATE, DISK = "POST /machines", "POST /machines/{machineId}/disks"
WIPE, DELETE = "POST /machines/{machineId}/disks/{diskId}/wipe", "DELETE /machines/{machineId}"


def fault(title: str, *operations: str, description: str = "") -> str:
    one = {"id": "machines_x", "title": title, "description": description, "operations": list(operations)}
    profile = profile_of("machines", overrides={"compose": [one]})
    context = Context.of(planned(known("machines")[0], profile), profile)
    (flow,), said = composed(context)
    found = unfulfilled(context, flow, title, description)
    assert [d.code for d in said if d.code == "title-unfulfilled"] == ["title-unfulfilled"] * bool(found)
    return found


@pytest.mark.parametrize(
    ("title", "operations"),
    [
        ("Create machine, then create disk", (CREATE, DISK)),
        ("Add a machine and a disk", (CREATE, DISK)),
        ("Wipe a disk, then get rid of the machine", (WIPE, DELETE)),
        ("Provision a server with a drive", (CREATE, DISK)),
    ],
)
def test_a_title_in_the_words_of_the_steps_or_of_the_trade_is_true(title: str, operations: tuple[str, ...]) -> None:
    assert fault(title, *operations) == ""


@pytest.mark.parametrize(
    ("title", "operations", "why"),
    [
        ("Stop a machine, then delete it", (CREATE, DISK), "promised"),
        ("Create machine and send a mail", (CREATE,), "promised"),
        ("Create machine", (CREATE, DELETE), "the title does not tell it"),
        ("Show machine", (CREATE,), "promised"),
        ("Wipe disk", (WIPE, DELETE), "the title does not tell it"),
    ],
)
def test_what_no_step_does_and_what_is_done_in_silence_is_said(
    title: str, operations: tuple[str, ...], why: str
) -> None:
    assert why in fault(title, *operations)


def test_a_description_may_tell_what_the_title_leaves_out() -> None:
    assert fault("Wipe disk", WIPE, DELETE, description="Wipes a disk and deletes its machine.") == ""
