"""A request of an approved step as the call of an MCP server's tool, and its result as a reply.

What `exchange` is for devices: the same port, so that places, time limits, records, plans and fates hold for both.
Before each call the server is asked for its tools, and what it says of this one has to be what was approved, to the
byte; else nothing is sent. From then on the call may have been carried out. Called by `device_connection` and
`attempt`; the session with the server is `session`'s, what a result becomes is `results`'. MCP
2025-11-25, "Tools".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from runtime.driver.endpoint import Remote
from runtime.driver.exchange import Flight
from runtime.driver.remote.definitions import TOOLS, UnfitDefinition, pin_of
from runtime.driver.remote.results import body_of
from runtime.driver.wire import WireReply, WireRequest
from runtime.errors import Refused

if TYPE_CHECKING:
    from runtime.driver.remote.session import RemoteSession

Json = Any


@dataclass(frozen=True, slots=True)
class RemoteConnections:
    session: "RemoteSession"
    remote: Remote

    async def over(self, wire: WireRequest, origin: str, name: str, flight: Flight, max_body_bytes: int) -> WireReply:  # noqa: ARG002  as `exchange` has it
        """The reply to `wire`. `name` is how messages call the server. Raises TargetError."""
        path = wire.target.decode()
        tool = path.removeprefix(TOOLS)
        self._check(tool, path, name, (await self.session.listed()).get(tool))
        flight.may_have_left = flight.is_kept = True
        answer = await self.session.call(tool, orjson.loads(wire.body) if wire.body else {})
        if answer.status != 200:
            return WireReply(answer.status, (), {"message": answer.message})
        return WireReply(200, (), body_of(answer.result, name, max_body_bytes))

    def _check(self, tool: str, path: str, name: str, sent: Mapping[str, Json] | None) -> None:
        """Raises Refused for a tool that is not as it was approved."""
        remedy = "it waits for an approver: see `switchgear workflows list --state pending`"
        if sent is None:
            self.session.note_change()
            raise Refused(f"{name} has no tool {tool} any more: nothing was sent", "ask whoever runs that server")
        try:
            is_same = pin_of(sent) == dict(self.remote.pins).get(path)
        except UnfitDefinition:
            is_same = False
        if not is_same:
            self.session.note_change()
            raise Refused(f"{name} says something else of its tool {tool} than was approved: nothing was sent", remedy)
