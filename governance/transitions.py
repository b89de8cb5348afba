"""Who may move a revision from which state to which: one table, and one pure function over it.

Change a rule here and nowhere else; the store applies what `decide` answers, with compare-and-set. `mermaid` draws
the table for the documentation. Here never lives a database, a clock or a revision's content.
A rule whose role is None is the system's own: it follows from another action and nobody can ask for it by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from governance.errors import ForbiddenError, ReasonError, TransitionError

State = Literal["pending", "approved", "superseded", "rejected", "retired"]
Action = Literal["submit", "import", "approve", "reject", "retire", "supersede"]
Role = Literal["viewer", "operator", "approver", "admin"]

STATES: tuple[State, ...] = get_args(State)
ROLES: tuple[Role, ...] = get_args(Role)
"""In order: each role may do all that the roles before it may."""


@dataclass(frozen=True, slots=True)
class Rule:
    to: State
    role: Role | None
    needs_reason: bool = False


TABLE: Mapping[tuple[State | None, Action], Rule] = MappingProxyType(
    {
        (None, "submit"): Rule("pending", role=None),
        # Out of a bundle: those who approved it stand behind it with their signatures.
        (None, "import"): Rule("approved", role="admin"),
        ("pending", "approve"): Rule("approved", role="approver"),
        ("pending", "reject"): Rule("rejected", role="approver", needs_reason=True),
        # A newer submission replaces an undecided one, so that nobody decides on what is out of date.
        ("pending", "supersede"): Rule("superseded", role=None),
        # Approving the next revision replaces the one in use.
        ("approved", "supersede"): Rule("superseded", role=None),
        ("approved", "retire"): Rule("retired", role="approver", needs_reason=True),
    }
)


def may(role: Role, needed: Role) -> bool:
    return ROLES.index(role) >= ROLES.index(needed)


def decide(state: State | None, action: Action, *, role: Role, reason: str) -> State:
    """The state that `action` leads to, when somebody with `role` asks for it and says `reason`.

    `state` is None for what is not there yet.

    Raises TransitionError (not from this state), ForbiddenError (not with this role) or ReasonError (say why).
    """
    rule = TABLE.get((state, action))
    if rule is None or rule.role is None:
        allowed = ", ".join(sorted({act for (at, act), known in TABLE.items() if at == state and known.role}))
        raise TransitionError(f"a revision that is {state} cannot be {PAST[action]}", _offer(state, allowed))
    if not may(role, rule.role):
        raise ForbiddenError(f"the role {role} may not {action}", f"ask somebody with the role {rule.role}")
    if rule.needs_reason and not reason.strip():
        raise ReasonError(f"to {action} needs a reason", "say why with --reason")
    return rule.to


PAST: Mapping[Action, str] = MappingProxyType(
    {
        "submit": "submitted",
        "import": "imported",
        "approve": "approved",
        "reject": "rejected",
        "retire": "retired",
        "supersede": "superseded",
    }
)


def _offer(state: State | None, allowed: str) -> str:
    if allowed:
        return f"what can be done with it: {allowed}"
    return f"{state} is final: submit the workflow again to get a new revision"


def mermaid() -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    lines = [f"    {at or '[*]'} --> {rule.to}: {action}" for (at, action), rule in TABLE.items()]
    return "\n".join(["stateDiagram-v2", *lines])
