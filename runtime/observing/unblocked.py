"""A stream for the log that never waits: what a full pipe does not take is lost, and how much that was is told later.

Whoever starts a server and does not read what it says, as some clients of MCP do, would stop it with the first line
that finds the pipe full: one thread serves all. Files and terminals are written as ever. Called where the log is set up
(`commands.serving`). Here never lives what is worth a line (`summing`). pipe(7), poll(2).
"""

import os
import select
import stat
from typing import TextIO

# What a pipe that takes anything takes as a whole: 4096 bytes, and a character has four at most.
AT_ONCE = 1_024


class Unblocked:
    """As much of a text stream as a handler of the log needs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0
        self._is_cut = False
        self._poll = _poll_of(stream)

    def write(self, text: str) -> None:
        """Writes a line, or counts it."""
        if self._poll is None:
            self._stream.write(text)
            self._stream.flush()
            return
        if self._lost and self._takes():
            told = f"{self._lost} lines were lost, since nobody read them\n"
            self._stream.write(f"\n{told}" if self._is_cut else told)
            self._lost, self._is_cut = 0, False
        for at in range(0, len(text), AT_ONCE):
            if self._lost or not self._takes():
                self._lost += 1
                self._is_cut = self._is_cut or at > 0
                return
            self._stream.write(text[at : at + AT_ONCE])
            self._stream.flush()

    def flush(self) -> None:
        """There is nothing left to flush."""

    def _takes(self) -> bool:
        return self._poll is not None and bool(self._poll.poll(0))


def _poll_of(stream: TextIO) -> "select.poll | None":
    """What tells whether a pipe or a socket takes something; None for all that does not make anybody wait."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return None
    mode = os.fstat(number).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) or not hasattr(select, "poll"):
        return None
    made = select.poll()
    made.register(number, select.POLLOUT)
    return made
