"""How long a reply asks us to wait (RFC 9110, 10.2.3, `Retry-After`), without a clock.

A date counts from the reply's own `Date`, so that a replay gives the same seconds and a wrong clock on either side
does no harm; without `Date` it says nothing. Called by `interpreter`, and by the runtime where it is asked to wait.
"""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 300.0  # a device that asks for more is treated as one that does not answer


def seconds_asked_for(headers: Mapping[str, str], longest_s: float = LONGEST_S) -> float:
    """Seconds to wait, 0 where nothing (or nothing readable) is said, never more than `longest_s`."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), longest_s)
    until, now = _date(text), _date(headers.get("date", ""))
    if until is None or now is None:
        return 0.0
    return min(max((until - now).total_seconds(), 0.0), longest_s)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return date if date.tzinfo else None
