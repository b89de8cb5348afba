"""Questions about an API, answered from what the compiler understood of it: without a model, and without the device.

Found and told are operations with their things, fields, values and class, the approved workflows that do them, and for
those that none does the reason. A caller is told what is within their scope: an operation that only workflows out of
it use is not there. The words of an API are read once and again when it was compiled anew. Called by the tools, the
routes and the command line; here never lives a protocol, and nothing that is sent.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from governance.errors import NotFoundError
from governance.people.scopes import AccessScope
from governance.registry.knowledge import KnowledgeStore
from runtime.catalog.snapshot import Catalog
from runtime.catalog.watcher import LiveCatalog
from workflow.budget import BYTES_A_TOKEN
from workflow.nearest import did_you_mean
from workflow.search.findable import Findable, WorkflowFacts, apart
from workflow.search.index import Index

Json = Any
Card = Mapping[str, Json]
MOST_FOUND = 10
# What one reads of an operation before choosing it.
MOST_NAMED = 12
# How a request is written is for whoever writes it (`raw_calls`).
NOT_TOLD = ("call", "not_callable")
_INTENTS = {"GET": "find", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class _Api:
    """What is known of one API. `mark`: of the cards that were read."""

    mark: str
    cards: Mapping[str, Card]
    index: Index


@dataclass(frozen=True, slots=True)
class _Size:
    """What one tool for each operation of an API would take of a model's context."""

    mark: str
    operations: int
    tokens: int


class Knowledge:
    def __init__(self, store: KnowledgeStore, live: LiveCatalog) -> None:
        self._store = store
        self._live = live
        self._apis: dict[str, _Api] = {}
        self._sizes: dict[str, _Size] = {}
        self._reading = asyncio.Lock()
        self._there: tuple[Catalog, frozenset[str]] | None = None

    async def search(self, question: str, scope: AccessScope, *, api: str | None = None) -> dict[str, Json]:
        """The operations that have to do with the words of `question`, the best first, and how many more there are."""
        seen = self._live.seen_by(scope)
        found: list[dict[str, Json]] = []
        for name, known in (await self._known(scope, api)).items():
            operations, _ = known.index.best(question)
            cards = (known.cards[operation] for operation in operations)
            found += [_line(name, card, seen) for card in cards if _is_seen(scope, name, card)]
        told: dict[str, Json] = {"operations": found[:MOST_FOUND]}
        if len(found) > MOST_FOUND:
            told["more"] = len(found) - MOST_FOUND
        if not found:
            told["hint"] = "no operation has to do with these words: try the thing's or the action's other name"
        return told

    async def describe(self, operation: str, scope: AccessScope, *, api: str | None = None) -> dict[str, Json]:
        """All that is known of one operation, by `METHOD /path`. Raises NotFoundError."""
        for name, known in (await self._known(scope, api)).items():
            card = known.cards.get(operation)
            if card is not None and _is_seen(scope, name, card):
                told = {word: value for word, value in card.items() if word not in NOT_TOLD}
                return {"api": name, **told, **_reached(card, self._live.seen_by(scope), scope, name)}
        known_ones = [(name, known.cards) for name, known in (await self._known(scope, api)).items()]
        seen = [each for name, cards in known_ones for each, card in cards.items() if _is_seen(scope, name, card)]
        near = did_you_mean(operation, seen)
        message = f"no operation {operation} is known" + (f".{near}" if near else "")
        raise NotFoundError(message, "search for it: its name is METHOD /path")

    async def as_tools(self) -> tuple[int, int]:
        """How many operations are known of all APIs, and what they would cost as tools, in tokens, at least."""
        marks = await self._store.marks()
        for name, mark in marks.items():
            if name not in self._sizes or self._sizes[name].mark != mark:
                cards = await self._store.get(name)
                self._sizes[name] = _Size(mark, len(cards), sum(map(_tokens_of, cards)))
        sizes = [self._sizes[name] for name in marks]
        return sum(each.operations for each in sizes), sum(each.tokens for each in sizes)

    async def cards(self, operation: str, scope: AccessScope, api: str | None = None) -> dict[str, Card]:
        """What is known of an operation, by the APIs of `scope` that have one of this name."""
        known = await self._known(scope, api)
        return {name: each.cards[operation] for name, each in known.items() if operation in each.cards}

    async def is_there(self, scope: AccessScope) -> bool:
        """Whether anything is known that the caller may ask about. Asked at each list of tools: looked up once for each
        catalog, which is another one after a compile."""
        now = self._live.now
        if self._there is None or self._there[0] is not now:
            self._there = now, await self._store.apis()
        return bool(self._within(self._there[1], scope))

    async def _marks(self, scope: AccessScope, api: str | None) -> dict[str, str]:
        """The APIs that the caller may ask about, with the marks of their cards."""
        marks = await self._store.marks()
        return {name: marks[name] for name in self._within(marks, scope) if api in (None, name)}

    def _within(self, apis: Collection[str], scope: AccessScope) -> list[str]:
        """Those that the caller may ask about; of one whose targets are limited, those that have such."""
        served = self._live.seen_by(scope).by_api if scope.limits_targets else apis
        return [name for name in sorted(apis) if scope.admits_api(name) and name in served]

    async def _known(self, scope: AccessScope, api: str | None) -> dict[str, _Api]:
        """What is known of the APIs that the caller may ask about, by name."""
        marks = await self._marks(scope, api)
        async with self._reading:
            for name in marks:
                if name not in self._apis or self._apis[name].mark != marks[name]:
                    self._apis[name] = _read(name, marks[name], await self._store.get(name))
        return {name: self._apis[name] for name in marks}


def _read(api: str, mark: str, cards: Iterable[Card]) -> _Api:
    by_key = {str(card["operation"]): card for card in cards}
    return _Api(mark, by_key, Index(_findable(api, card) for card in by_key.values()))


def _tokens_of(card: Card) -> int:
    """Of the tool that would be this operation alone, less than it would be: a card has short texts and no deep
    members."""
    named = ((str(each["name"]), each) for each in card["takes"])
    properties = {name: {"type": each.get("type", ""), "description": each.get("text", "")} for name, each in named}
    schema = {"type": "object", "properties": properties}
    tool = {"name": card["operation"], "description": card["does"], "inputSchema": schema}
    return -(-len(orjson.dumps(tool)) // BYTES_A_TOKEN)


def _findable(api: str, card: Card) -> Findable:
    """The words of one operation, as those of a workflow are told: what it does first, its fields last."""
    method, _, path = str(card["operation"]).partition(" ")
    kind = WorkflowFacts(api, str(card["risk"]), _INTENTS.get(method, "act"), str(card["thing"]))
    fields = [*card["takes"], *card["tells"]]
    values = (str(value) for field in fields for value in field.get("values", ()))
    names = " ".join((*(str(field["name"]) for field in fields), *values))
    title = apart(f"{card['does']} {card['thing']}")
    return Findable(
        str(card["operation"]), kind, 0.0, f"{kind.intent}_{card['thing']}", title, apart(path), title, apart(names)
    )


def _is_seen(scope: AccessScope, api: str, card: Card) -> bool:
    """Whether the operation is within what the caller may reach: by one of its workflows, or by its class."""
    if not scope.workflows:
        return scope.admits(api, str(card["risk"]), "")
    return any(scope.admits(api, str(card["risk"]), str(workflow)) for workflow in card["workflows"])


def _line(api: str, card: Card, seen: Catalog) -> dict[str, Json]:
    line = {"operation": card["operation"], "api": api, "does": card["does"], "risk": card["risk"]}
    served = [entry.name for id in card["workflows"] if (entry := seen.by_workflow.get(str(id))) is not None]
    if served:
        return {**line, "workflows": served[:MOST_NAMED]}
    return {**line, "none_because": card.get("left_out") or "no workflow that uses it is approved"}


def _reached(card: Card, seen: Catalog, scope: AccessScope, api: str) -> dict[str, Json]:
    """Which workflows do it: those that are approved, and those that an approver may approve."""
    known = [str(workflow) for workflow in card["workflows"]]
    served = {id: entry for id in known if (entry := seen.by_workflow.get(id)) is not None}
    told: dict[str, Json] = {"workflows": [{"name": each.name, "risk": each.risk} for each in served.values()]}
    others = [id for id in known if id not in served and scope.admits(api, str(card["risk"]), id)]
    return {**told, "not_approved": others[:MOST_NAMED]} if others else told
