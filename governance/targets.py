"""Targets: the devices and mocks that workflows may be run on, and where their credentials are to be found.

A credential is a reference, `env:NAME`, `file:/path` or `keyring:service/name`, resolved by the runtime at the last
moment; a value that is no reference is refused without being repeated, since it may be the secret itself. Requests go
to the addresses in this list and nowhere else. How a connection is trusted stands in `tls`: `verify` (the system's
authorities), `ca:/path` (these authorities), `pin:<sha256 of the certificate>` (this certificate alone).
Here never lives a secret, nor a connection.
"""

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.engine import Row

from governance.audit import Event, append_entry
from governance.database import Database
from governance.errors import ConflictError, InvalidError, NotFoundError
from governance.identifiers import Json
from governance.models import TargetRow, table_of

Mode = Literal["twin", "prism", "live"]
MODES: tuple[Mode, ...] = ("twin", "prism", "live")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\0]+|keyring:[^/\0]+/[^\0]+")
_PIN = re.compile(r"[0-9a-f]{64}")
_T = table_of(TargetRow)
_FIELDS = ("name", "api", "base_url", "mode", "username_ref", "password_ref", "token_ref", "tls", "is_default")


@dataclass(frozen=True, slots=True)
class Target:
    """`base_url` is scheme, host, port and perhaps a leading path, without a slash at its end."""

    name: str
    api: str
    base_url: str
    mode: Mode
    username_ref: str | None = None
    password_ref: str | None = None
    token_ref: str | None = None
    tls: str = "verify"
    is_default: bool = False

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in _FIELDS}


class TargetStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, target: Target, *, actor: str = "system") -> Target:
        """Stores the target; the first one of an API becomes its default, and a new default replaces the old one.

        Raises InvalidError naming the field, or ConflictError if the name is taken.
        """
        checked = _checked(target)
        now = self._database.now()

        def work(connection: Connection) -> Target:
            if connection.execute(select(_T.c.name).where(_T.c.name == checked.name)).first():
                raise ConflictError(f"there is a target {checked.name} already", "remove it first, or rename this one")
            others = connection.execute(select(_T.c.name).where(_T.c.api == checked.api)).all()
            stored = replace(checked, is_default=checked.is_default or not others)
            if stored.is_default:
                connection.execute(update(_T).where(_T.c.api == stored.api).values(is_default=False))
            connection.execute(insert(_T), {**stored.to_json(), "created_at": now})
            append_entry(connection, Event(now, actor, "target.added", f"target:{stored.name}", stored.to_json()))
            return stored

        return await self._database.write(work)

    async def get(self, name: str) -> Target:
        """Raises NotFoundError."""
        query = select(_T).where(_T.c.name == name)
        row = await self._database.read(lambda c: c.execute(query).first())
        if row is None:
            raise NotFoundError(f"there is no target {name}", "see `switchgear targets list`")
        return _target(row)

    async def default_for(self, api: str) -> Target:
        """The target that a call without one goes to. Raises NotFoundError."""
        query = select(_T).where(_T.c.api == api, _T.c.is_default)
        row = await self._database.read(lambda c: c.execute(query).first())
        if row is None:
            raise NotFoundError(f"there is no target for the API {api}", "add one with `switchgear targets add`")
        return _target(row)

    async def list_targets(self, api: str | None = None) -> tuple[Target, ...]:
        """By name."""
        query = select(_T).order_by(_T.c.name)
        query = query if api is None else query.where(_T.c.api == api)
        return tuple(_target(row) for row in await self._database.read(lambda c: c.execute(query).all()))

    async def remove(self, name: str, *, actor: str = "system") -> None:
        """Raises NotFoundError. The API has no default then, if this was it."""
        now = self._database.now()

        def work(connection: Connection) -> None:
            if connection.execute(delete(_T).where(_T.c.name == name)).rowcount != 1:
                raise NotFoundError(f"there is no target {name}", "see `switchgear targets list`")
            append_entry(connection, Event(now, actor, "target.removed", f"target:{name}", {}))

        await self._database.write(work)


def _checked(target: Target) -> Target:
    """The target in its stored form. Raises InvalidError."""
    if not _NAME.fullmatch(target.name):
        raise InvalidError(f"{target.name!r} is no name for a target", "take up to 64 of a-z 0-9 . _ -")
    if target.mode not in MODES:
        raise InvalidError(f"there is no mode {target.mode!r}", f"take one of {', '.join(MODES)}")
    for field in ("username_ref", "password_ref", "token_ref"):
        reference = getattr(target, field)
        if reference is not None and not _REFERENCE.fullmatch(reference):
            raise InvalidError(f"{field} is not a reference", "give env:NAME, file:/path or keyring:service/name")
    return replace(target, base_url=_checked_address(target), tls=_checked_tls(target.tls))


def _checked_address(target: Target) -> str:
    wrong = InvalidError("base_url is not an address of a device", "give https://HOST[:PORT][/PATH] and nothing more")
    try:
        parts = urlsplit(target.base_url)
        _ = parts.port
    except ValueError:
        raise wrong from None
    plain = not any((parts.username, parts.password, parts.query, parts.fragment, "@" in parts.netloc))
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or not target.base_url.isprintable():
        raise wrong
    if target.mode == "live" and parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise InvalidError("a live target needs https: credentials would travel in the clear", "give an https address")
    return target.base_url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked_tls(tls: str) -> str:
    kind, _, value = tls.partition(":")
    pin = value.replace(":", "").lower()
    if kind == "pin" and _PIN.fullmatch(pin):
        return f"pin:{pin}"
    if tls == "verify" or (kind == "ca" and value):
        return tls
    raise InvalidError("tls says nothing that is known", "give verify, ca:/path or pin:<sha256 of the certificate>")


def _target(row: Row[tuple[Any, ...]]) -> Target:
    return Target(*(getattr(row, field) for field in _FIELDS))
