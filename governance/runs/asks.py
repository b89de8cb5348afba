"""Calls that a person lets through: what waits, who has let it through or refused it, and whether a call may go on.

The policy says which calls ask (`policy.AskRule`). What is asked for is a plan (`plans`): bound to its digest, target,
inputs, caller and what was read, used once, and ended by time. What becomes of it stands in the audit alone, a row for
each step of its life, so that there is no second place that could say otherwise: this file writes those rows and reads
them back. Whoever is asked is told by an event. Here never lives a run, nor what a plan shows.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, Row, select

from governance.approval.policies import in_force
from governance.audit.log import Event, append_entry, is_intact, last_told
from governance.audit.verification import is_about
from governance.errors import ConflictError, ForbiddenError, NotFoundError, ReasonError, TamperedError, TransitionError
from governance.events.outbox import tell_of_ask
from governance.people.persons import persons
from governance.runs.plans import Bound, is_print_of
from governance.storage.database import Database
from governance.storage.identifiers import Json, earliest_id, from_text
from governance.storage.models import AuditEntry, PlanRow, table_of
from governance.transitions import Role, may

if TYPE_CHECKING:
    from governance.approval.policy import AskRule

State = Literal["waiting", "let through", "refused", "used", "ended"]
Answer = Literal["let through", "refuse"]
MADE, VOTED, LET, REFUSED = "ask.made", "ask.voted", "ask.let_through", "ask.refused"
MOST = 1000
"""Of those that wait: more are waited for by nobody."""
MOST_REASON = 2000
_AUDIT = table_of(AuditEntry)
_PLAN = table_of(PlanRow)


@dataclass(frozen=True, slots=True)
class Ask:
    """One call that asks. `id` is that of its plan, `run_id` the run that made the plan and shows it.

    `people`: how many have to let it through, `votes`: who has. `by`, `reason`: of whoever refused it, or was the last.
    """

    id: str
    run_id: str
    revision_id: str
    workflow_id: str
    number: int
    digest: str
    api: str
    risk: str
    target: str
    caller: str
    people: int
    made_at: str
    expires_at: str
    state: State = "waiting"
    votes: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, Json]:
        return {**{name: getattr(self, name) for name in self.__slots__}, "votes": list(self.votes)}

    def facts(self) -> dict[str, Json]:
        """What the audit is told when it is made."""
        named = ("run_id", "revision_id", "workflow_id", "number", "digest", "api", "risk", "target", "people")
        return {**{name: getattr(self, name) for name in named}, "expires_at": self.expires_at}


class AskStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def rule(
        self, risk: str, workflow_id: str, target: str, labels: tuple[tuple[str, str], ...]
    ) -> "AskRule | None":
        """What the policy in force wants of such a call; None where nobody has to be asked. Raises TamperedError."""
        policy = await self._database.read(in_force)
        return policy.asks(risk, workflow_id, target, labels)

    async def make(self, ask: Ask) -> Ask:
        """Has it wait, with the event that tells of it; `made_at` is now."""
        made = replace(ask, made_at=self._database.now())

        def work(connection: Connection) -> None:
            append_entry(connection, Event(made.made_at, ask.caller, MADE, f"ask:{ask.id}", ask.facts()))
            tell_of_ask(connection, made.made_at, "call.waiting", made.to_json())

        await self._database.write(work)
        return made

    async def get(self, plan_id: str) -> Ask:
        """Raises NotFoundError, and TamperedError where the audit of it was changed."""
        now = self._database.now()
        return await self._database.read(lambda c: _one(c, plan_id, now))

    async def of_run(self, run_id: str) -> tuple[Ask, str] | None:
        """The call that asks with the plan that this run made, and the run that carried it out, "" where none did.

        Raises TamperedError as `get`.
        """
        now, query = self._database.now(), select(_PLAN).where(_PLAN.c.run_id == run_id)

        def work(connection: Connection) -> tuple[Ask, str] | None:
            plan = connection.execute(query).first()
            if plan is None or last_told(connection, f"ask:{plan.id}") is None:
                return None
            return _one(connection, plan.id, now), plan.applied_by or ""

        return await self._database.read(work)

    async def recent(self, *, days: int = 7) -> tuple[Ask, ...]:
        """Those of the last days, newest first."""
        now = self._database.now()
        return await self._database.read(lambda c: _recent(c, now, days))

    async def same(self, bound: Bound) -> Ask | None:
        """The one that this very call waits on or was answered by, if it has not ended and was not used."""
        open_ones = [each for each in await self.recent(days=1) if _is_of(each, bound)]
        for each in open_ones:
            row = await self._database.read(partial(_plan, plan_id=each.id))
            if row is not None and is_print_of(row, bound):
                return each
        return None

    async def answer(self, plan_id: str, answer: Answer, *, actor: str, role: Role, reason: str = "") -> Ask:
        """Lets it through, as one of as many as it takes, or refuses it for good.

        Never the caller, under any of their names, and nobody twice. Raises NotFoundError, ForbiddenError,
        ConflictError, TransitionError (it waits no more), ReasonError, TamperedError.
        """
        now = self._database.now()

        def work(connection: Connection) -> Ask:
            ask, person = _one(connection, plan_id, now), persons(connection)
            if not may(role, "approver"):
                raise ForbiddenError(
                    f"the role {role} may not let calls through", "ask somebody with the role approver"
                )
            if ask.state != "waiting":
                raise TransitionError(f"it does not wait any more: it is {ask.state}", "look at the call again")
            if answer == "refuse":
                return _refused(connection, ask, now, actor, reason)
            in_force(connection).check_door(actor)
            if person(actor) == person(ask.caller):
                raise ForbiddenError(f"{actor} asked for it and may not let it through", "ask somebody else")
            if person(actor) in map(person, ask.votes):
                raise ConflictError(f"{actor} has let it through already", "it takes somebody else now")
            return _voted(connection, ask, now, actor, reason)

        return await self._database.write(work)


def _refused(connection: Connection, ask: Ask, now: str, actor: str, reason: str) -> Ask:
    if not reason.strip():
        raise ReasonError("to refuse a call needs a reason", "say why; the caller is told")
    told = {"reason": reason[:MOST_REASON]}
    append_entry(connection, Event(now, actor, REFUSED, f"ask:{ask.id}", told))
    after = replace(ask, state="refused", by=actor, reason=told["reason"])
    tell_of_ask(connection, now, "call.refused", after.to_json())
    return after


def _voted(connection: Connection, ask: Ask, now: str, actor: str, reason: str) -> Ask:
    votes = (*ask.votes, actor)
    is_last = len(votes) >= ask.people
    said = reason[:MOST_REASON]
    told: dict[str, Json] = {"reason": said, "votes": list(votes)}
    append_entry(connection, Event(now, actor, LET if is_last else VOTED, f"ask:{ask.id}", told))
    after = replace(ask, votes=votes, state="let through" if is_last else "waiting", by=actor, reason=said)
    if is_last:
        tell_of_ask(connection, now, "call.let_through", after.to_json())
    return after


def _is_of(ask: Ask, bound: Bound) -> bool:
    is_open = ask.state in ("waiting", "let through", "refused")
    of_it = (ask.revision_id, ask.digest, ask.target, ask.caller)
    return is_open and of_it == (bound.revision_id, bound.digest, bound.target, bound.caller)


def _recent(connection: Connection, now: str, days: int) -> tuple[Ask, ...]:
    since = f"ask:{earliest_id(now, timedelta(days=days))}"
    query = select(_AUDIT).where(is_about("ask"), _AUDIT.c.subject >= since, _AUDIT.c.action == MADE)
    made = connection.execute(query.order_by(_AUDIT.c.seq.desc()).limit(MOST)).all()
    return tuple(_one(connection, row.subject.partition(":")[2], now) for row in made)


def _one(connection: Connection, plan_id: str, now: str) -> Ask:
    rows = connection.execute(select(_AUDIT).where(_AUDIT.c.subject == f"ask:{plan_id}").order_by(_AUDIT.c.seq)).all()
    if not rows:
        raise NotFoundError(f"there is no call {plan_id} that asks", "see `switchgear asks list`")
    if not all(is_intact(row._asdict()) for row in rows):
        raise TamperedError(f"the audit of the call {plan_id} was changed", "see `switchgear audit verify`")
    ask = _made(rows[0])
    for row in rows[1:]:
        ask = _after(ask, row)
    plan = _plan(connection, plan_id)
    if plan is None or plan.used_at is not None:
        return replace(ask, state="used" if plan is not None else "ended")
    return replace(ask, state="ended") if ask.state != "refused" and ask.expires_at <= now else ask


def _made(row: "Row[tuple[object, ...]]") -> Ask:
    return Ask(id=row.subject.partition(":")[2], caller=row.actor, made_at=row.at, **from_text(row.detail))


def _after(ask: Ask, row: "Row[tuple[object, ...]]") -> Ask:
    told = from_text(row.detail)
    if row.action == REFUSED:
        return replace(ask, state="refused", by=row.actor, reason=told["reason"])
    state: State = "let through" if row.action == LET else ask.state
    return replace(ask, state=state, votes=tuple(told["votes"]), by=row.actor, reason=told["reason"])


def _plan(connection: Connection, plan_id: str) -> "Row[tuple[object, ...]] | None":
    return connection.execute(select(_PLAN).where(_PLAN.c.id == plan_id)).first()
