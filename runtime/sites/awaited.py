"""One dispatch in rows, as the process sees it whose run waits for the answer.

It is posted, looked at when there is word of it or after a while, taken back where it is not wanted any more and was
never handed over, and left when whoever waited is gone. Until it is known that nobody was handed it, it may have been.
Called by `shared_hub`. Here never lives who hands it over.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from governance.errors import GovernanceError, TamperedError
from governance.site_exchange import SiteExchange
from runtime.driver.exchange import Flight
from runtime.driver.site_connections import Asked
from runtime.errors import FateUnknown, NotSent, Refused, TargetError
from runtime.sites.hub import MOST_WAITING
from runtime.sites.seals import Seals

Json = Any
# Whatever word was lost, the row is looked at so often.
LOOK_S = 3.0
PAUSE_S = 0.5
_WHEN_BACK = "ask again when it is back"


class AwaitedDispatch:
    """`left_s`: how long the site may still say nothing, from a moment of the loop's clock at which it could be known
    that it did."""

    def __init__(
        self, rows: SiteExchange, seals: Seals, site: str, asked: Asked, flight: Flight,
        left_s: Callable[[float], float],
    ) -> None:  # fmt: skip
        self._rows, self._seals, self._site, self._asked, self._flight = rows, seals, site, asked, flight
        self._left_s = left_s
        self._id, self._waits = asked.behalf.request, ""
        self._is_over = self._is_taken_back = False
        self.told = asyncio.Event()

    async def answer(self) -> Mapping[str, Json]:
        """Of what was posted, once it is there. Raises TargetError."""
        ending = asyncio.create_task(self._end_when_cancelled())
        try:
            return await self._answered()
        finally:
            ending.cancel()

    async def _answered(self) -> Mapping[str, Json]:
        loop, looked_at = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        is_new = not self._asked.behalf.is_again  # there can be no answer yet; what comes is told of
        while True:
            if not is_new:
                self.told.clear()
                with suppress(_Away):
                    found = await self._looked()
                    if found is not None:
                        return found
                    looked_at = loop.time()
            is_new = False
            left_s = self._left_s(looked_at)
            if left_s <= 0:
                raise await self._unsent(f"{self._site} went away before it was handed anything", _WHEN_BACK)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, LOOK_S)):
                    await self.told.wait()

    async def post(self) -> None:
        """Raises NotSent, FateUnknown."""
        behalf, asked = self._asked.behalf, self._asked
        told: dict[str, Json] = {
            "sub": behalf.caller,
            "role": behalf.role,
            "workflow": asked.workflow,
            "pin": asked.pin,
        }
        told |= {"inputs": dict(asked.inputs), "made": time.time()}
        sealed = self._seals.close(told, "asked", self._site, self._id)
        self._flight.may_have_left = True  # until it is known that nobody was handed it
        try:
            await self._rows.post(self._id, self._site, sealed, MOST_WAITING)
        except GovernanceError as error:
            raise await self._unsent(error.message, error.remedy, is_there=False) from error

    async def _looked(self) -> Mapping[str, Json] | None:
        """The answer, where it is there. Raises _Away where nobody can tell now, Refused, FateUnknown."""
        try:
            state = await self._rows.look(self._id)
            if state is None:
                raise self._gone()
            if state.answer is not None:
                self._is_over = True
                answer: Mapping[str, Json] = self._seals.open(state.answer, "answer", self._site, self._id)
                return answer
            waits = self._seals.open(state.waits, "waits", self._site, self._id) if state.waits else ""
        except TamperedError as error:
            raise FateUnknown(f"{self._site}: {error.message}", error.remedy) from error
        except GovernanceError as error:
            await asyncio.sleep(PAUSE_S)
            raise _Away from error
        if waits != self._waits:
            self._waits = waits
            self._asked.behalf.note(waits)
        return None

    def _gone(self) -> TargetError:
        self._is_over = True
        if self._is_taken_back:
            self._flight.may_have_left = False
            return Refused(f"it was cancelled before {self._site} was handed anything")
        return FateUnknown(f"what became of it at {self._site} is not on record here", "look at the site")

    async def _unsent(self, why: str, remedy: str, *, is_there: bool = True) -> TargetError:
        """NotSent where it was never handed over, and now cannot be; else FateUnknown. `is_there`: it was written."""
        self._is_over = True
        with suppress(GovernanceError):
            if await self._rows.take_back(self._id) or (not is_there and await self._rows.look(self._id) is None):
                self._flight.may_have_left = False
                return NotSent(why, remedy)
        told = f"{self._site} was handed this and has not been heard of since"
        return FateUnknown(told, "look at the site before asking again; nothing is repeated by itself")

    async def _end_when_cancelled(self) -> None:
        """Takes it back where it was not handed over; else the site is told that its end is wanted."""
        behalf = self._asked.behalf
        await behalf.cancelled.wait()
        while True:
            with suppress(GovernanceError):
                if not behalf.is_again and await self._rows.take_back(self._id):
                    self._is_taken_back = True
                else:
                    await self._end()
                self.told.set()
                return
            await asyncio.sleep(PAUSE_S)

    async def _end(self) -> None:
        wanted = self._seals.close({"sub": self._asked.behalf.caller}, "unwanted", self._site, self._id)
        await self._rows.end(self._id, self._site, wanted)

    async def leave(self) -> None:
        """After whoever waited has gone: what was not handed over is not, and of the rest the site may hear its end."""
        if not self._is_over and not self._asked.behalf.is_again and await self._rows.take_back(self._id):
            return
        is_unwanted = self._asked.behalf.cancelled.is_set()
        if not self._is_over and is_unwanted:
            await self._end()
        await self._rows.leave(self._id, is_over=self._is_over, is_unwanted=is_unwanted)


class _Away(Exception):
    """The rows cannot be read at the moment."""
