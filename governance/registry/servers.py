"""MCP servers that others run, and sites: how they are reached, and with which references. Such a server is a target.

A site is a Switchgear elsewhere that comes here by itself (docs/SITES.md); its key stands here, and no secret. Tools
are the operations of an API of their own (`remote-NAME`, `site-NAME`), so that all that holds for a device holds for
them: rights, approvals, plans, the audit. What a target cannot say of it stands here: the transport, and for stdio the
command. Values of variables and of header fields are references, as a target's credentials are; a literal is refused
without being repeated, since it may be the secret itself, and so is an argument that looks like one. Here never lives a
table (`governance.registry.targets`), a file of some client's (`governance.registry.server_files`) or a connection. MCP
2025-11-25, "Transports".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from governance.errors import InvalidError

Json = Any
McpTransport = Literal["stdio", "http", "sse"]
Transport = Literal[McpTransport, "site"]
TRANSPORTS: tuple[McpTransport, ...] = get_args(McpTransport)
SCHEME = "mcp"
# An API's name has 32 characters at most, and one of these stands before the server's.
API_PREFIX, SITE_PREFIX = "remote-", "site-"
_NAME = re.compile(r"[a-z][a-z0-9]{0,23}|[a-z][a-z0-9-]{0,22}[a-z0-9]")
IS_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\0]+|keyring:[^/\0]+/[^\0]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_FIELD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
# What may stand before a reference in a field, as RFC 9110, 11.4 has it.
_SCHEMES = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]{0,31} )?")
MOST_ARGUMENTS, MOST_LENGTH = 100, 4096
# What an argument is called that takes a secret; a file or a variable that holds one is none.
_ASKS_SECRET = re.compile(
    r"-{0,2}(?:[a-z0-9]+[-_.])*(?:password|passwd|passphrase|secret|token|api-?key|access-?key|bearer|credentials?)",
    re.I,
)
# A credential in an address, a field of HTTP that shows one, and what tokens of well-known services begin with.
_SHOWS_SECRET = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@|(?i:\b(?:authorization|cookie|[a-z-]*(?:-key|-token))\s*:\s*\S)"
    r"|\b(?:sk-|gh[opsu]_|github_pat_|glpat-|xox[abp]-|AKIA|eyJ)[A-Za-z0-9_.-]{12}"
)
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Server:
    """`env` and `headers`: name → reference; before a header's reference a word may stand (`Bearer env:TOKEN`).

    `is_enabled`: whether calls may go there now. Of a site: `key`, its public one (base64url), empty until it has
    joined; `invitation`, the SHA-256 of the secret with which it may, once, until `invited_until`.
    """

    transport: Transport
    command: str = ""
    arguments: tuple[str, ...] = ()
    env: Pairs = ()
    url: str = ""
    headers: Pairs = ()
    is_enabled: bool = True
    key: str = ""
    invitation: str = ""
    invited_until: str = ""

    def to_json(self) -> dict[str, Json]:
        told: dict[str, Json] = {"transport": self.transport, "is_enabled": self.is_enabled}
        if self.is_site:
            return {**told, "key": self.key, "invitation": self.invitation, "invited_until": self.invited_until}
        if self.transport == "stdio":
            return {**told, "command": self.command, "arguments": list(self.arguments), "env": dict(self.env)}
        return {**told, "url": self.url, "headers": dict(self.headers)}

    @classmethod
    def from_json(cls, told: Mapping[str, Json]) -> "Server":
        """The server that `to_json` wrote. Raises KeyError, TypeError or AttributeError for anything else."""
        return cls(
            told["transport"],
            told.get("command", ""),
            tuple(told.get("arguments", ())),
            pairs(told.get("env", {})),
            told.get("url", ""),
            pairs(told.get("headers", {})),
            told["is_enabled"],
            told.get("key", ""),
            told.get("invitation", ""),
            told.get("invited_until", ""),
        )

    @property
    def is_site(self) -> bool:
        return self.transport == "site"

    @property
    def references(self) -> tuple[str, ...]:
        """All that has to be resolved to reach it."""
        return tuple(reference_in(value)[1] for _, value in (*self.env, *self.headers))


def pairs(given: Mapping[str, str]) -> Pairs:
    return tuple(sorted(given.items()))


def api_of(name: str, transport: Transport = "http") -> str:
    """The API that the tools of the server `name` are the operations of."""
    return f"{SITE_PREFIX if transport == 'site' else API_PREFIX}{name}"


def is_of_server(api: str) -> bool:
    """Whether an API is that of a server's tools, or of a site's workflows."""
    return api.startswith((API_PREFIX, SITE_PREFIX))


def is_of_site(api: str) -> bool:
    return api.startswith(SITE_PREFIX)


def address_of_server(name: str) -> str:
    """What stands in place of a device's address."""
    return f"{SCHEME}://{name}"


def reference_in(value: str) -> tuple[str, str]:
    """What stands before the reference in `value`, and the reference. Raises ValueError where there is none."""
    before = _SCHEMES.match(value)
    assert before is not None, "it matches nothing as well"
    for start in (before.end(), 0):
        if IS_REFERENCE.fullmatch(value, start):
            return value[:start], value[start:]
    raise ValueError


def check_server(name: str, server: Server) -> None:
    """Raises InvalidError naming the field, never a value that may be a secret."""
    if not _NAME.fullmatch(name):
        raise InvalidError(f"{name!r} is no name for a server", "take up to 24 of a-z 0-9 and -, a letter first")
    if server.is_site:
        return
    if server.transport not in TRANSPORTS:
        raise InvalidError(f"there is no transport {server.transport!r}", f"take one of {', '.join(TRANSPORTS)}")
    if server.transport == "stdio":
        _check_command(server)
    else:
        _check_url(server.url)
    _check_values("variable", server.env, _VARIABLE)
    _check_values("header", server.headers, _FIELD)


def _check_command(server: Server) -> None:
    if not server.command and not server.url:
        raise InvalidError(
            "it is not said how the server is reached", "give --url URL, or, behind --, the command that starts it"
        )
    if not server.command or server.url or server.headers:
        raise InvalidError("a stdio server has a command, and neither url nor headers", "give the command alone")
    words = (server.command, *server.arguments)
    is_long = len(words) > MOST_ARGUMENTS or any(len(each) > MOST_LENGTH for each in words)
    if is_long or not all(each.isprintable() for each in words):
        raise InvalidError("the command is too long, or has characters that cannot be seen", "write it plainly")
    if number := _secret_among(words):
        remedy = (
            "everybody on this machine sees it there: give it as a variable (a reference), or in a file of the server"
        )
        raise InvalidError(f"argument {number} of the command looks like a secret, which is not kept", remedy)


def _secret_among(words: Sequence[str]) -> int | None:
    """The number of the first argument that seems to hold a secret."""
    for number, (before, word) in enumerate(pairwise(words), 1):
        name, _, value = word.partition("=")
        is_asked = before.startswith("-") and _ASKS_SECRET.fullmatch(before) and not word.startswith("-")
        if is_asked or (value and _ASKS_SECRET.fullmatch(name)) or _SHOWS_SECRET.search(word):
            return number
    return None


def _check_url(url: str) -> None:
    remedy = "give https://HOST[:PORT][/PATH], or http:// on this machine; credentials are headers, as references"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidError("url is not an address", remedy) from None
    plain = not any((parts.username, parts.password, parts.fragment, parts.query))
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or not url.isprintable() or " " in url:
        raise InvalidError("url is not an address of a server", remedy)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise InvalidError("a server elsewhere needs https: what is said would travel in the clear", remedy)


def _check_values(what: str, given: Iterable[tuple[str, str]], names: re.Pattern[str]) -> None:
    for name, value in given:
        if not names.fullmatch(name):
            raise InvalidError(f"{name!r} is no name of a {what}", "correct it")
        try:
            reference_in(value)
        except ValueError:
            raise InvalidError(
                f"the {what} {name} is not a reference", "give env:NAME, file:/path or keyring:service/name"
            ) from None
