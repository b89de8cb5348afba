"""What is changed behind our back is refused: every column of a revision, its history, and its audit rows."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from governance.approval.integrity import seal_of
from governance.approval.revisions import Revision, RevisionStore, Submission
from governance.audit.log import AuditLog
from governance.errors import GovernanceError, NotFoundError, TamperedError
from governance.storage.connections import parse_url
from governance.storage.database import Database, open_database
from governance.storage.models import RevisionRow, table_of
from workflow.revision import RevisionContent

Submit = Callable[..., Awaitable[Submission]]
Approve = Callable[[Revision], Awaitable[Revision]]
Behind = Callable[..., None]
COLUMNS = [column.name for column in table_of(RevisionRow).columns]
# What a column is set to: a value of its kind that it does not hold.
OTHER: dict[str, Any] = {"number": 7, "rank": 0.75, "is_core": False, "state": "rejected", "proof": "{}"}


@pytest.mark.parametrize("column", COLUMNS)
async def test_a_change_in_any_column_of_an_approved_revision_makes_it_disappear(
    store: RevisionStore, submit: Submit, approve: Approve, behind: Behind, column: str
) -> None:
    revision = await approve((await submit()).revision)
    other = await approve((await submit("one", "stop_vm")).revision)
    assert len(await store.approved()) == 2
    behind(f"UPDATE revisions SET {column} = :value WHERE id = :id", value=OTHER.get(column, "x"), id=revision.id)
    survey = await store.approved_survey()
    assert survey.revisions == (other,)
    assert len(survey.faults) == (0 if column == "state" else 1)
    with pytest.raises((TamperedError, NotFoundError)):
        await store.get(revision.id)
    with pytest.raises((TamperedError, NotFoundError)):
        await store.confirm(revision.id, revision.digest)


async def test_one_changed_character_of_the_tool_is_found_and_said(
    store: RevisionStore, submit: Submit, approve: Approve, behind: Behind
) -> None:
    revision = await approve((await submit()).revision)
    behind("UPDATE revisions SET content = replace(content, 'start_vm', 'start_vn')")
    (fault,) = (await store.approved_survey()).faults
    assert fault.revision_id == revision.id
    assert "digest" in fault.message


async def test_content_exchanged_together_with_its_digest_is_found(
    store: RevisionStore, submit: Submit, approve: Approve, behind: Behind
) -> None:
    await approve((await submit()).revision)
    hostile = (await submit("hostile", "other")).revision
    behind(
        "UPDATE revisions SET digest = :digest, content = (SELECT o.content FROM revisions o WHERE o.id = :id) "
        "WHERE state = 'approved'",
        digest=hostile.digest,
        id=hostile.id,
    )
    assert await store.approved() == ()


async def test_an_approval_that_no_audit_row_knows_is_refused_though_its_seal_fits(
    store: RevisionStore, submit: Submit, behind: Behind, url: str
) -> None:
    revision = (await submit()).revision
    values = {**_row(url, revision.id), "state": "approved", "decided_by": "ann"}
    behind(
        "UPDATE revisions SET state = 'approved', decided_by = 'ann', seal = :seal WHERE id = :id",
        seal=seal_of(values),
        id=revision.id,
    )
    (fault,) = (await store.approved_survey()).faults
    assert fault.message.endswith("the audit does not know that it is approved")


async def test_a_retired_revision_put_back_as_it_was_when_approved_is_refused(
    store: RevisionStore, submit: Submit, approve: Approve, behind: Behind, url: str
) -> None:
    revision = await approve((await submit()).revision)
    before = _row(url, revision.id)
    await store.decide(revision.id, "retire", actor="ann", role="admin", reason="bad", digest=revision.digest)
    kept = ("state", "decided_at", "decided_by", "reason", "seal")
    sets = ", ".join(f"{name} = :{name}" for name in kept)
    behind(f"UPDATE revisions SET {sets} WHERE id = :id", id=revision.id, **{name: before[name] for name in kept})
    assert await store.approved() == ()


@pytest.mark.parametrize("column", ["actor", "detail", "at", "action", "subject", "hash", "prev_hash"])
async def test_an_approval_whose_audit_row_was_changed_is_refused(
    store: RevisionStore, submit: Submit, approve: Approve, behind: Behind, column: str
) -> None:
    await approve((await submit()).revision)
    behind(f"UPDATE audit SET {column} = '{{}}' WHERE action = 'revision.approved'")
    assert await store.approved() == ()


async def test_nobody_can_decide_on_a_damaged_revision(store: RevisionStore, submit: Submit, behind: Behind) -> None:
    revision = (await submit()).revision
    behind("UPDATE revisions SET risk = 'read'")
    with pytest.raises(TamperedError, match="column"):
        await store.decide(revision.id, "approve", actor="a", role="admin", reason="", digest=revision.digest)


async def test_a_damaged_revision_is_replaced_by_the_next_and_stays_damaged(
    database: Database, store: RevisionStore, submit: Submit, approve: Approve, behind: Behind
) -> None:
    first = await approve((await submit()).revision)
    behind("UPDATE revisions SET risk = 'read'")
    second = await submit()
    assert second.is_new
    await approve(second.revision)
    assert [revision.id for revision in await store.approved()] == [second.revision.id]
    with pytest.raises(TamperedError):
        await store.get(first.id)
    last = (await AuditLog(database).find(subject=f"revision:{first.id}"))[-1]
    assert (last.action, "column" in last.detail["fault"]) == ("revision.superseded", True)


async def test_a_list_tells_the_damaged_from_the_whole(store: RevisionStore, submit: Submit, behind: Behind) -> None:
    whole, damaged = (await submit("one", "a")).revision, (await submit("one", "b")).revision
    behind("UPDATE revisions SET resource = 'x' WHERE id = :id", id=damaged.id)
    survey = await store.survey()
    assert survey.revisions == (whole,)
    assert [fault.workflow_id for fault in survey.faults] == ["b"]


async def _look(url: str) -> tuple[Revision, ...]:
    async with open_database(url) as database:
        await AuditLog(database).verify()
        return await RevisionStore(database).approved()


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[] if seed < 2 else pytest.mark.long) for seed in range(10)])
async def test_a_flipped_bit_in_the_file_is_an_error_of_ours_or_a_missing_revision(tmp_path: Path, seed: int) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    genuine = await _three_approved(url)
    good = (tmp_path / "a.db").read_bytes()
    chance = random.Random(seed)
    for number in range(30):
        bad = bytearray(good)
        for _ in range(chance.choice([1, 1, 8])):
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        (tmp_path / f"{number}.db").write_bytes(bad)
        try:
            served = await _look(f"sqlite:///{tmp_path / f'{number}.db'}")
        except GovernanceError:
            continue
        assert set(map(repr, served)) <= genuine


async def _three_approved(url: str) -> set[str]:
    async with open_database(url) as database:
        store = RevisionStore(database)
        for name in ("a", "b", "c"):
            content = RevisionContent({"text": name * 1000}, {"name": name}, {}, None)
            facts = {"intent": "act", "risk": "read", "resource": "VM", "is_core": True, "rank": 0.5, "proof": {}}
            made = (await store.submit("api", name, content, actor="ci", **facts)).revision
            await store.decide(made.id, "approve", actor="ann", role="admin", reason="", digest=made.digest)
        return {repr(revision) for revision in await store.approved()}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revisions SET content = '{}'",
        "UPDATE revisions SET digest = 'x'",
        "UPDATE revisions SET risk = 'read'",
        "DELETE FROM revisions",
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
    ],
)
async def test_honest_tools_are_stopped_by_the_database_itself(
    url: str, store: RevisionStore, submit: Submit, statement: str
) -> None:
    revision = (await submit()).revision
    engine = create_engine(parse_url(url))
    with pytest.raises(IntegrityError, match="never changed"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
    assert await store.get(revision.id) == revision


def _row(url: str, revision_id: str) -> dict[str, Any]:
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        row = connection.execute(table_of(RevisionRow).select().where(table_of(RevisionRow).c.id == revision_id)).one()
    engine.dispose()
    return row._asdict()
