"""Logging in at the console: by name and password, or by a token that is pasted once; and logging out.

A password becomes a session by the API's own login, whose cookie is passed on. A token stays what it is, in a cookie
that no script can read and that counts for the console alone; it is asked before whether it is anybody's. Where to go
on from the login is an address of this console and nothing else.
"""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from runtime.console import rendering
from runtime.console.desk import VISITOR, Desk, see
from runtime.console.forms import ConsoleForm, NoForm, form_of
from runtime.console.inside import ApiRefusal, Inside
from runtime.credentials import TOKEN_COOKIE, clear_cookie, is_over_tls, set_cookie

# A working day, like the longest session.
TOKEN_SECONDS = 12 * 3600


async def show(request: Request) -> Response:
    """The two ways in; whoever is in already goes on."""
    if request.scope[VISITOR] is not None:
        return see(_next(request.query_params.get("next", "")))
    return _page(request.query_params.get("next", ""))


async def log_in(request: Request) -> Response:
    try:
        form = await form_of(request)
    except NoForm:
        return _page("", "What was sent is not a form of this console.", 415)
    api = Inside(request.app.state.gate, request.scope)
    try:
        if form.get("token"):
            return await _by_token(request, form)
        body = {"name": form.get("name"), "password": form.get("password")}
        answer = await api.ask("POST", "/login", body=body)
    except ApiRefusal as refusal:
        return _page(form.get("next"), f"{refusal.detail} {refusal.remedy}".strip(), refusal.status)
    response = see(_next(form.get("next")))
    response.raw_headers += [(b"set-cookie", each.encode("latin-1")) for each in answer.headers.getlist("set-cookie")]
    return response


async def _by_token(request: Request, form: ConsoleForm) -> Response:
    """Raises ApiRefusal for a token that is nobody's."""
    token = form.get("token").strip()
    if not token.isascii() or not token.isprintable() or " " in token or ";" in token or len(token) > 3500:
        raise ApiRefusal(401, "no valid token", "This is no token that is valid.")
    api = Inside(request.app.state.gate, request.scope, ((b"authorization", b"Bearer " + token.encode()),))
    try:
        await api.get("/session")
    except ApiRefusal as refusal:
        raise ApiRefusal(refusal.status, refusal.title, "This is no token that is valid.") from refusal
    response = see(_next(form.get("next")))
    set_cookie(response, token, is_tls=_is_tls(request), name=TOKEN_COOKIE, seconds=TOKEN_SECONDS)
    return response


async def log_out(desk: Desk) -> Response:
    """Ends the session, and takes either cookie away."""
    if desk.visitor.via == "session":
        await desk.api.ask("POST", "/logout")
    response = see("/console/login")
    for name in ("switchgear-session", TOKEN_COOKIE):
        clear_cookie(response, is_tls=_is_tls(desk.request), name=name)
    return response


def _page(next_page: str, told: str = "", status: int = 200) -> Response:
    return rendering.page("login.html", status, next=_next(next_page), told=told)


def _next(path: str) -> str:
    """An address within this console; a browser takes `//host` and `\\` for another one."""
    is_ours = path == "/" or path.startswith(("/console?", "/console/"))
    if not is_ours or "\\" in path or "\n" in path or "\r" in path:
        return "/"
    return quote(path, safe="/?&=%+@:,.~-_")


def _is_tls(request: Request) -> bool:
    return is_over_tls(request.headers, str(request.scope.get("scheme", "http")))
