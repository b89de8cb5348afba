"""Which approved workflows are listed to an MCP client as tools of their own; the rest is found by search.

The budget is the caller's: all that they may call, of however many APIs, while it fits; otherwise what was marked core
when it was compiled (or all of an API that is small), shared among the APIs in turns. Half of the turns are dealt
alike, half by how often an API was used, and within an API rank and use decide. How often is counted when the server
starts, so that no list moves under a client. Targets do not count: another device must not hide a tool. Listed or not
is no right: whatever is approved is called alike. Called by `catalog`. Pure.
"""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workflow.budget import BYTES_A_TOKEN, MOST_TOKENS, MOST_TOOLS, RESERVED_TOKENS, RESERVED_TOOLS

# What the lines about the APIs may take of the budget, and how many things each names.
MOST_LINES_PART = 6
MOST_THINGS = 4


@dataclass(frozen=True, slots=True)
class Budget:
    """How much tools/list may hold for one caller: tools, and tokens of their JSON."""

    tools: int = MOST_TOOLS
    tokens: int = MOST_TOKENS


DEFAULT = Budget()
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


def listing_of(candidates: Iterable[Candidate], budget: Budget = DEFAULT) -> Listing:
    """What is listed, and what is told of the rest."""
    ones = list(candidates)
    by_api: dict[str, list[Candidate]] = {}
    for one in ones:
        by_api.setdefault(one.api, []).append(one)
    if _all_fit(ones, budget):
        return Listing(frozenset(one.name for one in ones))
    lines = _lines(by_api, budget.tokens * BYTES_A_TOKEN // MOST_LINES_PART) if len(by_api) > 1 else ""
    spent = RESERVED_TOKENS + -(-len(lines.encode()) // BYTES_A_TOKEN)
    kept: set[str] = set()
    for one in _in_turns(by_api, budget):
        if len(kept) < budget.tools - RESERVED_TOOLS and spent + one.tokens <= budget.tokens:
            kept.add(one.name)
            spent += one.tokens
    return Listing(frozenset(kept), lines)


def _all_fit(ones: Sequence[Candidate], budget: Budget) -> bool:
    spent = sum(one.tokens for one in ones)
    return len(ones) <= budget.tools - RESERVED_TOOLS and spent <= budget.tokens - RESERVED_TOKENS


def _in_turns(by_api: Mapping[str, Sequence[Candidate]], budget: Budget) -> list[Candidate]:
    """What may be listed, in the order in which it is taken while there is room."""
    uses = {api: sum(one.uses for one in ones) for api, ones in by_api.items()}
    total, most = sum(uses.values()) or 1, max((one.uses for ones in by_api.values() for one in ones), default=0)
    turns: list[tuple[float, float, str, Candidate]] = []
    for api, ones in by_api.items():
        share = 1 + len(by_api) * uses[api] / total
        whole = _all_fit(ones, budget)
        worths = {one.name: one.rank + _used(one.uses, most) for one in ones if whole or one.is_core}
        able = sorted((one for one in ones if one.name in worths), key=lambda one: (-worths[one.name], one.name))
        turns += [((at + 1) / share, -worths[one.name], one.name, one) for at, one in enumerate(able)]
    return [turn[-1] for turn in sorted(turns, key=lambda turn: turn[:-1])]


def _used(uses: int, most: int) -> float:
    """From 0 to 1, so that what is used most weighs as much as the highest rank."""
    return math.log1p(uses) / math.log1p(most) if most else 0.0


def _lines(by_api: Mapping[str, Sequence[Candidate]], most_bytes: int) -> str:
    """A line for each API: how many workflows, on which things. Shorter ones where they would take too much."""
    for things in (MOST_THINGS, 0):
        lines = [_line(api, by_api[api], things) for api in sorted(by_api)]
        if sum(len(line.encode()) + 2 for line in lines) <= most_bytes:
            return "; ".join(lines)
    shown, spent = [], 0
    for line in lines:
        spent += len(line.encode()) + 2
        if spent > most_bytes:
            break
        shown.append(line)
    return "; ".join((*shown, f"and {len(lines) - len(shown)} more APIs"))


def _line(api: str, ones: Sequence[Candidate], things: int) -> str:
    ranked = sorted(ones, key=lambda one: (-one.rank, one.name))
    named = list(dict.fromkeys(one.thing for one in ranked if one.thing))[:things]
    return f"{api} {len(ones)}" + (f" ({', '.join(named)})" if named else "")
