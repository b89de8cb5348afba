"""The list of runs: which workflow, where, by whom, how it ended, when; filters stand in the address.

An operator sees their own, an approver everybody's in reach: the API says which. What is under way moves by itself.
Here never lives a run (`one_run`).
"""

from starlette.responses import Response

from runtime.console.desk import Desk

FILTERS = ("workflow", "target", "caller", "outcome", "since", "until")
OUTCOMES = ("under way", "succeeded", "partial", "pending", "failed", "unknown", "cancelled", "planned")
PER_PAGE = 50


async def listed(desk: Desk) -> Response:
    """Those that the visitor sees: an operator their own, an approver everybody's in reach."""
    asked = desk.filters(FILTERS)
    number = desk.number("page", 1, 1_000_000)
    found = await desk.api.page("/runs", {**asked, "limit": PER_PAGE, "page": number})
    pages = max(1, -(-found.total // PER_PAGE))
    return desk.page(
        "runs.html", rows=found.json, total=found.total, asked=asked, number=number, pages=pages, outcomes=OUTCOMES
    )
