"""Many simulated sites in one process: invited over the hub's REST API, joined, and kept until told to end.

Called by `site simulate` and by tests. What one of them is: `simulated`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.sites.asking import asked
from runtime.sites.edge import SiteEdge
from runtime.sites.joining import JoiningTerms, join
from runtime.sites.membership import Membership
from runtime.sites.simulated import SimulatedWorks, labels_of

Json = Any


@dataclass(frozen=True, slots=True)
class Simulated:
    membership: Membership
    works: SimulatedWorks


async def joined(url: str, tls: str, token: str, count: int, seed: int, prefix: str, pause_s: float) -> list[Simulated]:
    """Raises TargetError, GovernanceError."""
    found = []
    for number in range(1, count + 1):
        wish = {"name": f"{prefix}-{number:03}", "labels": labels_of(number, seed)}
        invited = await asked(url, tls, token, "POST", "/sites", wish)
        membership = await join(invited["invitation"], url, tls, JoiningTerms())
        found.append(Simulated(membership, SimulatedWorks(number, seed, pause_s)))
    return found


async def simulate(
    url: str, tls: str, token: str, count: int, seed: int, prefix: str, pause_s: float, announce: Callable[[int], None]
) -> None:
    """Until cancelled. Raises as `joined`."""
    sites = await joined(url, tls, token, count, seed, prefix, pause_s)
    announce(len(sites))
    await asyncio.gather(*(SiteEdge(each.membership, each.works).watch() for each in sites))
