"""How many requests are worked on at once: what is more is told to come back, before it costs anything.

A flood then ends in clear answers instead of broken connections and memory without end. Also where this process takes
as many open files as it may have, since each caller and each device is one. Called by the gate (`access`) and by `app`.
Here never lives how often somebody asks (`rates`). RFC 9110, 503 and Retry-After.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.problems import Problem

# A waiting call takes about 0.1 MB; with more in line the last would wait for longer than its run may take.
MOST_AT_ONCE = 1_200
# Database, devices, libraries.
FILES_OF_OUR_OWN = 128
# More than any line of callers here; a limit without end would make the kernel's table of them large.
MOST_FILES = 65_536


class Crowd:
    """`most`: requests at a time."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._inside = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place as long as the block runs. Raises Problem when there is none."""
        if self._inside >= self._most:
            told = f"There are {self._inside} requests under way, and this server takes no more at a time."
            headers = (("retry-after", "1"),)
            raise Problem(503, "too many at once", told, "ask again in a moment; nothing was done", headers)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1


def most_at_once() -> int:
    """How many requests this process can work on, after it took all the open files that it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    # Each is a connection here, and may be one to a device.
    return max(1, min(MOST_AT_ONCE, (max(soft, files) - FILES_OF_OUR_OWN) // 2))
