"""Sites that are none: they join a hub and speak to it as sites do, and what they do is made up from a seed.

For trying a hub, and testing it, with a hundred of them in one process. Each has a few workflows over things that it
keeps in memory, with facts that follow from the seed and its number; which dispatches it carried out, and how often,
it remembers, so that a test can ask whether anything ran twice. Called by `site simulate`. Here never lives a device.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.sites.edge import Dispatched, Offer, Standing
from workflow.json.canonical import digest
from workflow.risks import RiskName

Json = Any
REGIONS = ("north", "south", "east", "west")
TIERS = ("edge", "core")
_ROOM = {"type": "string", "description": "Which room."}
_INPUTS = {"type": "object", "properties": {"room": _ROOM}, "required": ["room"], "additionalProperties": False}
_LEVEL = {"type": "integer", "minimum": 0, "maximum": 100}
_OUTPUTS = {
    "type": "object",
    "properties": {"room": {"type": "string"}, "level": _LEVEL},
    "required": ["room", "level"],
}
ROOMS = ("hall", "plant", "roof")


def labels_of(number: int, seed: int) -> dict[str, str]:
    """The labels that the site of this number is invited with."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311  it is for trying
    return {"region": chance.choice(REGIONS), "tier": chance.choice(TIERS)}


@dataclass(slots=True)
class SimulatedWorks:
    """`done`: how often each dispatch that changes something was carried out. `pause_s`: how long each takes."""

    number: int
    seed: int
    pause_s: float = 0.0
    edition: int = 1
    levels: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    answers: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    _offer: Offer | None = None

    def __post_init__(self) -> None:
        chance = random.Random(f"{self.seed} {self.number} levels")  # noqa: S311  likewise
        self.levels = {room: chance.randrange(101) for room in ROOMS}

    def alter(self) -> None:
        """From now on its workflows are other ones."""
        self.edition += 1
        self._offer = None

    async def offer(self) -> Offer:
        if self._offer is None:
            told = tuple(self._told(*each) for each in _WORKFLOWS)
            targets = ({"name": f"plc-{self.number}", "api": "rooms", "labels": labels_of(self.number, self.seed)},)
            self._offer = Offer(digest([dict(each) for each in told]), told, targets)
        return self._offer

    def _told(self, name: str, title: str, risk: RiskName, inputs: Json) -> Mapping[str, Json]:
        about = {"name": name, "title": title, "description": f"{title}, at a site that is simulated.", "risk": risk}
        more = {"inputSchema": inputs, "outputSchema": _OUTPUTS, "annotations": {}, "shown": list(inputs["properties"])}
        return {**about, **more, "digest": digest([name, self.edition])}

    async def carry_out(self, wanted: Dispatched, at: Standing) -> Mapping[str, Json]:
        known = self.answers.get(wanted.id)
        if known is not None:
            return known
        told = next((each for each in (await self.offer()).workflows if each["name"] == wanted.workflow), None)
        if told is None or digest(dict(told)) != wanted.pin:
            return {"outcome": "refused", "message": "it is another workflow now than the hub was told."}
        room = wanted.inputs.get("room")
        if room not in self.levels:
            return {"outcome": "refused", "message": f"there is no room {room}."}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.pause_s):
                await at.cancelled.wait()
                return {"outcome": "cancelled", "has_changed": False, "message": "it was cancelled before it began."}
        if told["risk"] != "read":
            self.done[wanted.id] += 1
            self.levels[room] = int(wanted.inputs["level"])
        answer = {"outcome": "succeeded", "run_id": f"sim-{wanted.id}"}
        kept = {**answer, "outputs": {"room": room, "level": self.levels[room]}, "message": ""}
        if told["risk"] != "read":
            self.answers[wanted.id] = kept
        return kept


_CHANGE = {**_INPUTS, "properties": {"room": _ROOM, "level": _LEVEL}, "required": ["room", "level"]}
_WORKFLOWS: tuple[tuple[str, str, RiskName, Json], ...] = (
    ("rooms_read_level", "Read the level of a room", "read", _INPUTS),
    ("rooms_set_level", "Set the level of a room", "change", _CHANGE),
)
