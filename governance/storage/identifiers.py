"""Ids, moments and stored JSON: the three spellings that every table of this room shares.

Ids are UUIDv7 (RFC 9562, section 5.7, with the sub-millisecond fraction of its method 3), so that they sort by time.
Moments are UTC text with microseconds and `Z`: they sort as text, hash alike everywhere and need no time zone type.
Stored JSON is one line of ASCII with sorted keys. What has an identity is not stored so but as RFC 8785 bytes
(`workflow.json.canonical`). Nothing here touches a database.
"""

import json
import secrets
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.errors import InvalidError, TamperedError

Json = Any
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def moment(when: datetime) -> str:
    """`2026-11-20T10:07:00.123456Z`, always of the same length."""
    # `strftime` gives a year before 1000 fewer than four digits.
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def new_id() -> str:
    """A UUIDv7 as text; ids made a quarter of a microsecond or more apart sort in the order of their making."""
    milliseconds, rest_ns = divmod(time.time_ns(), 1_000_000)
    fraction = (rest_ns << 12) // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def to_text(value: Json) -> str:
    """The one stored form of `value`. Raises InvalidError for what is not JSON (NaN, infinities, other types)."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidError(f"a value cannot be stored as JSON: {error}") from error


def from_text(text: str) -> Json:
    """The value that was stored. Raises TamperedError for what is no JSON: it was not us who wrote it."""
    try:
        return json.loads(text)
    except (TypeError, ValueError) as error:
        raise TamperedError(f"a stored value is no JSON: {error}", "restore the database from a good copy") from error


def earliest_id(at: str, slack: timedelta = timedelta(hours=1)) -> str:
    """What no id made at `at` or later sorts before; `slack`: by how much clocks may differ."""
    since_1970 = datetime.fromisoformat(at).timestamp() - slack.total_seconds()
    milliseconds = max(0, int(since_1970 * 1000))
    return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}"
