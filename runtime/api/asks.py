"""Calls that wait for a person, over HTTP: looked at with their exact requests, let through or refused.

Seen by their caller, and by approvers in whose scope the workflow and the target are; answered by approvers, never by
the caller under any of their names. The policy says which calls ask (docs/POLICY.md). Here never lives a rule
(`governance.runs.asks`).
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from governance.errors import NotFoundError
from governance.runs.asks import Answer, Ask
from governance.transitions import may
from runtime.api.parts.models import Json, Taken
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.caller import Caller
from runtime.service import Service
from runtime.visibility import scope_of

router = APIRouter(prefix="/asks", tags=["asks"])
State = Literal["waiting", "let through", "refused", "used", "ended"]
Id = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$", description="The id of the plan.")]


class AnswerRequest(Taken):
    reason: Annotated[str, Field(max_length=2000)] = ""


class AskOut(BaseModel):
    """One call. `id` is that of its plan; `run_id`: the run that made the plan. `people`: how many it takes."""

    id: str
    run_id: str
    revision_id: str
    workflow_id: str
    number: int
    digest: str
    api: str
    risk: str
    target: str
    caller: str
    people: int
    made_at: str
    expires_at: str
    state: State
    votes: list[str]
    by: str
    reason: str
    plan: Annotated[Json, Field(description="What would be sent; of one that is looked at alone.")] = None


@router.get("", responses=problems(409, 422))
async def list_asks(
    service: ServicePart,
    caller: CallerPart,
    state: Annotated[State | None, Query(description="How it stands.")] = None,
) -> list[AskOut]:
    """The calls of the last days that asked, newest first."""
    found = [each for each in await service.asks.recent() if state in (None, each.state)]
    return [AskOut(**each.to_json()) for each in found if await _sees(service, caller, each)]


@router.get("/{ask}", responses=problems(404, 409, 422))
async def show_ask(ask: Id, service: ServicePart, caller: CallerPart) -> AskOut:
    """One call with the requests that it would send."""
    return await _shown(service, await ask_of(service, caller, ask))


@router.post("/{ask}/let-through", responses=problems(404, 409, 422))
async def let_through(ask: Id, body: AnswerRequest, service: ServicePart, caller: CallerPart) -> AskOut:
    """Lets the call through, as one of as many people as it takes; the caller then makes it again."""
    return await answered(service, caller, ask, "let through", body.reason)


@router.post("/{ask}/refuse", responses=problems(404, 409, 422))
async def refuse(ask: Id, body: AnswerRequest, service: ServicePart, caller: CallerPart) -> AskOut:
    """Refuses the call for good; takes a reason, which its caller is told."""
    return await answered(service, caller, ask, "refuse", body.reason)


async def ask_of(service: Service, caller: Caller, plan_id: str) -> Ask:
    """Raises NotFoundError for what is not there and for what is out of reach alike."""
    found = await service.asks.get(plan_id)
    if not await _sees(service, caller, found):
        raise NotFoundError(f"there is no call {plan_id} that asks", "see `switchgear asks list`")
    return found


async def answered(service: Service, caller: Caller, plan_id: str, answer: Answer, reason: str) -> AskOut:
    """The call after an answer to it, from whichever door."""
    await ask_of(service, caller, plan_id)
    done = await service.asks.answer(plan_id, answer, actor=caller.name, role=caller.role, reason=reason)
    return await _shown(service, done)


async def _shown(service: Service, ask: Ask) -> AskOut:
    """The plan stands in the record of the run that made it."""
    run = await service.runs.get(ask.run_id)
    return AskOut(**ask.to_json(), plan=run.outputs)


async def _sees(service: Service, caller: Caller, ask: Ask) -> bool:
    if ask.caller != caller.name and not may(caller.role, "approver"):
        return False
    scope = await scope_of(service, caller)
    is_there = not scope.targets or ask.target in scope.targets
    return is_there and scope.admits(ask.api, ask.risk, ask.workflow_id)
