"""Sites that may come: whom an admin has invited, and who has joined with which key. A site is a target.

An invitation is a secret that counts once and for a while; kept of it is its SHA-256. Whoever joins with it gives the
public key by which the site is known from then on; a second use, a late one and a wrong one look alike. The row is the
target's (`governance.registry.targets`), so that it counts only as the audit says, and removing it shuts the site out.
Here never lives a private key, a signature or a connection (`runtime.sites`). Called by `site invite` and `api.sites`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.errors import ConflictError, InvalidError, NotFoundError, RefusedError, StaleError
from governance.registry.server_files import server_target
from governance.registry.servers import Server
from governance.registry.targets import Target, TargetStore
from governance.storage.database import Database
from governance.storage.identifiers import moment

SECRET_BYTES = 32
LASTS = timedelta(hours=1)
# Whoever invites today sets the site up this week.
LONGEST = timedelta(days=7)
_NO_INVITATION = RefusedError("no invitation for this is open", "ask an admin of the hub: `switchgear site invite`")
Labels = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SiteStore:
    database: Database
    targets: TargetStore

    async def invite(self, name: str, *, labels: Labels = (), lasts: timedelta = LASTS, actor: str) -> tuple[str, str]:
        """The secret with which `name` may join, once, and until when. A site that has joined keeps its key until then.

        Raises InvalidError (the name, the time), ConflictError (the name is another target's).
        """
        if not timedelta() < lasts <= LONGEST:
            raise InvalidError(f"an invitation cannot last {lasts}", f"give at most {LONGEST.days} days")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        until = moment(datetime.fromisoformat(self.database.now()) + lasts)
        seen = await self._known(name)
        server = replace(seen.server if seen and seen.server else Server("site"), invitation=_hash(secret))
        wanted = replace(server_target(name, replace(server, invited_until=until)), labels=tuple(sorted(labels)))
        if seen is None:
            await self.targets.add(wanted, actor=actor)
        else:
            given = wanted if wanted.labels else replace(wanted, labels=seen.labels)
            await self.targets.replace(seen, replace(given, limits=seen.limits), actor=actor)
        return secret, until

    async def join(self, name: str, secret: str, key: str) -> Target:
        """The site, known by `key` from now on. Raises RefusedError alike for whatever is wrong."""
        try:
            seen = await self._known(name)
        except ConflictError:
            seen = None
        server = seen.server if seen is not None else None
        is_right = hmac.compare_digest(_hash(secret), server.invitation if server else "")
        if seen is None or server is None or not is_right or server.invited_until <= self.database.now():
            raise _NO_INVITATION
        joined = replace(seen, server=replace(server, key=key, invitation="", invited_until=""))
        try:
            return await self.targets.replace(seen, joined, actor=f"site:{name}")
        except (StaleError, NotFoundError):  # somebody else has used it
            raise _NO_INVITATION from None

    async def _known(self, name: str) -> Target | None:
        """Raises ConflictError for a target that is no site."""
        try:
            found = await self.targets.get(name)
        except NotFoundError:
            return None
        if found.server is None or not found.server.is_site:
            raise ConflictError(f"{name} is another target", "take another name for the site")
        return found


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
