"""A target as one approved workflow wants to speak to it: address, trust, credentials and limits.

What two endpoints share follows from here: connections, places and the breaker belong to an address, sessions to
whoever logs in there. Pure values. Made by `catalog` from a target and the profile of a revision; read by `driver`.
"""

from dataclasses import dataclass
from typing import Literal

from governance.registry.responses import Policy
from governance.registry.servers import Server
from runtime.driver.credentials.sessions import References
from runtime.driver.wire import Address
from workflow.profiles.profile import Limits, Profile

# What several endpoints of one address have in common.
Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Remote:
    """An MCP server, and which definition of which tool was approved: digests by the paths of `remotes.contents`."""

    server: Server
    pins: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceEndpoint:
    """`profile` is the one that the workflow was approved with; `own_limits` wins over the profile's limits.

    `responses`: what is done about replies that are not as described; empty: what the setting says. `remote`: where
    requests go to an MCP server as calls of its tools.
    """

    name: str
    address: Address
    tls: str
    references: References
    profile: Profile
    own_limits: Limits | None = None
    responses: Policy | Literal[""] = ""
    remote: Remote | None = None

    @property
    def limits(self) -> Limits:
        return self.own_limits or self.profile.limits

    @property
    def is_asked_by_id(self) -> bool:
        """Whether a request may be made again under its id (`behalf`): a site does it once, whatever it knows."""
        return self.remote is not None and self.remote.server.is_site

    @property
    def place(self) -> Place:
        """The device behind it, as far as an address tells."""
        return (self.address.scheme, self.address.host, self.address.port)

    @property
    def door(self) -> tuple[Place, str, References]:
        """Who speaks to whom: a session opened here is shown nowhere else."""
        return (self.place, self.tls, self.references)
