"""Events on their way to those who asked for them: signed, sent, tried again, given up at last.

Every process that serves looks each second; of several, the one that claims a message (`governance.events.deliveries`)
sends it. It is sent at least once, always under the same id and with the same bytes: who claims it and dies loses the
claim, and another sends it again. One that is slow keeps no other endpoint waiting. Endpoints are called by their
names: addresses may hold what is secret. Here never lives what is told (`governance.events.outbox`). Standard Webhooks.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from governance.errors import GovernanceError, TamperedError
from governance.events.deliveries import Delivery, DeliveryStore
from governance.storage.identifiers import Clock, moment, utc_now
from runtime.driver import Poster
from runtime.driver.posting import DEADLINE_S
from runtime.errors import Refused, TargetError
from runtime.observing import metrics
from runtime.observing.rounds import Rounds
from runtime.secrets import Vault
from runtime.signatures import key_of, sign
from workflow.replies.retry_after import seconds_asked_for

log = logging.getLogger("switchgear.events")
ROUND_S = 1.0
ROUNDS_BETWEEN_SWEEPS = 3600
# A claim outlives any try that its owner can still make.
CLAIM = timedelta(seconds=2 * DEADLINE_S)
AT_ONCE = 4  # of one endpoint
# 5 s, 20 s, 80 s, … then every six hours: over in a day and a half, which is longer than a night or an upgrade.
TRIES = 12
FIRST_PAUSE_S, FACTOR, LONGEST_PAUSE_S = 5.0, 4.0, 21_600.0
LONGEST_RETRY_AFTER_S = 86_400.0
GONE = 410
# However slow a receiver is, and however often it asks for more time: what waits does not pile up without end.
WAITS = timedelta(days=3)
DEAD_KEPT = timedelta(days=30)
CLOSING_S = 2.0


class Deliverer:
    """`luck`: from 0 to 1, so that those who failed together do not come back together."""

    def __init__(
        self,
        store: DeliveryStore,
        vault: Vault,
        clock: Clock = utc_now,
        luck: Callable[[], float] = random.random,
        poster: Poster | None = None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._poster = poster or Poster()
        self._clock = clock
        self._luck = luck
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._rounds = Rounds(log, "events cannot be looked after")
        self._altered: set[str] = set()
        # Somebody listens and is ready for more: the next round need not be waited for.
        self._has_room = asyncio.Event()

    async def watch(self) -> None:
        """Until cancelled."""
        number = 0
        while True:
            with self._rounds.one():
                await self.look()
                if number % ROUNDS_BETWEEN_SWEEPS == 0:
                    await self._sweep()
            number += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ROUND_S):
                    await self._has_room.wait()
            self._has_room.clear()

    async def look(self) -> None:
        """One round: begins what is due, and does not wait for it. Raises GovernanceError."""
        now = self._clock()
        for endpoint in await self._store.due(moment(now)):
            room = AT_ONCE - sum(name == endpoint for name in self._under_way.values())
            if room <= 0:
                continue
            for delivery in await self._claimed(endpoint, now, room):
                task = asyncio.create_task(self._deliver(delivery))
                self._under_way[task] = endpoint
                task.add_done_callback(self._done)

    async def _claimed(self, endpoint: str, now: datetime, room: int) -> tuple[Delivery, ...]:
        """What is ours to send. An endpoint that was altered gets nothing, and keeps nobody else waiting."""
        try:
            claimed = await self._store.claim(endpoint, moment(now), moment(now + CLAIM), room)
        except TamperedError as error:
            if endpoint not in self._altered:
                log.error("nothing is sent: %s; %s", error.message, error.remedy)
            self._altered.add(endpoint)
            return ()
        self._altered.discard(endpoint)
        return claimed

    async def _sweep(self) -> None:
        now = self._clock()
        buried, _ = await self._store.sweep(waited_since=moment(now - WAITS), dead_since=moment(now - DEAD_KEPT))
        if buried:
            log.error("%d events waited too long and are dead letters now", buried)

    async def settle(self) -> None:
        """Returns when all that was begun has ended."""
        await asyncio.gather(*self._under_way)

    async def close(self) -> None:
        """What is under way gets a moment; the rest is sent again by whoever serves next."""
        if self._under_way:
            _, late = await asyncio.wait(tuple(self._under_way), timeout=CLOSING_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._poster.aclose()

    def _done(self, task: "asyncio.Task[None]") -> None:
        del self._under_way[task]
        if not task.cancelled() and task.exception() is not None:
            log.error("an event was not delivered in order", exc_info=task.exception())

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            status, fields = await self._sent(delivery)
            error = f"{delivery.endpoint} answered {status}"
        except TargetError as failure:
            status, fields, error = 0, {}, self._vault.redact(failure.message)
        metrics.delivered(delivery.endpoint, str(status) if status else "unreachable")
        try:
            if 200 <= status < 300:
                await self._store.delivered(delivery)
                self._has_room.set()
            elif status == GONE:
                log.error("%s: nothing is sent there any more", error)
                await self._store.gone(delivery, f"{error}: it wants no more")
            else:
                await self._failed(delivery, error, seconds_asked_for(fields, LONGEST_RETRY_AFTER_S))
        except GovernanceError as failure:  # the claim ends, and the message is sent once more
            log.error("what became of the event %s is not recorded: %s", delivery.id, failure.message)

    async def _sent(self, delivery: Delivery) -> tuple[int, Mapping[str, str]]:
        key = key_of(self._vault.resolve(delivery.secret_ref))
        if key is None:
            raise Refused(f"the secret of {delivery.endpoint} is none: it takes whsec_ and base64 of 24 bytes or more")
        body, at = delivery.body.encode(), str(int(self._clock().timestamp()))
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "user-agent": "switchgear",
            "webhook-id": delivery.id,
            "webhook-timestamp": at,
            "webhook-signature": sign(key, delivery.id, at, body),
        }
        return await self._poster.post(delivery.url, delivery.tls, headers, body, delivery.endpoint)

    async def _failed(self, delivery: Delivery, error: str, asked_s: float) -> None:
        is_last = delivery.tries >= TRIES
        pause_s = max(pause_after(delivery.tries, self._luck()), asked_s)
        next_at = None if is_last else moment(self._clock() + timedelta(seconds=pause_s))
        log.warning("event %s (%s), try %d: %s", delivery.id, delivery.kind, delivery.tries, error)
        if is_last:
            log.error("event %s is a dead letter now: see `switchgear webhooks dead list`", delivery.id)
        await self._store.failed(delivery, error, next_at)


def pause_after(tries: int, luck: float) -> float:
    """Seconds until the next try after so many: longer each time, between the half and the whole of it by luck."""
    whole = min(FIRST_PAUSE_S * FACTOR ** (tries - 1), LONGEST_PAUSE_S)
    return whole * (0.5 + luck / 2)
