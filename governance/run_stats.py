"""How runs went: by workflow, by caller, by target and by outcome, how many and how long they took.

Counted over the runs that are still kept (`SWITCHGEAR_KEEP_RUNS_DAYS`) and that began within the time asked for; plans
are runs of their own outcome. Percentiles are of the nearest rank, so that each is a time that some run took.
Here never lives who may ask, nor what a single run did (`runs`).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from governance.database import Database
from governance.identifiers import Json
from governance.models import RevisionRow, RunRow, table_of

_RUN = table_of(RunRow).c
_REVISION = table_of(RevisionRow).c
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


class RunStats:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, *, since: str = "", until: str = "") -> dict[str, Json]:
        """`all`: the figures of all of them together; `by_…`: of each one of a group, by its name."""
        return await self._database.read(lambda c: _told(c, since, until))

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


def _told(connection: Connection, since: str, until: str) -> dict[str, Json]:
    whole, groups = _Tally(), {name: dict[str, _Tally]() for name in GROUPS}
    query = select(
        _REVISION.workflow_id.label("workflow"), _RUN.caller, _RUN.target, _RUN.outcome, _RUN.started_at,
        _RUN.finished_at,
    ).where(_RUN.revision_id == _REVISION.id)  # fmt: skip
    query = query.where(_RUN.started_at >= since) if since else query
    query = query.where(_RUN.started_at < until) if until else query
    for workflow, caller, target, ended, begun_at, ended_at in connection.execute(query):
        outcome = ended or UNDER_WAY
        names = zip(GROUPS, (workflow, caller, target, outcome), strict=True)
        for tally in (whole, *(groups[group].setdefault(name, _Tally()) for group, name in names)):
            tally.outcomes[outcome] += 1
            if ended_at:
                tally.took_ms.append(_between_ms(begun_at, ended_at))
    by = {f"by_{group}": {name: found[name].to_json() for name in sorted(found)} for group, found in groups.items()}
    return {"all": whole.to_json(), **by}


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The smallest of `ordered` that at least so many percent do not exceed; None where there is nothing."""
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else None


def _between_ms(begun_at: str, ended_at: str) -> float:
    return (datetime.fromisoformat(ended_at) - datetime.fromisoformat(begun_at)).total_seconds() * 1000
