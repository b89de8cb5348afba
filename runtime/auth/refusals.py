"""Audit rows about strangers who were refused: wrong passwords, wrong signatures; at a bounded rate.

Whoever is nobody can make as many of these as they like, and the audit is kept for ever: so each kind is written at
most so often, and the next row that is written says how many were not. Here never lives a decision to refuse.
"""

from collections import Counter
from typing import Any

from governance.audit.log import AuditLog
from runtime.admission.rates import Rates

Json = Any
# A burst is told one by one; a flood of a year is a hundred megabytes, and the count is there all the same.
AT_ONCE = 100
SECONDS_EACH = 30
STRANGER = "nobody"


class Refusals:
    def __init__(self, audit: AuditLog, rates: Rates | None = None) -> None:
        self._audit = audit
        self._rates = rates or Rates(1 / SECONDS_EACH, most=AT_ONCE)
        self._untold: Counter[str] = Counter()

    async def note(self, action: str, subject: str, detail: dict[str, Json]) -> None:
        """Writes it down, or counts it. `detail` holds nothing that is as long as a stranger likes."""
        if self._rates.wait_s(action):
            self._untold[action] += 1
            return
        untold = self._untold.pop(action, 0)
        more = {"untold_before": untold} if untold else {}
        await self._audit.append(STRANGER, action, subject, {**detail, **more})
