"""Targets: the devices and mocks that workflows may be run on, and where their credentials are to be found.

A credential is a reference, `env:NAME`, `file:/path` or `keyring:service/name`, resolved by the runtime at the last
moment; a value that is no reference is refused without being repeated, since it may be the secret itself. Requests go
to the addresses in this list and nowhere else; a row that is not as the audit last told is no target, so that whoever
can write the database leads no credential elsewhere. How a connection is trusted stands in `tls`: `verify` (the
system's authorities), `ca:/path` (these authorities), `pin:<sha256 of the certificate>` (this certificate alone).
Here never lives a secret, nor a connection.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.engine import Row

from governance.audit.log import Event, append_entry, last_told
from governance.errors import ConflictError, InvalidError, NotFoundError, StaleError, TamperedError
from governance.registry.responses import POLICIES, Policy
from governance.registry.servers import IS_REFERENCE, Server, address_of_server, api_of, check_server
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import TargetRow, table_of

Mode = Literal["twin", "prism", "live"]
MODES: tuple[Mode, ...] = ("twin", "prism", "live")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_API = re.compile(r"[a-z][a-z0-9-]{0,31}")  # as profiles and compiles name theirs
_PIN = re.compile(r"[0-9a-f]{64}")
_T = table_of(TargetRow)
_ALL = select(_T).order_by(_T.c.name)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?")
_REFERENCES = ("username_ref", "password_ref", "token_ref")
_FIELDS = ("name", "api", "base_url", "mode", *_REFERENCES, "tls", "is_default", "responses")
CHANGES = ("target.added", "target.changed", "target.removed")
# What older audit rows do not say, as it was then for all.
_NOT_TOLD_BEFORE: dict[str, Json] = {"labels": {}, "limits": {}, "responses": "", "server": {}}
Applied = Literal["added", "changed", "unchanged", "removed"]


@dataclass(frozen=True, slots=True)
class TargetLimits:
    """What this device stands, where that is not what its vendor's profile says."""

    connections: int | None = None
    requests_per_s: float | None = None
    total_timeout_s: float | None = None
    max_body_bytes: int | None = None

    def to_json(self) -> dict[str, Json]:
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Target:
    """`base_url` is scheme, host, port and perhaps a leading path, without a slash at its end.

    `labels`: pairs in the order of their names; people choose targets by them. `responses`: what is done about replies
    that are not as described; empty: what the setting says. `server`: of an MCP server, how it is reached.
    """

    name: str
    api: str
    base_url: str
    mode: Mode
    username_ref: str | None = None
    password_ref: str | None = None
    token_ref: str | None = None
    tls: str = "verify"
    is_default: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    limits: TargetLimits = TargetLimits()
    responses: Policy | Literal[""] = ""
    server: Server | None = None

    def to_json(self) -> dict[str, Json]:
        told = {name: getattr(self, name) for name in _FIELDS}
        server = self.server.to_json() if self.server else {}
        return {**told, "labels": dict(self.labels), "limits": self.limits.to_json(), "server": server}

    def has_labels(self, wanted: Iterable[tuple[str, str]]) -> bool:
        return set(wanted) <= set(self.labels)


class TargetStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._attested: dict[str, Target] = {}
        # All rows as last read, with what they say: equal rows say the same, and are asked for several times a second.
        self._last: tuple[Sequence[Row[tuple[Any, ...]]], tuple[Target, ...]] | None = None

    async def add(self, target: Target, *, actor: str = "system") -> Target:
        """Stores the target; the first one of an API becomes its default, and a new default replaces the old one.

        Raises InvalidError naming the field, or ConflictError if the name is taken.
        """
        checked = _checked(target)
        now = self._database.now()

        def work(connection: Connection) -> Target:
            if connection.execute(select(_T.c.name).where(_T.c.name == checked.name)).first():
                raise ConflictError(f"there is a target {checked.name} already", "remove it first, or rename this one")
            stored = _store(connection, checked, now)
            append_entry(connection, Event(now, actor, "target.added", f"target:{stored.name}", stored.to_json()))
            return stored

        return await self._database.write(work)

    async def apply(
        self, targets: Iterable[Target], *, prune: bool = False, actor: str = "system"
    ) -> dict[str, Applied]:
        """Makes the inventory hold `targets`, all or none; with `prune` nothing else. Answers what became of each.

        Raises InvalidError naming the target and the field.
        """
        wanted = {each.name: each for each in map(_checked, targets)}
        now = self._database.now()

        def work(connection: Connection) -> dict[str, Applied]:
            known = {row.name: read_target(row) for row in connection.execute(select(_T))}
            untold = {name for name, each in known.items() if not _is_told(connection, each)}
            done: dict[str, Applied] = {}
            for name in sorted(_devices(known) - wanted.keys() if prune else ()):
                connection.execute(delete(_T).where(_T.c.name == name))
                append_entry(connection, Event(now, actor, "target.removed", f"target:{name}", {}))
                done[name] = "removed"
            for name, target in wanted.items():
                before = known.get(name)
                is_same = before is not None and before == replace(target, is_default=before.is_default)
                is_same = is_same and name not in untold
                if is_same and (before == target or not target.is_default):
                    done[name] = "unchanged"
                    continue
                connection.execute(delete(_T).where(_T.c.name == name))
                stored = _store(connection, target, now)
                done[name] = "changed" if before else "added"
                append_entry(connection, Event(now, actor, f"target.{done[name]}", f"target:{name}", stored.to_json()))
            return done

        return await self._database.write(work)

    async def replace(self, seen: Target, target: Target, *, actor: str = "system") -> Target:
        """Stores `target` in the place of `seen`, which has the same name.

        Raises InvalidError naming the field, NotFoundError, or StaleError if it is no longer as it was seen.
        """
        checked = _checked(target)
        now = self._database.now()

        def work(connection: Connection) -> Target:
            _check_seen(connection, seen)
            if seen == checked:
                return seen
            connection.execute(delete(_T).where(_T.c.name == seen.name))
            stored = _store(connection, checked, now)
            append_entry(connection, Event(now, actor, "target.changed", f"target:{stored.name}", stored.to_json()))
            return stored

        return await self._database.write(work)

    async def get(self, name: str) -> Target:
        """Raises NotFoundError, or TamperedError if it is not as the audit says."""
        return await self._database.read(lambda c: self._told(c, _found(c, name)))

    async def default_for(self, api: str) -> Target:
        """The target that a call without one goes to. Raises NotFoundError, TamperedError like `get`."""
        query = select(_T).where(_T.c.api == api, _T.c.is_default)

        def work(connection: Connection) -> Target | None:
            row = connection.execute(query).first()
            return None if row is None else self._told(connection, read_target(row))

        target = await self._database.read(work)
        if target is None:
            raise NotFoundError(f"there is no target for the API {api}", "add one with `switchgear targets add`")
        return target

    async def list_targets(self, api: str | None = None) -> tuple[Target, ...]:
        """By name; of all the same object as the last time while none changed. Raises TamperedError like `get`."""
        return await self._database.read(self.listed if api is None else lambda c: self._read(c, _of(c, api)))

    def listed(self, connection: Connection) -> tuple[Target, ...]:
        """`list_targets`, within somebody's own transaction."""
        rows, last = connection.execute(_ALL).all(), self._last
        if last is None or last[0] != rows:
            last = self._last = rows, self._read(connection, rows)
        return last[1]

    def _read(self, connection: Connection, rows: Sequence[Row[tuple[Any, ...]]]) -> tuple[Target, ...]:
        return tuple(self._told(connection, read_target(row)) for row in rows)

    async def remove(self, name: str, *, actor: str = "system", seen: Target | None = None) -> None:
        """Raises NotFoundError, or StaleError if it is not as it was `seen`. The API has no default then, if this was
        it."""
        now = self._database.now()

        def work(connection: Connection) -> None:
            if seen is not None:
                _check_seen(connection, seen)
            if connection.execute(delete(_T).where(_T.c.name == name)).rowcount != 1:
                raise NotFoundError(
                    f"there is no target {name}", "see `switchgear targets list`", kind="target", name=name
                )
            append_entry(connection, Event(now, actor, "target.removed", f"target:{name}", {}))

        await self._database.write(work)

    def _told(self, connection: Connection, target: Target) -> Target:
        """The target, if it is as the audit says. Asked once for each content: the audit only grows."""
        if self._attested.get(target.name) != target:
            if not _is_told(connection, target):
                remedy = "see who changed it with `switchgear audit list`; then remove it and add it again"
                raise TamperedError(f"the target {target.name} is not as the audit says", remedy)
            self._attested[target.name] = target
        return target


def _devices(known: Mapping[str, Target]) -> set[str]:
    """What an inventory's file can name: MCP servers have files of their own."""
    return {name for name, target in known.items() if target.server is None}


def _of(connection: Connection, api: str) -> Sequence[Row[tuple[Any, ...]]]:
    return connection.execute(_ALL.where(_T.c.api == api)).all()


def _is_told(connection: Connection, target: Target) -> bool:
    """Whether the last audit row that changed it says the same."""
    try:
        told = last_told(connection, f"target:{target.name}", CHANGES)
    except TamperedError:
        return False
    return fits_told(target.to_json(), told)


def fits_told(row: Json, told: Json) -> bool:
    """Whether a target, as JSON, is what its audit row says. Of a default that is none any more, another row tells."""
    if not isinstance(row, dict) or not isinstance(told, dict) or not told:
        return False
    expected = {**_NOT_TOLD_BEFORE, **told}
    return bool(row == (expected if row["is_default"] else {**expected, "is_default": False}))


def _found(connection: Connection, name: str) -> Target:
    row = connection.execute(select(_T).where(_T.c.name == name)).first()
    if row is None:
        raise NotFoundError(f"there is no target {name}", "see `switchgear targets list`", kind="target", name=name)
    return read_target(row)


def _check_seen(connection: Connection, seen: Target) -> None:
    if _found(connection, seen.name) != seen:
        raise StaleError(f"the target {seen.name} was changed meanwhile", "look at it, then decide again")


def _store(connection: Connection, target: Target, now: str) -> Target:
    """Adds the row; the first target of an API is its default, and a new default replaces the old one."""
    others = connection.execute(select(_T.c.name).where(_T.c.api == target.api)).all()
    stored = replace(target, is_default=target.is_default or not others)
    if stored.is_default:
        connection.execute(update(_T).where(_T.c.api == stored.api).values(is_default=False))
    more = {"labels": to_text(dict(stored.labels)), "limits": to_text(stored.limits.to_json()), "created_at": now}
    more["server"] = to_text(stored.server.to_json() if stored.server else {})
    connection.execute(insert(_T), {**stored.to_json(), **more})
    return stored


def _checked(target: Target) -> Target:
    """The target in its stored form. Raises InvalidError."""
    if not _NAME.fullmatch(target.name):
        raise InvalidError(f"{target.name!r} is no name for a target", "take up to 64 of a-z 0-9 . _ -")
    if not _API.fullmatch(target.api):
        raise InvalidError(
            f"{target.api!r} is no name of an API", "see `switchgear workflows list` for those there are"
        )
    if target.mode not in MODES:
        raise InvalidError(f"there is no mode {target.mode!r}", f"take one of {', '.join(MODES)}")
    if target.responses not in ("", *POLICIES):
        raise InvalidError(f"responses cannot be {target.responses!r}", f"take one of {', '.join(POLICIES)}, or none")
    for field in _REFERENCES:
        reference = getattr(target, field)
        if reference is not None and not IS_REFERENCE.fullmatch(reference):
            raise InvalidError(f"{field} is not a reference", "give env:NAME, file:/path or keyring:service/name")
    labels = _checked_labels(target.labels)
    _check_limits(target.limits)
    if target.server is not None:
        _check_remote(target, target.server)
        return replace(target, tls=_checked_tls(target.tls), labels=labels)
    return replace(target, base_url=_checked_address(target), tls=_checked_tls(target.tls), labels=labels)


def _check_remote(target: Target, server: Server) -> None:
    """What an MCP server's row says beside the server. Raises InvalidError."""
    check_server(target.name, server)
    is_as_named = (target.api, target.base_url) == (
        api_of(target.name, server.transport),
        address_of_server(target.name),
    )
    if not is_as_named or target.mode != "live" or any(getattr(target, field) for field in _REFERENCES):
        raise InvalidError(f"{target.name} is a server and no device", "add it with `switchgear servers add`")


def _checked_labels(labels: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    for name, value in labels:
        if not _LABEL.fullmatch(name) or not (value == "" or _LABEL.fullmatch(value)):
            raise InvalidError(f"{name!r} = {value!r} is no label", "take up to 63 of A-Z a-z 0-9 . _ / - for each")
    return tuple(sorted(dict(labels).items()))


def _check_limits(limits: TargetLimits) -> None:
    for name, value in limits.to_json().items():
        least = 1024 if name == "max_body_bytes" else 1 if name == "connections" else 0
        if not isinstance(value, int | float) or isinstance(value, bool) or value < least or value == 0:
            raise InvalidError(f"the limit {name} cannot be {value}", f"give a number above {max(0, least - 1)}")


def _checked_address(target: Target) -> str:
    wrong = InvalidError("base_url is not an address of a device", "give https://HOST[:PORT][/PATH] and nothing more")
    try:
        parts = urlsplit(target.base_url)
        _ = parts.port, (parts.hostname or "").encode("idna")  # a name that the DNS can be asked for
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


def read_target(row: Row[tuple[Any, ...]]) -> Target:
    """The target that the row says. Raises TamperedError."""
    try:
        labels = tuple(sorted(from_text(row.labels).items()))
        limits = TargetLimits(**from_text(row.limits))
        told = from_text(row.server)
        server = Server.from_json(told) if told else None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TamperedError(f"the target {row.name} was changed: {error}", "remove it and add it again") from error
    given = {field: getattr(row, field) for field in _FIELDS}
    return Target(**given, labels=labels, limits=limits, server=server)
