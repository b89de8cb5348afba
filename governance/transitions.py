"""Who may move a revision from which state to which: one table, and one pure function over it.

Change a rule here and nowhere else; the store applies what `decide` answers, with compare-and-set. `mermaid` draws
the table for the documentation. Here never lives a database, a clock or a revision's content.
A rule whose role is None is the system's own: it follows from another action, from the policy or from time, and nobody
can ask for it by name. How many votes an approval takes, and whose do not count, comes as a `Ballot`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from governance.errors import ConflictError, ForbiddenError, ReasonError, TransitionError

State = Literal["pending", "approved", "superseded", "rejected", "retired"]
Action = Literal["submit", "import", "accept", "approve", "reject", "retire", "supersede", "expire"]
Role = Literal["viewer", "operator", "approver", "admin"]

STATES: tuple[State, ...] = get_args(State)
ROLES: tuple[Role, ...] = get_args(Role)
"""In order: each role may do all that the roles before it may."""


@dataclass(frozen=True, slots=True)
class TransitionRule:
    to: State
    role: Role | None
    needs_reason: bool = False


@dataclass(frozen=True, slots=True)
class Ballot:
    """Who votes on what, and what it takes. `votes`: who approved this very content before."""

    voter: str = ""
    submitter: str = ""
    votes: tuple[str, ...] = ()
    needed: int = 1
    may_approve_own: bool = True
    is_expired: bool = False


TABLE: Mapping[tuple[State | None, Action], TransitionRule] = MappingProxyType(
    {
        (None, "submit"): TransitionRule("pending", role=None),
        # Out of a bundle, where the policy here is content with who approved it; else it is pending.
        (None, "import"): TransitionRule("approved", role="admin"),
        # The policy lets this class pass without a person.
        ("pending", "accept"): TransitionRule("approved", role=None),
        ("pending", "approve"): TransitionRule("approved", role="approver"),
        ("pending", "reject"): TransitionRule("rejected", role="approver", needs_reason=True),
        # A newer submission replaces an undecided one, so that nobody decides on what is out of date.
        ("pending", "supersede"): TransitionRule("superseded", role=None),
        # Approving the next revision replaces the one in use.
        ("approved", "supersede"): TransitionRule("superseded", role=None),
        ("approved", "retire"): TransitionRule("retired", role="approver", needs_reason=True),
        # What nobody decided in time, and what was approved for a time only, is refused from then on.
        ("pending", "expire"): TransitionRule("retired", role=None),
        ("approved", "expire"): TransitionRule("retired", role=None),
    }
)


def may(role: Role, needed: Role) -> bool:
    return ROLES.index(role) >= ROLES.index(needed)


ONE_VOTE = Ballot()


def decide(state: State | None, action: Action, *, role: Role, reason: str, ballot: Ballot = ONE_VOTE) -> State:
    """The state that `action` leads to, when somebody with `role` asks for it and says `reason`.

    `state` is None for what is not there yet. An approval that is not the last one needed leads to the same state: it
    is a vote. Raises TransitionError (not from this state, or too late), ForbiddenError (not with this role, or their
    own), ConflictError (voted already) or ReasonError (say why).
    """
    rule = TABLE.get((state, action))
    if rule is None or rule.role is None:
        allowed = ", ".join(sorted({act for (at, act), known in TABLE.items() if at == state and known.role}))
        raise TransitionError(f"a revision that is {state} cannot be {PAST[action]}", _offer(state, allowed))
    if not may(role, rule.role):
        raise ForbiddenError(f"the role {role} may not {action}", f"ask somebody with the role {rule.role}")
    if rule.needs_reason and not reason.strip():
        raise ReasonError(f"to {action} needs a reason", "say why with --reason")
    return _counted(state, rule, ballot) if state and action == "approve" else rule.to


def _counted(state: State, rule: TransitionRule, ballot: Ballot) -> State:
    """Where one more vote leads to."""
    voter, before = person_of(ballot.voter), {person_of(each) for each in ballot.votes}
    if not ballot.may_approve_own:
        before.discard(person_of(ballot.submitter))
    if ballot.is_expired:
        raise TransitionError("nobody decided on it in time: it has expired", "submit the workflow again")
    if voter == person_of(ballot.submitter) and not ballot.may_approve_own:
        raise ForbiddenError(f"{ballot.voter} submitted it and may not approve it", "ask somebody else to decide")
    if voter in before:
        raise ConflictError(f"{ballot.voter} has approved it already", "it takes somebody else now")
    return rule.to if len(before) + 1 >= ballot.needed else state


ORIGINS = frozenset({"profile", "model", "import"})
"""What the name of whoever submits begins with where it was not plainly compiled (`origins`)."""


def person_of(actor: str) -> str:
    """Who stands behind an actor: who compiles, decides at a command line or shows a company's token under one name is
    one person. Other names of a person are an admin's to say (`persons`)."""
    kind, mark, name = asked_by(actor).partition(":")
    return name if mark and kind in ("cli", "compile", "jwt") else asked_by(actor)


def asked_by(actor: str) -> str:
    """The name that stands behind how a revision came about, where the actor says that."""
    kind, mark, name = actor.partition(":")
    return name if mark and kind in ORIGINS else actor


PAST: Mapping[Action, str] = MappingProxyType(
    {
        "submit": "submitted",
        "import": "imported",
        "approve": "approved",
        "reject": "rejected",
        "retire": "retired",
        "supersede": "superseded",
        "accept": "approved",
        "expire": "expired",
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
