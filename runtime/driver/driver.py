"""From the interpreter's commands to a device and back: what became of a request is told as an event.

An answer, or not sent, or fate unknown, or not to be read, or refused. Time limits are totals on a monotonic clock.
Nothing but what the package names is used outside of it. Called by `engines` and by `diagnosis`.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.driver.attempt import RequestAttempt
from runtime.driver.credentials.sessions import DeviceSession
from runtime.driver.device_connection import DeviceConnection
from runtime.driver.endpoint import DeviceEndpoint, Place
from runtime.driver.leases import Leases
from runtime.driver.retry import Retry
from runtime.driver.site_connections import Sites
from runtime.driver.wire import WireReply
from runtime.driver.witness import Witness
from runtime.errors import TargetError
from runtime.secrets import Vault
from workflow.requests.events import RequestFailed, ResponseArrived, SendRequest

log = logging.getLogger("switchgear.driver")
Event = ResponseArrived | RequestFailed
LOGOUT_TIMEOUT_S = 5.0


class Driver:
    """Sends requests to targets. One object for a process; `aclose` logs out everywhere."""

    def __init__(self, vault: Vault, leases: Leases | None = None, sites: Sites | None = None) -> None:
        """`leases`: places at devices that other processes count, too. `sites`: where sites come to, if they do."""
        self._vault = vault
        self._leases = leases or Leases()
        self._sites = sites
        self._lines: dict[Place, DeviceConnection] = {}

    async def send(self, command: SendRequest, endpoint: DeviceEndpoint, deadline: float, witness: Witness) -> Event:
        """What became of `command` by `deadline` (of the loop's clock) or the step's own limit, retries included."""
        outcome = await self.ask(command, endpoint, deadline, witness)
        if isinstance(outcome, WireReply):
            return ResponseArrived(command.step_id, outcome.status, outcome.joined_headers(), outcome.body)
        message = self._vault.redact("; ".join(part for part in (outcome.message, outcome.remedy) if part))
        return RequestFailed(command.step_id, outcome.reason, message)  # type: ignore[arg-type]

    async def ask(
        self, command: SendRequest, endpoint: DeviceEndpoint, deadline: float, witness: Witness
    ) -> WireReply | TargetError:
        """As `send`, in the driver's own words: the reply, or the error that says what to do about it."""
        limit = command.timeout_s or endpoint.limits.total_timeout_s
        deadline = min(deadline, asyncio.get_running_loop().time() + limit)
        line = self._line(endpoint)
        return await Retry(RequestAttempt(line, endpoint, deadline, witness, self._vault), command).outcome()

    async def listed(self, endpoint: DeviceEndpoint) -> tuple[Mapping[str, Any], ...]:
        """The tools of an MCP server, or a site's workflows, as it tells of them. Raises TargetError."""
        line = self._line(endpoint)
        if endpoint.remote is not None and endpoint.remote.server.is_site:
            return line.sites_for(endpoint).told(endpoint.name)
        return tuple((await (await line.remote(endpoint, self._vault)).listed()).values())

    def _line(self, endpoint: DeviceEndpoint) -> DeviceConnection:
        return self._lines.setdefault(endpoint.place, DeviceConnection(self._leases, self._sites))

    def changed_servers(self) -> frozenset[str]:
        """The MCP servers that were found to have other tools than before, each told of once."""
        changed = frozenset(host for (_, host, _), line in self._lines.items() if line.has_changed_tools)
        return changed | (self._sites.take_changed() if self._sites else frozenset())

    def states(self) -> tuple["DeviceState", ...]:
        """How it stands with each device that was spoken to."""
        now = asyncio.get_running_loop().time()
        return tuple(_state(f"{host}:{port}", line, now) for (_, host, port), line in sorted(self._lines.items()))

    async def aclose(self, witness: Witness) -> None:
        """Closes every session and connection. A device that does not answer is left alone after a few seconds."""
        lines, self._lines = list(self._lines.values()), {}
        ends = await asyncio.gather(*(self._hang_up(line, witness) for line in lines), return_exceptions=True)
        await self._leases.aclose()
        for error in ends:
            if error is not None:
                raise error  # of one device: the others were seen to

    async def _hang_up(self, line: DeviceConnection, witness: Witness) -> None:
        for logins in line.all_logins:
            for endpoint, session in logins.held:
                await self._log_out(line, endpoint, session, witness)
        await line.aclose()

    async def _log_out(
        self, line: DeviceConnection, endpoint: DeviceEndpoint, session: DeviceSession, witness: Witness
    ) -> None:
        rule = endpoint.profile.auth.session
        assert rule is not None, "a session was opened by a rule"
        deadline = asyncio.get_running_loop().time() + LOGOUT_TIMEOUT_S
        try:
            await RequestAttempt(line, endpoint, deadline, witness, self._vault).log_out(rule, session)
        except (TargetError, TimeoutError) as error:
            log.warning("the session on %s was not closed: %s", endpoint.name, error)


def _state(device: str, line: DeviceConnection, now: float) -> "DeviceState":
    rests_s = line.breaker.rests_for(now)
    return DeviceState(
        device=device, inside=line.gate.inside, waiting=line.gate.waiting, is_resting=rests_s > 0, rests_s=rests_s,
        failures=line.breaker.failures, why=line.breaker.why, sessions=line.sessions, is_full=line.is_full,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeviceState:
    """`inside` and `waiting`: how many requests are under way and in line; `is_resting`: it is left in peace, for
    `rests_s` more, since `failures` in a row failed, the last one because of `why`. `sessions`: how many are open;
    `is_full`: it opened none a moment ago.
    """

    device: str
    inside: int
    waiting: int
    is_resting: bool
    rests_s: float
    failures: int
    why: str
    sessions: int
    is_full: bool
