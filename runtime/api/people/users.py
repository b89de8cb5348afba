"""Users over HTTP, for admins: who there is, what they may, under which other names they are the same person.

Each change counts at once. Passwords come in and never go out. Here never lives a rule of what is allowed: the store
refuses, in the words that the command line has. docs/ACCESS.md.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from governance.people.scopes import AccessScope
from governance.people.user_rows import User
from runtime.api.parts.models import Json, RoleName, TokenScope
from runtime.api.parts.part import CallerPart, ServicePart, problems

router = APIRouter(prefix="/users", tags=["access"])
Name = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$")]
Also = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=100)]
Password = Annotated[str, Field(max_length=1024)]


class UserRequest(BaseModel):
    """`password` null: they log in nowhere here. `also`: a token's name, cli:NAME, jwt:SUBJECT of the same person."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
    role: RoleName
    password: Password | None = None
    scope: TokenScope = TokenScope()
    also: Also = []


class UserChange(BaseModel):
    """What is null stays."""

    model_config = ConfigDict(extra="forbid")

    role: RoleName | None = None
    scope: TokenScope | None = None
    also: Also | None = None


class NewPassword(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: Password


class UserOut(BaseModel):
    name: str
    role: RoleName
    scope: dict[str, Json]
    also: list[str]
    has_password: bool
    created_at: str
    created_by: str
    disabled_at: str | None


class Users(BaseModel):
    """`faults`: rows of the database that are not as the audit says; such a user may nothing."""

    users: list[UserOut]
    faults: list[str]


@router.get("", responses=problems())
async def list_users(service: ServicePart) -> Users:
    """All users by name."""
    survey = await service.users.survey()
    return Users(users=[_out(user) for user in survey.users], faults=list(survey.faults))


@router.post("", status_code=201, responses=problems(409, 422))
async def add_user(body: UserRequest, service: ServicePart, caller: CallerPart) -> UserOut:
    """Adds a user. The first credential of all closes the server to whoever has none."""
    scope, also = AccessScope.from_json(body.scope.model_dump()), tuple(body.also)
    user = await service.users.add(
        body.name, body.role, password=body.password, scope=scope, also=also, actor=caller.name
    )
    return await _noticed(service, user)


@router.patch("/{user}", responses=problems(404, 409, 422))
async def change_user(user: Name, body: UserChange, service: ServicePart, caller: CallerPart) -> UserOut:
    """Another role, scope or other names; counts in open sessions too."""
    scope = None if body.scope is None else AccessScope.from_json(body.scope.model_dump())
    also = None if body.also is None else tuple(body.also)
    changed = await service.users.change(user, role=body.role, scope=scope, also=also, actor=caller.name)
    return await _noticed(service, changed)


@router.post("/{user}/disable", responses=problems(404, 409, 422))
async def disable_user(user: Name, service: ServicePart, caller: CallerPart) -> UserOut:
    """Keeps a user out at once, with every credential under any of their names."""
    return await _noticed(service, await service.users.disable(user, actor=caller.name))


@router.post("/{user}/enable", responses=problems(404, 409, 422))
async def enable_user(user: Name, service: ServicePart, caller: CallerPart) -> UserOut:
    """Lets a disabled user in again."""
    return await _noticed(service, await service.users.enable(user, actor=caller.name))


@router.post("/{user}/password", responses=problems(404, 409, 422))
async def set_password(user: Name, body: NewPassword, service: ServicePart, caller: CallerPart) -> UserOut:
    """Gives a user another password; all their sessions end."""
    return await _noticed(service, await service.users.set_password(user, body.password, actor=caller.name))


async def _noticed(service: ServicePart, user: User) -> UserOut:
    """Without this it would take until the next look (`watcher`)."""
    service.authenticator.forget()
    await service.authenticator.look()
    return _out(user)


def _out(user: User) -> UserOut:
    return UserOut(**user.to_json())
