"""What a cron expression means: five fields in a time zone, and the moment that comes next.

The arithmetic is croniter's. At a change of the clock it is as in Debian's cron: what falls into the hour that is left
out in spring happens once right behind it, and what names its hours happens once in the doubled hour of autumn, while
`*` for the hour goes on at its pace. Moments come out as the database keeps them. Called by `scheduling`.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from governance.storage.identifiers import moment
from runtime.errors import BadInput

EXAMPLE = "give five fields, minute hour day month weekday: `30 2 * * 1-5` is half past two, Monday to Friday"
FIELDS = 5  # croniter would take a sixth for seconds and a seventh for years: devices are not asked so often
# croniter's own additions, of which two processes would think differently: a random value, one by a hash.
_UNSTEADY = re.compile(r"[RrHh](?![A-Za-z])")


def next_moment(cron: str, zone: str, after: datetime) -> str:
    """The first moment of the expression behind `after`. Raises BadInput for an expression or zone that is none."""
    from croniter import croniter
    from croniter.croniter import CroniterError

    fields = cron.split()
    if len(fields) != FIELDS or any(_UNSTEADY.match(each) for each in fields):
        raise BadInput(f"the cron expression {cron[:80]!r} is not five plain fields", "/cron", EXAMPLE)
    local = after.astimezone(zone_of(zone))
    try:
        coming = croniter(cron, local)
        found = coming.get_next(datetime)
        while found.fold and not fields[1].startswith("*"):
            found = coming.get_next(datetime)
    except CroniterError as error:
        raise BadInput(f"the cron expression {cron[:80]!r} is none: {str(error)[:200]}", "/cron", EXAMPLE) from error
    return moment(found)


def zone_of(name: str) -> ZoneInfo:
    """Raises BadInput for a name that is not in the IANA database."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise BadInput(f"there is no time zone {name[:80]!r}", "/zone", "give UTC, Europe/Oslo, …") from error


def lateness(instant: str, now: datetime) -> timedelta:
    """How long ago the moment was."""
    return now.astimezone(UTC) - datetime.strptime(instant, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
