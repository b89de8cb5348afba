"""Logging in: how often it may be tried, whether the password fits, and what is written down of either.

Tries are counted by name, by address and by both together, each in a bucket that fills again, so that nobody guesses
fast and nobody is locked out for ever: who comes from another address than the one that guesses is not held up by it.
A try that succeeds is given back. What fails is recorded, boundedly (`refusals`). Whatever was wrong, one answer.
Here never lives a cookie or a route (`api.login`).
"""

from ipaddress import IPv6Address, ip_address, ip_network

from governance.people.sessions import Session, SessionStore
from governance.people.users import UserStore
from runtime.admission.rates import Rates
from runtime.auth.refusals import Refusals
from runtime.observing import lines
from runtime.problems import Problem

# How many at once, and one more each so many seconds: a person mistypes a few times, a guesser gets nowhere.
PER_NAME_AND_ADDRESS = (5, 30)
# An address may be a whole company behind one router.
PER_ADDRESS = (20, 3)
# From many addresses together; it takes a hundred machines to keep one person waiting.
PER_NAME = (100, 2)
LONGEST_NAME = 64


class Login:
    def __init__(self, users: UserStore, sessions: SessionStore, refusals: Refusals) -> None:
        self._users = users
        self._sessions = sessions
        self._refusals = refusals
        both, address, name = (Rates(1 / every_s, most=most) for most, every_s in _LIMITS)
        self._buckets = {"address": address, "both": both, "name": name}

    async def log_in(self, name: str, password: str, address: str) -> tuple[Session, str]:
        """A new session and its secret. Raises Problem: 401 whatever was wrong, 429 for too many tries."""
        await self.check(name, password, address)
        opened = await self._sessions.open(name, address=address)
        lines.say("login", caller=name, outcome="succeeded")
        return opened

    async def check(self, name: str, password: str, address: str) -> None:
        """Raises Problem like `log_in` unless the password is this user's."""
        keys = {"address": _network(address), "both": f"{_network(address)} {name}", "name": name}
        self._count(keys)
        if await self._users.check(name, password) is None:
            known = name if await self._users.is_known(name) else "unknown"
            lines.say("login", caller=known, outcome="failed")
            await self._refusals.note("login.failed", f"login:{known}", {"address": address})
            detail = "Name and password do not fit, or this user cannot log in."
            raise Problem(401, "not logged in", detail, "", (("www-authenticate", 'Login realm="switchgear"'),))
        for kind, key in keys.items():
            self._buckets[kind].give_back(key)

    def _count(self, keys: dict[str, str]) -> None:
        for kind, key in keys.items():
            wait_s = self._buckets[kind].wait_s(key)
            if wait_s:
                detail = "Logging in was tried too often in too short a time."
                raise Problem(429, "too many tries", detail, f"wait {wait_s} s", (("retry-after", str(wait_s)),))


_LIMITS = (PER_NAME_AND_ADDRESS, PER_ADDRESS, PER_NAME)


def _network(address: str) -> str:
    """The address, or of IPv6 what one customer has: whoever has one address there has very many."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
