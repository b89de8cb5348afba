"""Whether a database takes writes: told once when it ceases to and once when it does again, not at each refusal.

One for each database that a server writes into; `why` is what `/ready` says of it. Called by whoever writes
(`governance.storage.database`, the engine of durable runs). Here never lives a try whether it is over.
"""

import logging

from governance.errors import UnavailableError


class Outage:
    def __init__(self, log: logging.Logger, name: str) -> None:
        """`name`: of the database, as the log says it."""
        self._log = log
        self._name = name
        self._before = 0  # of the refusals, those that an earlier outage had
        self.refusals = 0
        """How many writes were ever refused; for `end`."""
        self.why = ""
        """Why it takes no writes; empty after one that it took."""

    def begin(self, failed: Exception) -> None:
        """A write ended so; only what says that the database is not there, full or locked counts."""
        if not isinstance(failed, UnavailableError):
            return
        self.refusals += 1
        if not self.why:
            self._log.error("%s takes no writes: %s", self._name, failed.message)
        self.why = failed.message

    def end(self, known: int) -> None:
        """A write was taken. `known`: the `refusals` when it was handed in.

        A refusal since then may be the later of the two, and so nothing has ended.
        """
        if self.why and known == self.refusals:
            refused = self.refusals - self._before
            self._log.warning("%s takes writes again; %s were refused meanwhile", self._name, refused)
            self.why, self._before = "", self.refusals
