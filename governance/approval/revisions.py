"""The store of revisions: submit, look, decide, and the approved set that the runtime serves.

Whatever is answered here was checked by `integrity.open_row`: a revision that does not fit its digest, its seal or its
audit row is never handed out. The compiler submits; people decide through the API and the command line; the runtime
reads `approved` and asks `confirm` before each run. Approval names a digest (DESIGN.md, Governing).
Here never lives the rule of who may do what (`transitions`), nor SQL (`revision_rows`).
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson
from sqlalchemy import Connection, Select, bindparam, select

from governance.approval import revision_rows as rows
from governance.approval.approved import Approved, look
from governance.approval.disabling import why_disabled
from governance.approval.integrity import Revision, RevisionFault, check_row, content_text, find_fault, open_row
from governance.approval.policies import in_force
from governance.approval.revision_rows import TABLE, Stored
from governance.errors import ConflictError, DigestError, InvalidError, NotFoundError, RefusedError, TamperedError
from governance.origins import Origin, submitter
from governance.people.persons import Persons, persons
from governance.people.scopes import WHOLE, AccessScope
from governance.storage.database import Database
from governance.storage.identifiers import Json, new_id, to_text
from governance.storage.models import CatalogChange, table_of
from governance.storage.untouched import Untouched
from governance.transitions import ONE_VOTE, Ballot, Role, State, decide
from governance.transitions import TABLE as RULES
from workflow.revision import RevisionContent, changes_nothing, is_raw, sends_safe_methods_alone

if TYPE_CHECKING:
    from governance.approval.policy import Policy

__all__ = ["RevisionFault", "NewRevision", "Revision", "RevisionStore", "Submission", "Survey"]

Decision = Literal["approve", "reject", "retire"]
RUNNING_OUT = {state for state, action in RULES if action == "expire"}
MAX_REASON = 2000
"""Characters; a reason is a sentence or two, and is shown in lists."""

MOST_REMEMBERED = 16
"""Each takes what its document and its proof take; of what is called again and again few are called most."""

# Asked many times a second.
_C = table_of(CatalogChange).c
_CHANGE = select(_C.version).where(_C.id == 1)
_DUE = select(TABLE.c.state).where(TABLE.c.expires_at <= bindparam("now"))
_log = logging.getLogger("switchgear.governance")


@dataclass(frozen=True, slots=True)
class NewRevision:
    """What the compiler hands in for one workflow: what is approved (`content`) and what is told about it."""

    workflow_id: str
    content: RevisionContent
    intent: str
    risk: str
    resource: str
    is_core: bool
    rank: float
    proof: Json
    origin: Origin = "compiled"


@dataclass(frozen=True, slots=True)
class Submission:
    """`is_new` is False when the same content was there already; `revision` is then the one that was there."""

    revision: Revision
    is_new: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """Revisions that are whole, and those that were refused."""

    revisions: tuple[Revision, ...]
    faults: tuple[RevisionFault, ...]


class RevisionStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        # Rows that were found whole, with their witnesses: what says the same is whole.
        self._whole: dict[str, Stored] = {}

    async def submit(
        self,
        api: str,
        workflow_id: str,
        content: RevisionContent,
        *,
        intent: str,
        risk: str,
        resource: str,
        is_core: bool,
        rank: float,
        proof: Json,
        actor: str,
    ) -> Submission:
        """Stores one workflow as `submit_all` does."""
        new = NewRevision(workflow_id, content, intent, risk, resource, is_core, rank, proof)
        return (await self.submit_all(api, (new,), actor=actor))[0]

    async def submit_all(self, api: str, found: Sequence[NewRevision], *, actor: str) -> tuple[Submission, ...]:
        """Stores each content as a new pending revision, unless it is what is in use or what was last submitted.

        All in one transaction. An older pending revision of a workflow becomes superseded, since it no longer is what
        the compiler says. A rejection stands until the content changes; what was retired or has expired can be
        submitted again. What the policy lets pass without a person is approved at once.
        Raises ConflictError if another API has a workflow of this name, CanonicalError if a content is not JSON.
        """
        now = self._database.now()
        values = [_values(api, new, actor, now) for new in found]

        def work(connection: Connection) -> list[tuple[Stored, bool]]:
            policy = in_force(connection)
            return [_submit(connection, each, policy) for each in values]

        stored = await self._database.write(work)
        return tuple(Submission(_open(row), is_new) for row, is_new in stored)

    async def get(self, ref: str) -> Revision:
        """The revision that `ref` names: an id, `workflow@number`, or a workflow's id for its newest revision.

        Raises NotFoundError, or TamperedError if what is stored is not what was submitted and decided.
        """
        return _open(await self._database.read(lambda c: rows.resolve(c, ref)))

    async def get_all(self, ids: Sequence[str]) -> tuple[Revision, ...]:
        """The revisions of these ids, in their order. Raises NotFoundError, TamperedError as `get`."""
        stored = await self._database.read(lambda c: _all(c, rows.SELECT.where(TABLE.c.id.in_(ids))))
        found = {row.id: _open(row) for row in stored}
        missing = next((each for each in ids if each not in found), None)
        if missing is not None:
            raise NotFoundError(
                f"there is no revision {missing}", "see `switchgear workflows list`", kind="workflow", name=missing
            )
        return tuple(found[each] for each in ids)

    async def whole(self, ids: Collection[str]) -> dict[str, Revision]:
        """Those of these ids that are there and whole, by id: for whoever only names them beside something else."""
        stored = await self._database.read(lambda c: _all(c, rows.SELECT.where(TABLE.c.id.in_(ids)))) if ids else []
        return {each.id: each for each in sort_out(stored).revisions}

    async def survey(
        self,
        *,
        state: State | None = None,
        api: str | None = None,
        core: bool | None = None,
        limit: int = 1000,
        after: str | None = None,
        scope: AccessScope = WHOLE,
    ) -> Survey:
        """Revisions in the order of their submission, behind the id `after`, whole and damaged ones apart."""
        query = rows.SELECT.order_by(TABLE.c.id).limit(limit)
        query = query.where(TABLE.c.state == state) if state else query
        query = query.where(TABLE.c.api == api) if api else query
        query = query if core is None else query.where(TABLE.c.is_core == core)
        query = query.where(TABLE.c.id > after) if after else query
        query = query if scope.is_whole else query.where(rows.within(scope))
        stored = await self._database.read(lambda c: _all(c, query))
        return sort_out(stored)

    async def find(
        self,
        state: State | None = None,
        api: str | None = None,
        limit: int = 1000,
        after: str | None = None,
        *,
        core: bool | None = None,
        scope: AccessScope = WHOLE,
    ) -> tuple[Revision, ...]:
        """The whole ones of `survey`; damaged ones are left out and logged."""
        return (await self.survey(state=state, api=api, core=core, limit=limit, after=after, scope=scope)).revisions

    async def decide(self, ref: str, action: Decision, *, actor: str, role: Role, reason: str, digest: str) -> Revision:
        """Applies a decision on exactly the content with this digest, in one transaction with its audit row.

        Where the policy asks for more approvals, one is a vote and the revision stays pending. Approving supersedes the
        approved revision of the same workflow. Raises NotFoundError, TamperedError, DigestError (another content than
        was looked at), TransitionError, ForbiddenError, ConflictError (voted already), ReasonError, InvalidError.
        """
        if len(reason) > MAX_REASON:
            raise InvalidError(f"the reason is longer than {MAX_REASON} characters", "say it shorter")
        now = self._database.now()
        changes = _decided(now, actor, reason)

        def work(connection: Connection) -> Stored:
            stored = rows.resolve(connection, ref)
            revision = _open(stored)
            if digest != revision.digest:
                raise DigestError(
                    f"{_exact(revision)} has the digest {revision.digest}, the decision names {digest}",
                    "look at the revision again and decide on what it says now",
                )
            policy = in_force(connection)
            # Nothing about votes keeps what is refused or withdrawn from being so at once.
            is_vote = action == "approve"
            if is_vote:
                policy.check_door(actor)
            ballot = ballot_of(revision, actor, policy, now, persons(connection)) if is_vote else ONE_VOTE
            to = decide(revision.state, action, role=role, reason=reason, ballot=ballot)
            told = changes | _counted(revision, action, to, actor, policy, now)
            if to == "approved":
                _supersede(connection, now, revision.workflow_id, "approved", actor)
            rows.move(connection, now, stored, to, actor=actor, changes=told)
            return rows.resolve(connection, revision.id)

        return _open(await self._database.write(work))

    async def in_use(self, workflow_id: str) -> Revision | None:
        """The approved revision of a workflow, disabled or not; None where there is none that is whole."""
        query = rows.SELECT.where(TABLE.c.workflow_id == workflow_id, TABLE.c.state == "approved")
        found = sort_out(row for row in await self._database.read(lambda c: _all(c, query)))
        return found.revisions[0] if found.revisions else None

    async def approved(self) -> tuple[Revision, ...]:
        """What may be served now, by workflow id; damaged ones are left out and logged."""
        return (await self.approved_survey()).revisions

    async def expire(self) -> tuple[Revision, ...]:
        """Retires what nobody decided in time and what was approved until now, and answers it.

        From the moment on nothing of it is served, whether this was called or not; this makes it known.
        """
        now = self._database.now()
        if not await self._database.read(self.is_some_due):
            return ()
        is_due = TABLE.c.expires_at <= now

        def work(connection: Connection) -> list[Stored]:
            found = _all(connection, rows.SELECT.where(is_due, TABLE.c.state.in_(RUNNING_OUT)))
            for stored in found:
                what = "nobody decided on it until" if stored.state == "pending" else "it was approved until"
                changes = {"decided_at": now, "decided_by": "policy", "reason": f"expired: {what} {stored.expires_at}"}
                to = RULES[stored.state, "expire"].to
                rows.move(connection, now, stored, to, actor="policy", changes=changes, has_expired=True)
            return [rows.resolve(connection, stored.id) for stored in found]

        return sort_out(row for row in await self._database.write(work)).revisions

    def is_some_due(self, connection: Connection) -> bool:
        """Whether `expire` has something to do. Asked several times a second, and answered by an index."""
        due = connection.execute(_DUE, {"now": self._database.now()})
        return not RUNNING_OUT.isdisjoint(due.scalars())

    async def approved_survey(self) -> Survey:
        """Like `approved`, and with it the approved revisions that were refused, so that a caller can say so.

        What is disabled is in neither.
        """
        found = await self.follow(Approved())
        whole = sorted((each.revision() for each in found.fresh), key=lambda revision: revision.workflow_id)
        return Survey(tuple(whole), found.faults)

    async def follow(self, before: Approved, again: Collection[str] = ()) -> Approved:
        """What is approved now, for one who saw `before`, at the price of what changed since; see `approved.look`."""
        now = self._database.now()
        return await self._database.read(lambda c: look(c, before, now, again))

    async def vanished(self, approved: Mapping[str, str]) -> tuple[RevisionFault, ...]:
        """Those of `approved`, workflows by their revisions' ids, that did not leave that state by a decision."""
        wanted = rows.SELECT.where(TABLE.c.id.in_(approved))
        stored = await self._database.read(lambda c: _all(c, wanted)) if approved else []
        there = {row.id for row in stored}
        gone = [RevisionFault(one, name, "its row was removed") for one, name in approved.items() if one not in there]
        return (*sort_out(row for row in stored if not rows.was_moved(row)).faults, *gone)

    async def astray(self) -> tuple[RevisionFault, ...]:
        """Those that the audit knows as approved and whose rows say another state: altered while nobody looked."""
        wanted = rows.SELECT.where(TABLE.c.state != "approved", rows.IS_KNOWN_APPROVED)
        return sort_out(row for row in await self._database.read(lambda c: _all(c, wanted))).faults

    async def confirm(self, revision_id: str, digest: str) -> Revision:
        """The revision, if it is approved at this moment, whole, and has this digest.

        Raises NotFoundError, TamperedError, DigestError or RefusedError.
        """
        return _open(await self._database.read(lambda c: self._confirmed(c, revision_id, digest)))

    def guard(self, revision_id: str, digest: str) -> Callable[[Connection], object]:
        """What each run has to pass, as the first thing of somebody's own transaction: `RunStore.create` takes it.

        What `confirm` does, and that the workflow is not disabled and the policy lets a run of this class begin at
        this hour: else RefusedError.
        """

        def work(connection: Connection) -> None:
            revision = self._confirmed(connection, revision_id, digest)
            disabled = why_disabled(connection, revision.workflow_id)
            if disabled:
                raise RefusedError(disabled, "ask an approver to enable it")
            if revision.risk not in ("read", "change"):  # these are never bound to hours
                closed = in_force(connection).closed(revision.risk, self._database.now())
                if closed:
                    raise RefusedError(closed, "call again at one of these hours")

        return work

    def _confirmed(self, connection: Connection, revision_id: str, digest: str) -> Stored:
        revision = self._whole.get(revision_id)
        if revision is None or rows.told_of(connection, revision_id) != tuple(revision):
            revision = rows.resolve(connection, revision_id)
            check_row(*rows.split(revision))
            if len(self._whole) >= MOST_REMEMBERED:
                self._whole.clear()
            self._whole[revision.id] = revision
        if revision.state != "approved":
            raise RefusedError(f"{revision.workflow_id}@{revision.number} is {revision.state}, not approved")
        if revision.expires_at is not None and revision.expires_at <= self._database.now():
            raise RefusedError(f"{revision.workflow_id}@{revision.number} was approved until {revision.expires_at}")
        if revision.digest != digest:
            raise DigestError(f"{revision.workflow_id}@{revision.number} is not the content that was loaded", "reload")
        return revision

    def untouched(self, times: int) -> Untouched:
        """By which to see whether `change_token` need be asked."""
        return Untouched(self._database, times)

    async def change_token(self) -> str:
        """A text that differs after any change to a revision or an API, by whichever process and by whatever means."""
        return str(await self._database.read(lambda c: c.execute(_CHANGE).scalar_one()))


def _all(connection: Connection, query: Select[tuple[Any, ...]]) -> list[Stored]:
    return list(connection.execute(query))


def _open(stored: Stored) -> Revision:
    return open_row(*rows.split(stored))


def sort_out(found: Iterable[Stored]) -> Survey:
    """The whole ones among rows of `revision_rows.SELECT`, and the damaged ones, which are logged."""
    whole: list[Revision] = []
    faults: list[RevisionFault] = []
    for stored in found:
        try:
            whole.append(_open(stored))
        except TamperedError as error:
            _log.error("refused: %s", error.message)
            faults.append(RevisionFault(stored.id, stored.workflow_id, error.message))
    return Survey(tuple(whole), tuple(faults))


def _values(api: str, new: NewRevision, actor: str, now: str) -> dict[str, Any]:
    text, digest = content_text(new.content)
    return {
        "id": new_id(), "api": api, "workflow_id": new.workflow_id, "digest": digest, "state": "pending",
        "content": text, "intent": new.intent, "risk": new.risk, "resource": new.resource, "is_core": new.is_core,
        "rank": float(new.rank), "proof": to_text(new.proof), "created_at": now,
        "created_by": submitter(new.origin, actor),
        "decided_at": None, "decided_by": None, "reason": None, "votes": "[]", "expires_at": None,
    }  # fmt: skip


def _exact(revision: Revision) -> str:
    return f"{revision.workflow_id}@{revision.number}"


def ballot_of(revision: Revision, actor: str, policy: "Policy", now: str, person: Persons) -> Ballot:
    """What `actor` would vote on, at `now`."""
    return Ballot(
        voter=person(actor),
        submitter=person(revision.created_by),
        votes=tuple(map(person, revision.votes)),
        needed=policy.rule(revision.risk).approvals,
        may_approve_own=policy.self_approval,
        is_expired=not revision.is_valid(now),
    )


def _counted(revision: Revision, action: str, to: State, actor: str, policy: "Policy", now: str) -> dict[str, Any]:
    """What a decision changes besides its author: who has voted, and until when it holds."""
    if action != "approve":
        return {}
    ends = policy.approval_ends(revision.risk, now) if to == "approved" else revision.expires_at
    return {"votes": to_text([*revision.votes, actor]), "expires_at": ends}


def _submit(connection: Connection, values: dict[str, Any], policy: "Policy") -> tuple[Stored, bool]:
    stored, is_new = _stored(connection, values, policy)
    if stored.state == "pending" and passes_by_itself(policy, stored.workflow_id, stored.risk, stored.content):
        _accept(connection, stored, values["created_at"], policy)
        stored = rows.resolve(connection, stored.id)
    return stored, is_new


def passes_by_itself(policy: "Policy", workflow_id: str, risk: str, content: str) -> bool:
    """Whether the policy approves what nobody has looked at: only what cannot change anything by its methods alone.

    What a description, a profile or a model says of the effect does not make it so. A single operation that reads
    passes where somebody may call such.
    """
    if is_raw(workflow_id):
        if not policy.call_api or risk != "read":
            return False
    elif policy.rule(risk).approvals:
        return False
    told = orjson.loads(content)
    return changes_nothing(told["tool"]) and sends_safe_methods_alone(told["document"])


def _accept(connection: Connection, stored: Stored, now: str, policy: "Policy") -> None:
    """Approves what the policy lets pass without a person."""
    reason = f"the policy {policy.digest} approves what may only {stored.risk}"
    ends = policy.approval_ends(stored.risk, now)
    changes = {"decided_at": now, "decided_by": "policy", "reason": reason, "expires_at": ends}
    _supersede(connection, now, stored.workflow_id, "approved", "policy")
    rows.move(connection, now, stored, RULES["pending", "accept"].to, actor="policy", changes=changes)


def _stored(connection: Connection, values: dict[str, Any], policy: "Policy") -> tuple[Stored, bool]:
    history = rows.of_workflow(connection, values["workflow_id"])
    if any(row.api != values["api"] for row in history):
        raise ConflictError(
            f"the workflow {values['workflow_id']} belongs to the API {history[0].api}",
            "rename the workflow in the profile's overrides",
        )
    actor, now = values["created_by"], values["created_at"]
    same = _same_content(history, values["digest"], now)
    if same is None or same.state != "pending":
        _supersede(connection, now, values["workflow_id"], "pending", actor)
    if same is not None:
        return rows.resolve(connection, same.id), False
    number = max((row.number for row in history), default=0) + 1
    rows.add(connection, now, {**values, "number": number, "expires_at": policy.pending_ends(now)})
    return rows.resolve(connection, values["id"]), True


def receive(connection: Connection, now: str, values: Mapping[str, Any], to: State, *, actor: str, role: Role) -> None:
    """Stores what a bundle brings, approved or pending, in place of what is undecided, and of what is in use if it is
    approved itself.

    `values` are the columns of a revision but its state and number; `actor`: who imports. Raises ForbiddenError.
    """
    decide(None, "import", role=role, reason=values["reason"])
    history = rows.of_workflow(connection, values["workflow_id"])
    for row in history:
        if row.state == "pending" or (row.state == "approved" and to == "approved"):
            rows.move(connection, now, row, "superseded", actor=actor, changes={})
    number = max((row.number for row in history), default=0) + 1
    rows.add(connection, now, {**values, "id": new_id(), "number": number, "state": to}, actor=actor)


def retire(connection: Connection, now: str, stored: Stored, *, actor: str, role: Role, reason: str) -> None:
    """Takes an approved revision out of use within somebody else's transaction. Raises as `RevisionStore.decide`."""
    to = decide(stored.state, "retire", role=role, reason=reason)
    rows.move(connection, now, stored, to, actor=actor, changes=_decided(now, actor, reason))


def _decided(now: str, actor: str, reason: str) -> dict[str, str | None]:
    return {"decided_at": now, "decided_by": actor, "reason": reason.strip() or None}


def _same_content(history: Iterable[Stored], digest: str, now: str) -> Stored | None:
    """The revision in use or the newest one, if it is whole and has this digest and was not retired nor has expired."""
    candidates = [row for at, row in enumerate(history) if at == 0 or row.state == "approved"]
    same = [row for row in candidates if row.digest == digest and row.state != "retired" and _is_due_later(row, now)]
    return next((row for row in same if not find_fault(*rows.split(row))), None)


def _is_due_later(row: Stored, now: str) -> bool:
    return row.state not in ("pending", "approved") or row.expires_at is None or now < row.expires_at


def _supersede(connection: Connection, now: str, workflow_id: str, state: State, actor: str) -> None:
    for row in rows.of_workflow(connection, workflow_id):
        if row.state == state:
            rows.move(connection, now, row, "superseded", actor=actor, changes={})
