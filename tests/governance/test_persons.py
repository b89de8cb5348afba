"""One person, one vote: whatever credentials somebody has, and whoever edits the table that says who is who."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.approval.revisions import Revision, RevisionStore, Submission
from governance.errors import ConflictError, ForbiddenError, TamperedError
from governance.people.users import UserStore
from governance.storage.database import Database

Submit = Callable[..., Awaitable[Submission]]
TWO = {"classes": {"disrupt": {"approvals": 2}}, "self_approval": False}
ANNS = ("ann", "cli:ann", "jwt:ann", "cli:a.smith", "a.smith", "ann-laptop", "jwt:4711", "compile:a.smith")


@pytest.fixture
async def users(database: Database) -> UserStore:
    users = UserStore(database)
    await users.add("ann", "approver", password=None, also=("a.smith", "ann-laptop", "jwt:4711"), actor="boss")
    await PolicyStore(database).apply(policy_of(TWO), actor="boss")
    return users


async def vote(store: RevisionStore, revision: Revision, actor: str) -> Revision:
    return await store.decide(revision.id, "approve", actor=actor, role="approver", reason="", digest=revision.digest)


@pytest.mark.parametrize("second", ANNS)
@pytest.mark.parametrize("first", ["ann", "jwt:4711", "cli:a.smith"])
async def test_under_none_of_their_names_does_anybody_vote_twice(
    store: RevisionStore, submit: Submit, users: UserStore, first: str, second: str
) -> None:
    revision = (await submit()).revision
    assert (await vote(store, revision, first)).state == "pending"
    with pytest.raises(ConflictError):
        await vote(store, revision, second)
    assert (await vote(store, revision, "bob")).state == "approved"


@pytest.mark.parametrize("voter", ANNS)
async def test_under_none_of_their_names_does_anybody_approve_their_own(
    store: RevisionStore, submit: Submit, users: UserStore, voter: str
) -> None:
    revision = (await submit(actor="cli:a.smith")).revision
    with pytest.raises(ForbiddenError):
        await vote(store, revision, voter)


async def test_who_was_never_said_to_be_the_same_is_not(store: RevisionStore, submit: Submit, users: UserStore) -> None:
    revision = (await submit()).revision
    await vote(store, revision, "ann")
    assert (await vote(store, revision, "jwt:4712")).state == "approved"


@pytest.mark.parametrize(
    "statement", ["UPDATE users SET also = '[]'", "DELETE FROM users", "UPDATE users SET name = 'eve'"]
)
async def test_editing_the_users_makes_nobody_two_people(
    store: RevisionStore, submit: Submit, users: UserStore, behind: Callable[..., None], statement: str
) -> None:
    revision = (await submit()).revision
    await vote(store, revision, "ann")
    behind(statement)
    with pytest.raises(ConflictError):
        await vote(store, revision, "jwt:4711")


async def test_where_the_audit_of_a_user_was_changed_nobody_votes_and_anybody_withdraws(
    store: RevisionStore, submit: Submit, users: UserStore, behind: Callable[..., None]
) -> None:
    used = (await submit("one", "other")).revision
    await vote(store, used, "bob")
    await vote(store, used, "carl")
    revision = (await submit()).revision
    behind("UPDATE audit SET detail = replace(detail, 'jwt:4711', 'jwt:0000') WHERE subject = 'user:ann'")
    with pytest.raises(TamperedError):
        await vote(store, revision, "jwt:4711")
    given: dict[str, Any] = {"actor": "bob", "role": "approver", "reason": "bad"}
    assert (await store.decide(used.id, "retire", digest=used.digest, **given)).state == "retired"
    assert (await store.decide(revision.id, "reject", digest=revision.digest, **given)).state == "rejected"


@pytest.mark.parametrize("how", ["profile", "model", "import"])
@pytest.mark.parametrize("behind", ["a.smith", "jwt:4711", "cli:a.smith", "ann-laptop"])
async def test_however_a_workflow_came_about_who_stands_behind_it_approves_it_under_none_of_their_names(
    store: RevisionStore, submit: Submit, users: UserStore, how: str, behind: str
) -> None:
    revision = (await submit(actor=f"{how}:{behind}")).revision
    for voter in ("ann", "jwt:4711", "compile:a.smith"):
        with pytest.raises(ForbiddenError):
            await vote(store, revision, voter)
    assert (await vote(store, revision, "bob")).state == "pending"


async def test_who_compiled_is_known_by_that_name_whatever_came_of_it(
    store: RevisionStore, submit: Submit, database: Database
) -> None:
    await UserStore(database).add("eva", "approver", password=None, also=("compile:root",), actor="boss")
    await PolicyStore(database).apply(policy_of(TWO), actor="boss")
    revision = (await submit(actor="profile:root")).revision
    with pytest.raises(ForbiddenError):
        await vote(store, revision, "eva")
