"""What a page has at hand: the visitor, the API in their name, the form that was sent; and how a page is answered.

Every page is a function of a `Desk`. `route` makes a route of one: a stranger is sent to the login, a form that is not
ours is turned away, a refusal of the API becomes a page that says it, with the API's own status. Here never lives a
page, nor a right: what a visitor may not, the API refuses.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from governance.transitions import may
from runtime.auth.access import rule_for
from runtime.console import rendering
from runtime.console.forms import ConsoleForm, NoForm, form_of
from runtime.console.inside import ApiRefusal, Inside
from runtime.console.visitor import Visitor

VISITOR = "switchgear.visitor"
LOGIN = "/console/login"
# Name, address, and what it takes: the route of the API that the page asks first.
NAVIGATION = (
    ("Queue", "/console/queue", "GET", "/workflows/pending"),
    ("Calls", "/console/asks", "GET", "/asks"),
    ("Workflows", "/console/workflows", "GET", "/workflows"),
    ("Runs", "/console/runs", "GET", "/runs"),
    ("Targets", "/console/targets", "GET", "/targets"),
    ("Sites", "/console/sites", "GET", "/sites"),
    ("Catalog", "/console/catalog", "GET", "/catalog"),
    ("Schedules", "/console/schedules", "GET", "/schedules"),
    ("Statistics", "/console/statistics", "GET", "/audit/stats"),
    ("Audit", "/console/audit", "GET", "/audit"),
    ("Policy", "/console/policy", "GET", "/policy"),
    ("Access", "/console/access", "GET", "/tokens"),
    ("Events", "/console/events", "GET", "/events/endpoints"),
    ("Library", "/console/library", "GET", "/specs"),
    ("Bundles", "/console/bundles", "GET", "/bundles"),
    ("Settings", "/console/settings", "GET", "/settings"),
)


class Filters(dict[str, str]):
    """The filters in the address; one that is not there is empty."""

    def __missing__(self, name: str) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Cut:
    """A page of a list that the API gives whole."""

    rows: Sequence[Any]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Desk:
    request: Request
    visitor: Visitor
    api: Inside
    form: ConsoleForm = field(default_factory=ConsoleForm)

    def asked(self, name: str) -> str:
        """A parameter of the address."""
        return self.request.query_params.get(name, "")

    def filters(self, names: Iterable[str]) -> Filters:
        """Those of the parameters that say something."""
        return Filters({name: self.asked(name) for name in names if self.asked(name)})

    def number(self, name: str, otherwise: int, most: int) -> int:
        text = self.asked(name)
        return min(max(int(text), 1), most) if text.isdecimal() and len(text) < 9 else otherwise

    def cut(self, rows: Sequence[Any], per_page: int, name: str = "page") -> Cut:
        """The page of `rows` that the address names by `name`."""
        pages = max(1, -(-len(rows) // per_page))
        number = min(self.number(name, 1, pages), pages)
        return Cut(rows[(number - 1) * per_page : number * per_page], number, pages, len(rows))

    def may(self, method: str, path: str) -> bool:
        """Whether the visitor's role opens a route of the API: for what is offered, not for what is allowed."""
        rule, caller = rule_for(method, path), self.visitor.caller
        is_open = rule.role is None or may(caller.role, rule.role)
        return is_open and (not rule.takes_whole or caller.scope.is_whole)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page with what all of them show."""
        offered = [(name, path) for name, path, method, asks in NAVIGATION if self.may(method, asks)]
        here = self.request.url.path
        return rendering.page(
            template, status, desk=self, visitor=self.visitor, navigation=offered, here=here, may=self.may, **values
        )

    def refused(self, refusal: ApiRefusal, back: str = "") -> HTMLResponse:
        return self.page("refused.html", refusal.status, refusal=refusal, back=back)


Page = Callable[[Desk], Awaitable[Response]]


def route(path: str, shown: Page, done: Page | None = None) -> Route:
    """The page at `path`, and what a form that is sent there does."""

    async def answer(request: Request) -> Response:
        visitor: Visitor | None = request.scope[VISITOR]
        if visitor is None:
            return to_login(request)
        api = Inside(request.app.state.gate, request.scope, visitor.shows)
        desk = Desk(request, visitor, api)
        try:
            if request.method != "POST" or done is None:
                return await shown(desk)
            return await done(Desk(request, visitor, api, await _form(request, visitor)))
        except ApiRefusal as refusal:
            return to_login(request) if refusal.status == 401 else desk.refused(refusal)

    methods = ["GET"] if done is None else ["GET", "POST"]
    return Route(path, answer, methods=methods)


async def _form(request: Request, visitor: Visitor) -> ConsoleForm:
    """Raises ApiRefusal for one that is not ours, before anything is done with it."""
    try:
        form = await form_of(request)
    except NoForm as error:
        raise ApiRefusal(415, "no form", "What was sent is not a form of this console.") from error
    if not visitor.sent_from(form.get("csrf")):
        detail = "The form does not carry the token of your login. Nothing was done."
        raise ApiRefusal(403, "no CSRF token", detail, "open the page again, and send it from there")
    return form


def to_login(request: Request) -> Response:
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    next_page = "" if request.method != "GET" or here == "/" else f"?next={quote(here, safe='')}"
    return RedirectResponse(LOGIN + next_page, 303, rendering.HEADERS)


def see(path: str) -> RedirectResponse:
    """On to another page, after something was done."""
    return RedirectResponse(path, 303, rendering.HEADERS)
