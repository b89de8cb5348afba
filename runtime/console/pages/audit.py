"""The audit: its rows by who, what, about what and when; whether the chain is whole; all of it as JSON lines.

Without a place in the address the newest rows stand first; behind `after` they stand in the order of their writing.
The export is the API's, passed on. Here never lives who may look at it.
"""

from starlette.responses import Response

from runtime.console import rendering
from runtime.console.desk import Desk, Filters

FILTERS = ("actor", "action", "subject", "target", "digest", "outcome", "since", "until")
OUTCOMES = ("succeeded", "partial", "pending", "failed", "unknown", "cancelled", "planned")
PER_PAGE = 50


async def listed(desk: Desk) -> Response:
    return await _shown(desk)


async def verify(desk: Desk) -> Response:
    """Follows the chain from its beginning, and the rows that it attests."""
    answer = await desk.api.get("/audit/verify")
    return await _shown(desk, answer)


async def export(desk: Desk) -> Response:
    """What `GET /audit/export` gives, to be kept: passed on row by row."""
    asked = _asked(desk)
    await desk.api.get("/audit", {**asked, "limit": 1})  # refused as the export would be, on a page
    headers = {
        **rendering.HEADERS,
        "content-type": "application/x-ndjson",
        "content-disposition": 'attachment; filename="audit.jsonl"',
    }
    return desk.api.passed_on("/audit/export", asked, headers)


async def _shown(desk: Desk, verified: object = None) -> Response:
    asked = _asked(desk)
    after = desk.number("after", 0, 2**53 - 1) if desk.asked("after") else 0
    newest = not desk.asked("after")
    place = {"newest": "true"} if newest else {"after": after}
    rows = await desk.api.get("/audit", {**asked, **place, "limit": PER_PAGE})
    return desk.page(
        "audit.html", rows=rows[::-1] if newest else rows, asked=asked, after=after, per_page=PER_PAGE, newest=newest,
        verified=verified, outcomes=OUTCOMES,
    )  # fmt: skip


def _asked(desk: Desk) -> Filters:
    return desk.filters(FILTERS)
