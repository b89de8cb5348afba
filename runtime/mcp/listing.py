"""Which approved workflows are listed to MCP clients as tools of their own; the rest is found by search.

For each API by itself: all of them while they fit in its default catalog (`workflow.budget`), otherwise those that
were marked core when they were compiled, highest rank first, as far as they fit. Marks come from several compiles, so
that together they may be too many. Targets do not count: another device must not hide a tool. Listed or not is no
right: whatever is approved is called alike. DESIGN.md, "Budget". Called by `catalog`. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from workflow.budget import MOST_TOKENS, MOST_TOOLS, RESERVED_TOKENS, RESERVED_TOOLS


@dataclass(frozen=True, slots=True)
class Candidate:
    """`tokens`: what the tool costs in tools/list."""

    name: str
    api: str
    is_core: bool
    rank: float
    tokens: int


def listed_names(candidates: Iterable[Candidate], *, lists_all: bool = False) -> frozenset[str]:
    """The names that are listed."""
    by_api: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_api.setdefault(candidate.api, []).append(candidate)
    chosen = [ones if lists_all or _all_fit(ones) else _core(ones) for ones in by_api.values()]
    return frozenset(one.name for ones in chosen for one in ones)


def _all_fit(ones: list[Candidate]) -> bool:
    return len(ones) <= MOST_TOOLS - RESERVED_TOOLS and sum(one.tokens for one in ones) <= MOST_TOKENS - RESERVED_TOKENS


def _core(ones: list[Candidate]) -> list[Candidate]:
    kept: list[Candidate] = []
    spent = RESERVED_TOKENS
    for one in sorted(ones, key=lambda each: (-each.rank, each.name)):
        if one.is_core and len(kept) < MOST_TOOLS - RESERVED_TOOLS and spent + one.tokens <= MOST_TOKENS:
            kept.append(one)
            spent += one.tokens
    return kept
