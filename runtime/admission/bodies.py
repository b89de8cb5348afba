"""A request's body as a whole, before anything is begun with it.

What is half sent then takes no place, no thread and no line of the log: whoever goes away in the middle of it has asked
for nothing. Long ones are held in memory until they are whole, so one caller has room for a few at a time; to read a
megabyte of them as JSON takes the one thread that serves all 0.04 s, so one caller has so much in a while. How fast it
has to come is watched where it arrives (`connections`), how long it may be by the gate, which calls this (`access`).
ASGI 3.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Message, Receive, Scope

from runtime.admission.rates import Rates
from runtime.observing import metrics
from runtime.problems import Problem

# What is shorter counts as nothing: there are not more of them than places.
SHORT_BYTES = 64 * 1024
# Four of the longest inputs. A single one has room whatever it has.
MOST_OF_ONE, MOST_OF_ALL = 16 * 1024 * 1024, 128 * 1024 * 1024
# Of one caller's long ones so much at once, and so much more a second: less than a twentieth of that thread.
BURST_BYTES, BYTES_PER_S = 32 * 1024 * 1024, 1024 * 1024
# What takes longer than its length: of objects and lists in a long one there are so many at most, or ten times as many
# other values.
MOST_OBJECTS = 50_000


class Bodies:
    """How much of bodies is held, by whose they are."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._rates = Rates(BYTES_PER_S, most=BURST_BYTES)

    @contextmanager
    def room(self, length: int, caller: str) -> Iterator[None]:
        """Room for a body as long as the block runs. Raises Problem where this caller has none left, or nobody."""
        counted = length if length > SHORT_BYTES else 0
        own = self._held[caller]
        if counted and own and (own + counted > MOST_OF_ONE or self._held.total() + counted > MOST_OF_ALL):
            metrics.turned_away("body: room")
            told = f"{own} bytes of your requests are being received, and there is no room for {length} more."
            again = (("retry-after", "1"), ("connection", "close"))
            raise Problem(429, "too much of yours", told, "send one after the other; nothing was done", again)
        wait_s = self._rates.wait_s(caller, counted) if counted else 0
        if wait_s:
            metrics.turned_away("body: rate")
            told = f"Of long requests {BYTES_PER_S} bytes a second are taken from one caller in the long run."
            again = (("retry-after", str(wait_s)), ("connection", "close"))
            raise Problem(429, "too much of yours", told, f"wait {wait_s} s; nothing was done", again)
        self._held[caller] += counted
        try:
            yield
        finally:
            self._held[caller] -= counted
            if not self._held[caller]:
                del self._held[caller]


async def whole_body(scope: Scope, receive: Receive, *, is_any: bool = True) -> Receive | None:
    """A `receive` that has the body of the request whole; None for one that ended before it was. Raises Problem, unless
    it may be of `any` kind, for one of very many values."""
    if not any(name == b"content-length" and value != b"0" for name, value in scope["headers"]):
        return receive
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            metrics.turned_away("body: half sent")
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            body = b"".join(parts)
            if not is_any and len(body) > SHORT_BYTES:
                _check_values(body)
            return _after(body, receive)


def _check_values(body: bytes) -> None:
    if 10 * (body.count(b"{") + body.count(b"[")) + body.count(b",") > 10 * MOST_OBJECTS:
        metrics.turned_away("body: values")
        told = f"A request may have {MOST_OBJECTS} objects and lists, or ten times as many other values."
        raise Problem(413, "too many values", told, "send less at a time")


def _after(body: bytes, receive: Receive) -> Receive:
    """First the body, then whatever comes: that the caller goes away."""
    told: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return told.pop() if told else await receive()

    return next_message
