"""Lists of revisions: what waits for a decision, and everything in whatever state; filters stand in the address.

What is pending is chosen here, several at once, and decided on one page (`deciding`). Counts beside each filter say
what it would leave. The API says for each what it still takes, and why it is not the visitor's to decide.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from runtime.console.desk import Desk, Filters

Json = Any
PER_PAGE = 50
MOST = 75  # a page of more is longer than 100 kB
FILTERS = ("api", "risk", "how", "by", "q", "core", "resource", "older")
# How long something has waited, at least.
AGES = {"1h": ("an hour", 1), "1d": ("a day", 24), "7d": ("a week", 7 * 24), "30d": ("a month", 30 * 24)}


async def pending(desk: Desk) -> Response:
    return await _listed(desk, "queue.html", "/workflows/pending", {"state": "pending"})


async def revisions(desk: Desk) -> Response:
    state = desk.asked("state")
    return await _listed(desk, "workflows.html", "/workflows", {"state": state} if state else {})


def query_of(desk: Desk) -> dict[str, str]:
    """The filters in the address as the API takes them."""
    asked = {**desk.filters(FILTERS)}
    older = AGES.get(asked.pop("older", ""))
    if older is None:
        return asked
    until = datetime.now(UTC) - timedelta(hours=older[1])
    return {**asked, "until": until.strftime("%Y-%m-%dT%H:%M:%SZ")}


async def _listed(desk: Desk, template: str, path: str, fixed: dict[str, str]) -> Response:
    asked, query = desk.filters(FILTERS), query_of(desk)
    limit, number = desk.number("limit", PER_PAGE, MOST), desk.number("page", 1, 100_000)
    extra = {} if path.endswith("pending") else fixed
    searched = "q" in asked and fixed.get("state") in (None, "approved")
    place = {"limit": limit} if searched else {"limit": limit, "page": number}
    found = await desk.api.page(path, {**query, **extra, **place})
    counts = await desk.api.get("/workflows/counts", {**query, **fixed})
    asks = await desk.api.get("/asks", {"state": "waiting"}) if path.endswith("pending") else []
    pages = 1 if searched else max(1, -(-found.total // limit))
    return desk.page(
        template, rows=found.json, total=found.total, counts=counts, asked=Filters({**asked, **extra}), number=number,
        pages=pages, limit=limit, asks=asks, ages=AGES,
    )  # fmt: skip
