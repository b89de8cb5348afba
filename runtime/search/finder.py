"""The search over what is served now, for MCP and REST alike: the index of the catalog, made when it is first asked.

The index follows the catalog and is shared with no other. The words of a revision are kept by its digest, and taken
into the index once, so that one approval among a thousand reads one document. Here never lives ranking (`index`), a
protocol or a right: what is found is what the live catalog lets the caller see.
"""

from dataclasses import dataclass

from governance.people.scopes import WHOLE, Scope
from runtime.catalog import Catalog
from runtime.entries import Entry
from runtime.live import LiveCatalog
from runtime.search.index import Findable, Index, Kind, findable, with_words_of_their_things


@dataclass(frozen=True, slots=True)
class _Made:
    """The index of one catalog, and the words in it by the digest of their revision."""

    catalog: Catalog
    index: Index
    words: dict[str, Findable]


class Finder:
    def __init__(self, live: LiveCatalog) -> None:
        self._live = live
        self._made: _Made | None = None

    def find(
        self, question: str, *, api: str | None = None, risk: str | None = None, scope: Scope = WHOLE
    ) -> list[Entry]:
        """All approved workflows in `scope` that have to do with `question`, the best first."""
        catalog = self._live.now
        if self._made is None or self._made.catalog is not catalog:
            self._made = _made(catalog, *((self._made.index, self._made.words) if self._made else (Index(), {})))
        seen = self._live.seen_by(scope).entries
        return [seen[name] for name in self._made.index.search(question, api=api, risk=risk) if name in seen]


def _made(catalog: Catalog, before: Index, known: dict[str, Findable]) -> _Made:
    words = {entry.digest: known.get(entry.digest) or _words_of(entry) for entry in catalog.entries.values()}
    return _Made(catalog, before.hold(with_words_of_their_things(words.values())), words)


def _words_of(entry: Entry) -> Findable:
    content, vocabulary = entry.prepared.content, entry.profile.vocabulary
    kind = Kind(entry.api, entry.risk, entry.intent, entry.resource)
    return findable(content, vocabulary, kind, rank=entry.rank)
