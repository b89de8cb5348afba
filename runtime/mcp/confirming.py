"""Asking the person at an MCP client whether a plan shall be carried out, in the way of the client's protocol era.

Handshake era: the server sends a request of its own and waits. From 2026-07-28 on the answer to the call is the
question, and the client calls again with the answer and with the plan's id, which the SDK has sealed; the tool then
starts from the top, and nothing but reads has happened before. A client that cannot ask its user gets the plan and its
id. Called by `tools`. MCP, elicitation; SEP-2322.
"""

from dataclasses import dataclass
from typing import Any

from fastmcp.server.dependencies import get_context
from fastmcp.tools.base import InputRequiredToolResult
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from runtime.calls.messages import told_plan
from runtime.engines.engine import Ended

Json = Any
QUESTION = "confirm"
DECLINED = "The plan was not confirmed. Done: nothing was changed."
FORM: dict[str, Json] = {
    "type": "object",
    "properties": {QUESTION: {"type": "boolean", "title": "Carry this out"}},
    "required": [QUESTION],
}


@dataclass(frozen=True, slots=True)
class UsersAnswer:
    is_yes: bool
    plan_id: str


def answered() -> UsersAnswer | None:
    """What the person said, where the call comes with an answer."""
    context = get_context()
    responses, plan_id = context.input_responses, context.request_state
    if not responses or not plan_id:
        return None
    return UsersAnswer(_is_yes(responses.get(QUESTION)), plan_id)


def can_ask() -> bool:
    """Whether the client says that it can show a question to its user."""
    capabilities = get_context().session.client_capabilities
    return capabilities is not None and capabilities.elicitation is not None


async def ask(planned: Ended) -> bool | InputRequiredToolResult:
    """Whether the person says yes; or, where the answer comes with another call, the question as the result of this."""
    context, message = get_context(), told_plan(planned, is_wanted=True)
    if context.session.protocol_version in MODERN_PROTOCOL_VERSIONS:
        request = ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=FORM))
        state = planned.outputs["plan_id"]
        return InputRequiredToolResult(InputRequiredResult(input_requests={QUESTION: request}, request_state=state))
    result = await context.session.elicit(message, FORM, related_request_id=context.request_id)
    return _is_yes(result)


def _is_yes(response: object) -> bool:
    """Only a yes is one: a form that was sent without it, a refusal and a closed window are not."""
    if not isinstance(response, ElicitResult) or response.action != "accept":
        return False
    return (response.content or {}).get(QUESTION) is True
