"""One command, tried once, or several times where that is harmless and may help: the only file with tenacity.

Tried again are safe and idempotent requests alone, after failures of the transport and statuses that say «not now»,
with exponential waits and jitter, never past the deadline; Retry-After is honoured. What is not idempotent is sent
once, whatever comes of it; what may have been carried out is not called refused because a second try was.
Called by `driver`. RFC 9110 (idempotence, Retry-After).
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_random_exponential

from runtime.driver.journey import Journey
from runtime.driver.wire import Reply
from runtime.errors import BadReply, FateUnknown, NotAdmitted, Refused, Resting, TargetError
from workflow.events import SendRequest
from workflow.retry_after import seconds_asked_for

# Statuses that say "not now" and nothing of what was asked.
TRANSIENT = frozenset({429, 502, 503, 504})
# Three tries, the last about 2 s after the first: a hiccup passes in that time, an outage is the caller's to know.
TRIES = 3
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.2, 2.0
LONGEST_RETRY_AFTER_S = 30.0
# What another try would only repeat.
FINAL = (Refused, BadReply, Resting, NotAdmitted)


@dataclass(slots=True)
class Tries:
    journey: Journey
    command: SendRequest
    made: int = 0
    is_in_doubt: bool = False

    async def outcome(self) -> Reply | TargetError:
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
        last: Reply | TargetError = await again(self._try)
        return self._told_honestly(last)

    def _told_honestly(self, last: Reply | TargetError) -> Reply | TargetError:
        """A refusal of what may have been carried out at an earlier try says nothing: what was deleted is not found."""
        if self.command.is_safe or not self.is_in_doubt or not isinstance(last, Reply) or last.status < 400:
            return last
        message = f"an earlier try was not answered, and the last one with {last.status}: it may have been carried out"
        return FateUnknown(message, "look at the device before asking again")

    @staticmethod
    def _no_log(_state: RetryCallState) -> None:
        """tenacity's own logging is not wanted: attempts are in the audit."""

    def _pause(self, state: RetryCallState) -> float:
        wished: float = wait_random_exponential(multiplier=SHORTEST_WAIT_S * 2, max=LONGEST_WAIT_S)(state)
        return _pause_after(state.outcome and state.outcome.result(), wished)

    def _is_worth_another(self, outcome: Reply | TargetError) -> bool:
        if not (self.command.is_safe or self.command.is_idempotent):
            return False
        is_transient = outcome.status in TRANSIENT if isinstance(outcome, Reply) else not isinstance(outcome, FINAL)
        pause = _pause_after(outcome, LONGEST_WAIT_S)
        return is_transient and asyncio.get_running_loop().time() + pause < self.journey.deadline

    async def _try(self) -> Reply | TargetError:
        self.made += 1
        try:
            return await self.journey.carry(self.command, self.made)
        except TargetError as error:
            self.is_in_doubt = self.is_in_doubt or isinstance(error, FateUnknown)
            return error


def _pause_after(outcome: Any, wished: float) -> float:
    """`wished` seconds, or what the device asks for in Retry-After; too long a wish of the device is cut."""
    asked = seconds_asked_for(dict(outcome.headers)) if isinstance(outcome, Reply) else 0.0
    return max(wished, min(asked, LONGEST_RETRY_AFTER_S))
