"""The policy over HTTP: looked at by everybody whom it binds, put in force as a whole by admins.

What `switchgear policy apply` does with a file, done with the same values and the same store. Of two who change the
policy that both have seen one is refused. docs/POLICY.md explains its members.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel

from governance.approval.policies import AppliedPolicy, PolicyStore
from governance.approval.policy import Policy
from governance.approval.policy_preview import foreseen
from governance.errors import TamperedError
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.api.parts.tags import ANY, SHOWS_TAG, IfMatch, check_tag, show_tag, tag_of
from runtime.visibility import scope_of

router = APIRouter(prefix="/policy", tags=["administration"])
WHOLE = Body(description="The whole policy: what is left out is as if there were none.")

LINKS = {"links": {"apply": {"operationId": "apply_policy", "parameters": {"If-Match": "$response.header.ETag"}}}}


class PolicyInForce(BaseModel):
    """`number` 0: none was ever applied, and the built-in one holds."""

    number: int
    digest: str
    policy: Policy
    applied_at: str | None
    applied_by: str | None


@router.get("", responses={200: {**SHOWS_TAG, **LINKS}, **problems(409)})
async def show_policy(service: ServicePart, response: Response) -> PolicyInForce:
    """The policy in force: who decides on what, until when, and at which hours it runs."""
    return _told(await PolicyStore(service.database).current(), response)


@router.put("", responses={200: SHOWS_TAG, **problems(409, 412, 422, 428)})
async def apply_policy(
    body: Annotated[Policy, WHOLE],
    service: ServicePart,
    caller: CallerPart,
    response: Response,
    if_match: IfMatch = None,
) -> PolicyInForce:
    """Puts a policy in force, in the place of the one that If-Match names. What was decided stays decided."""
    store = PolicyStore(service.database)
    seen = await _seen(store, if_match)
    applied, _ = await store.apply(body, actor=caller.name, seen=seen)
    return _told(applied, response)


class ForeseenOut(BaseModel):
    """`would`: `approve itself`, `suffice` (the votes that it has), `wait`; `needed`, `counted`: people."""

    id: str
    workflow_id: str
    number: int
    api: str
    risk: str
    would: Literal["approve itself", "suffice", "wait"]
    needed: int
    counted: int


@router.post("/preview", responses=problems(409, 422))
async def preview_policy(body: Annotated[Policy, WHOLE], service: ServicePart, caller: CallerPart) -> list[ForeseenOut]:
    """What this policy would do with what is pending; nothing is put in force and nothing decided."""
    told = await foreseen(service.database, body, await scope_of(service, caller))
    return [ForeseenOut(**each.to_json()) for each in told]


async def _seen(store: PolicyStore, if_match: str | None) -> AppliedPolicy | None:
    """The one in force, if it is the one that was named; None where any is meant, one that was tampered with too."""
    if if_match == ANY:
        return None
    try:
        seen = await store.current()
    except TamperedError as error:
        check_tag(if_match, "")
        raise error
    check_tag(if_match, _tag(seen))
    return seen


def _tag(applied: AppliedPolicy) -> str:
    return tag_of([applied.number, applied.policy.digest])


def _told(applied: AppliedPolicy, response: Response) -> PolicyInForce:
    show_tag(response, [applied.number, applied.policy.digest])
    return PolicyInForce(
        number=applied.number,
        digest=applied.policy.digest,
        policy=applied.policy,
        applied_at=applied.applied_at,
        applied_by=applied.applied_by,
    )
