"""Looking revisions up by state, API, class, thing, submitter, origin, words of the name; in pages, with the total.

What is asked for must fit, all of it. Names and numbers are found in an index, without the contents, which are a
hundred times as long; of a page alone these are read, and checked as everywhere (`integrity`). Words are looked for in
the workflow's name; what a workflow does is searched among approved ones (`runtime.catalog.search`).
Here never lives who may see what (`people.scopes` says it, the caller gives it). Called by the REST API.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from governance.approval import revision_rows as rows
from governance.approval.revision_rows import TABLE
from governance.approval.revisions import Survey, sort_out
from governance.origins import NAMED, Origin, origin_of
from governance.people.scopes import WHOLE, AccessScope
from governance.registry.servers import API_PREFIX, SITE_PREFIX
from governance.storage.database import Database
from governance.storage.identifiers import earliest_id
from governance.transitions import State

_C = TABLE.c
COLUMNS = ("state", "api", "risk", "created_by")
FACETS = (*COLUMNS, "how")
AT_ONCE = timedelta()
MOST_WORDS = 12
"""Each is a comparison more with every row; a question has fewer."""


@dataclass(frozen=True, slots=True)
class RevisionsWanted:
    """What is not given is not asked for. `by`: who submitted it; `how`: how it came about; `words`: all of them in its
    name; `since` (with it) and `until` (without it): when it was submitted, as UTC text."""

    state: State | None = None
    api: str | None = None
    risk: str | None = None
    resource: str | None = None
    core: bool | None = None
    by: str | None = None
    how: Origin | None = None
    workflow: str | None = None
    words: str = ""
    ids: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    scope: AccessScope = WHOLE


@dataclass(frozen=True, slots=True)
class Page:
    """`total`: how many fit on all pages together."""

    survey: Survey
    total: int


class RevisionSearch:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: RevisionsWanted, *, limit: int, after: str | None = None, skip: int = 0) -> Page:
        """In the order of their submission: those behind the id `after`, or behind the first `skip`."""
        fits = _fits(wanted)
        ids = select(_C.id).where(*fits).order_by(_C.id).limit(limit).offset(skip)
        ids = ids.where(_C.id > after) if after else ids
        query = rows.SELECT.where(_C.id.in_(ids.scalar_subquery())).order_by(_C.id)

        def work(connection: Connection) -> Page:
            total = connection.execute(select(func.count()).select_from(TABLE).where(*fits)).scalar_one()
            return Page(sort_out(connection.execute(query)), total)

        return await self._database.read(work)

    async def counts(self, wanted: RevisionsWanted) -> Mapping[str, Mapping[str, int]]:
        """How many fit, by the values of each of `FACETS`, each group as if its own filter were not given."""
        asked = {"state": wanted.state, "api": wanted.api, "risk": wanted.risk, "created_by": wanted.by}
        asked["how"] = wanted.how
        whole = replace(wanted, state=None, api=None, risk=None, by=None, how=None)
        columns = [_C[name] for name in COLUMNS]
        query = select(*columns, func.count()).where(*_fits(whole)).group_by(*columns)
        found = await self._database.read(lambda c: c.execute(query).all())
        told = [(_facets(row), int(row[-1])) for row in found]
        return {name: _counted(name, told, asked) for name in FACETS}


def _facets(row: Sequence[Any]) -> dict[str, str]:
    told = dict(zip(COLUMNS, map(str, row[:-1]), strict=True))
    return {**told, "how": origin_of(told["api"], told["created_by"])}


def _counted(
    facet: str, told: Iterable[tuple[Mapping[str, str], int]], asked: Mapping[str, str | None]
) -> dict[str, int]:
    """By the values of one facet, of what fits in all others."""
    others = {name: value for name, value in asked.items() if value is not None and name != facet}
    found: Counter[str] = Counter()
    for values, number in told:
        if all(values[name] == value for name, value in others.items()):
            found[values[facet]] += number
    return dict(sorted(found.items()))


def _fits(wanted: RevisionsWanted) -> list[ColumnElement[bool]]:
    given = {
        "state": wanted.state, "api": wanted.api, "risk": wanted.risk, "resource": wanted.resource,
        "is_core": wanted.core, "created_by": wanted.by, "workflow_id": wanted.workflow,
    }  # fmt: skip
    found = [_C[name] == value for name, value in given.items() if value is not None]
    found += [_came_about(wanted.how)] if wanted.how is not None else []
    found += [_C.id.in_(wanted.ids)] if wanted.ids else []
    # By the id, which is made then and stands in the index: when it was, only the row itself says.
    found += [_C.id >= earliest_id(wanted.since, AT_ONCE)] if wanted.since else []
    found += [_C.id < earliest_id(wanted.until, AT_ONCE)] if wanted.until else []
    found += [_has(word) for word in wanted.words.lower().split()[:MOST_WORDS]]
    return found if wanted.scope.is_whole else [*found, rows.within(wanted.scope)]


def _has(word: str) -> ColumnElement[bool]:
    """Lower on both sides: of itself LIKE minds the case on one database and not on the other."""
    return func.lower(_C.workflow_id).contains(word, autoescape=True)


def _came_about(origin: Origin) -> ColumnElement[bool]:
    """Revisions that came about so, by `origins`."""
    is_remote = or_(_begins("api", API_PREFIX), _begins("api", SITE_PREFIX))
    if origin == "server":
        return is_remote
    named = {each: _begins("created_by", f"{each}:") for each in NAMED}
    own = named[origin] if origin in named else not_(or_(*named.values()))
    return and_(own, not_(is_remote))


def _begins(name: str, text: str) -> ColumnElement[bool]:
    """Not LIKE, which takes capitals for small letters on one database and not on the other."""
    return func.substr(_C[name], 1, len(text)) == text
