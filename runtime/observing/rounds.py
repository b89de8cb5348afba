"""Work that is done in rounds goes on when the database fails one, and says so in the log once: not in each round.

Called by whatever has a `watch` and keeps nothing but a round from one failure: schedules, deliveries, open runs, the
sites of a hub. Here never lives what a round does.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from governance.errors import GovernanceError


class Rounds:
    """`failing`: what cannot be done, as the log says it."""

    def __init__(self, log: logging.Logger, failing: str) -> None:
        self._log = log
        self._failing = failing
        self._why = ""

    @contextmanager
    def one(self) -> Iterator[None]:
        """Around one round: a GovernanceError ends it and is told, unless the round before ended with the same."""
        try:
            yield
        except GovernanceError as error:
            if error.message != self._why:
                self._log.error("%s: %s", self._failing, error.message)
            self._why = error.message
        else:
            self._why = ""
