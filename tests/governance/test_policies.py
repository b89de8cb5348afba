"""Decisions under a policy, on both databases: votes, one's own, expiry, hours, what passes by itself, tampering."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance.approval.policies import SUBJECT, PolicyStore
from governance.approval.policy import BUILT_IN, policy_of
from governance.approval.revisions import Revision, RevisionStore, Submission
from governance.audit.log import AuditLog
from governance.errors import ConflictError, DigestError, ForbiddenError, RefusedError, TamperedError, TransitionError
from governance.storage.database import Database, open_database
from workflow.revision import RevisionContent

Submit = Callable[..., Awaitable[Submission]]
STRICT = {
    "classes": {
        "read": {"approvals": 0},
        "disrupt": {"windows": [{"from": "09:00", "to": "17:00", "zone": "UTC"}], "approval_days": 10},
        "destroy": {"approvals": 2},
    },
    "pending_days": 5,
}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(url: str, clock: Clock) -> AsyncIterator[Database]:
    async with open_database(url, clock) as opened:
        yield opened


@pytest.fixture
async def policies(database: Database) -> PolicyStore:
    store = PolicyStore(database)
    await store.apply(policy_of(STRICT), actor="boss")
    return store


async def approved_by(store: RevisionStore, revision: Revision, *voters: str) -> Revision:
    for voter in voters:
        revision = await store.decide(
            revision.id, "approve", actor=voter, role="approver", reason="", digest=revision.digest
        )
    return revision


async def test_without_a_policy_the_built_in_one_holds(database: Database) -> None:
    current = await PolicyStore(database).current()
    assert (current.number, current.policy) == (0, BUILT_IN)


async def test_applying_is_audited_with_the_digest_and_applying_the_same_again_changes_nothing(
    database: Database, policies: PolicyStore
) -> None:
    again, is_new = await policies.apply(policy_of(STRICT), actor="boss")
    rows = await AuditLog(database).find(subject=SUBJECT)
    assert (again.number, is_new, len(rows)) == (1, False, 1)
    assert (rows[0].actor, rows[0].detail["digest"]) == ("boss", policy_of(STRICT).digest)


@pytest.mark.usefixtures("policies")
async def test_what_only_reads_is_approved_by_the_policy_with_its_audit_row(
    database: Database, store: RevisionStore, submit: Submit
) -> None:
    revision = (await submit(risk="read", promises=True)).revision
    (row,) = await AuditLog(database).find(subject=f"revision:{revision.id}", action="revision.approved")
    assert (revision.state, revision.decided_by, row.actor) == ("approved", "policy", "policy")
    assert policy_of(STRICT).digest in row.detail["reason"]
    assert await store.approved() == (revision,)


async def test_what_waited_before_the_policy_passes_when_it_is_submitted_again(
    database: Database, store: RevisionStore, submit: Submit
) -> None:
    waiting = (await submit(risk="read", promises=True)).revision
    await PolicyStore(database).apply(policy_of(STRICT), actor="boss")
    again = await submit(risk="read", promises=True)
    assert (waiting.state, again.is_new, again.revision.state) == ("pending", False, "approved")


@pytest.mark.usefixtures("policies")
async def test_a_read_that_does_not_promise_to_change_nothing_waits_for_a_person(submit: Submit) -> None:
    assert (await submit(risk="read")).revision.state == "pending"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
async def test_nothing_passes_by_itself_that_sends_another_method_whatever_is_said_of_it(
    database: Database, store: RevisionStore, method: str
) -> None:
    nobody = {"classes": {"read": {"approvals": 0}, "change": {"approvals": 0}}}
    await PolicyStore(database).apply(policy_of(nobody), actor="boss")
    said = {"effect": "read", "safe": True}
    steps = [{"operationPath": f"{{$sourceDescriptions.api.url}}#/paths/~1x/{each}", "x-switchgear": said}
             for each in ("get", method)]  # fmt: skip
    tool = {"name": "look", "annotations": {"readOnlyHint": True}}
    content = RevisionContent({"arazzo": "1.1.0", "workflows": [{"steps": steps}]}, tool, {"GET /x": "sha256:1"}, None)
    facts = {"intent": "find", "resource": "x", "is_core": True, "rank": 0.5, "proof": {}, "actor": "compile"}
    for risk in ("read", "change"):
        made = await store.submit("toy", f"look_{risk}", content, risk=risk, **facts)
        assert made.revision.state == "pending"
        assert (await approved_by(store, made.revision, "ann")).state == "approved"


@pytest.mark.usefixtures("policies")
async def test_two_different_people_are_needed_and_the_first_vote_is_no_approval(
    database: Database, store: RevisionStore, submit: Submit
) -> None:
    revision = (await submit(risk="destroy")).revision
    voted = await approved_by(store, revision, "ann")
    assert (voted.state, voted.votes, await store.approved()) == ("pending", ("ann",), ())
    with pytest.raises(RefusedError):
        await store.confirm(revision.id, revision.digest)
    done = await approved_by(store, voted, "bob")
    assert (done.state, done.votes) == ("approved", ("ann", "bob"))
    rows = await AuditLog(database).find(subject=f"revision:{revision.id}")
    assert [row.action for row in rows] == ["revision.submitted", "revision.voted", "revision.approved"]


@pytest.mark.usefixtures("policies")
@pytest.mark.parametrize("again", ["ann", "cli:ann"])
async def test_a_second_vote_of_the_same_person_is_refused(store: RevisionStore, submit: Submit, again: str) -> None:
    revision = await approved_by(store, (await submit(risk="destroy")).revision, "ann")
    with pytest.raises(ConflictError, match="approved it already"):
        await approved_by(store, revision, again)


@pytest.mark.usefixtures("policies")
@pytest.mark.parametrize(
    ("submitter", "voter"), [("ann", "ann"), ("compile:ann", "cli:ann"), ("compile:ann", "ann"), ("cli:ann", "ann")]
)
async def test_whoever_submitted_it_may_not_approve_it(
    store: RevisionStore, submit: Submit, submitter: str, voter: str
) -> None:
    revision = (await submit(risk="change", actor=submitter)).revision
    with pytest.raises(ForbiddenError, match="submitted it"):
        await approved_by(store, revision, voter)
    assert (await approved_by(store, revision, "bob")).state == "approved"


@pytest.mark.usefixtures("policies")
async def test_a_vote_on_another_digest_is_refused_and_votes_do_not_move_to_a_new_revision(
    store: RevisionStore, submit: Submit
) -> None:
    first = await approved_by(store, (await submit("one", risk="destroy")).revision, "ann")
    second = (await submit("two", risk="destroy")).revision
    with pytest.raises(DigestError):
        await store.decide(second.id, "approve", actor="bob", role="approver", reason="", digest=first.digest)
    assert (await approved_by(store, second, "bob")).state == "pending"


@pytest.mark.usefixtures("policies")
async def test_what_nobody_decided_in_time_can_only_be_submitted_again(
    store: RevisionStore, submit: Submit, clock: Clock
) -> None:
    revision = (await submit(risk="change")).revision
    clock.now += timedelta(days=5)
    with pytest.raises(TransitionError, match="expired"):
        await approved_by(store, revision, "ann")
    again = await submit(risk="change")
    assert (again.is_new, again.revision.number, (await store.get(revision.id)).state) == (True, 2, "superseded")
    assert (await approved_by(store, again.revision, "ann")).state == "approved"


@pytest.mark.usefixtures("policies")
async def test_an_approval_that_expired_is_a_refusal_at_that_moment_and_an_event_says_so(
    database: Database, store: RevisionStore, submit: Submit, clock: Clock
) -> None:
    revision = await approved_by(store, (await submit()).revision, "ann")
    clock.now += timedelta(days=10, microseconds=-1)
    assert len(await store.approved()) == 1
    assert await store.expire() == ()
    clock.now += timedelta(microseconds=1)
    assert await store.approved() == ()
    with pytest.raises(RefusedError, match="approved until"):
        await store.confirm(revision.id, revision.digest)
    before = await store.change_token()
    (gone,) = await store.expire()
    assert (gone.id, gone.state, gone.decided_by) == (revision.id, "retired", "policy")
    assert await store.change_token() != before
    (row,) = await AuditLog(database).find(action="revision.retired")
    assert row.detail["reason"].startswith("expired: it was approved until 2026-11-30")
    assert (await AuditLog(database).verify()).ok


@pytest.mark.usefixtures("policies")
async def test_a_run_that_disrupts_begins_at_its_hours_only(
    database: Database, store: RevisionStore, submit: Submit, clock: Clock
) -> None:
    revision = await approved_by(store, (await submit()).revision, "ann")
    guard = store.guard(revision.id, revision.digest)
    await database.write(guard)
    clock.now = clock.now.replace(hour=17)
    with pytest.raises(RefusedError, match="09:00-17:00 UTC"):
        await database.write(guard)
    assert (await store.confirm(revision.id, revision.digest)).id == revision.id


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE policies SET body = replace(body, '2', '1')",
        "UPDATE policies SET digest = 'sha256:x'",
        "UPDATE policies SET number = 7",
        "DELETE FROM policies",
        "INSERT INTO policies VALUES (2, 'sha256:x', '{}', 'now', 'mallory')",
        "DELETE FROM audit WHERE subject = 'policy:current'",
        "UPDATE audit SET detail = '{}' WHERE subject = 'policy:current'",
    ],
)
async def test_with_a_policy_that_was_tampered_with_nothing_is_decided_and_nothing_grave_runs(
    database: Database,
    policies: PolicyStore,
    store: RevisionStore,
    submit: Submit,
    behind: Callable[..., None],
    statement: str,
) -> None:
    revision = await approved_by(store, (await submit()).revision, "ann")
    waiting = (await submit(workflow_id="other")).revision
    behind(statement)
    with pytest.raises(TamperedError):
        await policies.current()
    with pytest.raises(TamperedError):
        await approved_by(store, waiting, "ann")
    with pytest.raises(TamperedError):
        await database.write(store.guard(revision.id, revision.digest))


@pytest.mark.parametrize("column", ["votes", "expires_at"])
async def test_a_vote_or_an_end_written_behind_our_back_is_found(
    policies: PolicyStore, store: RevisionStore, submit: Submit, behind: Callable[..., None], column: str
) -> None:
    revision = (await submit(risk="destroy")).revision
    values: dict[str, Any] = {"votes": '["eve"]', "expires_at": "2999-01-01T00:00:00.000000Z"}
    behind(f"UPDATE revisions SET {column} = :value", value=values[column])
    with pytest.raises(TamperedError):
        await approved_by(store, revision, "ann")
