"""The search over what is served now, for MCP and REST alike: the index of the catalog, made when it is first asked.

The index follows the catalog, API by API, and is shared with no other. The words of a revision are kept by its digest,
and taken into the index once, so that one approval among a thousand reads one document. What the compiler wrote down of
an API's operations helps to find the workflows that use them. Here never lives ranking
(`index`), a protocol or a right: what is found is what the live catalog lets the caller see.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance.people.scopes import WHOLE, AccessScope
from governance.registry.knowledge import KnowledgeStore
from runtime.catalog.entries import Entry
from runtime.catalog.snapshot import Catalog
from runtime.catalog.watcher import LiveCatalog
from workflow.search.findable import (
    NO_WORDS,
    Findable,
    OperationWords,
    WorkflowFacts,
    findable,
    operation_words,
    with_words_of_their_things,
)
from workflow.search.index import Index

# Read at a time, in a few milliseconds, before others have their turn.
AT_A_TIME = 10


@dataclass(frozen=True, slots=True)
class _Api:
    """The workflows of one API as they are in the index; `entries`: what the catalog had of it then; `operations`: what
    was known of its operations."""

    entries: Mapping[str, Entry]
    operations: Mapping[str, OperationWords]
    words: Mapping[str, Findable]
    indexed: Sequence[Findable]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the compiler wrote down of the operations of one API; `mark`: of just these."""

    mark: str
    operations: Mapping[str, OperationWords]


NOTHING = _Api({}, NO_WORDS, {}, ())


class Finder:
    def __init__(self, live: LiveCatalog, knowledge: KnowledgeStore) -> None:
        self._live = live
        self._knowledge = knowledge
        self._known: dict[str, _Known] = {}
        self._known_in: Catalog | None = None
        self._index = Index()
        self._apis: dict[str, _Api] = {}
        self._catalog: Catalog | None = None
        self._learned: Catalog | None = None
        self._reading = asyncio.Lock()

    async def ready(self) -> None:
        """Reads what is new, a little at a time: of thousands of workflows `find` would keep all others waiting."""
        async with self._reading:
            await self._learn()
            for number, _ in enumerate(self._follow()):
                if number % AT_A_TIME == 0:
                    await asyncio.sleep(0)

    async def _learn(self) -> None:
        """Reads what is known of the operations of each API that was compiled anew; then the catalog is another one."""
        catalog = self._live.now
        if self._known_in is catalog:
            return
        marks = await self._knowledge.marks()
        self._known = {api: known for api, known in self._known.items() if marks.get(api) == known.mark}
        for api in sorted(marks.keys() & catalog.by_api.keys() - self._known.keys()):
            words: dict[str, OperationWords] = {}
            for number, card in enumerate(await self._knowledge.get(api)):
                words[str(card["operation"])] = operation_words(card)
                if number % AT_A_TIME == 0:
                    await asyncio.sleep(0)
            self._known[api] = _Known(marks[api], words)
        self._known_in = catalog

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
        if self._catalog is catalog and self._learned is self._known_in:
            return
        for api in self._apis.keys() | catalog.by_api.keys():
            entries, before = catalog.by_api.get(api), self._apis.get(api, NOTHING)
            operations = self._known[api].operations if api in self._known else NO_WORDS
            if entries is not before.entries or operations is not before.operations:
                yield from self._exchange(api, entries or {}, operations, before)
        if self._index.is_hollow:
            self._index = self._index.hold(each for api in self._apis.values() for each in api.indexed)
        self._catalog, self._learned = catalog, self._known_in

    def _exchange(
        self, api: str, entries: Mapping[str, Entry], operations: Mapping[str, OperationWords], before: _Api
    ) -> Iterator[None]:
        words: dict[str, Findable] = {}
        old = before.words if operations is before.operations else {}
        for entry in entries.values():
            words[entry.digest] = old.get(entry.digest) or _words_of(entry, operations)
            yield
        indexed = tuple(dict.fromkeys(with_words_of_their_things(words.values())))
        known, wanted = set(before.indexed), set(indexed)
        for each in indexed:
            if each not in known:
                self._index.take_in((each,))
                yield
        self._index.take_out(each for each in before.indexed if each not in wanted)
        self._apis[api] = _Api(entries, operations, words, indexed)
        if not entries:
            del self._apis[api]


def _words_of(entry: Entry, operations: Mapping[str, OperationWords]) -> Findable:
    content, vocabulary = entry.prepared.content, entry.profile.vocabulary
    kind = WorkflowFacts(entry.api, entry.risk, entry.intent, entry.resource)
    return findable(content, vocabulary, kind, rank=entry.rank, operations=operations)
