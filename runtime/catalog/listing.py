"""Which approved workflows are listed to an MCP client as tools of their own; the rest is found by search.

The budget is the caller's: all that they may call, of however many APIs, while it fits; otherwise what was marked core
when it was compiled (or all of an API that is small), shared among the APIs in turns. Half of the turns are dealt
alike, half by how often an API was used, and within an API rank and use decide. How often is counted when the server
starts, so that no list moves under a client. Targets do not count: another device must not hide a tool. Listed or not
is no right: whatever is approved is called alike. Called by `catalog`. Pure.
"""

import heapq
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from workflow.budget import BYTES_A_TOKEN, MOST_TOKENS, MOST_TOOLS, RESERVED_TOKENS, RESERVED_TOOLS

# What the lines about the APIs may take of the budget, and how many things each names.
MOST_LINES_PART = 6
MOST_THINGS = 4


@dataclass(frozen=True, slots=True)
class Budget:
    """How much tools/list may hold for one caller: tools, and tokens of their JSON."""

    tools: int = MOST_TOOLS
    tokens: int = MOST_TOKENS

    def without(self, tools: int, tokens: int) -> "Budget":
        """What is left where so much is taken."""
        return Budget(self.tools - tools, self.tokens - tokens)


DEFAULT = Budget()
# Tools and tokens for `call_api` and the two that tell what it can call; a test measures them.
FOR_EXPERTS = (3, 450)
UNBOUNDED = Budget(sys.maxsize, sys.maxsize)


@dataclass(frozen=True, slots=True)
class Candidate:
    """`tokens`: what the tool costs in tools/list; `thing`: what it is about, in an operator's words; `uses`: how often
    it was run."""

    name: str
    api: str
    is_core: bool
    rank: float
    tokens: int
    thing: str = ""
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """`names`: what is listed. `searched`: a line for each API on what search finds there; empty where it need not be
    told."""

    names: frozenset[str]
    searched: str = ""


class ApiPart:
    """The workflows of one API, and what is worked out of them once: a catalog of many APIs changes in one of them."""

    def __init__(self, ones: Iterable[Candidate]) -> None:
        self.ones = tuple(ones)
        self.uses = sum(one.uses for one in self.ones)
        self.most_used = max((one.uses for one in self.ones), default=0)
        self.tokens = sum(one.tokens for one in self.ones)
        self.least_tokens = min((one.tokens for one in self.ones), default=0)
        self._ordered: tuple[tuple[Budget, int], Sequence[tuple[float, Candidate]]] | None = None

    def ordered(self, budget: Budget, most: int) -> Sequence[tuple[float, Candidate]]:
        """What may be listed with its worth, the best first; `most`: how often the most used of all was run."""
        if self._ordered is None or self._ordered[0] != (budget, most):
            whole = _all_fit((self,), budget)
            able = [(one.rank + _used(one.uses, most), one) for one in self.ones if whole or one.is_core]
            self._ordered = (budget, most), sorted(able, key=lambda each: (-each[0], each[1].name))
        return self._ordered[1]

    @cached_property
    def things(self) -> Sequence[str]:
        """What it is about, the things of the highest rank alone."""
        ranked = sorted(self.ones, key=lambda one: (-one.rank, one.name))
        return list(dict.fromkeys(one.thing for one in ranked if one.thing))[:MOST_THINGS]


def listing_of(candidates: Iterable[Candidate], budget: Budget = DEFAULT) -> Listing:
    """What is listed, and what is told of the rest."""
    by_api: dict[str, list[Candidate]] = {}
    for one in candidates:
        by_api.setdefault(one.api, []).append(one)
    return listing_of_parts({api: ApiPart(ones) for api, ones in by_api.items()}, budget)


def listing_of_parts(parts: Mapping[str, ApiPart], budget: Budget) -> Listing:
    """What is listed of these APIs, and what is told of the rest."""
    if _all_fit(parts.values(), budget):
        return Listing(frozenset(one.name for part in parts.values() for one in part.ones))
    lines = _lines(parts, budget.tokens * BYTES_A_TOKEN // MOST_LINES_PART) if len(parts) > 1 else ""
    spent = RESERVED_TOKENS + -(-len(lines.encode()) // BYTES_A_TOKEN)
    least = min(part.least_tokens for part in parts.values())
    kept: set[str] = set()
    for one in _in_turns(parts, budget):
        if len(kept) >= budget.tools - RESERVED_TOOLS or spent + least > budget.tokens:
            break
        if spent + one.tokens <= budget.tokens:
            kept.add(one.name)
            spent += one.tokens
    return Listing(frozenset(kept), lines)


def _all_fit(parts: Iterable[ApiPart], budget: Budget) -> bool:
    counted = [(len(part.ones), part.tokens) for part in parts]
    spent = sum(tokens for _, tokens in counted)
    many = sum(number for number, _ in counted)
    return many <= budget.tools - RESERVED_TOOLS and spent <= budget.tokens - RESERVED_TOKENS


def _in_turns(parts: Mapping[str, ApiPart], budget: Budget) -> Iterator[Candidate]:
    """What may be listed, in the order in which it is taken while there is room."""
    total = sum(part.uses for part in parts.values()) or 1
    most = max(part.most_used for part in parts.values())
    shares = ((1 + len(parts) * part.uses / total, part) for part in parts.values())
    queues = (_turns(part.ordered(budget, most), share) for share, part in shares)
    return (turn[-1] for turn in heapq.merge(*queues, key=lambda turn: turn[:-1]))


def _turns(able: Sequence[tuple[float, Candidate]], share: float) -> Iterator[tuple[float, float, str, Candidate]]:
    return (((at + 1) / share, -worth, one.name, one) for at, (worth, one) in enumerate(able))


def _used(uses: int, most: int) -> float:
    """From 0 to 1, so that what is used most weighs as much as the highest rank."""
    return math.log1p(uses) / math.log1p(most) if most else 0.0


def _lines(parts: Mapping[str, ApiPart], most_bytes: int) -> str:
    """A line for each API: how many workflows, on which things. Shorter ones where they would take too much."""
    for things in (MOST_THINGS, 0):
        lines = [_line(api, parts[api], things) for api in sorted(parts)]
        if sum(len(line.encode()) + 2 for line in lines) <= most_bytes:
            return "; ".join(lines)
    shown, spent = [], 0
    for line in lines:
        spent += len(line.encode()) + 2
        if spent > most_bytes:
            break
        shown.append(line)
    return "; ".join((*shown, f"and {len(lines) - len(shown)} more APIs"))


def _line(api: str, part: ApiPart, things: int) -> str:
    named = part.things[:things]
    return f"{api} {len(part.ones)}" + (f" ({', '.join(named)})" if named else "")
