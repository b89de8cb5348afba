"""How often one caller may ask: a bucket each, that fills steadily and is emptied by requests.

Our own thirty lines: what libraries add (storage shared by servers, kinds of windows) has no use here, since each
server protects itself. The clock is monotonic, so that nobody is locked out by a jump of the machine's. Whoever is on
this machine while there are no tokens at all is not counted. Called by the gate (`access`). RFC 6585, 429.
"""

import math
import time
from collections.abc import Callable

# How many seconds' worth may come at once: an agent that lists, reads and calls is no flood.
BURST_S = 10
MAX_CALLERS = 10_000


class Rates:
    def __init__(
        self, per_second: float, clock: Callable[[], float] = time.monotonic, *, most: int | None = None
    ) -> None:
        """`per_second` 0: nobody is limited. `most`: how many may come at once; else what comes in `BURST_S`."""
        self._per_second = per_second
        self._most = float(per_second * BURST_S if most is None else most)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_s(self, caller: str, count: float = 1) -> int:
        """Counts a request of `caller`, as so many: 0, or after how many whole seconds to ask again, and then it is not
        counted."""
        if not self._per_second:
            return 0
        now, most = self._clock(), self._most
        left, since = self._buckets.get(caller, (most, now))
        left = min(most, left + (now - since) * self._per_second)
        count = min(count, most)
        if left < count:
            return math.ceil((count - left) / self._per_second)
        if caller not in self._buckets and len(self._buckets) >= MAX_CALLERS:
            self._buckets.clear()
        self._buckets[caller] = (left - count, now)
        return 0

    def give_back(self, caller: str) -> None:
        """Takes back what `wait_s` counted."""
        left, since = self._buckets.get(caller, (self._most, self._clock()))
        self._buckets[caller] = (min(self._most, left + 1), since)
