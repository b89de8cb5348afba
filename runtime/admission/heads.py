"""What a request begins with, bounded before it is read: the lines of its head; bodies that do not say their length.

The library takes a head as a whole and a body chunk by chunk, all that has arrived in one go: sixty thousand lines, or
as many chunks of one byte, keep everybody waiting for a quarter of a second, before anybody has looked at who sends
them. So lines are counted before they are taken, and a body in chunks is refused with its head: here bodies say how
long they are. Here never lives who may send what (`access`). Called by `connections`. RFC 9112; RFC 6585, 431.
"""

import re

import h11

from runtime.observing import metrics

# Browsers behind two proxies send some forty.
MOST_LINES = 128
_END = re.compile(rb"\n\r?\n")


def _answer(status: str, told: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {len(told)}\r\nconnection: close\r\n\r\n"
    return (head + told).encode()


TOO_LONG = _answer("431 Request Header Fields Too Large", f"A request may have {MOST_LINES} lines before its body.\n")
NO_LENGTH = _answer("411 Length Required", "A body must say its length: send Content-Length.\n")


class BoundedRequests(h11.Connection):
    """`refusal`: what to answer where a request was refused here, before the connection is closed."""

    refusal = b""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """As the library's. Raises RemoteProtocolError for what is refused here as well."""
        if self.their_state is h11.IDLE and _is_too_long(self.trailing_data[0]):
            self._refuse(TOO_LONG, "head")
        event = super().next_event()
        if isinstance(event, h11.Request) and any(name == b"transfer-encoding" for name, _ in event.headers):
            self._refuse(NO_LENGTH, "chunks")
        return event

    def _refuse(self, answer: bytes, what: str) -> None:
        metrics.turned_away(f"request: {what}")
        self.refusal = answer
        raise h11.RemoteProtocolError(f"refused for its {what}")


def _is_too_long(arrived: bytes) -> bool:
    if arrived.count(b"\n") <= MOST_LINES:  # of head and body together: so it is with nearly all
        return False
    end = _END.search(arrived)
    return arrived.count(b"\n", 0, end.start() if end else len(arrived)) > MOST_LINES
