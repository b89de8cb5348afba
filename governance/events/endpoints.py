"""Who is told of events: addresses that an admin has named, what each wants to hear, and where its secret is found.

A secret is a reference (`env:NAME`, `file:/path`), resolved by the runtime when it signs. Addresses come from admins
alone, never out of a message, a call or an edited row (the audit has the last word); they are https, or on this
machine, unless the admin says otherwise.
Here never lives a secret, nor a request. Called by the API, the commands and `deliveries`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.engine import Row

from governance.audit.log import Event, append_entry, last_told
from governance.errors import ConflictError, InvalidError, NotFoundError, TamperedError
from governance.events.outbox import KINDS
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import DeliveryRow, EndpointRow, table_of

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\0]+")
_TLS = re.compile(r"verify|ca:[^\0]+|pin:[0-9A-Fa-f:]{64,95}")
_URL = re.compile(r"https?://[!-~]{1,2000}")
_E = table_of(EndpointRow)
_D = table_of(DeliveryRow)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`kinds` and `apis`: what it wants to hear of; empty: everything. `disabled_why`: nothing is sent any more."""

    name: str
    url: str
    secret_ref: str
    kinds: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    tls: str = "verify"
    created_at: str = ""
    created_by: str = ""
    disabled_at: str | None = None
    disabled_why: str | None = None

    def to_json(self) -> dict[str, Json]:
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "kinds": list(self.kinds), "apis": list(self.apis)}


class EndpointStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, wish: Endpoint, *, actor: str, allow_http: bool = False) -> Endpoint:
        """Raises InvalidError (what is wrong with the wish; a reference is not repeated), ConflictError (the name)."""
        _check(wish, allow_http=allow_http)
        now = self._database.now()
        row = {**wish.to_json(), "created_at": now, "created_by": actor, "disabled_at": None, "disabled_why": None}
        stored = {**row, "kinds": to_text(row["kinds"]), "apis": to_text(row["apis"])}

        def work(connection: Connection) -> None:
            if connection.execute(select(_E.c.name).where(_E.c.name == wish.name)).first():
                raise ConflictError(
                    f"there is an endpoint {wish.name} already", "remove it first, or take another name"
                )
            connection.execute(insert(_E), stored)
            append_entry(connection, _event(now, actor, "added", wish.name, row))

        await self._database.write(work)
        return await self.get(wish.name)

    async def get(self, name: str) -> Endpoint:
        """Raises NotFoundError."""
        row = await self._database.read(lambda c: c.execute(select(_E).where(_E.c.name == name)).first())
        if row is None:
            raise _absent(name)
        return read_endpoint(row)

    async def list_endpoints(self) -> tuple[Endpoint, ...]:
        """By name."""
        rows = await self._database.read(lambda c: c.execute(select(_E).order_by(_E.c.name)).all())
        return tuple(read_endpoint(row) for row in rows)

    async def faults(self) -> tuple[str, ...]:
        """Rows that are not as the audit says: nothing is sent there until they are removed and added again."""
        names = select(_E.c.name).order_by(_E.c.name)
        found = await self._database.read(lambda c: [n for n in c.execute(names).scalars() if not is_attested(c, n)])
        return tuple(f"the endpoint {name} is not as the audit says" for name in found)

    async def remove(self, name: str, *, actor: str) -> None:
        """With all that waits for it. Raises NotFoundError."""
        now = self._database.now()

        def work(connection: Connection) -> None:
            dropped = connection.execute(delete(_D).where(_D.c.endpoint == name)).rowcount
            if connection.execute(delete(_E).where(_E.c.name == name)).rowcount != 1:
                raise _absent(name)
            append_entry(connection, _event(now, actor, "removed", name, {"dropped": dropped}))

        await self._database.write(work)

    async def enable(self, name: str, *, actor: str) -> Endpoint:
        """It is told again of what happens from now on; what could not be sent is sent again by `resend`.

        Raises NotFoundError, also for one that is not as the audit says.
        """
        now = self._database.now()
        change = update(_E).where(_E.c.name == name).values(disabled_at=None, disabled_why=None)

        def work(connection: Connection) -> None:
            if not is_attested(connection, name):
                raise _absent(name)
            connection.execute(change)
            append_entry(connection, _event(now, actor, "enabled", name, _told(connection, name)))

        await self._database.write(work)
        return await self.get(name)


def disable(connection: Connection, now: str, name: str, why: str) -> None:
    """Within somebody else's transaction: nothing is written for it from now on, and what waits is dead."""
    change = update(_E).where(_E.c.name == name, _E.c.disabled_at.is_(None)).values(disabled_at=now, disabled_why=why)
    if connection.execute(change).rowcount == 1:
        is_waiting = (_D.c.endpoint == name) & _D.c.next_at.is_not(None)
        connection.execute(update(_D).where(is_waiting).values(next_at=None, error=why, error_at=now))
        append_entry(connection, _event(now, "deliverer", "disabled", name, _told(connection, name)))


def is_attested(connection: Connection, name: str) -> bool:
    """Whether the endpoint is there and as the audit's last word about it: no address comes from an edited database."""
    told = _told(connection, name)
    try:
        return told is not None and bool(last_told(connection, f"endpoint:{name}") == told)
    except TamperedError:
        return False


def _told(connection: Connection, name: str) -> Json:
    """The whole row, as the audit tells it; None where there is none."""
    row = connection.execute(select(_E).where(_E.c.name == name)).first()
    return None if row is None else read_endpoint(row).to_json()


def _check(wish: Endpoint, *, allow_http: bool) -> None:
    if not _NAME.fullmatch(wish.name):
        raise InvalidError(f"{wish.name!r} is no name for an endpoint", "take up to 64 of a-z 0-9 . _ -")
    if not _REFERENCE.fullmatch(wish.secret_ref):
        raise InvalidError("the secret is not a reference", "give env:NAME or file:/path")
    if not _TLS.fullmatch(wish.tls):
        raise InvalidError("that is no way to check an endpoint", "write verify, ca:<file> or pin:<sha256>")
    unknown = sorted(set(wish.kinds) - set(KINDS))
    if unknown:
        raise InvalidError(f"there is no event {unknown[0]!r}", f"take some of {', '.join(KINDS)}")
    _check_url(wish.url, allow_http=allow_http)


def _check_url(url: str, *, allow_http: bool) -> None:
    parts = _parts(url)
    if parts is None:
        raise InvalidError("that is no address for an endpoint", "give https://HOST/PATH, without a user or a fragment")
    scheme, host = parts
    if scheme != "https" and not allow_http and not _is_here(host):
        raise InvalidError("an endpoint beyond this machine is reached by https", "or say that plain HTTP is meant")


def _parts(url: str) -> tuple[str, str] | None:
    """Scheme and host, or None for what is no address that we would send to."""
    try:
        parts = urlsplit(url)
        is_good = _URL.fullmatch(url) and parts.port != 0 and parts.username is None and not parts.fragment
    except ValueError:
        return None
    return (parts.scheme, parts.hostname) if is_good and parts.hostname else None


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _event(now: str, actor: str, action: str, name: str, told: Json) -> Event:
    return Event(now, actor, f"endpoint.{action}", f"endpoint:{name}", told)


def _absent(name: str) -> NotFoundError:
    remedy = "see `switchgear webhooks endpoints list`"
    return NotFoundError(f"there is no endpoint {name}", remedy, kind="endpoint", name=name)


def read_endpoint(row: Row[tuple[Any, ...]]) -> Endpoint:
    """The endpoint that the row says. Raises TamperedError."""
    told: dict[str, Any] = row._asdict()
    return Endpoint(**{**told, "kinds": _names(told["kinds"]), "apis": _names(told["apis"])})


def _names(text: str) -> tuple[str, ...]:
    names: Iterable[str] = from_text(text)
    return tuple(names)
