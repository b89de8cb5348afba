"""The breaker of one device: after several failures in a row nobody waits for it any more, until one try works.

closed → open after `FAILURES` requests in a row that the transport failed; open → half open after `REST_S`, when one
request is let through as a probe; its success closes, its failure opens anew. An answer of any status is a success:
a device that refuses is there. Times are given, not taken, so that this is a value that can be looked at in a test.
Own code: the packages that exist judge exceptions around a call and cannot say «not begun». Used by
`device_connection`.
"""

from dataclasses import dataclass

# A lost packet or two is a hiccup; five requests in a row are three tries of one read and most of another's.
FAILURES = 5
# A controller that restarts is away for minutes: asking six times a minute disturbs nobody and finds it soon.
REST_S = 10.0


@dataclass(slots=True)
class Breaker:
    _failed: int = 0
    _open_until: float = 0.0
    _is_probing: bool = False
    _why: str = ""

    @property
    def why(self) -> str:
        """What came of the last request that failed, once."""
        return self._why

    @property
    def failures(self) -> int:
        """How many failed in a row."""
        return self._failed

    def rests_for(self, now: float) -> float:
        """Seconds until a request may be tried; 0 when it may be now."""
        if self._failed < FAILURES:
            return 0.0
        if self._is_probing:
            return REST_S
        return max(0.0, self._open_until - now)

    def begin(self) -> None:
        """A request is about to be tried; behind an open breaker it is the probe."""
        self._is_probing = self._failed >= FAILURES

    def succeeded(self) -> None:
        self._failed, self._is_probing, self._why = 0, False, ""

    def failed(self, now: float, why: str = "") -> None:
        self._failed += 1
        self._why = why
        self._open_until, self._is_probing = now + REST_S, False

    def abandoned(self) -> None:
        """The request was given up by whoever wanted it: that says nothing of the device."""
        self._is_probing = False
