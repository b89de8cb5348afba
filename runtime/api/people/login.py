"""Logging in and out over HTTP, for people at a browser: a name and a password for a cookie, which is a session.

The cookie is for the browser alone (HttpOnly, SameSite=Strict, Secure over TLS); pages send the CSRF token beside it
with whatever changes something. Everything else of the API takes the session in the place of a token, but for MCP.
Here never lives what makes a password right (`runtime.auth.login`) or a session end (`governance.people.sessions`).
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from governance.people.sessions import Session
from runtime.api.parts.models import Json, RoleName
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.auth.login import LONGEST_NAME
from runtime.caller import LOCAL, SESSION, Caller
from runtime.credentials import clear_cookie, csrf_of, is_over_tls, set_cookie
from runtime.problems import Problem

router = APIRouter(tags=["access"])
Password = Annotated[str, Field(max_length=1024)]


class LoginRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=LONGEST_NAME)]
    password: Password


class PasswordRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    old: Password
    new: Password


class Standing(BaseModel):
    """Who asks. `via` a session: its CSRF token, for `X-CSRF-Token`, and when it ends whatever is done with it."""

    name: str
    role: RoleName
    scope: dict[str, Json]
    via: Literal["session", "token", "this machine"]
    csrf_token: str | None = None
    ends_at: str | None = None


@router.post("/login", responses=problems(422))
async def log_in(body: LoginRequest, request: Request, response: Response, service: ServicePart) -> Standing:
    """Opens a session for a name and a password. 401 whatever was wrong; 429 when it is tried too often."""
    session, secret = await service.login.log_in(body.name, body.password, _address(request))
    set_cookie(response, secret, is_tls=_is_over_tls(request))
    return _standing(session, secret)


@router.post("/logout", status_code=204, response_class=Response, responses=problems(409))
async def log_out(request: Request, service: ServicePart) -> Response:
    """Ends the session that the request comes with."""
    session, _ = _session_of(request)
    await service.sessions.close(session.id, actor=session.user.name, why="logout")
    return _left(request)


@router.get("/session", responses=problems())
async def show_session(request: Request, response: Response, caller: CallerPart) -> Standing:
    """Who is asking, with which rights; for a session its CSRF token."""
    response.headers["cache-control"] = "no-store"
    found: tuple[Session, str] | None = request.scope.get(SESSION)
    if found is not None:
        return _standing(*found)
    via: Literal["token", "this machine"] = "this machine" if caller is LOCAL else "token"
    return Standing(**_told(caller), via=via)


@router.post("/password", status_code=204, response_class=Response, responses=problems(409, 422))
async def change_password(body: PasswordRequest, request: Request, service: ServicePart) -> Response:
    """Gives the user of the session another password; all their sessions end, this one too."""
    session, _ = _session_of(request)
    await service.login.check(session.user.name, body.old, _address(request))
    await service.users.set_password(session.user.name, body.new, actor=session.user.name)
    return _left(request)


def _session_of(request: Request) -> tuple[Session, str]:
    found: tuple[Session, str] | None = request.scope.get(SESSION)
    if found is None:
        raise Problem(409, "no session", "The request does not come with a session.", "log in first: POST /login")
    return found


def _standing(session: Session, secret: str) -> Standing:
    user = session.user
    told = _told(Caller(user.name, user.role, user.scope))
    return Standing(**told, via="session", csrf_token=csrf_of(secret), ends_at=session.ends_at)


def _told(caller: Caller) -> dict[str, Json]:
    return {"name": caller.name, "role": caller.role, "scope": caller.scope.to_json()}


def _left(request: Request) -> Response:
    response = Response(status_code=204)
    clear_cookie(response, is_tls=_is_over_tls(request))
    return response


def _is_over_tls(request: Request) -> bool:
    return is_over_tls(request.headers, str(request.scope.get("scheme", "http")))


def _address(request: Request) -> str:
    """Whose turn it is to wait; nobody in front is trusted to say who the client is."""
    return request.client.host if request.client else "unknown"
