"""Ports for programs that cannot say which one the system gave them.

A port that the system gives out and that is let go again may be given to anybody before the program takes it: with
some hundred connections a second that happens. These lie below the range of which the system gives out, so that only
a program that was told a number takes one.
"""

import contextlib
import random
import socket

# Linux gives out 32,768 and above, others 49,152 and above.
FIRST, LAST = 12_000, 32_000
_chance = random.SystemRandom()  # the order of the tests is another's to seed


def free_port() -> int:
    """A port on the loopback address at which nothing listens, and nothing will by chance."""
    while True:
        port = _chance.randrange(FIRST, LAST)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
