"""Decisions by signed messages: ServiceNow, Slack or a pipeline approves and rejects, without a token of ours.

A message counts once, within minutes of its signing, for exactly the digest that it names, and until the moment that it
names. An unknown sender and a wrong signature are answered alike. The sender decides as one person, `webhook:NAME`,
whoever it says pressed the button: who that was stands in the reason. Standard Webhooks; docs/WEBHOOKS.md.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from governance.runs.asks import Answer
from governance.storage.identifiers import utc_now
from governance.webhooks import Webhook
from runtime.api.asks import AskOut, answered
from runtime.api.parts import models
from runtime.api.parts.part import ServicePart, problems
from runtime.api.workflows import decided
from runtime.caller import Caller
from runtime.errors import Refused
from runtime.problems import Problem
from runtime.service import Service
from runtime.signatures import is_signed

router = APIRouter(tags=["workflows"])
CHALLENGE = (("www-authenticate", "StandardWebhooks"),)


class Ruling(BaseModel):
    """What was decided, on which content. `by`: who pressed the button; `expires_at`: after that it does not count."""

    model_config = ConfigDict(extra="forbid")

    revision: Annotated[str, Field(max_length=200)]
    digest: models.Digest
    reason: Annotated[str, Field(max_length=1500)] = ""
    by: Annotated[str, Field(max_length=200)] = ""
    expires_at: AwareDatetime | None = None


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["workflow.approve", "workflow.reject"]
    timestamp: AwareDatetime | None = None
    data: Ruling


class Answering(BaseModel):
    """Which call is answered, by the id of its plan."""

    model_config = ConfigDict(extra="forbid")

    plan: Annotated[str, Field(max_length=64, pattern=r"^[^\x00]+$")]
    reason: Annotated[str, Field(max_length=1500)] = ""
    by: Annotated[str, Field(max_length=200)] = ""
    expires_at: AwareDatetime | None = None


class CallMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["call.let_through", "call.refuse"]
    timestamp: AwareDatetime | None = None
    data: Answering


MESSAGES: TypeAdapter[Message | CallMessage] = TypeAdapter(
    Annotated[Message | CallMessage, Field(discriminator="type")]
)
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [each.model_json_schema() for each in (Message, CallMessage)]}}
        },
    }
}


@router.post("/webhooks/{name}", responses=problems(404, 409, 422), openapi_extra=BODY)
async def decide_by_message(name: str, request: Request, service: ServicePart) -> models.Workflow | AskOut:
    """Approves or rejects a workflow, lets a call through or refuses it, as a signed message says.

    Standard Webhooks: webhook-id, -timestamp, -signature.
    """
    body = await request.body()
    webhook = await _sender(service, name, request, body)
    await service.webhooks.use(name, request.headers["webhook-id"])
    message = _message(body)
    ruling = message.data
    if ruling.expires_at is not None and ruling.expires_at <= datetime.now(UTC):
        raise Problem(409, "expired", "The decision counted until a moment that is over.", "decide again")
    caller = Caller(f"webhook:{name}", "approver", webhook.scope)
    if isinstance(message, CallMessage):
        answer: Answer = "let through" if message.type == "call.let_through" else "refuse"
        return await answered(service, caller, message.data.plan, answer, _reason(ruling))
    ruling = message.data
    decision = models.Decision(digest=ruling.digest, reason=_reason(ruling))
    action: Literal["approve", "reject"] = "approve" if message.type == "workflow.approve" else "reject"
    return await decided(service, ruling.revision, action, decision, caller)


def _reason(ruling: Ruling | Answering) -> str:
    """What the sender says, with who it says pressed the button. A name alone is no reason for a rejection."""
    return f"by {ruling.by}: {ruling.reason}" if ruling.by and ruling.reason else ruling.reason


async def _sender(service: Service, name: str, request: Request, body: bytes) -> Webhook:
    """Who signed the message. Raises Problem; nothing of why is told, and that it was refused is recorded."""
    told = [request.headers.get(f"webhook-{each}", "") for each in ("id", "timestamp", "signature")]
    webhook = await service.webhooks.find(name)
    try:
        secret = service.vault.resolve(webhook.secret_ref) if webhook else ""
    except Refused:
        secret = ""
    if webhook is None or not is_signed(secret, told[0], told[1], told[2], body, utc_now().timestamp()):
        subject = f"signature:{name if webhook else 'unknown'}"
        await service.refusals.note(
            "webhook.refused", subject, {"address": request.client.host if request.client else ""}
        )
        detail = "No sender that is known here signed this message, now."
        raise Problem(401, "no valid signature", detail, "see docs/WEBHOOKS.md", CHALLENGE)
    return webhook


def _message(body: bytes) -> Message | CallMessage:
    try:
        return MESSAGES.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        raise Problem(422, "bad request", f"{first['msg']} at {pointer}", "see docs/WEBHOOKS.md") from error
