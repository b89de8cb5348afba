"""The transition table and the one function over it."""

import itertools

import pytest

from governance.errors import ForbiddenError, ReasonError, TransitionError
from governance.transitions import ROLES, STATES, TABLE, Role, State, decide, mermaid

ASKED = ("approve", "reject", "retire")


def test_only_three_decisions_lead_anywhere_for_a_person() -> None:
    moves = set()
    for state, action in itertools.product(STATES, ASKED):
        try:
            moves.add((state, action, decide(state, action, role="admin", reason="because")))
        except TransitionError:
            continue
    assert moves == {
        ("pending", "approve", "approved"),
        ("pending", "reject", "rejected"),
        ("approved", "retire", "retired"),
    }


@pytest.mark.parametrize("action", ["submit", "supersede"])
@pytest.mark.parametrize("state", STATES)
def test_nobody_can_ask_for_what_the_system_does_itself(state: State, action: str) -> None:
    with pytest.raises(TransitionError):
        decide(state, action, role="admin", reason="because")  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ROLES)
def test_approvers_and_admins_decide_and_others_do_not(role: Role) -> None:
    if role in ("approver", "admin"):
        assert decide("pending", "approve", role=role, reason="") == "approved"
        return
    with pytest.raises(ForbiddenError, match=role):
        decide("pending", "approve", role=role, reason="")


@pytest.mark.parametrize(("state", "action"), [("pending", "reject"), ("approved", "retire")])
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_saying_no_needs_a_reason(state: State, action: str, reason: str) -> None:
    with pytest.raises(ReasonError, match=action):
        decide(state, action, role="admin", reason=reason)  # type: ignore[arg-type]


def test_a_refusal_says_what_can_be_done_instead() -> None:
    with pytest.raises(TransitionError) as refused:
        decide("pending", "retire", role="admin", reason="because")
    assert refused.value.remedy == "what can be done with it: approve, reject"


def test_the_drawing_holds_every_rule() -> None:
    lines = mermaid().splitlines()
    assert len(lines) == 1 + len(TABLE)
    assert "    [*] --> pending: submit" in lines
    assert "    approved --> superseded: supersede" in lines
