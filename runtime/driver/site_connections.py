"""A request of an approved step as a dispatch to a site, and the site's answer as a reply.

What `exchange` is for devices and `remote.connections` for MCP servers: the same port. What the site told last of the
workflow has to be what was approved here, to the byte, and the site holds it against what it has at that moment; what
was not handed over was not sent. A site that refused has begun nothing; one that says that a fate is unknown is
believed, and so is what it says of any other end, which `sites.contents` reads off the reply. Called by
`device_connection` and `attempt`; how a dispatch comes to a site is `runtime.sites.hub`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from runtime.driver.behalf import BEHALF, Behalf
from runtime.driver.endpoint import Remote
from runtime.driver.exchange import Flight
from runtime.driver.remote.definitions import TOOLS
from runtime.driver.wire import WireReply, WireRequest
from runtime.errors import BadReply, FateUnknown, Refused

Json = Any
# Of what did not succeed at a site: something was, or may have been, changed there; and nothing was.
CHANGED, UNCHANGED = 207, 422


@dataclass(frozen=True, slots=True)
class Asked:
    """What a site is to do: its own `workflow`, as pinned, with these inputs."""

    workflow: str
    pin: str
    inputs: Mapping[str, Json]
    behalf: Behalf


class Sites(Protocol):
    """Where sites come to. Implemented by `runtime.sites.hub`."""

    def pins(self, site: str) -> Mapping[str, str]:
        """What it told last, by the names of its workflows. Raises NotSent where it is not there."""

    def told(self, site: str) -> tuple[Mapping[str, Json], ...]:
        """The same in full. Raises NotSent."""

    async def wait_for(self, site: str) -> None:
        """Returns when it is there, or has not come for as long as nothing is heard of one that is lost."""

    async def send(self, site: str, asked: Asked, flight: Flight) -> Mapping[str, Json]:
        """The site's answer; `flight` is told when the dispatch was handed over. Raises NotSent, FateUnknown."""

    def note_change(self, site: str) -> None:
        """What it has is not what was approved: somebody has to look."""

    def take_changed(self) -> frozenset[str]:
        """The sites that have other workflows than before, each told of once."""


@dataclass(frozen=True, slots=True)
class SiteConnections:
    sites: Sites
    remote: Remote

    async def over(self, wire: WireRequest, origin: str, name: str, flight: Flight, max_body_bytes: int) -> WireReply:  # noqa: ARG002  as `exchange` has it
        """The reply to `wire`. `name` is the site. Raises TargetError."""
        flight.is_kept = True
        path, behalf = wire.target.decode(), BEHALF.get()
        if behalf is None:
            raise Refused(f"{name} is a site, and nobody asks", "run one of its workflows")
        workflow, pin = path.removeprefix(TOOLS), dict(self.remote.pins).get(path, "")
        if behalf.is_again:
            await self.sites.wait_for(name)
        else:
            self._check(workflow, pin, name)
        inputs = orjson.loads(wire.body) if wire.body else {}
        answer = await self.sites.send(name, Asked(workflow, pin, inputs, behalf), flight)
        if behalf.is_again and answer.get("outcome") == "refused":  # which knows by the id that it was not begun
            return WireReply(409, (), {"message": f"refused: {answer.get('message', '')}"})
        return _reply(answer, name, max_body_bytes)

    def _check(self, workflow: str, pin: str, name: str) -> None:
        """Raises Refused for a workflow that is not as it was approved here."""
        told = self.sites.pins(name).get(workflow)
        if told == pin:
            return
        self.sites.note_change(name)
        if told is None:
            raise Refused(f"{name} has no workflow {workflow} any more: nothing was sent", "ask whoever runs that site")
        remedy = "it waits for an approver: see `switchgear workflows list --state pending`"
        raise Refused(f"{name} has another workflow {workflow} than was approved here: nothing was sent", remedy)


def _reply(answer: Mapping[str, Json], name: str, max_body_bytes: int) -> WireReply:
    outcome, message = str(answer.get("outcome")), str(answer.get("message", ""))
    run = {"site_run": answer.get("run_id"), "ended": outcome}
    if outcome in ("succeeded", "pending"):
        outputs = answer.get("outputs")
        if not isinstance(outputs, Mapping):
            raise BadReply(f"{name}: the answer holds no outputs")
        if len(orjson.dumps(outputs)) > max_body_bytes:
            raise BadReply(f"{name}: the outputs are larger than {max_body_bytes} bytes")
        return WireReply(200, (), {"outputs": dict(outputs), "note": message, **run})
    if outcome == "refused":
        told = f"{name} refused: {message.rstrip('.')}. Nothing was begun there"
        raise Refused(told, str(answer.get("remedy", "")))
    if outcome in ("failed", "partial", "cancelled"):
        has_changed = outcome == "partial" or answer.get("has_changed", True)
        return WireReply(CHANGED if has_changed else UNCHANGED, (), {"message": message, **run})
    raise FateUnknown(f"{name} says that it is not known: {message}", "look there before asking again")
