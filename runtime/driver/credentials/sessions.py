"""Credentials as a vendor's profile wants them shown: a session's token, Basic, bearer or a key in a header.

Here are the forms only: what a login sends, what its reply holds, which fields a request then carries. No network and
no state: `driver` opens, keeps, renews and closes sessions with these. A value that stands for a credential exists
only between `Vault.resolve` and the bytes of one request.
"""

import base64
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from runtime.driver.wire import FIELD_VALUE, WireReply
from runtime.errors import Refused
from runtime.secrets import Vault
from workflow.documents.path_queries import address_of, fixed_query
from workflow.profiles.profile_speech import Auth, Place, SessionRule
from workflow.requests.events import SendRequest
from workflow.requests.form_bodies import FORM

Json = Any
Fields = tuple[tuple[str, str], ...]
# One login must not eat the deadline of the request that waits for it.
LOGIN_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class References:
    """Where a target's credentials are kept: references, never values."""

    username: str | None = None
    password: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceSession:
    """`path`: where it is closed with DELETE, if the device said so."""

    token: str
    path: str | None


class NoSessions(Refused):
    """The device has no session service; one of the profile's other kinds may do."""


def chosen_kind(auth: Auth, references: References) -> str:
    """The first kind of the profile that the target's references suffice for. Raises Refused when there is none."""
    has_login = bool(references.username and references.password)
    possible = {
        "session": has_login and auth.session is not None,
        "basic": has_login,
        "bearer": bool(references.token),
        "api_key": bool(references.token) and auth.api_key_header is not None,
        "none": True,
    }
    for kind in auth.kinds:
        if possible[kind]:
            return kind
    raise Refused(
        f"the target has no credentials for {' or '.join(auth.kinds)}",
        "add username and password, or a token, as references: `switchgear targets add`",
    )


def static_fields(kind: str, auth: Auth, references: References, vault: Vault) -> Fields:
    """The fields for the kinds that need no session."""
    if kind == "basic":
        name, word = vault.read(references.username or ""), vault.resolve(references.password or "")
        shown = base64.b64encode(f"{name}:{word}".encode()).decode()
        vault.remember(shown)
        return (("authorization", f"Basic {shown}"),)
    if kind == "bearer":
        return (("authorization", f"Bearer {vault.resolve(references.token or '')}"),)
    if kind == "api_key":
        return ((str(auth.api_key_header).lower(), vault.resolve(references.token or "")),)
    return ()


def login_command(rule: SessionRule, references: References, vault: Vault) -> SendRequest:
    """The request that opens a session."""
    method, _, path = rule.login.partition(" ")
    words = {
        "{username}": vault.read(references.username or ""),
        "{password}": vault.resolve(references.password or ""),
    }
    command = _described_command(method, path, _filled(rule.login_body, words))
    return replace(command, content_type=FORM) if rule.login_as == "form" else command


def logout_command(rule: SessionRule, session: DeviceSession) -> SendRequest | None:
    """The request that closes `session`, if there is a way to."""
    if session.path is not None:
        return _plain_command("DELETE", session.path, None)
    if rule.logout is not None and "{" not in rule.logout:
        method, _, path = rule.logout.partition(" ")
        return _described_command(method, path, None)
    return None


def probe_command(read: str) -> SendRequest:
    """The profile's probe: a read that needs credentials."""
    method, _, path = read.partition(" ")
    return replace(_described_command(method, path, None), is_safe=True)


def _described_command(method: str, path: str, body: Json) -> SendRequest:
    """A request of the description: what the query in its path says is sent as its query."""
    command = _plain_command(method, path, body)
    return replace(command, path=address_of(path), query=fixed_query(path))


def _plain_command(method: str, path: str, body: Json) -> SendRequest:
    return SendRequest(
        step_id="session",
        attempt=1,
        method=method,
        path=path,
        path_template=path,
        body=body,
        content_type="application/json" if body is not None else "",
        is_safe=False,
        is_idempotent=True,
        timeout_s=LOGIN_TIMEOUT_S,
    )


def _filled(value: Json, words: dict[str, str]) -> Json:
    if isinstance(value, dict):
        return {key: _filled(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, words) for item in value]
    return words.get(value, value) if isinstance(value, str) else value


def session_fields(rule: SessionRule, session: DeviceSession) -> Fields:
    """The fields that show the session. Raises Refused for a token that cannot stand in a field."""
    is_cookie = rule.send_as.within == "cookie"
    if not FIELD_VALUE.fullmatch(session.token) or (is_cookie and any(mark in session.token for mark in '";, \\')):
        raise Refused("the device gave a token that no header may hold", "check what answers at the target's address")
    if is_cookie:
        return (("cookie", f"{rule.send_as.at}={session.token}"),)
    if rule.send_as.within == "header":
        return ((rule.send_as.at.lower(), rule.shown(session.token)),)
    raise Refused("a session is shown in a cookie or a header", "correct auth.session.send_as of the profile")


def found_in(place: Place, reply: WireReply) -> str | None:
    """The text at `place` of the reply to a login."""
    if place.within == "header":
        value: Json = reply.header(place.at)
    elif place.within == "cookie":
        value = _cookie(place.at, reply)
    else:
        value = _at(reply.body, place.at)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # a number is as good as a text
    if not isinstance(value, str):
        return None
    return value.rstrip("/").rpartition("/")[2] if place.transform == "last_path_segment" else value


def _cookie(name: str, reply: WireReply) -> str | None:
    for key, value in reply.headers:
        if key == "set-cookie":
            try:
                jar = SimpleCookie(value)
            except CookieError:
                continue
            if name in jar:
                return jar[name].value
    return None


def _at(value: Json, pointer: str) -> Json:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def own_path(address: str | None, prefix: str) -> str | None:
    """The path below `prefix` that `address` names; a host in it is never followed."""
    if not address:
        return None
    path = urlsplit(address).path
    return path.removeprefix(prefix) if path.startswith("/") else None
