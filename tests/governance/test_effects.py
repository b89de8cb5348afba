"""Effects: of two runs that want the same one, one has it, until it ends and is not in doubt."""

import asyncio
from typing import Any

import pytest

from governance.errors import SameEffectError
from governance.runs.effects import Effects, Holder
from governance.runs.open_runs import OpenRuns, RunFinding
from governance.runs.runs import Outcome, RunStore, StepRecord
from governance.storage.database import Database, open_database
from governance.storage.identifiers import new_id

FAILURE = {"step_id": "change", "code": "unknown_fate"}


@pytest.fixture
async def begin(submit: Any, database: Database) -> Any:
    revision = (await submit()).revision

    async def begun(*effects: str, caller: str = "agent", at: Database = database) -> str:
        run_id, runs = new_id(), RunStore(at)
        await runs.create(run_id, revision.id, revision.digest, "lab", caller, {}, effects=effects)
        return run_id

    return begun


async def test_of_many_at_once_one_has_the_effect_and_the_others_begin_nothing(begin: Any, database: Database) -> None:
    ends = await asyncio.gather(*(begin("e") for _ in range(20)), return_exceptions=True)
    (winner,) = [end for end in ends if isinstance(end, str)]
    assert {(end.run_id, end.caller) for end in ends if isinstance(end, SameEffectError)} == {(winner, "agent")}
    assert [run.id for run in await RunStore(database).find()] == [winner]
    assert await Effects(database).holder(("other", "e")) == Holder(winner, "agent", is_in_doubt=False)


async def test_of_two_replicas_that_begin_the_same_at_once_one_is_refused(
    begin: Any, database: Database, url: str
) -> None:
    async with open_database(url) as other:
        for number in range(10):
            both = (begin(f"e-{number}", at=each) for each in (database, other))
            ends = await asyncio.gather(*both, return_exceptions=True)
            assert sorted(type(end).__name__ for end in ends) == ["SameEffectError", "str"]


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "cancelled", "unknown"])
async def test_a_run_gives_its_effects_back_with_its_end_unless_it_is_in_doubt(
    begin: Any, database: Database, outcome: Outcome
) -> None:
    run_id = await begin("e", "f")
    await RunStore(database).finish(run_id, outcome, None, FAILURE)
    holder = await Effects(database).holder(("e",))
    assert (holder is not None and holder.is_in_doubt) is (outcome == "unknown")
    if outcome == "unknown":
        with pytest.raises(SameEffectError) as told:
            await begin("f")
        assert (told.value.run_id, told.value.is_in_doubt) == (run_id, True)
    else:
        await begin("e", "f")


@pytest.mark.parametrize("has_happened", [True, False])
async def test_whoever_resolves_a_doubt_gives_its_effects_back(
    begin: Any, database: Database, has_happened: bool
) -> None:
    run_id = await begin("e")
    await RunStore(database).finish(run_id, "unknown", None, FAILURE, resume={"turn": {}})
    open_runs = OpenRuns(database)
    assert await open_runs.left_of(run_id) == {"turn": {}}
    await open_runs.resolve(run_id, RunFinding(has_happened, goes_on=True), actor="ann")
    holder = await Effects(database).holder(("e",))
    assert holder == Holder(run_id, "agent", is_in_doubt=False), "a run that goes on is under way"
    await RunStore(database).finish(run_id, "unknown", None, FAILURE)
    await open_runs.resolve(run_id, RunFinding(has_happened, goes_on=False), actor="ann")
    assert await Effects(database).holder(("e",)) is None


async def test_a_run_takes_a_further_effect_with_a_record_and_nothing_is_recorded_where_another_has_it(
    begin: Any, database: Database
) -> None:
    first, second, runs = await begin("e"), await begin("f"), RunStore(database)
    record = StepRecord(1, "change", "sending", "POST", "/x")
    with pytest.raises(SameEffectError):
        await runs.record_steps(second, (record,), effects=("f", "e"))
    assert (await runs.get(second)).steps == ()
    await runs.record_steps(first, (record,), effects=("e", "g"))
    await runs.record_steps(second, (record,), effects=("f",))
    assert await Effects(database).holder(("g",)) == Holder(first, "agent", is_in_doubt=False)
    await runs.finish(first, "succeeded")
    await runs.record_steps(second, (StepRecord(2, "more", "sending", "POST", "/x"),), effects=("e", "g"))


async def test_a_look_that_saw_all_of_it_ends_the_run_as_succeeded(begin: Any, database: Database) -> None:
    run_id = await begin("e")
    await RunStore(database).finish(run_id, "unknown", None, FAILURE)
    await OpenRuns(database).resolve(run_id, RunFinding(True, False, "looked", {"id": 1}), actor="ann")
    run = await RunStore(database).get(run_id)
    assert (run.outcome, run.outputs, run.failure) == ("succeeded", {"id": 1}, None)
