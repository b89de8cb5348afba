"""One command, tried once, or several times where that is harmless and may help: the only file with tenacity.

A read is tried again after failures of the transport and statuses that say «not now». A change is tried again only
when nothing of it left, or when it may be repeated and the device turned it away unread (429): one whose fate is open
is told upward at once, where a read decides and not a second try. Waits are exponential with jitter and honour
Retry-After, never past the deadline. Called by `driver`. RFC 9110 (Retry-After), RFC 6585 (429).
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_random_exponential

from runtime.driver.attempt import RequestAttempt
from runtime.driver.wire import WireReply
from runtime.errors import BadReply, NotAdmitted, NotSent, Refused, Resting, TargetError
from workflow.replies.retry_after import seconds_asked_for
from workflow.requests.events import SendRequest

# Statuses that say "not now"; of a change, only the first says that it was not carried out.
TRANSIENT = frozenset({429, 502, 503, 504})
TURNED_AWAY = 429
# Three tries, the last about 2 s after the first: a hiccup passes in that time, an outage is the caller's to know.
TRIES = 3
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.2, 2.0
LONGEST_RETRY_AFTER_S = 30.0
# What another try would only repeat.
FINAL = (Refused, BadReply, Resting, NotAdmitted)


@dataclass(slots=True)
class Retry:
    journey: RequestAttempt
    command: SendRequest
    made: int = 0

    async def outcome(self) -> WireReply | TargetError:
        """The reply, or why there is none, of the last try."""
        outcome = await self._try()
        if not self._is_worth_another(outcome):
            return outcome
        again = AsyncRetrying(
            stop=stop_after_attempt(TRIES - 1),
            retry=retry_if_result(self._is_worth_another),
            wait=self._pause,
            before=self._no_log,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        await asyncio.sleep(_pause_after(outcome, SHORTEST_WAIT_S))
        last: WireReply | TargetError = await again(self._try)
        return last

    @staticmethod
    def _no_log(_state: RetryCallState) -> None:
        """tenacity's own logging is not wanted: attempts are in the audit."""

    def _pause(self, state: RetryCallState) -> float:
        wished: float = wait_random_exponential(multiplier=SHORTEST_WAIT_S * 2, max=LONGEST_WAIT_S)(state)
        return _pause_after(state.outcome and state.outcome.result(), wished)

    def _is_worth_another(self, outcome: WireReply | TargetError) -> bool:
        if not self._is_harmless(outcome) or isinstance(outcome, FINAL):
            return False
        pause = _pause_after(outcome, LONGEST_WAIT_S)
        return asyncio.get_running_loop().time() + pause < self.journey.deadline

    def _is_harmless(self, outcome: WireReply | TargetError) -> bool:
        """Whether another try may help, and has no further effect."""
        command = self.command
        if isinstance(outcome, WireReply):
            told = TRANSIENT if command.is_safe else {TURNED_AWAY} if command.is_idempotent else ()
            return outcome.status in told
        return command.is_safe or isinstance(outcome, NotSent)

    async def _try(self) -> WireReply | TargetError:
        self.made += 1
        try:
            return await self.journey.carry(self.command, self.made)
        except TargetError as error:
            return error


def _pause_after(outcome: Any, wished: float) -> float:
    """`wished` seconds, or what the device asks for in Retry-After; too long a wish of the device is cut."""
    asked = seconds_asked_for(dict(outcome.headers)) if isinstance(outcome, WireReply) else 0.0
    return max(wished, min(asked, LONGEST_RETRY_AFTER_S))
