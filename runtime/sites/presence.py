"""What a hub knows of a site that has come: what it told of itself, when it was heard of, and how that is shown.

Facts alone, and what follows from them; told by the site's messages (`hear`) or by a row that another process of the
hub wrote (`shared_hub`). Here never lives who decides what is handed over (`hub`). Called by the hub, `fleet` and
`api.sites`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.driver.exchange import Flight
from runtime.driver.remote.definitions import MOST_TOOLS, UnfitDefinition
from runtime.driver.site_connections import Asked
from runtime.sites.contents import pin_of_site

Json = Any
Told = list[Mapping[str, Json]]


@dataclass(slots=True, eq=False)
class Dispatch:
    """One on its way. `handed_at`: of the loop's clock, None while it waits; `ended_at`: when the site was last told
    that its end is wanted. `waits`: why it waits for a person there."""

    asked: Asked
    flight: Flight
    answer: "asyncio.Future[Mapping[str, Json]]"
    handed_at: float | None = None
    ended_at: float = float("-inf")
    waits: str = ""

    @property
    def id(self) -> str:
        return self.asked.behalf.request

    @property
    def is_unwanted(self) -> bool:
        return self.asked.behalf.cancelled.is_set() and not self.answer.done()


@dataclass(slots=True)
class Presence:
    """What is known of a site that has come. `off_s`: by how much its clock differs, where that keeps it out.

    `left`: what it was handed and nobody here waits for any more: reads that were cancelled. `number`: of the newest
    message of its process. `counted`: how much is under way, where that stands in rows."""

    seen_at: float
    process: str = ""
    number: int = 0
    version: str = ""
    catalog: str = ""
    off_s: float = 0.0
    running: int = 0
    targets: tuple[Mapping[str, Json], ...] = ()
    workflows: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    told_catalog: str | None = None
    has_changed: bool = False
    polls: int = 0
    waiting: dict[str, Dispatch] = field(default_factory=dict)
    handed: dict[str, Dispatch] = field(default_factory=dict)
    left: dict[str, Dispatch] = field(default_factory=dict)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    counted: int | None = None

    @property
    def wants_workflows(self) -> bool:
        """Whether the site has others than it has told of."""
        return self.told_catalog != self.catalog

    @property
    def under_way(self) -> int:
        """What is on its way there, or is done there, for this hub."""
        return len(self.handed) + len(self.waiting) if self.counted is None else self.counted

    def hear(self, message: Mapping[str, Json]) -> None:
        """Takes what the site says of itself."""
        self.seen_at, self.off_s = asyncio.get_running_loop().time(), 0.0
        self.version, self.running = str(message["version"]), int(message["running"])
        self.catalog = str(message["catalog"])
        if message.get("targets") is not None:
            self.targets = tuple(message["targets"])
        if message.get("workflows") is not None:
            self.take_workflows(message["workflows"], self.catalog)

    def take_workflows(self, told: Told, catalog: str | None) -> None:
        """Takes what it has, when its catalog had this digest."""
        workflows, pins = {}, {}
        for each in told[:MOST_TOOLS]:
            try:
                pins[str(each.get("name"))] = pin_of_site(each)
            except UnfitDefinition:
                continue
            workflows[str(each.get("name"))] = each
        self.has_changed = self.has_changed or pins != dict(self.pins)
        self.workflows, self.pins, self.told_catalog = workflows, pins, catalog


@dataclass(frozen=True, slots=True)
class SiteState:
    """`why` nothing can be handed to it now, empty where it is well; `silent_s`: since when it said nothing."""

    name: str
    labels: Mapping[str, str]
    why: str
    silent_s: float | None
    known: Presence

    def to_json(self) -> dict[str, Json]:
        known = self.known
        return {
            "name": self.name,
            "labels": dict(self.labels),
            "is_well": not self.why,
            "why": self.why,
            "heard_of_s": None if self.silent_s is None else round(self.silent_s, 1),
            "version": known.version,
            "catalog": known.catalog,
            "workflows": sorted(known.pins),
            "running": known.running,
            "under_way": known.under_way,
        }
