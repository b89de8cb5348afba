"""How runs went: by workflow, by caller, by target and by outcome, how many and how long they took.

Counted over the runs that are still kept (`SWITCHGEAR_KEEP_RUNS_DAYS`) and that began within the time asked for; plans
are runs of their own outcome. Percentiles are of the nearest rank, so that each is a time that some run took.
Here never lives who may ask, nor what a single run did (`runs`).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from governance.storage.database import Database
from governance.storage.identifiers import Json, earliest_id
from governance.storage.models import RevisionRow, RunRow, table_of

_RUN = table_of(RunRow).c
_REVISION = table_of(RevisionRow).c
_EACH = (_RUN.revision_id, _RUN.caller, _RUN.target, _RUN.outcome)
GROUPS = ("workflow", "caller", "target", "outcome")
UNDER_WAY = "under way"
PERCENTILES = (50, 95, 99)


@dataclass(slots=True)
class _Tally:
    outcomes: Counter[str] = field(default_factory=Counter)
    took_ms: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, Json]:
        self.took_ms.sort()
        latency = {f"p{each}_ms": percentile(self.took_ms, each) for each in PERCENTILES}
        return {"runs": self.outcomes.total(), "outcomes": dict(sorted(self.outcomes.items())), **latency}


Groups = dict[str, defaultdict[str, _Tally]]


class RunStats:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, *, since: str = "", until: str = "", sample: int | None = None) -> dict[str, Json]:
        """`all`: the figures of all of them together; `by_…`: of each one of a group, by its name.

        `sample`: the times are those of so many of the newest, which is soon told of however many there are.
        """
        return await self._database.read(lambda c: _told(c, since, until, sample))

    async def uses(self) -> Mapping[str, int]:
        """How often each workflow was run, by its id; those that never were are not there. Cheap: the index answers."""
        return await self._database.read(_uses)


def _uses(connection: Connection) -> Mapping[str, int]:
    by_revision = select(_RUN.revision_id, func.count().label("count")).group_by(_RUN.revision_id).subquery()
    query = (
        select(_REVISION.workflow_id, func.sum(by_revision.c.count))
        .where(_REVISION.id == by_revision.c.revision_id)
        .group_by(_REVISION.workflow_id)
    )
    return {workflow: int(count) for workflow, count in connection.execute(query)}


def _told(connection: Connection, since: str, until: str, sample: int | None) -> dict[str, Json]:
    whole = _Tally()
    # One is made where there is none: thousands of rows are counted here, each in five.
    groups: Groups = {name: defaultdict(_Tally) for name in GROUPS}
    for *names, number in connection.execute(counted(since, until)):
        for tally in _tallies(whole, groups, names):
            tally.outcomes[names[-1] or UNDER_WAY] += number
    for *names, begun_at, ended_at in connection.execute(_timed(since, until, sample)):
        took_ms = _between_ms(begun_at, ended_at)
        for tally in _tallies(whole, groups, names):
            tally.took_ms.append(took_ms)
    by = {f"by_{group}": {name: found[name].to_json() for name in sorted(found)} for group, found in groups.items()}
    return {"all": whole.to_json(), **by}


def counted(since: str, until: str) -> Select[tuple[Any, ...]]:
    """How many runs began in that time, by workflow, caller, target and outcome: of the rows themselves none is read.

    By the revision first, as the index has them, which holds all that is asked (`ix_runs_counted`).
    """
    query = select(*_EACH, func.count().label("runs")).where(*_within(since, until)).group_by(*_EACH).subquery()
    return select(_REVISION.workflow_id, *list(query.c)[1:]).where(_REVISION.id == query.c.revision_id)


def _timed(since: str, until: str, sample: int | None) -> Select[tuple[Any, ...]]:
    """When each of the newest that have ended began and ended."""
    # By the id as well, in whose order they are found: what began long ago is not looked at.
    fits = [*_within(since, until), *([_RUN.id >= earliest_id(since)] if since else [])]
    ended = select(*_EACH, _RUN.started_at, _RUN.finished_at).where(_RUN.finished_at.is_not(None), *fits)
    # Those of the sample first: joined before, all that ever ran would be put in order.
    newest = ended.order_by(_RUN.id.desc()).limit(sample).subquery()
    return select(_REVISION.workflow_id, *list(newest.c)[1:]).where(_REVISION.id == newest.c.revision_id)


def _within(since: str, until: str) -> list[ColumnElement[bool]]:
    found = [_RUN.started_at >= since] if since else []
    return [*found, _RUN.started_at < until] if until else found


def _tallies(whole: _Tally, groups: Groups, names: Sequence[str | None]) -> Iterator[_Tally]:
    """The tally of all, and those of each group that the run of these names is in."""
    yield whole
    for group, name in zip(GROUPS, names, strict=True):
        yield groups[group][name or UNDER_WAY]


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The smallest of `ordered` that at least so many percent do not exceed; None where there is nothing."""
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else None


def _between_ms(begun_at: str, ended_at: str) -> float:
    return (datetime.fromisoformat(ended_at) - datetime.fromisoformat(begun_at)).total_seconds() * 1000
