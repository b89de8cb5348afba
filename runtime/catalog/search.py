"""The search over what is served now, for MCP and REST alike: the index of the catalog, made when it is first asked.

The index follows the catalog, API by API, and is shared with no other. The words of a revision are kept by its digest,
and taken into the index once, so that one approval among a thousand reads one document. Here never lives ranking
(`index`), a protocol or a right: what is found is what the live catalog lets the caller see.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance.people.scopes import WHOLE, AccessScope
from runtime.catalog.entries import Entry
from runtime.catalog.snapshot import Catalog
from runtime.catalog.watcher import LiveCatalog
from workflow.search.index import Findable, Index, WorkflowFacts, findable, with_words_of_their_things

# Read at a time, in a few milliseconds, before others have their turn.
AT_A_TIME = 10


@dataclass(frozen=True, slots=True)
class _Api:
    """The workflows of one API as they are in the index; `entries`: what the catalog had of it then."""

    entries: Mapping[str, Entry]
    words: Mapping[str, Findable]
    indexed: Sequence[Findable]


NOTHING = _Api({}, {}, ())


class Finder:
    def __init__(self, live: LiveCatalog) -> None:
        self._live = live
        self._index = Index()
        self._apis: dict[str, _Api] = {}
        self._catalog: Catalog | None = None
        self._reading = asyncio.Lock()

    async def ready(self) -> None:
        """Reads what is new, a little at a time: of thousands of workflows `find` would keep all others waiting."""
        async with self._reading:
            for number, _ in enumerate(self._follow()):
                if number % AT_A_TIME == 0:
                    await asyncio.sleep(0)

    def find(
        self, question: str, *, api: str | None = None, risk: str | None = None, scope: AccessScope = WHOLE
    ) -> list[Entry]:
        """All approved workflows in `scope` that have to do with `question`, the best first."""
        return self.best(question, sys.maxsize, api=api, risk=risk, scope=scope)[0]

    def best(
        self, question: str, most: int, *, api: str | None = None, risk: str | None = None, scope: AccessScope = WHOLE
    ) -> tuple[list[Entry], int]:
        """At most so many of what `find` answers, and how many that would be: of thousands these are sooner found."""
        if not self._reading.locked():  # else what is there has to do
            deque(self._follow(), maxlen=0)
        seen = self._live.seen_by(scope).entries
        wanted = most if scope.is_whole and most < len(seen) else None  # of what not all may see, all are looked at
        names, count = self._index.best(question, most=wanted, api=api, risk=risk)
        found = [seen[name] for name in names if name in seen]
        return found[:most], count if wanted is not None else len(found)

    def _follow(self) -> Iterator[None]:
        """Brings the index up to the catalog of now, API by API; each step is short."""
        catalog = self._live.now
        if self._catalog is catalog:
            return
        for api in self._apis.keys() | catalog.by_api.keys():
            entries, before = catalog.by_api.get(api), self._apis.get(api, NOTHING)
            if entries is not before.entries:
                yield from self._exchange(api, entries or {}, before)
        if self._index.is_hollow:
            self._index = self._index.hold(each for api in self._apis.values() for each in api.indexed)
        self._catalog = catalog

    def _exchange(self, api: str, entries: Mapping[str, Entry], before: _Api) -> Iterator[None]:
        words: dict[str, Findable] = {}
        for entry in entries.values():
            words[entry.digest] = before.words.get(entry.digest) or _words_of(entry)
            yield
        indexed = tuple(dict.fromkeys(with_words_of_their_things(words.values())))
        known, wanted = set(before.indexed), set(indexed)
        for each in indexed:
            if each not in known:
                self._index.take_in((each,))
                yield
        self._index.take_out(each for each in before.indexed if each not in wanted)
        self._apis[api] = _Api(entries, words, indexed)
        if not entries:
            del self._apis[api]


def _words_of(entry: Entry) -> Findable:
    content, vocabulary = entry.prepared.content, entry.profile.vocabulary
    kind = WorkflowFacts(entry.api, entry.risk, entry.intent, entry.resource)
    return findable(content, vocabulary, kind, rank=entry.rank)
