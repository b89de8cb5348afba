"""What is disabled is not served and does not run, stays approved, and is back at once when it is enabled."""

from collections.abc import Awaitable, Callable

import pytest

from governance.approval.disabling import DisabledStore
from governance.approval.revisions import Revision, RevisionStore, Submission
from governance.audit.log import AuditLog
from governance.errors import ConflictError, NotFoundError, ReasonError, RefusedError
from governance.storage.database import Database

Submit = Callable[..., Awaitable[Submission]]
Approve = Callable[[Revision], Awaitable[Revision]]
Behind = Callable[..., None]


@pytest.fixture
def disabled(database: Database) -> DisabledStore:
    return DisabledStore(database)


async def begins(database: Database, store: RevisionStore, revision: Revision) -> bool:
    try:
        await database.write(store.guard(revision.id, revision.digest))
    except RefusedError as refused:
        assert "disabled since" in refused.message
        return False
    return True


async def test_a_disabled_workflow_is_not_served_does_not_run_and_stays_approved(
    database: Database, store: RevisionStore, submit: Submit, approve: Approve, disabled: DisabledStore
) -> None:
    revision = await approve((await submit()).revision)
    other = await approve((await submit("one", "stop_vm")).revision)
    before = await store.change_token()
    await disabled.disable(revision.id, actor="ann", reason="the firmware is broken")
    assert await store.change_token() != before
    assert await store.approved() == (other,)
    assert not await begins(database, store, revision)
    assert await begins(database, store, other)
    assert (await store.get(revision.id)).state == "approved"
    await disabled.enable(revision.workflow_id, actor="bob")
    assert await begins(database, store, revision)
    assert len(await store.approved()) == 2
    rows = await AuditLog(database).find(subject=f"workflow:{revision.workflow_id}")
    assert [(row.actor, row.action) for row in rows] == [("ann", "workflow.disabled"), ("bob", "workflow.enabled")]
    assert rows[0].detail["reason"] == "the firmware is broken"


async def test_what_is_approved_of_a_disabled_workflow_waits_as_well(
    database: Database, store: RevisionStore, submit: Submit, approve: Approve, disabled: DisabledStore
) -> None:
    first = await approve((await submit()).revision)
    await disabled.disable(first.workflow_id, actor="ann", reason="look first")
    second = await approve((await submit("other content")).revision)
    assert second.workflow_id == first.workflow_id
    assert await store.approved() == ()
    assert not await begins(database, store, second)


async def test_a_row_removed_behind_our_back_enables_nothing(
    database: Database, store: RevisionStore, submit: Submit, approve: Approve, disabled: DisabledStore, behind: Behind
) -> None:
    revision = await approve((await submit()).revision)
    await disabled.disable(revision.id, actor="ann", reason="look first")
    behind("DELETE FROM disabled_workflows")
    assert not await begins(database, store, revision)
    await disabled.enable(revision.id, actor="ann")
    assert await begins(database, store, revision)


async def test_twice_without_a_reason_and_what_is_not_there_are_refused(
    submit: Submit, disabled: DisabledStore
) -> None:
    revision = (await submit()).revision
    with pytest.raises(ReasonError):
        await disabled.disable(revision.id, actor="ann", reason=" ")
    with pytest.raises(NotFoundError):
        await disabled.disable("nothing", actor="ann", reason="r")
    with pytest.raises(ConflictError, match="not disabled"):
        await disabled.enable(revision.id, actor="ann")
    await disabled.disable(revision.id, actor="ann", reason="r")
    with pytest.raises(ConflictError, match="already"):
        await disabled.disable(revision.id, actor="bob", reason="r")
    (told,) = await disabled.list_disabled()
    assert told == await disabled.get(revision.workflow_id)
    assert (told.disabled_by, told.reason) == ("ann", "r")
