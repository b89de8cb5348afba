"""Sessions behind one door: who is logged in, who waits for it, what was refused, and whether there are sessions.

Whoever comes first logs in for all who wait. A refused login is not tried again for a while, since devices lock
accounts. Where the profile says that an answer to the login means «no sessions here», the next of its kinds is used for
a while; where it means «none left now», for a shorter one. State only: requests are made by `admission`, their form by
`runtime.driver.credentials.sessions`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from runtime.driver.credentials.sessions import DeviceSession, NoSessions
from runtime.driver.endpoint import DeviceEndpoint
from runtime.errors import NotAdmitted, Refused
from workflow.profiles.profile_speech import SessionRule

# Devices lock an account after a few wrong logins; a wrong password is not tried again and again.
REFUSED_LOGIN_S = 30.0
# Whether a device has sessions changes with its firmware, or while it starts; one login in ten minutes disturbs nobody.
SESSIONLESS_S = 600.0
# Somebody logs out, or a restarted web server is there: most of it is over in seconds.
ADMISSION_PAUSES_S = (1.0, 2.0, 4.0)
# A device that stayed full through these pauses: one login in ten seconds finds out, and for a minute nobody waits.
FULL_S, IMPATIENT_S = 10.0, 60.0
# A new session that was answered like the old one: the device says something else by it.
IN_VAIN_S = 30.0


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class Logins:
    held: list[tuple[DeviceEndpoint, DeviceSession]] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _refusal: tuple[float, Refused | NotAdmitted] | None = None
    _impatient_until: float = 0.0
    _in_vain_until: float = 0.0

    def session(self, rule: SessionRule) -> DeviceSession | None:
        """The open session, if any; profiles of different versions that log in alike share it."""
        return next((session for opener, session in self.held if opener.profile.auth.session == rule), None)

    async def fresh(
        self,
        rule: SessionRule,
        old: DeviceSession | None,
        endpoint: DeviceEndpoint,
        log_in: Callable[[], Awaitable[DeviceSession]],
    ) -> DeviceSession:
        """A session that is not `old`. Raises NotSent or Refused, NotAdmitted and NoSessions among them."""
        async with self._lock:
            held = self.session(rule)
            if held is not None and held is not old:
                return held
            self.held = [(opener, each) for opener, each in self.held if each is not held]
            self.check()
            try:
                session = await log_in()
            except (Refused, NotAdmitted) as error:
                self.refused(error)
                raise
            self.keep(endpoint, session)
            return session

    def keep(self, endpoint: DeviceEndpoint, session: DeviceSession) -> None:
        """`session` is open: it is used, and closed at the end."""
        self.held.append((endpoint, session))
        self._impatient_until = 0.0

    def check(self) -> None:
        """Raises what was refused a moment ago."""
        if self._refusal is not None and _now() < self._refusal[0]:
            raise self._refusal[1]

    def refused(self, error: Refused | NotAdmitted) -> None:
        """From now on, for a while, whoever wants in gets this answer without a request."""
        seconds = SESSIONLESS_S if isinstance(error, NoSessions) else REFUSED_LOGIN_S
        if isinstance(error, NotAdmitted):
            # Those who wait behind a login share its answer, and are back before anybody else tries.
            seconds = FULL_S if self.is_known_full else 0.9 * ADMISSION_PAUSES_S[0]
        self._refusal = (_now() + seconds, error)

    @property
    def is_known_full(self) -> bool:
        """Whether the device has opened no session through all pauses, a moment ago."""
        return _now() < self._impatient_until

    def stayed_full(self, error: NotAdmitted) -> None:
        """The pauses did not help: for a while nobody waits for a session here."""
        self._impatient_until = _now() + IMPATIENT_S
        self.refused(error)

    @property
    def is_renewed_in_vain(self) -> bool:
        """Whether a new session did not help a moment ago: then another one would not."""
        return _now() < self._in_vain_until

    def was_renewed(self, *, has_helped: bool) -> None:
        """A request was answered under a new session."""
        self._in_vain_until = 0.0 if has_helped else _now() + IN_VAIN_S
