"""Who may do what over HTTP: one table of routes and roles, and the gate that every request passes first.

What the table does not name needs the highest role, so a forgotten route is closed, not open. The gate checks, in
this order: where the request was addressed to (Host) and where it comes from (Origin), whose token it carries, what
that principal's role may do. It stands before MCP and the REST API alike. Tokens are checked by
`governance.principals`; its answers are remembered until `forget` is called, which happens whenever a token changes.
Here never lives what a role may decide on a revision (`governance.transitions`). RFC 6750, 9457; MCP, transports.
"""

import base64
import hashlib
import re
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from governance.errors import GovernanceError
from governance.identifiers import moment, utc_now
from governance.library_checks import MAX_BYTES
from governance.principals import PrincipalStore
from governance.scopes import WHOLE
from governance.scopes import Scope as Reach
from governance.transitions import Role, may
from runtime import traces
from runtime.crowd import Crowd
from runtime.problems import Problem, of_error, respond
from runtime.rates import Rates

CALLER = "switchgear.caller"
MCP_PATH = "/mcp"
METRICS_PATH = "/metrics"
# Whoever looks after the server has to be told how it is, however many others ask.
WATCHES = frozenset({"/health", "/ready", METRICS_PATH})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# Inputs are names, numbers and small objects; files do not come this way.
MAX_BODY_BYTES = 4 * 1024 * 1024
# More distinct tokens than one installation has; guesses are not kept.
MAX_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `name` is what runs and audit rows say; `scope` is what is there for them at all."""

    name: str
    role: Role
    scope: Reach = WHOLE


# Without any token in the database only this machine can connect, and whoever can do that could read the database.
LOCAL = Caller("local", "admin")


@dataclass(frozen=True, slots=True)
class Rule:
    """`role` None: open to everyone. `takes_password`: a browser may give the token as the password of Basic.

    `takes_whole`: what is told is about everything, so that a caller with a limited scope may not ask.
    `max_body_bytes`: how much may be sent.
    """

    method: str
    path: str
    role: Role | None
    takes_password: bool = False
    takes_whole: bool = False
    max_body_bytes: int = MAX_BODY_BYTES


RULES: tuple[Rule, ...] = (
    Rule("GET", "/health", None),
    Rule("GET", "/ready", None),
    Rule("GET", "/docs", "viewer", takes_password=True),
    Rule("GET", "/openapi.json", "viewer"),
    Rule("GET", METRICS_PATH, "viewer", takes_whole=True),
    Rule("GET", "/workflows", "viewer"),
    Rule("GET", "/workflows/pending", "viewer"),
    Rule("GET", "/workflows/{ref}", "viewer"),
    Rule("POST", "/workflows/{ref}/run", "operator"),
    Rule("POST", "/workflows/{ref}/run-selection", "operator"),
    Rule("POST", "/workflows/{ref}/approve", "approver"),
    Rule("POST", "/workflows/{ref}/reject", "approver"),
    Rule("POST", "/workflows/{ref}/retire", "approver"),
    Rule("GET", "/workflows/disabled", "viewer"),
    Rule("POST", "/workflows/{ref}/disable", "approver"),
    Rule("POST", "/workflows/{ref}/enable", "approver"),
    Rule("POST", "/webhooks/{name}", None),  # by its signature (`api.webhooks`)
    Rule("GET", "/events/endpoints", "admin", takes_whole=True),
    Rule("POST", "/events/endpoints", "admin", takes_whole=True),
    Rule("DELETE", "/events/endpoints/{endpoint}", "admin", takes_whole=True),
    Rule("POST", "/events/endpoints/{endpoint}/enable", "admin", takes_whole=True),
    Rule("GET", "/events/dead", "admin", takes_whole=True),
    Rule("POST", "/events/dead/{letter}/resend", "admin", takes_whole=True),
    Rule("POST", "/reload", "operator", takes_whole=True),
    Rule("GET", "/runs", "viewer"),
    Rule("GET", "/runs/{run_id}", "viewer"),
    Rule("GET", "/runs/{run_id}/journal", "viewer"),
    Rule("POST", "/runs/{run_id}/cancel", "operator"),
    Rule("POST", "/runs/{run_id}/resolve", "operator"),
    Rule("GET", "/schedules", "viewer"),
    Rule("GET", "/schedules/{schedule}", "viewer"),
    Rule("POST", "/schedules", "operator"),
    Rule("POST", "/schedules/{schedule}/pause", "operator"),
    Rule("POST", "/schedules/{schedule}/resume", "operator"),
    Rule("DELETE", "/schedules/{schedule}", "operator"),
    Rule("GET", "/targets", "viewer"),
    Rule("POST", "/targets", "admin", takes_whole=True),
    Rule("GET", "/targets/{name}", "viewer"),
    Rule("PUT", "/targets/{name}", "admin", takes_whole=True),
    Rule("DELETE", "/targets/{name}", "admin", takes_whole=True),
    Rule("POST", "/targets/{name}/test", "operator"),
    Rule("GET", "/audit", "approver", takes_whole=True),
    Rule("GET", "/audit/export", "approver", takes_whole=True),
    Rule("GET", "/audit/stats", "approver", takes_whole=True),
    Rule("GET", "/tokens", "admin", takes_whole=True),
    Rule("POST", "/tokens", "admin", takes_whole=True),
    Rule("DELETE", "/tokens/{ref}", "admin", takes_whole=True),
    Rule("GET", "/settings", "admin", takes_whole=True),
    Rule("GET", "/policy", "viewer"),
    Rule("PUT", "/policy", "admin", takes_whole=True),
    Rule("GET", "/specs", "viewer", takes_whole=True),
    Rule("GET", "/specs/{name}", "viewer", takes_whole=True),
    Rule("PUT", "/specs/{name}", "admin", takes_whole=True, max_body_bytes=MAX_BYTES),
    Rule("DELETE", "/specs/{name}", "admin", takes_whole=True),
    Rule("GET", "/profiles", "viewer", takes_whole=True),
    Rule("GET", "/profiles/{name}", "viewer", takes_whole=True),
    Rule("PUT", "/profiles/{name}", "admin", takes_whole=True),
    Rule("DELETE", "/profiles/{name}", "admin", takes_whole=True),
    Rule("GET", MCP_PATH, "operator"),
    Rule("POST", MCP_PATH, "operator"),
    Rule("DELETE", MCP_PATH, "operator"),
)
_PLAIN = {(rule.method, rule.path): rule for rule in RULES}
_PATTERNS = tuple((rule, re.compile(re.sub(r"\{\w+\}", "[^/]+", rule.path))) for rule in RULES if "{" in rule.path)


def rule_for(method: str, path: str) -> Rule:
    """The rule for a request; for what no rule names, one that asks for the highest role."""
    known = _PLAIN.get((method, path))
    if known is not None:
        return known
    matching = (rule for rule, pattern in _PATTERNS if rule.method == method and pattern.fullmatch(path))
    return next(matching, Rule(method, path, "admin"))


class Doorkeeper:
    """Knows whose token it is, and whether one is needed at all."""

    def __init__(self, principals: PrincipalStore) -> None:
        self._principals = principals
        self._known: dict[bytes, tuple[Caller, str]] = {}
        self._needs_token = False

    async def look(self) -> None:
        """Learns whether there are tokens. Once there were, a token is needed as long as the process lives."""
        self._needs_token = self._needs_token or await self._principals.any_tokens()

    @property
    def needs_token(self) -> bool:
        return self._needs_token

    def forget(self) -> None:
        """To be called when any token was made, has expired or was revoked."""
        self._known.clear()

    async def caller(self, secret: str | None) -> Caller | None:
        """Who holds `secret`; without tokens in the database, whoever is on this machine."""
        if secret is None:
            if not self._needs_token:
                await self.look()
            return None if self._needs_token else LOCAL
        key = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
        caller, expires_at = self._known.get(key, (None, ""))
        if caller is not None and (not expires_at or moment(utc_now()) < expires_at):
            return caller
        principal = await self._principals.authenticate(secret)
        if principal is None:
            self._known.pop(key, None)
            return None
        if len(self._known) >= MAX_REMEMBERED:
            self._known.clear()
        caller = Caller(principal.name, principal.role, principal.scope)
        self._known[key] = (caller, principal.expires_at or "")
        return caller


class Gate:
    """The application's front: admits a request to MCP or to the REST API, or answers it with a problem."""

    def __init__(
        self,
        api: ASGIApp,
        mcp: ASGIApp,
        doorkeeper: Doorkeeper,
        hosts: frozenset[str] | None,
        rates: Rates,
        crowd: Crowd,
        *,
        metrics_open: bool = False,
    ) -> None:
        """`hosts`: the names under which this server may be addressed; None, with tokens only: any."""
        self._api = api
        self._mcp = mcp
        self._doorkeeper = doorkeeper
        self._hosts = hosts
        self._rates = rates
        self._crowd = crowd
        self._metrics_open = metrics_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._api(scope, receive, send)
        if scope["type"] != "http":  # there are no websockets here
            return
        with ExitStack() as inside:
            try:
                await self._admit(scope)
                if scope["path"] not in WATCHES:
                    inside.enter_context(self._crowd.place())
            except Problem as problem:
                await respond(problem)(scope, receive, send)
                return
            inside.enter_context(traces.continued(scope["headers"]))
            await (self._mcp if scope["path"] == MCP_PATH else self._api)(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        check_addresses(headers, self._hosts, str(scope.get("scheme", "http")))
        rule = rule_for(scope["method"], scope["path"])
        check_size(headers, rule.max_body_bytes)
        if rule.role is None or (rule.path == METRICS_PATH and self._metrics_open and _is_here(scope, headers)):
            return
        try:
            caller = await self._doorkeeper.caller(_secret(headers, rule))
        except GovernanceError as error:
            raise of_error(error) from error
        if caller is None:
            scheme = 'Basic realm="the token is the password"' if rule.takes_password else 'Bearer realm="switchgear"'
            remedy = "send `Authorization: Bearer <token>`; tokens are made with `switchgear tokens create`"
            challenge = (("www-authenticate", scheme),)
            raise Problem(401, "no valid token", "The request carries no token that is valid.", remedy, challenge)
        wait_s = 0 if caller is LOCAL else self._rates.wait_s(caller.name)
        if wait_s:
            detail = "This token asks more often than one may."
            raise Problem(429, "too many requests", detail, f"wait {wait_s} s", (("retry-after", str(wait_s)),))
        if not may(caller.role, rule.role):
            detail = f"The role {caller.role} may not do this; it takes {rule.role}."
            raise Problem(403, "not allowed", detail, f"ask somebody with the role {rule.role}")
        if rule.takes_whole and not caller.scope.is_whole:
            raise Problem(403, "not allowed", "This token is limited to a part.", "ask somebody whose token is not")
        scope[CALLER] = caller
        if rule.path == MCP_PATH:
            # The SDK lets a session be used only by the principal that opened it, and reads who that is from here.
            scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=caller.name, scopes=[]))


def _is_here(scope: Scope, headers: Headers) -> bool:
    """Whether the request was sent from this machine, and not on behalf of somebody elsewhere."""
    client = scope.get("client") or ("", 0)
    return is_loopback(client[0]) and not {"forwarded", "x-forwarded-for", "x-real-ip", "via"} & set(headers.keys())


def _secret(headers: Headers, rule: Rule) -> str | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic" and rule.takes_password:
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:  # no base64, or no text in it
            return ""
    return "" if kind else None


def check_addresses(headers: Headers, hosts: frozenset[str] | None, scheme: str) -> None:
    """Raises Problem for a request that was addressed to somebody else, or that a page of somebody else sent.

    A browser can be led to send requests here from any page; it cannot be led to lie in Host and Origin.
    """
    host = headers.get("host", "")
    if hosts is not None and _name(f"{scheme}://{host}") not in hosts:
        remedy = "use the address that the server printed at its start"
        raise Problem(421, "wrong host", "This server does not answer to that host name.", remedy)
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"{scheme}://{host}".lower() and not _both_local(origin, host):
        raise Problem(403, "foreign origin", "A page of another origin may not call this server.", "")


def check_size(headers: Headers, most: int = MAX_BODY_BYTES) -> None:
    """Raises Problem for a body that is too large, or that does not say how large it is."""
    if "transfer-encoding" in headers:
        raise Problem(411, "length required", "A body must say its length.", "send Content-Length")
    if int(headers.get("content-length", "0")) > most:
        raise Problem(413, "body too large", f"A body may have {most} bytes here.", "send less at a time")


def _both_local(origin: str, host: str) -> bool:
    """A page that this machine serves itself may call a server on this machine, whatever the ports."""
    return _name(origin) in LOOPBACK_NAMES and _name(f"http://{host}") in LOOPBACK_NAMES


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
