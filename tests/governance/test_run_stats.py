"""Figures of the runs: counted where they stand in order, and the same as the rows say."""

from typing import Any

import pytest
from sqlalchemy import text

from governance.runs.run_stats import RunStats, counted
from governance.runs.runs import RunStore
from governance.storage.database import Database

SINCE = "2020-01-01T00:00:00.000000Z"


# PostgreSQL plans by what it knows of the table, which has no rows here.
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("since", "until"), [("", ""), (SINCE, ""), (SINCE, "2999-01-01T00:00:00.000000Z")])
async def test_runs_are_counted_without_reading_one_of_their_rows(database: Database, since: str, until: str) -> None:
    query = str(counted(since, until).compile(compile_kwargs={"literal_binds": True}))

    def plan(connection: Any) -> list[str]:
        return [str(row[-1]) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]

    told = await database.read(plan)
    assert "SCAN runs USING COVERING INDEX ix_runs_counted" in told
    assert not any("TEMP B-TREE" in line for line in told), "nor are they put in order"


async def test_what_is_counted_is_what_the_rows_say(database: Database, submit: Any) -> None:
    first, other = (await submit()).revision, (await submit(workflow_id="other")).revision
    runs = RunStore(database)
    for number, (revision, caller, outcome) in enumerate(
        ((first, "ann", "succeeded"), (first, "bob", "failed"), (other, "ann", "succeeded"), (other, "ann", None))
    ):
        await runs.create(f"run-{number}", revision.id, revision.digest, "lab", caller, {})
        if outcome:
            await runs.finish(f"run-{number}", outcome, {})
    told = await RunStats(database).of()
    assert told["all"]["outcomes"] == {"failed": 1, "succeeded": 2, "under way": 1}
    by = {name: figures["runs"] for group in ("by_workflow", "by_caller") for name, figures in told[group].items()}
    assert by == {first.workflow_id: 2, "other": 2, "ann": 3, "bob": 1}
    assert told["by_workflow"]["other"]["p50_ms"] is not None
    assert (await RunStats(database).of(since="2999-01-01T00:00:00.000000Z"))["all"]["runs"] == 0
