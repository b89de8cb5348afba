"""The server's own affairs over HTTP, for admins: tokens, the settings it runs with, and the policy in force.

A token's secret is in the answer to its making and nowhere else. What is changed here counts at once: a revoked token
is out with the answer. Of settings that are secrets it is told whether they are set.
Here never lives a rule of what is allowed: the stores refuse, in the words that the command line has.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from governance.people.scopes import AccessScope
from runtime.api.parts import models
from runtime.api.parts.pages import After, Limit, page_of
from runtime.api.parts.part import CallerPart, ServicePart, problems

router = APIRouter(tags=["administration"])
DAY_S = 86_400
Ref = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$", description="The id or the name of a valid token.")]


MADE = {"links": {"revoke": {"operationId": "revoke_token", "parameters": {"ref": "$response.body#/principal/id"}}}}


@router.get("/tokens", responses=problems(422))
async def list_tokens(
    service: ServicePart, response: Response, limit: Limit = 1000, after: After = ""
) -> list[models.Token]:
    """Whose tokens there are and were, by age; `after` is an id."""
    found = await service.principals.list_tokens()
    page = page_of(found, lambda each: each.id, limit, after, response, {})
    return [models.Token(**each.to_json()) for each in page]


@router.post("/tokens", status_code=201, responses={201: MADE, **problems(409, 422)})
async def create_token(
    body: models.TokenRequest, service: ServicePart, caller: CallerPart, response: Response
) -> models.NewToken:
    """Makes a token. Its secret is shown this once; the first token closes the server to whoever has none."""
    scope = AccessScope.from_json(body.scope.model_dump())
    ttl_s = None if body.days is None else body.days * DAY_S
    principal, secret = await service.principals.create_token(
        body.name, body.role, scope=scope, ttl_s=ttl_s, actor=caller.name
    )
    await _noticed(service)
    response.headers["cache-control"] = "no-store"
    return models.NewToken(principal=models.Token(**principal.to_json()), token=secret)


@router.delete("/tokens/{ref}", responses=problems(404, 422))
async def revoke_token(ref: Ref, service: ServicePart, caller: CallerPart) -> models.Token:
    """Ends a token at once, also one's own."""
    principal = await service.principals.revoke(ref, actor=caller.name)
    await _noticed(service)
    return models.Token(**principal.to_json())


async def _noticed(service: ServicePart) -> None:
    """Without this it would take until the next look (`watcher`)."""
    service.authenticator.forget()
    await service.authenticator.look()
    await service.authenticator.learn()


@router.get("/settings", responses=problems())
async def list_settings(request: Request) -> list[models.Setting]:
    """What this server was started with, and where each value comes from. Secrets have no value here."""
    return [models.Setting(**each.to_json()) for each in request.app.state.settings]
