"""Who looks at a page: a session of the login, a token that was pasted once, or, where nobody needs one, this machine.

The gate has found out whose credential it is; here it is turned into the headers by which the pages ask the API, and
into the token that every form of theirs carries (CSRF): another site can make a browser send a cookie, and can neither
read nor guess that. Here never lives what a visitor may do. Called by `app`.
"""

import hmac
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

from governance.people.sessions import Session
from runtime.caller import CALLER, SESSION, Caller
from runtime.console.inside import Pairs
from runtime.credentials import COOKIE, CSRF_HEADER, csrf_of, token_in


@dataclass(frozen=True, slots=True)
class Visitor:
    """`shows`: the credential, as headers. `csrf`: what a form that changes something must carry."""

    caller: Caller
    via: str
    shows: Pairs
    csrf: str
    ends_at: str = ""

    def sent_from(self, csrf: str) -> bool:
        """Whether a form that carries `csrf` is one of ours for this visitor."""
        return hmac.compare_digest(csrf.encode(errors="surrogatepass"), self.csrf.encode())


def visitor_of(scope: Scope, process_secret: str) -> Visitor | None:
    """None for a stranger. `process_secret`: what the forms of one who needs no credential are known by."""
    caller: Caller | None = scope.get(CALLER)
    if caller is None:
        return None
    found: tuple[Session, str] | None = scope.get(SESSION)
    scheme = str(scope.get("scheme", "http"))
    if found is not None:
        session, secret = found
        name = f"__Host-{COOKIE}" if scheme == "https" else COOKIE
        csrf = csrf_of(secret)
        shows = ((b"cookie", f"{name}={secret}".encode()), (CSRF_HEADER.encode(), csrf.encode()))
        return Visitor(caller, "session", shows, csrf, session.ends_at)
    token = token_in(Headers(scope=scope), scheme)
    if token is not None:
        bearer = (b"authorization", b"Bearer " + token.encode("latin-1", "replace"))
        return Visitor(caller, "token", (bearer,), csrf_of(token))
    return Visitor(caller, "this machine", (), csrf_of(process_secret))
