"""Warnings and errors that come very often: so many lines of a kind a minute, and then how many more there were.

Whoever floods the server would otherwise fill its disk by what it says of them. A kind is a logger, a level and the
text before its values are put in. Events (`lines`) are no warnings and are all told. The sum is told when the minute is
over, whether or not more come, and at the end of the process. Called where the log is set up (`commands.serving`).
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from runtime.observing.unblocked import Unblocked

MOST_LINES = 20
MINUTE_S = 60.0
# More kinds than our code and its libraries have; a library that puts values into its text makes endless ones.
MOST_KINDS = 256
Kind = tuple[str, int, str]
OTHERS: Kind = ("switchgear", logging.WARNING, "of other kinds")


@dataclass(slots=True)
class _Seen:
    since: float
    count: int = 0


class SummedHandler(logging.StreamHandler[TextIO | Unblocked]):
    def __init__(
        self, stream: TextIO | Unblocked, clock: Callable[[], float] = time.monotonic, minute_s: float = MINUTE_S
    ) -> None:
        super().__init__(stream)
        self._clock = clock
        self._minute_s = minute_s
        self._seen: dict[Kind, _Seen] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING or self._is_told(record):
            super().emit(record)

    def close(self) -> None:
        """Tells what is left to be told."""
        for kind in tuple(self._seen):
            self._tell(kind)
        super().close()

    def _is_told(self, record: logging.LogRecord) -> bool:
        kind = (record.name, record.levelno, str(record.msg))
        if kind not in self._seen and len(self._seen) >= MOST_KINDS:
            kind = OTHERS
        now = self._clock()
        seen = self._seen.get(kind)
        if seen is None or now - seen.since >= self._minute_s:
            self._tell(kind)
            seen = self._seen[kind] = _Seen(now)
        seen.count += 1
        if seen.count == MOST_LINES + 1:
            self._tell_later(kind)
        return seen.count <= MOST_LINES

    def _tell_later(self, kind: Kind) -> None:
        def tell() -> None:
            with self.lock or threading.RLock():
                self._tell(kind)

        timer = threading.Timer(self._minute_s, tell)
        timer.daemon = True
        timer.start()

    def _tell(self, kind: Kind) -> None:
        seen = self._seen.pop(kind, None)
        more = 0 if seen is None else seen.count - MOST_LINES
        if more > 0:
            name, level, text = kind
            super().emit(logging.LogRecord(name, level, "", 0, "%s more in a minute: %s", (more, text), None))
