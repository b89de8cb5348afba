"""Looking runs up: by workflow, target, caller, outcome and time, newest first, in pages, with how many there are.

What is asked for must fit, all of it. Runs of these pages have no steps (`runs` tells one whole run). Which workflow a
run is of stands with its revision, and is told beside it. Here never lives who sees which run (`runtime.visibility`).
Called by the REST API.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select

from governance.approval.revision_rows import TABLE, within
from governance.people.scopes import WHOLE, AccessScope
from governance.runs.runs import Run, run_of_row
from governance.storage.database import Database
from governance.storage.identifiers import earliest_id
from governance.storage.models import RunRow, table_of

_RUN = table_of(RunRow)
UNDER_WAY = "under way"
"""Asked for in the place of an outcome: the runs that have none yet."""


@dataclass(frozen=True, slots=True)
class RunsWanted:
    """Empty: not asked for. `since` (with it) and `until` (without it) are moments as UTC text."""

    workflow: str = ""
    revision: str = ""
    target: str = ""
    caller: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""
    scope: AccessScope = WHOLE


class RunSearch:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, wanted: RunsWanted, *, limit: int, before: str | None = None, skip: int = 0
    ) -> tuple[Run, ...]:
        """Those before the id `before`, or behind the newest `skip`."""
        query = select(_RUN).where(*_fits(wanted)).order_by(_RUN.c.id.desc()).limit(limit).offset(skip)
        query = query.where(_RUN.c.id < before) if before else query
        return await self._database.read(lambda c: tuple(run_of_row(row) for row in c.execute(query)))

    async def count(self, wanted: RunsWanted) -> int:
        """How many fit."""
        query = select(func.count()).select_from(_RUN).where(*_fits(wanted))
        return await self._database.read(lambda c: c.execute(query).scalar_one())

    async def workflows(self, revision_ids: Collection[str]) -> Mapping[str, tuple[str, int]]:
        """The workflow and the number of each of these revisions, by its id."""
        query = select(TABLE.c.id, TABLE.c.workflow_id, TABLE.c.number).where(TABLE.c.id.in_(set(revision_ids)))
        return await self._database.read(lambda c: {row.id: (row.workflow_id, row.number) for row in c.execute(query)})


def _fits(wanted: RunsWanted) -> list[ColumnElement[bool]]:
    given = {
        "revision_id": wanted.revision, "target": wanted.target, "caller": wanted.caller, "outcome": wanted.outcome,
    }  # fmt: skip
    if wanted.outcome == UNDER_WAY:
        del given["outcome"]
    found: list[ColumnElement[bool]] = [_RUN.c[name] == value for name, value in given.items() if value]
    found += [_RUN.c.outcome.is_(None)] if wanted.outcome == UNDER_WAY else []
    found += [_RUN.c.started_at >= wanted.since, _RUN.c.id >= earliest_id(wanted.since)] if wanted.since else []
    found += [_RUN.c.started_at < wanted.until] if wanted.until else []
    found += [_RUN.c.revision_id.in_(_revisions(TABLE.c.workflow_id == wanted.workflow))] if wanted.workflow else []
    found += [] if wanted.scope.is_whole else [_RUN.c.revision_id.in_(_revisions(within(wanted.scope)))]
    return [*found, _RUN.c.target.in_(wanted.scope.targets)] if wanted.scope.targets else found


def _revisions(fits: ColumnElement[bool]) -> Select[tuple[str]]:
    return select(TABLE.c.id).where(fits)
