"""Who may do what over HTTP: one table of routes and roles, and the gate that every request passes first.

What the table does not name needs the highest role, so a forgotten route is closed, not open. The gate checks, in
this order: where the request was addressed to (Host) and where it comes from (Origin), whose credential it carries,
what that caller's role may do. It stands before MCP and the REST API alike. A cookie counts for the REST API alone, and
for what changes something only with its CSRF token. Whose a credential is, the authenticator knows (`authenticator`).
Here never lives what a role may decide on a revision (`governance.transitions`). RFC 6750, 9457; MCP, transports.
"""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from governance.errors import GovernanceError
from governance.people.sessions import Session
from governance.registry.library_checks import MAX_BYTES
from governance.transitions import Role, may
from runtime.admission.bodies import Bodies, whole_body
from runtime.admission.concurrency import Concurrency, Kind
from runtime.admission.rates import Rates
from runtime.admission.turns import Turns
from runtime.caller import CALLER, CONNECTION, LOCAL, METRICS_PATH, SESSION, WATCHES, Caller
from runtime.credentials import SAFE_METHODS, bearer_in, cookie_in, shows_csrf, token_in
from runtime.observing import traces
from runtime.problems import Problem, of_error, respond

if TYPE_CHECKING:  # a call without a server needs none
    from runtime.admission.connections import HttpConnection

# Where the site stands that a message came from, and the hash of the body that it has signed.
SITE = "switchgear.site"
MCP_PATH = "/mcp"
# The method of MCP whose answer is a stream that stays open; the other one is GET. Handshake versions do not know it.
LISTENS = b"subscriptions/listen"
# Sites of this hub come here: each by its signature, with places of their own.
SITES_PATH = "/sites/exchange"
# The console's own rule: it takes everybody as far as its login, and asks the REST API for all else, by this very gate.
CONSOLE_PATH = "/console"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# Inputs are names, numbers and small objects; files do not come this way.
MAX_BODY_BYTES = 4 * 1024 * 1024
# A password, or a decision.
MAX_STRANGERS_BYTES = 64 * 1024
# Who a client is, or what it listens to: it is kept as long as the session or the stream.
MAX_KEPT_BYTES = 64 * 1024
# All workflows of a site, or one answer of 4 MB and what stands around it.
MAX_SITES_BYTES = 16 * 1024 * 1024
# Both shipped APIs with all proofs are 5 MB; what is larger is brought on the server.
MAX_BUNDLE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RouteRule:
    """`role` None: open to everyone. `takes_password`: a browser may give the token as the password of Basic.

    `takes_whole`: what is told is about everything, so that a caller with a limited scope may not ask.
    `is_survey`: it goes through all that is stored. `max_body_bytes`: how much may be sent.
    """

    method: str
    path: str
    role: Role | None
    takes_password: bool = False
    takes_whole: bool = False
    is_survey: bool = False
    max_body_bytes: int = MAX_BODY_BYTES


RULES: tuple[RouteRule, ...] = (
    RouteRule("GET", "/health", None),
    RouteRule("GET", "/ready", None),
    RouteRule("GET", "/docs", "viewer", takes_password=True),
    RouteRule("GET", "/openapi.json", "viewer"),
    RouteRule("GET", "/admin/openapi.json", "viewer"),
    RouteRule("GET", METRICS_PATH, "viewer", takes_whole=True),
    RouteRule("GET", "/workflows", "viewer"),
    RouteRule("GET", "/workflows/pending", "viewer"),
    RouteRule("GET", "/workflows/counts", "viewer"),
    RouteRule("GET", "/workflows/{ref}", "viewer"),
    RouteRule("GET", "/workflows/{ref}/graph", "viewer"),
    RouteRule("POST", "/workflows/{ref}/run", "operator"),
    RouteRule("POST", "/workflows/{ref}/run-selection", "operator"),
    RouteRule("POST", "/workflows/{ref}/approve", "approver"),
    RouteRule("POST", "/workflows/{ref}/reject", "approver"),
    RouteRule("POST", "/workflows/{ref}/retire", "approver"),
    RouteRule("GET", "/tools/list", "viewer"),
    RouteRule("GET", "/prompts/list", "viewer"),
    RouteRule("GET", "/resources/list", "viewer"),
    RouteRule("POST", "/tools/search_workflows", "viewer"),
    RouteRule("POST", "/tools/describe_workflow", "viewer"),
    RouteRule("POST", "/tools/search_api", "viewer"),
    RouteRule("POST", "/tools/describe_operation", "viewer"),
    RouteRule("GET", "/knowledge", "viewer"),
    RouteRule("GET", "/knowledge/operation", "viewer"),
    RouteRule("POST", "/tools/select_sites", "viewer"),
    RouteRule("POST", "/tools/satisfy", "operator"),
    RouteRule("POST", "/tools/dispatch", "operator"),
    RouteRule("POST", "/knowledge/operation/submit", "approver"),
    RouteRule("POST", "/tools/call_api", "operator"),
    RouteRule("POST", "/tools/run_workflow", "operator"),
    RouteRule("POST", "/tools/get_run", "viewer"),
    RouteRule("POST", "/tools/cancel_run", "operator"),
    RouteRule("POST", "/tools/{name}", "operator"),
    RouteRule("GET", "/workflows/disabled", "viewer"),
    RouteRule("POST", "/workflows/{ref}/disable", "approver"),
    RouteRule("POST", "/workflows/{ref}/enable", "approver"),
    RouteRule("POST", "/login", None, max_body_bytes=MAX_STRANGERS_BYTES),  # by name and password (`api.login`)
    RouteRule("POST", "/logout", "viewer"),
    RouteRule("GET", "/session", "viewer"),
    RouteRule("POST", "/password", "viewer"),
    RouteRule("GET", "/users", "admin", takes_whole=True),
    RouteRule("POST", "/users", "admin", takes_whole=True),
    RouteRule("PATCH", "/users/{user}", "admin", takes_whole=True),
    RouteRule("POST", "/users/{user}/disable", "admin", takes_whole=True),
    RouteRule("POST", "/users/{user}/enable", "admin", takes_whole=True),
    RouteRule("POST", "/users/{user}/password", "admin", takes_whole=True),
    RouteRule(
        "POST", "/webhooks/{name}", None, max_body_bytes=MAX_STRANGERS_BYTES
    ),  # by its signature (`api.webhooks`)
    RouteRule("GET", "/events/endpoints", "admin", takes_whole=True),
    RouteRule("POST", "/events/endpoints", "admin", takes_whole=True),
    RouteRule("DELETE", "/events/endpoints/{endpoint}", "admin", takes_whole=True),
    RouteRule("POST", "/events/endpoints/{endpoint}/enable", "admin", takes_whole=True),
    RouteRule("GET", "/events/dead", "admin", takes_whole=True),
    RouteRule("POST", "/events/dead/{letter}/resend", "admin", takes_whole=True),
    RouteRule("POST", "/reload", "operator", takes_whole=True),
    RouteRule("GET", "/runs", "viewer"),
    RouteRule("GET", "/runs/{run_id}", "viewer"),
    RouteRule("GET", "/runs/{run_id}/journal", "viewer"),
    RouteRule("POST", "/runs/{run_id}/cancel", "operator"),
    RouteRule("POST", "/runs/{run_id}/resolve", "operator"),
    RouteRule("GET", "/asks", "viewer"),
    RouteRule("GET", "/asks/{ask}", "viewer"),
    RouteRule("POST", "/asks/{ask}/let-through", "approver"),
    RouteRule("POST", "/asks/{ask}/refuse", "approver"),
    RouteRule("GET", "/schedules", "viewer"),
    RouteRule("GET", "/schedules/{schedule}", "viewer"),
    RouteRule("POST", "/schedules", "operator"),
    RouteRule("POST", "/schedules/{schedule}/pause", "operator"),
    RouteRule("POST", "/schedules/{schedule}/resume", "operator"),
    RouteRule("DELETE", "/schedules/{schedule}", "operator"),
    RouteRule("GET", "/targets", "viewer"),
    RouteRule("POST", "/targets", "admin", takes_whole=True),
    RouteRule("GET", "/targets/{name}", "viewer"),
    RouteRule("PUT", "/targets/{name}", "admin", takes_whole=True),
    RouteRule("DELETE", "/targets/{name}", "admin", takes_whole=True),
    RouteRule("GET", "/targets/{name}/test", "viewer"),
    RouteRule("POST", "/targets/{name}/test", "operator"),
    RouteRule("GET", "/servers", "viewer"),
    RouteRule("POST", "/servers", "admin", takes_whole=True),
    RouteRule("POST", "/servers/import", "admin", takes_whole=True),
    RouteRule("GET", "/servers/export", "admin", takes_whole=True),
    RouteRule("GET", "/servers/{name}", "viewer"),
    RouteRule("DELETE", "/servers/{name}", "admin", takes_whole=True),
    RouteRule("POST", "/servers/{name}/disable", "admin", takes_whole=True),
    RouteRule("POST", "/servers/{name}/enable", "admin", takes_whole=True),
    RouteRule("POST", "/servers/{name}/test", "operator"),
    RouteRule("POST", "/servers/{name}/sync", "approver", takes_whole=True),
    RouteRule("POST", "/servers/{name}/tools/{tool}/classify", "approver", takes_whole=True),
    RouteRule("GET", "/sites", "viewer"),
    RouteRule("POST", "/sites", "admin", takes_whole=True),
    RouteRule("GET", "/sites/{name}", "viewer"),
    RouteRule("POST", "/sites/bundles", "admin", takes_whole=True, max_body_bytes=MAX_SITES_BYTES),
    RouteRule("POST", "/sites/join", None, max_body_bytes=MAX_STRANGERS_BYTES),  # by its invitation (`api.sites`)
    RouteRule("POST", SITES_PATH, None, max_body_bytes=MAX_SITES_BYTES),  # by its signature (`sites.hub`)
    RouteRule("GET", "/audit", "approver", takes_whole=True),
    RouteRule("GET", "/audit/export", "approver", takes_whole=True),
    RouteRule("GET", "/audit/stats", "approver", takes_whole=True, is_survey=True),
    RouteRule("GET", "/audit/verify", "approver", takes_whole=True, is_survey=True),
    RouteRule("GET", "/tokens", "admin", takes_whole=True),
    RouteRule("POST", "/tokens", "admin", takes_whole=True),
    RouteRule("DELETE", "/tokens/{ref}", "admin", takes_whole=True),
    RouteRule("GET", "/settings", "admin", takes_whole=True),
    RouteRule("GET", "/policy", "viewer"),
    RouteRule("PUT", "/policy", "admin", takes_whole=True),
    RouteRule("POST", "/policy/preview", "approver", is_survey=True),
    RouteRule("GET", "/catalog", "viewer"),
    RouteRule("GET", "/webhooks", "admin", takes_whole=True),
    RouteRule("POST", "/webhooks", "admin", takes_whole=True),
    RouteRule("DELETE", "/webhooks/{sender}", "admin", takes_whole=True),
    RouteRule("GET", "/bundles", "viewer", takes_whole=True),
    RouteRule("POST", "/bundles", "admin", takes_whole=True, max_body_bytes=MAX_BUNDLE_BYTES),
    RouteRule("POST", "/bundles/verify", "approver", takes_whole=True, max_body_bytes=MAX_BUNDLE_BYTES),
    RouteRule("POST", "/bundles/export", "admin", takes_whole=True),
    RouteRule("GET", "/devices", "viewer"),
    RouteRule("GET", "/specs", "viewer", takes_whole=True),
    RouteRule("GET", "/specs/{name}", "viewer", takes_whole=True),
    RouteRule("PUT", "/specs/{name}", "admin", takes_whole=True, max_body_bytes=MAX_BYTES),
    RouteRule("DELETE", "/specs/{name}", "admin", takes_whole=True),
    RouteRule("POST", "/specs/{name}/build", "admin", takes_whole=True),
    RouteRule("GET", "/builds", "viewer", takes_whole=True),
    RouteRule("GET", "/builds/{build}", "viewer", takes_whole=True),
    RouteRule("GET", "/profiles", "viewer", takes_whole=True),
    RouteRule("GET", "/profiles/{name}", "viewer", takes_whole=True),
    RouteRule("PUT", "/profiles/{name}", "admin", takes_whole=True),
    RouteRule("DELETE", "/profiles/{name}", "admin", takes_whole=True),
    RouteRule("GET", MCP_PATH, "operator"),
    RouteRule("POST", MCP_PATH, "operator"),
    RouteRule("DELETE", MCP_PATH, "operator"),
)
# A bundle that is sent by a form is held twice, once for the API: half of what one caller has room for.
CONSOLE = RouteRule("*", CONSOLE_PATH, None, max_body_bytes=MAX_BUNDLE_BYTES // 2)
_PLAIN = {(rule.method, rule.path): rule for rule in RULES}
_PATTERNS = tuple((rule, re.compile(re.sub(r"\{\w+\}", "[^/]+", rule.path))) for rule in RULES if "{" in rule.path)


def rule_for(method: str, path: str) -> RouteRule:
    """The rule for a request; for what no rule names, one that asks for the highest role."""
    known = _PLAIN.get((method, path))
    if known is not None:
        return known
    matching = (rule for rule, pattern in _PATTERNS if rule.method == method and pattern.fullmatch(path))
    return next(matching, RouteRule(method, path, "admin"))


def is_of_console(path: str) -> bool:
    return path == "/" or path == CONSOLE_PATH or path.startswith(f"{CONSOLE_PATH}/")


class Door(Protocol):
    """What the gate asks; `authenticator.Authenticator` answers."""

    async def caller(self, secret: str | None) -> Caller | None:
        """Who holds a token or JWT; None as `secret`: whoever shows none."""

    async def session(self, secret: str) -> Session | None:
        """The session with this cookie."""


class McpDoor(Protocol):
    """What answers MCP; `admission.mcp_sessions.McpSessions`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""

    def opens(self, scope: Scope) -> bool:
        """Whether a session may be opened by this request."""

    def opening(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        """A place for one that may. Raises Problem."""


class SiteDoor(Protocol):
    """What the gate asks of sites; `runtime.sites.hub.Hub` answers."""

    async def signed(self, statement: str) -> tuple[str, str]:
        """The site that says so, and the hash of what it sends. Raises Problem."""


class Gate:
    """The application's front: admits a request to MCP or to the REST API, or answers it with a problem."""

    def __init__(
        self,
        api: ASGIApp,
        mcp: McpDoor,
        authenticator: Door,
        hosts: frozenset[str] | None,
        rates: Rates,
        concurrency: Concurrency,
        *,
        metrics_open: bool = False,
        console: Callable[[ASGIApp], ASGIApp] | None = None,
        sites: SiteDoor | None = None,
    ) -> None:
        """`hosts`: the names under which this server may be addressed; None, with tokens only: any.

        `console`: makes the pages for people of whatever they ask, which is this gate.
        """
        self._api = api
        self._mcp = mcp
        self._console = console(self) if console else api
        self._authenticator = authenticator
        self._hosts = hosts
        self._rates = rates
        self._concurrency = concurrency
        self._turns = Turns()
        self._bodies = Bodies()
        self._metrics_open = metrics_open
        self._sites = sites

    def unbegun(self, caller: str) -> int:
        """How many requests of `caller` wait for their turn."""
        return self._turns.waiting(caller)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._api(scope, receive, send)
        if scope["type"] != "http":  # there are no websockets here
            return
        async with AsyncExitStack() as inside:
            try:
                rule = await self._admit(scope)
                heard = await self._enter(scope, receive, rule, inside)
            except Problem as problem:
                await respond(problem)(scope, receive, send)
                return
            if heard is None:  # whoever asked is gone
                return
            inside.enter_context(traces.continued(scope["headers"]))
            await self._behind(rule, scope["path"])(scope, heard, send)

    def _behind(self, rule: RouteRule, path: str) -> ASGIApp:
        if rule is CONSOLE:
            return self._console
        return self._mcp if path == MCP_PATH else self._api

    async def _enter(self, scope: Scope, receive: Receive, rule: RouteRule, inside: AsyncExitStack) -> Receive | None:
        """A place for the request, and its body as a whole; None where that does not come.

        A stranger's comes first: what is half sent takes no place. A caller's place is one of their own share.
        """
        if scope["path"] in WATCHES:
            return receive
        caller: Caller | None = scope.get(CALLER)
        connection: HttpConnection | None = scope.get("state", {}).get(CONNECTION)
        share = None if caller is None or caller is LOCAL else caller.name
        if connection is not None and caller is not None:
            connection.belongs_to(caller, has_share=share is not None)
        heard = await whole_body(scope, receive) if caller is None else receive
        kind = _kind(scope, rule)
        opens = rule.path == MCP_PATH and self._mcp.opens(scope)
        if kind == "stream" or opens:
            check_size(Headers(scope=scope), MAX_KEPT_BYTES)
        inside.enter_context(self._concurrency.place(kind, share))
        if caller is None:
            return heard
        inside.enter_context(self._bodies.room(_length(scope), caller.name))
        heard = await whole_body(scope, receive, is_any=kind in ("admin", "site"))
        if heard is not None and opens:
            await inside.enter_async_context(self._mcp.opening(scope))
        # The console waits for turns of its own calls; what sites say is about calls that have begun.
        if heard is not None and kind not in ("admin", "site") and rule is not CONSOLE:
            await inside.enter_async_context(self._turns.turn(caller.name))
        return heard

    async def _admit(self, scope: Scope) -> RouteRule:
        """Finds out who asks, and whether they may. Raises Problem."""
        headers = Headers(scope=scope)
        check_addresses(headers, self._hosts, str(scope.get("scheme", "http")))
        rule = CONSOLE if is_of_console(scope["path"]) else rule_for(scope["method"], scope["path"])
        check_size(headers, rule.max_body_bytes)
        if rule is CONSOLE:
            await self._let_in(scope, headers)
            if CALLER not in scope:
                check_size(headers, MAX_STRANGERS_BYTES)
            return rule
        if rule.path == SITES_PATH and self._sites is not None:
            scope[SITE] = await self._sites.signed(bearer_in(headers, takes_password=False) or "")
            scope[CALLER] = Caller(f"site:{scope[SITE][0]}", "viewer")
            return rule
        if rule.role is None or (rule.path == METRICS_PATH and self._metrics_open and _is_here(scope, headers)):
            return rule
        try:
            caller = await self._caller(scope, headers, rule)
        except GovernanceError as error:
            raise of_error(error) from error
        if caller is None:
            scheme = 'Basic realm="the token is the password"' if rule.takes_password else 'Bearer realm="switchgear"'
            remedy = "send `Authorization: Bearer <token>`; tokens are made with `switchgear tokens create`"
            challenge = (("www-authenticate", scheme),)
            raise Problem(401, "no valid token", "The request carries no credential that is valid.", remedy, challenge)
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
            # The SDK lets a session be used only by the principal that opened it, and reads who that is from here. It
            # takes as long to import as all else that `switchgear call` needs, which comes without a server.
            from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
            from mcp.server.auth.provider import AccessToken

            scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=caller.name, scopes=[]))
        return rule

    async def _let_in(self, scope: Scope, headers: Headers) -> None:
        """Notes whose pages are asked for, if somebody's. What they may, is found where the pages ask for it."""
        scheme = str(scope.get("scheme", "http"))
        cookie, token = cookie_in(headers, scheme), token_in(headers, scheme)
        try:
            session = None if cookie is None else await self._authenticator.session(cookie)
            if session is not None and cookie is not None:
                scope[SESSION] = (session, cookie)
                scope[CALLER] = Caller(session.user.name, session.user.role, session.user.scope)
                return
            caller = await self._authenticator.caller(token)
        except GovernanceError as error:
            raise of_error(error) from error
        if caller is not None:
            scope[CALLER] = caller

    async def _caller(self, scope: Scope, headers: Headers, rule: RouteRule) -> Caller | None:
        """Whose credential the request carries. A cookie that is none any more is as if it were not there."""
        cookie = None if rule.path == MCP_PATH else cookie_in(headers, str(scope.get("scheme", "http")))
        session = None if cookie is None else await self._authenticator.session(cookie)
        if cookie is None or session is None:
            return await self._authenticator.caller(bearer_in(headers, takes_password=rule.takes_password))
        if scope["method"] not in SAFE_METHODS and not shows_csrf(headers, cookie):
            detail = "What a session changes takes the CSRF token of that session."
            raise Problem(403, "no CSRF token", detail, "send X-CSRF-Token as `GET /session` tells it")
        scope[SESSION] = (session, cookie)
        return Caller(session.user.name, session.user.role, session.user.scope)


def _length(scope: Scope) -> int:
    return int(Headers(scope=scope).get("content-length", "0"))


def _kind(scope: Scope, rule: RouteRule) -> Kind:
    """Which places a request takes one of. What listens is told by its method, which MCP wants in a header too."""
    if rule.path == SITES_PATH:
        return "site"
    if rule.role is None:
        return "call" if rule is CONSOLE and CALLER in scope else "stranger"
    listens = (b"mcp-method", LISTENS) in scope["headers"] or scope["method"] == "GET"
    if rule.path == MCP_PATH and listens:
        return "stream"
    if rule.is_survey:
        return "survey"
    return "admin" if rule.role == "admin" else "call"


def _is_here(scope: Scope, headers: Headers) -> bool:
    """Whether the request was sent from this machine, and not on behalf of somebody elsewhere."""
    client = scope.get("client") or ("", 0)
    return is_loopback(client[0]) and not {"forwarded", "x-forwarded-for", "x-real-ip", "via"} & set(headers.keys())


def check_addresses(headers: Headers, hosts: frozenset[str] | None, scheme: str) -> None:
    """Raises Problem for a request that was addressed to somebody else, or that a page of somebody else sent.

    A browser can be led to send requests here from any page; it cannot be led to lie in Host and Origin.
    """
    host = headers.get("host", "")
    if hosts is not None and _name(f"{scheme}://{host}") not in hosts:
        remedy = "use the address that the server printed at its start"
        raise Problem(421, "wrong host", "This server does not answer to that host name.", remedy)
    origin = headers.get("origin")
    # With https as well: something in front may do TLS.
    own = {f"{each}://{host}".lower() for each in (scheme, "https")}
    if origin is not None and origin.lower() not in own and not _both_local(origin, host):
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
