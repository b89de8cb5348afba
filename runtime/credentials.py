"""What a request shows of who it is: a bearer token, a token as the password of Basic, or the cookie of a session.

Only reading and making the forms they have in headers. A cookie is sent by browsers unasked, so what changes something
must show, besides, the token that is derived from the session's secret and that only a page of ours can know. Over TLS
the cookie has the prefix that keeps other hosts and plain HTTP from setting it. Here never lives whether anything is
valid (`authenticator`). RFC 6750, 7617, 6265bis. Called by `access` and by `api.login`.
"""

import base64
import hmac

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response

COOKIE = "switchgear-session"
TOKEN_COOKIE = "switchgear-token"  # noqa: S105  its name
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD"})


def bearer_in(headers: Headers, *, takes_password: bool) -> str | None:
    """The token that is shown; None where nothing is, "" for something that is none."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic" and takes_password:
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:  # no base64, or no text in it
            return ""
    return "" if kind else None


def cookie_in(headers: Headers, scheme: str) -> str | None:
    """The session's secret, where no token is shown: whoever shows one is meant by it."""
    if "authorization" in headers:
        return None
    return _kept(headers, scheme, COOKIE)


def token_in(headers: Headers, scheme: str) -> str | None:
    """The token that somebody has pasted into the console's login: it counts there alone."""
    return _kept(headers, scheme, TOKEN_COOKIE)


def _kept(headers: Headers, scheme: str, name: str) -> str | None:
    cookies = cookie_parser(headers.get("cookie", ""))
    secret = cookies.get(f"__Host-{name}") or (cookies.get(name) if scheme != "https" else None)
    return secret or None


def set_cookie(
    response: Response, secret: str, *, is_tls: bool, name: str = COOKIE, seconds: int | None = None
) -> None:
    """Without an end of its own (`seconds`) the server ends it, and the browser forgets it when it is closed."""
    response.set_cookie(
        _name(is_tls, name), secret, max_age=seconds, httponly=True, samesite="strict", secure=is_tls, path="/"
    )
    response.headers["cache-control"] = "no-store"


def clear_cookie(response: Response, *, is_tls: bool, name: str = COOKIE) -> None:
    response.delete_cookie(_name(is_tls, name), httponly=True, samesite="strict", secure=is_tls, path="/")


def is_over_tls(headers: Headers, scheme: str) -> bool:
    """Also behind something that does TLS in front: the page's own origin says so."""
    return scheme == "https" or headers.get("origin", "").lower().startswith("https://")


def csrf_of(secret: str) -> str:
    """What changing requests of this session must show."""
    return hmac.new(secret.encode(errors="surrogatepass"), b"csrf", "sha256").hexdigest()


def shows_csrf(headers: Headers, secret: str) -> bool:
    shown = headers.get(CSRF_HEADER, "")
    return hmac.compare_digest(shown.encode(errors="surrogatepass"), csrf_of(secret).encode())


def _name(is_tls: bool, name: str) -> str:
    return f"__Host-{name}" if is_tls else name
