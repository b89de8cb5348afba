"""Sessions behind one door: who is logged in, who waits for it, what was refused, and whether there are sessions.

Whoever comes first logs in for all who wait. A refused login is not tried again for a while, since devices lock
accounts. Where the profile says that an answer to the login means «no sessions here», the next of its kinds is used for
a while. State only: requests are made by `journey`, their form by `runtime.driver.sessions`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from runtime.driver.endpoint import Endpoint
from runtime.driver.sessions import NoSessions, Session
from runtime.errors import Refused
from workflow.profile import SessionRule

# Devices lock an account after a few wrong logins; a wrong password is not tried again and again.
REFUSED_LOGIN_S = 30.0
# Whether a device has sessions changes with its firmware, or while it starts; one login in ten minutes disturbs nobody.
SESSIONLESS_S = 600.0


@dataclass(slots=True)
class Logins:
    held: list[tuple[Endpoint, Session]] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _refusal: tuple[float, Refused] | None = None

    def session(self, rule: SessionRule) -> Session | None:
        """The open session, if any; profiles of different versions that log in alike share it."""
        return next((session for opener, session in self.held if opener.profile.auth.session == rule), None)

    async def fresh(
        self, rule: SessionRule, old: Session | None, endpoint: Endpoint, log_in: Callable[[], Awaitable[Session]]
    ) -> Session:
        """A session that is not `old`. Raises NotSent or Refused, NoSessions among them."""
        async with self._lock:
            held = self.session(rule)
            if held is not None and held is not old:
                return held
            self.held = [(opener, each) for opener, each in self.held if each is not held]
            self.check()
            try:
                session = await log_in()
            except Refused as error:
                self.refused(error)
                raise
            self.held.append((endpoint, session))
            return session

    def check(self) -> None:
        """Raises what was refused a moment ago."""
        if self._refusal is not None and asyncio.get_running_loop().time() < self._refusal[0]:
            raise self._refusal[1]

    def refused(self, error: Refused) -> None:
        """From now on, for a while, whoever wants in gets this answer without a request."""
        seconds = SESSIONLESS_S if isinstance(error, NoSessions) else REFUSED_LOGIN_S
        self._refusal = (asyncio.get_running_loop().time() + seconds, error)
