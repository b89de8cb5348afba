"""Revisions on both databases: submitting, naming, deciding, and what is approved."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from governance.approval.revisions import Revision, RevisionStore, Submission
from governance.audit.log import AuditLog
from governance.errors import (
    ConflictError,
    DigestError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ReasonError,
    RefusedError,
    TransitionError,
)
from governance.registry.apis import ApiStore
from governance.storage.database import Database, open_database
from workflow.errors import CanonicalError

Submit = Callable[..., Awaitable[Submission]]
Approve = Callable[[Revision], Awaitable[Revision]]
ANN = {"actor": "ann", "role": "approver"}


async def test_a_submission_is_pending_and_comes_back_as_it_went_in(store: RevisionStore, submit: Submit) -> None:
    made = await submit("größe \u0000 \u2028 😀", rank=0.1)
    assert made.is_new
    revision = await store.get(made.revision.id)
    assert revision == made.revision
    assert (revision.state, revision.number, revision.created_by) == ("pending", 1, "compile")
    assert revision.content.document["text"] == "größe \u0000 \u2028 😀"
    assert revision.content.digest == revision.digest
    assert revision.proof == {"outcome": "succeeded"}
    assert (revision.rank, revision.is_core) == (0.1, True)


async def test_the_same_content_is_not_submitted_twice(store: RevisionStore, submit: Submit) -> None:
    first = await submit("one")
    again = await submit("one", rank=0.9)
    assert not again.is_new
    assert again.revision == first.revision
    assert len(await store.find()) == 1


async def test_changed_content_is_a_new_revision_and_replaces_the_undecided_one(
    store: RevisionStore, submit: Submit
) -> None:
    first = (await submit("one")).revision
    second = (await submit("two")).revision
    assert (second.number, second.state) == (2, "pending")
    assert (await store.get(first.id)).state == "superseded"
    with pytest.raises(TransitionError, match="superseded cannot be approved"):
        await store.decide(first.id, "approve", **ANN, reason="", digest=first.digest)


async def test_a_revision_is_named_by_id_by_number_or_by_workflow(store: RevisionStore, submit: Submit) -> None:
    first, second = (await submit("one")).revision, (await submit("two")).revision
    assert (await store.get("start_vm@1")).id == first.id
    assert (await store.get("start_vm")).id == second.id
    assert (await store.get(first.id)).id == first.id


@pytest.mark.parametrize(
    "ref", ["", "other", "start_vm@3", "start_vm@", "start_vm@x", "start_vm@" + "9" * 40, "%", "\0"]
)
async def test_a_name_that_leads_nowhere_is_not_found(store: RevisionStore, submit: Submit, ref: str) -> None:
    await submit()
    with pytest.raises((NotFoundError, InvalidError)):
        await store.get(ref)


async def test_an_approval_names_who_when_and_why(store: RevisionStore, submit: Submit) -> None:
    revision = (await submit()).revision
    approved = await store.decide(revision.id, "approve", **ANN, reason=" fine ", digest=revision.digest)
    assert (approved.state, approved.decided_by, approved.reason) == ("approved", "ann", "fine")
    assert approved.decided_at is not None
    assert await store.approved() == (approved,)


async def test_a_decision_on_another_digest_is_refused(store: RevisionStore, submit: Submit) -> None:
    revision = (await submit()).revision
    with pytest.raises(DigestError, match=revision.digest):
        await store.decide(revision.id, "approve", **ANN, reason="", digest="sha256:" + "0" * 64)
    assert await store.approved() == ()


async def test_approving_the_next_revision_supersedes_the_one_in_use(
    store: RevisionStore, submit: Submit, approve: Approve
) -> None:
    first = await approve((await submit("one")).revision)
    second = await approve((await submit("two")).revision)
    assert [revision.id for revision in await store.approved()] == [second.id]
    replaced = await store.get(first.id)
    assert (replaced.state, replaced.decided_by) == ("superseded", "ann")


async def test_submitting_what_is_in_use_withdraws_a_later_proposal(
    store: RevisionStore, submit: Submit, approve: Approve
) -> None:
    in_use = await approve((await submit("one")).revision)
    proposal = (await submit("two")).revision
    again = await submit("one")
    assert (again.is_new, again.revision.id) == (False, in_use.id)
    assert (await store.get(proposal.id)).state == "superseded"


async def test_a_rejection_stands_until_the_content_changes(store: RevisionStore, submit: Submit) -> None:
    revision = (await submit("one")).revision
    await store.decide(revision.id, "reject", **ANN, reason="too wide", digest=revision.digest)
    again = await submit("one")
    assert (again.is_new, again.revision.state) == (False, "rejected")
    assert (await submit("two")).revision.state == "pending"


async def test_what_was_retired_can_be_submitted_again(store: RevisionStore, submit: Submit, approve: Approve) -> None:
    revision = await approve((await submit("one")).revision)
    await store.decide(revision.id, "retire", **ANN, reason="not used", digest=revision.digest)
    assert await store.approved() == ()
    again = await submit("one")
    assert (again.is_new, again.revision.number) == (True, 2)


async def test_two_apis_cannot_share_a_workflow(submit: Submit) -> None:
    await submit()
    with pytest.raises(ConflictError, match="hypercore"):
        await submit("two", api="idrac")


async def test_content_that_is_no_json_is_refused(store: RevisionStore, submit: Submit) -> None:
    with pytest.raises(CanonicalError):
        await submit(float("nan"))
    assert await store.find() == ()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"role": "operator"}, ForbiddenError),
        ({"action": "reject"}, ReasonError),
        ({"action": "retire", "reason": "why"}, TransitionError),
        ({"digest": "sha256:other"}, DigestError),
        ({"reason": "x" * 3000}, InvalidError),
    ],
)
async def test_a_refused_decision_leaves_nothing_behind(
    database: Database, store: RevisionStore, submit: Submit, changes: dict[str, str], error: type[Exception]
) -> None:
    revision = (await submit()).revision
    before = await AuditLog(database).last()
    asked = {"action": "approve", "reason": "", "digest": revision.digest, **ANN, **changes}
    with pytest.raises(error):
        await store.decide(revision.id, **asked)
    assert await store.get(revision.id) == revision
    assert await AuditLog(database).last() == before


async def test_every_decision_has_its_audit_row(
    database: Database, store: RevisionStore, submit: Submit, approve: Approve
) -> None:
    first = await approve((await submit("one")).revision)
    await approve((await submit("two")).revision)
    rows = await AuditLog(database).find(subject=f"revision:{first.id}")
    assert [(row.action, row.actor, row.detail["to"]) for row in rows] == [
        ("revision.submitted", "compile", "pending"),
        ("revision.approved", "ann", "approved"),
        ("revision.superseded", "ann", "superseded"),
    ]
    assert {row.detail["digest"] for row in rows} == {first.digest}
    assert (await AuditLog(database).verify()).ok


async def test_of_two_who_decide_at_once_exactly_one_succeeds(url: str, submit: Submit) -> None:
    revision = (await submit()).revision
    async with open_database(url) as one, open_database(url) as other:
        asked = [
            RevisionStore(at).decide(revision.id, action, **ANN, reason="because", digest=revision.digest)
            for at, action in ((one, "approve"), (other, "reject"), (one, "reject"), (other, "approve"))
        ]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Revision) for answer in answers) == 1
    assert sum(isinstance(answer, TransitionError) for answer in answers) == 3


async def test_of_many_who_submit_at_once_the_numbers_have_no_gap(
    url: str, store: RevisionStore, submit: Submit
) -> None:
    await asyncio.gather(*(submit(f"text {at}") for at in range(12)))
    assert [revision.number for revision in await store.find()] == list(range(1, 13))
    assert len(await store.find("pending")) == 1


async def test_the_list_can_be_cut_by_state_api_and_page(
    store: RevisionStore, submit: Submit, approve: Approve
) -> None:
    made = [(await submit("one", f"flow_{at}", api="a" if at % 2 else "b")).revision for at in range(6)]
    await approve(made[0])
    assert [one.id for one in await store.find(limit=2)] == [one.id for one in made[:2]]
    assert [one.id for one in await store.find(limit=2, after=made[1].id)] == [one.id for one in made[2:4]]
    assert [one.id for one in await store.find("pending", api="b")] == [made[2].id, made[4].id]


async def test_what_is_confirmed_is_approved_now_and_has_the_digest(
    store: RevisionStore, submit: Submit, approve: Approve
) -> None:
    revision = (await submit()).revision
    with pytest.raises(RefusedError, match="pending"):
        await store.confirm(revision.id, revision.digest)
    approved = await approve(revision)
    assert await store.confirm(revision.id, revision.digest) == approved
    with pytest.raises(DigestError):
        await store.confirm(revision.id, "sha256:other")
    await store.decide(revision.id, "retire", **ANN, reason="not used", digest=revision.digest)
    with pytest.raises(RefusedError, match="retired"):
        await store.confirm(revision.id, revision.digest)


async def test_the_change_token_changes_with_every_change_and_only_then(
    url: str, database: Database, store: RevisionStore, submit: Submit, behind: Callable[..., None]
) -> None:
    seen = [await store.change_token()]
    revision = (await submit()).revision
    seen.append(await store.change_token())
    async with open_database(url) as elsewhere:
        await RevisionStore(elsewhere).decide(revision.id, "approve", **ANN, reason="", digest=revision.digest)
    seen.append(await store.change_token())
    await ApiStore(database).put_api("hypercore", "HyperCore", "1", "sha256:spec", None, None)
    seen.append(await store.change_token())
    behind("UPDATE revisions SET risk = 'read'")
    seen.append(await store.change_token())
    assert len(set(seen)) == len(seen)
    await AuditLog(database).append("ann", "looked", "x:1", {})
    assert await store.change_token() == seen[-1]
