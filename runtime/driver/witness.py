"""Who must be told before a request leaves, and what came of it: the audit, seen from the driver.

One port and the two notes that it takes. The driver calls `sending` and waits before a byte goes out, and `answered`
exactly once after it; logins, renewals and every single retry are requests like any other (THREATS.md A1).
Implemented by `engines.journal` (database) and by tests (a list). No I/O and no secret here.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

Purpose = Literal["step", "login", "logout"]


@dataclass(frozen=True, slots=True)
class Sending:
    """One request about to leave for `target`. `path` is what is sent, without query; `attempt` counts from 1 within
    the step.
    """

    purpose: Purpose
    step_id: str
    attempt: int
    method: str
    path: str
    is_safe: bool
    target: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of it: a status, or the reason why there is none."""

    sending: Sending
    status: int | None
    reason: str
    duration_ms: float


class Witness(Protocol):
    async def sending(self, note: Sending) -> None:
        """Returns when the note is kept. Whatever it raises keeps the request from being sent."""

    async def answered(self, note: Answered) -> None:
        """Takes what came of a request; may keep it a little later, in order."""
