"""Following the approved set: what changed is known at once, and what nobody tells of within a round of looks."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from governance.approval import approved
from governance.approval.approved import Approved
from governance.approval.disabling import DisabledStore
from governance.approval.revisions import Revision, RevisionStore, Submission

Submit = Callable[..., Awaitable[Submission]]
Approve = Callable[[Revision], Awaitable[Revision]]
Behind = Callable[..., None]
FEW, MANY = 2, 9
NOTICED = ("revisions_update_noticed", "revisions_noticed ON revisions")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few are read in turn that most stay unread in one look."""
    monkeypatch.setattr(approved, "SWEPT", FEW)


async def whole(store: RevisionStore) -> set[str]:
    return {revision.id for revision in await store.approved()}


@pytest.mark.parametrize("seed", range(3))
async def test_who_follows_knows_what_one_who_reads_all_knows(
    few: None, store: RevisionStore, database: Any, submit: Submit, approve: Approve, behind: Behind, seed: int
) -> None:
    chance, disabled, state = random.Random(seed), DisabledStore(database), Approved()
    for number in range(MANY):
        await approve((await submit("one", f"w{number}")).revision)
    known: dict[str, Revision] = {}
    for step in range(25):
        name = f"w{chance.randrange(MANY)}"
        match chance.choice(["again", "retire", "disable", "behind", "nothing"]):
            case "again":
                new = await submit(f"text {step}", name)
                await approve(new.revision)
            case "retire" if one := await store.in_use(name):
                await store.decide(one.id, "retire", actor="ann", role="admin", reason="old", digest=one.digest)
            case "disable":
                is_out = await disabled.get(name)
                await (disabled.enable(name, actor="a") if is_out else disabled.disable(name, actor="a", reason="b"))
            case "behind":
                behind("UPDATE revisions SET resource = 'x' WHERE workflow_id = :name", name=name)
        state = await store.follow(state)
        known = {one: each for one, each in known.items() if one not in state.gone}
        known |= {each.id: each.revision() for each in state.fresh}
        assert known.keys() == state.known.keys() == await whole(store)
        assert {each.id: each for each in await store.approved()} == known
        survey = await store.approved_survey()
        assert sorted(map(repr, state.faults)) == sorted(map(repr, survey.faults))


async def test_one_decision_among_many_reads_few(
    few: None, store: RevisionStore, submit: Submit, approve: Approve
) -> None:
    for number in range(MANY):
        await approve((await submit("one", f"w{number}")).revision)
    state = await store.follow(Approved())
    await approve((await submit("two", "w3")).revision)
    after = await store.follow(state)
    assert [each.workflow_id for each in after.fresh] == ["w3"]
    kept = [after.known[one] is state.known[one] for one in after.known if one in state.known]
    assert kept.count(True) >= MANY - 1 - FEW


async def test_what_no_trigger_tells_of_is_found_within_a_round(
    few: None, store: RevisionStore, submit: Submit, approve: Approve, behind: Behind, url: str
) -> None:
    made = [await approve((await submit("one", f"w{number}")).revision) for number in range(MANY)]
    state = await store.follow(Approved())
    behind(f"DROP TRIGGER {NOTICED[url.startswith('postgresql')]}")
    behind("UPDATE revisions SET content = replace(content, 'w7', 'v7') WHERE id = :id", id=made[7].id)
    for _ in range(MANY // FEW + 1):
        state = await store.follow(state)
    assert [fault.revision_id for fault in state.faults] == [made[7].id]
    assert state.known.keys() == {each.id for each in made} - {made[7].id}


async def test_what_somebody_puts_among_the_approved_without_a_trigger_is_found_within_a_round(
    few: None, store: RevisionStore, submit: Submit, approve: Approve, behind: Behind, url: str
) -> None:
    pending = (await submit("one", "w")).revision
    for number in range(MANY):
        await approve((await submit("one", f"w{number}")).revision)
    state = await store.follow(Approved())
    behind(f"DROP TRIGGER {NOTICED[url.startswith('postgresql')]}")
    behind("UPDATE revisions SET state = 'approved' WHERE id = :id", id=pending.id)
    for _ in range(MANY // FEW + 2):
        state = await store.follow(state)
    assert [fault.revision_id for fault in state.faults] == [pending.id]
