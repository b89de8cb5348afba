"""Who may ask: sessions that are opened, used, expire and are closed, and Basic where the vendor takes it.

Everything vendor-specific is read from the profile's `auth`. An absent or stale session is answered the way the vendor
answers it, which need not be 401. Not here: what a login creates besides the session (`machine.py`).
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

from compiler.twin.requests.messages import RefusalError, TwinRequest
from compiler.twin.values.sampler import NAMESPACE
from workflow.profiles.profile import Profile
from workflow.profiles.profile_speech import SessionRule

Json = Any


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one account that the twin knows for all kinds of authentication. `key`: bearer token or API key."""

    username: str = "admin"
    password: str = "switchgear"  # noqa: S105 - a mock's account; it guards nothing
    key: str = "switchgear-key"


class Sessions:
    """The open sessions, by token. `lifetime_s` counts from the last use."""

    def __init__(self, profile: Profile, credentials: Credentials, lifetime_s: float) -> None:
        self._auth = profile.auth
        self._credentials = credentials
        self._lifetime_s = lifetime_s
        self._used: dict[str, float] = {}
        self._addresses: dict[str, str] = {}
        self._opened = 0

    def admit(self, request: TwinRequest, key: str, now: float) -> None:
        """Raises RefusalError unless the request shows something that opens the door to the operation `key`."""
        kinds = self._auth.kinds
        rule = self._auth.session
        if "none" in kinds or key in self._auth.open_operations or (rule and key == rule.login):
            return
        token = self._shown_token(request)
        if rule and token is not None and self._is_open(token, now):
            self._used[token] = now
            return
        if self._has_key(request) or ("basic" in kinds and self._has_basic(request)):
            return
        status = rule.expired_statuses[0] if rule and rule.expired_statuses else 401
        said = "the session is not valid any more" if token is not None else "no valid credentials were sent"
        raise RefusalError(status, said, (("www-authenticate", 'Basic realm="twin"'),) if status == 401 else ())

    def open(self, body: Json, now: float) -> str:
        """The token of a new session. Raises RefusalError (401) for other credentials than the account's."""
        rule = self._auth.session
        if rule is None or not _answers(rule.login_body, body, self._credentials):
            raise RefusalError(401, "the user name or the password is wrong")
        return self._new_token(now)

    def grant(self, now: float) -> tuple[tuple[str, str], ...]:
        """Headers that open the door, as a driver would send them: a session's, else another kind's."""
        rule = self._auth.session
        if "session" in self._auth.kinds and rule:
            return _sent(rule, self._new_token(now))
        if "basic" in self._auth.kinds:
            pair = f"{self._credentials.username}:{self._credentials.password}"
            return (("authorization", "Basic " + base64.b64encode(pair.encode()).decode()),)
        if "bearer" in self._auth.kinds:
            return (("authorization", f"Bearer {self._credentials.key}"),)
        return (
            (((self._auth.api_key_header or "x-api-key").lower(), self._credentials.key),) if self._is_keyed() else ()
        )

    def stands_at(self, token: str, address: str) -> None:
        """The session `token` is closed by whoever deletes `address`."""
        self._addresses[address] = token

    def close(self, request: TwinRequest, address: str) -> None:
        """Closes the session at `address`, else the one that the request shows."""
        token = self._addresses.pop(address, None) or self._shown_token(request)
        self._used.pop(token or "", None)

    def expire_all(self) -> None:
        self._used.clear()

    def _new_token(self, now: float) -> str:
        self._opened += 1
        token = uuid5(NAMESPACE, f"session/{self._opened}").hex
        self._used[token] = now
        return token

    def _is_open(self, token: str, now: float) -> bool:
        return token in self._used and now - self._used[token] <= self._lifetime_s

    def _is_keyed(self) -> bool:
        return "api_key" in self._auth.kinds

    def _shown_token(self, request: TwinRequest) -> str | None:
        rule = self._auth.session
        if rule is None or "session" not in self._auth.kinds:
            return None
        if rule.send_as.within == "cookie":
            pairs = (pair.strip().partition("=") for pair in (request.header("cookie") or "").split(";"))
            return next((value for name, _, value in pairs if name == rule.send_as.at), None)
        shown = request.header(rule.send_as.at.lower())
        before = rule.shown("")
        return shown.removeprefix(before) if shown is not None and shown.startswith(before) else None

    def _has_key(self, request: TwinRequest) -> bool:
        if "bearer" in self._auth.kinds and request.header("authorization") == f"Bearer {self._credentials.key}":
            return True
        header = (self._auth.api_key_header or "x-api-key").lower()
        return self._is_keyed() and request.header(header) == self._credentials.key

    def _has_basic(self, request: TwinRequest) -> bool:
        scheme, _, encoded = (request.header("authorization") or "").partition(" ")
        wanted = f"{self._credentials.username}:{self._credentials.password}"
        try:
            return scheme.lower() == "basic" and base64.b64decode(encoded, validate=True).decode() == wanted
        except ValueError:
            return False


def _sent(rule: SessionRule, token: str) -> tuple[tuple[str, str], ...]:
    name = rule.send_as.at
    return (("cookie", f"{name}={token}"),) if rule.send_as.within == "cookie" else ((name.lower(), rule.shown(token)),)


def filled(template: Json, credentials: Credentials) -> Json:
    """A login's body with the account's user name and password."""
    if isinstance(template, dict):
        return {name: filled(value, credentials) for name, value in template.items()}
    return {"{username}": credentials.username, "{password}": credentials.password}.get(str(template), template)


def _answers(template: Mapping[str, Json], body: Json, credentials: Credentials) -> bool:
    """Whether the body holds the account's user name and password where the login's template says."""
    if not isinstance(body, dict):
        return False
    for name, wanted in template.items():
        if isinstance(wanted, dict):
            if not _answers(wanted, body.get(name), credentials):
                return False
        elif wanted in ("{username}", "{password}"):
            expected = credentials.username if wanted == "{username}" else credentials.password
            if body.get(name) != expected:
                return False
    return True
