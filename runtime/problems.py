"""Errors as people and programs read them over HTTP: problem details, `application/problem+json` (RFC 9457).

One place translates the errors of all rooms into a status, a title and what to do; nothing else of an error leaves
the process. Used by the gate, the REST routes and the exception handlers of the application.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response

from governance import errors as governance
from runtime import errors as serving
from workflow.errors import InputError, WorkflowError
from workflow.visible import visible

Json = Any
MEDIA_TYPE = "application/problem+json"


@dataclass(eq=False)
class Problem(Exception):
    """`title` names the kind and is the end of the problem's `type`; `more` are extension members."""

    status: int
    title: str
    detail: str
    remedy: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    more: dict[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        kind = "urn:switchgear:problem:" + self.title.replace(" ", "-")
        plain = {"type": kind, "title": self.title, "status": self.status, "detail": self.detail}
        return {**plain, **({"remedy": self.remedy} if self.remedy else {}), **self.more}


def respond(problem: Problem) -> Response:
    headers = dict(problem.headers)
    return Response(orjson.dumps(problem.to_json()), problem.status, headers, MEDIA_TYPE)


# The first class that fits decides; derived ones stand before their bases.
STATUSES: tuple[tuple[type[Exception], int, str], ...] = (
    (governance.ForbiddenError, 403, "not allowed"),
    (governance.DigestError, 409, "digest mismatch"),
    (governance.TransitionError, 409, "wrong state"),
    (governance.ReasonError, 422, "reason missing"),
    (governance.StaleError, 412, "stale"),
    (governance.ConflictError, 409, "conflict"),
    (governance.PlanError, 409, "plan refused"),
    (governance.RefusedError, 409, "refused"),
    (governance.TamperedError, 409, "tampered"),
    (governance.NotFoundError, 404, "not found"),
    (governance.InvalidError, 422, "invalid"),
    (governance.UnavailableError, 503, "database unavailable"),
    (governance.GovernanceError, 500, "internal error"),
    (serving.UnknownWorkflow, 404, "unknown workflow"),
    (serving.UnknownTarget, 422, "unknown target"),
    (serving.BadInput, 422, "bad input"),
    (serving.CallerError, 422, "bad request"),
    (serving.SameEffect, 409, "same effect"),
    (serving.Waiting, 428, "waiting"),
    (serving.NotApproved, 409, "not approved"),
    (serving.Unservable, 409, "unservable"),
    (serving.Interrupted, 503, "stopping"),
    (serving.TargetError, 502, "target failed"),
    (serving.ServingError, 500, "internal error"),
    (InputError, 422, "bad input"),
    (WorkflowError, 500, "internal error"),
)
KNOWN = (governance.GovernanceError, serving.ServingError, WorkflowError)


def of_error(error: Exception) -> Problem:
    """The problem that says `error`. For errors that are not ours nothing is told but that there was one."""
    for kind, status, title in STATUSES:
        if isinstance(error, kind):
            pointer = getattr(error, "pointer", "")
            more = {**getattr(error, "more", {}), **({"pointer": pointer} if pointer else {})}
            return Problem(status, title, message_of(error), getattr(error, "remedy", ""), (), more)
    return Problem(500, "internal error", "Something failed here that should not.", "see the server's log")


def message_of(error: Exception) -> str:
    return visible(str(getattr(error, "message", "") or error))
